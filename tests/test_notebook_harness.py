"""The harness for notebooks catches what it should.

Each proof breaks a copy of a notebook that is shown to be right first. The notebooks are small,
made here, and import nothing heavy.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import notebook_rules as rules
from tools import notebooks
from tools.kernel import ROOT
from tools.notebook_source import badge, first_cell

PYPROJECT = """
[project.urls]
Repository = "https://github.com/OWNER/bert_course"
[tool.pytest.ini_options]
testpaths = ["tests", "notebooks"]
"""
README = "[Colab](https://colab.research.google.com/github/OWNER/bert_course/blob/main/x.ipynb)"
PACKAGE = """
def double(number):
    return 2 * number

def describe(text):
    print(text)
"""
DATA_TEST = "def test_data(course_data): pass"


def prose(text: str) -> str:
    return "# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in text.splitlines())


def chapter() -> str:
    """The source of a notebook that keeps all the rules."""
    cells = [
        prose(f"# Example\n\n{badge('OWNER/bert_course', '03_example')}"),
        prose("You will be able to double. It takes a minute on a CPU, and on a GPU, too."),
        "# %%\n" + first_cell("OWNER/bert_course"),
        "# %%\nimport inspect\n\nfrom matplotlib import pyplot as plt",
        prose("## The package"),
        "# %%\nfrom bert_course import describe, double\n\nprint(inspect.getsource(double))",
    ]
    for n in range(1, 9):
        cells += [
            prose(f"## Question {n}\n\n{'word ' * 110}\n\n**Predict.** What is twice {n}?"),
            f"# %%\nprint('twice:', double({n}))",
            prose("<details><summary>Answer</summary>It is even.</details>"),
            f"# %%\nassert double({n}) == {2 * n}",
            f"# %%\nplt.figure(figsize=(1, 1))\nplt.plot([0, {n}])\nplt.show()\ndescribe('up')",
        ]
    cells += [prose(f"## {title}\n\nWords.") for title in rules.CLOSING]
    return "\n\n".join(cells) + "\n"


QUESTION, PRINT, ANSWER, ASSERT, PICTURE = range(6, 11)  # the first of each among the cells


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A small course like this one, with a copy of the harness and one notebook, built."""
    root = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "conftest.py", root)
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    write(root / "pyproject.toml", PYPROJECT)
    write(root / "README.md", README)
    write(root / "bert_course/__init__.py", PACKAGE)
    write(root / "tests/test_data.py", DATA_TEST)
    write(root / "notebooks/source/03_example.py", chapter())
    assert notebooks.build(root, [])
    return root


@pytest.fixture
def course(built, tmp_path) -> Path:
    """A copy of it, to break."""
    return Path(shutil.copytree(built, tmp_path / "course"))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# The rules.


def code(notebook, source, **fields):
    notebook.cells[PRINT].update(source=source, **fields)


def says(notebook, addition):
    notebook.cells[QUESTION].source += addition


def tag(notebook, name, cells=(PRINT,)):
    for n in cells:
        notebook.cells[n].metadata["tags"] = [name]


def prints(notebook, text, name="stdout"):
    notebook.cells[PRINT].outputs = [new_output("stream", name=name, text=text)]


def shows(notebook, data):
    notebook.cells[PRINT].outputs = [new_output("display_data", data)]


def fails(notebook):
    notebook.cells[PRINT].outputs = [new_output("error", ename="E", evalue="", traceback=[])]


def loses_its_picture(notebook):
    cell = notebook.cells[PICTURE]
    cell.outputs = [output for output in cell.outputs if output.output_type == "stream"]


def forgets_to_describe(notebook):
    cell = notebook.cells[PICTURE]
    cell.source = cell.source.replace("describe", "print")


def forgets_to_show(notebook):
    cell = notebook.cells[PICTURE]
    cell.source = cell.source.replace("plt.show()", "")


def has_an_old_address(notebook):
    cell = notebook.cells[2]
    cell.source = cell.source.replace("OWNER", "SOMEONE")


