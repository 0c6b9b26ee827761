"""`python -m bert_course predict`: what a fine-tuned model says of texts, a line of JSON each."""

import json
import pathlib
import re
import sys

PARTS = {"pairs": ("first text", "second text"), "answer": ("question", "context")}


def add_to(commands):
    parser = commands.add_parser(
        "predict",
        help="what a fine-tuned model says of texts",
        description="A line of JSON for each text: labels and scores; of entities and answers also "
        "where they begin and end, in characters; of a file, also the line. Blank lines are passed "
        "over. Two texts that belong together (a pair; question "
        "and context) have a tab between them.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("text", nargs="*", help="or give --file")
    parser.add_argument("--model", required=True, metavar="FOLDER", help="OUT/checkpoint")
    parser.add_argument("--file", metavar="FILE", help="a text a line; - for what is piped in")


def run(options):
    if bool(options.text) == bool(options.file):
        raise ValueError(
            "Give texts, or a --file with one in each line, and not both. "
            f"Received: {len(options.text)} texts, --file {options.file}"
        )
    texts = read_lines(options.file) if options.file else list(enumerate(options.text, 1))
    where = f"{options.file}, line" if options.file else "text"
    from bert_course.training.finetuned import load_finetuned  # Keras is slow to start

    tuned = load_finetuned(options.model)
    rows = [row_from(text, tuned.kind_name, f"{where} {number}") for number, text in texts]
    for (number, text), row, guess in zip(texts, rows, tuned.predict(rows), strict=True):
        said = with_places(text, row, guess) if tuned.kind_name == "tag" else guess
        line = {"line": number} if options.file else {}
        print(as_line({**line, "input": text, **said}))
    return 0


def as_line(content):
    """JSON in one line, also for those to whom more characters than \\n end one."""
    line = json.dumps(content, ensure_ascii=False)
    return re.sub("[\x85\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", line)


def read_lines(name):
    """(number, text) of each line that is not blank."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
        lines = re.split("\r\n?|\n", content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"Text is read as UTF-8: convert it. Received: {name} ({error})") from None
    except OSError as error:
        raise ValueError(f"--file names a text file. Received: {name} ({error.strerror})") from None
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
    """A guess of tags, its spans in characters of the text."""
    places, spans = places_of_words(text), []
    for span in guess["spans"]:
        begin, end = places[span["first"]][0], places[span["last"]][1]
        spans.append({"type": span["type"], "begin": begin, "end": end, "text": text[begin:end]})
    return {"words": row.text, **guess, "spans": spans}
