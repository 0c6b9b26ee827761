"""Where files lie: the course's own data, real data, and what was downloaded."""

import os
import pathlib


def course_data():
    """The folder `data/` of the course: beside the package, or inside it where it is installed."""
    package = pathlib.Path(__file__).parent
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data"


def real_data():
    """The folder of real data that BERT_COURSE_DATA names, or None."""
    named = os.environ.get("BERT_COURSE_DATA")
    return pathlib.Path(named) if named else None


def cache():
    """Where downloads are kept: BERT_COURSE_CACHE, or the usual place in the home folder."""
    named = os.environ.get("BERT_COURSE_CACHE")
    return pathlib.Path(named) if named else pathlib.Path.home() / ".cache" / "bert_course"
