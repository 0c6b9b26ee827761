"""Files of records: what separates them, what is passed over, what is refused."""

import csv
import io
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_course.text.separated import counted, listed, read_separated
from bert_course.text.whole_file import read_whole


@pytest.fixture
def file(tmp_path):
    def write(content, name="rows.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def cells(path):
    return [record.cells for record in read_separated(path).records]


def test_in_a_tsv_a_quote_is_a_character(file):
    path = file('"One\tx\n"two" three\ty\n')
    assert cells(path) == [['"One', "x"], ['"two" three', "y"]]


def test_a_column_of_a_tsv_that_is_all_quoted_is_said(file):
    rows = "".join(f'"hen {n}"\tx\n' for n in range(3))
    (note,) = read_separated(file("text\tlabel\n" + rows)).notes
    assert "look quoted as in a .csv, 3 of them" in note
    assert read_separated(file("text\tlabel\n" + rows + "hen\tx\nowl\tx\n")).notes == []


def test_what_is_quoted_in_a_tsv_as_in_a_csv_is_said(file):
    """As pandas and Excel write it; a text in plain quotes is none."""
    table = read_separated(file('text\tlabel\n"no ""hen"""\tx\n"hen"\ty\n""\tz\nowl\tx\nowl\ty\n'))
    assert table.records[1].cells == ['"no ""hen"""', "x"]
    (note,) = table.notes
    assert "look quoted as in a .csv, 1 of them (line 2)." in note


def test_in_a_csv_quotes_hold_commas_quotes_and_lines(file):
    path = file('"a, b",x\n"say ""hi""",y\n"two\nlines",z\n5" wide,w\n', "rows.csv")
    table = read_separated(path)
    assert [r.cells for r in table.records] == [
        ["a, b", "x"],
        ['say "hi"', "y"],
        ["two\nlines", "z"],
        ['5" wide', "w"],
    ]
    assert [r.line for r in table.records] == [1, 2, 3, 5]
    assert table.notes == [f"{path}: a quoted field may go over several lines, here up to 2."]


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))


@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1))
def test_what_the_standard_library_writes_is_read_the_same(rows):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    if file.getvalue().startswith("\ufeff"):
        return  # a byte order mark, which is dropped
    path = "written.csv"
    if not file.getvalue().strip():
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bert_course.text.separated.read_whole", lambda path: file.getvalue())
        assert cells(path) == [list(row) for row in rows]


def test_an_object_a_line(file):
    path = file('{"text": "a", "n": 1}\n\n{"n": 2, "more": null, "text": "b"}\n', "rows.JSONL")
    table = read_separated(path)
    assert table.header == ["text", "n", "more"]
    assert table.records == [(["a", 1, None], 1), (["b", 2, None], 3)]


@pytest.mark.parametrize("name", ["rows.tsv", "rows.csv"])
def test_windows_line_ends_and_byte_order_mark(file, name):
    separator = "\t" if name.endswith("tsv") else ","
    path = file(f"\ufeffa{separator}b\r\nc{separator}d\r\n", name)
    assert cells(path) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("character", "\v\f\x1c\x1d\x1e\x85\u2028\u2029")
def test_only_a_newline_ends_a_line(file, character):
    assert cells(file(f"one{character}two\tx\n")) == [[f"one{character}two", "x"]]


def test_empty_lines_within_are_counted_and_those_at_the_end_are_not(file):
    table = read_separated(path := file("a\tb\n\n  \nc\td\n\n\n"))
    assert [record.line for record in table.records] == [1, 4]
    assert table.notes == [f"{path}: empty lines were passed over, 2 of them (lines 2, 3)."]
    assert read_separated(file("a\tb\nc\td\n\n\n")).notes == []


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([3], "1 of them (line 3)"),
        ([3, 3], "2 of them (line 3)"),
        ([3, 4, 7], "3 of them (lines 3, 4, 7)"),
        ([3, 4, 7, 9], "4 of them (lines 3, 4, 7 and 1 other)"),
        (range(2000), "2,000 of them (lines 0, 1, 2 and 1,997 others)"),
    ],
)
def test_how_many_and_where(places, said):
    assert counted(places) == said


