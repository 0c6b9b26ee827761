import keras
import numpy as np
import pytest

from bert_course.insight import batches
from bert_course.insight.scores import (
    minimal_pair_scores,
    piece_log_probabilities,
    pseudo_log_likelihood,
)


def one_by_one(bert, sentence, context="", rest_of_word=True, only=None):
    """The same score as its definition has it: no batch, no padding, one forward pass a piece."""
    vocabulary = bert.tokenizer.vocabulary
    before = bert.tokenizer.ids(context)
    pieces = bert.tokenizer.ids(sentence)
    first = [vocabulary.cls, *before, vocabulary.sep] if before else [vocabulary.cls]
    total = 0.0
    for place, piece in enumerate(pieces):
        if only is not None and place not in only:
            continue
        seen = list(pieces)
        seen[place] = vocabulary.mask
        for later in range(place + 1, len(pieces)):
            if not rest_of_word or not vocabulary.pieces[pieces[later]].startswith("##"):
                break
            seen[later] = vocabulary.mask
        ids = np.array([[*first, *seen, vocabulary.sep]])
        inputs = {
            "token_ids": ids,
            "segment_ids": (np.arange(ids.shape[1]) >= len(first))[None] * bool(before),
            "padding_mask": np.ones(ids.shape, bool),
            "masked_positions": np.array([[len(first) + place]]),
        }
        logits = bert.pretraining_model(inputs)["masked_words"]
        logits = keras.ops.convert_to_numpy(logits)[0, 0].astype("float64")
        total += logits[piece] - np.log(np.exp(logits).sum())
    return total


@pytest.mark.parametrize("rest_of_word", [True, False])
def test_the_score_is_the_sum_over_pieces_hidden_one_at_a_time(
    bert, sentences, rest_of_word, monkeypatch
):
    monkeypatch.setattr(batches, "ROOM", 200)
    sentences = ["the walkers play", "a cat", "cats", *sorted(sentences, key=len)[7:9]]
    contexts = ["", "the cat sleeps .", "walkers", "", "a dog"]
    scores = pseudo_log_likelihood(bert, sentences, contexts, rest_of_word)
    naive = [
        one_by_one(bert, sentence, context, rest_of_word)
        for sentence, context in zip(sentences, contexts, strict=True)
    ]
    np.testing.assert_allclose(scores, naive, atol=1e-4)
    swapped = pseudo_log_likelihood(bert, sentences, contexts[::-1], rest_of_word)
    assert np.abs(swapped - naive).max() > 1e-2  # negative control: contexts matter


@pytest.mark.parametrize("rest_of_word", [True, False])
def test_each_piece_has_the_number_of_its_own_place(bert, rest_of_word, monkeypatch):
    monkeypatch.setattr(batches, "ROOM", 40)
    sentences = ["the walkers play", "a cat", "the cat sees a bird .", "walkers"]
    contexts = ["", "the cat sleeps .", "a dog", "walkers"]
    found = piece_log_probabilities(bert, sentences, contexts, rest_of_word)
    assert [len(each) for each in found] == [len(bert.tokenizer.ids(s)) for s in sentences]
    for logs, sentence, context in zip(found, sentences, contexts, strict=True):
        naive = [one_by_one(bert, sentence, context, rest_of_word, [p]) for p in range(len(logs))]
        np.testing.assert_allclose(logs, naive, atol=1e-4)


def test_the_pieces_add_up_to_the_score(bert, sentences):
    sums = [each.sum() for each in piece_log_probabilities(bert, sentences)]
    np.testing.assert_array_equal(sums, pseudo_log_likelihood(bert, sentences))


def test_only_words_of_several_pieces_have_two_scores(bert):
    sentences = ["the cat sees a bird .", "the walkers play"]
    one, other = (pseudo_log_likelihood(bert, sentences, rest_of_word=r) for r in (True, False))
    assert one[0] == pytest.approx(other[0], abs=1e-5)
    assert abs(one[1] - other[1]) > 1e-2


