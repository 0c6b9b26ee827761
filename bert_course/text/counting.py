"""What counting alone knows of a hidden piece: the guessers that a model must beat."""

from typing import NamedTuple

import numpy as np


class Score(NamedTuple):
    """How a guesser did on `count` blanks: share of right guesses, and -log P(truth) in nats."""

    accuracy: float
    cross_entropy: float
    count: int


class Counting:
    """P(piece | its neighbours) from counts; where a context is rare, a shorter one helps out.

    P(w | c) = (count(c w) + kinds(c) · P(w | shorter c)) / (count(c) + kinds(c)), where kinds(c) is
    the number of different pieces seen with c: the smoothing of Witten and Bell (1991).

    Args:
        documents: lists of ids.
        neighbours: where the context stands: () for none, (-1,) for the piece before, (-1, -2) for
            the two before, (-1, 1) for one on each side. A beginning of it is a shorter context.
    """

    def __init__(self, documents, vocabulary_size, neighbours):
        self.size = vocabulary_size
        self.neighbours = neighbours
        stream = self._padded(documents)
        self.tables = [self._count(stream, neighbours[:n]) for n in range(len(neighbours) + 1)]

    def _count(self, stream, neighbours):
        """{context: (ids, how often each stood there)}."""
        places = np.flatnonzero(stream < self.size)
        keys, counts = np.unique(self._key(stream, places, (*neighbours, 0)), return_counts=True)
        contexts, pieces = np.divmod(keys, self.size + 1)  # equal contexts stand side by side
        contexts, starts = np.unique(contexts, return_index=True)
        cuts = zip(np.split(pieces, starts[1:]), np.split(counts, starts[1:]), strict=True)
        return dict(zip(contexts.tolist(), cuts, strict=True))

    def _key(self, stream, places, neighbours):
        """One number for the pieces that stand at these distances from a place."""
        key = np.zeros(len(places), "int64")
        for distance in neighbours:
            key = key * (self.size + 1) + stream[places + distance]
        return key

    def _padded(self, documents):
        """One after the other, with a number that is no piece before and behind each."""
        edge = np.full(2, self.size)
        parts = [part for ids in documents for part in (edge, ids, edge)]
        return np.concatenate(parts, dtype="int64", casting="unsafe")  # [] is of floats

    def chances(self, ids, place):
        """(V,) P of every piece at `place`, told the true neighbours, be they hidden or not."""
        stream, places = self._padded([ids]), np.array([2 + place])
        chances = np.full(self.size, 1 / self.size)
        for length, table in enumerate(self.tables):
            context = int(self._key(stream, places, self.neighbours[:length])[0])
            if context in table:
                pieces, counts = table[context]
                chances *= len(counts)
                chances[pieces] += counts
                chances /= counts.sum() + len(counts)
        return chances

    def score(self, questions):
        """How it does on [(ids, place), ...], where the piece at `place` is the truth."""
        right, losses = [], []
        for ids, place in questions:
            chances = self.chances(ids, place)
            right.append(chances.argmax() == ids[place])
            losses.append(-np.log(chances[ids[place]]))
        return Score(float(np.mean(right)), float(np.mean(losses)), len(losses))
