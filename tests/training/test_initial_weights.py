"""What training begins with: matrices scaled, positions as waves."""

import keras
import numpy as np
import pytest

from bert_course.model.config import BertConfig
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import build_pretraining_model
from bert_course.training.initial_weights import attentions, begin_with, wave_positions

CONFIG = BertConfig(50, 1, 32, 2, 64, max_length=40)


@pytest.fixture
def model():
    return build_pretraining_model(build_encoder(CONFIG), CONFIG)


def values(model):
    return {v.path: keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables}


def test_matrices_are_scaled_and_nothing_else(model):
    before = values(model)
    begin_with(model, 0.05)
    for path, after in values(model).items():
        factor = 2.5 if before[path].ndim == 2 else 1
        np.testing.assert_allclose(after, factor * before[path], rtol=1e-6)


def test_the_papers_deviation_changes_nothing(model):
    before = values(model)
    begin_with(model, 0.02)
    for path, after in values(model).items():
        np.testing.assert_array_equal(after, before[path])


def test_positions_may_begin_as_waves(model):
    begin_with(model, 0.02, waves=True)
    table = model.get_layer("encoder").get_layer("embeddings").position.embeddings
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(table), wave_positions(40, 32))


def test_upper_blocks_may_begin_by_looking_for_what_is_alike():
    """Vectors of two sorts: each attends to its own sort, and comes out nearer to it."""
    config = BertConfig(50, 2, 32, 2, 64, max_length=40, dropout=0.0)
    model = build_pretraining_model(build_encoder(config), config)
    begin_with(model, 0.02, alike=True)
    rng = np.random.default_rng(0)
    sorts = rng.standard_normal((2, 32))
    hidden = (sorts[[0, 1] * 6] + 0.5 * rng.standard_normal((12, 32)))[None].astype("float32")
    same = np.equal.outer([0, 1] * 6, [0, 1] * 6) & ~np.eye(12, dtype=bool)
    other = np.not_equal.outer([0, 1] * 6, [0, 1] * 6)
    ratios = []
    for attention in attentions(model):
        weights = keras.ops.convert_to_numpy(attention.attention_weights(hidden))[0]
        ratios.append(weights[:, same].mean() / weights[:, other].mean())
    assert ratios[0] < 1.5 < 5 < ratios[1]  # the lower half begins as ever
    attended = keras.ops.convert_to_numpy(attentions(model)[1](hidden))[0]
    assert (attended[0] @ sorts[0]) > 2 * abs(attended[0] @ sorts[1])


def test_waves_by_hand():
    waves = wave_positions(6, 4, height=2.0)
    for place in range(6):
        slow = place / 10_000**0.5
        by_hand = [np.sin(place), np.cos(place), np.sin(slow), np.cos(slow)]
        np.testing.assert_allclose(waves[place], 2 * np.array(by_hand), rtol=1e-5)


def test_near_positions_are_alike_however_far_they_stand():
    waves = wave_positions(300, 128)
    likeness = waves @ waves.T
    assert likeness[250, 251] > likeness[250, 255] > likeness[250, 290]
    np.testing.assert_allclose(likeness[5, 8], likeness[205, 208], rtol=1e-4)
