import keras
import numpy as np
import pytest
from small_berts import (
    SMALL,
    answers,
    largest_difference,
    needs_half_precision,
    random_batch,
    randomise,
    reference_hidden_states,
    small,
    to_numpy,
    weights_of,
)

from bert_course.model import parts
from bert_course.model.config import BASE, LARGE
from bert_course.model.encoder import build_encoder
from bert_course.model.tensor_names import hugging_face_name, is_transposed


def random_encoder(config=SMALL, scale=0.5):
    encoder = build_encoder(config)
    randomise(encoder, scale=scale)
    return encoder


@pytest.fixture(scope="module")
def encoder():
    """A random encoder. Not to be changed."""
    return random_encoder()


def outputs_of(encoder, batch):
    """Both outputs in one array: (real tokens + sequences, H)."""
    outputs = answers(encoder, batch)
    return np.concatenate(
        [outputs["sequence_output"][batch["padding_mask"]], outputs["pooled_output"]]
    )


@pytest.mark.parametrize(("config", "parameters"), [(BASE, 109_482_240), (LARGE, 335_141_888)])
def test_bert_has_the_published_number_of_parameters(config, parameters, monkeypatch):
    # Zeros are drawn faster than normal numbers, and are as many.
    monkeypatch.setattr(parts, "truncated_normal", lambda rng: "zeros")
    encoder = build_encoder(config)
    assert sum(int(np.prod(v.shape)) for v in encoder.trainable_variables) == parameters


# ------------------------------------------------------------------- equal to other people's BERT


@pytest.fixture(scope="module", params=["gelu", "gelu_tanh"])
def two_activations(request):
    """A random encoder, and one that differs from it in the form of GELU only."""
    names = [request.param, {"gelu": "gelu_tanh", "gelu_tanh": "gelu"}[request.param]]
    return [(small(activation=name), random_encoder(small(activation=name))) for name in names]


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # of one position, yes
@pytest.mark.parametrize(("lengths", "padded_to"), [([1], 1), ([12, 3], 12), ([7, 1], 12)])
def test_the_encoder_equals_bert_in_numpy(lengths, padded_to, two_activations):
    (config, encoder), (_, wrong) = two_activations
    batch = random_batch(config, lengths, padded_to=padded_to)
    tensors = {
        hugging_face_name(path): weight.T if is_transposed(path) else weight
        for path, weight in weights_of(encoder).items()
    }
    hidden = reference_hidden_states(tensors, config, batch)[-1]
    kernel, bias = (tensors[f"bert.pooler.dense.{leaf}"] for leaf in ("weight", "bias"))
    pooled = np.tanh(hidden[:, 0] @ kernel.T + bias)
    expected = np.concatenate([hidden[batch["padding_mask"]], pooled])
    assert largest_difference(outputs_of(encoder, batch), expected) < 1e-5
    assert largest_difference(outputs_of(wrong, batch), expected) > 1e-5  # negative control


def keras_hub_twin(config):
    """keras_hub's BertBackbone with random weights, and where each belongs in our encoder."""
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=config.vocab_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        hidden_dim=config.hidden_dim,
        intermediate_dim=config.intermediate_dim,
        max_sequence_length=config.max_length,
        num_segments=config.num_segments,
    )
    randomise(backbone, seed=1)
    places = {
        "token_embedding": "embeddings/token",
        "position_embedding": "embeddings/position",
        "segment_embedding": "embeddings/segment",
        "embeddings_layer_norm": "embeddings/norm",
        "pooled_dense": "pooler",
    }
    for i in range(config.num_layers):
        theirs, ours = f"transformer_layer_{i}", f"block_{i}"
        places |= {
            f"{theirs}/self_attention_layer/query": f"{ours}/attention/query",
            f"{theirs}/self_attention_layer/key": f"{ours}/attention/key",
            f"{theirs}/self_attention_layer/value": f"{ours}/attention/value",
            f"{theirs}/self_attention_layer/attention_output": f"{ours}/attention/join",
            f"{theirs}/self_attention_layer_norm": f"{ours}/attention_norm",
            f"{theirs}/feedforward_intermediate_dense": f"{ours}/expand",
            f"{theirs}/feedforward_output_dense": f"{ours}/shrink",
            f"{theirs}/feedforward_layer_norm": f"{ours}/output_norm",
        }
    return backbone, places


def transplant(backbone, places, encoder):
    """Every weight of keras_hub's into its place in ours; none may be left on either side."""
    variables = {v.path: v for v in encoder.trainable_variables}
    for theirs in backbone.trainable_variables:
        place, leaf = theirs.path.rsplit("/", 1)
        ours = variables.pop(f"{places[place]}/{leaf}")
        ours.assign(to_numpy(theirs).reshape(ours.shape))  # they keep heads on an axis of their own
    assert variables == {}


