"""Labelled rows -> windows that a model can read at once; a long text becomes several.

Windows of one text overlap, so that every word is seen with words on both sides of it.
"""

from typing import NamedTuple


class Window(NamedTuple):
    """A text, or as much of it as has room.

    Attributes:
        row: which of the rows it is from.
        places: for each piece, what it stands for, or None: the word that begins with it (its
            number), where words are tagged; (begin, end) in the context, where answers are sought.
    """

    row: int
    ids: list
    segment_ids: list
    places: list


def read_text(tokenizer, row, number, max_length):
    """Windows over a text; of a pair only one, cut off where it is too long."""
    if row.other is not None:
        encoding = tokenizer.encode(row.text, row.other, max_length)
        return [Window(number, encoding.ids, encoding.segment_ids, [None] * len(encoding.ids))]
    ids, special = tokenizer.ids(row.text), tokenizer.vocabulary
    windows = [
        [special.cls, *ids[part], special.sep] for part in overlapping(len(ids), max_length - 2)
    ]
    return [Window(number, window, [0] * len(window), [None] * len(window)) for window in windows]


def read_words(tokenizer, row, number, max_length):
    """Windows over words: the first piece of a word stands for it."""
    unknown = (tokenizer.vocabulary.unk,)
    cuts = [tokenizer.ids(word) or unknown for word in row.text]
    ids = [piece for cut in cuts for piece in cut]
    places = [p for word, cut in enumerate(cuts) for p in (word, *[None] * (len(cut) - 1))]
    special = tokenizer.vocabulary
    return [
        Window(
            number,
            [special.cls, *ids[part], special.sep],
            [0] * (len(ids[part]) + 2),
            [None, *places[part], None],
        )
        for part in overlapping(len(ids), max_length - 2)
    ]


def read_context(tokenizer, row, number, max_length):
    """[CLS] question [SEP] a part of the context [SEP], for each part."""
    special = tokenizer.vocabulary
    question = [special.cls, *tokenizer.ids(row.other)[: max_length // 2], special.sep]
    encoding = tokenizer.encode(row.text)
    ids, offsets = encoding.ids[1:-1], encoding.offsets[1:-1]
    return [
        Window(
            number,
            [*question, *ids[part], special.sep],
            [0] * len(question) + [1] * (len(ids[part]) + 1),
            [*[None] * len(question), *offsets[part], None],
        )
        for part in overlapping(len(ids), max_length - len(question) - 1)
    ]


def overlapping(count, room):
    """Slices of at most `room` that cover `count` things, each sharing half with the next."""
    if room < 2:
        raise ValueError(
            "max_length must leave room for the special pieces and two more. "
            f"Received: room for {max(room, 0)}"
        )
    step = room // 2
    last = max(0, -(-(count - room) // step))
    return [slice(n * step, n * step + room) for n in range(last + 1)]
