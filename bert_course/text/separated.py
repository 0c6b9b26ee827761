"""Files of records -> records: separated by tabs, by commas, or an object of JSON a line."""

import json
import pathlib
import re
from typing import NamedTuple

from bert_course.text.whole_file import LONGEST_LINE, read_whole

# A quoted field as RFC 4180 has it: any characters, a quote being written twice.
QUOTED = re.compile('"([^"]*+(?:""[^"]*+)*+)"')
PLAIN = re.compile("[^,\n]*")


class Record(NamedTuple):
    """The cells of one row, and the line where it begins."""

    cells: list
    line: int


class Table(NamedTuple):
    """What a file holds.

    Attributes:
        path: of the file, as it was given.
        header: the names of the columns where the format has them (JSON), or else None: then the
            first record may be the header.
        records: list of Record, each with as many cells as the first.
        notes: sentences that say what is odd.
    """

    path: object
    header: list
    records: list
    notes: list


def read_separated(path, fewest_columns=2):
    """A .tsv, .txt, .csv or .jsonl file -> its Table.

    Args:
        fewest_columns: that a .tsv or .csv may have; one is mostly a sign of a wrong separator.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in READERS:
        raise ValueError(
            "Rows of text and label must come as .tsv or .txt (separated by tabs), .csv (by "
            f"commas) or .jsonl (an object a line): name the file so. Received: {path}"
        )
    header, records, notes = READERS[suffix](read_whole(path), path)
    if header is None and len(records[0].cells) < fewest_columns:
        _refuse_one_column(records[0], suffix, path)
    for record in records:
        if len(record.cells) != len(records[0].cells):
            raise ValueError(
                "All rows of a file must have as many columns as its first, "
                f"{len(records[0].cells)}: look for a separator too many, or one that is missing. "
                f"Received: {path}, line {record.line}, with {len(record.cells)}"
            )
    return Table(path, header, records, notes)


def _read_tabs(text, path):
    """In a .tsv a quote is a character like any other."""
    lines = enumerate(text.split("\n"), 1)
    records, notes = _without_empty([Record(line.split("\t"), n) for n, line in lines], path)
    quoted = [
        record.line
        for number in range(len(records[0].cells))
        for record in _of_quoted(records, number)
    ]
    if quoted:
        notes.append(
            f"{path}: fields look quoted as in a .csv, {counted(quoted)}. In a .tsv this means "
            "nothing: quotes are read as text. If they should not be, save the file as a .csv."
        )
    return None, records, notes


def _of_quoted(records, number):
    """Records whose cell in this column looks quoted: all of them but a header, or for certain."""
    with_cell = [record for record in records if len(record.cells) > number]
    quoted = [record for record in with_cell if QUOTED.fullmatch(record.cells[number])]
    if len(quoted) > 2 and len(quoted) >= len(with_cell) - 1:
        return quoted
    return [record for record in quoted if '""' in record.cells[number][1:-1]]


def _read_commas(text, path):
    """In a .csv a field that begins with a quote goes on until the quote is closed."""
    records, cells, place, line, began, longest = [], [], 0, 1, 1, 1
    while place <= len(text):
        cell, end = _read_field(text, place, f"{path}, line {line}")
        lines = text.count("\n", place, end)
        longest = max(longest, lines + 1)
        line += lines
        cells.append(cell)
        if text[end : end + 1] != ",":
            records.append(Record(cells, began))
            line, cells = line + 1, []
            began = line
        place = end + 1
    records, notes = _without_empty(records, path)
    if longest > 1:  # as it should be, or two stray quotes with other rows between them
        notes.append(f"{path}: a quoted field may go over several lines, here up to {longest:,}.")
    return None, records, notes


def _read_field(text, place, where):
    """(the field that begins at `place`, where it ends)."""
    if text[place : place + 1] != '"':
        match = PLAIN.match(text, place)
        return match[0], match.end()
    match = QUOTED.match(text, place)
    end = match.end() if match else place
    if match and text[end : end + 1] in ("", ",", "\n") and end - place <= LONGEST_LINE:
        return match[1].replace('""', '"'), end
    raise ValueError(
        "In a .csv a field that begins with a quote must end with one, before a comma or the end "
        "of a line, and have each quote within it twice (in a .tsv quotes mean nothing). "
        f"Received: {where}, where a quote opens that is not closed so"
    )


def _without_empty(records, path):
    """(the records that are no empty lines, a note on the others)."""
    is_filled = [len(record.cells) > 1 or bool(record.cells[0].strip(" ")) for record in records]
    while not is_filled[-1]:  # the ends of files may be empty
        is_filled.pop()
    both = list(zip(records, is_filled, strict=False))
    filled = [record for record, is_one in both if is_one]
    empty = [record.line for record, is_one in both if not is_one]
    return filled, [f"{path}: empty lines were passed over, {counted(empty)}."] if empty else []


def _refuse_one_column(record, suffix, path):
    separator = "commas" if suffix == ".csv" else "tabs"
    others = {"\t": "tabs", ",": "commas", ";": "semicolons"}
    seen = [name for character, name in others.items() if character in record.cells[0]]
    guess = f"; it looks separated by {seen[0]}" if seen else ""
    raise ValueError(
        f"A row must have two columns or more, with {separator} between them: name the file by its "
        f"separator (.tsv, .csv), or convert it. Received: {path}, line {record.line}, with one "
        f"column{guess}"
    )


def _read_objects(text, path):
    """An object a line -> cells in the order of all keys that there are; None where one lacks."""
    objects = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            objects.append((parse_json(line, f"{path}, line {number}"), number))
            if not isinstance(objects[-1][0], dict):
                raise ValueError(
                    'Each line of a .jsonl must be an object, as {"text": "…", "label": "…"}. '
                    f"Received: {path}, line {number}, with {shortened(line)}"
                )
    header = list(dict.fromkeys(key for found, _ in objects for key in found))
    return header, [Record([o.get(key) for key in header], n) for o, n in objects], []


READERS = {".tsv": _read_tabs, ".txt": _read_tabs, ".csv": _read_commas, ".jsonl": _read_objects}


def parse_json(text, where):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if error.lineno > 1 else ""
        raise ValueError(
            f"This is no JSON: {error.msg}. Is the file cut off, or of another kind? "
            f"Received: {where}{line}, character {error.colno}"
        ) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets in brackets
        raise ValueError(
            f"This is JSON with numbers too long or brackets too deep to read. Received: {where}"
        ) from None


def shortened(text, length=40):
    """repr(text), of a bearable length."""
    text = str(text)
    return repr(text if len(text) <= length else text[: length - 1] + "…")


def listed(names, most=20):
    """The names with commas between them; of many, or of long ones, the beginning."""
    names = list(names)
    said = ", ".join(shortened(name)[1:-1] for name in names[:most])
    left = len(names) - most
    return said + (f" and {left:,} other{'s' * (left > 1)}" if left > 0 else "")


def counted(places, what="line"):
    """How many there are, and where the first of them stand: "2 of them (lines 3, 7)"."""
    different = list(dict.fromkeys(places))
    return f"{len(places):,} of them ({what}{'s' * (len(different) > 1)} {listed(different, 3)})"
