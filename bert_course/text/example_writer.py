"""Text -> pretraining examples on disk, by several processes and in little memory."""

import contextlib
import pathlib

import numpy as np

from bert_course.text.corpus_ids import (
    document_sizes,
    open_corpus_ids,
    some_documents,
    write_corpus_ids,
)
from bert_course.text.example_folder import (
    ARRAYS,
    VOCABULARY,
    check_may_be_written,
    put_in_place,
    workplace,
    write_header,
)
from bert_course.text.growing import GrowingArray
from bert_course.text.pairs import make_pairs, refuse_strange_length
from bert_course.text.seeds import PAIRS, as_count, generator

# Documents are paired in groups of at least so many ids, which take 15 MB of memory, and of so many
# documents.
GROUP = 2_000_000
FEWEST = 10


def write_examples(
    paths,
    tokenizer,
    folder,
    max_length=128,
    seed=0,
    processes=1,
    progress=None,
    *,
    copies=1,
    layout=None,
):
    """Text files -> a folder of pairs, not masked yet, which `open_examples` opens.

    First the text becomes ids on disk, in a folder beside; then, from there, groups of documents
    become pairs. No more is in memory than a few megabytes of text, or one group. The result is
    the same, byte for byte, whatever the number of processes. The folder appears when it is whole.
    Special pieces that are written in the text are left out.

    Args:
        paths, layout: see `read_documents`.
        tokenizer: a `WordPieceTokenizer`.
        folder: a new one, or one of examples, which is replaced.
        processes: how many turn text into ids. With more than one, a script has to stand under
            `if __name__ == "__main__":`, for each of them imports it.
        progress: called as progress("reading", bytes so far), then ("pairing", share done so far).
        copies: how often each document is made into pairs, each time with other strangers.

    Returns what header.json says.
    """
    settings = {
        "max_length": as_count(max_length, "max_length"),
        "seed": as_count(seed, "seed"),
        "copies": as_count(copies, "copies", 1),
        "lowercase": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
    }
    refuse_strange_length(settings["max_length"])
    folder = pathlib.Path(folder).expanduser().resolve()
    check_may_be_written(folder)
    with workplace(folder) as beside:
        ids, new = beside / "ids", beside / "examples"
        counts = write_corpus_ids(paths, tokenizer, ids, layout, processes, progress)
        new.mkdir()
        tokenizer.vocabulary.save(new / VOCABULARY)
        counts |= _write_pairs(ids, new, tokenizer.vocabulary, settings, progress)
        header = write_header(new, tokenizer.vocabulary, settings, counts)
        put_in_place(new, folder)
    return header


def _write_pairs(ids, folder, vocabulary, settings, progress):
    """Ids on disk -> pairs on disk; returns how many they are, and how full."""
    sizes = document_sizes(open_corpus_ids(ids))
    paired = tokens = 0
    with contextlib.ExitStack() as stack:
        arrays = {
            name: stack.enter_context(GrowingArray(folder / f"{name}.npy")) for name in ARRAYS
        }
        for copy in range(settings["copies"]):
            rng = generator(PAIRS, settings["seed"], copy)
            for numbers in draw_groups(sizes, rng):
                # Opened anew, so that what is read of the files for one group does not stay mapped.
                group = some_documents(open_corpus_ids(ids), numbers)
                pairs = make_pairs(group, vocabulary, settings["max_length"], rng)
                for name, array in arrays.items():
                    array.add(getattr(pairs, name))
                tokens += int(pairs.lengths.sum())
                paired += len(numbers)
                if progress:
                    progress("pairing", paired / len(sizes) / settings["copies"])
    rows = arrays["lengths"].rows
    return {"examples": rows, "tokens": tokens, "fill": tokens / (rows * settings["max_length"])}


def draw_groups(sizes, rng):
    """All documents, by number, in random order and in groups of GROUP ids or more.

    Strangers meet within a group: with random groups they come from the whole corpus, and yet only
    one group has to be in memory. (It takes no second process: this one pairs 50 million ids a
    second, while the text yields 2 million.)
    """
    order = rng.permutation(len(sizes))
    ends = np.cumsum(sizes[order])
    first, size_before = 0, 0
    for stop in range(FEWEST, len(order) - FEWEST + 1):
        size, size_after = ends[stop - 1] - size_before, ends[-1] - ends[stop - 1]
        if stop - first >= FEWEST and min(size, size_after) >= GROUP:
            yield order[first:stop]
            first, size_before = stop, ends[stop - 1]
    yield order[first:]
