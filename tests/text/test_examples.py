"""Examples on disk: what is in them, what a batch is, what is refused, and what a kill leaves."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_course.text import corpus_ids, example_writer
from bert_course.text.corpus_ids import document_sizes, some_documents
from bert_course.text.example_folder import put_in_place, workplace
from bert_course.text.example_writer import draw_groups
from bert_course.text.examples import open_examples, write_examples
from bert_course.text.growing import GrowingArray
from bert_course.text.masking import mask_tokens
from bert_course.text.pairs import FlatDocuments
from bert_course.text.seeds import generator
from bert_course.text.vocabulary import SPECIAL
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.text.workers import in_order

DOCUMENTS = [f"d{number}" for number in range(60)]  # each sentence begins with that of its document
WORDS = [f"w{number}" for number in range(40)]
PIECES = [*SPECIAL, "[unused0]", ".", *DOCUMENTS, *WORDS]


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(PIECES)


def corpus_text(documents=12, sentences=8, seed=0):
    rng = np.random.default_rng(seed)
    lines = []
    for document in range(documents):
        for _ in range(sentences):
            words = rng.choice(WORDS, rng.integers(2, 9))
            lines.append(f"{DOCUMENTS[document % len(DOCUMENTS)]} {' '.join(words)} .")
        lines.append("")
    return "\n".join(lines) + "\n"


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(corpus_text(), "utf-8")
    return path


@pytest.fixture
def folder(tmp_path, corpus, tokenizer):
    write_examples([corpus], tokenizer, tmp_path / "examples", max_length=32)
    return tmp_path / "examples"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# ------------------------------------------------------------------------------- what is written


def test_a_folder_of_examples(folder, tokenizer):
    header = json.loads((folder / "header.json").read_text("utf-8"))
    assert header["format"] == "bert_course examples"
    assert header["vocabulary"] == tokenizer.vocabulary.sha256
    assert (header["documents"], header["sentences"]) == (12, 96)
    assert header["layouts"] == {"sentences": 12}
    assert sorted(contents(folder)) == sorted([*header["files"], "header.json"])
    lengths = np.load(folder / "lengths.npy")
    assert header["examples"] == len(lengths)
    assert header["fill"] == pytest.approx(lengths.sum() / (32 * len(lengths)))


def test_an_example_is_two_segments_and_its_label_says_whether_they_belong_together(folder):
    examples = open_examples(folder)
    vocabulary, arrays = examples.vocabulary, examples.arrays
    document_ids = [vocabulary.ids[name] for name in DOCUMENTS]
    labels = set()
    for n in range(len(examples)):
        ids = arrays["token_ids"][n].tolist()
        first, length = int(arrays["first_lengths"][n]), int(arrays["lengths"][n])
        a, b = ids[1 : first - 1], ids[first : length - 1]
        assert ids[0] == vocabulary.cls
        assert ids[first - 1] == ids[length - 1] == vocabulary.sep
        assert set(ids[length:]) <= {vocabulary.pad}
        from_a, from_b = ({i for i in segment if i in document_ids} for segment in (a, b))
        label = int(arrays["next_sentence_labels"][n])
        labels.add(label)
        if from_a and from_b:  # truncation may take the name of the document
            assert (from_a == from_b) == (label == 0)
    assert labels == {0, 1}


def test_the_number_of_processes_changes_nothing(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(corpus_ids, "LOT", 500)
    monkeypatch.setattr(example_writer, "GROUP", 100)
    path = tmp_path / "corpus.txt"
    path.write_text(corpus_text(documents=30), "utf-8")
    for processes in (1, 3):
        write_examples([path], tokenizer, tmp_path / str(processes), 32, processes=processes)
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_neither_does_the_size_of_the_lots_but_the_seed_does(
    corpus, tmp_path, tokenizer, monkeypatch
):
    for name, lot, seed in (("a", 10, 0), ("b", 10**6, 0), ("c", 10**6, 1)):
        monkeypatch.setattr(corpus_ids, "LOT", lot)
        write_examples([corpus], tokenizer, tmp_path / name, 32, seed)
    a, b, c = (contents(tmp_path / name)["token_ids.npy"] for name in "abc")
    assert a == b != c


def test_copies_are_other_pairs_of_the_same_documents(corpus, tmp_path, tokenizer):
    for copies in (1, 3):
        write_examples([corpus], tokenizer, tmp_path / str(copies), 32, copies=copies)
    once, thrice = (np.load(tmp_path / n / "token_ids.npy") for n in ("1", "3"))
    assert 2 * len(once) < len(thrice) < 4 * len(once)
    np.testing.assert_array_equal(thrice[: len(once)], once)
    assert len(np.unique(thrice, axis=0)) > 2 * len(once)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=30), st.integers(1, 40), st.integers(1, 5))
def test_each_document_is_in_one_group_and_no_group_is_small(sizes, group, fewest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example_writer, "GROUP", group)
        patch.setattr(example_writer, "FEWEST", fewest)
        groups = list(draw_groups(np.array(sizes), np.random.default_rng(0)))
    assert sorted(np.concatenate(groups)) == list(range(len(sizes)))
    if len(groups) > 1:
        assert min(len(numbers) for numbers in groups) >= fewest
        assert min(sum(sizes[n] for n in numbers) for numbers in groups) >= group


def test_groups_are_no_larger_than_twice_what_they_must_be_and_not_in_the_order_of_the_text():
    sizes = np.full(1000, 5000)
    groups = list(draw_groups(sizes, np.random.default_rng(0)))
    assert len(groups) == 2
    assert max(sizes[numbers].sum() for numbers in groups) < 2 * example_writer.GROUP
    assert abs(np.mean(groups[0]) - np.mean(groups[1])) < 50


def test_some_documents_are_the_same_as_in_lists():
    lists = [[[1, 2], [3]], [[4]], [[5, 6, 7], [8], [9, 10]]]
    documents = FlatDocuments.from_lists(lists)
    np.testing.assert_array_equal(document_sizes(documents), [3, 1, 6])
    for numbers in ([2, 0], [1], [0, 1, 2]):
        expected = FlatDocuments.from_lists([lists[n] for n in numbers])
        for array, other in zip(some_documents(documents, numbers), expected, strict=True):
            np.testing.assert_array_equal(array, other)


def test_sentences_without_words_are_left_out(tmp_path, tokenizer):
    path = tmp_path / "corpus.txt"
    path.write_text("d1 w1 .\n\u200d\nd1 w2 .\n\n\u200d\n\nd2 w3 .\nd2 w4 .\n", "utf-8")
    header = write_examples([path], tokenizer, tmp_path / "examples", 32)
    assert (header["documents"], header["sentences"], header["ids"]) == (2, 4, 12)


def test_special_pieces_in_the_text_are_left_out(tmp_path, tokenizer):
    (tmp_path / "corpus.txt").write_text("d1 [SEP] w1 [MASK]\nd1 w2 [nothing]\n\nd2 w3\nd2 w4\n")
    header = write_examples([tmp_path / "corpus.txt"], tokenizer, tmp_path / "new", max_length=16)
    examples = open_examples(tmp_path / "new")
    special = [tokenizer.vocabulary.ids[piece] for piece in ("[SEP]", "[MASK]")]
    found = np.isin(examples.arrays["token_ids"], special).sum(axis=1)
    assert np.all(found == 2)  # the two [SEP] of a pair
    assert header["unknown"] == 3  # [, nothing and ] are unknown words


def test_the_tokenizer_that_cut_the_text_comes_with_it(tmp_path, corpus):
    cased = WordPieceTokenizer(PIECES, lowercase=False)
    write_examples([corpus], cased, tmp_path / "new", max_length=32)
    tokenizer = open_examples(tmp_path / "new").tokenizer
    assert (tokenizer.lowercase, tokenizer.strip_accents) == (False, False)
    assert tokenizer.vocabulary.pieces == PIECES


def test_a_pickle_of_examples_is_small_and_gives_the_same_batches(folder):
    examples = open_examples(folder, batch_size=8, seed=3, slots=4, fixed_masks=True)
    pickled = pickle.dumps(examples)
    assert len(pickled) < 1000
    again = pickle.loads(pickled).batch(5)
    assert all(np.array_equal(again[name], array) for name, array in examples.batch(5).items())


def test_a_folder_that_was_put_aside_by_a_run_that_was_killed_comes_back(folder, corpus, tokenizer):
    before = contents(folder)
    aside = folder.with_name(".examples.partial") / "replaced"
    aside.parent.mkdir()
    folder.rename(aside)
    with pytest.raises(ValueError, match="max_length"):  # a run that comes to nothing
        write_examples([corpus], tokenizer, folder, max_length=3)
    (corpus.parent / "empty.txt").write_text("")
    with pytest.raises(ValueError, match="empty"):
        write_examples([corpus.parent / "empty.txt"], tokenizer, folder, max_length=32)
    assert contents(folder) == before


def test_progress_is_told(corpus, tmp_path, tokenizer):
    told = []
    progress = lambda *what: told.append(what)  # noqa: E731
    write_examples([corpus], tokenizer, tmp_path / "examples", 32, progress=progress)
    assert told == [("reading", corpus.stat().st_size), ("pairing", 1.0)]


def peak_while_writing(tmp_path, tokenizer, documents):
    path = tmp_path / "corpus.txt"
    path.write_text(corpus_text(documents), "utf-8")
    tracemalloc.start()
    write_examples([path], tokenizer, tmp_path / "examples", 32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_corpus(tmp_path, tokenizer, monkeypatch):
    """But by a few numbers a document: 1,500 documents more are less than 150 kB more."""
    monkeypatch.setattr(corpus_ids, "LOT", 20_000)
    monkeypatch.setattr(example_writer, "GROUP", 5_000)
    peaks = [peak_while_writing(tmp_path, tokenizer, n) for n in (300, 1800)]
    assert peaks[1] < peaks[0] + 150_000
    monkeypatch.setattr(corpus_ids, "LOT", 10**9)  # and this is what growing looks like
    assert peak_while_writing(tmp_path, tokenizer, 1800) > peaks[1] + 500_000


# ---------------------------------------------------------------------------------- what is read


def same(batch, other):
    return batch.keys() == other.keys() and all(np.array_equal(batch[k], other[k]) for k in batch)


def test_a_batch(folder):
    examples = open_examples(folder, batch_size=4)
    batch, numbers = examples.batch(0), examples.numbers(0)
    arrays = {name: array[numbers] for name, array in examples.arrays.items()}
    places = np.arange(32)
    for row in range(4):
        first, length = (int(arrays[name][row]) for name in ("first_lengths", "lengths"))
        np.testing.assert_array_equal(batch["padding_mask"][row], places < length)
        segments = [0] * first + [1] * (length - first) + [0] * (32 - length)
        np.testing.assert_array_equal(batch["segment_ids"][row], segments)
    np.testing.assert_array_equal(batch["next_sentence_labels"], arrays["next_sentence_labels"])
    rows, slots = np.nonzero(batch["masked_weights"])
    positions, labels = batch["masked_positions"][rows, slots], batch["masked_labels"][rows, slots]
    np.testing.assert_array_equal(labels, arrays["token_ids"][rows, positions])
    restored = batch["token_ids"].copy()
    restored[rows, positions] = labels
    np.testing.assert_array_equal(restored, arrays["token_ids"])
    assert (batch["token_ids"] != arrays["token_ids"]).any()
    types = {name: array.dtype.name for name, array in batch.items()}
    assert types.pop("padding_mask") == "bool"
    assert types.pop("masked_weights") == "float32"
    assert set(types.values()) == {"int32"}


def test_a_batch_is_a_function_of_seed_and_step(folder):
    examples = open_examples(folder, batch_size=5)
    steps = [0, 40, 3, 7, 3, 0, 41, 1000]
    batches = [examples.batch(step) for step in steps]
    for step, batch in zip(steps, batches, strict=True):
        assert same(batch, open_examples(folder, batch_size=5).batch(step))
    assert not same(batches[0], batches[1])
    assert not same(batches[0], open_examples(folder, batch_size=5, seed=1).batch(0))


@pytest.mark.parametrize("batch_size", [1, 3, 8, 1000])
def test_each_example_comes_once_before_any_comes_again(folder, batch_size):
    examples = open_examples(folder, batch_size=batch_size)
    count = len(examples)
    steps = 3 * examples.steps_per_epoch
    numbers = np.concatenate([examples.numbers(step) for step in range(steps)])
    epochs = [numbers[start : start + count] for start in range(0, 3 * count, count)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(count))
    assert not np.array_equal(epochs[0], epochs[1])
    assert examples.steps_per_epoch * batch_size >= count
    assert (examples.steps_per_epoch - 1) * batch_size < count


def masks_of_each_example(examples, steps):
    masks = {}
    for step in steps:
        batch = examples.batch(step)
        for row, number in enumerate(examples.numbers(step)):
            mask = {name: tuple(batch[name][row]) for name in ("token_ids", "masked_positions")}
            masks.setdefault(int(number), []).append(mask)
    return masks.values()


def test_masks_are_others_each_time_unless_they_are_fixed(folder):
    for fixed in (False, True):
        examples = open_examples(folder, batch_size=7, fixed_masks=fixed)
        masks = masks_of_each_example(examples, range(3 * examples.steps_per_epoch))
        share_of_same = np.mean([all(m == seen[0] for m in seen) for seen in masks])
        assert share_of_same == 1 if fixed else share_of_same < 0.1
    examples = open_examples(folder, batch_size=7, fixed_masks=True, seed=1)
    other = masks_of_each_example(examples, range(3 * examples.steps_per_epoch))
    assert list(masks) != list(other)


def test_slots_and_whole_words_are_those_of_mask_tokens(folder):
    examples = open_examples(folder, batch_size=4, slots=3, whole_words=True)
    token_ids = examples.arrays["token_ids"][examples.numbers(2)]
    rng = generator(2, 0, 2)
    expected = mask_tokens(token_ids, rng, examples.vocabulary, slots=3, whole_words=True)
    np.testing.assert_array_equal(examples.batch(2)["token_ids"], expected.inputs)
    assert examples.batch(2)["masked_positions"].shape == (4, 3)


def test_no_purpose_shares_its_random_numbers_with_another():
    first = {tuple(generator(purpose, 0, 1).integers(2**32, size=2)) for purpose in range(3)}
    assert len(first) == 3


@pytest.mark.parametrize(("fixed_masks", "limit"), [(False, 0.005), (True, 0.01)])
def test_a_batch_takes_milliseconds(tmp_path, course_data, fixed_masks, limit):
    """Of the processor's time; a training step of the smallest model takes a hundred or more."""
    tokenizer = WordPieceTokenizer(course_data / "vocab" / "bert-base-uncased.vocab.txt")
    books = sorted((course_data / "books").glob("l-frank-baum*"))
    write_examples(books, tokenizer, tmp_path / "examples")
    examples = open_examples(tmp_path / "examples", fixed_masks=fixed_masks)
    examples.batch(0)  # draws the order
    times = []
    for step in range(1, 30):
        start = time.process_time()
        examples.batch(step)
        times.append(time.process_time() - start)
    assert min(times) < limit


