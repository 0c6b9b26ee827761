import math

import numpy as np
import pytest
from small_berts import SMALL, answers, largest_difference, random_batch, randomise, small, to_numpy

from bert_course.model.embeddings import Embeddings
from bert_course.model.encoder import build_encoder


def embeddings(config=SMALL):
    layer = Embeddings(config, np.random.default_rng(0))
    nothing = np.zeros((1, 2), "int32")
    layer(nothing, nothing)
    randomise(layer)
    layer.norm.set_weights([np.ones(config.hidden_dim), np.zeros(config.hidden_dim)])
    return layer


def test_a_worked_example():
    layer = embeddings(small(vocab_size=3, hidden_dim=2, num_heads=1, max_length=2))
    layer.token.set_weights([np.array([[0, 0], [1, 5], [0, 0]])])
    layer.position.set_weights([np.array([[10, 20], [30, 30]])])
    layer.segment.set_weights([np.array([[100, 0], [0, 300]])])
    layer.norm.set_weights([np.array([2, 2]), np.array([0.5, -0.5])])
    ids, segments = np.array([[1, 1]], "int32"), np.array([[0, 1]], "int32")
    # The sums are [111, 25] and [31, 335]; of two numbers, the norm makes ±1; γ = 2, β = ±0.5.
    expected = [[[2 + 0.5, -2 - 0.5], [-2 + 0.5, 2 - 0.5]]]
    np.testing.assert_allclose(to_numpy(layer(ids, segments)), expected, atol=1e-5)


def test_embeddings_are_the_sum_of_three_rows_normalised():
    layer = embeddings()
    batch = random_batch(SMALL)
    given = to_numpy(layer(batch["token_ids"], batch["segment_ids"]))
    token, position, segment = (
        to_numpy(table.embeddings) for table in (layer.token, layer.position, layer.segment)
    )
    for b, s in np.ndindex(2, 12):
        word, sentence = batch["token_ids"][b, s], batch["segment_ids"][b, s]
        summed = [token[word, h] + position[s, h] + segment[sentence, h] for h in range(8)]
        mean = sum(summed) / 8
        deviation = math.sqrt(sum((x - mean) ** 2 for x in summed) / 8)
        expected = [(x - mean) / deviation for x in summed]
        np.testing.assert_allclose(given[b, s], expected, atol=1e-5)


def test_what_comes_out_has_mean_0_and_variance_1():
    batch = random_batch(SMALL)
    given = to_numpy(embeddings()(batch["token_ids"], batch["segment_ids"]))
    np.testing.assert_allclose(given.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(given.var(-1), 1, atol=1e-5)


def test_the_norm_does_not_drown_small_sums():
    """A variance of 1e-6 is large beside BERT's ε = 1e-12, and small beside Keras's own 1e-3."""
    layer = embeddings()
    for table in (layer.token, layer.position, layer.segment):
        table.set_weights([1e-3 * to_numpy(table.embeddings)])
    batch = random_batch(SMALL)
    given = to_numpy(layer(batch["token_ids"], batch["segment_ids"]))
    np.testing.assert_allclose(given.var(-1), 1, atol=1e-4)


def test_a_position_is_a_place_and_not_a_token_id():
    layer = embeddings()
    one_word = np.full((1, 6), 7, "int32")
    zeros = np.zeros((1, 6), "int32")
    given = to_numpy(layer(one_word, zeros))
    assert largest_difference(given[:, 0], given[:, 1]) > 0.1  # the same word at two places
    token, position, segment = (
        to_numpy(table.embeddings) for table in (layer.token, layer.position, layer.segment)
    )

    def normalised(summed):
        return (summed - summed.mean(-1, keepdims=True)) / summed.std(-1, keepdims=True)

    by_place = normalised(token[7] + position[:6] + segment[0])
    by_token = normalised(token[7] + position[one_word[0]] + segment[0])
    assert largest_difference(given[0], by_place) < 1e-5
    assert largest_difference(given[0], by_token) > 0.1


def test_a_sequence_may_be_as_long_as_the_table_of_positions():
    batch = random_batch(SMALL)
    encoder = build_encoder(SMALL)
    assert answers(encoder, batch)["sequence_output"].shape == (2, 12, 8)


TOO_LONG = r"at most 12 tokens.*: cut it, or split it. Received: 13 tokens"


def test_a_longer_sequence_is_refused():
    batch = random_batch(SMALL, padded_to=13)
    with pytest.raises(ValueError, match=TOO_LONG):
        embeddings()(batch["token_ids"], batch["segment_ids"])


def test_the_encoder_refuses_a_longer_sequence():
    with pytest.raises(ValueError, match=TOO_LONG):
        answers(build_encoder(SMALL), random_batch(SMALL, padded_to=13))
