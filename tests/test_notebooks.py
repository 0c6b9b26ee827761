"""Each notebook keeps the rules; `pytest --nbval notebooks` compares what it prints."""

import pytest

from tools.kernel import ROOT
from tools.notebook_rules import complaints, unpaired
from tools.notebook_source import restamped

NOTEBOOKS = ROOT / "notebooks"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_keeps_the_rules(path):
    found = complaints(path)
    assert not found, f"{path.name}:\n" + "\n".join(found)


def test_every_source_has_its_notebook():
    assert not unpaired(NOTEBOOKS)


def test_every_address_is_that_of_pyproject_toml():
    wrong = [path.name for path in restamped(ROOT)]
    assert not wrong, f"another repository's address is in {wrong}: run `make badges`"
