"""The test stories as batches for a model: the blanks of ceiling.json, and next sentences."""

import itertools
import json
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from bert_course.text.pairs import make_pairs
from bert_course.world.build import STORIES, stories
from bert_course.world.ceiling import blanks, hide_words, windows
from bert_course.world.story import as_text

STEP = 32  # lengths are multiples of it: few shapes, for backends that compile anew for each


class Levels(NamedTuple):
    """Accuracies on the blanks of the test stories, from ceiling.json.

    Attributes:
        ceiling: of who reads whole stories; window_ceiling: of who reads 64 tokens at a time.
    """

    unigram: float
    bigram: float
    trigram: float
    window_ceiling: float
    ceiling: float

    def way(self, accuracy, ceiling=None):
        """The share of the way from the trigram to the ceiling, or to another one."""
        return (accuracy - self.trigram) / ((ceiling or self.ceiling) - self.trigram)


def read_levels(data):
    figures = json.loads((data / "ceiling.json").read_text("utf-8"))
    return Levels(*(figures[name]["accuracy"] for name in Levels._fields))


def story_batches(tokenizer, max_length, count=STORIES["test"], batch_size=32):
    """The first test stories, with the words hidden that are hidden in ceiling.json.

    A story is read in pieces of whole sentences, see `windows`, and each as BERT
    was taught to read: [CLS] first half [SEP] second half [SEP]. Blanks are asked for, the next
    sentence is not. What is of like length stands together.
    """
    rows = []
    for story, rng in itertools.islice(stories("test"), count):
        hidden = hide_words(story, rng)[1]
        rows += story_rows(story.sentences, hidden, tokenizer, max_length)
    rows.sort(key=lambda row: len(row.ids))
    starts = range(0, len(rows), batch_size)
    return [assemble(rows[n : n + batch_size], tokenizer.vocabulary) for n in starts]


class Row(NamedTuple):
    """[CLS] A [SEP] B [SEP], and what is hidden in it."""

    ids: list
    first_length: int  # of [CLS] A [SEP]
    places: list
    labels: list  # the ids that stood there


def story_rows(sentences, hidden, tokenizer, max_length):
    """Sentences -> rows of as many as have room, about equally long."""
    return [
        story_row(window, hidden, tokenizer) for window in windows(sentences, tokenizer, max_length)
    ]


def story_row(sentences, hidden, tokenizer):
    """Sentences as a pair, cut near their middle, with the words of `hidden` hidden."""
    special = tokenizer.vocabulary
    ids, ends, places, labels = [], [], [], []
    for sentence in sentences:
        for word in sentence:
            pieces = tokenizer.ids(word.text)
            if word in hidden:
                places += range(len(ids), len(ids) + len(pieces))
                labels += pieces
                pieces = [special.mask] * len(pieces)
            ids += pieces
        ends.append(len(ids))
    cut = min(ends, key=lambda end: abs(end - len(ids) / 2))
    whole = [special.cls, *ids[:cut], special.sep, *ids[cut:], special.sep]
    places = [place + (1 if place < cut else 2) for place in places]
    return Row(whole, cut + 2, places, labels)


def assemble(rows, vocabulary):
    """Rows -> what `Examples.batch` gives, with `next_sentence_weights` of 0."""
    width = -(-max(len(row.ids) for row in rows) // STEP) * STEP
    slots = max(len(row.places) for row in rows)
    place = np.arange(width)
    is_real = place < np.array([[len(row.ids)] for row in rows])  # (B, S)
    is_second = place >= np.array([[row.first_length] for row in rows])
    return {
        "token_ids": fill_rows([row.ids for row in rows], width, vocabulary.pad),
        "segment_ids": (is_real & is_second).astype("int32"),
        "padding_mask": is_real,
        "masked_positions": fill_rows([row.places for row in rows], slots, 0),
        "masked_labels": fill_rows([row.labels for row in rows], slots, vocabulary.pad),
        "masked_weights": fill_rows([[1] * len(row.places) for row in rows], slots, 0, "float32"),
        "next_sentence_labels": np.zeros(len(rows), "int32"),
        "next_sentence_weights": np.zeros(len(rows), "float32"),
    }


def fill_rows(lists, width, value, dtype="int32"):
    """Lists of numbers -> (B, width), the short ones filled up with `value`."""
    return np.array([[*numbers, *[value] * (width - len(numbers))] for numbers in lists], dtype)


def pair_batches(tokenizer, max_length, seed=0, count=None, batch_size=32):
    """Pairs from the test stories, nothing hidden: is B what follows A? Half of them are.

    Args:
        count: of pairs, or None for as many as the stories give. Where they give fewer, they are
            cut once more at other places, with other strangers.
    """
    sentences = [
        [tokenizer.ids(as_text(sentence)) for sentence in story.sentences]
        for story, _ in itertools.islice(stories("test"), STORIES["test"])
    ]
    batches, missing = [], count
    while count is None or missing:
        pairs = make_pairs(sentences, tokenizer.vocabulary, max_length, seed)
        found = len(pairs.token_ids) if count is None else min(missing, len(pairs.token_ids))
        starts = range(0, found, batch_size)
        batches += [pair_batch(pairs, slice(n, min(n + batch_size, found))) for n in starts]
        if count is None:
            break
        missing, seed = missing - found, seed + 1
    return batches


def pair_batch(pairs, rows):
    labels = pairs.next_sentence_labels[rows].astype("int32")
    nothing = np.zeros((len(labels), 1), "int32")
    return {
        "token_ids": pairs.token_ids[rows].astype("int32"),
        "segment_ids": pairs.segment_ids[rows].astype("int32"),
        "padding_mask": pairs.padding_mask[rows],
        "masked_positions": nothing,
        "masked_labels": nothing,
        "masked_weights": nothing.astype("float32"),
        "next_sentence_labels": labels,
    }


class BlankSentence(NamedTuple):
    """A sentence with a blank, and what there is to know about it."""

    text: str
    truth: str
    batch: dict  # the story, or the window of it that the model reads at once
    chances: dict  # {piece: probability}: what can be known from all else that stands there


def blank_sentences(tokenizer, max_length, count, least_letters=3):
    """One word hidden in each of the first test stories, of one piece and some letters."""
    pieces, found = tokenizer.vocabulary.pieces, []
    for story, rng in itertools.islice(stories("test"), count):
        candidates = [
            (sentence, word)
            for sentence in story.sentences
            for word in sentence
            if len(word.text) >= least_letters and len(tokenizer.ids(word.text)) == 1
        ]
        sentence, hidden = candidates[rng.integers(len(candidates))]
        [window] = [
            window
            for window in windows(story.sentences, tokenizer, max_length)
            if any(word is hidden for each in window for word in each)
        ]
        [blank] = blanks([word for each in window for word in each], {hidden}, tokenizer)[1]
        chances = {pieces[number]: p for number, p in blank.chances.items()}
        row = story_row(window, {hidden}, tokenizer)
        shown = [SimpleNamespace(text="____") if word is hidden else word for word in sentence]
        batch = assemble([row], tokenizer.vocabulary)
        found.append(BlankSentence(as_text(shown), pieces[row.labels[0]], batch, chances))
    return found
