"""Stories keep the rules of the world."""

import itertools
import re

import numpy as np
import pytest

from bert_course.world.plots import FRAMES, PLOTS
from bert_course.world.story import FORMS, FRIEND, HERO, NAMES, Story, as_text
from bert_course.world.words import LISTS, MOODS, SEASONS, article, inflect, plural


def texts_of(story, kind):
    return [w.text for sentence in story.sentences for w in sentence if w.kind == kind]


def test_one_seed_one_story():
    one, same, other = (Story(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert told(one) == told(same) != told(other)


def told(story):
    return [as_text(sentence) for sentence in story.sentences]


def test_a_story_has_the_length_that_bert_wants(stories):
    lengths = [len(story.sentences) for story in stories]
    assert min(lengths) >= 8 and max(lengths) <= 22


def test_every_step_of_every_plot_has_frames():
    steps = {s.strip().rstrip("?+") for plot in PLOTS.values() for s in re.split("[,|]", plot)}
    assert steps == set(FRAMES)


def test_every_list_in_a_frame_exists_and_every_list_is_used():
    named = set(re.findall(r"<(\w+)>", " ".join(FRAMES.values())))
    assert named == set(LISTS)


def test_no_frame_stands_twice():
    frames = [line.strip() for lines in FRAMES.values() for line in lines.strip().split("\n")]
    assert len(frames) == len(set(frames))


def test_no_sentence_is_told_twice(stories):
    for story in stories:
        assert len(set(told(story))) == len(story.sentences)


def test_all_verbs_of_a_story_agree_in_tense(stories):
    verbs = re.compile(r"\b(says|said|asks|asked)\b")
    for story in stories:
        found = set(verbs.findall(" ".join(told(story))))
        assert found <= ({"says", "asks"} if story.tense.value == "present" else {"said", "asked"})


def test_the_friend_of_a_girl_is_a_boy():
    for gender, other in (("girl", "boy"), ("boy", "girl")):
        assert NAMES[HERO][gender] == NAMES[FRIEND][other]
        assert FORMS[HERO]["he"][gender] == FORMS[FRIEND]["he"][other]


def test_a_pronoun_is_of_its_person(stories):
    for story in stories:
        she_or_he = FORMS[HERO]["himself"][story.gender.value]
        for sentence in story.sentences:
            words = {word.kind: word.text for word in sentence}
            if "himself" in words and words["A"] == story.facts["name"][HERO].text:
                assert words["himself"] == she_or_he


def test_a_or_an_fits_the_next_word(stories):
    checked = 0
    for story in stories:
        for sentence in story.sentences:
            for word, following in itertools.pairwise(sentence):
                if word.kind == "article":
                    assert word.text == ("an" if following.text[0] in "aeiou" else "a")
                    checked += 1
    assert checked > 300


def test_nobody_speaks_of_whom_nobody_has_met(stories):
    """Before the sentence that introduces the friend, or the pet, their names do not occur."""
    for story in stories:
        first = story.steps.index("friend")
        friend = story.facts["name"][FRIEND].text
        assert all(friend not in as_text(s).split() for s in story.sentences[:first])
        if "pet" in story.steps:
            early = story.sentences[: story.steps.index("pet")]
            assert not [w for s in early for w in s if w.kind.startswith("pet")]
        else:
            assert not texts_of(story, "pet_name")


def test_moods_and_seasons_share_no_words():
    glad, glum = MOODS["glad"], MOODS["glum"]
    assert all(set(glad[kind]).isdisjoint(glum[kind]) for kind in glad)
    for kind in ("weather", "sign", "wear"):
        words = [word for season in SEASONS.values() for word in season[kind]]
        assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["no", ",", "it", "is", "cold", "."], "No, it is cold."),
        (["“", "oh", "!", "”", "says", "she", "."], "“Oh!” says she."),
        (["asks", "he", ".", "“", "no", ".", "”"], "Asks he. “No.”"),
        (["says", "he", ",", "“", "no", "!", "oh", "no", ".", "”"], "Says he, “no! Oh no.”"),
    ],
)
def test_text_is_written_as_people_write(words, expected):
    from bert_course.world.choices import Word

    assert as_text([Word(lambda word=word: word) for word in words]) == expected


@pytest.mark.parametrize(
    ("verb", "present", "past"),
    [
        ("be", "is are", "was were"),
        ("have", "has have", "had had"),
        ("go", "goes go", "went went"),
        ("study", "studies study", "studied studied"),
        ("play", "plays play", "played played"),
        ("press", "presses press", "pressed pressed"),
        ("catch", "catches catch", "caught caught"),
        ("bake", "bakes bake", "baked baked"),
        ("hum", "hums hum", "hummed hummed"),
        ("wrap", "wraps wrap", "wrapped wrapped"),
    ],
)
def test_verbs_inflect(verb, present, past):
    forms = [inflect(verb, "present", number) for number in ("one", "many")]
    assert " ".join(forms) == present
    assert " ".join(inflect(verb, "past", number) for number in ("one", "seven")) == past


def test_nouns_inflect():
    nouns = "goat fox pony bench mouse sheep shelf"
    assert " ".join(map(plural, nouns.split())) == "goats foxes ponies benches mice sheep shelves"


def test_articles():
    assert [article(word) for word in ("owl", "amber", "Ada", "cat")] == ["an", "an", "an", "a"]
