"""Windows: nothing is lost, each overlaps the next by half, and each piece knows its place."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import FILLERS, PIECES

from bert_course.text.labelled import Row
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.training.windows import overlapping, read_context, read_text, read_words

TOKENIZER = WordPieceTokenizer(PIECES)
WORDS = st.lists(
    st.sampled_from([*FILLERS, "hens", "suns", "sunss", "\u200b", "zebra", "."]), max_size=60
)
LENGTHS = st.integers(5, 40)


def pieces_of(window):
    return [PIECES[number] for number in window.ids]


def words_read(words, max_length=128):
    return read_words(TOKENIZER, Row(words, None, None, "here"), 0, max_length)


def context_read(question, context, max_length=128):
    return read_context(TOKENIZER, Row(context, question, None, "here"), 0, max_length)


# ------------------------------------------------------------------------------------ how it is cut


@given(st.integers(0, 300), st.integers(2, 50))
def test_slices_cover_all_and_share_half_with_the_next(count, room):
    parts = [range(count)[part] for part in overlapping(count, room)]
    assert sorted(set().union(*parts)) == list(range(count))
    assert all(len(part) <= room for part in parts)
    assert all(len(set(a) & set(b)) == room - room // 2 for a, b in pairwise(parts))
    needless = len(parts) > 1 and set(parts[-1]) <= set(parts[-2])
    assert not needless
    assert len(parts) == 1 or count > room


def test_slices_by_hand():
    assert overlapping(10, 4) == [slice(0, 4), slice(2, 6), slice(4, 8), slice(6, 10)]
    assert overlapping(5, 4) == [slice(0, 4), slice(2, 6)]
    assert overlapping(4, 4) == overlapping(0, 4) == [slice(0, 4)]


@pytest.mark.parametrize(("room", "said"), [(1, 1), (0, 0), (-3, 0)])
def test_too_little_room(room, said):
    with pytest.raises(
        ValueError, match=f"leave room for the special.* Received: room for {said}$"
    ):
        overlapping(9, room)


def test_a_window_for_a_long_question_may_have_too_little_room():
    assert len(context_read("who?", "hen sun ice", 8)) == 1
    with pytest.raises(ValueError, match="Received: room for 1"):
        context_read("who " * 9, "hen sun ice", 8)
    with pytest.raises(ValueError, match="Received: room for 1"):
        words_read(["hen"], 3)


# ----------------------------------------------------------------------------------- texts as whole


def test_a_pair_is_one_window():
    row = Row("hens sing", "sun melts", None, "here")
    [window] = read_text(TOKENIZER, row, 7, 6)
    assert window.row == 7
    assert pieces_of(window) == "[CLS] hen ##s [SEP] sun [SEP]".split()
    assert window.segment_ids == [0, 0, 0, 0, 1, 1]
    assert window.places == [None] * 6


def test_a_long_text_is_several_windows():
    windows = read_text(TOKENIZER, Row("hens boat sun ice", None, None, "here"), 7, 6)
    assert [pieces_of(window) for window in windows] == [
        "[CLS] hen ##s boat sun [SEP]".split(),
        "[CLS] boat sun ice [SEP]".split(),
    ]
    assert [(window.row, set(window.segment_ids)) for window in windows] == [(7, {0})] * 2
    assert [len(window.places) for window in windows] == [6, 5]
    [empty] = read_text(TOKENIZER, Row("", None, None, "here"), 0, 6)
    assert pieces_of(empty) == ["[CLS]", "[SEP]"]


# -------------------------------------------------------------------------------------------- words


def test_words_by_hand():
    [window] = words_read(["hens", "zebra", "\u200b", "suns", "."])
    assert pieces_of(window) == "[CLS] hen ##s [UNK] [UNK] sun ##s . [SEP]".split()
    assert window.places == [None, 0, None, 1, 2, 3, None, 4, None]
    assert window.segment_ids == [0] * 9


def test_words_in_several_windows_by_hand():
    windows = words_read(["hens", "ice", "suns", "rain"], 6)
    assert [pieces_of(window) for window in windows] == [
        "[CLS] hen ##s ice sun [SEP]".split(),
        "[CLS] ice sun ##s rain [SEP]".split(),
    ]
    assert [window.places for window in windows] == [
        [None, 0, None, 1, 2, None],
        [None, 1, 2, None, 3, None],
    ]


@given(WORDS, LENGTHS)
def test_every_word_begins_in_some_window(words, max_length):
    windows = words_read(words, max_length)
    found = set()
    for window in windows:
        assert len(window.ids) == len(window.segment_ids) == len(window.places) <= max_length
        assert pieces_of(window)[0] == "[CLS]" and pieces_of(window)[-1] == "[SEP]"
        assert pieces_of(window)[1:-1].count("[SEP]") == 0
        for piece, word in zip(pieces_of(window), window.places, strict=True):
            if word is not None:
                assert piece == "[UNK]" or words[word].startswith(piece)
        found |= {word for word in window.places if word is not None}
    assert found == set(range(len(words)))


# ----------------------------------------------------------------------------------------- contexts


def test_a_context_by_hand():
    [window] = context_read("Who?", "Hens  sing.")
    assert pieces_of(window) == "[CLS] who ? [SEP] hen ##s [UNK] . [SEP]".split()
    assert window.segment_ids == [0] * 4 + [1] * 5
    assert window.places == [None] * 4 + [(0, 3), (3, 4), (6, 10), (10, 11), None]


def test_a_very_long_question_leaves_half_for_the_context():
    windows = context_read("who " * 500, "hen sun ice boat rain " * 4, 20)
    for window in windows:
        assert len(window.ids) <= 20
        assert pieces_of(window)[:12] == ["[CLS]", *["who"] * 10, "[SEP]"]
    assert {place for window in windows for place in window.places} - {None} == set(
        TOKENIZER.encode("hen sun ice boat rain " * 4).offsets[1:-1]
    )


@given(WORDS, LENGTHS.filter(lambda length: length >= 8))
def test_every_piece_of_a_context_is_in_some_window_at_its_place(words, max_length):
    context = " ".join(words)
    encoding, seen = TOKENIZER.encode(context), set()
    where = dict(zip(encoding.offsets[1:-1], encoding.ids[1:-1], strict=True))
    for window in context_read("who?", context, max_length):
        assert len(window.ids) == len(window.segment_ids) == len(window.places) <= max_length
        for number, place in zip(window.ids, window.places, strict=True):
            if place:
                assert where[place] == number
                seen.add(place)
    assert seen == set(where)
