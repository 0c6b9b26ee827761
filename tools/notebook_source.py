"""What a notebook is made of: its source, and what all notebooks have in common."""

import re
import tomllib
from pathlib import Path

from nbformat import NotebookNode, from_dict

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_CELL_METADATA = ("tags", "jupyter")

# The first code cell of every notebook. Where the course is installed it does nothing. Colab has
# TensorFlow, Keras and numpy, in versions that suit its machines: --no-deps leaves them alone. The
# working folder there is /content, without any file of the course, so a notebook asks the package
# where its data is and never goes up to "../data".
FIRST_CELL = """
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("bert_course") is None:  # on Colab: install the course, only the course
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("no bert_course: run `pip install -e .` in the course's folder")
    course = ["git+https://github.com/{repository}", "safetensors"]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", *course], check=True)
""".strip()
BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repository}/blob/main/notebooks/{stem}.ipynb)"
)
# Where a text names the course's own repository. (A link to another repository looks different.)
ADDRESSED = re.compile(
    r"(colab\.research\.google\.com/github/|git\+https://github\.com/|git clone https://github\.com/)"
    r"[\w.-]+/[\w.-]*\w"
)


def read_source(path: Path) -> NotebookNode:
    """The notebook that a py:percent file describes, without outputs."""
    import jupytext  # only here: it takes seconds to import

    notebook = jupytext.read(path, fmt="py:percent")
    notebook.metadata = from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = kept_metadata(cell)
    return notebook


def kept_metadata(cell: NotebookNode) -> NotebookNode:
    return from_dict(
        {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
    )


def repository(root: Path) -> str:
    """OWNER/NAME on GitHub, from the one place where it is written, pyproject.toml."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    address = settings["project"]["urls"]["Repository"]
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", address.removesuffix(".git"))
    if match is None:
        raise ValueError(
            f"pyproject.toml, [project.urls] Repository: {address!r} should be"
            " https://github.com/OWNER/NAME (Colab opens notebooks from GitHub)"
        )
    return match[1]


def first_cell(repository: str) -> str:
    return FIRST_CELL.format(repository=repository)


def badge(repository: str, stem: str) -> str:
    return BADGE.format(repository=repository, stem=stem)


def stamp(text: str, repository: str) -> str:
    """The text with the repository's address in each place that carries it."""
    return ADDRESSED.sub(rf"\g<1>{repository}", text)


def restamped(root: Path) -> dict[Path, str]:
    """The files whose address is not that of pyproject.toml, each with its text put right."""
    notebooks = root / "notebooks"
    files = [root / "README.md", *notebooks.glob("source/*.py"), *notebooks.glob("*.ipynb")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.exists()}
    stamped = {path: stamp(text, repository(root)) for path, text in texts.items()}
    return {path: text for path, text in stamped.items() if text != texts[path]}
