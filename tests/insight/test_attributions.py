import keras
import numpy as np
import pytest
from keras import ops

from bert_course.insight.attributions import (
    attention_rollout,
    gradient,
    integrated_gradients,
)
from bert_course.insight.batches import batch_of
from bert_course.insight.inside import attention_maps

TEXT = "the old cat [MASK] a bird ."


def log_probability(bert, text, position, word):
    batch = batch_of(bert, [text]) | {"masked_positions": np.array([[position]])}
    logits = bert.pretraining_model(batch)["masked_words"]
    logits = keras.ops.convert_to_numpy(logits)[0, 0].astype("float64")
    return logits[bert.tokenizer.vocabulary.ids[word]] - np.log(np.exp(logits).sum())


def test_the_gradient_is_that_of_a_known_function():
    x = np.array([[1.0, -2.0], [0.5, 3.0]], "float32")
    slope = gradient(lambda tensor: ops.sum(tensor**3 + ops.sin(tensor)), x)
    np.testing.assert_allclose(slope, 3 * x**2 + np.cos(x), rtol=1e-5)


def test_a_gradient_leaves_nothing_in_the_weights(bert):
    integrated_gradients(bert, TEXT, steps=2)
    for variable in bert.pretraining_model.trainable_variables:
        assert getattr(variable.value, "grad", None) is None


@pytest.mark.parametrize("word", ["sees", "dog", "##s"])
def test_the_scores_add_up_to_what_the_text_adds(bert, word):
    found = integrated_gradients(bert, TEXT, word, steps=200)
    gained = found.log_probability - found.from_nothing
    assert found.scores.sum() == pytest.approx(gained, abs=0.01 * abs(gained))
    assert abs(gained) > 0.1
    few = integrated_gradients(bert, TEXT, word, steps=1)  # negative control: one step is too few
    assert abs(few.scores.sum() - gained) > 0.05 * abs(gained)


def test_the_two_ends_are_forward_passes(bert):
    found = integrated_gradients(bert, TEXT, "sees", steps=1)
    assert found.log_probability == pytest.approx(log_probability(bert, TEXT, 4, "sees"), abs=1e-4)
    nothing = "[MASK] " * 7
    expected = log_probability(bert, nothing, 4, "sees")
    assert found.from_nothing == pytest.approx(expected, abs=1e-4)
    assert abs(found.from_nothing - found.log_probability) > 1e-2


def test_what_is_the_same_in_the_baseline_is_owed_nothing(bert):
    found = integrated_gradients(bert, ("the cat .", "it [MASK] a bird"), steps=8)
    assert found.tokens == "[CLS] the cat . [SEP] [UNK] [MASK] a bird [SEP]".split()
    same = np.array([token in ("[CLS]", "[SEP]", "[MASK]") for token in found.tokens])
    assert (found.scores[same] == 0).all()
    assert (found.scores[~same] != 0).all()


def test_the_likeliest_word_is_explained_if_none_is_named(bert):
    found = integrated_gradients(bert, TEXT, steps=1)
    words = bert.vocabulary
    assert found.word == max(words, key=lambda word: log_probability(bert, TEXT, 4, word))


@pytest.mark.parametrize(("text", "blanks"), [("a cat", 0), ("[MASK] [MASK]", 2)])
def test_one_blank_is_explained(bert, text, blanks):
    with pytest.raises(ValueError, match=rf"exactly one \[MASK\].*Received: {blanks}"):
        integrated_gradients(bert, text)


def test_a_word_of_several_pieces_is_refused(bert):
    with pytest.raises(ValueError, match=r"one piece of the vocabulary.*Received: 'walkers'"):
        integrated_gradients(bert, TEXT, "walkers")


def test_rollout_of_one_layer_and_of_two_by_hand():
    first = np.array([[1.0, 0.0], [0.5, 0.5]])[None, None]  # (B, A, S, S)
    second = np.stack([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])[None]  # two heads
    alone = [[1.0, 0.0], [0.25, 0.75]]
    np.testing.assert_allclose(attention_rollout(first[None])[0], alone)
    both = np.stack([np.repeat(first, 2, axis=1), second])
    # Heads of the second on average [[.5, .5], [0, 1]], with the identity [[.75, .25], [0, 1]].
    np.testing.assert_allclose(
        attention_rollout(both)[0], np.array([[0.75, 0.25], [0.0, 1.0]]) @ alone
    )
    backwards = attention_rollout(both[::-1])[0]  # negative control: the order of layers counts
    assert np.abs(backwards - attention_rollout(both)[0]).max() > 0.01


def test_rollout_of_a_model_sums_to_1_and_takes_nothing_from_padding(bert):
    batch = batch_of(bert, ["a cat", "the old dog sees a bird ."])
    rollout = attention_rollout(attention_maps(bert.encoder, batch))
    assert rollout.shape == (2, 9, 9)
    np.testing.assert_allclose(rollout.sum(axis=-1), 1, atol=1e-5)
    assert (rollout[0, :4, 4:] == 0).all()
    assert (rollout[0, :4, :4] > 0).all()
