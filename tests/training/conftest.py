"""Examples for small runs, and a run that nothing disturbed."""

import pytest
from small_runs import held_out, recipe, run_quickly, write_small_examples

from bert_course.training.pretraining import Watch, pretrain


@pytest.fixture(scope="session")
def short(tmp_path_factory):
    """A folder of examples of 16 tokens."""
    return write_small_examples(tmp_path_factory.mktemp("short") / "examples", 16)


@pytest.fixture(scope="session")
def long(tmp_path_factory):
    """A folder of examples of 32 tokens."""
    return write_small_examples(tmp_path_factory.mktemp("long") / "examples", 32)


@pytest.fixture
def quickly(monkeypatch):
    run_quickly(monkeypatch)


@pytest.fixture(scope="session")
def whole(short, tmp_path_factory):
    """The folder of a run of six batches, evaluated after the fourth. Not to be changed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        run_quickly(patch)
        pretrain(recipe(6), short, out, watch=Watch(held_out(short), every=4))
    return out
