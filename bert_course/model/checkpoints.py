"""A folder of config, weights and vocabulary <-> layers."""

import json
import pathlib
import warnings
from dataclasses import dataclass, replace

import keras
import numpy as np

from bert_course.model.config import BertConfig
from bert_course.model.encoder import build_encoder
from bert_course.model.google_files import read_google_tensors
from bert_course.model.heads import build_pretraining_model
from bert_course.model.parts import INITIALIZER_RANGE, NORM_EPSILON
from bert_course.model.tensor_files import (
    read_safetensors,
    read_torch_weights,
    write_safetensors,
    write_whole,
)
from bert_course.model.tensor_names import (
    OPTIONAL_PARTS,
    TOKEN_TABLE,
    from_google,
    from_hugging_face,
    hugging_face_name,
    is_transposed,
)

# (our field, the name in config.json and bert_config.json)
CONFIG_FIELDS = {
    "vocab_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "hidden_dim": "hidden_size",
    "num_heads": "num_attention_heads",
    "intermediate_dim": "intermediate_size",
    "max_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
    "dropout": "hidden_dropout_prob",
}
# What other architectures say differently, in fields that BERT's own files may leave out.
BERT_ONLY = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "layer_norm_eps": NORM_EPSILON,
}
HUGGING_FACE_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
}
GOOGLE_ACTIVATIONS = {"gelu": "gelu_tanh"}  # "gelu" in Google's code is the form with tanh


class Bert:
    """A whole BERT: encoder and both pretraining heads, its sizes, its vocabulary.

    Attributes:
        config: a `BertConfig`.
        encoder: see `build_encoder`.
        pretraining_model: see `build_pretraining_model`; shares the encoder's weights.
        vocabulary: list of word pieces, the place of each being its id.
        lowercase: whether the vocabulary expects lower-cased text.
        untrained: the parts whose weights were not in the checkpoint and are random.
    """

    def __init__(self, config, vocabulary, lowercase=True, rng=0):
        if len(vocabulary) != config.vocab_size:
            raise ValueError(
                "The vocabulary must have as many pieces as the config says. Received: "
                f"{len(vocabulary)} pieces, vocab_size={config.vocab_size}"
            )
        rng = np.random.default_rng(rng)
        self.config = config
        self.encoder = build_encoder(config, rng)
        self.pretraining_model = build_pretraining_model(self.encoder, config, rng)
        self.vocabulary = list(vocabulary)
        self.lowercase = lowercase
        self.untrained = ()


# ---------------------------------------------------------------------------------- reading


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
    bert.untrained = assign_tensors(bert.pretraining_model, tensors, files.weights, ignore)
    if bert.untrained:
        warnings.warn(
            f"Not in the checkpoint, so still random: {', '.join(bert.untrained)}. "
            f"Train before use. ({files.weights})",
            stacklevel=2,
        )
    return bert


@dataclass
class CheckpointFiles:
    """Where the parts of a checkpoint lie, and how to read its tensors."""

    folder: pathlib.Path
    config: pathlib.Path
    weights: pathlib.Path
    vocabulary: pathlib.Path
    read_tensors: callable


def find_checkpoint(folder):
    """The files of a checkpoint folder, whichever layout it has."""
    folder = pathlib.Path(folder)
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
    if list(folder.glob("model.safetensors.index.json")):
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


def read_config(path):
    """config.json or bert_config.json -> `BertConfig`; refuses what is not BERT."""
    content = _read_json_object(path)
    for field, value in BERT_ONLY.items():
        if content.get(field, value) != value:
            raise ValueError(
                f"{path}: this package builds BERT and no other architecture, so {field} must be "
                f"{value!r}. Received: {content[field]!r}"
            )
    names = GOOGLE_ACTIVATIONS if path.name == "bert_config.json" else HUGGING_FACE_ACTIVATIONS
    missing = [name for name in [*CONFIG_FIELDS.values(), "hidden_act"] if name not in content]
    if missing:
        raise ValueError(f"{path} must name every size of the model. Missing: {', '.join(missing)}")
    if content["hidden_act"] not in list(names):
        raise ValueError(
            f"{path}: hidden_act must be one of {', '.join(names)}. "
            f"Received: {content['hidden_act']!r}"
        )
    sizes = {ours: content[theirs] for ours, theirs in CONFIG_FIELDS.items()}
    try:
        return BertConfig(**sizes, activation=names[content["hidden_act"]])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _read_json_object(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("not an object")
    except ValueError as error:
        raise ValueError(f"The file must hold a JSON object. Received: {path} ({error})") from None
    return content


def read_vocabulary(path, config):
    """vocab.txt -> list of pieces, as many as the config says."""
    # Not splitlines(): published vocabularies hold characters that it takes for line ends.
    try:
        pieces = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"A vocabulary is UTF-8 text. Received: {path} ({error})") from None
    pieces = [piece.removesuffix("\r") for piece in pieces]
    if len(pieces) != config.vocab_size:
        raise ValueError(
            f"{path} must have a line for each row of the token table: take the vocabulary that "
            f"was published with the weights. Received: {len(pieces)} lines, "
            f"vocab_size={config.vocab_size}"
        )
    return pieces


