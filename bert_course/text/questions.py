"""Files of questions about texts, in SQuAD's JSON -> rows; answers are moved to where they stand.

Paper: SQuAD (Rajpurkar et al., 2016), and SQuAD 2.0 (2018), where some questions have no answer.
"""

from bert_course.text.labelled import Row, check_characters, is_blank
from bert_course.text.separated import parse_json, shortened
from bert_course.text.whole_file import read_whole

NEAR = 50  # characters that an offset may be wrong by
KINDS = {list: "a list", dict: "an object", str: "text", int: "a whole number", bool: "true/false"}


def read_questions(path, articles=slice(None)):
    """SQuAD's JSON, version 1.1 or 2.0 -> (list of Row, notes on what was repaired or dropped).

    Args:
        articles: slice of those to read.
    """
    document = parse_json(read_whole(path, longest_line=None), path)
    rows, moved, dropped, left_out = [], 0, 0, 0
    data = _get(document, "data", list, path, "the file")
    for question, context, name in _questions(data[articles], path):
        place = f"{path}, question {name}"
        answers, asked = [], _answers(question, place)
        for start, text in asked:
            found = find_answer(context, start, text)
            if found is None:
                dropped += 1
            elif (found, text) not in answers:
                moved += found != start
                answers.append((found, text))
        if asked and not answers:
            left_out += 1
        else:
            rows.append(Row(context, _get_text(question, "question", place), answers, place))
    if not rows:
        raise ValueError(
            "A file of questions has articles with paragraphs with questions that can be answered, "
            f"or are marked as impossible. Received: {path}, without any"
        )
    notes = {
        "answers did not stand at their offset and were moved to where they stand": moved,
        "answers stood nowhere near their offset and were dropped": dropped,
        "questions were dropped, for they had no other answer": left_out,
    }
    return rows, [f"{path}: {what}, {count:,} of them." for what, count in notes.items() if count]


def find_answer(context, start, text):
    """Where the answer stands: at `start`, nearby, or at the only place there is; or None."""
    if is_blank(text):
        return None
    if start >= 0 and context.startswith(text, start):
        return start
    lowest = max(0, start - NEAR)
    part = context[lowest : max(0, start + NEAR) + len(text)]
    near = [n for n in range(len(part)) if part.startswith(text, n)]
    if near:
        return min((lowest + n for n in near), key=lambda place: abs(place - start))
    first = context.find(text)
    return first if first >= 0 and first == context.rfind(text) else None


def _questions(data, path):
    """(question, its context, its id), all as they stand in the file."""
    count = 0
    for a, article in enumerate(data):
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
        raise ValueError(f"The {key} is not blank: delete it, or fill it. Received: {place}")
    return check_characters(text, place)


def _get(found, key, kind, *place, default=None):
    """found[key], which must be of this kind, or else the file is not SQuAD's JSON."""
    value = found.get(key, default) if isinstance(found, dict) else found
    is_right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not isinstance(found, dict) or not is_right:
        raise ValueError(
            'Questions come in SQuAD\'s JSON, {"data": [{"paragraphs": [{"context": "…", "qas": '
            '[{"id": "…", "question": "…", "answers": [{"text": "…", "answer_start": 0}]}]}]}]}: '
            f"{key!r} is {KINDS[kind]}. Received: {', '.join(map(str, place))}, with "
            + ("nothing" if value is None else shortened(value))
        )
    return value
