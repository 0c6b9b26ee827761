"""Files of questions about texts, in SQuAD's JSON -> rows; answers are moved to where they stand.

An answer that does not stand at its offset is looked for nearby, letter for letter: offsets are
often wrong by a few characters, being counted in bytes, or before spaces were tidied. Farther away
the same words may well be about something else, and would teach the model a wrong place: such an
answer is dropped.

Paper: SQuAD (Rajpurkar et al., 2016), and SQuAD 2.0 (2018), where some questions have no answer.
"""

from bert_course.text.labelled import Row, check_characters, is_blank
from bert_course.text.separated import counted, parse_json, shortened
from bert_course.text.whole_file import read_whole

NEAR = 100  # characters that an offset may be wrong by
JSON_TYPES = {
    list: "a list",
    dict: "an object",
    str: "text",
    int: "a whole number",
    bool: "true/false",
}


def read_questions(path, articles=slice(None)):
    """SQuAD's JSON, version 1.1 or 2.0 -> (list of Row, notes on what was repaired or dropped).

    Args:
        articles: slice of those to read.
    """
    rows, moved, farthest, dropped, left_out = [], [], 0, [], []
    for question, context, name in _questions(path, articles):
        place = f"{path}, question {name}"
        answers, asked = [], _answers(question, place)
        for start, text in asked:
            found = find_answer(context, start, text)
            if found is None:
                dropped.append(name)
            elif (found, text) not in answers:
                answers.append((found, text))
                if found != start:
                    moved.append(name)
                    farthest = max(farthest, abs(found - start))
        if asked and not answers:
            left_out.append(name)
        else:
            rows.append(Row(context, _get_text(question, "question", place), answers, place))
    if left_out and not rows:
        raise ValueError(
            f"An answer must stand in its context, within {NEAR} characters of its answer_start: "
            "is the context another, or cut off, or its case changed? "
            f"Received: {path}, where {counted(dropped, 'question')} do not, which is all"
        )
    _refuse_no_rows(rows, path)
    notes = {
        "answers did not stand at their offset and were moved to where they stand, by up to "
        f"{farthest} characters": moved,
        f"answers did not stand within {NEAR} characters of their offset and were dropped": dropped,
        "questions were dropped, for they had no other answer": left_out,
    }
    return rows, [
        f"{path}: {what}, {counted(names, 'question')}." for what, names in notes.items() if names
    ]


def read_unanswered(path):
    """The same, with answers or without, which are passed over -> list of Row."""
    rows = []
    for question, context, name in _questions(path):
        place = f"{path}, question {name}"
        rows.append(Row(context, _get_text(question, "question", place), None, place))
    _refuse_no_rows(rows, path)
    return rows


def _refuse_no_rows(rows, path):
    if not rows:
        raise ValueError(
            "A file of questions must have articles with paragraphs with questions. "
            f"Received: {path}, without any"
        )


def find_answer(context, start, text):
    """Where the answer stands, at `start` or nearest to it, within NEAR characters; or None."""
    if is_blank(text):
        return None
    if start >= 0 and context.startswith(text, start):
        return start
    near = range(max(0, start - NEAR), start + NEAR + 1)
    places = [place for place in near if context.startswith(text, place)]
    return min(places, key=lambda place: abs(place - start), default=None)


def _questions(path, articles=slice(None)):
    """(question, its context, its id), all as they stand in the file."""
    document = parse_json(read_whole(path, longest_line=None), path)
    data, count = _get(document, "data", list, path, "the file"), 0
    for a, article in enumerate(data[articles]):
        for p, paragraph in enumerate(_get(article, "paragraphs", list, path, f"article {a}")):
            where = f"article {a}, paragraph {p}"
            context = _get_text(paragraph, "context", f"{path}, {where}")
            for question in _get(paragraph, "qas", list, path, where):
                name = question.get("id") if isinstance(question, dict) else None
                yield question, context, name if isinstance(name, str | int) else count
                count += 1


def _answers(question, place):
    """[(start, text)] as they stand in the file; [] if the question is marked as impossible."""
    if _get(question, "is_impossible", bool, place, default=False):
        return []
    return [
        (_get(answer, "answer_start", int, place), _get(answer, "text", str, place))
        for answer in _get(question, "answers", list, place)
    ]


def _get_text(found, key, place):
    text = _get(found, key, str, place)
    if is_blank(text):
        raise ValueError(f"The {key} must not be blank: delete it, or fill it. Received: {place}")
    return check_characters(text, place)


def _get(found, key, kind, *place, default=None):
    """found[key], which must be of this kind, or else the file is not SQuAD's JSON."""
    value = found.get(key, default) if isinstance(found, dict) else found
    is_right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not isinstance(found, dict) or not is_right:
        raise ValueError(
            'Questions must come in SQuAD\'s JSON, {"data": [{"paragraphs": [{"context": "…", '
            '"qas": [{"id": "…", "question": "…", "answers": [{"text": "…", "answer_start": 0}]}]}]'
            "}]}: "
            f"{key!r} must be {JSON_TYPES[kind]}. Received: {', '.join(map(str, place))}, with "
            + ("nothing" if value is None else shortened(value))
        )
    return value
