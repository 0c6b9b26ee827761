"""Tables of labelled texts: which column is which, what a row is, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_course.text.labelled import is_blank, read_rows, read_texts, same_text

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


def test_of_several_columns_with_few_values_none_is_guessed(file):
    """Where one has few and one has many, it is plain."""
    rows = [(f"A hen sings {n} times.", "ab"[n % 2], "xyz"[n % 3]) for n in range(12)]
    path = file("".join("\t".join(row) + "\n" for row in rows))
    with pytest.raises(ValueError, match=r"few values come again .*label=NAME.* be 1: a, 2: x$"):
        read_rows(path, "classify")
    assert numbers(path, columns={"label": 2}) == {"text": 0, "label": 2}
    assert numbers(file("".join("\t".join(row[:2]) + "\n" for row in rows))) == {
        "text": 0,
        "label": 1,
    }


def test_a_first_line_that_looks_like_a_header_is_said(file):
    lines = "what was written by them\tteam\n" + "It broke.\tred\n" * 3 + "Thanks.\tblue\n" * 3
    _, _, notes = read_rows(file(lines), "classify")
    assert any("line 1: its label, 'team', is on no other line" in note for note in notes)
    _, _, notes = read_rows(file(lines.replace("team", "red")), "classify")
    assert not any("is on no other line" in note for note in notes)


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


def test_what_was_found_by_another_name_is_said_and_what_was_told_is_not(file):
    path = file(HEADED)
    assert read_rows(path, "classify")[2] == [
        f"{path} has a header; found: text in column 1 ('sentence'). Name the columns if that is "
        "wrong."
    ]
    assert read_rows(path, "classify", {"text": "sentence"})[2] == []
    assert read_rows(file(HEADED.replace("sentence", "Text")), "classify")[2] == []


def test_what_was_found_and_what_was_guessed_is_told_apart(file):
    path = file(
        '{"review": "A hen sings.", "mark": 1}\n{"review": "A boat.", "mark": 1}', "r.jsonl"
    )
    assert read_rows(path, "classify")[2] == [
        f"{path} has a header; found: text in column 0 ('review'); guessed: label in column 1 "
        "('mark'). Name the columns if that is wrong."
    ]


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


def test_of_columns_with_as_many_values_the_shorter_is_the_label(file):
    assert numbers(file("The hen sings.\tx\nThe ice melts.\ty\n")) == {"label": 1, "text": 0}


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


MOODS = [
    f"{text}\t{who}\t{urgency}\t{moods}\n"
    for text, who, urgency, moods in [
        ("Well, the hen sings.", "ann", "high", "glad,loud"),
        ("The ice, alas, melts.", "bob", "low", "glum"),
        ("It rains, all day.", "ann", "high", ""),
        ("A boat came, at last.", "bob", "high", "glad"),
        ("It left, loudly.", "ann", "low", "glum, loud"),
    ]
]


def test_a_column_of_several_labels_has_commas_or_blank_cells(file):
    rows = read(file("".join(MOODS)), "multilabel")
    assert rows[0] == ("Well, the hen sings.", ("glad", "loud"))
    assert [label for _, label in rows[1:4]] == [("glum",), (), ("glad",)]
    rows = read(file("said\tfrom\turgency\tmoods\n" + "".join(MOODS)), "multilabel")
    assert rows[0] == ("Well, the hen sings.", ("glad", "loud"))
    rows = [
        f'{{"who": "{"ab"[n % 2]}", "mood": {["x"] * (n % 3)}, "said": "No {n}."}}'
        for n in range(9)
    ]
    path = file("\n".join(rows).replace("'", '"'), "rows.jsonl")
    assert read(path, "multilabel")[:2] == [("No 0.", ()), ("No 1.", ("x",))]


def test_without_commas_the_only_column_whose_values_come_again_has_the_labels(file):
    lines = [f"{text}\t{'ab'[n % 2]}\n" for n, text in enumerate(TEXTS)]
    assert numbers(file("".join(lines)), "multilabel") == {"label": 1, "text": 0}


def table(*columns):
    return "".join("\t".join(cells) + "\n" for cells in zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("content", "choice"),
    [
        (table(TEXTS, "ababa", "xyxyx"), "1: a, 2: x"),  # no commas: both could be
        (table(TEXTS[:4], ["a", "", "a", "a,b"], ["x", "x", "", "x"]), "1: a, 2: x"),  # both show
        (table(["said", "it"], ["who", "ann"], ["mood", "glad"]), "0: said, 1: who, 2: mood"),
    ],
)
def test_where_several_columns_could_have_the_labels_they_must_be_named(file, content, choice):
    path = file(content)
    with pytest.raises(ValueError, match=rf"--columns label=NAME.*rows.tsv.* be {choice}$"):
        read_rows(path, "multilabel")
    assert numbers(path, "multilabel", {"label": 2}) == {"label": 2, "text": 0}


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
        ("classify", "r.tsv", HEADED, {"other": 1}, r"columns of 'classify' must .*: other"),
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
        (
            "classify",
            "r.tsv",
            "text\tlabel\n \tx\n",
            None,
            r"text .* must not be blank.*r.tsv, line 2",
        ),
        (
            "classify",
            "r.tsv",
            "text\tlabel\n\u200b\tx\n",
            None,
            r"text .* must not be blank.*line 2",
        ),
        ("classify", "r.tsv", "text\tlabel\nA\t \n", None, r"line 2, whose label is blank"),
        ("multilabel", "r.tsv", "text\tlabel\nA\ta,,b\n", None, r"remove it.*line 2, with 'a,,b'"),
        ("multilabel", "r.tsv", "text\tlabel\nA\ta,b,\n", None, r"comma must.*line 2, with 'a,b,'"),
        (
            "multilabel",
            "r.jsonl",
            '{"text": "A", "label": [""]}',
            None,
            r"line 1, whose label is bl",
        ),
        (
            "pairs",
            "r.tsv",
            "text\tother\tlabel\nA\t\tx\n",
            None,
            r"The other of a row must not be blank.*r.tsv, line 2",
        ),
        ("classify", "r.jsonl", '{"text": "A", "label": null}', None, r"line 1, whose label is bl"),
        ("classify", "r.jsonl", '{"text": "A", "label": {}}', None, r"word or a num.*line 1, with"),
        (
            "classify",
            "r.jsonl",
            '{"text": 7, "label": 1}',
            None,
            r"that is text.*line 1, with '7'",
        ),
        (
            "classify",
            "r.jsonl",
            '{"text": "A", "label": 1}\n{"label": 1}',
            None,
            r"must have a text.*line 2, with nothing",
        ),
        ("classify", "r.jsonl", '{"text": "\\ud800", "label": 1}', None, r"one half alone"),
    ],
)
def test_what_is_refused(file, kind, name, content, columns, message):
    with pytest.raises(ValueError, match=message):
        read_rows(file(content, name), kind, columns)


# ------------------------------------------------------------------------------------ texts alone


@pytest.mark.parametrize(
    ("name", "content", "kind", "columns"),
    [
        ("r.tsv", HEADED, "classify", None),
        ("r.tsv", HEADED, "multilabel", {"label": "gone"}),
        ("r.tsv", HEADED.replace("sentence", "said"), "classify", {"text": "said"}),
        ("r.tsv", "".join(HEADED.splitlines(keepends=True)[1:]), "classify", {"text": 1}),
        ("r.tsv", HEADED, "classify", {"text": 1}),
        ("r.csv", "text\nThe hen sings.\nThe ice melts.\n", "classify", None),
        ("r.jsonl", '{"text": "The hen sings."}\n{"text": "The ice melts."}', "classify", None),
    ],
)
def test_texts_without_labels(file, name, content, kind, columns):
    rows, _ = read_texts(path := file(content, name), kind, columns)
    assert [(row.text, row.other, row.label) for row in rows] == [
        ("The hen sings.", None, None),
        ("The ice melts.", None, None),
    ]
    last = len(content.splitlines())
    assert [row.place for row in rows] == [f"{path}, line {n}" for n in (last - 1, last)]


def test_pairs_without_labels(file):
    rows, notes = read_texts(path := file("sentence2\tid\tsentence1\nB\t1\tA\n"), "pairs")
    assert rows == [("A", "B", None, f"{path}, line 2")]
    assert "found: text in column 2 ('sentence1'), other in column 0 ('sentence2')" in notes[0]


@pytest.mark.parametrize(
    ("content", "kind", "columns", "message"),
    [
        (
            "A hen.\tx\n",
            "classify",
            None,
            r"column of the text must .*--columns text=.*0: A hen., 1",
        ),
        ("text\tlabel\nA\tx\n", "pairs", None, r"column of the other must .*r.tsv.*0: text, 1: l"),
        ("text\tlabel\nA\tx\n", "pairs", {"text": 0, "other": 0}, r"column of its own.*r.tsv"),
        ("text\tlabel\n", "classify", None, r"only the header text"),
        ("text\tlabel\n\tx\n", "classify", None, r"must not be blank.*line 2"),
        ("text\tlabel\nA\tx\n", "classify", {"words": 0}, r"columns of 'classify' must"),
    ],
)
def test_texts_that_are_refused(file, content, kind, columns, message):
    with pytest.raises(ValueError, match=message):
        read_texts(file(content, "r.tsv"), kind, columns)
