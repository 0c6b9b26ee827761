"""What a task is: labelled rows to learn from, built in, published, or the user's own."""

import hashlib
import pathlib
import re
from collections import Counter
from typing import NamedTuple

from bert_course import places
from bert_course.text.labelled import same_text
from bert_course.text.separated import listed, shortened
from bert_course.text.splits import SPLITS, read_splits
from bert_course.training.downloads import fetch_bytes, find_file
from bert_course.training.published import PUBLISHED, read_published

KINDS = ("classify", "pairs", "tag", "answer", "multilabel")
NOTHING = {"nan", "null", "none", "n/a", "na", "<na>"}
SEVERAL = set(';|[]"')
NUMBER = re.compile(r"-?\d+(\.\d*)?")
MOST_LABELS = 200  # more are texts, taken for labels
FEWEST_ROWS_A_LABEL = {"classify": 2, "pairs": 2, "multilabel": 1}
ALWAYS_LABELS = 10  # so many may be there, however few the rows
BUILT_IN = {
    "sentiment": ("classify", "tsv"),
    "pairs": ("pairs", "tsv"),
    "entities": ("tag", "conll"),
    "questions": ("answer", "json"),
    "topics": ("multilabel", "tsv"),
}
TASKS = (*BUILT_IN, *PUBLISHED)


class Task(NamedTuple):
    """Labelled rows, and what there is to know of them.

    Attributes:
        name: of a built-in or published set, or "your files".
        kind: one of KINDS.
        labels: sorted names; for words, "O" and then B-X and I-X of each type; for answers, [].
        train, dev, test: lists of Row; test may be [].
        notes: sentences that say what was repaired, dropped or guessed, or is odd.
        files: {"train": {"file": its name, "sha256": of its bytes}, …}.
    """

    name: str
    kind: str
    labels: list
    train: list
    dev: list
    test: list
    notes: list
    files: dict


def open_task(name, download=False, fetch=fetch_bytes):
    """A built-in task, or a published one, by its name.

    Args:
        download: whether a published file that is not on this machine may be fetched.
        fetch: address -> bytes.
    """
    if name in BUILT_IN:
        kind, suffix = BUILT_IN[name]
        folder = places.course_data() / "tasks" / name
        columns = {"text": "text", "label": "labels" if kind == "multilabel" else "label"}
        columns |= {"other": "other"} if kind == "pairs" else {}
        columns = columns if suffix == "tsv" else None
        paths = {split: folder / f"{split}.{suffix}" for split in SPLITS}
        return _assemble(
            name, kind, paths, *read_splits(kind, paths, dict.fromkeys(SPLITS, columns))
        )
    if name not in PUBLISHED:
        raise ValueError(f"A task is one of {', '.join(TASKS)}. Received: {name!r}")
    kind, *found = read_published(name, lambda names: find_file(names, download, fetch))
    return _assemble(name, kind, *found)


def open_files(kind, train, dev, test=None, columns=None, labels=None):
    """The user's own files -> Task.

    Args:
        kind: one of KINDS. "classify", "pairs" and "multilabel" read .tsv, .csv and .jsonl, see
            `read_rows`; "tag" reads words with IOB2 tags, see `read_tagged`; "answer" reads
            SQuAD's JSON, see `read_questions`.
        columns: {"text": name or number, …}, see `read_rows`.
        labels: names of all classes, or None: those that train has.
    """
    if kind in TASKS and kind not in KINDS:
        raise ValueError(
            f"The task {kind} has files of its own: leave yours out, or name their kind, one of "
            f"{', '.join(KINDS)}. Received: {kind!r} and {train}"
        )
    if kind not in KINDS:
        raise ValueError(f"The kind of a task is one of {', '.join(KINDS)}. Received: {kind!r}")
    if columns and kind in ("tag", "answer"):
        raise ValueError(
            f"Columns are named in tables, and files for {kind!r} are none: leave the columns out. "
            f"Received: {columns}"
        )
    paths = {"train": train, "dev": dev} | ({} if test is None else {"test": test})
    splits, notes = read_splits(kind, paths, dict.fromkeys(SPLITS, columns))
    return _assemble("your files", kind, paths, splits, notes, labels)


def _assemble(name, kind, paths, splits, notes, labels=None):
    """Check what only the rows together can show -> Task."""
    found = []
    if kind != "answer":
        found = _labels_of_train(kind, splits["train"], paths["train"], labels)
        for split in SPLITS[1:]:
            _refuse_unknown(kind, splits.get(split, []), found, f"those of {paths['train']}")
    _refuse_without_labels(kind, splits, paths)
    notes = notes + _say_of_train(kind, splits["train"]) + _say_alike(found) + _say_odd(found)
    notes += [
        note for split in SPLITS[1:] for note in _say_absent(kind, split, splits.get(split), found)
    ]
    notes += [
        note for split in SPLITS[1:] for note in _say_repeated(split, splits.get(split), splits)
    ]
    files = {
        split: {
            "file": pathlib.Path(paths[split]).name,
            "sha256": hashlib.sha256(
                pathlib.Path(paths[split]).expanduser().read_bytes()
            ).hexdigest(),
        }
        for split in SPLITS
        if split in paths
    }
    labels = _tags(found) if kind == "tag" else found
    return Task(name, kind, labels, *(splits.get(s, []) for s in SPLITS), notes, files)


