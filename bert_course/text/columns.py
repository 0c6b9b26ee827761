"""Which column of a table is the text, which the label: told, found by its name, or guessed."""

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
LABEL_WORDS = 3  # at most in one label: more are a part of a text that has commas


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
            f"The columns of {kind!r} must be among {', '.join(ROLES[kind])}. "
            f"Received: {', '.join(sorted(map(str, unknown)))}"
        )


def find_columns(table, kind, asked, like):
    """(Columns, the roles that were found by a usual name, those that were guessed)."""
    header = _first_line(table)
    given = {role: _number_of(column, header, table) for role, column in asked.items()}
    numbers = {role: number for role, (number, _) in given.items()}
    by_name = {role: _known(header, role, numbers) for role in ROLES[kind] if role not in numbers}
    known = [role for role, number in by_name.items() if number is not None]
    has_header = (
        table.header is not None
        or any(is_name for _, is_name in given.values())
        or len(known) + sum(header[n].casefold() in NAMES[r] for r, n in numbers.items()) > 1
    )
    named = known if has_header else []
    numbers |= {role: by_name[role] for role in named}
    if like is not None and like.header and set(like.names) <= set(header):
        numbers = {r: header.index(like.header[n]) for r, n in like.numbers.items()} | numbers
        has_header = True
    elif like is not None and not table.header and len(header) > max(like.numbers.values()):
        numbers = like.numbers | numbers
    records = table.records if table.header or not has_header else table.records[1:]
    guessed = _by_shape([record.cells for record in records], kind, numbers, table)
    numbers |= guessed
    if not has_header and like is None:
        has_header = _looks_like_header([record.cells for record in records], kind, numbers)
    _refuse_shared(numbers, table.path)
    guessed = [role for role in ROLES[kind] if role in guessed]
    return Columns(numbers, header if has_header else None), named, guessed


def find_texts(table, kind, asked):
    """(Columns of the texts alone, which are not guessed; the roles found by a usual name)."""
    header, roles = _first_line(table), [role for role in ROLES[kind] if role != "label"]
    given = {role: _number_of(asked[role], header, table) for role in roles if role in asked}
    numbers = {role: number for role, (number, _) in given.items()}
    by_name = {role: _known(header, role, numbers) for role in roles if role not in numbers}
    for role, number in by_name.items():
        if number is None:
            raise ValueError(
                f"The column of the {role} must have a usual name, such as "
                f"{', '.join(NAMES[role][:4])}, or be named: --columns {role}=NAME, or its number "
                f"from 0 on where the file has no header. Received: {table.path}, whose columns "
                f"are {_numbered(header)}"
            )
    has_header = (
        table.header is not None
        or bool(by_name)
        or any(is_name or header[n].casefold() in NAMES[r] for r, (n, is_name) in given.items())
    )
    numbers = {role: (numbers | by_name)[role] for role in roles}
    _refuse_shared(numbers, table.path)
    return Columns(numbers, header if has_header else None), list(by_name)


def _first_line(table):
    """The names of the columns, if the file has a header; else just its first cells."""
    return table.header or [cell.strip() for cell in table.records[0].cells]


def _numbered(header, numbers=None):
    """The columns as a message names them."""
    numbers = range(len(header)) if numbers is None else numbers
    return listed(f"{number}: {header[number]}" for number in numbers)


def _refuse_shared(numbers, path):
    if len(set(numbers.values())) < len(numbers):
        raise ValueError(
            f"Each of {', '.join(numbers)} must have a column of its own. "
            f"Received: {path}, with {numbers}"
        )


def _number_of(column, header, table):
    """(number of a column that was named or numbered, whether it was named)."""
    is_number = str(column).isdecimal() and table.header is None
    if is_number and int(column) < len(header):
        return int(column), False
    if column in header and not is_number:
        return header.index(column), True
    raise ValueError(
        "A column must be named as the file's first line names it, or numbered from 0. "
        f"Received: {column!r}; the columns of {table.path} are " + _numbered(header)
    )


def _known(header, role, taken):
    """The number of the column that has one of the usual names of this role, or None."""
    names = [name.casefold() for name in header]
    free = [n for name in NAMES[role] for n in range(len(names)) if names[n] == name]
    return next((n for n in free if n not in taken.values()), None)


