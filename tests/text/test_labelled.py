"""Tables of labelled texts: which column is which, what a row is, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_course.text.labelled import is_blank, read_rows, same_text

HEADED = "id\tsentence\tlabel\n1\tThe hen sings.\tglad\n2\tThe ice melts.\tglum\n"


@pytest.fixture
def file(tmp_path):
    def write(content, name="rows.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def read(path, kind="classify", columns=None, like=None):
    rows, *_ = read_rows(path, kind, columns, like)
    return [(row.text, row.label) if row.other is None else row[:3] for row in rows]


def numbers(path, kind="classify", columns=None, like=None):
    return read_rows(path, kind, columns, like)[1].numbers


SUNG = [("The hen sings.", "glad"), ("The ice melts.", "glum")]


@pytest.mark.parametrize(
    "columns",
    [
        None,
        {"text": "sentence"},
        {"label": "label"},
        {"label": 2},
        {"text": 1, "label": 2},
        {"text": "1", "label": "label"},
    ],
)
def test_columns_by_name_by_number_and_guessed(file, columns):
    assert read(file(HEADED), columns=columns) == SUNG


def test_what_was_guessed_is_said_and_what_was_told_is_not(file):
    path = file(HEADED)
    assert read_rows(path, "classify")[2] == [
        f"{path} has a header; guessed: text in column 1 ('sentence'), label in column 2 ('label')."
        " Name the columns if that is wrong."
    ]
    assert read_rows(path, "classify", {"text": "sentence", "label": "label"})[2] == []


def test_a_row_knows_its_place(file):
    rows, *_ = read_rows(path := file(HEADED), "classify")
    assert [row.place for row in rows] == [f"{path}, line 2", f"{path}, line 3"]


TEXTS = ["The hen sings.", "The old ice melts.", "It rains all day.", "A boat came.", "It left."]


def test_without_a_header_few_values_are_labels_and_long_ones_texts(file):
    lines = [f"{n}\tweb\t{n % 2}\t{text}\n" for n, text in enumerate(TEXTS)]
    path = file("".join(lines))
    assert numbers(path) == {"label": 2, "text": 3}  # not `web`, which all have
    assert len(read(path)) == len(TEXTS)
    assert (
        "has no header; guessed: text in column 3, label in column 2"
        in (read_rows(path, "classify")[2][0])
    )


def test_a_header_of_unknown_names_is_told_by_its_label(file):
    lines = [f"{n % 2}\t{text}\n" for n, text in enumerate(TEXTS[:4])]
    path = file("Wertung\tSatz\n" + "".join(lines))
    assert len(read(path)) == 4
    assert len(read(path, columns={"label": 0, "text": 1})) == 4
    assert "has a header" in read_rows(path, "classify")[2][0]
    assert len(read(file("0\tNot a header.\n" + "".join(lines)))) == 5  # 0 is a label of others


def test_pairs_keep_their_order(file):
    path = file("label\tsentence1\tsentence2\n1\tA hen.\tA bird that sings.\n0\tIce.\tFire.\n")
    assert read(path, "pairs") == [("A hen.", "A bird that sings.", "1"), ("Ice.", "Fire.", "0")]
    path = file("1\tA hen.\tA bird that sings.\n0\tIce.\tFire.\n1\tRain.\tWater.\n")
    assert numbers(path, "pairs") == {"label": 0, "text": 1, "other": 2}


def test_several_labels(file):
    path = file("text\tlabels\nA\tb, a\nB\t\nC\ta,a\n")
    assert read(path, "multilabel") == [("A", ("a", "b")), ("B", ()), ("C", ("a",))]
    path = file('{"text": "A", "labels": ["b", "a"]}\n{"text": "B"}\n', "rows.jsonl")
    assert read(path, "multilabel") == [("A", ("a", "b")), ("B", ())]


def test_labels_of_json(file):
    lines = [f'{{"label": {label}, "text": "A"}}\n' for label in ('"x "', "1", "true", "0.5")]
    labels = [label for _, label in read(file("".join(lines), "rows.jsonl"))]
    assert labels == ["x", "1", "true", "0.5"]


def test_a_file_without_header_is_read_as_train_was(file):
    like = read_rows(file("gold\tsaid\n" + "x\tA b c d.\ny\tC d.\n" * 3), "classify")[1]
    dev = file("x\tA hen.\ny\tA hen.\nz\tIce.\n", "dev.tsv")
    assert numbers(dev) == {"label": 1, "text": 0}  # by itself
    assert read(dev, like=like) == [("A hen.", "x"), ("A hen.", "y"), ("Ice.", "z")]


def test_digits_are_the_number_of_a_column_even_where_the_first_line_has_them(file):
    path = file("1\tThe hen sings.\n0\tThe ice melts.\n")
    assert read(path, columns={"label": "0", "text": "1"}) == [
        ("The hen sings.", "1"),
        ("The ice melts.", "0"),
    ]


def test_a_header_in_another_order_counts(file):
    like = read_rows(file("mark\tsaid\n" + "x\tA b c d.\ny\tC d.\n" * 3), "classify")[1]
    assert read(file("said\tmark\nA text.\tx\n", "dev.tsv"), like=like) == [("A text.", "x")]
    assert read(file("sentence\tlabel\nA text.\tx\n", "dev.tsv"), like=like) == [("A text.", "x")]


def test_columns_found_as_in_train_are_not_said_again(file):
    like = read_rows(file(HEADED), "classify")[1]
    assert read_rows(file(HEADED), "classify", like=like)[2] == []


VISIBLE = st.text(st.characters(codec="utf-8", exclude_characters="\0\t\n\r\ufeff"))
VISIBLE = VISIBLE.filter(lambda text: not is_blank(text))


@given(texts=st.lists(VISIBLE, min_size=1))
def test_any_text_without_tabs_and_newlines_survives(texts, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "rows.tsv"
    lines = [f"{text}\t{n % 2}\n" for n, text in enumerate(texts)]
    path.write_bytes("".join(["text\tlabel\n", *lines]).encode("utf-8"))
    assert [text for text, _ in read(path)] == texts


def test_what_makes_two_rows_the_same(file):
    rows, *_ = read_rows(file("A  b \tx\nA b\ty\na b\tx\n"), "classify", {"text": 0, "label": 1})
    assert same_text(rows[0]) == same_text(rows[1]) != same_text(rows[2])


@pytest.mark.parametrize(
    ("kind", "name", "content", "columns", "message"),
    [
        ("classify", "r.tsv", HEADED, {"other": 1}, r"columns of 'classify' are .*: other"),
        (
            "classify",
            "r.tsv",
            HEADED,
            {"text": "said"},
            r"named as .*'said'; the columns of .*r.tsv are 0: id, 1: sentence, 2: label",
        ),
        ("classify", "r.tsv", HEADED, {"text": 3}, r"numbered from 0.*: 3; the columns of .*r.tsv"),
        ("classify", "r.tsv", HEADED, {"text": -1}, r"numbered from 0.*: -1; .*r.tsv"),
        ("classify", "r.tsv", HEADED, {"text": 1, "label": 1}, r"column of its own.*r.tsv"),
        ("pairs", "r.tsv", "A\tb\nC\td\n", None, r"columns for text, other.*r.tsv, with 2"),
        ("classify", "r.jsonl", '{"a": 1}\n', None, r"columns for text, label.*r.jsonl, with 1"),
        ("classify", "r.tsv", "text\tlabel\n", None, r"only the header text, label"),
        ("classify", "r.tsv", "text\tlabel\n \tx\n", None, r"text .* not blank.*r.tsv, line 2"),
        ("classify", "r.tsv", "text\tlabel\n\u200b\tx\n", None, r"text .* not blank.*line 2"),
        ("classify", "r.tsv", "text\tlabel\nA\t \n", None, r"line 2, whose label is blank"),
        ("multilabel", "r.tsv", "text\tlabel\nA\ta,,b\n", None, r"line 2, whose label is blank"),
        (
            "pairs",
            "r.tsv",
            "text\tother\tlabel\nA\t\tx\n",
            None,
            r"The other of a row is not blank.*r.tsv, line 2",
        ),
        ("classify", "r.jsonl", '{"text": "A", "label": null}', None, r"line 1, whose label is bl"),
        ("classify", "r.jsonl", '{"text": "A", "label": {}}', None, r"word or a num.*line 1, with"),
        (
            "classify",
            "r.jsonl",
            '{"text": 7, "label": 1}',
            None,
            r"which is text.*line 1, with '7'",
        ),
        (
            "classify",
            "r.jsonl",
            '{"text": "A", "label": 1}\n{"label": 1}',
            None,
            r"has a text.*line 2, with nothing",
        ),
        ("classify", "r.jsonl", '{"text": "\\ud800", "label": 1}', None, r"one half alone"),
    ],
)
def test_what_is_refused(file, kind, name, content, columns, message):
    with pytest.raises(ValueError, match=message):
        read_rows(file(content, name), kind, columns)
