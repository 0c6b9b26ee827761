"""Which files make up a checkpoint, and how its tensors are read, in either layout."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

from bert_course.model.google_files import read_google_tensors
from bert_course.model.tensor_files import read_safetensors, read_torch_weights
from bert_course.model.tensor_names import from_google, from_hugging_face


@dataclass
class CheckpointFiles:
    """Where the parts of a checkpoint lie, and how to read its tensors."""

    folder: pathlib.Path
    config: pathlib.Path
    weights: pathlib.Path
    vocabulary: pathlib.Path
    read_tensors: Callable


def find_checkpoint(folder):
    """The files of a checkpoint folder, whichever layout it has."""
    folder = pathlib.Path(folder).expanduser()
    if not folder.is_dir():
        raise ValueError(f"A checkpoint is a folder. Received: {folder}, which is not one")
    hugging_face, google = folder / "config.json", folder / "bert_config.json"
    if hugging_face.exists():
        config = hugging_face
        weights, read_tensors = _find_hugging_face_weights(folder)
    elif google.exists():
        config = google
        weights, read_tensors = _find_google_weights(folder)
    else:
        raise ValueError(
            "A checkpoint folder has a config.json (Hugging Face's layout) or a bert_config.json "
            f"(Google's). Received: {folder}, which has neither"
        )
    vocabulary = folder / "vocab.txt"
    if not vocabulary.exists():
        raise ValueError(
            "A checkpoint folder has a vocab.txt, a word piece a line: take the one that was "
            f"published with the weights. Received: {folder}, which has none"
        )
    return CheckpointFiles(folder, config, weights, vocabulary, read_tensors)


def _find_hugging_face_weights(folder):
    safe, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
    if safe.exists():
        return safe, lambda path: from_hugging_face(read_safetensors(path))
    if pickled.exists():
        return pickled, lambda path: from_hugging_face(read_torch_weights(path))
    if (folder / "model.safetensors.index.json").exists():
        raise ValueError(
            "Weights in several files are not read: join them into one model.safetensors. "
            f"Received: {folder}"
        )
    raise ValueError(
        "A folder with a config.json has its weights in model.safetensors. "
        f"Received: {folder}, which has no such file (an interrupted save or download?)"
    )


def _find_google_weights(folder):
    prefixes = [path.with_suffix("") for path in sorted(folder.glob("*.index"))]
    usual = folder / "bert_model.ckpt"
    if len(prefixes) != 1 and usual not in prefixes:
        raise ValueError(
            "A folder with a bert_config.json has its weights in bert_model.ckpt.index and "
            f".data-00000-of-00001. Received: {folder}, which has {len(prefixes)} .index files"
        )
    prefix = usual if usual in prefixes else prefixes[0]
    return prefix, lambda path: from_google(read_google_tensors(path))
