"""What is computed faster is the same: against the plain model, piece by piece and whole."""

import dataclasses

import numpy as np
import pytest

from bert_course.model.config import BertConfig
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import build_pretraining_model
from bert_course.training import speed
from bert_course.training.optimization import AdamW, Muon, build_optimizer

import keras  # isort: skip

CONFIG = BertConfig(61, num_layers=2, hidden_dim=32, num_heads=2, intermediate_dim=64, dropout=0.0)
only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow on a CPU is changed"
)


def pretraining_model(config=CONFIG, factor=10):
    """A small model whose weights are large enough for attention and GELU to bend."""
    model = build_pretraining_model(build_encoder(config), config)
    for variable in model.trainable_variables:
        if len(variable.shape) == 2:
            variable.assign(variable * factor)
    return model


def batch(rng=0, rows=4, length=16, slots=3):
    rng = np.random.default_rng(rng)
    inputs = {
        "token_ids": rng.integers(0, CONFIG.vocab_size, (rows, length)).astype("int32"),
        "segment_ids": rng.integers(0, 2, (rows, length)).astype("int32"),
        "padding_mask": np.arange(length) < rng.integers(length // 2, length + 1, (rows, 1)),
        "masked_positions": rng.integers(0, length // 2, (rows, slots)).astype("int32"),
    }
    labels = {
        "masked_words": rng.integers(0, CONFIG.vocab_size, (rows, slots)).astype("int32"),
        "next_sentence": rng.integers(0, 2, rows).astype("int32"),
    }
    return inputs, labels


def loss_and_gradients(model, training=False):
    import tensorflow as tf

    inputs, labels = batch()
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=training)
        loss = sum(
            tf.reduce_mean(
                keras.ops.sparse_categorical_crossentropy(labels[task], outputs[task], True)
            )
            for task in labels
        )
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return outputs, float(loss), [tf.convert_to_tensor(g).numpy() for g in gradients]


def furthest(ours, theirs):
    """The largest difference of a gradient, as a share of its longest entry."""
    pairs = zip(ours, theirs, strict=True)
    return max(np.abs(a - b).max() / max(np.abs(b).max(), 1e-3) for a, b in pairs)


@only_tensorflow
@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
def test_without_rounding_outputs_and_gradients_are_the_same(activation):
    config = dataclasses.replace(CONFIG, activation=activation)
    plain, fast = pretraining_model(config), pretraining_model(config)
    assert speed.speed_up(fast, config, bfloat16=False) is fast
    (outputs, _, gradients), (ours, _, our_gradients) = map(loss_and_gradients, (plain, fast))
    for name in outputs:
        np.testing.assert_allclose(ours[name], outputs[name], atol=2e-5)
    assert furthest(our_gradients, gradients) < 2e-5


@only_tensorflow
def test_another_activation_would_be_noticed():
    plain, other = pretraining_model(), pretraining_model()
    speed.speed_up(other, dataclasses.replace(CONFIG, activation="gelu_tanh"), bfloat16=False)
    gradients, theirs = (loss_and_gradients(model)[2] for model in (plain, other))
    assert furthest(theirs, gradients) > 1e-4


@only_tensorflow
def test_rounded_products_are_near_and_not_the_same():
    """Rounding to 8 bits errs by at most 2⁻⁹ a factor: a few percent of the longest gradient."""
    plain, fast = pretraining_model(factor=3), pretraining_model(factor=3)
    speed.speed_up(fast, CONFIG, bfloat16=True)
    (_, loss, gradients), (_, our_loss, ours) = map(loss_and_gradients, (plain, fast))
    assert abs(loss - our_loss) < 0.01 * loss
    assert 1e-4 < furthest(ours, gradients) < 0.1


@only_tensorflow
def test_a_rounded_product_is_the_product_of_rounded_factors():
    import ml_dtypes

    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, 64, 64)).astype("float32")
    rounded = [x.astype(ml_dtypes.bfloat16).astype("float64") for x in (left, right)]
    exact = rounded[0] @ rounded[1]
    ours = np.asarray(speed.rounded_product(left, right))
    assert ours.dtype == "float32"
    assert (np.abs(ours - exact) <= 2**-8 * np.abs(exact) + 1e-3).all()
    assert not np.allclose(ours, left @ right, atol=1e-3)  # the factors were rounded


def normalized(layer, inputs, upstream):
    import tensorflow as tf

    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    wanted = [inputs, *(v.value for v in layer.trainable_variables)]
    gradients = tape.gradient(outputs, wanted, upstream)
    return [np.asarray(a) for a in (outputs, *gradients)]


