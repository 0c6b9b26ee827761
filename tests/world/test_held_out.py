"""The test stories as batches: the blanks of ceiling.json, and pairs of which half are true."""

import itertools

import numpy as np
import pytest

from bert_course.places import course_data
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.world.build import stories
from bert_course.world.ceiling import blanks, hide_words
from bert_course.world.held_out import (
    Levels,
    blank_sentences,
    pair_batches,
    read_levels,
    story_batches,
)

COUNT = 20


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer(course_data() / "vocab.txt")


def blanks_by_hand(tokenizer):
    """The piece of every blank of the first stories, in any order."""
    for story, rng in itertools.islice(stories("test"), COUNT):
        yield from (blank.piece for blank in blanks(*hide_words(story, rng), tokenizer)[1])


@pytest.mark.parametrize("max_length", [32, 64, 320])
def test_the_blanks_are_those_of_the_ceiling(tokenizer, max_length):
    batches = story_batches(tokenizer, max_length, COUNT)
    found = [label for b in batches for label in b["masked_labels"][b["masked_weights"] == 1]]
    assert sorted(found) == sorted(blanks_by_hand(tokenizer))
    assert max(batch["token_ids"].shape[1] for batch in batches) <= max_length


def test_a_length_without_room_for_a_sentence(tokenizer):
    with pytest.raises(ValueError, match=r"whole sentences: .* the longest .*Received: 16"):
        story_batches(tokenizer, 16, COUNT)


def test_what_is_asked_is_hidden_and_nothing_else_is(tokenizer):
    for batch in story_batches(tokenizer, 64, COUNT):
        rows, slots = np.nonzero(batch["masked_weights"])
        asked = np.zeros_like(batch["padding_mask"])
        asked[rows, batch["masked_positions"][rows, slots]] = True
        hidden = batch["token_ids"] == tokenizer.vocabulary.mask
        np.testing.assert_array_equal(asked, hidden)
        assert not batch["next_sentence_weights"].any()


def test_a_story_is_a_pair_with_its_words_in_order(tokenizer):
    story, _ = next(stories("test"))
    ids = [i for sentence in story.sentences for word in sentence for i in tokenizer.ids(word.text)]
    (batch,) = story_batches(tokenizer, 320, 1)
    row = batch["token_ids"][0].copy()
    row[batch["masked_positions"][0]] = batch["masked_labels"][0]
    special = tokenizer.vocabulary
    inside = [i for i in row[batch["padding_mask"][0]] if i not in (special.cls, special.sep)]
    assert inside == ids
    segments = batch["segment_ids"][0][batch["padding_mask"][0]]
    ends = np.flatnonzero(row[batch["padding_mask"][0]] == special.sep)
    assert len(ends) == 2
    np.testing.assert_array_equal(segments, np.arange(len(segments)) > ends[0])
    assert abs(ends[0] - len(ids) / 2) < 30  # near the middle


def test_pairs_are_half_true_and_nothing_in_them_is_hidden(tokenizer):
    batches = pair_batches(tokenizer, 64, count=256)
    labels = np.concatenate([batch["next_sentence_labels"] for batch in batches])
    assert len(labels) == 256
    assert 0.4 < labels.mean() < 0.6
    for batch in batches:
        assert not batch["masked_weights"].any()
        assert not (batch["token_ids"] == tokenizer.vocabulary.mask).any()


def test_as_many_pairs_as_asked_for(tokenizer):
    """Of one cutting, or of several with other pairs."""
    once = pair_batches(tokenizer, 320)
    found = sum(len(batch["token_ids"]) for batch in once)
    assert found < 600
    more = pair_batches(tokenizer, 320, count=1000)
    assert sum(len(batch["token_ids"]) for batch in more) == 1000
    for batch, same in zip(once, more, strict=False):
        np.testing.assert_array_equal(batch["token_ids"], same["token_ids"])
    rows = {row[row > 0].tobytes() for batch in more for row in batch["token_ids"]}
    assert len(rows) > 900  # hardly any twice


def test_sentences_to_show(tokenizer):
    shown = blank_sentences(tokenizer, 64, 5)
    assert len(shown) == 5
    for sentence in shown:
        assert sentence.text.count("____") == 1
        assert sentence.truth in sentence.chances
        assert sum(sentence.chances.values()) == pytest.approx(1)
        label = sentence.batch["masked_labels"][0, 0]
        assert tokenizer.vocabulary.pieces[label] == sentence.truth
        assert (sentence.batch["token_ids"] == tokenizer.vocabulary.mask).sum() == 1


def test_who_reads_a_window_is_not_told_what_stands_outside(tokenizer):
    narrow, wide = (blank_sentences(tokenizer, length, 20) for length in (64, 320))
    best = [[max(s.chances.values()) for s in shown] for shown in (narrow, wide)]
    assert [s.text for s in narrow] == [s.text for s in wide]
    assert sum(a < b - 0.1 for a, b in zip(*best, strict=True)) >= 3
    assert not any(a > b + 0.1 for a, b in zip(*best, strict=True))


def test_the_way_from_the_trigram_to_the_ceiling():
    levels = Levels(0.1, 0.3, 0.5, window_ceiling=0.8, ceiling=0.9)
    assert levels.way(0.7) == pytest.approx(0.5)
    assert levels.way(0.7, levels.window_ceiling) == pytest.approx(2 / 3)
    levels = read_levels(course_data())
    assert levels.unigram < levels.bigram < levels.trigram < levels.window_ceiling < levels.ceiling
