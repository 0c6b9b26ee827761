"""The ceiling is one: the oracle gets what it expects, and nobody who counts passes it."""

import itertools
import json

import numpy as np
import pytest

from bert_course.places import course_data
from bert_course.text.counting import Counting
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.world.build import stories
from bert_course.world.ceiling import (
    as_masks,
    blanks,
    blanks_in_windows,
    hide_words,
    score_ceiling,
    score_oracle,
    windows,
)
from bert_course.world.choices import distribution, seen_by_choice
from bert_course.world.story import Story


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer(course_data() / "vocab.txt")


@pytest.fixture(scope="module")
def hidden(tokenizer):
    """[(ids, blanks), ...] of 150 fresh stories."""
    found = []
    for number in range(150):
        rng = np.random.default_rng([11, number])
        found.append(blanks(*hide_words(Story(rng), rng), tokenizer))
    return found


def everything(hidden):
    return [blank for _, found in hidden for blank in found]


def test_the_oracle_gets_what_it_expects(hidden):
    """Within three standard errors, on fresh stories, in accuracy and in cross-entropy."""
    expected, got = score_ceiling(everything(hidden)), score_oracle(everything(hidden))
    best = np.array([max(blank.chances.values()) for blank in everything(hidden)])
    error = np.sqrt(np.sum(best * (1 - best))) / len(best)
    assert error < 0.006
    assert abs(got.accuracy - expected.accuracy) < 3 * error
    losses = np.array([-np.log(blank.chances[blank.piece]) for blank in everything(hidden)])
    assert abs(got.cross_entropy - expected.cross_entropy) < 3 * losses.std() / len(best) ** 0.5


def test_its_chances_are_calibrated(hidden):
    """Of the pieces to which it gives 10 to 60 %, as many are right as it says."""
    chances = [(p, piece == b.piece) for b in everything(hidden) for piece, p in b.chances.items()]
    middling = np.array([(p, right) for p, right in chances if 0.1 < p < 0.6])
    expected, right = middling.mean(0)
    assert len(middling) > 500
    assert abs(right - expected) < 4 * np.sqrt(expected * (1 - expected) / len(middling))


def test_an_oracle_that_is_too_sure_is_found_out(hidden):
    """The tests above can fail: half-certainties made near certainties do not come true."""
    too_sure = []
    for blank in everything(hidden):
        chances = {piece: 0.2 * p for piece, p in blank.chances.items()}
        chances[max(chances, key=chances.get)] += 0.8
        too_sure.append(blank._replace(chances=chances))
    expected, got = score_ceiling(too_sure), score_oracle(too_sure)
    assert expected.accuracy - got.accuracy > 0.05
    assert got.cross_entropy - expected.cross_entropy > 0.05


def test_no_counting_passes_it(hidden, tokenizer):
    lines = (course_data() / "corpus" / "train.txt").read_text("utf-8").split("\n\n")[:2000]
    documents = [[i for line in story.split("\n") for i in tokenizer.ids(line)] for story in lines]
    ceiling = score_ceiling(everything(hidden))
    questions = [
        (ids, blank.place) for ids, blanks_of_one in hidden[:50] for blank in blanks_of_one
    ]
    for neighbours in ((), (-1,), (-1, -2), (-1, 1)):
        counting = Counting(documents, len(tokenizer.vocabulary), neighbours)
        score = counting.score(questions)
        assert score.accuracy < ceiling.accuracy - 0.25
        assert score.cross_entropy > ceiling.cross_entropy + 0.5


def test_windows_are_a_story_in_pieces(tokenizer):
    story = Story(np.random.default_rng(4))
    for length in (32, 64, 320):
        found = windows(story.sentences, tokenizer, length)
        assert [sentence for window in found for sentence in window] == story.sentences
        assert max(len(pieces_of(window, tokenizer)) for window in found) <= length - 3
    assert len(found) == 1  # no story is longer


def pieces_of(window, tokenizer):
    words = [word for sentence in window for word in sentence]
    return [number for word in words for number in tokenizer.ids(word.text)]


def test_who_reads_less_at_a_time_knows_less(tokenizer):
    """And the expectation in windows comes true as well."""
    found = {64: [], 320: []}
    for story, rng in itertools.islice(stories("test"), 40):
        hidden_words = hide_words(story, rng)[1]
        for length, blanks_of_one in found.items():
            blanks_of_one += blanks_in_windows(story.sentences, hidden_words, tokenizer, length)
    narrow, wide = (score_ceiling(found[length]) for length in (64, 320))
    assert narrow.count == wide.count
    assert narrow.accuracy < wide.accuracy - 0.04
    assert narrow.cross_entropy > wide.cross_entropy + 0.1
    assert abs(score_oracle(found[64]).accuracy - narrow.accuracy) < 0.03


def test_the_committed_figures():
    """At least 25 points lie between counting, of whatever kind, and the ceiling."""
    figures = json.loads((course_data() / "ceiling.json").read_text("utf-8"))
    ceiling = figures["ceiling"]
    for name in ("unigram", "bigram", "trigram", "neighbours"):
        assert figures[name]["accuracy"] <= ceiling["accuracy"] - 0.25
        assert figures[name]["cross_entropy"] > ceiling["cross_entropy"]
    error = (ceiling["accuracy"] * (1 - ceiling["accuracy"]) / figures["blanks"]) ** 0.5
    assert abs(figures["oracle"]["accuracy"] - ceiling["accuracy"]) < 3 * error


def test_blanks_stand_where_the_words_stand(tokenizer):
    rng = np.random.default_rng(5)
    words, hidden_words = hide_words(Story(rng), rng, share=0.5)
    ids, found = blanks(words, hidden_words, tokenizer)
    assert ids == [number for word in words for number in tokenizer.ids(word.text)]
    assert all(ids[blank.place] == blank.piece for blank in found)
    assert len(found) == sum(len(tokenizer.ids(word.text)) for word in hidden_words)
    assert all(
        sum(b.chances.values()) == pytest.approx(1) and b.chances[b.piece] > 0 for b in found
    )


def test_the_oracle_counts_the_masks_as_a_model_does(tokenizer):
    """Of villages, say, only those with as many pieces are left; without that, others are too."""
    rng = np.random.default_rng(5)
    words, hidden_words = hide_words(Story(rng), rng, share=1.0)
    masks = seen_by_choice(as_masks(word, tokenizer) for word in words)
    others = 0
    for word in words:
        count = len(tokenizer.ids(word.text))
        assert all(len(tokenizer.ids(text)) == count for text in distribution(word, masks))
        others += any(len(tokenizer.ids(text)) != count for text in distribution(word, {}))
    assert hidden_words == set(words) and others > 5
