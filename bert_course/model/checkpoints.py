"""A folder of config, weights and vocabulary <-> layers."""

import json
import pathlib
import warnings
from dataclasses import replace
from functools import cached_property
from zlib import crc32

import keras
import numpy as np

from bert_course.files import write_whole
from bert_course.model.checkpoint_folder import find_checkpoint
from bert_course.model.config_files import (
    expects_lowercase,
    hugging_face_config,
    read_config,
    read_vocabulary,
)
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import build_pretraining_model
from bert_course.model.tensor_files import write_safetensors
from bert_course.model.tensor_names import (
    OPTIONAL_PARTS,
    TOKEN_TABLE,
    hugging_face_name,
    in_part,
    is_transposed,
)
from bert_course.text.vocabulary import check_pieces
from bert_course.text.wordpiece import WordPieceTokenizer


class Bert:
    """A whole BERT: encoder and both pretraining heads, its sizes, its vocabulary.

    Attributes:
        config: a `BertConfig`.
        encoder: see `build_encoder`.
        pretraining_model: see `build_pretraining_model`; shares the encoder's weights.
        vocabulary: list of word pieces, the place of each being its id.
        lowercase: whether the vocabulary expects lower-cased text.
        tokenizer: a `WordPieceTokenizer` with this vocabulary.
        untrained: the parts that were not in the checkpoint and are as random now as then.
    """

    def __init__(self, config, vocabulary, lowercase=True, rng=0):
        if len(vocabulary) != config.vocab_size:
            raise ValueError(
                "The vocabulary must have as many pieces as the config says. Received: "
                f"{len(vocabulary)} pieces, vocab_size={config.vocab_size}"
            )
        check_pieces(vocabulary)
        rng = np.random.default_rng(rng)
        self.config = config
        self.encoder = build_encoder(config, rng)
        self.pretraining_model = build_pretraining_model(self.encoder, config, rng)
        self.vocabulary = list(vocabulary)
        self.lowercase = lowercase
        self._random_parts = {}  # {part: what its weights looked like when they were drawn}

    @cached_property  # not in __init__: a BERT without [MASK] and its like cannot read, but runs
    def tokenizer(self):
        return WordPieceTokenizer(self.vocabulary, self.lowercase)

    @property
    def untrained(self):
        return tuple(p for p, drawn in self._random_parts.items() if self._fingerprint(p) == drawn)

    def _fingerprint(self, part):
        tensors = hugging_face_tensors(self.pretraining_model)
        return crc32(b"".join(t.tobytes() for name, t in tensors.items() if in_part(name, part)))


def load_pretrained(folder, activation=None, ignore=()):
    """A folder in Hugging Face's or Google's layout -> `Bert`.

    Args:
        activation: "gelu" or "gelu_tanh" instead of what the folder says.
        ignore: beginning of the names of tensors to leave aside, such as "classifier."; or several.
    """
    files = find_checkpoint(folder)
    config = read_config(files.config)
    if activation is not None:
        config = replace(config, activation=activation)
    vocabulary = read_vocabulary(files.vocabulary, config)
    tensors = files.read_tensors(files.weights)
    bert = Bert(config, vocabulary, lowercase=expects_lowercase(files.folder, vocabulary))
    missing = assign_tensors(bert.pretraining_model, tensors, files.weights, ignore)
    bert._random_parts = {part: bert._fingerprint(part) for part in missing}
    if missing:
        warnings.warn(
            f"Not in the checkpoint, so still random: {', '.join(missing)}. "
            f"Train before use. ({files.weights})",
            stacklevel=2,
        )
    return bert


def assign_tensors(model, tensors, path, ignore=()):
    """Put every tensor in its variable; answers with the parts that the file lacks as a whole.

    Nothing is assigned unless everything fits.
    """
    variables = {hugging_face_name(v.path): v for v in model.weights}
    beginnings = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    tensors = {name: t for name, t in tensors.items() if not name.startswith(beginnings)}
    tensors = _without_tied_copies(tensors, path)
    lacking = [part for part in OPTIONAL_PARTS if not any(in_part(n, part) for n in tensors)]
    wanted = {n: v for n, v in variables.items() if not any(in_part(n, p) for p in lacking)}
    _refuse_misfits(wanted, tensors, path)
    for name, variable in wanted.items():
        tensor = tensors[name]
        variable.assign(tensor.T if is_transposed(variable.path) else tensor)
    return tuple(lacking)