def drop(notebook, *cells):
    notebook.cells = [cell for n, cell in enumerate(notebook.cells) if n not in cells]


ONLY_A_NAME = {"text/html": "<b>1</b>", "text/plain": "<IPython.core.display.HTML object>"}
BREAKS = [
    (rules.source_is_in_step, "edited cell", lambda nb: code(nb, "print('other')")),
    (rules.source_is_in_step, "lost tag", lambda nb: tag(nb, "nbval-approx")),
    (rules.source_is_in_step, "lost cell", lambda nb: drop(nb, ASSERT)),
    (rules.metadata_is_as_built, "Python version", lambda nb: nb.metadata.update(version="3.12.1")),
    (
        rules.metadata_is_as_built,
        "timing",
        lambda nb: nb.cells[PRINT].metadata.update(execution={}),
    ),
    (rules.metadata_is_as_built, "double id", lambda nb: nb.cells[3].update(id=nb.cells[5].id)),
    (rules.is_small, "a megabyte", lambda nb: prints(nb, "x" * 1_000_000)),
    (rules.ran_once_in_order, "cleared cell", lambda nb: code(nb, "x", execution_count=None)),
    (rules.ran_once_in_order, "run twice", lambda nb: code(nb, "x", execution_count=99)),
    (rules.ran_once_in_order, "empty cell", lambda nb: code(nb, "")),
    (rules.no_stderr, "warning", lambda nb: prints(nb, "careful!", "stderr")),
    (rules.errors_are_announced, "error", fails),
    (rules.errors_are_announced, "no error", lambda nb: tag(nb, "raises-exception")),
    (rules.only_known_magics, "line magic", lambda nb: code(nb, "%nosuchmagic\nprint(1)")),
    (rules.only_known_magics, "cell magic", lambda nb: code(nb, "%%bash\nls")),
    (rules.only_known_magics, "command", lambda nb: code(nb, "files = !ls")),
    (rules.enough_is_compared, "tags", lambda nb: tag(nb, "nbval-ignore-output", range(7, 28, 2))),
    (rules.enough_is_compared, "comment", lambda nb: code(nb, "# NBVAL_SKIP\nprint(1)")),
    (rules.outputs_are_plain, "address", lambda nb: prints(nb, "<f at 0x7f00deadbeef>")),
    (rules.outputs_are_plain, "colours", lambda nb: prints(nb, "\x1b[31mred\x1b[0m")),
    (rules.outputs_are_plain, "progress bar", lambda nb: prints(nb, "1/2\r2/2")),
    (rules.no_paths_of_a_machine, "output", lambda nb: prints(nb, "in /home/ann/x.txt")),
    (rules.no_paths_of_a_machine, "code", lambda nb: code(nb, "open('/tmp/x')")),
    (rules.no_paths_of_a_machine, "folder up", lambda nb: code(nb, "open('../data/x')")),
    (rules.no_paths_of_a_machine, "prose", lambda nb: says(nb, "look into /Users/ann/x")),
    (rules.rich_outputs_have_text, "HTML", lambda nb: shows(nb, {"text/html": "<b>1</b>"})),
    (rules.rich_outputs_have_text, "only a name", lambda nb: shows(nb, ONLY_A_NAME)),
    (rules.pictures_are_shown_and_described, "vanished", loses_its_picture),
    (rules.pictures_are_shown_and_described, "not described", forgets_to_describe),
    (rules.pictures_are_shown_and_described, "not shown", forgets_to_show),
    (rules.images_have_alternatives, "Markdown", lambda nb: says(nb, "![](x.png)")),
    (rules.images_have_alternatives, "HTML", lambda nb: says(nb, "<img src='x.png'>")),
    (rules.cells_are_short, "16 lines", lambda nb: code(nb, "x = 1\n" * 16)),
    (rules.prose_comes_between, "3 in a row", lambda nb: drop(nb, ANSWER)),
    (rules.random_numbers_have_a_generator, "seed", lambda nb: code(nb, "np.random.seed(0)")),
    (rules.package_is_not_redefined, "function", lambda nb: code(nb, "def double(x): pass")),
    (rules.package_is_not_redefined, "class", lambda nb: code(nb, "class describe: pass")),
    (rules.opens_with_what_and_how_long, "no opening", lambda nb: drop(nb, 0, 1)),
    (rules.first_cell_finds_the_course, "lost", lambda nb: drop(nb, 2)),
    (rules.addresses_are_stamped, "old address", has_an_old_address),
    (rules.closes_as_all_do, "no last section", lambda nb: nb.cells.pop()),
    (rules.headings_step_down_one_by_one, "second title", lambda nb: says(nb, "\n\n# Again")),
    (rules.headings_step_down_one_by_one, "skipped level", lambda nb: says(nb, "\n\n#### Deep")),
    (rules.predictions_are_answered, "no answer", lambda nb: nb.cells[ANSWER].update(source="So.")),
    (rules.predictions_are_answered, "no cell", lambda nb: drop(nb, PRINT, ASSERT, PICTURE)),
    (rules.measures_are_kept, "few cells", lambda nb: drop(nb, *range(PRINT, PRINT + 5))),
    (rules.measures_are_kept, "many words", lambda nb: says(nb, " word" * 2500)),
]


