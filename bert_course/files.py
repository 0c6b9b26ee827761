"""Files that are there complete, or not at all."""

import os
import pathlib


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
