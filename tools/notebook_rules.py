"""What every notebook keeps to: each rule is a function that yields what is wrong, and the way out.

nbval runs a notebook again and compares its text. It does not see a cell that was never run, a
picture that vanished, an error that no longer happens, or prose that grew too long. These rules do,
and need only the file. A rule gets the notebook and its path; the source, the package and
pyproject.toml are found from there.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise, zip_longest
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.notebook_reading import (
    COLOUR,
    FENCE,
    asserts,
    called_names,
    calls,
    code_cells,
    count_words,
    defined_names,
    first_line,
    has_picture,
    headings,
    output_texts,
    package_names,
    parse,
    prints,
    prose,
    shows_picture,
    tags,
)
from tools.notebook_source import (
    METADATA,
    badge,
    first_cell,
    kept_metadata,
    read_source,
    repository,
    stamp,
)

Rule = Callable[[NotebookNode, Path], Iterator[str]]

FILE_NAME = re.compile(r"\d\d(_[a-z0-9]+)+")
LINE_MAGICS = {"matplotlib", "pip", "time", "timeit"}
CELL_MAGICS = {"time", "timeit"}
NOT_COMPARED = {"nbval-ignore-output", "nbval-skip"}
LARGEST_CELL = 15  # lines that are not blank
LONGEST_RUN = 2  # code cells without prose between them
LARGEST_FILE = 1_000_000  # bytes; GitHub does not show much larger ones
CLOSING = ("In five sentences", "What we left out", "Where it is in the paper")

ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
MACHINE_PATH = re.compile(
    r"(?<![\w/.:~-])/(?:home|Users|root|work|tmp|var/folders)/\S*|\b[A-Z]:\\Users\S*"
)
IMAGE_WITHOUT_WORDS = re.compile(r"!\[\s*\]\([^)]*\)|<img(?![^>]*\balt=[\"'][^\"'])[^>]*>")


@dataclass(frozen=True)
class Least:
    """The least that a notebook has of each."""

    code_cells: int
    pictures: int
    predictions: int
    assertions: int


START = Least(code_cells=12, pictures=1, predictions=1, assertions=4)  # 00
CHAPTER = Least(code_cells=25, pictures=3, predictions=4, assertions=4)
MOST_CODE_CELLS = 45
WORDS = (900, 3200)


def complaints(path: Path) -> list[str]:
    """What all the rules say of one notebook."""
    notebook = nbformat.read(path, as_version=4)
    return [f"{rule.__name__}: {text}" for rule in RULES for text in rule(notebook, path)]


def unpaired(notebooks: Path) -> list[str]:
    """Sources without a notebook; source_is_in_step finds a notebook without a source."""
    return [
        f"source/{path.name} has no notebook: {how_to_build(path)}"
        for path in sorted(notebooks.glob("source/*.py"))
        if not (notebooks / f"{path.stem}.ipynb").exists()
    ]


def how_to_build(path: Path) -> str:
    return f"run `python -m tools.notebooks build {path.stem[:2]}`"


# The file.


def name_says_its_place(notebook: NotebookNode, path: Path) -> Iterator[str]:
    if not FILE_NAME.fullmatch(path.stem):
        yield "the name should be two digits and small words, such as 03_attention.ipynb"


def source_is_in_step(notebook: NotebookNode, path: Path) -> Iterator[str]:
    source = path.parent / "source" / f"{path.stem}.py"
    if not source.exists():
        yield f"source/{source.name} is missing: it is what people edit, this is built from it"
        return
    theirs, ours = (
        [(cell.cell_type, cell.source, kept_metadata(cell)) for cell in cells]
        for cells in (read_source(source).cells, notebook.cells)
    )
    for n, (wanted, found) in enumerate(zip_longest(theirs, ours), start=1):
        if wanted != found:
            text = (wanted or found)[1].strip().partition("\n")[0][:60]
            yield f"`{text}`, cell {n} of all, is not as in source/: {how_to_build(path)}"
            return


def metadata_is_as_built(notebook: NotebookNode, path: Path) -> Iterator[str]:
    if notebook.metadata != METADATA:
        yield f"another program wrote the notebook's metadata: {how_to_build(path)}"
    for cell in notebook.cells:
        if cell.metadata != kept_metadata(cell):
            yield f"`{first_line(cell)}` has metadata other than tags: {how_to_build(path)}"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield f"cell ids are missing or double: {how_to_build(path)}"


def is_small(notebook: NotebookNode, path: Path) -> Iterator[str]:
    size = len(nbformat.writes(notebook).encode())
    if size >= LARGEST_FILE:
        yield f"{size:,} bytes; {LARGEST_FILE:,} are the most GitHub shows: make pictures smaller"


# What was run, and what it left.


def ran_once_in_order(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """nbval compares nothing in a cell that was not run."""
    for n, (name, cell) in enumerate(code_cells(notebook), start=1):
        if not cell.source.strip():
            yield f"{name} is empty: delete it"
        elif cell.execution_count != n:
            yield f"{name} was run as number {cell.execution_count}: {how_to_build(path)}"


def no_stderr(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for name, cell in code_cells(notebook):
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{name} stores stderr, which learners see in red: find its cause"


def errors_are_announced(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for name, cell in code_cells(notebook):
        failed = any(output.output_type == "error" for output in cell.outputs)
        announced = "raises-exception" in tags(cell)
        if failed and not announced:
            yield f"{name} stores an error: mend it, or, if it is meant, tag it raises-exception"
        if announced and not failed:
            yield f"{name} is tagged raises-exception and stores no error: remove the tag"


def only_known_magics(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """nbval passes a failing !command; an unknown magic takes the rest of its cell with it."""
    for name, cell in code_cells(notebook):
        for magic in re.findall(r"\A%%(\w+)", cell.source):
            if magic not in CELL_MAGICS:
                yield f"{name} uses %%{magic}; known are {sorted(CELL_MAGICS)}"
        for function, call in calls(cell):
            if function == "get_ipython().run_line_magic":
                magic = ast.literal_eval(call.args[0])
                if magic not in LINE_MAGICS:
                    yield f"{name} uses %{magic}; known are {sorted(LINE_MAGICS)}"
            if function in ("get_ipython().system", "get_ipython().getoutput"):
                yield f"{name} uses !command, whose failure nobody sees: subprocess.run(check=True)"


def enough_is_compared(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """A notebook of which nbval ignores most is run, not checked."""
    printing = [cell for _, cell in code_cells(notebook) if prints(cell)]
    ignored = [cell for cell in printing if tags(cell) & NOT_COMPARED]
    if len(ignored) > len(printing) / 4:
        yield (
            f"{len(ignored)} of {len(printing)} cells that print are not compared, more than a"
            " quarter: print rounded numbers, or thresholds"
        )
    for name, cell in code_cells(notebook):
        if re.search(r"^\s*#\s*NBVAL_", cell.source, re.M):
            yield f"{name} steers nbval by a comment: use a tag, which learners need not see"


def outputs_are_plain(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for name, cell in code_cells(notebook):
        text = "\n".join(output_texts(cell))
        if ADDRESS.search(text):
            yield f"{name} prints a memory address, another each time: print what matters"
        if COLOUR.search(text):
            yield f"{name} stores colour codes: {how_to_build(path)}"
        if re.search(r"\r(?!\n)|\x08", text):
            yield f"{name} stores a progress bar: verbose=0, and a line of your own per epoch"


def no_paths_of_a_machine(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for name, cell in code_cells(notebook):
        for found in MACHINE_PATH.findall("\n".join([cell.source, *output_texts(cell)])):
            yield f"{name} has {found}, which is on one machine only: show a .name"
        if "../" in cell.source:
            yield f"{name} goes up with ../, and on Colab nothing is there: ask the package"
    for found in MACHINE_PATH.findall("\n".join(prose(notebook))):
        yield f"the prose has {found}, which is on one machine only"


def rich_outputs_have_text(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """GitHub drops scripts and styles, and a screen reader reads text."""
    for name, cell in code_cells(notebook):
        for data in [output.data for output in cell.outputs if "data" in output]:
            if any("widget" in kind for kind in data):
                yield f"{name} shows a widget, which needs a running notebook: print instead"
            text = data.get("text/markdown", data.get("text/plain", ""))
            if not text or text.startswith("<IPython.core.display."):
                yield f"{name} shows {sorted(data)} without a text twin: give it a text/plain"


# Pictures.


def pictures_are_shown_and_described(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """nbval compares no pictures, so it would not miss one."""
    for name, cell in code_cells(notebook):
        shown, stored = shows_picture(cell), has_picture(cell)
        if shown and not stored:
            yield f"{name} calls plt.show() and stores no picture: {how_to_build(path)}"
        if stored and not shown:
            yield f"{name} draws a picture: end it with plt.show()"
        if stored and "describe" not in called_names(cell):
            yield f"{name} draws a picture: say what is in it with describe(...)"
        if any({"image/svg+xml", "image/jpeg"} & set(o.get("data", {})) for o in cell.outputs):
            yield f"{name} stores a picture that is not PNG: leave matplotlib's format as it is"


def images_have_alternatives(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for image in IMAGE_WITHOUT_WORDS.findall(FENCE.sub("", "\n\n".join(prose(notebook)))):
        yield f"{image} has no words in its place: ![what it shows](...), or alt='what it shows'"


# The code that a learner reads.


def cells_are_short(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for name, cell in code_cells(notebook):
        lines = len([line for line in cell.source.splitlines() if line.strip()])
        if lines > LARGEST_CELL:
            yield f"{name} has {lines} lines, more than {LARGEST_CELL}: split it in two"


def prose_comes_between(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for is_code, cells in groupby(notebook.cells, key=lambda cell: cell.cell_type == "code"):
        run = list(cells)
        if is_code and len(run) > LONGEST_RUN:
            where = f"{len(run)} code cells in a row, from `{first_line(run[0])}`"
            yield f"{where}: after {LONGEST_RUN} say something"


def random_numbers_have_a_generator(notebook: NotebookNode, path: Path) -> Iterator[str]:
    for name, cell in code_cells(notebook):
        for found in re.findall(r"\b(?:np|numpy)\.random\.([a-z]\w*)", cell.source):
            if found != "default_rng":
                yield f"{name} uses np.random.{found}: draw from np.random.default_rng(seed)"


def package_is_not_redefined(notebook: NotebookNode, path: Path) -> Iterator[str]:
    package = package_names(path.parent.parent / "bert_course")
    for name, cell in code_cells(notebook):
        for found in defined_names(parse(cell.source)):
            if found in package:
                there = f"{name} defines {found}, as {package[found]} does"
                yield f"{there}: import that, or call yours naive_{found}"


# The form of a chapter.


def opens_with_what_and_how_long(notebook: NotebookNode, path: Path) -> Iterator[str]:
    kinds = [cell.cell_type for cell in notebook.cells]
    before_code = notebook.cells[: kinds.index("code") if "code" in kinds else None]
    opening = "\n\n".join(cell.source for cell in before_code)
    mark = badge(repository(path.parent.parent), path.stem)
    if mark not in opening:
        yield f"Colab's badge should stand under the title:\n{mark}\n"
    if "you will be able to" not in opening.lower():
        yield "the opening, before the first code, should say what 'You will be able to' do"
    if not all(re.search(what, opening) for what in (r"\bCPU\b", r"\bGPU\b", r"minute|second")):
        yield "the opening should say how many minutes it takes on a CPU and on a GPU"


def first_cell_finds_the_course(notebook: NotebookNode, path: Path) -> Iterator[str]:
    wanted = first_cell(repository(path.parent.parent))
    if [cell.source for _, cell in code_cells(notebook)][:1] != [wanted]:
        yield f"the first code cell should be, in every notebook:\n{wanted}\n"


def addresses_are_stamped(notebook: NotebookNode, path: Path) -> Iterator[str]:
    here = repository(path.parent.parent)
    for cell in notebook.cells:
        if stamp(cell.source, here) != cell.source:
            yield f"`{first_line(cell)}` has not the address of pyproject.toml: run `make badges`"


def closes_as_all_do(notebook: NotebookNode, path: Path) -> Iterator[str]:
    titles = [title for _, title in headings(notebook)]
    found = [title for title in titles if title in CLOSING]
    if found != list(CLOSING):
        yield f"the closing sections should be {list(CLOSING)}, in this order; there are {found}"


def headings_step_down_one_by_one(notebook: NotebookNode, path: Path) -> Iterator[str]:
    found = headings(notebook)
    levels = [level for level, _ in found]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield f"there should be one title (# ...), and first; there are {levels.count(1)}"
    for (above, _), (level, title) in pairwise(found):
        if level > above + 1:
            yield f"'{'#' * level} {title}' skips a level after {'#' * above}"


def predictions_are_answered(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """**Predict.** and a question, the cell that runs, the folded answer."""
    for n, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" or "**Predict.**" not in cell.source:
            continue
        after = notebook.cells[n + 1 :]
        answers = [other.source for other in after if other.cell_type == "markdown"]
        if not after or after[0].cell_type != "code" or "<details" not in "".join(answers[:1]):
            question = cell.source.partition("**Predict.**")[2].strip()[:50]
            yield f"after '**Predict.** {question}' come the cell that runs, and then <details>"


def measures_are_kept(notebook: NotebookNode, path: Path) -> Iterator[str]:
    least = START if path.stem.startswith("00") else CHAPTER
    cells = [cell for _, cell in code_cells(notebook)]
    text = "\n\n".join(prose(notebook))
    for what, found, low, high in [
        ("code cells", len(cells), least.code_cells, MOST_CODE_CELLS),
        ("words of prose", count_words(text), *WORDS),
        ("cells with a picture", sum(map(has_picture, cells)), least.pictures, None),
        ("times **Predict.**", text.count("**Predict.**"), least.predictions, None),
        ("cells that assert", sum(map(asserts, cells)), least.assertions, None),
    ]:
        if found < low:
            yield f"{found} {what}, fewer than {low}"
        if high is not None and found > high:
            yield f"{found} {what}, more than {high}"


RULES: tuple[Rule, ...] = (
    name_says_its_place,
    source_is_in_step,
    metadata_is_as_built,
    is_small,
    ran_once_in_order,
    no_stderr,
    errors_are_announced,
    only_known_magics,
    enough_is_compared,
    outputs_are_plain,
    no_paths_of_a_machine,
    rich_outputs_have_text,
    pictures_are_shown_and_described,
    images_have_alternatives,
    cells_are_short,
    prose_comes_between,
    random_numbers_have_a_generator,
    package_is_not_redefined,
    opens_with_what_and_how_long,
    first_cell_finds_the_course,
    addresses_are_stamped,
    closes_as_all_do,
    headings_step_down_one_by_one,
    predictions_are_answered,
    measures_are_kept,
)
