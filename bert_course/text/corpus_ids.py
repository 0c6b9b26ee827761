"""A corpus -> the ids of its word pieces, on disk: `FlatDocuments` larger than memory."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from bert_course.text.documents import read_lines
from bert_course.text.growing import GrowingArray
from bert_course.text.pairs import FlatDocuments
from bert_course.text.vocabulary import SPECIAL
from bert_course.text.workers import in_order

NAMES = ("ids", "sentence_starts", "document_starts")
LOT = 250_000  # bytes of text that a process is given at a time


class Lot(NamedTuple):
    """Some documents as ids: all of them in a row, and how long each sentence and document is."""

    ids: np.ndarray
    sentence_lengths: np.ndarray  # in ids
    document_lengths: np.ndarray  # in sentences
    layouts: Counter
    size: int


def write_corpus_ids(paths, tokenizer, folder, layout=None, processes=1, progress=None):
    """Text files -> the three arrays of `FlatDocuments`, in as many .npy files.

    Sentences of which nothing is left as ids are left out, and so are documents of such sentences.
    Returns how many of each there are, and how many ids are [UNK].
    """
    folder.mkdir()
    layouts, size, unknown = Counter(), 0, 0
    with (
        GrowingArray(folder / "ids.npy") as ids,
        GrowingArray(folder / "sentence_starts.npy") as sentence_starts,
        GrowingArray(folder / "document_starts.npy") as document_starts,
    ):
        sentence_starts.add(np.array([0], np.int64))
        document_starts.add(np.array([0], np.int64))
        lots = _lots(read_lines(paths, layout, min_documents=2))
        for lot in in_order(_encode, tokenizer, lots, processes):
            document_starts.add(sentence_starts.rows - 1 + np.cumsum(lot.document_lengths))
            sentence_starts.add(ids.rows + np.cumsum(lot.sentence_lengths))
            ids.add(lot.ids)
            layouts += lot.layouts
            size += lot.size
            unknown += int(np.count_nonzero(lot.ids == tokenizer.vocabulary.unk))
            if progress:
                progress("reading", size)
    if document_starts.rows < 3:
        raise ValueError(
            "At least 2 documents must have words that the tokenizer can read. "
            f"Received: {document_starts.rows - 1}"
        )
    return {
        "documents": document_starts.rows - 1,
        "layouts": layouts,
        "sentences": sentence_starts.rows - 1,
        "ids": ids.rows,
        "unknown": unknown,
    }


def open_corpus_ids(folder):
    return FlatDocuments(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES))


def document_sizes(documents):
    """(documents,) how many ids each has."""
    return np.diff(documents.sentence_starts[documents.document_starts])


def some_documents(documents, numbers):
    """`FlatDocuments` of the documents with these numbers, in their order."""
    ids, sentence_lengths, document_lengths = [], [[0]], [0]
    for number in numbers:
        first, last = documents.document_starts[number : number + 2]
        starts = documents.sentence_starts[first : last + 1]
        ids.append(documents.ids[starts[0] : starts[-1]])
        sentence_lengths.append(np.diff(starts))
        document_lengths.append(last - first)
    return FlatDocuments(
        np.concatenate(ids),
        np.cumsum(np.concatenate(sentence_lengths)),
        np.cumsum(document_lengths),
    )


def _lots(documents):
    lot, size = [], 0
    for document in documents:
        lot.append(document)
        size += document.size
        if size >= LOT:
            yield lot
            lot, size = [], 0
    if lot:
        yield lot


def _encode(tokenizer, documents):
    ids, sentence_lengths, document_lengths, layouts = [], [], [], Counter()
    for document in documents:
        sentences = [_ordinary_ids(sentence, tokenizer) for sentence in document.sentences]
        lengths = [len(sentence) for sentence in sentences if sentence]
        if lengths:
            ids.extend(sentences)
            sentence_lengths.extend(lengths)
            document_lengths.append(len(lengths))
            layouts[document.layout] += 1
    return Lot(
        _as_array(ids, tokenizer.vocabulary),
        np.array(sentence_lengths, np.int64),
        np.array(document_lengths, np.int64),
        layouts,
        sum(document.size for document in documents),
    )


def _ordinary_ids(sentence, tokenizer):
    """Without special pieces: a [SEP] that stands in a text would end A, a [MASK] ask nothing."""
    ids = tokenizer.ids(sentence)
    if "[" not in sentence:
        return ids
    special = {tokenizer.vocabulary.ids[piece] for piece in SPECIAL} - {tokenizer.vocabulary.unk}
    return [number for number in ids if number not in special]


def _as_array(sentences, vocabulary):
    ids = np.concatenate([np.array(sentence, np.int64) for sentence in [[], *sentences]])
    if ids.size and not 0 <= ids.min() <= ids.max() < len(vocabulary):
        raise ValueError(
            "A tokenizer gives ids of its own vocabulary, from 0 to "
            f"{len(vocabulary) - 1}. Received: {ids.min()} to {ids.max()}"
        )
    return ids.astype(vocabulary.id_type)
