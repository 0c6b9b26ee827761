"""Files of words, a word and its tag a line -> rows, whose IOB2 is repaired."""

import re

from bert_course.text.labelled import Row, check_characters
from bert_course.text.separated import counted, listed
from bert_course.text.whole_file import read_whole

# B- begins an entity of a type, I- goes on in it, O is outside of all. Paper: Text Chunking using
# Transformation-Based Learning (Ramshaw & Marcus, 1995), as CoNLL 2002 has it.
TAG = re.compile(r"O|[BI]-\S+")
DOCUMENT = "-DOCSTART-"  # what CoNLL 2003 has for a word where a document begins


def read_tagged(path):
    """A file of words and tags -> (list of Row, a note on what was repaired).

    A line has a word, a tab or spaces, and the tag; of more columns the first and the last count.
    A line that is empty, or has nothing but spaces and tabs, ends a sentence.
    """
    rows, repaired, expected = [], [], None
    for sentence in _sentences(read_whole(path)):
        words, tags = [], []
        for number, line in sentence:
            place = f"{path}, line {number}"
            cells = _cells(line, place)
            expected = expected or len(cells)
            if len(cells) != expected:
                raise ValueError(
                    f"All lines of a file must have as many columns as its first, {expected}. "
                    f"Received: {place}, with {len(cells)}"
                )
            words.append(check_characters(cells[0], place))
            tags.append(_checked_tag(cells[-1].strip(), place))
        if words == [DOCUMENT]:
            continue
        sound = repair_iob2(tags)
        lines = [number for number, _ in sentence]
        repaired += [n for n, old, new in zip(lines, tags, sound, strict=True) if old != new]
        rows.append(Row(words, None, sound, f"{path}, line {lines[0]}"))
    _refuse_no_rows(rows, path)
    _refuse_numbers(rows)
    note = f"{path}: tags I-X with nothing of X before became B-X, "
    return rows, [note + f"{counted(repaired)}."] if repaired else []


def read_untagged(path):
    """A file of words, with tags or without, which are passed over -> list of Row."""
    rows = []
    for sentence in _sentences(read_whole(path)):
        places = [f"{path}, line {number}" for number, _ in sentence]
        words = [
            check_characters(_cells(line, place, fewest=1)[0], place)
            for (_, line), place in zip(sentence, places, strict=True)
        ]
        if words != [DOCUMENT]:
            rows.append(Row(words, None, None, places[0]))
    _refuse_no_rows(rows, path)
    _refuse_numbers(rows)
    return rows


def _refuse_no_rows(rows, path):
    if not rows:
        raise ValueError(f"A file of words must have sentences. Received: {path}, without any")


def _refuse_numbers(rows):
    """Some files have a number before each word, 1, 2, 3, and a model would learn those."""
    words = rows[0].text
    if len(words) > 2 and any(words == [str(n + k) for n in range(len(words))] for k in (0, 1)):
        raise ValueError(
            "The word must stand in the first column, and its tag in the last: delete the column "
            f"that counts the words. Received: {rows[0].place}, and on, with {listed(words, 3)}"
        )


def repair_iob2(tags):
    """Where I-X stands after O, after another type or first of all, it becomes B-X."""
    sound, before = [], "O"
    for tag in tags:
        sound.append("B-" + tag[2:] if tag[0] == "I" and tag[2:] != before[2:] else tag)
        before = tag
    return sound


def _sentences(text):
    """Lists of (number, line), each of them a sentence."""
    sentence = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            sentence.append((number, line))
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _cells(line, place, fewest=2):
    cells = line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))
    if len(cells) < fewest or not cells[0].strip():
        raise ValueError(
            "A line must have a word, a tab or a space, and its tag; an empty line ends a "
            f"sentence. Received: {place}, with " + ("no word" if len(cells) > 1 else "one column")
        )
    return cells


def _checked_tag(tag, place):
    if not TAG.fullmatch(tag):
        raise ValueError(
            "The tag of a word must be O, B-X where an entity of type X begins, or I-X where it "
            "goes on (IOB2): convert others, S-X to B-X and E-X to I-X. "
            f"Received: {place}, with {tag[:40]!r}"
        )
    return tag
