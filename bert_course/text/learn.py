"""Texts -> a WordPiece vocabulary: letters, and what is gained by joining them."""

from collections import Counter
from itertools import pairwise

import numpy as np

from bert_course.text.vocabulary import SPECIAL
from bert_course.text.words import (
    LONGEST_WORD,
    Readings,
    is_chinese,
    is_punctuation,
    split_words,
)


def learn_vocabulary(texts, size, lowercase=True, strip_accents=None, most_characters=1000):
    """Beginning with letters, join again and again the two neighbours that gain most.

    What is gained by joining a and b, which stand side by side n times, is the logarithm of the
    corpus's likelihood, n·log(n / expected), where expected = count(a)·count(b) / count(all) is
    how often chance would put them side by side.

    Paper: Japanese and Korean Voice Search (Schuster and Nakajima, 2012), §3.
    Differs from the paper: the gain counts what happens to n pairs, and not that a and b become
    rarer elsewhere. Without the factor n, as in many tutorials, the first joined are the rarest:
    8,000 pieces from 5 MB of novels need 2.28 pieces for a word of other chapters; with it, 1.10.

    Args:
        texts: strings; an iterator will do.
        size: of the vocabulary. It is smaller if no further join gains anything.
        lowercase, strip_accents: as in `WordPieceTokenizer`.
        most_characters: words with any but the most frequent ones teach nothing.

    Returns the list of pieces: special ones, characters, then joined ones as they were found. The
    same texts, in whatever order, give the same list.
    """
    words = count_words(texts, Readings(lowercase, strip_accents))
    alphabet = choose_alphabet(words, most_characters)
    pieces = [*SPECIAL, *alphabet]
    if size < len(pieces):
        raise ValueError(
            "size must leave room for the special pieces and for each character, alone and after "
            f"##: ask for more, or for fewer characters with most_characters. Received: {size}, "
            f"where {len(pieces)} are needed"
        )
    corpus = Corpus(words, alphabet)
    while len(pieces) < size and (pair := corpus.best_pair()):
        pieces.append(corpus.join(pair))  # a new one: the same letters are joined in the same order
    return pieces


def count_words(texts, readings):
    """{word: how often}, without special pieces and words so long that they are unknown anyway."""
    chunks, words = Counter(), Counter()
    for text in texts:
        chunks.update(text.split(" "))
    for chunk, count in chunks.items():  # each is split once, however often it occurs
        for word in split_words(chunk, readings):
            if word not in SPECIAL and len(word) <= LONGEST_WORD:
                words[word] += count
    return words


def choose_alphabet(words, most):
    """The most frequent characters, and the same as they continue a word, in order."""
    characters = Counter()
    for word, count in words.items():
        for character in word:
            characters[character] += count
    by_count = sorted(characters, key=lambda character: (-characters[character], character))
    kept = sorted(by_count[:most])
    continuing = [f"##{c}" for c in kept if not (is_punctuation(c) or is_chinese(c))]
    return [*kept, *continuing]


class Corpus:
    """Words cut into pieces, and how often pieces and pairs of neighbours occur."""

    def __init__(self, words, alphabet):
        self.texts = list(alphabet)  # of the pieces; elsewhere they are numbers
        self.counts = [0] * len(alphabet)  # of the pieces
        self.rows = {}  # {(left, right): row of the arrays below}
        self.neighbours = np.zeros((1024, 2), int)
        self.pair_counts = np.zeros(1024, int)
        self.words_with = []  # for each row, the words where the pair stands, or once stood
        self.cuts, self.weights = [], []
        numbers = {text: number for number, text in enumerate(alphabet)}
        for word, count in words.items():
            letters = [word[0], *(f"##{letter}" for letter in word[1:])]
            if all(letter in numbers for letter in letters):
                self.cuts.append([numbers[letter] for letter in letters])
                self.weights.append(count)
                self._count(len(self.cuts) - 1, count)

    def _count(self, word, weight):
        """Add the pieces and pairs of a word to the counts, or take them away."""
        for number in self.cuts[word]:
            self.counts[number] += weight
        for pair in pairwise(self.cuts[word]):
            row = self.rows.setdefault(pair, len(self.rows))
            if row == len(self.words_with):
                self._add_row(pair)
            self.pair_counts[row] += weight
            self.words_with[row].add(word)

    def _add_row(self, pair):
        row = len(self.words_with)
        if row == len(self.pair_counts):
            self.neighbours = np.concatenate([self.neighbours, np.zeros_like(self.neighbours)])
            self.pair_counts = np.concatenate([self.pair_counts, np.zeros_like(self.pair_counts)])
        self.neighbours[row] = pair
        self.words_with.append(set())

    def gains(self):
        """n·log(n / expected) of every pair."""
        counts = np.array(self.counts, float)
        left, right = self.neighbours[: len(self.rows)].T
        expected = counts[left] * counts[right] / counts.sum()
        n = self.pair_counts[: len(self.rows)]
        return n * np.log(np.maximum(n, 1) / np.maximum(expected, 1e-9))  # 0 where n is 0

    def best_pair(self):
        """The (left, right) that gains most; of equally good ones the first in the alphabet."""
        gains = self.gains()
        best = gains.max(initial=0)
        if best < 1e-6:  # nothing, or what rounding makes of nothing
            return None
        # Not ==: the last digit of a logarithm may differ between machines.
        equals = self.neighbours[np.flatnonzero(gains >= best * (1 - 1e-9))].tolist()
        return min(map(tuple, equals), key=lambda pair: [self.texts[number] for number in pair])

    def join(self, pair):
        """Make one piece of these neighbours wherever they stand; answers with its text."""
        left, right = pair
        new = len(self.texts)
        self.texts.append(self.texts[left] + self.texts[right].removeprefix("##"))
        self.counts.append(0)
        for word in list(self.words_with[self.rows[pair]]):
            self._count(word, -self.weights[word])
            self.cuts[word] = joined(self.cuts[word], left, right, new)
            self._count(word, self.weights[word])
        return self.texts[new]


def joined(cut, left, right, new):
    """[…, left, right, …] -> […, new, …]"""
    pieces = []
    for number in cut:
        if pieces and number == right and pieces[-1] == left:
            pieces[-1] = new
        else:
            pieces.append(number)
    return pieces
