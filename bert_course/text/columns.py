"""Which column of a table is the text, which the label: told, or guessed and said."""

import itertools
from collections import Counter
from typing import NamedTuple

from bert_course.text.separated import listed, shortened

# What the columns of each kind of table hold.
ROLES = {
    "classify": ("text", "label"),
    "pairs": ("text", "other", "label"),
    "multilabel": ("text", "label"),
}
# What these columns are often called; the first that is there is taken.
NAMES = {
    "text": (
        "text sentence text_a sentence1 premise question1 sentence_a text1 review content comment "
        "tweet document question query"
    ).split(),
    "other": (
        "other text_b sentence2 hypothesis question2 sentence_b text2 second passage answer context"
    ).split(),
    "label": (
        "label labels class classes target gold gold_label category categories sentiment topic "
        "topics emotion emotions intent tags y quality is_duplicate"
    ).split(),
}


class Columns(NamedTuple):
    """{role: number of the column}, and the header they were found with, or None."""

    numbers: dict
    header: list

    @property
    def names(self):
        """Those columns' names, or None for each without a header."""
        return [self.header and self.header[number] for number in self.numbers.values()]


def check_roles(columns, kind):
    unknown = set(columns or {}) - set(ROLES[kind])
    if unknown:
        raise ValueError(
            f"The columns of {kind!r} are {', '.join(ROLES[kind])}. "
            f"Received: {', '.join(sorted(map(str, unknown)))}"
        )


def find_columns(table, kind, asked, like):
    """(Columns, the roles that were guessed)."""
    header = table.header or [cell.strip() for cell in table.records[0].cells]
    given = {role: _number_of(column, header, table) for role, column in asked.items()}
    numbers = {role: number for role, (number, _) in given.items()}
    by_name = {role: _known(header, role, numbers) for role in ROLES[kind] if role not in numbers}
    known = [role for role, number in by_name.items() if number is not None]
    has_header = (
        table.header is not None
        or any(is_name for _, is_name in given.values())
        or len(known) + sum(header[n].casefold() in NAMES[r] for r, n in numbers.items()) > 1
    )
    if has_header:
        numbers |= {role: by_name[role] for role in known}
    if like is not None and like.header and set(like.names) <= set(header):
        numbers = {r: header.index(like.header[n]) for r, n in like.numbers.items()} | numbers
        has_header = True
    elif like is not None and not table.header and len(header) > max(like.numbers.values()):
        numbers = like.numbers | numbers
    guessed = [role for role in ROLES[kind] if role not in asked]
    records = table.records if table.header or not has_header else table.records[1:]
    numbers |= _by_shape([record.cells for record in records], kind, numbers, table.path)
    if not has_header and like is None:
        has_header = _looks_like_header([record.cells for record in records], kind, numbers)
    if len(set(numbers.values())) < len(numbers):
        raise ValueError(
            f"Each of {', '.join(ROLES[kind])} has a column of its own. "
            f"Received: {table.path}, with {numbers}"
        )
    return Columns(numbers, header if has_header else None), guessed


def _number_of(column, header, table):
    """(number of a column that was named or numbered, whether it was named)."""
    is_number = str(column).isdecimal() and table.header is None
    if is_number and int(column) < len(header):
        return int(column), False
    if column in header and not is_number:
        return header.index(column), True
    raise ValueError(
        "A column is named as the file's first line names it, or numbered from 0. "
        f"Received: {column!r}; the columns of {table.path} are "
        + listed(f"{n}: {name}" for n, name in enumerate(header))
    )


def _known(header, role, taken):
    """The number of the column that has one of the usual names of this role, or None."""
    names = [name.casefold() for name in header]
    free = [n for name in NAMES[role] for n in range(len(names)) if names[n] == name]
    return next((n for n in free if n not in taken.values()), None)


def _by_shape(rows, kind, numbers, path):
    """Guess what is not known yet: few different values are labels, long ones are texts."""
    roles = [role for role in ROLES[kind] if role not in numbers]
    if not roles or not rows:
        return {}
    free = [n for n in range(len(rows[0])) if n not in numbers.values()]
    if len(free) < len(roles):
        raise ValueError(
            f"A file for {kind!r} has columns for {', '.join(ROLES[kind])}: name them. "
            f"Received: {path}, with {len(rows[0])} columns"
        )
    found = {}
    if "label" in roles:
        different = {n: len(_values(rows, n, kind)) for n in free}
        several = [n for n in free if different[n] > 1] or free
        found["label"] = min(several, key=different.get)
        free.remove(found["label"])
    texts = [role for role in roles if role != "label"]
    longest = sorted(free, key=lambda n: -sum(len(str(row[n])) for row in rows))[: len(texts)]
    return found | dict(zip(texts, sorted(longest), strict=True))


def _values(rows, number, kind):
    """The different labels that this column would have, and how often each."""
    cells = (str(row[number]).strip() for row in rows)
    if kind == "multilabel":
        cells = itertools.chain.from_iterable(cell.split(",") for cell in cells)
    return Counter(cells)


def _looks_like_header(rows, kind, numbers):
    """A first line of a few words, whose label no other row has, while those are had by several."""
    first, rest = rows[0], _values(rows[1:], numbers["label"], kind)
    return (
        len(rows) > 4
        and first[numbers["label"]].strip() not in rest
        and min(rest.values()) > 1
        and all(len(first[number].split()) <= 3 for number in numbers.values())
    )


def say_columns(path, kind, found, guessed):
    if not guessed:
        return []
    said = [
        f"{role} in column {found.numbers[role]}"
        + (f" ({shortened(found.header[found.numbers[role]])})" if found.header else "")
        for role in ROLES[kind]
    ]
    line = "has a header" if found.header else "has no header"
    return [f"{path} {line}; guessed: {', '.join(said)}. Name the columns if that is wrong."]