# ------------------------------------------------------------------------- what is not written


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"max_length": 4}, "max_length must lie between 5.*and 32768.*Received: 4"),
        ({"max_length": 70_000}, "max_length must lie between 5.*Received: 70000"),
        ({"max_length": 16.0}, "max_length must be a whole number, 0 or more. Received: 16.0"),
        ({"copies": 0}, "copies must be a whole number, 1 or more. Received: 0"),
        ({"seed": -1}, "seed must be a whole number, 0 or more. Received: -1"),
        ({"seed": 0.5}, "seed must be a whole number, 0 or more. Received: 0.5"),
        ({"processes": 0}, "At least one process has to do the work. Received: 0"),
        ({"layout": "words"}, "The layout is one of"),
    ],
)
def test_settings_that_make_no_sense(corpus, tmp_path, tokenizer, arguments, expected):
    with pytest.raises(ValueError, match=expected):
        write_examples([corpus], tokenizer, tmp_path / "examples", **{"max_length": 32} | arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_a_tokenizer_that_makes_up_ids(corpus, tmp_path, tokenizer):
    tokenizer.ids = lambda text: [1, 2, len(PIECES)]
    with pytest.raises(ValueError, match=f"0 to {len(PIECES) - 1}. Received: 1 to {len(PIECES)}"):
        write_examples([corpus], tokenizer, tmp_path / "examples")


def test_text_in_which_the_tokenizer_finds_no_word(tmp_path, tokenizer):
    path = tmp_path / "corpus.txt"
    path.write_text("d1 w1 .\n\n\u200d\n", "utf-8")
    with pytest.raises(ValueError, match=r"2 documents must have words.*Received: 1"):
        write_examples([path], tokenizer, tmp_path / "examples")


def test_a_fault_in_the_text_reaches_us_from_another_process(tmp_path, tokenizer):
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"d1 w1 .\n\nd2 w2 \xff.\n")
    with pytest.raises(ValueError, match=r"UTF-8.*line 3"):
        write_examples([path], tokenizer, tmp_path / "examples", processes=2)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