@pytest.mark.parametrize(
    ("rule", "break_it"),
    [pytest.param(rule, do, id=f"{rule.__name__}: {fault}") for rule, fault, do in BREAKS],
)
def test_a_rule_complains_of_what_is_broken(built, rule, break_it):
    path = built / "notebooks/03_example.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert list(rule(notebook, path)) == []
    break_it(notebook)
    assert list(rule(notebook, path))


def test_each_rule_has_a_proof_and_none_complains_without_reason(built):
    proved = {rule for rule, _, _ in BREAKS} | {rules.name_says_its_place}
    assert proved == set(rules.RULES)
    assert rules.complaints(built / "notebooks/03_example.ipynb") == []


def test_names_and_pairs(course):
    example = course / "notebooks/03_example.ipynb"
    assert rules.unpaired(example.parent) == []
    renamed = example.rename(example.with_name("Example.ipynb"))
    assert [c.partition(":")[0] for c in rules.complaints(renamed)][:2] == [
        "name_says_its_place",
        "source_is_in_step",
    ]
    assert len(rules.unpaired(example.parent)) == 1


# Building.


def test_an_edit_of_prose_keeps_outputs_and_all_ids(course, capsys):
    source, path = paths(course)
    before = nbformat.read(path, as_version=4)
    assert notebooks.build(course, [])
    assert "in step" in capsys.readouterr().out
    edit(source, "It is even.", "It is an even number.")
    edit(source, "# ## The package", "# ## The package\n\n# %% [markdown]\n# A new cell.")
    assert notebooks.build(course, [])
    assert "only prose changed" in capsys.readouterr().out
    after = nbformat.read(path, as_version=4)
    new = [n for n, cell in enumerate(after.cells) if cell.source == "A new cell."]
    drop(after, *new)
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert [cell.get("outputs") for cell in after.cells] == [c.get("outputs") for c in before.cells]
    assert rules.complaints(path) == []


def test_a_cell_that_fails_leaves_the_notebook_whole(course, capsys):
    source, path = paths(course)
    before = path.read_bytes()
    edit(source, "import inspect", "1 / 0")
    assert not notebooks.build(course, [])
    said = capsys.readouterr().out
    assert "Cell [2] `1 / 0`" in said and "ZeroDivisionError: division by zero" in said
    assert "\x1b" not in said
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir() if found.is_file()] == [path.name]


def test_a_notebook_after_a_merge_conflict_is_built_anew(tmp_path):
    write(tmp_path / "x.ipynb", '{"cells": [\n<<<<<<< HEAD\n')
    assert notebooks.notebook_before(tmp_path / "x.ipynb").cells == []


def paths(course: Path) -> tuple[Path, Path]:
    return course / "notebooks/source/03_example.py", course / "notebooks/03_example.ipynb"