def _without_tied_copies(tensors, path):
    """Drop second copies of the token table and the word bias, once seen to be copies."""
    tied = {
        "cls.predictions.decoder.weight": TOKEN_TABLE,
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    }
    tensors = dict(tensors)
    for copy, original in tied.items():
        if copy not in tensors:
            continue
        tensor = tensors.pop(copy)
        if not np.array_equal(tensors.setdefault(original, tensor), tensor):
            raise ValueError(
                f"{path}: {copy} must equal {original}, for BERT ties them. "
                "Received: two different tensors"
            )
    return tensors


def _refuse_misfits(wanted, tensors, path):
    missing = sorted(wanted.keys() - tensors.keys())
    if missing:
        raise ValueError(
            f"{path} must hold every tensor of the model in its config. Missing: {_some(missing)}"
        )
    surplus = sorted(tensors.keys() - wanted.keys())
    if surplus:
        raise ValueError(
            f"{path} must hold nothing that the model in its config lacks; to leave tensors aside, "
            f"name their beginnings in ignore=(…). Surplus: {_some(surplus)}"
        )
    for name, variable in wanted.items():
        shape = tuple(reversed(variable.shape)) if is_transposed(variable.path) else variable.shape
        if tuple(tensors[name].shape) != tuple(shape):
            raise ValueError(
                f"{path}: {name} must have the shape {tuple(shape)} that the config asks for. "
                f"Received: {tuple(tensors[name].shape)}"
            )


def _some(names, most=5):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def save_pretrained(bert, folder):
    """`Bert` -> a folder in Hugging Face's layout, which transformers and keras-nlp open too.

    The weights come last and in one stroke, so that a crash at any moment leaves a folder which
    holds the old weights, or the new ones, or, if it was new, none. For the same reason a folder
    with another model in it is refused, not overwritten. Parts that are `untrained` are left out.
    """
    folder = pathlib.Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"A checkpoint is a folder. Received: {folder}, which is a file")
    is_free = _is_free(folder)
    if not is_free and not _is_same_model(bert, folder):
        raise ValueError(
            "The folder holds another model (other sizes, vocabulary, letter case or layout), and "
            "one save cannot replace it safely: choose a new folder, or delete this one first. "
            f"Received: {folder}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in small_files(bert.config, bert.vocabulary, bert.lowercase).items():
        if is_free or not (folder / name).exists():
            write_whole(content.encode("utf-8"), folder / name)
    write_safetensors(_trained_tensors(bert), folder / "model.safetensors")


def small_files(config, vocabulary, lowercase, **more):
    """{name: text} of all that is in such a folder, but for the weights.

    Args:
        more: fields of config.json, beside those of the pretraining model or in their place.
    """
    tokenizer = {"do_lower_case": lowercase, "tokenizer_class": "BertTokenizer"}
    return {
        "config.json": _as_json(hugging_face_config(config, vocabulary) | more),
        "tokenizer_config.json": _as_json(tokenizer),
        "vocab.txt": "\n".join(vocabulary) + "\n",
    }


def _trained_tensors(bert):
    untrained = bert.untrained
    return {
        name: tensor
        for name, tensor in hugging_face_tensors(bert.pretraining_model).items()
        if not any(in_part(name, part) for part in untrained)
    }


def _as_json(content):
    return json.dumps(content, indent=2) + "\n"


def _is_free(folder):
    """Whether there are no weights and no foreign config: at most a first save cut short."""
    # [!.]: a .partial file is no weights yet
    patterns = ("[!.]*.safetensors*", "pytorch_model*.bin", "*.index", "*.h5", "*.msgpack")
    if any(any(folder.glob(pattern)) for pattern in patterns):
        return False
    try:
        return not (folder / "config.json").exists() or bool(read_config(folder / "config.json"))
    except ValueError:
        return False


def _is_same_model(bert, folder):
    try:
        files = find_checkpoint(folder)
        with warnings.catch_warnings(action="ignore"):  # loading it is the time to warn
            config = read_config(files.config)
        vocabulary = read_vocabulary(files.vocabulary, config)
        lowercase = expects_lowercase(folder, vocabulary)
    except ValueError:
        return False  # not even one that this package reads
    there = (files.config.name, config, vocabulary, lowercase)
    return there == ("config.json", bert.config, bert.vocabulary, bert.lowercase)


def hugging_face_tensors(model):
    """All weights of a model, frozen ones too, under Hugging Face's names."""
    tensors = {}
    for variable in model.weights:
        tensor = keras.ops.convert_to_numpy(variable)
        name = hugging_face_name(variable.path)
        tensors[name] = tensor.T if is_transposed(variable.path) else tensor
    return tensors
