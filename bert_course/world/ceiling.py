"""The best that any model can do at filling blanks in the small world."""

import math
from collections import Counter
from typing import NamedTuple

import numpy as np

from bert_course.text.counting import Score
from bert_course.world.choices import distribution, seen_by_choice


class Blank(NamedTuple):
    """A hidden piece, and what the oracle would say about it, see `blanks`."""

    place: int  # among the pieces of what is read
    piece: int  # id
    chances: dict  # {id: probability}
    kind: str  # of the word, see frames.py


def hide_words(story, rng, share=0.15):
    """The words of a story, and the set of those to hide: each with the probability `share`."""
    words = [word for sentence in story.sentences for word in sentence]
    return words, {word for word in words if rng.random() < share}


def blanks(words, hidden, tokenizer):
    """The ids of a story's pieces, and a `Blank` for each piece of each hidden word.

    The oracle sees what a model sees, every word that is not hidden and a [MASK] for each piece of
    those that are, and knows every choice that the word in question does not depend on. So no model
    that reads the same text can be better on average.
    """
    seen = seen_by_choice(as_masks(w, tokenizer) if w in hidden else w for w in words)
    ids, found = [], []
    for word in words:
        pieces = tokenizer.ids(word.text)
        if word in hidden:
            chances = _chances_of_pieces(distribution(word, seen), tokenizer)
            for number, (piece, chance) in enumerate(zip(pieces, chances, strict=True)):
                found.append(Blank(len(ids) + number, piece, chance, word.kind))
        ids += pieces
    return ids, found


def windows(sentences, tokenizer, max_length):
    """The sentences of a story in few groups, about equally long, each with room in `max_length`.

    [CLS] and two [SEP] take room too.
    """
    lengths = [sum(len(tokenizer.ids(word.text)) for word in sentence) for sentence in sentences]
    room = max_length - 3
    if max(lengths) > room:
        raise ValueError(
            "Stories are read in whole sentences: max_length must have room for the longest and "
            f"three special pieces, {max(lengths) + 3}. Received: {max_length}"
        )
    count = math.ceil(sum(lengths) / room)
    while True:  # one more, should sentences fit badly
        which = (np.cumsum(lengths) - np.array(lengths) / 2) * count // sum(lengths)
        if np.bincount(which.astype(int), lengths).max() <= room:
            break
        count += 1
    return [
        [s for s, w in zip(sentences, which, strict=True) if w == window]
        for window in np.unique(which)
    ]


def blanks_in_windows(sentences, hidden, tokenizer, max_length):
    """The `Blank` of each hidden piece, for an oracle that reads one window at a time."""
    found = []
    for window in windows(sentences, tokenizer, max_length):
        words = [word for sentence in window for word in sentence]
        found += blanks(words, hidden, tokenizer)[1]
    return found


def as_masks(word, tokenizer):
    """What is seen of a hidden word: how many pieces it has."""
    return word.then(lambda text: "[MASK]" * len(tokenizer.ids(text)))


def _chances_of_pieces(texts, tokenizer):
    """{text: probability}, all of as many pieces -> [{id: probability}, ...] for each place."""
    cuts = [(tokenizer.ids(text), probability) for text, probability in texts.items()]
    chances = [Counter() for _ in cuts[0][0]]
    for pieces, probability in cuts:
        for chance, piece in zip(chances, pieces, strict=True):
            chance[piece] += probability
    return chances


def score_ceiling(found):
    """What the oracle may expect: the mean of its best chance, and of its entropy."""
    best = [max(blank.chances.values()) for blank in found]
    entropies = [-sum(p * np.log(p) for p in blank.chances.values()) for blank in found]
    return Score(float(np.mean(best)), float(np.mean(entropies)), len(found))


def score_oracle(found):
    """What the oracle gets when it guesses; near `score_ceiling`, or the ceiling is none."""
    right = [max(blank.chances, key=blank.chances.get) == blank.piece for blank in found]
    losses = [-np.log(blank.chances[blank.piece]) for blank in found]
    return Score(float(np.mean(right)), float(np.mean(losses)), len(found))