def test_outputs_are_cleaned():
    banner = "I0000 00:00:1700000000.123456    99 cpu_feature_guard.cc:227] To use AVX2\n"
    frame = "File ~/x/bert_course/.venv/lib/python3.11/site-packages/keras/a.py:1, in f()"
    cell = new_code_cell(
        "x",
        outputs=[
            new_output("stream", name="stderr", text=banner),
            new_output("stream", text="a\x1b[31mb\x1b[0m\n"),
            new_output("stream", text="c\n"),
            new_output("error", ename="E", evalue="no", traceback=[f"\x1b[31m{frame}\x1b[0m"]),
        ],
    )
    notebooks.clean_outputs(new_notebook(cells=[cell]))
    assert [output.get("text") for output in cell.outputs] == ["ab\nc\n", None]
    assert cell.outputs[1].traceback == ["File site-packages/keras/a.py:1, in f()"]


def test_stderr_that_is_not_a_banner_stops_the_build():
    warning = new_output("stream", name="stderr", text="UserWarning: careful!\n")
    with pytest.raises(notebooks.BuildError, match=r"(?s)Cell \[1\] `x`.*careful!"):
        notebooks.clean_outputs(new_notebook(cells=[new_code_cell("x", outputs=[warning])]))


def test_the_kernel_is_this_python():
    assert notebooks.ThisPython().get_kernel_spec("python3").argv[0] == sys.executable


# The repository's address, and the first cell.


def test_one_edit_moves_the_course_to_another_address(course):
    source, path = paths(course)
    assert notebooks.restamped(course) == {}
    write(course / "README.md", README + " https://github.com/google-research/bert")
    edit(course / "pyproject.toml", "OWNER/bert_course", "a-fork/bert.course")
    assert {found.split(":")[0] for found in rules.complaints(path)} == {
        "opens_with_what_and_how_long",
        "first_cell_finds_the_course",
        "addresses_are_stamped",
    }
    notebooks.badges(course)
    assert rules.complaints(path) == []  # among these that source and notebook are in step
    assert "OWNER" not in source.read_text() + path.read_text() + (course / "README.md").read_text()
    assert "google-research/bert" in (course / "README.md").read_text()


def test_first_cell_does_nothing_where_the_course_is_and_installs_only_it_on_colab(monkeypatch):
    ran = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: ran.append(command))
    exec(first_cell("OWNER/NAME"), {})
    assert ran == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install -e"):
        exec(first_cell("OWNER/NAME"), {})
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    exec(first_cell("OWNER/NAME"), {})
    [command] = ran
    assert command[1:4] == ["-m", "pip", "install"] and "--no-deps" in command
    assert "git+https://github.com/OWNER/NAME" in command


# nbval, as an instructor runs it.


# The message that a cell is done comes 6 seconds late, as on a busy machine.
LATE = """
import time
kernel = get_ipython().kernel
publish = kernel._publish_status
def publish_late(status, *rest, **more):
    time.sleep(6 if status == "idle" else 0)
    publish(status, *rest, **more)
kernel._publish_status = publish_late
""".strip()
FOUR_DIGITS = "print(0.1234, 7)"
SHOWN = (
    "import inspect, bert_course\nprint(inspect.getsource(bert_course.double))",
    "def double(number):\n    return 2 * number\n\n",
    "passed",
)
COMPARED = [  # code, what is stored as printed, what nbval should find, tags
    SHOWN,
    ("print(1)", "1\n", "passed"),
    ("print(1)", "2\n", "failed"),
    ("%nosuchmagic\nprint(1)", "1\n", "failed"),
    ("import sys\nprint(1, file=sys.stderr)", "", "failed"),
    ("import os\nprint(os.environ['CUDA_VISIBLE_DEVICES'])", "\n", "passed"),
    (FOUR_DIGITS, "0.1235 7\n", "failed"),
    (FOUR_DIGITS, "0.1235 7\n", "passed", "nbval-approx"),
    (FOUR_DIGITS, "0.1236 7\n", "failed", "nbval-approx"),
    (FOUR_DIGITS, "0.1234 8\n", "failed", "nbval-approx"),
    (LATE, "", "passed"),
]
BROKEN = [
    ("1 / 0", "", "skipped", "nbval-skip"),
    ("print(1)", "2\n", "failed"),  # differs, but the notebook goes on
    ("print(1)", "1\n", "passed"),
    ("1 / 0", "", "failed"),
    ("print(1)", "1\n", "skipped"),
    ("print(1)", "1\n", "skipped"),
]