def _by_shape(rows, kind, numbers, table):
    """Guess what is not known yet: few different values are labels, long ones are texts."""
    roles = [role for role in ROLES[kind] if role not in numbers]
    if not roles or not rows:
        return {}
    free = [n for n in range(len(rows[0])) if n not in numbers.values()]
    if len(free) < len(roles):
        raise ValueError(
            f"A file for {kind!r} must have columns for {', '.join(ROLES[kind])}: name them. "
            f"Received: {table.path}, with {len(rows[0])} columns"
        )
    found = {}
    if "label" in roles:
        several = kind == "multilabel"
        found["label"] = (_of_labels if several else _of_label)(rows, free, table)
        free.remove(found["label"])
    texts = [role for role in roles if role != "label"]
    longest = sorted(free, key=lambda n: -_length(rows, n))[: len(texts)]
    return found | dict(zip(texts, sorted(longest), strict=True))


def _of_label(rows, free, table):
    """The only column of short values that come again; if none do, that with the fewest values."""
    values = {n: _values(rows, n, "classify") for n in free}
    few = [n for n in free if _are_few(values[n]) and _are_short(values[n])]
    if len(few) > 1:
        _refuse_several("where few values come again and again", table, few)
    several = [n for n in few or free if len(values[n]) > 1] or free
    return min(several, key=lambda n: (len(values[n]), _length(rows, n)))


def _are_few(values):
    return 1 < len(values) <= values.total() / 2


def _are_short(values):
    return all(len(value.split()) <= LABEL_WORDS for value in values)


def _refuse_several(which, table, numbers):
    """If a sender or a priority were taken for the label, the model would learn that unseen."""
    raise ValueError(
        f"The column of the label must be the only one {which}, or be named: --columns label=NAME, "
        'in Python columns={"label": NAME}, or its number from 0 on where the file has no header. '
        f"Received: {table.path}, where it could be " + _numbered(_first_line(table), numbers)
    )


def _of_labels(rows, free, table):
    """The column where cells are blank, or have several short values, some of which come again.

    Without such cells it must be the only one with few values.
    """
    rows = rows[1:] or rows  # the first may be a header
    values = {n: _values(rows, n, "multilabel") for n in free}
    marked = [
        n
        for n in free
        if 0 < len(values[n]) < values[n].total()
        and _are_short(values[n])
        and any(len(split_labels(row[n])) != 1 for row in rows)
    ]
    likely = marked or [n for n in free if _are_few(values[n])] or free
    if len(likely) > 1:
        _refuse_several("where cells are blank or have commas between labels", table, likely)
    return likely[0]


def _length(rows, number):
    return sum(len(str(row[number])) for row in rows)


def split_labels(cell):
    """ "b, a" or ["b", "a"] -> its labels as they stand there; nothing -> []."""
    if isinstance(cell, str):
        return cell.split(",") if cell.strip() else []
    if isinstance(cell, list):
        return cell
    return [] if cell is None else [cell]


def _values(rows, number, kind):
    """The different labels that this column would have, and how often each."""
    if kind != "multilabel":
        return Counter(str(row[number]).strip() for row in rows)
    labels = (str(label).strip() for row in rows for label in split_labels(row[number]))
    return Counter(label for label in labels if label)


def _looks_like_header(rows, kind, numbers):
    """A first line of a few words, whose label no other row has, while those are had by several."""
    first, rest = rows[0], _values(rows[1:], numbers["label"], kind)
    return (
        len(rows) > 4
        and first[numbers["label"]].strip() not in rest
        and min(rest.values(), default=0) > 1
        and all(len(first[number].split()) <= 3 for number in numbers.values())
    )


def say_columns(path, found, named, guessed):
    """A note on columns that were not told, unless each has the very name of what it holds."""
    named = [role for role in named if found.header[found.numbers[role]].casefold() != role]
    if not named and not guessed:
        return []
    said = [
        f"{how}: {', '.join(_place_of(role, found) for role in roles)}"
        for how, roles in (("found", named), ("guessed", guessed))
        if roles
    ]
    line = "has a header" if found.header else "has no header"
    return [f"{path} {line}; {'; '.join(said)}. Name the columns if that is wrong."]


def _place_of(role, found):
    number = found.numbers[role]
    name = f" ({shortened(found.header[number])})" if found.header else ""
    return f"{role} in column {number}{name}"