@pytest.mark.parametrize(
    ("config", "lengths"),
    [
        (small(activation="gelu_tanh"), [12, 3]),
        (small(activation="gelu_tanh", num_layers=1, hidden_dim=24, num_heads=3), [2, 9, 1]),
    ],
)
def test_the_encoder_equals_that_of_keras_hub_with_its_weights(config, lengths):
    backbone, places = keras_hub_twin(config)
    encoder = build_encoder(config)
    transplant(backbone, places, encoder)
    batch = random_batch(config, lengths)
    expected = outputs_of(backbone, batch)
    assert largest_difference(outputs_of(encoder, batch), expected) < 1e-5
    # Negative control: one number of one weight.
    bias = encoder.get_layer("block_0").attention.value.bias
    bias.assign(to_numpy(bias) + 0.1 * np.eye(config.hidden_dim)[0])
    assert largest_difference(outputs_of(encoder, batch), expected) > 1e-4


# ----------------------------------------------------------------------------- padding and order


def test_appended_padding_changes_nothing_at_real_tokens(encoder):
    long = random_batch(SMALL, [7, 7])
    short = {name: array[:, :7] for name, array in long.items()}
    # Not to the last bit: a sum with zeros in it is rounded in another order.
    assert largest_difference(outputs_of(encoder, long), outputs_of(encoder, short)) < 5e-6
    # Negative control: with the mask inverted, the padding is all that is seen.
    inverted = answers(encoder, long | {"padding_mask": ~long["padding_mask"]})["sequence_output"]
    assert largest_difference(inverted[:, :7], answers(encoder, short)["sequence_output"]) > 0.1


def test_what_stands_at_padding_changes_nothing_at_real_tokens(encoder):
    batch = random_batch(SMALL, [7, 4])
    expected = outputs_of(encoder, batch)
    for name in ("token_ids", "segment_ids"):
        batch[name] = np.where(batch["padding_mask"], batch[name], 0)
    np.testing.assert_allclose(outputs_of(encoder, batch), expected, atol=1e-6)


def test_a_row_of_padding_is_finite_and_disturbs_no_other(encoder):
    batch = random_batch(SMALL)
    expected = answers(encoder, batch)["sequence_output"]
    batch["padding_mask"][1] = False
    outputs = answers(encoder, batch)
    assert np.isfinite(outputs["sequence_output"]).all()
    np.testing.assert_allclose(outputs["sequence_output"][0], expected[0], atol=1e-6)


def test_a_padding_mask_may_be_of_ones_and_zeros(encoder):
    batch = random_batch(SMALL)
    expected = outputs_of(encoder, batch)
    as_numbers = answers(encoder, batch | {"padding_mask": batch["padding_mask"].astype("int32")})
    given = as_numbers["sequence_output"][batch["padding_mask"]]
    np.testing.assert_array_equal(given, expected[:-2])


def test_with_positions_the_encoder_knows_the_order():
    encoder = random_encoder()
    batch = random_batch(SMALL, [12, 12])
    shuffled = np.random.default_rng(0).permutation(12)
    moved = {name: batch[name][:, shuffled] for name in encoder.input}

    def difference():
        given = answers(encoder, moved)["sequence_output"]
        return largest_difference(given, answers(encoder, batch)["sequence_output"][:, shuffled])

    assert difference() > 0.1
    # Negative control: a position table of zeros makes a bag of words.
    encoder.get_layer("embeddings").position.set_weights([np.zeros((12, 8))])
    assert difference() < 1e-5


def test_the_pooled_output_is_of_the_first_token(encoder):
    batch = random_batch(SMALL)
    outputs = answers(encoder, batch)
    kernel, bias = (to_numpy(w) for w in encoder.get_layer("pooler").weights)
    expected = np.tanh(outputs["sequence_output"][:, 0] @ kernel + bias)
    np.testing.assert_allclose(outputs["pooled_output"], expected, atol=1e-6)


# -------------------------------------------------------------------------------- seeds, dropout

# build_encoder(SMALL, rng=7), computed once with Keras 3.15 on TensorFlow and numpy 2.4. Weights
# are drawn by numpy, so they agree to the last bit.
SEED_7_WEIGHTS = {
    "embeddings/token/embeddings": [0.03341379, 0.02998688, 0.007782047, 0.008944063],
    "block_1/attention/key/kernel": [0.00022096116, -7.760848e-06, -0.021143537, 0.0007434635],
    "pooler/kernel": [-0.010817311, 0.03357202, -0.0015252046, 0.012024704],
}
SEED_7_POOLED = [[-0.0400624, 0.1018059, -0.0034102], [-0.0090677, 0.0923282, 0.0333564]]