def test_no_context_is_the_same_as_blank_ones(bert):
    sentences = ["the cat sees", "a dog"]
    blank = pseudo_log_likelihood(bert, sentences, ["", ""])
    np.testing.assert_array_equal(pseudo_log_likelihood(bert, sentences), blank)


def test_the_share_of_pairs_is_counted_for_each_phenomenon(bert, sentences):
    scores = pseudo_log_likelihood(bert, sentences)
    order = [sentences[place] for place in np.argsort(scores)]
    worse, better = order[:15], order[15:]
    rows = [("right", "", good, bad) for good, bad in zip(better, worse, strict=True)]
    rows += [("wrong", "", good, bad) for good, bad in zip(worse[:3], better[:3], strict=True)]
    rows += [("right", "", worse[0], better[0])]
    shares = minimal_pair_scores(bert, rows)
    assert shares == {"right": 15 / 16, "wrong": 0.0}
    assert list(shares) == ["right", "wrong"]


def test_the_context_of_a_pair_counts(bert):
    """Which of two sentences is the better one may depend on what was before."""
    good, bad = "the cat sees a bird .", "the dog feeds a cat ."
    contexts = ["", "the dog", "a bird sleeps", "walk", "cats", "old", "the mat , the mat", "."]
    shares = [minimal_pair_scores(bert, [("", context, good, bad)])[""] for context in contexts]
    both = (pseudo_log_likelihood(bert, [text] * 8, contexts) for text in (good, bad))
    assert shares == list(np.greater(*both))
    assert len(set(shares)) == 2


@pytest.mark.parametrize(
    ("good", "bad", "of_good", "of_bad"),
    [
        ("the cat sees a bird .", "the dog sees a bird .", [1], [1]),
        ("the walkers play", "the walker play", [1, 2, 3], [1, 2]),
        ("the walker play", "the players play", [1, 2], [1, 2, 3]),
        ("a cat", "a cats", [1], [1, 2]),
    ],
)
def test_of_a_pair_only_the_word_that_differs_may_count(bert, good, bad, of_good, of_bad):
    contexts = ["", "the cat sleeps", "a mat", "walk", "."]
    rows = [(str(number), context, good, bad) for number, context in enumerate(contexts)]
    shares = minimal_pair_scores(bert, rows, changed_only=True)
    by_hand = [
        one_by_one(bert, good, context, only=of_good) > one_by_one(bert, bad, context, only=of_bad)
        for context in contexts
    ]
    assert list(shares.values()) == by_hand


def test_the_word_alone_and_the_whole_sentence_are_two_scores(bert, sentences):
    """The second also counts what each of the two words says of the rest."""
    rows = [(str(n), "", f"the cat {s}", f"the dog {s}") for n, s in enumerate(sentences)]
    of_words, of_all = (minimal_pair_scores(bert, rows, changed_only=c) for c in (True, False))
    assert of_words != of_all


@pytest.mark.parametrize("bad", ["A cat", "a cat cat", "cat", "a old cat"])
def test_a_pair_without_words_that_differ_at_one_place_is_refused(bert, bad):
    with pytest.raises(ValueError, match=rf"different words .*'a cat' and '{bad.lower()}'"):
        minimal_pair_scores(bert, [("", "", "a cat", bad)], changed_only=True)


def test_a_context_for_each_sentence(bert):
    with pytest.raises(ValueError, match=r"one context for each .*Received: 1 contexts, 2 sent"):
        pseudo_log_likelihood(bert, ["a cat", "a dog"], ["old"])


def test_sentences_with_nothing_to_hide_are_refused(bert):
    with pytest.raises(ValueError, match=r"must have pieces to hide.*Received: \[CLS\] \[SEP\]"):
        pseudo_log_likelihood(bert, ["a cat", " "])
