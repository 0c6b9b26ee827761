"""`python -m bert_course predict`: what a fine-tuned model says of texts, a line of JSON each."""

import json
import pathlib
import re
import sys

from bert_course.commands.finetune import columns_from
from bert_course.quiet import start_keras

PARTS = {"pairs": ("first text", "second text"), "answer": ("question", "context")}
TABLES = (".tsv", ".csv", ".jsonl")
RECORDS = {  # kind of model: endings of files that are no lines of text, as finetune reads them
    "classify": TABLES,
    "pairs": TABLES,
    "multilabel": TABLES,
    "tag": (".conll",),
    "answer": (".json",),
}


def add_to(commands):
    parser = commands.add_parser(
        "predict",
        help="what a fine-tuned model says of texts",
        description="A line of JSON for each text: labels and scores; of entities and answers also "
        "where they begin and end, in characters; of a file, also the line. Two texts that belong "
        "together (a pair; question and context) have a tab between them. A file has a text a "
        "line, and blank lines are passed over; but .tsv, .csv and .jsonl are tables, .conll has "
        "words, .json has questions, as for finetune. Labels in them are not looked at.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("text", nargs="*", help="or give --file")
    parser.add_argument("--model", required=True, metavar="FOLDER", help="OUT/checkpoint")
    parser.add_argument("--file", metavar="FILE", help="of texts; - for what is piped in")
    parser.add_argument(
        "--columns", nargs="+", default=[], metavar="ROLE=NAME", help="of a table: text=ticket"
    )


def run(options):
    if bool(options.text) == bool(options.file):
        raise ValueError(
            "Give texts, or a --file of them, and not both. "
            f"Received: {len(options.text)} texts, --file {options.file}"
        )
    columns = columns_from(options.columns)
    start_keras()
    from bert_course.training.finetuned import load_finetuned

    tuned = load_finetuned(options.model)
    if options.file:
        inputs = read_file(options.file, tuned.kind_name, columns)
    else:
        refuse_columns(columns, "texts")
        inputs = texts_to_inputs(enumerate(options.text, 1), tuned.kind_name, "text")
    guesses = tuned.predict([row for _, _, row in inputs])
    for (place, text, row), guess in zip(inputs, guesses, strict=True):
        said = with_places(text, row, guess) if tuned.kind_name == "tag" else guess
        print(as_line({**(place if options.file else {}), "input": text, **said}))
    return 0


def refuse_columns(columns, what):
    if columns:
        raise ValueError(
            f"--columns must go with a table ({', '.join(TABLES)}): leave it out. Received: {what}"
        )


def as_line(content):
    """JSON in one line, also for those to whom more characters than \\n end one."""
    line = json.dumps(content, ensure_ascii=False)
    return re.sub("[\x85\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", line)


def read_file(name, kind, columns):
    """({"line": its number}, text, `Row`) of each text in a file, read as its ending says."""
    ending = pathlib.Path(name).suffix.lower()
    if ending in RECORDS[kind]:
        return read_records(name, kind, columns)
    if any(ending in endings for endings in RECORDS.values()):
        raise ValueError(
            f"A file for this model, of kind {kind!r}, must be {' or '.join(RECORDS[kind])}, or "
            "have a text a line and another ending, such as .txt: convert it, or name it so. "
            f"Received: {name}"
        )
    refuse_columns(columns, name)
    return texts_to_inputs(read_lines(name), kind, f"{name}, line")


def read_records(name, kind, columns):
    """The same, of a table, of words or of questions, which have an id instead of a line."""
    from bert_course.text.splits import read_unlabelled

    if RECORDS[kind] != TABLES:
        refuse_columns(columns, name)
    rows, notes = read_unlabelled(kind, name, columns)
    for note in notes:
        print(note, file=sys.stderr)
    return [(place_of(row, name), as_text(row, kind), row) for row in rows]


def place_of(row, name):
    """ "FILE, line 3" -> {"line": 3}; "FILE, question q" -> {"question": "q"}."""
    what, _, which = row.place.removeprefix(f"{name}, ").partition(" ")
    return {what: int(which) if what == "line" else which}


def as_text(row, kind):
    """A row as it would stand in a line of texts."""
    if kind == "tag":
        return " ".join(row.text)
    if kind == "answer":
        return f"{row.other}\t{row.text}"
    return row.text if row.other is None else f"{row.text}\t{row.other}"


def texts_to_inputs(texts, kind, where):
    """The same, of (number, text) each."""
    return [
        ({"line": number}, text, row_from(text, kind, f"{where} {number}"))
        for number, text in texts
    ]


def read_lines(name):
    """(number, text) of each line that is not blank."""
    from bert_course.text.whole_file import decode

    try:
        content = sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
    except OSError as error:
        raise ValueError(
            f"--file must name a text file. Received: {name} ({error.strerror})"
        ) from None
    lines = re.split("\r\n?|\n", decode(content, name))
    found = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise ValueError(f"A file must hold text. Received: {name}, which is empty")
    return found


def row_from(text, kind, place):
    """A text as the model reads it -> `Row`, without a label."""
    from bert_course.text.labelled import Row, check_characters, is_blank

    parts, wanted = check_characters(text, place).split("\t"), PARTS.get(kind, ("one text",))
    if len(parts) != len(wanted):
        between = ", with a tab between them" if len(wanted) == 2 else ", without a tab in it"
        raise ValueError(
            f"This model reads {' and '.join(wanted)}{between}. "
            f"Received: {place}, with {len(parts) - 1} tabs"
        )
    if any(map(is_blank, parts)):
        raise ValueError(f"A text must not be blank. Received: {place}")
    if kind == "tag":
        return Row([text[begin:end] for begin, end in places_of_words(text)], None, None, place)
    if kind == "answer":
        parts.reverse()  # a row has the context first
    return Row(parts[0], parts[1] if len(parts) == 2 else None, None, place)


def places_of_words(text):
    """(begin, end) of each word or punctuation mark of a text, as tagged texts are cut."""
    return [found.span() for found in re.finditer(r"\w+(?:['’-]\w+)*|[^\w\s]", text)]


def with_places(text, row, guess):
    """A guess of tags, in sound IOB2, and its spans in characters of the text."""
    from bert_course.text.tagged import repair_iob2

    places, spans, end = [], [], 0
    for word in row.text:
        begin = text.index(word, end)
        end = begin + len(word)
        places.append((begin, end))
    for span in guess["spans"]:
        begin, end = places[span["first"]][0], places[span["last"]][1]
        spans.append({"type": span["type"], "begin": begin, "end": end, "text": text[begin:end]})
    return {"words": row.text, **guess, "tags": repair_iob2(guess["tags"]), "spans": spans}
