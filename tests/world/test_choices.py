"""The oracle of a tiny world, against counting all its stories one by one."""

import itertools
from collections import Counter

import numpy as np
import pytest

from bert_course.world.choices import Choice, EitherWord, Word, distribution, seen_by_choice
from bert_course.world.words import article


def tiny_world(rng):
    """A name that hangs on a gender, a pronoun, an animal with a or an, and whose it is."""
    gender = Choice(rng, ("girl", "boy", "boy"))
    hero = Choice(rng, {"girl": ("Ada", "Sam"), "boy": ("Sam", "Tom")}.get, gender)
    friend = Choice(rng, ("Ida", "Ben"))
    who = Choice(rng, ("hero", "hero", "friend"))
    animal = Choice(rng, ("ant", "owl", "cat", "cat"))
    name = {"hero": Word(str, [hero]), "friend": Word(str, [friend])}
    noun = Word(str, [animal])
    choices = [gender, hero, friend, who, animal]
    words = [
        Word(str, [hero]),
        Word({"girl": "she", "boy": "he"}.get, [gender]),
        EitherWord(who, name),
        noun.then(article),
        noun,
        EitherWord(who, name).then(str.upper),
    ]
    return choices, words


class Listed:
    """A random generator that draws the options it is told, one after the other."""

    def __init__(self, draws):
        self.draws = iter(draws)

    def random(self):
        return next(self.draws)


def every_story():
    """All stories of the tiny world, each as often as it is probable (12 equally fine draws)."""
    for draws in itertools.product(*[[(i + 0.5) / n for i in range(n)] for n in (3, 2, 2, 3, 4)]):
        yield tiny_world(Listed(draws))


ALL = [[word.text for word in words] for _, words in every_story()]


def test_the_tiny_world_is_listed_whole():
    assert len(ALL) == 3 * 2 * 2 * 3 * 4
    assert Counter(texts[4] for texts in ALL)["cat"] == len(ALL) / 2


@pytest.mark.parametrize("hidden", [{n} for n in range(6)] + [{0, 1}, {3, 4}, {2, 5}, {0, 1, 2, 5}])
def test_the_oracle_is_never_worse_than_knowing_the_frequencies(hidden):
    """Guessing best from the visible words alone, all stories counted, is what it must bound."""
    for place in hidden:
        visible = [n for n in range(6) if n not in hidden]
        by_context = {}
        for texts in ALL:
            by_context.setdefault(tuple(texts[n] for n in visible), Counter())[texts[place]] += 1
        best = sum(max(counts.values()) for counts in by_context.values()) / len(ALL)
        expected = np.mean(
            [max(chances(words, place, hidden).values()) for _, words in every_story()]
        )
        right = np.mean(
            [
                max(c := chances(w, place, hidden), key=c.get) == w[place].text
                for _, w in every_story()
            ]
        )
        assert expected >= best - 1e-12
        assert right == pytest.approx(expected)  # what it expects is what it gets, over all stories


def chances(words, place, hidden):
    return distribution(
        words[place], seen_by_choice(w for n, w in enumerate(words) if n not in hidden)
    )


def test_a_free_word_has_its_prior():
    _, words = tiny_world(np.random.default_rng(0))
    assert chances(words, 4, {3, 4}) == {"ant": 0.25, "owl": 0.25, "cat": 0.5}


def test_a_or_an_tells_about_the_noun():
    _, words = next(story for story in every_story() if story[1][4].text == "owl")
    assert chances(words, 4, {4}) == {"ant": 0.5, "owl": 0.5}


def test_a_name_tells_about_the_pronoun_as_much_as_it_can():
    _, words = next(story for story in every_story() if story[1][0].text == "Sam")
    # P(girl | Sam) = 1/3 · 1/2, P(boy | Sam) = 2/3 · 1/2; words 2 and 5 may show the name too
    assert chances(words, 1, {1}) == pytest.approx({"she": 1 / 3, "he": 2 / 3})


def test_what_is_said_twice_is_known():
    for _, words in every_story():
        assert chances(words, 2, {2}) == {words[2].text: 1}


def test_an_option_that_stands_twice_is_twice_as_probable():
    choice = Choice(np.random.default_rng(0), ("a", "b", "b"))
    assert choice.probability({choice: "b"}) == pytest.approx(2 / 3)
    draws = Counter(
        Choice(rng, ("a", "b", "b")).value for rng in map(np.random.default_rng, range(900))
    )
    assert abs(draws["b"] / 900 - 2 / 3) < 4 * np.sqrt(2 / 9 / 900)
