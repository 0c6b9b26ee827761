"""Files of tagged words: sentences, columns, IOB2 and its repair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_course.text.tagged import read_tagged, read_untagged, repair_iob2


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "words.conll"
        path.write_bytes(content.encode("utf-8"))
        return path

    return write


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("read", [read_tagged, read_untagged])
def test_numbers_before_the_words_are_refused(file, read, first):
    """As CoNLL-U has them; a model would learn to tag numbers. Two may be words."""
    lines = [f"{first + n}\t{word}\tO\n" for n, word in enumerate("Ann sings loudly".split())]
    with pytest.raises(ValueError, match=r"delete the column that counts .* line 1, and on, with"):
        read(file("".join(lines)))
    read(file("".join(lines[:2])))


def test_two_sentences(file):
    rows, notes = read_tagged(path := file("Ann\tB-PER\nsings\tO\n\nIt\tO\n"))
    assert rows == [
        (["Ann", "sings"], None, ["B-PER", "O"], f"{path}, line 1"),
        (["It"], None, ["O"], f"{path}, line 4"),
    ]
    assert notes == []


@pytest.mark.parametrize("between", ["\n", "\t\n", "  \n", "\n \t \n\n", "\r\n"])
def test_what_ends_a_sentence(file, between):
    rows, _ = read_tagged(file(f"Ann\tB-PER\n{between}It\tO\n"))
    assert [row.text for row in rows] == [["Ann"], ["It"]]


@pytest.mark.parametrize(
    "content",
    ["New York\tB-LOC\n", "New York\tNNP\tB-LOC\n", "New York\tB-LOC \n"],
)
def test_after_a_tab_a_word_may_hold_spaces(file, content):
    assert read_tagged(file(content))[0][0][:3] == (["New York"], None, ["B-LOC"])


def test_of_columns_with_spaces_the_first_and_the_last_count(file):
    rows, _ = read_tagged(file("-DOCSTART- -X- -X- O\n\nU.N. NNP I-NP B-ORG\nin  IN I-PP O\n"))
    assert [(row.text, row.label) for row in rows] == [(["U.N.", "in"], ["B-ORG", "O"])]


def test_broken_tags_are_repaired_and_counted(file):
    rows, notes = read_tagged(path := file("a\tI-X\nb\tI-X\nc\tI-Y\nd\tO\ne\tI-Y\n"))
    assert rows[0].label == ["B-X", "I-X", "B-Y", "O", "B-Y"]
    assert notes == [
        f"{path}: tags I-X with nothing of X before became B-X, 3 of them (lines 1, 3, 5)."
    ]


@pytest.mark.parametrize(
    "content", ["Ann\tB-PER\nsings\tO\n\nIt\tO\n", "Ann\nsings\n\nIt\n", "Ann PER\nsings\n\nIt X Y"]
)
def test_words_with_any_tags_or_none(file, content):
    rows = read_untagged(path := file("-DOCSTART-\n\n" + content))
    assert rows == [
        (["Ann", "sings"], None, None, f"{path}, line 3"),
        (["It"], None, None, f"{path}, line 6"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("-DOCSTART-\n", r"must have sentences.*words.conll, without any"),
        ("Ann\n\tO\n", r"words.conll, line 2, with no word"),
    ],
)
def test_words_that_are_refused(file, content, message):
    with pytest.raises(ValueError, match=message):
        read_untagged(file(content))


TAGS = st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]))


def is_valid(tags):
    """Every I-X has B-X or I-X before it."""
    pairs = zip(["O", *tags], tags, strict=False)
    return all(before in ("B" + tag[1:], tag) for before, tag in pairs if tag[0] == "I")


@given(TAGS)
def test_a_repaired_sequence_is_valid_and_stays(tags):
    sound = repair_iob2(tags)
    assert is_valid(sound)
    assert repair_iob2(sound) == sound
    assert [tag[1:] for tag in sound] == [tag[1:] for tag in tags]
    assert (sound == tags) == is_valid(tags)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Ann\tB-PER\nsings\n", r"a word, a tab or a space, and its tag.*line 2, with one column"),
        ("Ann\tB-PER\n\tO\n", r"words.conll, line 2, with no word"),
        ("Ann\tB-PER\nsings\tV\tO\n", r"as many columns as its first, 2.*line 2, with 3"),
        ("Ann\tPER\n", r"IOB2.*words.conll, line 1, with 'PER'"),
        ("Ann\tS-PER\n", r"S-X to B-X.*line 1, with 'S-PER'"),
        ("Ann\tB-\n", r"line 1, with 'B-'"),
        ("Ann\tB-PER\n\nIt\t\n", r"line 3, with ''"),
        ("-DOCSTART- O\n", r"must have sentences.*words.conll, without any"),
        ("", r"words.conll, which is empty"),
    ],
)
def test_what_is_refused(file, content, message):
    with pytest.raises(ValueError, match=message):
        read_tagged(file(content))


@pytest.mark.parametrize(
    ("name", "sentences", "words"),
    [
        ("wnut17train.conll", 3394, 62730),
        ("emerging.dev.conll", 1009, 15733),
        ("emerging.test.annotated", 1287, 23394),
    ],
)
def test_wnut(course_data, name, sentences, words):
    rows, notes = read_tagged(course_data / "wnut17" / name)
    assert (len(rows), sum(len(row.text) for row in rows), notes) == (sentences, words, [])
