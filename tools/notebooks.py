"""Build the notebooks: from source/NN_name.py, which people edit, NN_name.ipynb, with outputs.

    python -m tools.notebooks build            those that are out of step with their source
    python -m tools.notebooks build 03 04      these, in step or not
    python -m tools.notebooks build --all      every one
    python -m tools.notebooks badges           stamp pyproject.toml's address wherever one stands

Notebooks run on the CPU and with this Python, whatever kernels are registered. A new one replaces
the old only when all its cells have run. Where only prose has changed, the outputs are kept and
nothing is run.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from difflib import SequenceMatcher
from itertools import count
from pathlib import Path

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import kernel
from tools.notebook_reading import COLOUR, code_cells
from tools.notebook_rules import complaints
from tools.notebook_source import METADATA, kept_metadata, read_source, repository, restamped

# Lines that a Keras backend may write as it starts; they say nothing of the notebook.
BACKEND_BANNER = re.compile(
    r"WARNING: All log messages before absl::InitializeLog\(\)"
    r"|[IW]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ \S+\.cc:\d+\]"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: I tensorflow/"
    r"|To enable the following instructions: "
)
# In a traceback, the folders of one machine before what has the same name on all.
FOLDERS = re.compile(r'(?<=File )[^\n"]*/(?=(?:site-packages|bert_course|lib/python3\.\d+)/)')


class BuildError(Exception):
    """A notebook could not be built; the text has the cell, its source and the reason."""


def build(root: Path, names: list[str], everything: bool = False) -> bool:
    """Build the chosen notebooks, and say which rules they break; False if one failed to run."""
    failed, in_step = [], []
    for source in chosen_sources(root, names):
        start = time.perf_counter()
        try:
            done = build_one(source, root, anyway=everything or bool(names))
        except BuildError as error:
            failed.append(source.stem)
            print(f"{source.stem}: FAILED, and is left as it was. {error}\n", flush=True)
            continue
        if done is None:
            in_step.append(source.stem[:2])
            continue
        print(f"{source.stem}: {done} ({time.perf_counter() - start:.0f} s)", flush=True)
        for complaint in complaints(notebook_of(source)):
            print(f"    {complaint}", flush=True)
    if in_step:
        print(f"in step with their sources: {' '.join(in_step)}")
    return not failed


def chosen_sources(root: Path, names: list[str]) -> list[Path]:
    """The sources that start with one of the names (03, or 03_attention); all, without names."""
    sources = sorted((root / "notebooks" / "source").glob("*.py"))
    for name in names:
        if not any(source.stem.startswith(name) for source in sources):
            known = ", ".join(source.stem for source in sources)
            raise SystemExit(f"notebooks/source has no {name}*.py; it has {known or 'none'}")
    return [s for s in sources if not names or s.stem.startswith(tuple(names))]


def notebook_of(source: Path) -> Path:
    return source.parent.parent / f"{source.stem}.ipynb"


def build_one(source: Path, root: Path, anyway: bool) -> str | None:
    """Bring one notebook in step with its source and say how; None if it was in step."""
    path = notebook_of(source)
    new = read_source(source)
    old = notebook_before(path)
    assign_ids(new, old, source.stem)
    if not anyway and sources(new.cells) == sources(old.cells):
        return None
    done = "only prose changed, outputs kept"
    if anyway or not keep_outputs(new, old):
        execute(new, root)
        clean_outputs(new)
        done = "executed"
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(nbformat.writes(new) + "\n", encoding="utf-8", newline="\n")
    os.replace(beside, path)
    return done


def sources(cells: list[NotebookNode]) -> list[tuple]:
    """What the source decides of each cell."""
    return [(cell.cell_type, cell.source, kept_metadata(cell)) for cell in cells]


# What stays of the notebook before.


def notebook_before(path: Path) -> NotebookNode:
    """What is to be replaced; empty if there is none, or a merge conflict in it."""
    try:
        return nbformat.read(path, as_version=4)
    except (FileNotFoundError, ValueError):
        return nbformat.v4.new_notebook()


def assign_ids(new: NotebookNode, old: NotebookNode, stem: str) -> None:
    """Let unchanged and edited cells keep their ids; a new cell gets one from its text."""
    texts = ([(cell.cell_type, cell.source) for cell in nb.cells] for nb in (old, new))
    ids = {}
    for change, i, i_end, j, j_end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        edited_in_place = change == "replace" and i_end - i == j_end - j
        if change == "equal" or edited_in_place:
            ids.update(zip(range(j, j_end), [cell.id for cell in old.cells[i:i_end]], strict=True))
    taken = set(ids.values())
    for n, cell in enumerate(new.cells):
        cell.id = ids.get(n) or fresh_id(stem + cell.source, taken)
        taken.add(cell.id)


def fresh_id(text: str, taken: set[str]) -> str:
    """The same id for the same text, unless it is taken."""
    candidates = (hashlib.sha256(f"{n} {text}".encode()).hexdigest()[:8] for n in count())
    return next(candidate for candidate in candidates if candidate not in taken)


def keep_outputs(new: NotebookNode, old: NotebookNode) -> bool:
    """Take over the old outputs; False, and nothing taken, if there is code to run."""
    new_cells, old_cells = ([cell for _, cell in code_cells(nb)] for nb in (new, old))
    never_run = any(cell.execution_count is None for cell in old_cells)
    if never_run or sources(new_cells) != sources(old_cells):
        return False
    for new_cell, old_cell in zip(new_cells, old_cells, strict=True):
        new_cell.outputs, new_cell.execution_count = old_cell.outputs, old_cell.execution_count
    return True


# Running, and what is kept of it.


class ThisPython(KernelSpecManager):
    """Knows one kernel, that of the Python which runs this; none needs to be registered."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict())


