"""Tables of labelled texts -> rows, each of them checked."""

import unicodedata
from typing import NamedTuple

from bert_course.text.columns import (
    ROLES,
    check_roles,
    find_columns,
    find_texts,
    say_columns,
    split_labels,
)
from bert_course.text.separated import listed, read_separated, shortened


class Row(NamedTuple):
    """A labelled text.

    Attributes:
        text: str; where words are tagged, the list of them; the context of a question.
        other: of a pair, the second text; the question; or else None.
        label: str; where words are tagged, a list with one tag a word; with several labels, a
            sorted tuple of them; of a question, a list of (start, text), empty if the context
            does not answer it. None where a model is to find it.
        place: where it stands, as "file, line N".
    """

    text: object
    other: object
    label: object
    place: str


def read_rows(path, kind, columns=None, like=None):
    """A .tsv, .csv or .jsonl file -> (list of Row, its Columns, notes on what was guessed or odd).

    Args:
        kind: "classify", "pairs" or "multilabel", whose labels have commas between them.
        columns: {"text": …, "other": …, "label": …}, each the name of a column or its number from
            0 on; those left out are found by usual names, or guessed.
        like: Columns of another file: a file without a header is read with them.
    """
    table = read_separated(path)
    check_roles(columns, kind)
    found, named, guessed = find_columns(table, kind, columns or {}, like)
    said = [] if found == like else say_columns(path, found, named, guessed)
    rows = _make_rows(table, kind, found)
    if found.header is None:
        said += _say_header(rows)
    return rows, found, table.notes + said


def _say_header(rows):
    """A note if the first row, taken for data, looks like a header."""
    first, others = rows[0], {str(row.label) for row in rows[1:]}
    if len(rows) < 5 or str(first.label) in others:
        return []
    return [
        f"{first.place}: its label, {shortened(first.label)}, is on no other line. If that line is "
        "a header, name the columns as it does."
    ]


def read_texts(path, kind, columns=None):
    """A .tsv, .csv or .jsonl file without labels -> (list of Row, notes on what is odd).

    Other columns are passed over, those with labels too. Those with the texts have usual names, or
    are told in `columns`, see `read_rows`: a model would say something of whatever it is given.
    """
    table = read_separated(path, fewest_columns=1)
    check_roles(columns, kind)
    found, named = find_texts(table, kind, columns or {})
    return _make_rows(table, kind, found), table.notes + say_columns(path, found, named, [])


def _make_rows(table, kind, found):
    records = table.records if found.header is None or table.header else table.records[1:]
    if not records:
        raise ValueError(
            f"Below the header a file must have rows. Received: {table.path}, which has only the "
            f"header {listed(found.header)}"
        )
    return [
        make_row(kind, {role: record.cells[n] for role, n in found.numbers.items()}, place)
        for record in records
        for place in [f"{table.path}, line {record.line}"]
    ]


def make_row(kind, cells, place):
    """{role: what stands in its column} -> Row, checked; its label is None if it has no column."""
    texts = [_checked_text(cells[role], role, place) for role in ROLES[kind] if role != "label"]
    other = texts[1] if len(texts) > 1 else None
    if "label" not in cells:
        return Row(texts[0], other, None, place)
    read_label = _several_labels if kind == "multilabel" else _checked_label
    return Row(texts[0], other, read_label(cells["label"], place), place)


def same_text(row):
    """What makes two rows the same, whatever their labels and the spaces in them."""
    words = row.text if isinstance(row.text, list) else row.text.split()
    return " ".join(words), row.other and " ".join(row.other.split())


def is_blank(text):
    """Whether nothing can be seen of it: only spaces and control characters."""
    return all(c.isspace() or unicodedata.category(c) in ("Cc", "Cf") for c in text)


def check_characters(text, place):
    """Refuse half characters, which JSON can spell but nobody can write to a file."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(
            "A character outside Unicode's first plane must be written in JSON as two halves, one "
            f"after the other. Received: {place}, with one half alone"
        )
    return text


def _checked_text(text, role, place):
    if not isinstance(text, str):
        what = "nothing" if text is None else shortened(text)
        raise ValueError(
            f"Each row must have a {role} that is text. Received: {place}, with {what}"
        )
    if is_blank(text):
        raise ValueError(
            f"The {role} of a row must not be blank: delete the row, or fill it. Received: {place}"
        )
    return check_characters(text, place)


def _checked_label(label, place):
    if isinstance(label, bool):
        label = str(label).lower()
    if isinstance(label, int | float):
        label = str(label)
    if label is not None and not isinstance(label, str):
        raise ValueError(
            f"A label must be a word or a number. Received: {place}, with {shortened(label)}"
        )
    if label is None or is_blank(label):
        raise ValueError(
            "Each row must have a label: delete the rows without, or label them. "
            f"Received: {place}, whose label is blank"
        )
    return check_characters(label.strip(), place)


def _several_labels(labels, place):
    """ "b,a" or ["b", "a"] -> ("a", "b"); nothing -> (), for none may fit."""
    found = split_labels(labels)
    if isinstance(labels, str) and any(map(is_blank, found)):
        raise ValueError(
            "A comma must stand between two labels: at the beginning, at the end or after another "
            f"it leaves an empty name, so remove it. Received: {place}, with {shortened(labels)}"
        )
    return tuple(sorted({_checked_label(label, place) for label in found}))
