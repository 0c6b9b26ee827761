"""The optimizer against its formula in numpy, and against what Keras's own does wrong."""

import numpy as np
import pytest

from bert_course.model.config import BertConfig
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import build_pretraining_model
from bert_course.training.optimization import AdamW, Lamb, Muon, WarmUpThenDecay, build_optimizer

import keras  # isort: skip

STEPS, RATE = 6, 0.1
LOOKED_UP = np.array([[1, 1, 1], [1, 2, 1], [0, 1, 1], [1, 1, 2], [3, 3, 1], [1, 0, 1]])


def table_and_bias():
    """A model with a table, whose rows are looked up several times, and a bias beside it."""
    ids = keras.Input((3,), dtype="int32")
    start = keras.initializers.Constant(np.arange(8.0).reshape(4, 2) / 10)
    table = keras.layers.Embedding(4, 2, embeddings_initializer=start, name="table")
    dense = keras.layers.Dense(1, kernel_initializer="ones", name="dense")
    return keras.Model(ids, dense(keras.layers.GlobalAveragePooling1D()(table(ids))))


def train(optimizer, batches=LOOKED_UP[:, None], steps=STEPS):
    """The weights after training to the mean of (output - 3)²."""
    model = table_and_bias()
    model.compile(optimizer, "mse", jit_compile=False)
    for step in range(steps):
        model.train_on_batch(batches[step], np.full((len(batches[step]), 1), 3.0))
    return [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]


def gradients(weights, ids):
    """By hand, for one row of ids: of the table, the kernel and the bias."""
    table, kernel, bias = weights
    mean = table[ids].mean(axis=0)
    error = 2 * (mean @ kernel + bias - 3)
    of_table = np.zeros_like(table)
    np.add.at(of_table, ids, error * kernel.T / len(ids))  # rows that are repeated add up
    return [of_table, mean[:, None] * error, error]


def rate_at(step, steps=STEPS, warm_up=2):
    return RATE * min((step + 1) / warm_up, (steps - step) / (steps - warm_up))


def adamw_by_hand(clip=1.0, decay=0.01):
    weights = [np.arange(8.0).reshape(4, 2) / 10, np.ones((2, 1)), np.zeros(1)]
    m, v = [[np.zeros_like(w) for w in weights] for _ in range(2)]
    for step in range(STEPS):
        gs = gradients(weights, LOOKED_UP[step])
        norm = np.sqrt(sum((g**2).sum() for g in gs))
        for i, g in enumerate(gs):
            g = g * min(1, clip / norm)
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            correction = np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            change = correction * m[i] / (np.sqrt(v[i]) + 1e-6)  # ε beside the uncorrected v
            decayed = decay * weights[i] if i < 2 else 0  # the bias is not
            weights[i] = weights[i] - rate_at(step) * (change + decayed)
    return weights


def farthest(ours, theirs):
    return max(np.abs(one - other).max() for one, other in zip(ours, theirs, strict=True))


def test_the_optimizer_is_its_formula():
    ours = train(build_optimizer(RATE, STEPS, warm_up=2))
    assert farthest(ours, adamw_by_hand()) < 1e-5


@pytest.mark.parametrize("change", [{"clip": 100.0}, {"decay": 0.0}, {"decay": 0.02}])
def test_the_formula_would_notice(change):
    """Without clipping, or with another decay, it ends elsewhere: the test above can fail."""
    assert farthest(adamw_by_hand(), adamw_by_hand(**change)) > 1e-4


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has such slices"
)
def test_without_whole_gradients_it_would_be_another_one():
    """What Keras's own AdamW makes of repeated words. If this fails, Keras is mended: rejoice."""
    theirs = keras.optimizers.AdamW(
        WarmUpThenDecay(RATE, STEPS, 2), weight_decay=0.01, epsilon=1e-6, global_clipnorm=1.0
    )
    theirs.exclude_from_weight_decay(var_names=["bias"])
    assert farthest(train(theirs), adamw_by_hand()) > 1e-3