def execute(notebook: NotebookNode, root: Path) -> None:
    """Run all cells in a fresh kernel, in place, in the notebooks' folder."""
    environ = dict(os.environ)
    kernel.set_up(environ, root)
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=ThisPython()),
        timeout=kernel.CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(root / "notebooks")}},
    )
    try:
        client.execute(env=environ, cleanup_kc=True, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise BuildError(in_cell(notebook, error.traceback)) from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise BuildError(in_cell(notebook, str(error))) from error
    notebook.metadata = nbformat.from_dict(METADATA)  # the client adds this Python's patch version


def in_cell(notebook: NotebookNode, reason: str) -> str:
    """The reason, under the name and source of the cell that ran last."""
    started = [named for named in code_cells(notebook) if named[1].execution_count is not None]
    name, cell = started[-1]
    return f"Cell {name}:\n\n{cell.source}\n\n{COLOUR.sub('', reason)}"


def clean_outputs(notebook: NotebookNode) -> None:
    """Keep what is the same on every machine; stop at stderr, but for a backend's banner."""
    for name, cell in code_cells(notebook):
        cell.outputs = merge_streams(without_banner(cell.outputs))
        for output in cell.outputs:
            clean_output(output)
            if output.get("name") == "stderr":
                seen = f"It writes to stderr, which learners see in red:\n{output.text}"
                raise BuildError(f"Cell {name}:\n\n{cell.source}\n\n{seen}")


def without_banner(outputs: list[NotebookNode]) -> list[NotebookNode]:
    for output in outputs:
        if output.get("name") == "stderr":
            lines = output.text.splitlines(keepends=True)
            output.text = "".join(line for line in lines if not BACKEND_BANNER.match(line))
    return [o for o in outputs if o.get("name") != "stderr" or o.text.strip()]


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """One output for all that was printed in a row, however the kernel cut it up."""
    merged: list[NotebookNode] = []
    for output in outputs:
        same = merged and output.output_type == "stream" and merged[-1].get("name") == output.name
        if same:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def clean_output(output: NotebookNode) -> None:
    """Take out colour codes, and from a traceback the folders of this machine."""
    for field in {"text", "evalue"} & set(output):
        output[field] = COLOUR.sub("", output[field])
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            output.data[kind] = COLOUR.sub("", content)
    if "traceback" in output:
        output.traceback = [FOLDERS.sub("", COLOUR.sub("", line)) for line in output.traceback]


# The repository's address.


def badges(root: Path) -> None:
    """Write pyproject.toml's address into sources, notebooks and README; nothing is run for it."""
    changed = restamped(root)
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"stamped {path.relative_to(root)}")
    print(f"{repository(root)}: {len(changed)} files changed")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.notebooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build_command = commands.add_parser("build", help="convert and execute")
    build_command.add_argument("names", nargs="*", metavar="NAME", help="03, or 03_attention")
    build_command.add_argument("--all", action="store_true", help="every notebook")
    commands.add_parser("badges", help="stamp the repository's address")
    options = parser.parse_args(arguments)
    if options.command == "badges":
        badges(kernel.ROOT)
        return 0
    return 0 if build(kernel.ROOT, options.names, options.all) else 1


if __name__ == "__main__":
    sys.exit(main())
