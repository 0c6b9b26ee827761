import math

import keras
import numpy as np
import pytest
from small_berts import (
    SMALL,
    largest_difference,
    needs_half_precision,
    randomise,
    small,
    to_numpy,
)

from bert_course.model.attention import SelfAttention, attention, attention_weights


def in_plain_python(query, key, value, real):
    """softmax(QKᵀ/√D)V for one head of one sequence: the weights, and what they make of V."""
    all_weights, means = [], []
    for q in query:
        powers = []
        for k, is_real in zip(key, real, strict=True):
            score = sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(len(q))
            powers.append(math.exp(score) if is_real else 0.0)
        weights = [power / sum(powers) for power in powers]
        all_weights.append(weights)
        columns = zip(*value, strict=True)
        means.append([sum(w * v for w, v in zip(weights, c, strict=True)) for c in columns])
    return all_weights, means


def random_heads(*shape, seed=0, scale=1.0):
    """Query, key and value of this shape."""
    rng = np.random.default_rng(seed)
    return [scale * rng.standard_normal(shape).astype("float32") for _ in range(3)]


def self_attention(config=SMALL, seed=0):
    layer = SelfAttention(config, np.random.default_rng(0))
    layer(np.zeros((1, 2, config.hidden_dim), "float32"))
    randomise(layer, seed)
    return layer


