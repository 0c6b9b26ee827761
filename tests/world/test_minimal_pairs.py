"""The bad sentence is impossible, the good one is not, and they differ in one word."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from bert_course.places import course_data
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.world.build import stories
from bert_course.world.minimal_pairs import RULES, impossible_texts, minimal_pairs
from bert_course.world.story import Story
from bert_course.world.words import DAYS, LISTS, plural


@pytest.fixture(scope="module")
def table():
    lines = (course_data() / "minimal_pairs.tsv").read_text("utf-8").split("\n")
    assert lines[0] == "phenomenon\tcontext\tgood\tbad"
    return [line.split("\t") for line in lines[1:-1]]


def test_every_phenomenon_has_its_pairs(table):
    counts = Counter(row[0] for row in table)
    assert counts.keys() == RULES.keys() and len(RULES) >= 12
    assert set(counts.values()) == {200}


def test_no_pair_stands_twice(table):
    assert len({tuple(row) for row in table}) == len(table)


def test_one_word_differs(table):
    for _, _, good, bad in table:
        good, bad = good.split(), bad.split()
        assert len(good) == len(bad)
        assert sum(one != other for one, other in zip(good, bad, strict=True)) == 1


def test_the_number_of_pieces_tells_nothing(table):
    tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
    for _, _, good, bad in table:
        assert len(tokenizer.ids(good)) == len(tokenizer.ids(bad)), f"{good} | {bad}"


def test_the_first_pairs_are_what_the_generator_writes(table):
    """Of two phenomena: one that many stories show, and one whose words often differ in pieces."""
    tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
    for phenomenon in ("a name from before", "agreement with the word before"):
        made = []
        for story, rng in itertools.islice(stories("minimal pairs"), 150):
            pairs = minimal_pairs(story, rng, tokenizer)
            made += [list(pair) for pair in pairs if pair.phenomenon == phenomenon]
        there = [row for row in table if row[0] == phenomenon][: len(made)]
        assert len(made) > 3
        assert list(dict.fromkeys(map(tuple, made))) == list(map(tuple, there))


def test_some_need_long_context(table):
    """The last mention that tells right from wrong is more than fifty words back in some pairs."""
    contexts = [row[1].split() for row in table if row[0].endswith("from before")]
    assert np.mean([len(words) > 50 for words in contexts]) > 0.3


def test_what_is_from_before_was_said_before(table):
    """Else its rival alone was, and the right answer would be the one that nothing points to."""
    for phenomenon, context, good, bad in table:
        if phenomenon.endswith("from before"):
            context, good, bad = (re.findall(r"\w+", text.lower()) for text in (context, good, bad))
            [(place, word)] = [
                (n, w) for n, (w, other) in enumerate(zip(good, bad, strict=True)) if w != other
            ]
            assert word in context + good[:place], f"{word}: {context} {good}"


def test_where_the_right_word_is_new_the_wrong_one_was_said():
    tokenizer = WordPieceTokenizer(course_data() / "vocab.txt")
    new = {"a new thing": RULES["a thing from before"]._replace(said=False)}
    pairs = [
        pair
        for story, rng in itertools.islice(stories("minimal pairs"), 60)
        for pair in minimal_pairs(story, rng, tokenizer, new)
    ]
    assert len(pairs) > 20
    for _, context, good, bad in pairs:
        words = (text.lower().split() for text in (good, bad))
        [changed] = [
            pair for pair in zip(*words, strict=True) if pair[0] != pair[1]
        ]  # the same word at the same place
        right, wrong = (re.findall(r"\w+", word)[0] for word in changed)
        assert wrong in re.findall(r"\w+", f"{context} {good}".lower())
        assert right not in re.findall(r"\w+", context.lower())


def rows(table, phenomenon):
    return [
        (good.lower().split(), bad.lower().split())
        for name, _, good, bad in table
        if name == phenomenon
    ]


def test_agreement_is_what_it_says(table):
    """Read off the words alone, without the oracle that made the pairs."""
    plurals = {plural(noun) for kind in ("object", "creature", "person") for noun in LISTS[kind]}
    plurals.discard("sheep")
    many, one = {"are", "were"}, {"is", "was"}
    checked = 0
    for good, bad in rows(table, "agreement across a phrase"):
        wrong = next(b for g, b in zip(good, bad, strict=True) if g != b)
        if wrong in many | one and good[1] != "sheep":
            assert (wrong in one) == (good[1] in plurals)
            checked += 1
    assert checked > 50


def test_articles_are_wrong_where_they_should_be(table):
    for good, bad in rows(table, "a or an"):
        place = next(n for n, (g, b) in enumerate(zip(good, bad, strict=True)) if g != b)
        word = good[place + 1].strip("“")
        assert (good[place].strip("“"), bad[place].strip("“")) == (
            ("an", "a") if word[0] in "aeiou" else ("a", "an")
        )


def test_days_follow_each_other(table):
    """The right day is the day after the only other one that the text names, if it names one."""
    days = [day.lower() for day in DAYS]
    checked = 0
    for name, context, good, bad in table:
        if name == "day after day":
            words = re.findall(r"[a-z]+", f"{context} {good}".lower())
            named = [days.index(word) for word in words if word in days]
            right = next(d for d in days if d in good.lower() and d not in bad.lower())
            others = {day for day in named if day != days.index(right)}
            assert others <= {(days.index(right) - 1) % 7}
            checked += len(others)
    assert checked > 50


def test_a_rule_that_is_not_broken_is_not_in_the_list():
    """Without a word that tells the day, every day is possible, and there is no pair to make."""
    rule = RULES["day after day"]
    for number in range(20):
        story = Story(np.random.default_rng([2, number]))
        for sentence in story.sentences:
            for word in sentence:
                if word.kind == "tomorrow" and "day" not in {w.kind for w in sentence}:
                    assert impossible_texts(word, rule, [sentence]) == []
