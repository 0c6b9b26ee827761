"""Questions in SQuAD's JSON: answers that stand where they say, are moved, or are dropped."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_course.text.questions import NEAR, find_answer, read_questions, read_unanswered

CONTEXT = "Ann sings. The hen sings too, and Bob listens."


def squad(*questions, context=CONTEXT):
    return {"version": "2.0", "data": [{"paragraphs": [{"context": context, "qas": questions}]}]}


def question(*answers, name="q", **more):
    answers = [{"answer_start": start, "text": text} for start, text in answers]
    return {"id": name, "question": "Who?", "answers": answers, **more}


@pytest.fixture
def file(tmp_path):
    def write(document):
        path = tmp_path / "asked.json"
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, "utf-8")
        return path

    return write


def test_answers_and_questions_without(file):
    path = file(
        squad(
            question((0, "Ann"), (34, "Bob"), (0, "Ann")),
            question(name="r", is_impossible=True),
            question(name="s"),
        )
    )
    rows, notes = read_questions(path)
    assert rows == [
        (CONTEXT, "Who?", [(0, "Ann"), (34, "Bob")], f"{path}, question q"),
        (CONTEXT, "Who?", [], f"{path}, question r"),
        (CONTEXT, "Who?", [], f"{path}, question s"),
    ]
    assert notes == []


def test_what_is_marked_as_impossible_has_no_answer(file):
    rows, _ = read_questions(file(squad(question((0, "Ann"), is_impossible=True))))
    assert rows[0].label == []


def test_a_question_without_name_has_its_number(file):
    asked = question((0, "Ann"))
    del asked["id"]
    rows, _ = read_questions(path := file(squad(question((0, "Ann")), asked)))
    assert rows[1].place == f"{path}, question 1"


def test_answers_elsewhere_are_moved_or_dropped_and_counted(file):
    path = file(
        squad(
            question((3, "Ann")),
            question((0, "Carl"), (20, "Bob"), name="r"),
            question((0, "Carl"), name="s"),
            question((0, "ann"), name="t"),
        )
    )
    rows, notes = read_questions(path)
    assert [row.label for row in rows] == [[(0, "Ann")], [(34, "Bob")]]  # s is not impossible
    assert notes == [
        f"{path}: answers did not stand at their offset and were moved to where they stand, by "
        "up to 14 characters, 2 of them (questions q, r).",
        f"{path}: answers did not stand within 100 characters of their offset and were dropped, 3 "
        "of them (questions r, s, t).",
        f"{path}: questions were dropped, for they had no other answer, 2 of them (questions "
        "s, t).",
    ]


FAR = "-" * 204 + " hen " + "-" * 200


@pytest.mark.parametrize(
    ("context", "start", "text", "found"),
    [
        (CONTEXT, 4, "sings", 4),
        (CONTEXT, 19, "sings", 19),
        (CONTEXT, 17, "sings", 19),  # the nearer
        (CONTEXT, 6, "sings", 4),
        (CONTEXT, 10**30, "Ann", None),
        (CONTEXT, -NEAR, "Ann", 0),
        (CONTEXT, -NEAR - 1, "Ann", None),
        (CONTEXT, 0, "ann", None),  # letter for letter
        (CONTEXT, 0, "Carl", None),
        (CONTEXT, 0, "", None),
        (CONTEXT, 3, " ", None),
        (FAR, 205 - NEAR, "hen", 205),
        (FAR, 205 - NEAR - 1, "hen", None),
        (FAR, 205 + NEAR, "hen", 205),
        (FAR, 205 + NEAR + 1, "hen", None),
    ],
)
def test_where_an_answer_is_found(context, start, text, found):
    assert find_answer(context, start, text) == found


@given(st.text("ab ", max_size=300), st.integers(-400, 400), st.text("ab", min_size=1, max_size=3))
def test_an_answer_that_is_found_stands_there(context, start, text):
    found = find_answer(context, start, text)
    places = [n for n in range(len(context)) if context.startswith(text, n)]
    if found is None:
        assert all(abs(place - start) > NEAR for place in places)
    else:
        assert context[found : found + len(text)] == text
        assert abs(found - start) == min(abs(place - start) for place in places) <= NEAR


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"data": [', r"no JSON: .*asked.json, character 11"),
        ('{\n"data": x', r"no JSON: .*asked.json, line 2, character 9"),
        ("[" * 100_000, r"brackets too deep.*asked.json"),
        ([], r"SQuAD's JSON.*'data' must be a list.*asked.json, the file, with '\[\]'"),
        ({"data": {}}, r"'data' must be a list.*with '{}'"),
        ({"data": [1]}, r"'paragraphs' must be a list.*asked.json, article 0, with '1'"),
        ({"data": [{"paragraphs": 1}]}, r"article 0, with '1'"),
        (squad(question((0, "Ann")), context=7), r"'context' must be text.*paragraph 0, with '7'"),
        (
            squad(question((0, "Ann")), context=" "),
            r"context must not be blank.*article 0, paragraph 0",
        ),
        (squad(question((0, "Ann")), context="\ud800"), r"one half alone"),
        (squad(7), r"asked.json, question 0, with '7'"),
        (
            squad(question(("0", "Ann"))),
            r"'answer_start' must be a whole number.*question q, with '0'",
        ),
        (squad(question((0.5, "Ann"))), r"'answer_start' must be a whole number.*with '0.5'"),
        (squad(question((True, "Ann"))), r"'answer_start' must be a whole number.*with 'True'"),
        (squad(question((0, 7))), r"'text' must be text.*question q, with '7'"),
        (squad(question(answers="Ann")), r"'answers' must be a list.*question q, with 'Ann'"),
        (squad(question(answers=None)), r"'answers' must be a list.*question q, with nothing"),
        (squad(question(is_impossible="no")), r"'is_impossible' must be true/false.*with 'no'"),
        (squad(question((0, "Ann"), question="")), r"question must not be blank.*question q"),
        (squad(), r"must have articles with .*asked.json, without any"),
        (
            squad(question((0, "Carl")), question((0, "ANN"), name="r")),
            r"must stand in its context.*asked.json, where 2 of them \(questions q, r\) do not",
        ),
    ],
)
def test_what_is_refused(file, document, message):
    with pytest.raises(ValueError, match=message):
        read_questions(file(document))


def test_questions_whose_answers_are_not_looked_at(file):
    asked = question(name="r")
    del asked["answers"]
    path = file(squad(question((0, "Carl"), is_impossible="perhaps"), asked))
    assert read_unanswered(path) == [
        (CONTEXT, "Who?", None, f"{path}, question q"),
        (CONTEXT, "Who?", None, f"{path}, question r"),
    ]
    with pytest.raises(ValueError, match=r"articles with paragraphs.*asked.json, without any"):
        read_unanswered(file(squad()))


@pytest.mark.parametrize(
    ("name", "questions", "without"),
    [("squad1.1-train-head.json", 4370, 0), ("squad2-dev-first5articles.json", 1407, 702)],
)
def test_squad(course_data, name, questions, without):
    rows, notes = read_questions(course_data / "squad" / name)
    assert len(rows) == questions
    assert sum(not row.label for row in rows) == without
    assert notes == []
    assert all(row.text.startswith(text, start) for row in rows for start, text in row.label)
