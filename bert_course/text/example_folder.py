"""A folder of examples: what it must hold, and how it comes to be, whole or not at all."""

import contextlib
import hashlib
import json
import os
import shutil

import numpy as np

from bert_course.files import only_one, write_whole
from bert_course.text.vocabulary import read_vocabulary

FORMAT = "bert_course examples"
VERSION = 1
HEADER = "header.json"
VOCABULARY = "vocab.txt"
ARRAYS = ("token_ids", "first_lengths", "lengths", "next_sentence_labels")
REPLACED = "replaced"  # the folder that was there before, while the new one takes its place
FILES = (*(f"{name}.npy" for name in ARRAYS), VOCABULARY)


def write_header(folder, vocabulary, settings, counts):
    """header.json, the last file to be written: what is in the folder, and a hash of each file."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "vocabulary": vocabulary.sha256,
        "settings": settings,
        **counts,
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": file_hash(folder / name)}
            for name in FILES
        },
    }
    write_whole((json.dumps(header, indent=2) + "\n").encode("utf-8"), folder / HEADER)
    return header


def read_header(folder):
    """header.json of a folder that is whole: every file is there, as long as it should be."""
    if not folder.is_dir():
        raise ValueError(
            "Examples lie in a folder that `python -m bert_course examples` has written. "
            f"Received: {folder}, which is no folder"
        )
    header = _read_own_header(folder)
    if header is None:
        raise ValueError(
            f"A folder of examples has a {HEADER} that says so: this one is of another kind, or "
            f"was copied in part. Received: {folder}"
        )
    if header.get("version") != VERSION:
        raise ValueError(
            f"Examples must be of version {VERSION}: write them again with this version of the "
            f"course. Received: {folder}, of version {header.get('version')}"
        )
    _refuse_lacking_header(header, folder)
    for name in FILES:
        path, wanted = folder / name, header["files"][name]["bytes"]
        found = path.stat().st_size if path.is_file() else None
        if found != wanted:
            raise ValueError(
                f"{name} must have the {wanted} bytes that {HEADER} says: copy the folder again, "
                f"or write it again. Received: {path}, "
                + ("which is not there" if found is None else f"which has {found}")
            )
    return header


def _refuse_lacking_header(header, folder):
    """A header that somebody edited may lack what is looked up in it later."""
    try:
        hashes = [header["files"][name]["sha256"] for name in FILES]
        numbers = [header["files"][name]["bytes"] for name in FILES]
        numbers += [header["examples"], header["settings"]["max_length"]]
        words = [*hashes, header["vocabulary"]]
        settings = [header["settings"][name] for name in ("lowercase", "strip_accents")]
    except (KeyError, TypeError):
        words, numbers, settings = [None], [], []
    for kind, values in ((str, words), (int, numbers), (bool, settings)):
        if not all(type(value) is kind for value in values):
            raise ValueError(
                f"{HEADER} must say what it said when it was written: write the examples again. "
                f"Received: {folder / HEADER}, changed since"
            )


def _read_own_header(folder):
    """What header.json says; None if there is none, or it is not ours."""
    try:
        header = json.loads((folder / HEADER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return header if isinstance(header, dict) and header.get("format") == FORMAT else None


def read_folder_vocabulary(folder, header):
    vocabulary = read_vocabulary(folder / VOCABULARY)
    if vocabulary.sha256 != header["vocabulary"]:
        raise ValueError(
            f"The ids in a folder of examples are places in its own {VOCABULARY}, which must stay "
            f"as it was: write the examples again. Received: {folder / VOCABULARY}, changed since"
        )
    return vocabulary


def open_arrays(folder, header):
    """{name: array}, memory-mapped."""
    arrays = {name: _open_array(folder / f"{name}.npy") for name in ARRAYS}
    count, length = header["examples"], header["settings"]["max_length"]
    for name, array in arrays.items():
        wanted = (count, length) if name == "token_ids" else (count,)
        if array.shape != wanted:
            raise ValueError(
                f"{name}.npy must have the shape {wanted} that {HEADER} says: write the examples "
                f"again. Received: {folder}, with {array.shape}"
            )
    return arrays


def _open_array(path):
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError):
        array = None
    if array is None or array.dtype.kind != "u":
        raise ValueError(
            f"{path.name} must be an array of whole numbers, as it was written: write the examples "
            f"again. Received: {path}, changed since"
        )
    return array


def check_hashes(folder, header):
    """Every byte is the one that was written; reads all files through."""
    for name in FILES:
        if file_hash(folder / name) != header["files"][name]["sha256"]:
            raise ValueError(
                f"{name} must have the sha256 that {HEADER} says: copy the folder again, or write "
                f"it again. Received: {folder / name}, changed since it was written"
            )


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ----------------------------------------------------------------------------- coming into being


def check_may_be_written(folder):
    """A folder may be replaced if it is empty, or holds examples and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"Examples are written as a folder. Received: {folder}, which is a file")
    names = {path.name for path in folder.iterdir()}
    strangers = names - {*FILES, HEADER}
    if names and (strangers or _read_own_header(folder) is None):
        raise ValueError(
            "Only a folder of examples is replaced by others: choose a new one, or delete this one "
            f"first. Received: {folder}, which holds {', '.join(sorted(strangers or names)[:3])}"
        )


@contextlib.contextmanager
def workplace(folder):
    """A folder beside, ours alone as long as we live; it goes when we go.

    What a run that was killed left in it is removed.
    """
    beside = folder.with_name(f".{folder.name}.partial")
    beside.mkdir(parents=True, exist_ok=True)
    refusal = (
        "One run at a time writes a folder of examples: wait for the other, or choose another "
        f"folder. Received: {folder}"
    )
    with only_one(beside / "lock", refusal):
        try:
            replaced = beside / REPLACED
            if replaced.exists() and not folder.exists():  # killed between two renames
                os.replace(replaced, folder)
            for path in beside.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
            yield beside
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(beside, ignore_errors=True)  # Windows keeps a file that is open


def put_in_place(new, folder):
    """Rename a folder that is whole to its place; what it replaces is put aside first.

    Whoever is killed between the two leaves no folder, but never a mixture; the next run puts the
    old one back.
    """
    aside = new.with_name(REPLACED)
    if folder.exists():
        os.replace(folder, aside)
    try:
        os.replace(new, folder)
    except BaseException:
        if aside.exists():
            os.replace(aside, folder)
        raise