def test_a_list_of_bearable_length():
    assert listed("abc", 3) == "a, b, c"
    assert listed("abcd", 3) == "a, b, c and 1 other"
    assert listed(["a" * 50]) == "a" * 39 + "…"


def test_one_column_may_be_enough(file):
    table = read_separated(file("a\nb\n"), fewest_columns=1)
    assert table.records == [(["a"], 1), (["b"], 2)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.xml", "a\tb\n", r"come as \.tsv .*Received: .*rows.xml"),
        ("rows.tsv", "a\tb\nc\n", r"as its first, 2: .*rows.tsv, line 2, with 1"),
        ("rows.tsv", "a\tb\n\nc\td\te\n", r"as its first, 2: .*rows.tsv, line 3, with 3"),
        ("rows.csv", "a,b\n\nc\n", r"as its first, 2: .*rows.csv, line 3, with 1"),
        (
            "rows.tsv",
            "a,b\n",
            r"tabs between.*rows.tsv, line 1, with one column; it looks .*commas",
        ),
        ("rows.csv", "a;b\n", r"commas between.*line 1, with one column; it looks .*semicolons"),
        ("rows.csv", "a\tb\n", r"with one column; it looks separated by tabs"),
        ("rows.csv", "\nab\n", r"rows.csv, line 2, with one column$"),
        ("rows.csv", 'a,b\n"c,d\ne,f\n', r"in a \.csv.*rows.csv, line 2, where a quote opens"),
        ("rows.csv", 'a,b\nx,"c,d\n"e",f\n', r"rows.csv, line 2, where a quote opens"),
        ("rows.csv", 'a,b\n"c" d,e\n', r"rows.csv, line 2, where a quote opens"),
        ("rows.csv", 'a,b\n"' + "c\n" * 600_000 + '",d\n', r"rows.csv, line 2, where a quote"),
        (
            "rows.jsonl",
            '{"a": 1}\n["b"]\n',
            r"must be an object.*rows.jsonl, line 2, with '\[\"b\"\]'",
        ),
        ("rows.jsonl", '{"a": 1}\n{"a": \n', r"no JSON: .*rows.jsonl, line 2, character 7"),
        ("rows.jsonl", "[" * 100_000, r"brackets too deep.*rows.jsonl, line 1"),
        ("rows.jsonl", '{"a": ' + "9" * 5000 + "}", r"numbers too long.*rows.jsonl, line 1"),
    ],
)
def test_what_is_refused(file, name, content, message):
    with pytest.raises(ValueError, match="(?is)" + message):
        read_separated(file(content, name))


# -------------------------------------------------------------------------------------- whole files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"must hold rows.*rows.tsv, which is empty"),
        (b"\xef\xbb\xbf", r"rows.tsv, which is empty"),
        (b" \n\t\n", r"rows.tsv, which is empty"),
        (b"a\tb\nc\0\td\n", r"binary file.*rows.tsv, line 2"),
        ("a\tb\n".encode("utf-16"), r"UTF-16.*rows.tsv, line 1"),
        (b"a\tb\ncaf\xe9\td\n", r"UTF-8: .*rows.tsv, line 2, with the byte 0xe9"),
        (b"a\tb\n" + b"c" * 1_000_001 + b"\n", r"1,000,000 bytes.*line 2, with 1,000,001"),
    ],
)
def test_a_file_that_is_no_text(file, content, message):
    with pytest.raises(ValueError, match=message):
        read_whole(file(content))


def test_the_longest_line(file):
    assert len(read_whole(file(b"c" * 1_000_000 + b"\nd"))) == 1_000_002
    assert len(read_whole(file(b"c" * 1_000_001), longest_line=None)) == 1_000_001


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(
        ValueError, match=r"from a file that can be read.*nowhere.tsv \(No such file"
    ):
        read_whole(tmp_path / "nowhere.tsv")
    with pytest.raises(ValueError, match=r"from a file that can be read.*([Dd]irectory|denied)"):
        read_whole(tmp_path)
    with pytest.raises(ValueError, match=r"from a file that can be read.*null"):
        read_whole("a\0b")


def test_a_pipe_is_not_waited_for(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(ValueError, match=re.escape("pipe.tsv (neither a file nor a folder)")):
        read_whole(tmp_path / "pipe.tsv")
