"""Questions in SQuAD's JSON: answers that stand where they say, are moved, or are dropped."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_course.text.questions import NEAR, find_answer, read_questions

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
            question((0, "Carl"), (0, "Bob"), name="r"),
            question((0, "Carl"), name="s"),
        )
    )
    rows, notes = read_questions(path)
    assert [row.label for row in rows] == [[(0, "Ann")], [(34, "Bob")]]  # s is not impossible
    assert notes == [
        f"{path}: answers did not stand at their offset and were moved to where they stand, 2 of "
        "them.",
        f"{path}: answers stood nowhere near their offset and were dropped, 2 of them.",
        f"{path}: questions were dropped, for they had no other answer, 1 of them.",
    ]


FAR = "hen " + "-" * 200 + " hen " + "-" * 200


@pytest.mark.parametrize(
    ("context", "start", "text", "found"),
    [
        (CONTEXT, 4, "sings", 4),
        (CONTEXT, 19, "sings", 19),
        (CONTEXT, 17, "sings", 19),  # the nearer
        (CONTEXT, 6, "sings", 4),
        (CONTEXT, 10**30, "Ann", 0),  # there is only one
        (CONTEXT, -5, "Ann", 0),
        (CONTEXT, 0, "Carl", None),
        (CONTEXT, 0, "", None),
        (CONTEXT, 3, " ", None),
        (FAR, 205 - NEAR, "hen", 205),
        (FAR, 100, "hen", None),  # there are two, both far
        (FAR, 100, " hen", 204),
    ],
)
def test_where_an_answer_is_found(context, start, text, found):
    assert find_answer(context, start, text) == found


@given(st.text("ab ", max_size=300), st.integers(-400, 400), st.text("ab", min_size=1, max_size=3))
def test_an_answer_that_is_found_stands_there(context, start, text):
    found = find_answer(context, start, text)
    places = [n for n in range(len(context)) if context.startswith(text, n)]
    if found is None:
        assert len(places) != 1 and all(abs(place - start) >= NEAR for place in places)
    else:
        assert context[found : found + len(text)] == text
        assert abs(found - start) == min(abs(place - start) for place in places)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"data": [', r"no JSON: .*asked.json, character 11"),
        ('{\n"data": x', r"no JSON: .*asked.json, line 2, character 9"),
        ("[" * 100_000, r"brackets too deep.*asked.json"),
        ([], r"SQuAD's JSON.*'data' is a list.*asked.json, the file, with '\[\]'"),
        ({"data": {}}, r"'data' is a list.*with '{}'"),
        ({"data": [1]}, r"'paragraphs' is a list.*asked.json, article 0, with '1'"),
        ({"data": [{"paragraphs": 1}]}, r"article 0, with '1'"),
        (squad(question((0, "Ann")), context=7), r"'context' is text.*paragraph 0, with '7'"),
        (squad(question((0, "Ann")), context=" "), r"context is not blank.*article 0, paragraph 0"),
        (squad(question((0, "Ann")), context="\ud800"), r"one half alone"),
        (squad(7), r"asked.json, question 0, with '7'"),
        (squad(question(("0", "Ann"))), r"'answer_start' is a whole number.*question q, with '0'"),
        (squad(question((0.5, "Ann"))), r"'answer_start' is a whole number.*with '0.5'"),
        (squad(question((True, "Ann"))), r"'answer_start' is a whole number.*with 'True'"),
        (squad(question((0, 7))), r"'text' is text.*question q, with '7'"),
        (squad(question(answers="Ann")), r"'answers' is a list.*question q, with 'Ann'"),
        (squad(question(answers=None)), r"'answers' is a list.*question q, with nothing"),
        (squad(question(is_impossible="no")), r"'is_impossible' is true/false.*with 'no'"),
        (squad(question((0, "Ann"), question="")), r"question is not blank.*question q"),
        (squad(), r"can be answered.*asked.json, without any"),
        (squad(question((0, "Carl"))), r"can be answered.*asked.json, without any"),
    ],
)
def test_what_is_refused(file, document, message):
    with pytest.raises(ValueError, match=message):
        read_questions(file(document))


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