def random_hidden(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


# The first token's query is twice as near to its own key as to the second token's; with √D = √4
# the scores are 2 and 1, the third token is padding: e² : e¹ = 0.7311 : 0.2689.
def test_a_worked_example():
    query = [[2.0, 2.0, 0.0, 0.0]] * 3
    key = [[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [9.0, 9.0, 9.0, 9.0]]
    value = [[1.0, 0.0, 0.0, 5.0], [0.0, 1.0, 0.0, 5.0], [7.0, 7.0, 7.0, 7.0]]
    heads = [np.array([[rows]], "float32") for rows in (query, key, value)]
    mean = to_numpy(attention(*heads, padding_mask=np.array([[True, True, False]])))
    np.testing.assert_allclose(mean[0, 0, 0], [0.7311, 0.2689, 0, 5], atol=1e-4)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # of one position, yes
@pytest.mark.parametrize(("length", "head_dim"), [(1, 1), (4, 2), (7, 16)])
def test_attention_is_the_formula_in_loops(length, head_dim):
    query, key, value = random_heads(2, 3, length, head_dim)
    padding_mask = np.arange(length) < [[length], [max(1, length - 2)]]
    weights = to_numpy(attention_weights(query, key, padding_mask))
    means = to_numpy(attention(query, key, value, padding_mask))
    for b, h in np.ndindex(2, 3):
        expected = in_plain_python(query[b, h], key[b, h], value[b, h], padding_mask[b])
        np.testing.assert_allclose(weights[b, h], expected[0], atol=1e-6)
        np.testing.assert_allclose(means[b, h], expected[1], atol=1e-5)


def test_attention_equals_that_of_keras():
    query, key, value = random_heads(2, 3, 5, 4)
    padding_mask = np.array([[True] * 5, [True, True, False, True, False]])
    theirs = keras.ops.dot_product_attention(
        *(np.swapaxes(x, 1, 2) for x in (query, key, value)),  # (B, S, A, D)
        mask=padding_mask[:, None, None, :],
    )
    ours = attention(query, key, value, padding_mask)
    assert largest_difference(to_numpy(ours), to_numpy(theirs).swapaxes(1, 2)) < 1e-6


def keras_twin(layer, config):
    """keras.layers.MultiHeadAttention with this layer's weights."""
    width, heads, head_dim = config.hidden_dim, config.num_heads, config.head_dim
    twin = keras.layers.MultiHeadAttention(heads, head_dim)
    twin.build((None, None, width), (None, None, width))
    for name in ("query", "key", "value"):
        kernel, bias = (to_numpy(w) for w in getattr(layer, name).weights)
        projection = getattr(twin, f"{name}_dense")
        projection.set_weights(
            [kernel.reshape(width, heads, head_dim), bias.reshape(heads, head_dim)]
        )
    kernel, bias = (to_numpy(w) for w in layer.join.weights)
    twin.output_dense.set_weights([kernel.reshape(heads, head_dim, width), bias])
    return twin


def test_a_layer_equals_that_of_keras_with_its_weights():
    layer = self_attention()
    twin = keras_twin(layer, SMALL)
    hidden = random_hidden(2, 5, 8)
    padding_mask = np.array([[True] * 5, [True, True, True, False, False]])
    ours = to_numpy(layer(hidden, padding_mask))
    theirs = to_numpy(twin(hidden, hidden, attention_mask=padding_mask[:, None, :]))
    assert largest_difference(ours, theirs) < 1e-5
    layer.key.bias.assign(to_numpy(layer.key.bias) + 0.1)  # the same for all keys: softmax blind
    assert largest_difference(to_numpy(layer(hidden, padding_mask)), theirs) < 1e-5
    layer.key.kernel.assign(to_numpy(layer.key.kernel) * 1.1)
    assert largest_difference(to_numpy(layer(hidden, padding_mask)), theirs) > 1e-3


def test_weights_sum_to_1():
    query, key, _ = random_heads(2, 3, 6, 4, scale=3)
    padding_mask = np.arange(6) < [[6], [2]]
    for given in (None, padding_mask):
        weights = to_numpy(attention_weights(query, key, given))
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
        assert (weights >= 0).all()


def test_padding_receives_no_weight_at_all():
    query, key, _ = random_heads(2, 3, 6, 4, scale=10)
    padding_mask = np.array([[True, False, True, False, True, False], [False] * 5 + [True]])
    weights = to_numpy(attention_weights(query, key, padding_mask))
    at_padding = np.broadcast_to(~padding_mask[:, None, None, :], weights.shape)
    assert (weights[at_padding] == 0).all()
    assert (weights[1, :, :, 5] == 1).all()
    assert (to_numpy(attention_weights(query, key)) > 0).sum() > (weights > 0).sum()


def test_what_stands_at_padding_changes_nothing():
    query, key, value = random_heads(1, 2, 6, 4)
    padding_mask = np.arange(6) < [[4]]
    before = to_numpy(attention(query, key, value, padding_mask))
    inverted = to_numpy(attention(query, key, value, ~padding_mask))
    key[:, :, 4:], value[:, :, 4:] = 100, -100
    np.testing.assert_array_equal(to_numpy(attention(query, key, value, padding_mask)), before)
    assert largest_difference(to_numpy(attention(query, key, value, ~padding_mask)), inverted) > 1


def test_a_sequence_of_padding_alone_is_weighed_evenly():
    query, key, _ = random_heads(2, 3, 5, 4)
    weights = to_numpy(attention_weights(query, key, np.array([[False] * 5, [True] * 5])))
    np.testing.assert_allclose(weights[0], 1 / 5, atol=1e-7)
    assert weights[1].std() > 0.05


@pytest.mark.parametrize("dtype", ["bool", "int32", "uint8", "float32"])
def test_a_padding_mask_may_be_of_ones_and_zeros(dtype):
    query, key, value = random_heads(2, 3, 6, 4)
    padding_mask = np.arange(6) < [[6], [2]]
    expected = to_numpy(attention(query, key, value, padding_mask))
    given = to_numpy(attention(query, key, value, padding_mask.astype(dtype)))
    np.testing.assert_array_equal(given, expected)


def test_without_positions_attention_knows_no_order():
    layer = self_attention()
    hidden = random_hidden(1, 6, 8)
    shuffled = [3, 1, 5, 0, 2, 4]
    together = to_numpy(layer(hidden[:, shuffled]))
    assert largest_difference(together, to_numpy(layer(hidden))[:, shuffled]) < 1e-6
    assert largest_difference(together, to_numpy(layer(hidden))) > 1e-2


def test_each_head_sees_its_own_slice_only():
    layer = self_attention()
    hidden = random_hidden(1, 5, 8)
    before = to_numpy(layer.attention_weights(hidden))
    kernel = np.array(to_numpy(layer.query.kernel))
    kernel[:, 4:] += 1  # the second of two heads
    layer.query.kernel.assign(kernel)
    after = to_numpy(layer.attention_weights(hidden))
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-6)
    assert largest_difference(after[:, 1], before[:, 1]) > 1e-2


def test_dropout_falls_on_the_weights():
    query, key, value = random_heads(1, 2, 4, 4)
    halved = to_numpy(attention(query, key, value, dropout=lambda weights: weights / 2))
    np.testing.assert_allclose(halved, to_numpy(attention(query, key, value)) / 2, atol=1e-6)


@pytest.mark.parametrize("head_dim", [4, 64, 256])
def test_the_root_keeps_scores_at_the_same_spread(head_dim):
    query, key, _ = random_heads(1, 4, 64, head_dim)

    def spread_of_scores(query):  # log softmax is the score less a number for the whole row
        scores = np.log(to_numpy(attention_weights(query, key)).astype("float64"))
        return (scores - scores.mean(-1, keepdims=True)).var()

    assert spread_of_scores(query) == pytest.approx(1, rel=0.25)
    # Negative control: with √D undone the variance is D (as far as float32's logarithm reaches).
    if head_dim <= 64:
        undone = spread_of_scores(query * math.sqrt(head_dim))
        assert undone == pytest.approx(head_dim, rel=0.25)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_half_precision_is_near(dtype, tolerance):
    needs_half_precision(dtype)
    heads = random_heads(2, 3, 6, 4)
    padding_mask = np.arange(6) < [[6], [2]]
    expected = to_numpy(attention(*heads, padding_mask))
    halves = [keras.ops.convert_to_tensor(x, dtype) for x in heads]
    given = attention(*halves, padding_mask)
    assert keras.backend.standardize_dtype(given.dtype) == dtype
    difference = largest_difference(to_numpy(keras.ops.cast(given, "float32")), expected)
    assert 0 < difference < tolerance


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")  # JAX makes float64 float32
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("sign", [1, -1])
def test_large_scores_stay_finite(dtype, sign):
    needs_half_precision(dtype)
    large = np.full((2, 1, 4, 64), 40, "float32")  # scores of 40² · √64 = 12,800
    query, key = (keras.ops.convert_to_tensor(x, dtype) for x in (large, sign * large))
    padding_mask = np.array([[True, True, False, False], [False] * 4])
    weights = attention_weights(query, key, padding_mask)
    weights = to_numpy(keras.ops.cast(weights, "float32"))
    np.testing.assert_array_equal(weights[0], np.tile([0.5, 0.5, 0, 0], (1, 4, 1)))
    np.testing.assert_array_equal(weights[1], np.full((1, 4, 4), 0.25))  # nothing but padding


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 1e-2), ("mixed_bfloat16", 1e-1)]
)
def test_a_layer_of_mixed_precision_is_near(policy, tolerance, dtype_policy):
    needs_half_precision(policy)
    hidden = random_hidden(3, 5, 8)
    padding_mask = np.arange(5) < [[5], [2], [0]]
    expected = to_numpy(self_attention()(hidden, padding_mask))
    dtype_policy(policy)
    given = to_numpy(keras.ops.cast(self_attention()(hidden, padding_mask), "float32"))
    assert 0 < largest_difference(given, expected) < tolerance


def test_heads_may_be_one_or_as_many_as_the_width():
    hidden = random_hidden(1, 3, 8)
    for heads in (1, 8):
        layer = self_attention(small(num_heads=heads))
        assert layer.attention_weights(hidden).shape == (1, heads, 3, 3)
        assert layer(hidden).shape == (1, 3, 8)
