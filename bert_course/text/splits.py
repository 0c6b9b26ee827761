"""The files of one set, for training, choosing and testing -> their rows."""

from bert_course.text.labelled import read_rows, read_texts
from bert_course.text.questions import read_questions, read_unanswered
from bert_course.text.tagged import read_tagged, read_untagged

SPLITS = ("train", "dev", "test")


def read_splits(kind, paths, columns, articles=None):
    """{split: path}, train first -> ({split: list of Row}, notes).

    Args:
        kind: "classify", "pairs", "multilabel", "tag" or "answer".
        columns: {split: see `read_rows`}; a file without a header is read as train is.
        articles: {split: slice of the articles of questions}, or None: all.
    """
    splits, notes, like = {}, [], None
    for split, path in paths.items():
        if kind == "tag":
            splits[split], said = read_tagged(path)
        elif kind == "answer":
            splits[split], said = read_questions(path, (articles or {}).get(split, slice(None)))
        else:
            splits[split], found, said = read_rows(path, kind, columns[split], like)
            like = like or found
        notes += said
    return splits, list(dict.fromkeys(notes))


def read_unlabelled(kind, path, columns=None):
    """A file as those of `read_splits`, labels in it being passed over -> (list of Row, notes)."""
    if kind == "tag":
        return read_untagged(path), []
    if kind == "answer":
        return read_unanswered(path), []
    return read_texts(path, kind, columns)
