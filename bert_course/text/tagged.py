"""Files of tagged words, a word and its tag a line -> rows, whose IOB2 is repaired."""

import re

from bert_course.text.labelled import Row, check_characters
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
    rows, repaired, expected = [], 0, None
    for sentence in _sentences(read_whole(path)):
        words, tags = [], []
        for number, line in sentence:
            place = f"{path}, line {number}"
            cells = _cells(line, place)
            expected = expected or len(cells)
            if len(cells) != expected:
                raise ValueError(
                    f"All lines of a file have as many columns as its first, {expected}. "
                    f"Received: {place}, with {len(cells)}"
                )
            words.append(check_characters(cells[0], place))
            tags.append(_checked_tag(cells[-1].strip(), place))
        if words == [DOCUMENT]:
            continue
        sound = repair_iob2(tags)
        repaired += sum(one != other for one, other in zip(tags, sound, strict=True))
        rows.append(Row(words, None, sound, f"{path}, line {sentence[0][0]}"))
    if not rows:
        raise ValueError(f"A file of tagged words has sentences. Received: {path}, without any")
    note = f"{path}: tags I-X with nothing of X before became B-X, {repaired:,} of them."
    return rows, [note] if repaired else []


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


def _cells(line, place):
    cells = line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))
    if len(cells) < 2 or not cells[0].strip():
        raise ValueError(
            "A line has a word, a tab or a space, and its tag; an empty line ends a sentence. "
            f"Received: {place}, with " + ("no word" if len(cells) > 1 else "one column")
        )
    return cells


def _checked_tag(tag, place):
    if not TAG.fullmatch(tag):
        raise ValueError(
            "The tag of a word is O, B-X where an entity of type X begins, or I-X where it goes on "
            "(IOB2): convert others, S-X to B-X and E-X to I-X. "
            f"Received: {place}, with {tag[:40]!r}"
        )
    return tag
