"""The folder of a run: states that are whole or passed over, and what is not gone on with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bert_course.training.run_folder import RunFolder, flatten, read_metrics

DESCRIPTION = {"recipe": {"rate": 0.001, "steps": [6]}, "vocabulary": "abc"}
TENSORS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([7, 8], "uint32")}


def described(resume=False, **changes):
    return {"description": DESCRIPTION | changes, "resume": resume}


@pytest.fixture
def folder(tmp_path):
    """With a run in it, and states after 1, 2 and 3 batches, of which two are kept."""
    run = RunFolder(tmp_path / "run", **described())
    with run.ours_alone():
        for batch in (1, 2, 3):
            run.save(batch, TENSORS | {"batch": np.array([batch])})
            run.append_metrics({"batch": batch, "loss": 1 / batch})
    return tmp_path / "run"


def resumed(folder):
    return RunFolder(folder, **described(resume=True))


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_the_last_two_states_are_kept(folder):
    states = ["batch-000000002.safetensors", "batch-000000003.safetensors"]
    assert names(folder) == sorted(["lock", "metrics.jsonl", "run.json", "states", *states])
    batch, tensors = resumed(folder).newest()
    assert batch == 3
    assert tensors.keys() == {"a", "b", "batch"}
    np.testing.assert_array_equal(tensors["a"], TENSORS["a"])
    assert tensors["b"].dtype == "uint32"


def test_a_new_run_has_no_state(tmp_path):
    run = RunFolder(tmp_path / "new", **described(resume=True))
    assert not (tmp_path / "new").exists()  # a mistake that is found later leaves nothing behind
    with run.ours_alone():
        assert run.newest() == (0, None)
    assert json.loads((tmp_path / "new" / "run.json").read_text("utf-8")) == DESCRIPTION


def cut(content, where):
    return content[:where]


def flip(content, where):
    content = bytearray(content)
    content[where] ^= 1
    return bytes(content)


DAMAGES = {
    "empty": lambda c: b"",
    "cut early": lambda c: cut(c, 5),
    "cut late": lambda c: cut(c, -1),
    "a bit of the sizes": lambda c: flip(c, 0),
    "a bit of the names": lambda c: flip(c, c.index(b'"a"') + 1),
    "a bit of the numbers": lambda c: flip(c, -1),
    "a bit in the middle": lambda c: flip(c, len(c) - 40),
    "zeros": lambda c: bytes(len(c)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_state_is_passed_over(damage, folder):
    newest = folder / "states" / "batch-000000003.safetensors"
    newest.write_bytes(damage(newest.read_bytes()))
    batch, tensors = resumed(folder).newest()
    assert (batch, tensors["batch"][0]) == (2, 2)


def test_where_all_are_damaged_nothing_is_begun_anew_by_itself(folder):
    for path in (folder / "states").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"takes a state that is whole.*with 2 damaged files"):
        resumed(folder).newest()


def test_the_state_that_a_damaged_one_gave_way_to_is_kept(folder):
    """Saving again after the damage replaces what is damaged, not what is good."""
    newest = folder / "states" / "batch-000000003.safetensors"
    newest.write_bytes(b"")
    run = resumed(folder)
    run.newest()
    run.save(3, TENSORS | {"batch": np.array([30])})
    assert [path.stem[-1] for path in run.states()] == ["2", "3"]
    assert run.newest()[1]["batch"][0] == 30


def test_a_damaged_state_does_not_outlast_a_good_one(folder):
    """The last is damaged, the run goes on from the one before and saves at another batch."""
    (folder / "states" / "batch-000000003.safetensors").write_bytes(b"")
    run = resumed(folder)
    with run.ours_alone():
        assert run.newest()[0] == 2
        run.save(4, TENSORS | {"batch": np.array([4])})
        (folder / "states" / "batch-000000004.safetensors").write_bytes(b"")  # the next is, too
        assert run.newest()[0] == 2


def test_numbers_that_are_not_finite_are_not_saved(folder):
    for number in (np.nan, np.inf):
        with pytest.raises(FloatingPointError, match="a"):
            resumed(folder).save(4, TENSORS | {"a": np.array([number])})
    assert resumed(folder).newest()[0] == 3


def test_lines_that_will_be_written_again_are_forgotten(folder):
    run = resumed(folder)
    run.forget_metrics_after(2)
    assert [line["batch"] for line in read_metrics(folder)] == [1, 2]
    run.append_metrics({"batch": 3, "loss": 0.3})
    assert read_metrics(folder)[-1] == {"batch": 3, "loss": 0.3}
    assert read_metrics(folder / "nowhere") == []


def test_what_a_killed_run_left_half_written_goes(folder):
    half = folder / "states" / ".batch-000000004.safetensors.partial"
    half.write_bytes(b"half")
    with resumed(folder).ours_alone():
        assert not half.exists()
    assert resumed(folder).newest()[0] == 3


# ---------------------------------------------------------------------------- what is refused


def refused(match, folder, **options):
    with pytest.raises(ValueError, match=match):
        RunFolder(folder, **options)


def test_another_run(folder):
    before = names(folder)
    refused(
        r"recipe\.rate was 0\.001 and is 0\.002$",
        folder,
        **described(True, recipe={"rate": 0.002, "steps": [6]}),
    )
    refused(r"vocabulary was abc and is xyz", folder, **described(True, vocabulary="xyz"))
    refused(r"backend was not there and is jax", folder, **described(True, backend="jax"))
    recipe = {"rate": 0.002, "steps": [7]}
    match = r"recipe\.rate was .*; recipe\.steps was \[6\] and is \[7\]"
    refused(match, folder, **described(True, recipe=recipe))
    assert names(folder) == before


def test_tuples_are_what_they_are_on_disk(folder):
    RunFolder(folder, **described(True, recipe={"rate": 0.001, "steps": (6,)}))


def test_a_run_that_is_there_without_resume(folder):
    refused(r"A run is there already.*--resume.*Received: .*run$", folder, **described())


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_something_else(resume, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    refused("a new folder, or an empty one.*holds thesis.txt", tmp_path, **described(resume))
    assert names(tmp_path) == ["thesis.txt"]


def test_a_file(tmp_path):
    (tmp_path / "run").write_text("mine")
    refused("A run is a folder. Received: .*which is a file", tmp_path / "run", **described())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_a_description_that_is_no_more(content, folder):
    (folder / "run.json").write_bytes(content)
    refused(r"run\.json must say what.*changed since", folder, **described(resume=True))


def test_what_a_run_that_died_at_once_left_is_not_in_the_way(tmp_path):
    (tmp_path / "states").mkdir()
    for name in ("lock", ".run.json.partial"):
        (tmp_path / name).write_text("")
    with RunFolder(tmp_path, **described()).ours_alone():
        assert (tmp_path / "run.json").exists()


def test_the_home_folder_is_understood(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    with RunFolder("~/run", **described()).ours_alone():
        assert (tmp_path / "run" / "run.json").exists()


def test_one_process_at_a_time(folder):
    with (
        resumed(folder).ours_alone(),
        pytest.raises(ValueError, match="One run at a time trains in a folder"),
        resumed(folder).ours_alone(),
    ):
        pass
    with resumed(folder).ours_alone():
        pass


OTHER = """
import sys
from bert_course.files import only_one
try:
    with only_one(sys.argv[1], "taken"):
        print("held", flush=True)
        sys.stdin.read()
except ValueError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill is another thing there")
def test_a_lock_ends_with_the_process_however_it_ends(tmp_path):
    root = str(Path(__file__).resolve().parents[2])
    start = dict(
        args=[sys.executable, "-c", OTHER, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    with subprocess.Popen(**start) as holder:
        assert holder.stdout.readline() == "held\n"
        with subprocess.Popen(**start) as other:
            assert other.communicate()[0] == "taken\n"
        holder.kill()
    with subprocess.Popen(**start) as other:
        assert other.communicate()[0] == "held\n"


def test_names_of_what_is_in_a_description():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": 3}) == {"a.b": 1, "a.c.d": [2], "e": 3}
