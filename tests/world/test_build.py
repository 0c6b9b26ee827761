"""data/ is what the generator writes, byte for byte."""

import itertools
import json

import pytest

from bert_course.places import course_data
from bert_course.text.vocabulary import read_vocabulary
from bert_course.text.wordpiece import learn_vocabulary
from bert_course.world.build import (
    EXAMPLES,
    STORIES,
    VOCABULARY_SIZE,
    WRITERS,
    examples_of,
    stories,
)
from bert_course.world.datasheet import build_datasheet
from bert_course.world.story import as_text
from bert_course.world.tasks import TASKS

# Every story has a seed of its own, so the first of a file and its last say as much as all.
SOME = 60


def written(path):
    return (course_data() / path).read_text("utf-8")


def as_block(story):
    return "\n".join(map(as_text, story.sentences))


@pytest.mark.parametrize("part", STORIES)
def test_stories(part):
    blocks = written(f"corpus/{part}.txt").removesuffix("\n").split("\n\n")
    assert len(blocks) == STORIES[part]
    assert blocks[:SOME] == [as_block(s) for s, _ in itertools.islice(stories(part), SOME)]
    last = next(stories(part, start=STORIES[part] - 1))[0]
    assert blocks[-1] == as_block(last)


def test_no_story_of_one_part_is_in_another():
    blocks = [set(written(f"corpus/{part}.txt").strip().split("\n\n")) for part in STORIES]
    assert sum(map(len, blocks)) == len(set.union(*blocks)) == sum(STORIES.values())


@pytest.mark.parametrize("task", TASKS)
def test_labelled_sets(task):
    suffix, write = WRITERS[task]
    there = written(f"tasks/{task}/test.{suffix}")
    again = write(list(itertools.islice(examples_of(task, "test"), SOME))).decode("utf-8")
    if suffix == "json":
        there, again = (json.loads(text)["data"][0]["paragraphs"] for text in (there, again))
    assert there[: len(again)] == again
    assert len(again) >= SOME


@pytest.mark.parametrize(("task", "part"), list(itertools.product(TASKS, EXAMPLES)))
def test_labelled_sets_are_as_long_as_they_say(task, part):
    suffix, _ = WRITERS[task]
    text = written(f"tasks/{task}/{part}.{suffix}")
    counts = {"json": text.count('"question"'), "conll": text.count("\n\n") + 1}
    assert counts.get(suffix, text.count("\n") - 1) == EXAMPLES[part]


def test_vocabulary():
    pieces = learn_vocabulary(written("corpus/train.txt").split("\n"), VOCABULARY_SIZE)
    assert read_vocabulary(course_data() / "vocab.txt").pieces == pieces


def test_the_datasheet_has_the_counts_of_the_files():
    files = {
        str(path.relative_to(course_data())): path.read_bytes()
        for path in sorted(course_data().rglob("*"))
        if path.suffix in (".txt", ".tsv", ".json", ".conll")
    }
    assert build_datasheet(files)["README.md"].decode("utf-8") == written("README.md")


def test_it_is_small_enough_for_a_repository():
    sizes = {path: path.stat().st_size for path in course_data().rglob("*") if path.is_file()}
    checkpoint = sum(size for path, size in sizes.items() if path.parent.name == "checkpoint")
    assert checkpoint < 6e6
    assert sum(sizes.values()) - checkpoint < 16e6