def stored(cells: list[tuple]) -> str:
    """A notebook of these cells, as if it had been run."""
    notebook = new_notebook()
    for n, (source, printed, _, *tags) in enumerate(cells, start=1):
        outputs = [new_output("stream", text=printed)] if printed else []
        cell = new_code_cell(source, execution_count=n, outputs=outputs, metadata={"tags": tags})
        notebook.cells.append(cell)
    return nbformat.writes(notebook)


def run_pytest(folder: Path, *arguments: str) -> tuple[dict[str, list[str]], str]:
    """What pytest makes of each cell, by notebook, and all that it prints."""
    command = [sys.executable, "-m", "pytest", "-v", "--color=no", *arguments]
    surroundings = {**os.environ, "CUDA_VISIBLE_DEVICES": "0", "MPLBACKEND": "Agg"}
    surroundings.pop("BERT_COURSE_DATA", None)
    result = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True)
    outcomes = defaultdict(list)
    for name, outcome in re.findall(r"(\w+)\W+ipynb::Cell \d+ ([A-Z]+)", result.stdout):
        outcomes[name].append(outcome.lower())
    return outcomes, result.stdout


def test_nbval_is_strict_and_fails_only_for_a_reason(course):
    write(course / "notebooks/compared.ipynb", stored(COMPARED))
    write(course / "notebooks/broken.ipynb", stored(BROKEN))
    cleared = nbformat.reads(stored([("print(1)", "1\n", "error")]), as_version=4)
    cleared.cells[0].update(execution_count=None, outputs=[])
    write(course / "notebooks/cleared.ipynb", nbformat.writes(cleared))
    outcomes, printed = run_pytest(course, "--nbval", "-rs")
    assert outcomes["cleared"] == ["error"], printed
    assert "never run, so there is nothing to compare it with" in printed
    assert set(outcomes["03_example"]) == {"passed"}, printed
    assert outcomes["compared"] == [wanted for _, _, wanted, *_ in COMPARED], printed
    assert outcomes["broken"] == [wanted for _, _, wanted, *_ in BROKEN], printed
    assert "BERT_COURSE_DATA is not set: real data is not tested" in printed


def test_nbval_sees_a_change_in_the_package_from_inside_the_notebooks_folder(course):
    (course / "notebooks/03_example.ipynb").unlink()
    write(course / "notebooks/shown.ipynb", stored([SHOWN]))
    edit(course / "bert_course/__init__.py", "return 2 * number", "return number + number")
    outcomes, printed = run_pytest(course / "notebooks", "--nbval")
    assert outcomes == {"shown": ["failed"]}, printed


def test_a_chapter_fails_when_the_code_that_it_shows_has_changed(tmp_path):
    for name in ("bert_course", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "conftest.py", tmp_path)
    write(tmp_path / "pyproject.toml", PYPROJECT)
    chapter = nbformat.read(ROOT / "notebooks" / "03_attention.ipynb", as_version=4)
    shows = next(n for n, cell in enumerate(chapter.cells) if "show_source(" in cell.source)
    chapter.cells = chapter.cells[: shows + 1]  # the rest takes its time and proves no more
    write(tmp_path / "notebooks/03_attention.ipynb", nbformat.writes(chapter))
    # That it passes unchanged, `make test-notebooks` shows.
    edit(tmp_path / "bert_course/model/attention.py", "weighted by who matters", "weighted by how")
    outcomes, printed = run_pytest(tmp_path, "--nbval", "notebooks")
    *before, last = outcomes["03_attention"]
    assert set(before) == {"passed"} and last == "failed", printed
