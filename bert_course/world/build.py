"""Everything in data/ that the small world makes: {name of a file: its bytes}."""

import itertools
import json

import numpy as np

from bert_course.text.counting import Counting
from bert_course.text.wordpiece import WordPieceTokenizer, learn_vocabulary
from bert_course.world.ceiling import (
    blanks,
    blanks_in_windows,
    hide_words,
    score_ceiling,
    score_oracle,
)
from bert_course.world.minimal_pairs import RULES, MinimalPair, minimal_pairs
from bert_course.world.story import Story, as_text
from bert_course.world.tasks import TASKS

SEED = 2018  # the year of the paper
STORIES = {"train": 14_000, "validation": 400, "test": 400}
EXAMPLES = {"train": 400, "dev": 200, "test": 400}
PAIRS_PER_PHENOMENON = 200
VOCABULARY_SIZE = 2_000
WINDOW = 64  # tokens that the demo's model reads at a time
NEIGHBOURS = {"unigram": (), "bigram": (-1,), "trigram": (-1, -2), "neighbours": (-1, 1)}


def stories(part, start=0):
    """(Story, rng) without end, other ones for each part.

    Each story has a seed of its own; its rng goes on where the story stopped.
    """
    for number in itertools.count(start):
        rng = np.random.default_rng([SEED, *part.encode(), number])
        yield Story(rng), rng


def build_corpus(progress):
    """{"corpus/train.txt": ..., ...}: a sentence a line, an empty line between stories."""
    files = {}
    for part, count in STORIES.items():
        told = progress(itertools.islice(stories(part), count), f"corpus/{part}.txt", count)
        texts = ["\n".join(map(as_text, story.sentences)) for story, _ in told]
        files[f"corpus/{part}.txt"] = _encode("\n\n".join(texts) + "\n")
    return files


def build_vocabulary(train_text):
    pieces = learn_vocabulary(train_text.split("\n"), VOCABULARY_SIZE)
    return {"vocab.txt": _encode("\n".join(pieces) + "\n")}


def build_ceiling(train_text, vocabulary, progress):
    """{"ceiling.json": ...}: the oracle and counting on hidden words of the test stories."""
    tokenizer = WordPieceTokenizer(vocabulary)
    test, found_in_windows = [], []
    for story, rng in progress(_take("test"), "ceiling.json", STORIES["test"]):
        words, hidden = hide_words(story, rng)
        test.append(blanks(words, hidden, tokenizer))
        found_in_windows += blanks_in_windows(story.sentences, hidden, tokenizer, WINDOW)
    found = [blank for _, blanks_of_one in test for blank in blanks_of_one]
    scores = {"ceiling": score_ceiling(found), "oracle": score_oracle(found)}
    scores["window_ceiling"] = score_ceiling(found_in_windows)
    questions = [(ids, blank.place) for ids, blanks_of_one in test for blank in blanks_of_one]
    documents = [_ids(text, tokenizer) for text in train_text.split("\n\n")]
    for name, neighbours in NEIGHBOURS.items():
        counting = Counting(documents, len(tokenizer.vocabulary), neighbours)
        scores[name] = counting.score(questions)
    rounded = {
        name: {"accuracy": round(s.accuracy, 4), "cross_entropy": round(s.cross_entropy, 4)}
        for name, s in scores.items()
    }
    return {"ceiling.json": _as_json({"blanks": len(found), **rounded})}


def build_minimal_pairs(vocabulary, progress):
    """{"minimal_pairs.tsv": ...}: the same number for each phenomenon, in turn."""
    tokenizer = WordPieceTokenizer(vocabulary)
    found = {phenomenon: {} for phenomenon in RULES}  # a dict as a set that keeps its order
    for story, rng in progress(stories("minimal pairs"), "minimal_pairs.tsv", None):
        wanted = {n: rule for n, rule in RULES.items() if len(found[n]) < PAIRS_PER_PHENOMENON}
        if not wanted:
            break
        for pair in minimal_pairs(story, rng, tokenizer, wanted):
            found[pair.phenomenon][pair] = None
    rows = [MinimalPair._fields, *(pair for pairs in found.values() for pair in pairs)]
    return {"minimal_pairs.tsv": _as_table(rows)}


def build_tasks(progress):
    """{"tasks/sentiment/train.tsv": ..., ...}."""
    files = {}
    for task, (part, count) in itertools.product(TASKS, EXAMPLES.items()):
        suffix, write = WRITERS[task]
        name = f"tasks/{task}/{part}.{suffix}"
        examples = itertools.islice(examples_of(task, part), count)
        files[name] = write(list(progress(examples, name, count)))
    return files


def examples_of(task, part):
    """Examples without end, one of each story that gives one."""
    made = (TASKS[task](story, rng) for story, rng in stories(f"{task}/{part}"))
    return (example for example in made if example)


def _take(part):
    return itertools.islice(stories(part), STORIES[part])


def _ids(text, tokenizer):
    return [number for line in text.split("\n") for number in tokenizer.ids(line)]


def _encode(text):
    return text.encode("utf-8")


def _as_json(content):
    return _encode(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _as_table(rows):
    return _encode("".join("\t".join(row) + "\n" for row in rows))


def _as_labelled_table(examples):
    """A header, then a row for each example; several labels stand with commas between them."""
    rows = [list(examples[0])]
    for example in examples:
        rows.append([",".join(v) if isinstance(v, list) else v for v in example.values()])
    return _as_table(rows)


def _as_conll(examples):
    """A word and its tag a line, an empty line between examples."""
    blocks = ["".join(f"{word}\t{tag}\n" for word, tag in rows) for rows in examples]
    return _encode("\n".join(blocks))


def _as_squad(examples):
    """The form of SQuAD 2.0: a question without an answer is `is_impossible`."""
    paragraphs = []
    for number, example in enumerate(examples):
        answers = []
        if example["answer"]:
            text, start = example["answer"]
            answers = [{"text": text, "answer_start": start}]
        question = {
            "id": str(number),
            "question": example["question"],
            "answers": answers,
            "is_impossible": not answers,
        }
        paragraphs.append({"context": example["context"], "qas": [question]})
    return _as_json({"version": "v2.0", "data": [{"title": "stories", "paragraphs": paragraphs}]})


WRITERS = {
    "sentiment": ("tsv", _as_labelled_table),
    "topics": ("tsv", _as_labelled_table),
    "pairs": ("tsv", _as_labelled_table),
    "entities": ("conll", _as_conll),
    "questions": ("json", _as_squad),
}
