"""A run on disk: what is being trained, how it went so far, and states to go on from.

run.json         the recipe and the hashes of the examples, written once
metrics.jsonl    a line of numbers for each evaluation
states/          all variables after so many batches; the last two, each in one file
checkpoint/      the model, in Hugging Face's layout, as of the last state
"""

import contextlib
import json
import pathlib
from zlib import crc32

import numpy as np

from bert_course.files import only_one, write_whole
from bert_course.model.tensor_files import read_safetensors, write_safetensors

KEPT = 2  # states; an older one goes when a newer one stands


class RunFolder:
    """The folder of one run.

    Args:
        description: all that the weights depend on, as JSON; a run with another one is refused.
        resume: whether to go on with the run that is there.
    """

    def __init__(self, folder, description, resume):
        self.folder = pathlib.Path(folder).expanduser()
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"A run is a folder. Received: {self.folder}, which is a file")
        self.description = json.loads(json.dumps(description))
        there = self._read_description()
        if there is None:
            self._refuse_strangers()
        elif not resume:
            raise ValueError(
                "A run is there already: go on with it (--resume, or resume=True), or choose "
                f"another folder. Received: {self.folder}"
            )
        else:
            self._refuse_differences(there)

    @contextlib.contextmanager
    def ours_alone(self):
        """Make the folder, and hold it: two runs in one would undo each other's work."""
        (self.folder / "states").mkdir(parents=True, exist_ok=True)
        refusal = (
            "One run at a time trains in a folder: wait for the other, or choose another folder. "
            f"Received: {self.folder}"
        )
        with only_one(self.folder / "lock", refusal):
            for half in (self.folder / "states").glob(".*.partial"):  # of a run that was killed
                half.unlink(missing_ok=True)
            if not (self.folder / "run.json").exists():
                write_whole(as_json(self.description, indent=2), self.folder / "run.json")
            yield

    def _read_description(self):
        path = self.folder / "run.json"
        try:
            there = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            there = None
        if not isinstance(there, dict):
            raise ValueError(
                "run.json must say what is being trained, as it was written: choose another "
                f"folder. Received: {path}, changed since"
            )
        return there

    def _refuse_strangers(self):
        names = {p.name for p in self.folder.iterdir()} if self.folder.exists() else set()
        strangers = sorted(names - {"lock", "states", ".run.json.partial"})  # those died early
        if strangers:
            raise ValueError(
                "A run begins in a new folder, or an empty one: choose another. "
                f"Received: {self.folder}, which holds {', '.join(strangers[:3])}"
            )

    def _refuse_differences(self, there):
        before, now = flatten(there), flatten(self.description)
        differences = [
            f"{name} was {before.get(name, 'not there')} and is {now.get(name, 'not there')}"
            for name in sorted(before.keys() | now.keys())
            if before.get(name) != now.get(name)
        ]
        if differences:
            raise ValueError(
                "A run goes on with what it began with, or the weights would be those of neither: "
                "repeat those settings, or choose another folder. "
                f"Received: {self.folder}, where {'; '.join(differences)}"
            )

    # ------------------------------------------------------------------------------- states

    def save(self, batch, tensors):
        """All variables after `batch` batches -> one file; then older states may go."""
        for name, tensor in tensors.items():
            if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
                raise FloatingPointError(name)
        path = self.folder / "states" / f"batch-{batch:09d}.safetensors"
        write_safetensors({**tensors, "check": np.array([checksum(tensors)])}, path)
        for old in self.states()[:-KEPT]:
            old.unlink(missing_ok=True)

    def states(self):
        """Paths, oldest first."""
        return sorted((self.folder / "states").glob("batch-*.safetensors"))

    def newest(self):
        """(batch, tensors) of the last state that is whole, or (0, None); later ones go."""
        paths = self.states()
        for place, path in reversed(list(enumerate(paths))):
            with contextlib.suppress(ValueError, KeyError):  # not OSError: it may be whole
                tensors = read_safetensors(path)
                if tensors.pop("check")[0] == checksum(tensors):
                    for damaged in paths[place + 1 :]:  # or it would be one of those to keep
                        damaged.unlink(missing_ok=True)
                    return int(path.stem.removeprefix("batch-")), tensors
        if paths:
            raise ValueError(
                "To go on takes a state that is whole, and none here is: begin again in another "
                f"folder. Received: {self.folder / 'states'}, with {len(paths)} damaged files"
            )
        return 0, None

    # ------------------------------------------------------------------------------ metrics

    def append_metrics(self, line):
        write_whole(self._metrics() + as_json(line), self.folder / "metrics.jsonl")

    def forget_metrics_after(self, batch):
        """Lines of batches that will be trained again."""
        kept = [line for line in read_metrics(self.folder) if line["batch"] <= batch]
        write_whole(b"".join(map(as_json, kept)), self.folder / "metrics.jsonl")

    def _metrics(self):
        path = self.folder / "metrics.jsonl"
        return path.read_bytes() if path.exists() else b""


def read_metrics(folder):
    """The lines of metrics.jsonl, a dictionary each."""
    path = pathlib.Path(folder).expanduser() / "metrics.jsonl"
    return (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )


def as_json(content, indent=None):
    return (json.dumps(content, indent=indent) + "\n").encode("utf-8")


def checksum(tensors):
    check = 0
    for name in sorted(tensors):
        check = crc32(np.ascontiguousarray(tensors[name]), crc32(name.encode(), check))
    return check


def flatten(description, start=""):
    """{"a": {"b": 1}} -> {"a.b": 1}."""
    flat = {}
    for name, value in description.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{start}{name}.")
        else:
            flat[start + name] = value
    return flat
