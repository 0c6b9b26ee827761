"""Text files -> documents -> sentences, one document at a time."""

import itertools
import pathlib
from dataclasses import dataclass

from bert_course.text.sentences import split_sentences

# How a file holds its sentences. In both layouts an empty line begins a new document.
SENTENCES = "sentences"  # a sentence a line: the layout of BERT's own data
PARAGRAPHS = "paragraphs"  # a paragraph a line
LAYOUTS = (SENTENCES, PARAGRAPHS)

LONGEST_LINE = 1_000_000  # bytes
# A file is of paragraphs if more than this share of its lines have several sentences (a book: .3 to
# .8; sentences a line: below .1), judged by its beginning.
SHARE_OF_PARAGRAPHS = 0.2
# A file of some length is of wrapped lines if more than this share of them goes on in the next
# (novels wrapped at 70 columns: .47 to .84; a sentence or a paragraph a line: below .1).
SHARE_OF_WRAPPED, FEWEST_WRAPPED = 0.3, 20
BEGINNING = 1000  # lines


@dataclass(frozen=True)
class Lines:
    """A document as it stands in its file.

    Attributes:
        lines: list of strings, none of them empty.
        layout: what a line is, one of LAYOUTS.
        size: bytes read to get here since the document before.
    """

    lines: list
    layout: str
    size: int

    @property
    def sentences(self):
        if self.layout == SENTENCES:
            return self.lines
        return [sentence for line in self.lines for sentence in split_sentences(line)]


def read_documents(paths, layout=None, min_documents=1):
    """Text files -> documents, one after the other: a document is a list of sentences.

    No more is in memory than one document and, while the layout is guessed, a file's first lines.

    Args:
        paths: files of UTF-8 text; an empty line, and the end of a file, end a document.
        layout: "sentences" (a sentence a line), "paragraphs" (a paragraph a line, which is split
            into its sentences), or None: guessed for each file, see `guess_layout`.
        min_documents: fewer are refused at the end.
    """
    for document in read_lines(paths, layout, min_documents):
        yield document.sentences


def read_lines(paths, layout=None, min_documents=1):
    """`read_documents` before the splitting: yields `Lines`."""
    if layout not in (None, *LAYOUTS):
        raise ValueError(f"The layout is one of {LAYOUTS}, or None to guess. Received: {layout!r}")
    paths = [paths] if isinstance(paths, str | pathlib.Path) else list(paths)
    if not paths:
        raise ValueError("A corpus is one text file or more. Received: none")
    count = 0
    for path in paths:
        for document in _read_file(pathlib.Path(path).expanduser(), layout):
            count += 1
            yield document
    if count < min_documents:
        raise ValueError(
            f"At least {min_documents} documents are needed: a sentence of another one has to come "
            "from somewhere. An empty line begins a new document. "
            f"Received: {count} in {', '.join(map(str, paths))}"
        )


def guess_layout(lines):
    """ "paragraphs" if many of these lines have several sentences, or else "sentences"."""
    lines = [line for line in lines if line]
    several = sum(len(split_sentences(line)) > 1 for line in lines)
    return PARAGRAPHS if several > SHARE_OF_PARAGRAPHS * len(lines) else SENTENCES


def _refuse_wrapped_text(lines, path):
    """A line that ends in mid-sentence goes on, in lower case, in the next one."""
    going_on = sum(
        line[-1:] not in ".?!" and following[:1].islower()
        for line, following in itertools.pairwise(lines)
        if line
    )
    count = sum(map(bool, lines))
    if count >= FEWEST_WRAPPED and going_on > SHARE_OF_WRAPPED * count:
        raise ValueError(
            "A line must be a sentence or a whole paragraph, but here sentences go on from line to "
            "line, as in text of a fixed width: join the lines of each paragraph first (if they "
            f"are sentences all the same, name the layout). Received: {path}"
        )


def _read_file(path, layout):
    numbered = _checked_lines(path)
    if layout is None:
        beginning = list(itertools.islice(numbered, BEGINNING))
        _refuse_wrapped_text([line for line, _ in beginning], path)
        layout = guess_layout(line for line, _ in beginning)
        numbered = itertools.chain(beginning, numbered)
    lines, size, is_empty = [], 0, True
    for line, line_size in numbered:
        size += line_size
        if line:
            lines.append(line)
            is_empty = False
        elif lines:
            yield Lines(lines, layout, size)
            lines, size = [], 0
    if lines:
        yield Lines(lines, layout, size)
    if is_empty:
        raise ValueError(f"A file must hold text. Received: {path}, which is empty")


def _checked_lines(path):
    """(line without the space around it, its bytes in the file), for each line."""
    try:
        with open(path, "rb") as file:
            for number in itertools.count(1):
                raw = file.readline(LONGEST_LINE + 1)
                if not raw:
                    return
                yield _decode(raw, path, number), len(raw)
    except OSError as error:
        raise ValueError(
            f"The corpus is made of text files. Received: {path} ({error.strerror})"
        ) from None


def _decode(raw, path, number):
    where = f"{path}, line {number}"
    if b"\0" in raw:
        raise ValueError(
            "Text has no zero bytes: this is a binary file, or text in UTF-16, which has to be "
            f"converted to UTF-8 first. Received: {where}"
        )
    if len(raw) > LONGEST_LINE:
        raise ValueError(
            f"A line is a sentence or a paragraph, of at most {LONGEST_LINE:,} bytes: break it "
            f"where they end. Received: {where}, which is longer"
        )
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            "Text is read as UTF-8: convert it first, for example with `iconv -f LATIN1 -t UTF-8`. "
            f"Received: {where}, with the byte {raw[error.start]:#04x} at place {error.start + 1}"
        ) from None
    return text.strip()
