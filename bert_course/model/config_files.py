"""The small files of a checkpoint folder: config, vocabulary, letter case."""

import json
import warnings

from bert_course.model.config import BertConfig
from bert_course.model.parts import INITIALIZER_RANGE, NORM_EPSILON

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
# "gelu" in Google's code was the form with erf at first, and is now the one with tanh. The file
# does not say which its weights were trained with: load_pretrained's `activation` overrides.
GOOGLE_ACTIVATIONS = {"gelu": "gelu_tanh"}


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
        config = BertConfig(**sizes, activation=names[content["hidden_act"]])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    _warn_of_two_dropouts(content, path)
    return config


def _warn_of_two_dropouts(content, path):
    hidden = content["hidden_dropout_prob"]
    if content.get("attention_probs_dropout_prob", hidden) != hidden:
        warnings.warn(
            f"{path}: attention_probs_dropout_prob differs from hidden_dropout_prob; this package "
            f"has one dropout and takes the latter, {hidden}",
            stacklevel=4,  # whoever called load_pretrained
        )


def hugging_face_config(config, vocabulary):
    """What `read_config` reads, as Hugging Face writes it."""
    activations = {ours: theirs for theirs, ours in reversed(HUGGING_FACE_ACTIVATIONS.items())}
    return {
        "architectures": ["BertForPreTraining"],
        **BERT_ONLY,
        **{theirs: getattr(config, ours) for ours, theirs in CONFIG_FIELDS.items()},
        "attention_probs_dropout_prob": config.dropout,
        "hidden_act": activations[config.activation],
        "initializer_range": INITIALIZER_RANGE,
        "pad_token_id": vocabulary.index("[PAD]") if "[PAD]" in vocabulary else 0,
    }


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


def _read_json_object(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("not an object")
    except ValueError as error:
        raise ValueError(f"The file must hold a JSON object. Received: {path} ({error})") from None
    return content
