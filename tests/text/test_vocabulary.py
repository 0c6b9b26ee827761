"""A vocabulary knows its special pieces, and is read as it was saved."""

import numpy as np
import pytest

from bert_course.places import course_data
from bert_course.text.vocabulary import SPECIAL, Vocabulary, read_vocabulary

PIECES = [*SPECIAL, "[unused0]", "[nothing]", "the", "##s", "#", "##"]


def test_what_is_known_of_each_piece():
    vocabulary = Vocabulary(PIECES)
    assert (vocabulary.pad, vocabulary.unk, vocabulary.cls) == (0, 1, 2)
    assert (vocabulary.sep, vocabulary.mask, len(vocabulary)) == (3, 4, 11)
    ordinary = [p for p, is_one in zip(PIECES, vocabulary.is_ordinary, strict=True) if is_one]
    assert ordinary == ["[nothing]", "the", "##s", "#", "##"]
    assert [PIECES[i] for i in np.flatnonzero(vocabulary.continues)] == ["##s", "##"]
    assert all(PIECES[number] == piece for piece, number in vocabulary.ids.items())


@pytest.mark.parametrize(("size", "expected"), [(2**16, "uint16"), (2**16 + 1, "uint32")])
def test_ids_take_no_more_room_than_they_need(size, expected):
    vocabulary = Vocabulary([*SPECIAL, *(f"w{n}" for n in range(size - 5))])
    assert vocabulary.id_type == expected
    assert vocabulary.id_type.type(size - 1) == size - 1


def test_saved_and_read_it_is_the_same(tmp_path):
    pieces = [*PIECES, "\u2028", "\x85", "é"]  # some take these for line ends; BERT has them
    Vocabulary(pieces).save(tmp_path / "vocab.txt")
    again = read_vocabulary(tmp_path / "vocab.txt")
    assert again.pieces == pieces
    assert again.sha256 == Vocabulary(pieces).sha256 != Vocabulary(PIECES).sha256


def test_a_file_from_windows_is_read(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(PIECES).encode())
    assert read_vocabulary(tmp_path / "vocab.txt").pieces == PIECES


def test_the_vocabulary_of_the_course():
    vocabulary = read_vocabulary(course_data() / "vocab.txt")
    assert vocabulary.pieces[:5] == list(SPECIAL)
    assert vocabulary.is_ordinary.sum() == len(vocabulary) - 5 == 1995


@pytest.mark.parametrize("piece", ["two\nlines", "end\r", 7])
def test_a_piece_that_is_no_line(piece):
    with pytest.raises(ValueError, match=r"stands on one line of vocab.txt.*Received: "):
        Vocabulary([*PIECES, piece])


def test_special_pieces_that_are_missing():
    with pytest.raises(ValueError, match=r"Missing: \[UNK\], \[MASK\]. Received: 9 pieces"):
        Vocabulary([piece for piece in PIECES if piece not in ("[UNK]", "[MASK]")])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, r"A vocabulary is a file with one piece a line.*Received: .*\(No such file"),
        (b"\xff\xfe", r"A vocabulary is UTF-8 text. Received: .*vocab.txt"),
        (b"the\n", r"vocab.txt: A vocabulary must hold BERT's special pieces.*Received: 1 pieces"),
    ],
)
def test_a_file_that_is_none(tmp_path, content, expected):
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        read_vocabulary(tmp_path / "vocab.txt")