def test_the_rate_goes_up_and_then_down():
    schedule = WarmUpThenDecay(1.0, steps=10, warm_up=4)
    rates = [float(schedule(step)) for step in range(11)]
    expected = [0.25, 0.5, 0.75, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_no_warm_up():
    schedule = WarmUpThenDecay(1.0, steps=4, warm_up=0)
    np.testing.assert_allclose([float(schedule(s)) for s in range(5)], [1, 0.75, 0.5, 0.25, 0])


@pytest.mark.parametrize(("warm_up", "steps"), [(5, 5), (-1, 5), (0, 0)])
def test_a_warm_up_that_never_ends(warm_up, steps):
    with pytest.raises(ValueError, match=f"Received: warm_up={warm_up}, steps={steps}"):
        WarmUpThenDecay(1.0, steps, warm_up)


def test_batches_that_are_accumulated_are_one_large_batch():
    small = LOOKED_UP[:, None]  # six batches of one row
    large = LOOKED_UP.reshape(2, 3, 3)  # the same rows in two batches of three
    accumulated = train(build_optimizer(RATE, 2, warm_up=0, accumulate=3), small, steps=6)
    at_once = train(build_optimizer(RATE, 2, warm_up=0), large, steps=2)
    assert farthest(accumulated, at_once) < 1e-6
    assert farthest(accumulated, train(build_optimizer(RATE, 2, warm_up=0), small, steps=2)) > 1e-3


def test_what_weight_decay_leaves_alone():
    """Where every gradient is 0, nothing moves but what is decayed."""
    config = BertConfig(9, num_layers=1, hidden_dim=4, num_heads=2, intermediate_dim=8)
    model = build_pretraining_model(build_encoder(config), config)
    for variable in model.trainable_variables:
        variable.assign(np.ones(variable.shape))
    optimizer = build_optimizer(RATE, STEPS, warm_up=0)
    zeros = [keras.ops.zeros(variable.shape) for variable in model.trainable_variables]
    optimizer.apply(zeros, model.trainable_variables)
    kinds = {True: set(), False: set()}
    for variable in model.trainable_variables:
        moved = bool(np.all(keras.ops.convert_to_numpy(variable) < 1))
        kinds[moved].add(variable.path.split("/")[-1])
    assert kinds == {True: {"kernel", "embeddings"}, False: {"bias", "gamma", "beta"}}


def test_lamb_is_there_and_learns():
    start = table_and_bias()(LOOKED_UP[0][None])
    optimizer = build_optimizer(RATE, STEPS, kind=Lamb)
    table, kernel, bias = train(optimizer)
    before = abs(float(start[0, 0]) - 3)
    after = abs(float((table[LOOKED_UP[0]].mean(axis=0) @ kernel + bias)[0]) - 3)
    assert isinstance(optimizer, keras.optimizers.Lamb) and after < before
    assert isinstance(build_optimizer(RATE, STEPS), AdamW)


def test_muon_moves_a_matrix_as_far_in_every_direction():
    """What it adds to a kernel has singular values near each other; what AdamW adds has not."""
    rng = np.random.default_rng(0)
    gradient = rng.standard_normal((8, 2)) @ np.diag([1.0, 0.01]) @ rng.standard_normal((2, 8))
    spread = {}
    for kind in (Muon, AdamW):
        layer = keras.layers.Dense(8, use_bias=False)
        layer.build((None, 8))
        before = keras.ops.convert_to_numpy(layer.kernel).copy()
        optimizer = build_optimizer(RATE, STEPS, warm_up=0, kind=kind)
        optimizer.exclude_from_weight_decay(var_names=["kernel"])
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [layer.kernel])
        moved = keras.ops.convert_to_numpy(layer.kernel) - before
        first, second = np.linalg.svd(moved)[1][:2]
        spread[kind] = first / second
    assert spread[Muon] < 2
    assert spread[AdamW] > spread[Muon]


def test_muon_treats_a_table_as_adamw_does():
    """At half the rate, but for weight decay; only its kernels go another way."""
    muon = train(build_optimizer(2 * RATE, STEPS, warm_up=2, kind=Muon), steps=1)
    adamw = train(build_optimizer(RATE, STEPS, warm_up=2), steps=1)
    assert farthest(muon[:1], adamw[:1]) < 5e-3 * RATE
    assert farthest(muon[1:2], adamw[1:2]) > 1e-2 * RATE
