"""The labelled sets say what is true of their stories."""

import re
from collections import Counter

import numpy as np
import pytest

from bert_course.world.minimal_pairs import as_paragraph
from bert_course.world.story import HERO
from bert_course.world.tasks import TASKS, TOPICS, entities, pairs, questions, sentiment, topics
from bert_course.world.words import MOODS, PETS, VILLAGES


def made(task, stories):
    examples = [(s, task(s, np.random.default_rng(n))) for n, s in enumerate(stories)]
    return [(story, example) for story, example in examples if example]


@pytest.mark.parametrize("task", TASKS.values())
def test_one_seed_one_example(task, stories):
    one, same = (task(stories[0], np.random.default_rng(1)) for _ in range(2))
    assert one == same
    assert len(made(task, stories)) > 50


def test_no_sentiment_has_words_of_the_other_mood_unless_denied(stories):
    for _, example in made(sentiment, stories):
        other = "glum" if example["label"] == "glad" else "glad"
        text = example["text"].lower()
        manners = set(MOODS[other]["manner"]) | {f"{act}s because" for act in MOODS[other]["act"]}
        assert not [manner for manner in manners if re.search(rf"\b{manner}\b", text)]


def test_topics_come_alone_in_company_and_not_at_all(stories):
    counts = Counter(len(example["labels"]) for _, example in made(topics, stories))
    assert {0, 1, 2} <= counts.keys()
    assert all(set(example["labels"]) <= TOPICS.keys() for _, example in made(topics, stories))


def test_pairs_are_of_both_kinds(stories):
    counts = Counter(example["label"] for _, example in made(pairs, stories))
    assert min(counts["same"], counts["other"]) > 15


def test_both_texts_of_a_pair_are_of_the_story_or_one_is_not(stories):
    for story, example in made(pairs, stories):
        told = as_paragraph(story.sentences)
        assert example["text"] in told
        assert (example["other"] in told) == (example["label"] == "same")
        assert example["text"] != example["other"]
    distance = [
        as_paragraph(story.sentences).index(example["other"])
        - as_paragraph(story.sentences).index(example["text"])
        for story, example in made(pairs, stories)
        if example["label"] == "same"
    ]
    assert min(distance) > 0


def test_entities_are_in_iob2(stories):
    tags = Counter()
    for _, rows in made(entities, stories):
        before = "O"
        for _, tag in rows:
            if tag.startswith("I-"):
                assert before in (f"B-{tag[2:]}", tag)
            tags[tag] += 1
            before = tag
    assert {"B-PERSON", "B-PET", "B-PLACE", "B-THING", "I-THING", "O"} <= tags.keys()


def test_entities_are_what_they_are_called(stories):
    for story, rows in made(entities, stories):
        for word, tag in rows:
            assert tag != "B-PLACE" or word in VILLAGES
            assert tag != "B-PET" or word in PETS
            assert word not in ("She", "He", "she", "he") or tag == "O"
            if word == story.facts["name"][HERO].text and word not in PETS:
                assert tag == "B-PERSON"


def test_answers_stand_where_they_should(stories):
    examples = [example for _, example in made(questions, stories)]
    for example in examples:
        if example["answer"]:
            text, start = example["answer"]
            assert example["context"][start : start + len(text)] == text
    answered = np.mean([bool(example["answer"]) for example in examples])
    assert 0.6 < answered < 1