def expects_lowercase(folder, vocabulary):
    """Whether text is to be lower-cased: as tokenizer_config.json says, or as the pieces look."""
    path = folder / "tokenizer_config.json"
    if path.exists():
        stated = _read_json_object(path).get("do_lower_case")
        if isinstance(stated, bool):
            return stated
        if stated is not None:
            raise ValueError(f"{path}: do_lower_case must be true or false. Received: {stated!r}")
    special = ("[", "<")
    return not any(piece != piece.lower() for piece in vocabulary if not piece.startswith(special))


def assign_tensors(model, tensors, path, ignore=()):
    """Put every tensor in its variable; answers with the parts that the file lacks as a whole.

    Nothing is assigned unless everything fits.
    """
    variables = {hugging_face_name(v.path): v for v in model.trainable_variables}
    beginnings = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    tensors = {name: t for name, t in tensors.items() if not name.startswith(beginnings)}
    tensors = _without_tied_copies(tensors, path)
    untrained = {
        prefix: part
        for prefix, part in OPTIONAL_PARTS.items()
        if not any(name.startswith(prefix) for name in tensors)
    }
    wanted = {
        name: variable
        for name, variable in variables.items()
        if not name.startswith(tuple(untrained))
    }
    _refuse_misfits(wanted, tensors, path)
    for name, variable in wanted.items():
        tensor = tensors[name]
        variable.assign(tensor.T if is_transposed(variable.path) else tensor)
    return tuple(untrained.values())


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


# ---------------------------------------------------------------------------------- writing


def save_pretrained(bert, folder):
    """`Bert` -> a folder in Hugging Face's layout, which transformers and keras-nlp open too.

    The weights come last and in one stroke, so that a crash at any moment leaves a folder which
    holds the old weights, or the new ones, or, if it was new, none. For the same reason a folder
    with another model in it is refused, not overwritten.
    """
    folder = pathlib.Path(folder)
    saved_before = _holds_model(folder)
    if saved_before and not _is_same_model(bert, folder):
        raise ValueError(
            "The folder holds another model (other sizes, vocabulary, letter case or layout), and "
            "one save cannot replace it safely: choose a new folder, or delete this one first. "
            f"Received: {folder}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    small_files = {
        "config.json": json.dumps(_hugging_face_config(bert), indent=2) + "\n",
        "tokenizer_config.json": json.dumps(
            {"do_lower_case": bert.lowercase, "tokenizer_class": "BertTokenizer"}, indent=2
        )
        + "\n",
        "vocab.txt": "\n".join(bert.vocabulary) + "\n",
    }
    for name, content in small_files.items():
        if not saved_before or not (folder / name).exists():
            write_whole(content.encode("utf-8"), folder / name)
    write_safetensors(_hugging_face_tensors(bert.pretraining_model), folder / "model.safetensors")


def _holds_model(folder):
    """Whether there are weights; without them there is at most a first save that was cut short."""
    patterns = ("[!.]*.safetensors*", "pytorch_model*.bin", "*.index")  # [!.]: no .partial file
    return any(any(folder.glob(pattern)) for pattern in patterns)


def _is_same_model(bert, folder):
    try:
        files = find_checkpoint(folder)
        config = read_config(files.config)
        vocabulary = read_vocabulary(files.vocabulary, config)
        lowercase = expects_lowercase(folder, vocabulary)
    except ValueError:
        return False  # not even one that this package reads
    there = (files.config.name, config, vocabulary, lowercase)
    return there == ("config.json", bert.config, bert.vocabulary, bert.lowercase)


def _hugging_face_config(bert):
    activations = {ours: theirs for theirs, ours in reversed(HUGGING_FACE_ACTIVATIONS.items())}
    return {
        "architectures": ["BertForPreTraining"],
        **BERT_ONLY,
        **{theirs: getattr(bert.config, ours) for ours, theirs in CONFIG_FIELDS.items()},
        "attention_probs_dropout_prob": bert.config.dropout,
        "hidden_act": activations[bert.config.activation],
        "initializer_range": INITIALIZER_RANGE,
        "pad_token_id": bert.vocabulary.index("[PAD]") if "[PAD]" in bert.vocabulary else 0,
    }


def _hugging_face_tensors(model):
    tensors = {}
    for variable in model.trainable_variables:
        tensor = keras.ops.convert_to_numpy(variable)
        name = hugging_face_name(variable.path)
        tensors[name] = tensor.T if is_transposed(variable.path) else tensor
    return tensors