def _refuse_without_labels(kind, splits, paths):
    """An empty label may be right, but not of all rows of train, nor of those of dev."""
    if kind not in ("multilabel", "answer"):
        return
    what = "an answer" if kind == "answer" else "a label"
    for split in ("train", "dev"):
        if not any(row.label for row in splits[split]):
            raise ValueError(
                f"Some row of {split} must have {what}: without any "
                " there is nothing to learn, and no epoch or threshold can be chosen. "
                f"Received: {paths[split]}, whose {len(splits[split]):,} rows have none"
            )


def _tags(types):
    return ["O", *(f"{begin}-{name}" for name in types for begin in "BI")]


def _classes(kind, row):
    """The classes that a row's label names; of tags, the types of entities."""
    if kind == "tag":
        return {tag[2:] for tag in row.label} - {""}
    return set(row.label) if kind == "multilabel" else {row.label}


def _labels_of_train(kind, rows, path, asked):
    """Sorted names of the classes, which are those asked for, if any are."""
    counts = Counter(label for row in rows for label in _classes(kind, row))
    fewest = 2 if kind in ("classify", "pairs") else 1
    if len(counts) < fewest:
        raise ValueError(
            f"There is nothing to learn from fewer than {fewest} classes: bring rows of others. "
            f"Received: {path}, with {listed(sorted(counts)) or 'none'}"
        )
    if asked is None:
        _refuse_texts_as_labels(kind, len(counts), len(rows), path)
        return sorted(counts)
    asked = {label[2:] if kind == "tag" and label[:2] in ("B-", "I-") else label for label in asked}
    asked -= {"O"} if kind == "tag" else set()
    empty = sorted(asked - set(counts))
    if empty:
        raise ValueError(
            "Each class must have rows in train, for one without any cannot be learned: leave it "
            f"out of the labels, or bring rows. Received: {path}, which has none of {listed(empty)}"
        )
    _refuse_unknown(kind, rows, asked, "those you listed")
    return sorted(asked)


def _refuse_texts_as_labels(kind, labels, rows, path):
    few = max(ALWAYS_LABELS, rows / FEWEST_ROWS_A_LABEL.get(kind, 1))
    if labels > min(MOST_LABELS, few):
        raise ValueError(
            "The labels look like texts, there are so many: name the column of the labels, or list "
            f"all labels if that is what they are. Received: {path}, with {labels:,} different "
            f"labels in {rows:,} rows"
        )


def _refuse_unknown(kind, rows, labels, whose):
    known = set(labels)
    for row in rows:
        unknown = sorted(_classes(kind, row) - known)
        if unknown:
            raise ValueError(
                f"Labels must be {whose}, which are {listed(sorted(labels))}: correct the label, "
                "or bring rows for train that have it. "
                f"Received: {row.place}, with {shortened(unknown[0])}"
            )


def _say_of_train(kind, rows):
    """Notes on rows of train that are the same."""
    labels = {}
    for row in rows:
        labels.setdefault(same_text(row), set()).add(str(row.label))
    repeated = len(rows) - sum(map(len, labels.values()))
    notes = [f"Rows of train that repeat another one: {repeated:,}."] if repeated else []
    several = sum(len(found) > 1 for found in labels.values())
    if several and kind != "answer":  # the same may be asked of two places of a text
        notes.append(f"Texts of train that stand there with different labels: {several:,}.")
    return notes


def _say_alike(labels):
    """Notes on labels that are probably meant to be one."""
    by_letters, by_number = {}, {}
    for label in labels:
        by_letters.setdefault(label.casefold(), []).append(label)
        if NUMBER.fullmatch(label):
            by_number.setdefault(float(label), []).append(label)
    return [
        f"Labels that {what}: {listed(alike)}."
        for what, groups in (("differ in letter case only", by_letters), ("are equal", by_number))
        for alike in [[" and ".join(found) for found in groups.values() if len(found) > 1]]
        if alike
    ]


def _say_odd(labels):
    """Notes on labels that are probably none, or several."""
    nothing = [label for label in labels if label.casefold() in NOTHING]
    several = [label for label in labels if SEVERAL & set(label)]
    notes = [f"Labels that may stand for no label: {listed(nothing)}."] if nothing else []
    if several:
        notes.append(
            f"Labels with brackets, quotes or bars in them: {listed(several)}. Is each of them "
            "one? Several are separated by commas."
        )
    return notes


def _say_absent(kind, split, rows, labels):
    """A note on classes that this split has no row of, which lower a macro mean."""
    if not rows or kind in ("tag", "answer"):  # whose F1 is not a mean over classes
        return []
    absent = sorted(set(labels) - {label for row in rows for label in _classes(kind, row)})
    if not absent:
        return []
    return [f"Labels that {split} has no row of, whose F1 there counts as 0: {listed(absent)}."]


def _say_repeated(split, rows, splits):
    train = {same_text(row) for row in splits["train"]} if rows else set()
    count = sum(same_text(row) in train for row in rows or [])
    if not count:
        return []
    return [
        f"Rows of {split} that also stand in train, on which a score shows memory only: "
        f"{count:,} of {len(rows):,}."
    ]
