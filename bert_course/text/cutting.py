"""Where documents are cut: into sentences that fit in a row, and runs of these into A and B."""

from typing import NamedTuple

import numpy as np


class Sentences(NamedTuple):
    """Sentences, or what stands for them: a document is cut in A and B where one of them starts."""

    starts: np.ndarray  # (sentences + 1,) places in ids; the last one is the end
    is_inside: np.ndarray  # (sentences + 1,) True for a part that starts inside its sentence
    document_starts: np.ndarray  # (documents + 1,) places in starts; the last one is the end


class Plan(NamedTuple):
    """For each of N pairs: where A and B stand in ids, how long they are, and B's shape."""

    first_starts: np.ndarray  # (N,)
    first_lengths: np.ndarray  # (N,)
    second_starts: np.ndarray  # (N,)
    second_lengths: np.ndarray  # (N,)
    shapes: np.ndarray  # (N,) equal where B has the same length, and begins and ends alike
    documents: np.ndarray  # (N,) the number of the document, rising
    document_ends: np.ndarray  # (N,) where that ends in ids

    def part(self, rows):
        return Plan(*(column[rows] for column in self))


def usable_sentences(documents, room):
    """Leave out empty sentences; cut those that are too long in half rows, those alone in two."""
    starts = np.asarray(documents.sentence_starts, "int64")
    document_starts = np.asarray(documents.document_starts, "int64")
    lengths = np.diff(starts)
    sizes = np.where(lengths < room, lengths, (room + 1) // 2)  # of the parts
    alone = is_alone(lengths, document_starts)
    sizes[alone] = np.minimum(sizes[alone], (lengths[alone] + 1) // 2)
    parts = -(-lengths // np.maximum(sizes, 1))  # rounded up; none of an empty sentence
    ends = np.append(0, np.cumsum(parts))
    part = np.arange(ends[-1]) - np.repeat(ends[:-1], parts)  # 0 for the first of a sentence, 1, …
    part_starts = np.repeat(starts, np.append(parts, 1))
    inside = np.flatnonzero(part)
    whole = np.searchsorted(ends, inside, "right") - 1  # the sentence that each of them is part of
    part_starts[inside] += part[inside] * sizes[whole]
    return Sentences(part_starts, np.append(part > 0, False), ends[document_starts])


def is_alone(lengths, document_starts):
    """(sentences,) whether a sentence is the only one in its document that is not empty."""
    not_empty = np.append(0, np.cumsum(lengths > 0))[document_starts]
    return np.repeat(np.diff(not_empty) == 1, np.diff(document_starts))


def cut_into_pairs(sentences, room, short_share, rng):
    """Each document from its beginning to its end, pair by pair -> `Plan`.

    The pair that starts at a sentence is computed for all sentences at once; what remains to be
    done in Python is to walk from the first pair to the one that follows it, and so on.
    """
    starts = sentences.starts
    begin, stop, document = find_runs(sentences, room, short_share, rng)
    split = begin + 1 + (rng.random(len(begin)) * (stop - begin - 1)).astype("int64")
    from_first, from_second = cut_surplus(starts, begin, split, stop, room)
    end = sentences.document_starts[document + 1]
    # A sentence whose end is cut begins the next pair, so that nothing is lost.
    chosen = walk(stop - ((from_second > 0) & (stop < end)))
    chosen = chosen[(stop - begin)[chosen] >= 2]  # one token alone cannot be cut in two
    begin, split, stop = begin[chosen], split[chosen], stop[chosen]
    first_starts = starts[begin] + from_first[chosen]
    second_lengths = starts[stop] - starts[split] - from_second[chosen]
    is_cut = (from_second[chosen] > 0) | sentences.is_inside[stop]
    return Plan(
        first_starts,
        starts[split] - first_starts,
        starts[split],
        second_lengths,
        second_lengths * 4 + is_cut * 2 + sentences.is_inside[split],
        document[chosen],
        starts[end[chosen]],
    )


def find_runs(sentences, room, short_share, rng):
    """For each sentence the run that a pair is made of, if one starts there: begin, stop, document.

    It has the target's length or more, and two sentences or more. Where the document ends too
    soon, the run goes to its end, and begins so much earlier.
    """
    here = np.arange(len(sentences.starts) - 1)
    document_starts = sentences.document_starts
    document = np.repeat(np.arange(len(document_starts) - 1), np.diff(document_starts))
    end = document_starts[document + 1]
    target = draw_targets(len(here), room, short_share, rng)
    stop = np.searchsorted(sentences.starts, sentences.starts[:-1] + target)
    stop = np.maximum(stop, here + 2)
    last = np.flatnonzero(stop > end)
    stop[last] = end[last]
    least = sentences.starts[end[last]] - target[last]
    back = np.searchsorted(sentences.starts, least, "right") - 1
    begin = here
    begin[last] = np.maximum(np.minimum(back, end[last] - 2), document_starts[document[last]])
    return begin, stop, document


def draw_targets(count, room, short_share, rng):
    """How many tokens a pair should have: as many as fit or, for 10 %, a random number of them."""
    targets = np.full(count, room)
    is_short = rng.random(count) < short_share
    targets[is_short] = rng.integers(2, room, np.count_nonzero(is_short), endpoint=True)
    return targets


def cut_surplus(starts, begin, split, stop, room):
    """How many tokens too many to cut from the beginning of A and from the end of B.

    From the longer half until both are equal, then from both; but never a whole sentence.
    """
    first, second = starts[split] - starts[begin], starts[stop] - starts[split]
    surplus = np.maximum(first + second - room, 0)
    from_first = np.clip((surplus + first - second) // 2, 0, surplus)
    # A run that reached back may begin with less than a sentence: that much was read before.
    from_first = np.where(begin < np.arange(len(begin)), surplus, from_first)
    from_first = np.minimum(from_first, starts[begin + 1] - starts[begin] - 1)
    return from_first, surplus - from_first


def walk(following):
    """0, following[0], following[following[0]], … to the end."""
    following = memoryview(following)  # a list would take four times as long
    visited, place = [], 0
    while place < len(following):
        visited.append(place)
        place = following[place]
    return np.array(visited, "int64")