def test_examples_are_replaced(corpus, folder, tokenizer):
    before = contents(folder)
    write_examples([corpus], tokenizer, folder, max_length=16)
    assert open_examples(folder).batch(0)["token_ids"].shape == (32, 16)
    assert contents(folder).keys() == before.keys()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["corpus.txt", "examples"]


def test_an_empty_folder_is_free(corpus, tmp_path, tokenizer):
    (tmp_path / "examples").mkdir()
    write_examples([corpus], tokenizer, tmp_path / "examples", max_length=32)
    open_examples(tmp_path / "examples")


@pytest.mark.parametrize("name", ["notes.txt", "header.json", "config.json"])
def test_a_folder_of_other_things_is_not_replaced(corpus, tmp_path, tokenizer, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("{}")
    with pytest.raises(ValueError, match=f"choose a new one.*mine, which holds {name}"):
        write_examples([corpus], tokenizer, tmp_path / "mine")
    assert (tmp_path / "mine" / name).read_text() == "{}"


def test_examples_with_something_else_beside_them_are_not_replaced(corpus, folder, tokenizer):
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"which holds notes.txt"):
        write_examples([corpus], tokenizer, folder)
    open_examples(folder)


def test_a_file_is_not_replaced(corpus, tokenizer):
    with pytest.raises(ValueError, match=r"written as a folder. Received: .*corpus.txt"):
        write_examples([corpus], tokenizer, corpus)


