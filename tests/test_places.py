"""Where files lie."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from bert_course import places

ROOT = Path(__file__).resolve().parent.parent


def test_the_data_of_the_course_lies_beside_the_package():
    assert places.course_data() == ROOT / "data"
    assert (places.course_data() / "vocab.txt").is_file()


def test_an_installed_course_has_its_data_inside(tmp_path, monkeypatch):
    (tmp_path / "bert_course" / "data").mkdir(parents=True)
    monkeypatch.setattr(places, "__file__", str(tmp_path / "bert_course" / "places.py"))
    assert places.course_data() == tmp_path / "bert_course" / "data"


def test_every_package_is_listed_to_be_installed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = [path.parent.relative_to(ROOT) for path in ROOT.glob("bert_course/**/__init__.py")]
    names = {".".join(folder.parts) for folder in folders}
    assert sorted({*names, "bert_course.data"}) == listed["packages"]


def test_a_wheel_holds_the_code_and_the_data(tmp_path):
    """What Colab installs. Built from copies, so that nothing is left behind here."""
    copy = tmp_path / "copy"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    for folder in ("bert_course", "data"):
        (copy / folder).symlink_to(ROOT / folder)
    command = f"{sys.executable} -m pip wheel --quiet --no-deps --no-build-isolation --no-index -w"
    subprocess.run([*command.split(), tmp_path, copy], check=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    there = [p for p in (ROOT / "data").rglob("*") if p.is_file() and "downloads" not in p.parts]
    missing = {f"bert_course/data/{p.relative_to(ROOT / 'data').as_posix()}" for p in there} - names
    assert missing == set()
    assert "bert_course/world/words.py" in names


def test_the_environment_names_real_data_and_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path))
    assert places.real_data() == places.cache() == tmp_path


def test_without_the_environment_there_is_no_real_data_and_the_usual_cache(monkeypatch):
    monkeypatch.delenv("BERT_COURSE_DATA", raising=False)
    monkeypatch.delenv("BERT_COURSE_CACHE", raising=False)
    assert places.real_data() is None
    assert places.cache().parts[-2:] == (".cache", "bert_course")
