"""Sentence A, and the one that follows or a stranger's: [CLS] A [SEP] B [SEP]."""

from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bert_course.text.cutting import cut_into_pairs, usable_sentences
from bert_course.text.strangers import IS_NEXT, NOT_NEXT, change_seconds

__all__ = ["IS_NEXT", "NOT_NEXT", "FlatDocuments", "Pairs", "make_pairs"]

SHORTEST, LONGEST = 5, 2**15  # of a row: its length is stored in 16 bits
ROWS_AT_A_TIME = 1024  # that many stay in the processor's cache


class FlatDocuments(NamedTuple):
    """Documents of sentences of ids, one after the other in one array, which may be on disk."""

    ids: np.ndarray  # (tokens,)
    sentence_starts: np.ndarray  # (sentences + 1,) places in ids; the last one is the end
    document_starts: np.ndarray  # (documents + 1,) places in sentence_starts; the last is the end

    @classmethod
    def from_lists(cls, documents):
        """Lists (documents) of lists (sentences) of lists of ids -> `FlatDocuments`."""
        sentences = list(chain.from_iterable(documents))
        return cls(
            ids=np.fromiter(chain.from_iterable(sentences), "uint32"),
            sentence_starts=np.cumsum([0, *map(len, sentences)]),
            document_starts=np.cumsum([0, *map(len, documents)]),
        )


@dataclass
class Pairs:
    """N rows of [CLS] A [SEP] B [SEP] and padding."""

    token_ids: np.ndarray  # (N, S)
    first_lengths: np.ndarray  # (N,) of [CLS] A [SEP]
    lengths: np.ndarray  # (N,) of the whole, without padding
    next_sentence_labels: np.ndarray  # (N,) IS_NEXT or NOT_NEXT

    def __len__(self):
        return len(self.token_ids)

    @property
    def padding_mask(self):
        """(N, S) True = real token."""
        return np.arange(self.token_ids.shape[1]) < self.lengths[:, None]

    @property
    def segment_ids(self):
        """(N, S) 0 for [CLS] A [SEP], 1 for B [SEP], 0 for padding."""
        after_first = np.arange(self.token_ids.shape[1]) >= self.first_lengths[:, None]
        return (after_first & self.padding_mask).astype("uint8")

    @property
    def fill(self):
        """The share of the positions that hold a real token."""
        return float(self.lengths.sum() / self.token_ids.size)


def make_pairs(documents, vocabulary, max_length=128, rng=0, short_share=0.1):
    """Cut all documents into pairs; then half of the pairs change their B with one another.

    A pair is a run of whole sentences of one document, as many as fill a row, cut into A and B
    between two of them. Half of all pairs, drawn at random, are to be NOT_NEXT: each of these gets
    the B of another one, from another document, which has the same length. So every text is A or B
    as often under either label, and the lengths are the same: no half alone betrays the label.

    What is too much for a row is cut from the longer half, at the beginning of A or the end of B,
    but never a whole sentence; a sentence whose end was cut begins the next pair. The last pair of
    a document reaches back until it is full, so short documents are read in part twice.

    Every sentence is in some pair, with these exceptions. Empty sentences, and documents of a
    single token, are left out. A sentence that is longer than a row is cut in half rows, and one
    that is alone in its document in two: a B that begins inside a sentence changes places with
    others that do. A document with more pairs than all others together gets some strangers more
    than once, and loses some of its own B. Where few pairs are alike, as in a small corpus, B may
    be cut, or go on in its document, to have the length of the one that it replaces.

    Paper: BERT (Devlin et al., 2018), §3.1 (task 2) and appendix A.2.
    Differs from the paper: Google's code draws a stranger's sentences anew, and their length with
    them; cuts at both ends of A and B, so that a true B need not begin where A ends; and draws 10 %
    of the documents, not of the pairs, to be short.

    Args:
        documents: `FlatDocuments`, or lists (documents) of lists (sentences) of lists of ids.
        vocabulary: a `Vocabulary`.
        max_length: S, with the three special pieces.
        rng: seed or numpy Generator; the same one gives the same pairs.
        short_share: of the pairs that need not fill a row, but have any length from 2 tokens on.
    """
    refuse_strange_length(max_length)
    _refuse_strange_share(short_share)
    if not isinstance(documents, FlatDocuments):
        documents = FlatDocuments.from_lists(documents)
    rng = np.random.default_rng(rng)
    room = max_length - 3  # beside [CLS], [SEP], [SEP]
    plan = cut_into_pairs(usable_sentences(documents, room), room, short_share, rng)
    _refuse_single_document(plan.documents)
    plan, labels = change_seconds(plan, rng)
    token_ids = lay_out(documents.ids, plan, vocabulary, max_length)
    first_lengths = (plan.first_lengths + 2).astype("uint16")
    lengths = (plan.first_lengths + plan.second_lengths + 3).astype("uint16")
    return Pairs(token_ids, first_lengths, lengths, labels)