@only_tensorflow
@pytest.mark.parametrize("shape", [(3, 5, 24), (7, 24)])
def test_layer_norm_by_products_is_layer_norm(shape):
    """Outputs, and the gradients of x, γ and β; another ε is noticed."""
    rng = np.random.default_rng(0)
    inputs, upstream = 3 + 2 * rng.standard_normal((2, *shape)).astype("float32")
    gamma, beta = rng.standard_normal((2, shape[-1]))

    def answers(kind, epsilon=1e-12):
        layer = kind(epsilon=epsilon)
        layer.build(shape)
        layer.set_weights([gamma, beta])
        return normalized(layer, inputs, upstream)

    plain = answers(keras.layers.LayerNormalization)
    gaps = [
        [np.abs(a - b).max() for a, b in zip(answers(*how), plain, strict=True)]
        for how in ((speed.ProductLayerNorm,), (speed.ProductLayerNorm, 0.1))
    ]
    assert max(gaps[0]) < 2e-5
    assert max(gaps[1]) > 1e-2


@only_tensorflow
def test_names_and_variables_stay():
    model = pretraining_model(dataclasses.replace(CONFIG, dropout=0.1))
    before = [(v.path, id(v)) for v in model.variables]
    speed.speed_up(model, CONFIG, bfloat16=True)
    assert [(v.path, id(v)) for v in model.variables] == before
    kinds = {type(layer) for layer in model._flatten_layers()}
    assert {speed.ByteDropout, speed.RoundedDense, speed.RoundedMaskedWordHead} <= kinds
    assert speed.ProductLayerNorm in kinds
    assert not kinds & {keras.layers.Dropout, keras.layers.Dense, keras.layers.LayerNormalization}


@only_tensorflow
def test_bfloat16_is_a_choice():
    model = speed.speed_up(pretraining_model(), CONFIG, bfloat16=False)
    rounded = (speed.RoundedDense, speed.ProductLayerNorm)
    assert not any(isinstance(layer, rounded) for layer in model._flatten_layers())
    assert type(speed.speed_up_optimizer(Muon())) is speed.FusedMuon
    assert type(speed.speed_up_optimizer(Muon(), bfloat16=True)) is speed.RoundedMuon
    assert type(speed.speed_up_optimizer(AdamW(), bfloat16=True)) is speed.FusedAdamW


@only_tensorflow
def test_a_model_in_mixed_precision_is_left_alone():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = pretraining_model()
    finally:
        keras.config.set_dtype_policy(before)
    kinds = [type(layer) for layer in model._flatten_layers()]
    speed.speed_up(model, CONFIG, bfloat16=True)
    assert [type(layer) for layer in model._flatten_layers()] == kinds


def byte_dropout(rate, seed=3):
    layer = keras.layers.Dropout(rate, seed=seed)
    speed.exchange(layer, bfloat16=False)
    return layer


@only_tensorflow
@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("shape", [(1000, 1001), (3, 333, 1002)])
def test_dropout_keeps_its_share_and_the_mean(rate, shape):
    dropped = np.asarray(byte_dropout(rate)(np.ones(shape, "float32"), training=True))
    share = round(256 * (1 - rate)) / 256
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / share)}
    assert abs((dropped > 0).mean() - share) < 5 * np.sqrt(share * (1 - share) / dropped.size)
    kept = dropped.reshape(-1) > 0  # neighbours share a random number, and are independent
    both = (kept[1:] & kept[:-1]).mean()
    assert abs(both - share**2) < 5 * np.sqrt(share**2 * (1 - share**2) / kept.size) * 2


@only_tensorflow
def test_dropout_drops_the_gradient_where_it_dropped_the_value():
    import tensorflow as tf

    inputs = tf.Variable(np.full((7, 9), 2.0, "float32"))
    layer = byte_dropout(0.5)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
    gradient = tape.gradient(outputs, inputs)
    np.testing.assert_allclose(gradient, outputs / 2)
    assert 0 < np.count_nonzero(gradient) < 63


@only_tensorflow
def test_dropout_does_nothing_outside_training():
    ones = np.ones((5, 5), "float32")
    assert np.array_equal(byte_dropout(0.5)(ones, training=False), ones)


@only_tensorflow
@pytest.mark.parametrize("rate", [0.0, 0.001, 0.999])
def test_a_rate_that_a_byte_cannot_hold_stays_with_keras(rate):
    assert type(byte_dropout(rate)) is keras.layers.Dropout


@only_tensorflow
def test_dropout_goes_on_where_its_variables_were_saved():
    ones = np.ones((50, 50), "float32")
    layer, resumed = byte_dropout(0.5), byte_dropout(0.5, seed=9)
    first = np.asarray(layer(ones, training=True))
    state = np.asarray(layer.seed_generator.state)
    second = np.asarray(layer(ones, training=True))
    assert not np.array_equal(first, second)
    assert not np.array_equal(np.asarray(resumed(ones, training=True)), second)
    resumed.seed_generator.state.assign(state)
    assert np.array_equal(np.asarray(resumed(ones, training=True)), second)


