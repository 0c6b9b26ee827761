"""What a notebook holds, as the rules and the builder ask for it."""

import ast
import re
from functools import cache
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def code_cells(notebook: NotebookNode) -> list[tuple[str, NotebookNode]]:
    """The code cells, each with a name: its number after a run in order, and its first line."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [(f"[{n}] `{first_line(cell)}`", cell) for n, cell in enumerate(cells, start=1)]


def first_line(cell: NotebookNode) -> str:
    return cell.source.strip().partition("\n")[0][:60]


def prose(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    """(level, title) of each heading; a comment in a code example is none."""
    text = FENCE.sub("", "\n\n".join(prose(notebook)))
    return [(len(marks), title) for marks, title in re.findall(r"^(#{1,6}) +(.*\S)", text, re.M)]


def count_words(text: str) -> int:
    """Words that are read: no code examples, HTML tags or link targets."""
    text = re.sub(r"<[^>]*>|\]\([^)]*\)", " ", FENCE.sub("", text))
    return len([word for word in text.split() if re.search(r"[A-Za-z]", word)])


# A cell and its outputs.


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def output_texts(cell: NotebookNode) -> list[str]:
    """All that there is to read in the outputs of a code cell."""
    texts = []
    for output in cell.outputs:
        texts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
        texts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return texts


def prints(cell: NotebookNode) -> bool:
    """Has text for nbval to compare, more than the size of a picture."""
    return any(o.output_type != "display_data" or "image/png" not in o.data for o in cell.outputs)


def has_picture(cell: NotebookNode) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


# The code of a cell.


@cache
def parse(source: str) -> ast.Module:
    """The syntax tree of a cell, its magics as the calls that IPython makes of them."""
    without_cell_magic = re.sub(r"\A%%.*\n?", "", source)
    try:
        return ast.parse(TransformerManager().transform_cell(without_cell_magic))
    except SyntaxError:  # shown on purpose (raises-exception), or not Python (%%bash)
        return ast.Module([], [])


def calls(cell: NotebookNode) -> list[tuple[str, ast.Call]]:
    """(dotted name, call) for each call in a code cell."""
    nodes = [node for node in ast.walk(parse(cell.source)) if isinstance(node, ast.Call)]
    return [(ast.unparse(node.func), node) for node in nodes]


def called_names(cell: NotebookNode) -> set[str]:
    """The last part of each called name: assert_allclose for np.testing.assert_allclose."""
    return {name.rpartition(".")[2] for name, _ in calls(cell)}


def shows_picture(cell: NotebookNode) -> bool:
    return any(name in ("plt.show", "pyplot.show") for name, _ in calls(cell))


def asserts(cell: NotebookNode) -> bool:
    """Has an assert, or a call such as np.testing.assert_allclose."""
    if any(isinstance(node, ast.Assert) for node in ast.walk(parse(cell.source))):
        return True
    return any(name.startswith("assert") for name in called_names(cell))


def defined_names(tree: ast.Module) -> list[str]:
    """The classes and functions that a module, or a cell, defines at its top level."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, kinds)]


@cache
def package_names(package: Path) -> dict[str, str]:
    """Each public class and function of the package, with the file that defines it."""
    return {
        name: path.relative_to(package.parent).as_posix()
        for path in sorted(package.rglob("*.py"))
        for name in defined_names(ast.parse(path.read_text(encoding="utf-8")))
        if not name.startswith("_")
    }
