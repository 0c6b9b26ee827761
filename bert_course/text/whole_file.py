"""A file -> its text, checked: the way in for every file of labelled rows."""

import pathlib

LONGEST_LINE = 1_000_000  # bytes


def read_whole(path, longest_line=LONGEST_LINE):
    """A file of UTF-8 text -> str, without a byte order mark, each line ending in "\\n" alone.

    Args:
        longest_line: bytes that a line may have, or None: any number.
    """
    content = _read_bytes(pathlib.Path(path).expanduser(), path)
    text = decode(content, path)
    if not text.strip():
        raise ValueError(f"A file must hold rows. Received: {path}, which is empty")
    if longest_line is not None:
        _refuse_long_lines(content, longest_line, path)
    return text.replace("\r\n", "\n")


def decode(content, path):
    """The bytes of a file -> str, without a byte order mark."""
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise ValueError(
            "Text must have no zero bytes: this is a binary file, or text in UTF-16, which has to "
            f"be converted to UTF-8 first. Received: {path}, line {line}"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(
            "Text must be UTF-8: convert it first, for example with `iconv -f LATIN1 -t UTF-8`. "
            f"Received: {path}, line {line}, with the byte {error.object[error.start]:#04x}"
        ) from None


def _read_bytes(file, path):
    try:
        if not file.is_dir() and file.exists() and not file.is_file():
            raise OSError(0, "neither a file nor a folder")  # to read a pipe could take for ever
        return file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ValueError(
            "Rows must come from a file that can be read: give its path. "
            f"Received: {path} ({getattr(error, 'strerror', None) or error})"
        ) from None


def _refuse_long_lines(content, longest_line, path):
    if len(content) <= longest_line:
        return
    for number, line in enumerate(content.split(b"\n"), 1):
        if len(line) > longest_line:
            raise ValueError(
                f"A line must have at most {longest_line:,} bytes: break it, or see whether the "
                f"file is of another kind. Received: {path}, line {number}, with {len(line):,}"
            )
