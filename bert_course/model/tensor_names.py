"""One tensor, three names: in our layers, in Hugging Face's folders, in Google's checkpoints.

    ours           block_3/attention/query/kernel
    Hugging Face   bert.encoder.layer.3.attention.self.query.weight     (transposed)
    Google         bert/encoder/layer_3/attention/self/query/kernel

Hugging Face's names serve as the common tongue: what is read is renamed to them.
"""

import re

# Where our layers stand in Hugging Face's tree. The longest match wins.
PLACES = {
    "embeddings/token": "bert.embeddings.word_embeddings",
    "embeddings/position": "bert.embeddings.position_embeddings",
    "embeddings/segment": "bert.embeddings.token_type_embeddings",
    "embeddings/norm": "bert.embeddings.LayerNorm",
    "block_N/attention/query": "bert.encoder.layer.N.attention.self.query",
    "block_N/attention/key": "bert.encoder.layer.N.attention.self.key",
    "block_N/attention/value": "bert.encoder.layer.N.attention.self.value",
    "block_N/attention/join": "bert.encoder.layer.N.attention.output.dense",
    "block_N/attention_norm": "bert.encoder.layer.N.attention.output.LayerNorm",
    "block_N/expand": "bert.encoder.layer.N.intermediate.dense",
    "block_N/shrink": "bert.encoder.layer.N.output.dense",
    "block_N/output_norm": "bert.encoder.layer.N.output.LayerNorm",
    "pooler": "bert.pooler.dense",
    "masked_words/transform": "cls.predictions.transform.dense",
    "masked_words/norm": "cls.predictions.transform.LayerNorm",
    "masked_words": "cls.predictions",
    "next_sentence/classify": "cls.seq_relationship",
    "classifier/classify": "classifier",
    "qa_outputs/classify": "qa_outputs",
}
# (our weight, theirs): kernel -> weight is (in, out) -> (out, in)
LEAVES = {
    "embeddings": "weight",
    "kernel": "weight",
    "gamma": "weight",
    "bias": "bias",
    "beta": "bias",
}
# Parts that a checkpoint may lack as a whole, and how the names of their tensors begin.
OPTIONAL_PARTS = {
    "pooler": "bert.pooler.",
    "masked word head": "cls.predictions.",
    "next sentence head": "cls.seq_relationship.",
}
TOKEN_TABLE = "bert.embeddings.word_embeddings.weight"
# Not weights of BERT: a buffer of old Hugging Face files; the training state in Google's.
NOT_WEIGHTS = re.compile(r"embeddings\.position_ids$|global_step$|[/.]adam_[mv]$")


def hugging_face_name(path):
    """Our variable's path -> its name in a Hugging Face file."""
    place, _, leaf = path.rpartition("/")
    number = re.search(r"block_(\d+)/", place)
    if number:
        place = place.replace(number[0], "block_N/")
        return f"{PLACES[place]}.{LEAVES[leaf]}".replace(".N.", f".{number[1]}.")
    return f"{PLACES[place]}.{LEAVES[leaf]}"


def in_part(name, part):
    """Whether a tensor, by Hugging Face's name, belongs to one of the optional parts."""
    return name.startswith(OPTIONAL_PARTS[part])


def is_transposed(path):
    """Whether Hugging Face stores this tensor the other way round."""
    return path.endswith("/kernel")


def from_hugging_face(tensors):
    """Any generation of Hugging Face's names -> today's."""
    return _rename(tensors, _modern_name)


def from_google(tensors):
    """Google's names -> Hugging Face's; matrices are turned to (out, in)."""
    renamed = _rename(tensors, _google_to_hugging_face)
    turned = {
        _google_to_hugging_face(name)
        for name in tensors
        if name.endswith("/kernel") and not NOT_WEIGHTS.search(name)
    }
    return {name: tensor.T if name in turned else tensor for name, tensor in renamed.items()}


def _rename(tensors, rename):
    return {
        rename(name): tensor for name, tensor in tensors.items() if not NOT_WEIGHTS.search(name)
    }


def _modern_name(name):
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
    return re.sub(r"^(?=embeddings\.|encoder\.|pooler\.)", "bert.", name)


def _google_to_hugging_face(name):
    name = name.replace("/", ".")
    name = re.sub(r"\blayer_(\d+)\b", r"layer.\1", name)
    name = re.sub(r"\.output_bias$", ".bias", name)
    name = re.sub(r"\.output_weights$|\.kernel$|(?<=_embeddings)$", ".weight", name)
    return _modern_name(name)
