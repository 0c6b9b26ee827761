"""Files that are there complete, or not at all; folders that one process at a time works in."""

import contextlib
import errno
import os
import pathlib

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


def write_whole(content, path):
    """Bytes -> a file that is there complete or not there: written beside, then renamed."""
    path = pathlib.Path(path)
    beside = path.with_name(f".{path.name}.partial")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def is_taken(path):
    """Whether something is there already; an empty folder is nothing."""
    path = pathlib.Path(path)
    return path.exists() and (not path.is_dir() or any(path.iterdir()))


@contextlib.contextmanager
def only_one(path, refusal):
    """Hold the file at `path` while we live, however we end; a second process is refused.

    Args:
        refusal: what the `ValueError` says.
    """
    with open(path, "w") as file:
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):  # others: a file system without locks
                raise ValueError(refusal) from None
        yield