def answers(model):
    inputs, _ = batch()
    return {name: keras.ops.convert_to_numpy(x) for name, x in model(inputs).items()}


def test_fused_attention_gives_the_same():
    plain, fused = pretraining_model(), speed.fuse_attention(pretraining_model())
    ours, theirs = answers(fused), answers(plain)
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-4)
    assert sum(type(layer) is speed.FusedAttention for layer in fused._flatten_layers()) == 2


def test_fused_attention_heeds_padding():
    """The negative control: with every token real, it would answer otherwise."""
    model, (inputs, _) = speed.fuse_attention(pretraining_model()), batch()
    all_real = model({**inputs, "padding_mask": np.ones_like(inputs["padding_mask"])})
    all_real = keras.ops.convert_to_numpy(all_real["masked_words"])
    assert np.abs(all_real - answers(model)["masked_words"]).max() > 1e-2


def test_attention_with_dropout_is_never_fused():
    model = speed.fuse_attention(pretraining_model(dataclasses.replace(CONFIG, dropout=0.1)))
    assert not any(type(layer) is speed.FusedAttention for layer in model._flatten_layers())


def trained(optimizer, steps=4):
    model = pretraining_model()
    losses = {
        task: keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        for task in ("masked_words", "next_sentence")
    }
    model.compile(optimizer, losses, run_eagerly=True)  # to compile would take longer
    for step in range(steps):
        model.train_on_batch(*batch(step))
    return [np.asarray(v) for v in (*model.trainable_variables, *optimizer.variables)]


@only_tensorflow
@pytest.mark.parametrize(
    ("kind", "fused", "accumulate"),
    [
        (AdamW, speed.FusedAdamW, 1),
        (AdamW, speed.FusedAdamW, 2),
        (Muon, speed.FusedMuon, 1),
    ],
)
def test_the_fused_optimizer_is_the_plain_one(kind, fused, accumulate):
    def optimizer(rate=1e-2):
        return build_optimizer(rate, 20, warm_up=2, accumulate=accumulate, kind=kind)

    ours = optimizer()
    assert type(speed.speed_up_optimizer(ours)) is fused
    plain = trained(optimizer())
    gaps = [np.abs(a - b).max() for a, b in zip(trained(ours), plain, strict=True)]
    assert max(gaps) < 1e-4
    other = trained(optimizer(1.01e-2))
    assert max(np.abs(a - b).max() for a, b in zip(other, plain, strict=True)) > 3e-4


@only_tensorflow
@pytest.mark.parametrize("shape", [(48, 48), (48, 96), (96, 48)])
def test_rounded_muon_goes_nearly_where_muon_goes(shape):
    """To some percent of the longest entry; most singular values near 1, none far above."""
    gradient = np.random.default_rng(0).standard_normal(shape).astype("float32")
    plain, ours = (
        np.asarray(kind().zeropower_via_newtonschulz5(keras.ops.array(gradient), 5))
        for kind in (Muon, speed.RoundedMuon)
    )
    assert 1e-4 < np.abs(ours - plain).max() / np.abs(plain).max() < 0.06
    values = np.linalg.svd(ours, compute_uv=False)
    assert values.max() < 1.25
    assert np.median(values) > 0.65


def losses_and_gradient(kind, scale, shape=(3, 5, 50)):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    logits = tf.Variable(scale * rng.standard_normal(shape).astype("float32"))
    labels = rng.integers(0, shape[-1], shape[:-1])
    weights = rng.integers(0, 2, shape[:-1]).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    with tf.GradientTape() as tape:
        value = kind(loss)(labels, logits, sample_weight=weights)
    return float(value), tape.gradient(value, logits).numpy()


@only_tensorflow
@pytest.mark.parametrize("shape", [(3, 5, 50), (7, 2)])
@pytest.mark.parametrize("scale", [1, 300])  # 300: the labels' own chances are 0 in float32
def test_the_loss_is_the_same(scale, shape):
    value, gradient = losses_and_gradient(lambda loss: loss, scale, shape)
    ours, our_gradient = losses_and_gradient(speed.speed_up_loss, scale, shape)
    assert abs(ours - value) < 1e-5 * value and value > 0
    np.testing.assert_allclose(our_gradient, gradient, atol=1e-6)
    assert np.abs(gradient).max() > 1e-2


@only_tensorflow
def test_a_loss_of_another_kind_stays():
    for loss in (keras.losses.MeanSquaredError(), keras.losses.SparseCategoricalCrossentropy()):
        assert type(speed.speed_up_loss(loss)) is not speed.OneSoftmaxCrossEntropy


@only_tensorflow
def test_an_optimizer_of_another_kind_stays():
    optimizer = keras.optimizers.Adam()
    assert type(speed.speed_up_optimizer(optimizer)) is keras.optimizers.Adam
