"""Small BERTs, batches for them, and BERT once more: in numpy, at double precision."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from bert_course.model.config import BertConfig

SMALL = BertConfig(
    vocab_size=30, num_layers=2, hidden_dim=8, num_heads=2, intermediate_dim=16, max_length=12
)
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(25)]
# Two of the line ends that str.splitlines sees, and published vocabularies have as pieces.
MIXED_CASE_PIECES = [*PIECES[:27], "\u2028", "\u0085", "Paris"]

# Training so little, TensorFlow is quicker without XLA; JAX is not.
JIT = keras.backend.backend() == "jax"


def small(**changes):
    """The config SMALL with some fields changed."""
    return replace(SMALL, **changes)


def randomise(model, seed=0, scale=0.5):
    """Weights that tell: large ones, no bias 0, no γ 1."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        middle = 1 if variable.path.endswith("gamma") else 0
        variable.assign(middle + scale * rng.standard_normal(variable.shape))


def random_batch(config, lengths=(12, 5), seed=0, padded_to=12):
    """Random ids, at padding too: nothing may depend on what stands there."""
    rng = np.random.default_rng(seed)
    shape = (len(lengths), padded_to)
    return {
        "token_ids": rng.integers(config.vocab_size, size=shape, dtype="int32"),
        "segment_ids": rng.integers(config.num_segments, size=shape, dtype="int32"),
        "padding_mask": np.arange(padded_to) < np.array(lengths)[:, None],
        "masked_positions": rng.integers(min(lengths), size=(len(lengths), 3), dtype="int32"),
    }


def answers(model, batch, training=False):
    """A model's outputs as {name: array}, for the inputs it has."""
    outputs = model({name: batch[name] for name in model.input}, training=training)
    return {name: to_numpy(output) for name, output in outputs.items()}


def to_numpy(tensor):
    """A tensor or a layer's weight as an array."""
    return keras.ops.convert_to_numpy(tensor)


def weights_of(model):
    """{path: array} of all weights, in copies."""
    return {v.path: np.array(to_numpy(v)) for v in model.weights}


def assert_same_weights(one, other, tolerance=0.0, but=()):
    """Two Berts have the same weights, all but those whose paths begin so."""
    ours, theirs = (weights_of(bert.pretraining_model) for bert in (one, other))
    assert ours.keys() == theirs.keys()
    for path in ours:
        if not path.startswith(tuple(but)):
            assert largest_difference(ours[path], theirs[path]) <= tolerance, path


def needs_half_precision(dtype):
    """Skip a test of float16, by itself or mixed, where there is none."""
    if dtype in ("float16", "mixed_float16") and keras.backend.backend() == "jax":
        import jax

        if jax.default_backend() == "cpu":
            pytest.skip("JAX on a CPU cannot multiply float16")


def largest_difference(ours, theirs):
    return float(np.abs(np.asarray(ours, "float64") - theirs).max())


def reference_hidden_states(tensors, config, batch):
    """BERT in numpy at double precision, from tensors with Hugging Face's names: (L + 1, B, S, H).

    Written from the papers and Google's code, it shares no line with the package.
    """

    def linear(x, name):
        return x @ weight[f"{name}.weight"].T + weight[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        x = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return x * weight[f"{name}.weight"] + weight[f"{name}.bias"]

    def heads(x):
        return np.stack(np.split(x, config.num_heads, axis=-1), axis=1)

    weight = {name.removeprefix("bert."): np.float64(t) for name, t in tensors.items()}
    gelu = {"gelu": gelu_erf, "gelu_tanh": gelu_tanh}[config.activation]
    hidden = weight["embeddings.word_embeddings.weight"][batch["token_ids"]]
    hidden = hidden + weight["embeddings.token_type_embeddings.weight"][batch["segment_ids"]]
    hidden = hidden + weight["embeddings.position_embeddings.weight"][: hidden.shape[1]]
    states = [norm(hidden, "embeddings.LayerNorm")]
    for i in range(config.num_layers):
        block, hidden = f"encoder.layer.{i}", states[-1]
        query, key, value = (
            heads(linear(hidden, f"{block}.attention.self.{name}"))
            for name in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(-1, -2) / math.sqrt(query.shape[-1])
        scores = np.where(batch["padding_mask"][:, None, None, :], scores, -np.inf)
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        context = powers / powers.sum(-1, keepdims=True) @ value
        context = np.concatenate(list(context.swapaxes(0, 1)), axis=-1)
        attended = linear(context, f"{block}.attention.output.dense")
        hidden = norm(hidden + attended, f"{block}.attention.output.LayerNorm")
        inner = gelu(linear(hidden, f"{block}.intermediate.dense"))
        inner = linear(inner, f"{block}.output.dense")
        states.append(norm(hidden + inner, f"{block}.output.LayerNorm"))
    return np.stack(states)


def gelu_erf(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def gelu_tanh(x):
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