def test_two_runs_do_not_write_the_same_folder(corpus, tmp_path, tokenizer):
    with (
        workplace(tmp_path / "examples"),
        pytest.raises(ValueError, match="One run at a time writes a folder"),
    ):
        write_examples([corpus], tokenizer, tmp_path / "examples")
    write_examples([corpus], tokenizer, tmp_path / "examples", max_length=32)


def test_what_was_there_comes_back_if_the_new_folder_cannot_take_its_place(folder, tmp_path):
    before = contents(folder)
    with pytest.raises(OSError, match="new"):
        put_in_place(tmp_path / "new", folder)
    assert contents(folder) == before


# -------------------------------------------------------------------------- what is not opened


def change_header(folder, **changes):
    path = folder / "header.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def cut(folder, name, by=1):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-by])


def rewrite(folder, name, old, new):
    path = folder / name
    path.write_bytes(path.read_bytes().replace(old, new, 1))


FAULTS = {
    "no folder": (shutil.rmtree, "Examples lie in a folder.*which is no folder"),
    "no header": (lambda f: (f / "header.json").unlink(), "header.json that says so"),
    "header cut": (lambda f: cut(f, "header.json", 9), "header.json that says so"),
    "another format": (lambda f: change_header(f, format="x"), "header.json that says so"),
    "another version": (lambda f: change_header(f, version=2), "version 1.*of version 2"),
    "no array": (lambda f: (f / "lengths.npy").unlink(), "lengths.npy, which is not there"),
    "array cut": (lambda f: cut(f, "token_ids.npy"), r"token_ids.npy, which has \d+"),
    "array empty": (lambda f: (f / "token_ids.npy").write_bytes(b""), "which has 0"),
    "vocabulary cut": (lambda f: cut(f, "vocab.txt"), "vocab.txt must have the"),
    "other vocabulary": (
        lambda f: (f / "vocab.txt").write_bytes(
            (f / "vocab.txt").read_bytes().replace(b"w1", b"x1")
        ),
        "must stay as it was.*vocab.txt, changed since",
    ),
    "header without files": (lambda f: change_header(f, files={}), "must say what it said"),
    "header without settings": (lambda f: change_header(f, settings=[]), "must say what it said"),
    "header with words": (lambda f: change_header(f, examples="3"), "must say what it said"),
    "array of another kind": (
        lambda f: rewrite(f, "token_ids.npy", b"<u2", b"<f2"),
        "token_ids.npy must be an array of whole numbers",
    ),
    "array without a beginning": (
        lambda f: rewrite(f, "lengths.npy", b"NUMPY", b"\0" * 5),
        "lengths.npy must be an array of whole numbers",
    ),
    "other count": (lambda f: change_header(f, examples=3), r"shape \(3, 32\) that header.json"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_that_is_not_whole_is_refused(folder, fault):
    damage, expected = FAULTS[fault]
    damage(folder)
    with pytest.raises(ValueError, match=expected):
        open_examples(folder)


def test_a_changed_byte_is_found_by_its_hash(folder):
    examples = open_examples(folder)
    examples.check_hashes()
    path = folder / "first_lengths.npy"
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    with pytest.raises(ValueError, match=r"first_lengths.npy must have the sha256"):
        open_examples(folder).check_hashes()


@pytest.mark.parametrize(
    ("arguments", "step", "expected"),
    [
        ({"batch_size": 0}, 0, "batch_size must be a whole number, 1 or more. Received: 0"),
        ({"seed": "x"}, 0, "seed must be a whole number, 0 or more. Received: 'x'"),
        ({"slots": 0}, 0, "slots must be a whole number, 1 or more. Received: 0"),
        ({"slots": 2.5}, 0, "slots must be a whole number, 1 or more. Received: 2.5"),
        ({"slots": 33}, 0, "slots must be 32 or fewer: a row has no more. Received: 33"),
        ({}, -1, "step must be a whole number, 0 or more. Received: -1"),
        ({}, 1.0, "step must be a whole number, 0 or more. Received: 1.0"),
    ],
)
def test_batches_that_there_are_not(folder, arguments, step, expected):
    with pytest.raises(ValueError, match=expected):
        open_examples(folder, **arguments).batch(step)


# ------------------------------------------------------------------------------- what kills leave

# A run that kills itself at its k-th dealing with the file system, for k = 1, 2, …: each in a
# process of its own, forked from one that has no threads.
KILLS = """
import os, signal, sys
from bert_course.text.examples import write_examples
from bert_course.text.wordpiece import WordPieceTokenizer

corpus, folder, vocabulary = sys.argv[1:]
tokenizer = WordPieceTokenizer(vocabulary)

def run_and_die_at(k):
    left = k
    def watch(event, arguments):
        nonlocal left
        if event == "open" or event.startswith(("os.", "shutil.")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)
    write_examples([corpus], tokenizer, folder, max_length=32, seed=1)
    os._exit(0)

k, status = 0, None
while status != 0:
    k += 1
    child = os.fork()
    if not child:
        run_and_die_at(k)
    status = os.waitpid(child, 0)[1]
    print(status, flush=True)
    sys.stdin.readline()
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")


@needs_fork
def test_killed_at_any_touch_of_the_disk_no_folder_that_opens_is_wrong(corpus, tmp_path, tokenizer):
    """Each run replaces examples of seed 0 by those of seed 1, and finds what the last one left."""
    tokenizer.vocabulary.save(tmp_path / "vocab.txt")
    folder, old, new = (tmp_path / name for name in ("examples", "old", "new"))
    for seed, whole in enumerate([old, new]):
        write_examples([corpus], tokenizer, whole, max_length=32, seed=seed)
    shutil.copytree(old, folder)
    found = []
    command = [sys.executable, "-c", KILLS, corpus, folder, tmp_path / "vocab.txt"]
    with subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        while line := process.stdout.readline():
            status = int(line)
            found.append("none")
            if folder.exists():
                open_examples(folder).check_hashes()
                found[-1] = "old" if contents(folder) == contents(old) else "new"
                assert contents(folder) == contents(tmp_path / found[-1])
            if status != 0 and found[-1] != "old":
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(old, folder)
            process.stdin.write("\n")
            process.stdin.flush()
    assert (process.returncode, status) == (0, 0)
    # The old ones for long; none between two renames; then the new ones, while the rest is removed.
    assert set(found) == {"old", "none", "new"}
    assert min(found.count("old"), found.count("new")) > 3
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())  # no leftovers


@needs_fork
def test_killed_at_random_moments_with_several_processes(tmp_path, tokenizer):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(corpus_text(documents=2000), "utf-8")
    tokenizer.vocabulary.save(tmp_path / "vocab.txt")
    folder = tmp_path / "examples"
    command = [sys.executable, "-m", "bert_course", "examples", "--corpus", str(corpus)]
    command += ["--vocab", str(tmp_path / "vocab.txt"), "--out", str(folder), "--max-length", "32"]
    command += ["--processes", "2"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    duration = time.perf_counter() - start
    whole = contents(folder)
    for moment in np.random.default_rng(0).uniform(0.1, 1, size=6) * duration:
        shutil.rmtree(folder, ignore_errors=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            time.sleep(moment)
            run.kill()
            run.communicate(timeout=30)  # until its last worker has gone, too
        assert not folder.exists() or contents(folder) == whole
    subprocess.run(command, check=True, capture_output=True)
    assert contents(folder) == whole
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


# ------------------------------------------------------------------------------------ its parts


def test_an_array_that_grows_is_one_that_numpy_reads(tmp_path):
    path = tmp_path / "array.npy"
    parts = [np.arange(6, dtype=np.uint16).reshape(2, 3) + n for n in range(5)]
    with GrowingArray(path) as array:
        for part in [parts[0][:0], *parts]:
            array.add(part)
    assert array.rows == 10
    np.testing.assert_array_equal(np.load(path), np.concatenate(parts))
    np.testing.assert_array_equal(np.load(path, mmap_mode="r"), np.concatenate(parts))


def test_an_array_takes_no_rows_of_another_kind(tmp_path):
    with GrowingArray(tmp_path / "array.npy") as array:
        array.add(np.zeros((2, 3), np.uint16))
        for strange in (np.zeros((2, 4), np.uint16), np.zeros((2, 3), np.int64)):
            with pytest.raises(ValueError, match="All rows must be uint16 of shape"):
                array.add(strange)


def square(shared, task):
    return shared + task**2


def die(shared, task):
    os._exit(1)


@pytest.mark.parametrize("processes", [1, 2])
def test_work_comes_back_in_order_and_no_more_is_taken_than_is_being_done(processes):
    taken = []
    tasks = (taken.append(n) or n for n in range(20))
    results = []
    for result in in_order(square, 1, tasks, processes):
        results.append(result)
        assert len(taken) - len(results) <= 2 * processes
    assert results == [1 + n**2 for n in range(20)]


def test_a_process_that_is_ended_from_outside():
    with pytest.raises(RuntimeError, match=r"short of memory perhaps.*Received: 2 processes"):
        list(in_order(die, None, range(4), processes=2))