def test_one_seed_gives_one_model_on_every_backend():
    encoder = build_encoder(SMALL, rng=7)
    weights = weights_of(encoder)
    for path, expected in SEED_7_WEIGHTS.items():
        np.testing.assert_array_equal(weights[path][0, :4], np.float32(expected), err_msg=path)
    pooled = answers(encoder, random_batch(SMALL))["pooled_output"]
    np.testing.assert_allclose(pooled[:, :3], SEED_7_POOLED, atol=1e-6)


def test_weights_depend_on_the_seed_alone():
    expected = weights_of(build_encoder(SMALL, rng=7))
    keras.utils.set_random_seed(1)
    build_encoder(small(num_layers=1))
    for rng in (7, np.random.default_rng(7)):
        again = weights_of(build_encoder(SMALL, rng=rng))
        assert again.keys() == expected.keys()
        assert all((again[path] == expected[path]).all() for path in expected)
    other = weights_of(build_encoder(SMALL, rng=8))
    drawn = [path for path in expected if path.endswith(("embeddings", "kernel"))]
    assert all((other[path] != expected[path]).any() for path in drawn)


def test_no_two_matrices_are_drawn_alike():
    weights = weights_of(build_encoder(small(max_length=30, num_segments=30)))
    drawn = [weight[0, :8] for path, weight in weights.items() if weight.ndim > 1]
    assert len({row.tobytes() for row in drawn}) == len(drawn) == 3 + 2 * 6 + 1


def test_weights_are_drawn_as_bert_draws_them():
    weights = weights_of(build_encoder(small(vocab_size=5000, hidden_dim=16)))
    table = weights.pop("embeddings/token/embeddings")
    assert np.abs(table).max() <= 0.04  # twice 0.02, and nothing beyond
    assert np.abs(table).max() > 0.0399
    # Cut at two standard deviations, a normal distribution keeps 0.8796 of one.
    assert table.std() == pytest.approx(0.02 * 0.8796, rel=0.01)
    assert abs(table.mean()) < 3e-4
    for path, weight in weights.items():
        if path.endswith(("bias", "beta")):
            assert (weight == 0).all(), path
        elif path.endswith("gamma"):
            assert (weight == 1).all(), path


def test_dropout_is_on_only_in_training():
    encoder = random_encoder(small(dropout=0.5))
    batch = random_batch(SMALL)
    still = outputs_of(encoder, batch)
    first, second = (answers(encoder, batch, training=True)["pooled_output"] for _ in range(2))
    assert largest_difference(first, second) > 1e-3
    np.testing.assert_array_equal(outputs_of(encoder, batch), still)


def dropout_layers(encoder):
    """(what it falls on, layer) for every dropout layer."""
    yield "embeddings", encoder.get_layer("embeddings").dropout
    for i in range(SMALL.num_layers):
        block = encoder.get_layer(f"block_{i}")
        yield "attention weights", block.attention.dropout
        yield "attention", block.attention_dropout
        yield "feed-forward part", block.output_dropout


@pytest.mark.parametrize(
    "what", ["embeddings", "attention weights", "attention", "feed-forward part"]
)
def test_dropout_falls_on_all_that_google_drops(what):
    encoder = random_encoder(small(dropout=0.5))
    batch = random_batch(SMALL)
    still = answers(encoder, batch)["sequence_output"]
    layers = list(dropout_layers(encoder))
    for _, layer in layers:
        layer.rate = 0
    np.testing.assert_array_equal(answers(encoder, batch, training=True)["sequence_output"], still)
    for name, layer in layers:
        layer.rate = 0.5 if name == what else 0
    moved = answers(encoder, batch, training=True)["sequence_output"]
    assert largest_difference(moved, still) > 1e-3


# ------------------------------------------------------------------------------------- precision


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 1e-2), ("mixed_bfloat16", 1e-1)]
)
def test_mixed_precision_is_near_and_finite(policy, tolerance, dtype_policy):
    needs_half_precision(policy)
    batch = random_batch(SMALL)
    batch["padding_mask"][1] = False
    expected = answers(random_encoder(scale=0.2), batch)["sequence_output"]
    dtype_policy(policy)
    given = answers(random_encoder(scale=0.2), batch)["sequence_output"].astype("float32")
    assert np.isfinite(given).all()
    assert 0 < largest_difference(given[0], expected[0]) < tolerance
