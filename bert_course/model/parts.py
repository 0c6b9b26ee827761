"""The small parts every layer here is made of, set up the way BERT sets them up.

Each takes its randomness from `rng`, a `numpy.random.Generator`: one seed gives the same weights
on every backend, and nothing depends on what was built before.
"""

import keras
import numpy as np
from keras import ops

INITIALIZER_RANGE = 0.02
NORM_EPSILON = 1e-12


def truncated_normal(rng):
    """w ~ N(0, 0.02²), values further out than two standard deviations drawn again.

    Paper: google-research/bert, modeling.py, `initializer_range`.
    """
    seed = rng.integers(2**63)  # drawn now: backends call initialisers in different orders

    def draw(shape, dtype=None):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal(shape, dtype="float32")
        flat = values.reshape(-1)
        too_far = np.flatnonzero(np.abs(flat) > 2)
        while too_far.size:
            flat[too_far] = rng.standard_normal(too_far.size, dtype="float32")
            too_far = too_far[np.abs(flat[too_far]) > 2]
        return ops.convert_to_tensor(INITIALIZER_RANGE * values, dtype=dtype)

    return draw


def dense(units, rng, name, activation=None):
    """y = xW + b."""
    return keras.layers.Dense(
        units, activation=activation, kernel_initializer=truncated_normal(rng), name=name
    )


def embedding(num_rows, width, rng, name):
    """y = row x of a table."""
    return keras.layers.Embedding(
        num_rows, width, embeddings_initializer=truncated_normal(rng), name=name
    )


def layer_norm(name):
    """y = γ (x - mean(x)) / √(var(x) + ε) + β, over the last axis."""
    return keras.layers.LayerNormalization(epsilon=NORM_EPSILON, name=name)


def dropout(rate, rng):
    """In training, zero a share `rate` of the values and scale up the rest; otherwise nothing."""
    return keras.layers.Dropout(rate, seed=int(rng.integers(2**31)))


def gelu(config):
    """x Φ(x), Φ being the share of a normal distribution below x; Google's now has a tanh for Φ.

    Paper: Gaussian Error Linear Units (Hendrycks & Gimpel, 2016), §2.
    """
    approximate = config.activation == "gelu_tanh"
    return lambda x: ops.gelu(x, approximate=approximate)
