import keras
import numpy as np
import pytest

from bert_course.insight.inside import attention_maps, encoder_blocks, hidden_states
from bert_course.model.config import BertConfig
from bert_course.model.encoder import build_encoder

CONFIG = BertConfig(
    vocab_size=30, num_layers=3, hidden_dim=8, num_heads=2, intermediate_dim=16, max_length=12
)
to_numpy = keras.ops.convert_to_numpy


@pytest.fixture(scope="module")
def encoder():
    """Large random weights, so that attention is not nearly even."""
    encoder = build_encoder(CONFIG)
    rng = np.random.default_rng(0)
    for variable in encoder.trainable_variables:
        variable.assign(rng.standard_normal(variable.shape))
    return encoder


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    return {
        "token_ids": rng.integers(30, size=(2, 7), dtype="int32"),
        "segment_ids": rng.integers(2, size=(2, 7), dtype="int32"),
        "padding_mask": np.arange(7) < [[7], [4]],
        "next_sentence_labels": np.array([0, 1]),  # what the encoder does not want is no matter
    }


def run(layer, *inputs):
    return to_numpy(layer(*inputs))


def test_the_blocks_are_all_and_in_order(encoder):
    assert [block.name for block in encoder_blocks(encoder)] == ["block_0", "block_1", "block_2"]


def test_ten_blocks_and_more_stay_in_order():
    config = BertConfig(
        vocab_size=5, num_layers=11, hidden_dim=2, num_heads=1, intermediate_dim=2, max_length=3
    )
    names = [block.name for block in encoder_blocks(build_encoder(config))]
    assert names == [f"block_{i}" for i in range(11)]


def test_the_last_hidden_state_is_the_output(encoder, batch):
    states = hidden_states(encoder, batch)
    assert states.shape == (4, 2, 7, 8)
    inputs = {name: batch[name] for name in encoder.input}
    np.testing.assert_array_equal(states[-1], to_numpy(encoder(inputs)["sequence_output"]))


def test_each_hidden_state_is_what_a_block_makes_of_the_one_before(encoder, batch):
    states = hidden_states(encoder, batch)
    embedded = run(encoder.get_layer("embeddings"), batch["token_ids"], batch["segment_ids"])
    np.testing.assert_array_equal(states[0], embedded)
    for i, block in enumerate(encoder_blocks(encoder)):
        given = run(block, states[i], batch["padding_mask"])
        np.testing.assert_allclose(states[i + 1], given, atol=1e-6)


def test_the_rows_of_attention_maps_sum_to_1_with_none_on_padding(encoder, batch):
    maps = attention_maps(encoder, batch)
    assert maps.shape == (3, 2, 2, 7, 7)
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-6)
    assert (maps[:, 1, :, :, 4:] == 0).all()
    assert (maps[:, 1, :, :, :4] > 0).any(-1).all()
    assert maps[:, 0].std() > 0.1  # not merely even


def test_the_maps_are_what_the_forward_pass_weighs_with(encoder, batch):
    """A block with the map in the place of its attention answers the same."""
    states, maps = hidden_states(encoder, batch), attention_maps(encoder, batch)

    def finish(block, state, weights):
        value = to_numpy(block.attention.value(state)).reshape(2, 7, 2, 4)  # (B, S, A, D)
        context = np.zeros((2, 7, 2, 4), "float32")
        for b, a, i, j in np.ndindex(2, 2, 7, 7):
            context[b, i, a] += weights[b, a, i, j] * value[b, j, a]
        attended = run(block.attention.join, context.reshape(2, 7, 8))
        hidden = run(block.attention_norm, state + attended)
        transformed = run(block.shrink, block.expand(hidden))
        return run(block.output_norm, hidden + transformed)

    for i, block in enumerate(encoder_blocks(encoder)):
        np.testing.assert_allclose(finish(block, states[i], maps[i]), states[i + 1], atol=1e-4)
        swapped = finish(block, states[i], maps[i][:, ::-1])  # negative control: heads exchanged
        assert np.abs(swapped - states[i + 1]).max() > 1e-2