def lay_out(ids, plan, vocabulary, max_length):
    """`Plan` -> (N, S) [CLS] A [SEP] B [SEP] and padding."""
    rows = np.empty((len(plan.documents), max_length), vocabulary.id_type)
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        some = slice(start, start + ROWS_AT_A_TIME)
        lay_out_some(rows[some], ids, plan.part(some), vocabulary)
    return rows


def lay_out_some(rows, ids, plan, vocabulary):
    places = np.arange(rows.shape[1], dtype="uint16")
    first_lengths = (plan.first_lengths + 2).astype("uint16")  # [CLS] A [SEP]
    lengths = (plan.first_lengths + plan.second_lengths + 3).astype("uint16")
    # Two whole rows of ids for each pair: A stands in its place in one, B in the other.
    with_first = read_rows(ids, plan.first_starts - 1, rows.shape[1])
    with_second = read_rows(ids, plan.second_starts - first_lengths, rows.shape[1])
    in_first = places < first_lengths[:, None]  # (N, S)
    # np.where(in_first, with_first, with_second) in 0.02 µs a row instead of 0.09 µs.
    both = with_second + in_first * (with_first - with_second)
    _refuse_strange_ids(both, vocabulary)
    rows[:] = both
    each = np.arange(len(rows))
    rows[:, 0] = vocabulary.cls
    rows[each, first_lengths - 1] = vocabulary.sep
    rows[each, lengths - 1] = vocabulary.sep
    short = np.flatnonzero(lengths < rows.shape[1])
    rows[short] = np.where(places < lengths[short, None], rows[short], vocabulary.pad)


def read_rows(ids, starts, length):
    """(N, length) what stands in ids from each start on; anything, where ids has nothing.

    Windows are copied whole: 0.01 µs a row, where to look up each id by its place takes 0.1 µs.
    """
    if len(ids) < length:
        ids = np.pad(ids, (0, length - len(ids)))
    within = np.clip(starts, 0, len(ids) - length)
    rows = sliding_window_view(ids, length)[within]
    for row in np.flatnonzero(within != starts):  # at the two ends of ids
        rows[row] = ids.take(np.arange(starts[row], starts[row] + length), mode="clip")
    return rows


def refuse_strange_length(max_length):
    if not SHORTEST <= max_length <= LONGEST:
        raise ValueError(
            f"max_length must lie between {SHORTEST}, for [CLS] A [SEP] B [SEP] with a token each "
            f"in A and B, and {LONGEST}; published models read 512. Received: {max_length}"
        )


def _refuse_strange_share(short_share):
    if not 0 <= short_share <= 1:
        raise ValueError(
            f"short_share must lie between 0 and 1, such as 0.1. Received: {short_share}"
        )


def _refuse_single_document(documents):
    found = len(np.unique(documents))
    if found < 2:
        raise ValueError(
            "A stranger's sentence comes from another document, so there must be two documents of "
            "two tokens or more; in a text file an empty line stands between two documents. "
            f"Received: {found}"
        )


def _refuse_strange_ids(ids, vocabulary):
    if ids.min() < 0 or ids.max() >= len(vocabulary):
        raise ValueError(
            f"Documents must hold numbers of the {len(vocabulary)} pieces of the vocabulary: "
            "encode the text with this vocabulary. Received: numbers from "
            f"{ids.min()} to {ids.max()}"
        )
