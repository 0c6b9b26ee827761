"""A list of word pieces, and what must be known of each."""

import hashlib
import pathlib
import re

import numpy as np

from bert_course.files import write_whole

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNUSED = re.compile(r"\[unused\d+\]")


class Vocabulary:
    """Word pieces in order: the place of each is its id.

    Attributes:
        pieces: list of strings; `ids` is {piece: id}.
        pad, unk, cls, sep, mask: ids of the special pieces.
        is_ordinary: (V,) True where a piece may stand for text: neither special nor [unused7].
        continues: (V,) True where a piece begins with ##, so continues the word before it.
        id_type: the smallest type of numbers that holds every id.
        sha256: of vocab.txt; two vocabularies with the same one are the same.
    """

    def __init__(self, pieces):
        pieces = list(pieces)
        check_pieces(pieces)
        self.pieces = pieces
        self.ids = {piece: number for number, piece in enumerate(pieces)}
        missing = [piece for piece in SPECIAL if piece not in self.ids]
        if missing:
            raise ValueError(
                "A vocabulary must hold BERT's special pieces, each on a line of its own. "
                f"Missing: {', '.join(missing)}. Received: {len(pieces)} pieces"
            )
        self.pad, self.unk, self.cls, self.sep, self.mask = (self.ids[p] for p in SPECIAL)
        self.is_ordinary = np.array([p not in SPECIAL and not UNUSED.fullmatch(p) for p in pieces])
        self.continues = np.array([p.startswith("##") for p in pieces])
        self.id_type = np.dtype("uint16" if len(pieces) <= 2**16 else "uint32")
        self.sha256 = hashlib.sha256(_as_file(pieces)).hexdigest()

    def __len__(self):
        return len(self.pieces)

    def save(self, path):
        write_whole(_as_file(self.pieces), path)


def check_pieces(pieces):
    for piece in pieces:
        if not isinstance(piece, str) or "\n" in piece or piece.endswith("\r"):
            raise ValueError(
                "A piece is a string that stands on one line of vocab.txt, so it has no line end "
                f"in it. Received: {piece!r}"
            )


def _as_file(pieces):
    return ("\n".join(pieces) + "\n").encode("utf-8")


def read_vocabulary(path):
    """vocab.txt -> `Vocabulary`."""
    path = pathlib.Path(path).expanduser()
    try:
        # Not splitlines(): published vocabularies hold characters that it takes for line ends.
        pieces = path.read_bytes().decode("utf-8-sig").removesuffix("\n").split("\n")
    except OSError as error:
        raise ValueError(
            "A vocabulary is a file with one piece a line, such as the vocab.txt of a published "
            f"checkpoint. Received: {path} ({error.strerror})"
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"A vocabulary is UTF-8 text. Received: {path} ({error})") from None
    try:
        return Vocabulary(piece.removesuffix("\r") for piece in pieces)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
