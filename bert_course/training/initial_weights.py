"""What pretraining begins with, where that is not what the paper begins with."""

import numpy as np

from bert_course.model.encoder import EncoderBlock
from bert_course.model.parts import INITIALIZER_RANGE


def begin_with(model, std, waves=False, alike=False, rng=5):
    """Scale the weights of a new pretraining model to the deviation `std`.

    Biases and LayerNorm's β stay 0, its γ stays 1.

    Args:
        waves: see `wave_positions`.
        alike: see `attend_to_what_is_alike`; rng: of its rotations, the same ones for all runs.
    """
    for variable in model.trainable_variables:
        if len(variable.shape) == 2:
            variable.assign(variable * (std / INITIALIZER_RANGE))
    if waves:
        table = model.get_layer("encoder").get_layer("embeddings").position.embeddings
        table.assign(wave_positions(*table.shape))
    if alike:
        rng, blocks = np.random.default_rng(rng), attentions(model)
        for attention in blocks[len(blocks) // 2 :]:
            attend_to_what_is_alike(attention, std / 2, rng)


def attentions(model):
    """The attention of each block, from the lowest up."""
    layers = model.get_layer("encoder").layers
    return [layer.attention for layer in layers if isinstance(layer, EncoderBlock)]


def attend_to_what_is_alike(attention, noise, rng):
    """Q = K = P and V = R, joined by Rᵀ, P and R random rotations, all with some noise.

    So a vector attends to those that resemble it, and takes on something of what they are: a step
    towards looking up a name that stood in the text before.

    Paper: Mimetic Initialization of Self-Attention Layers (Trockman and Kolter, 2023).
    Differs from the paper: there what resembles a vector is subtracted from it, here it is added.
    """
    width = attention.query.kernel.shape[0]
    likeness, content = (np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(2))
    for layer, matrix in (
        (attention.query, likeness),
        (attention.key, likeness),
        (attention.value, 0.7 * content),
        (attention.join, 0.7 * content.T),
    ):
        layer.kernel.assign(matrix + noise * rng.standard_normal((width, width)))


def wave_positions(length, width, height=0.05):
    """(S, H): sin and cos of the position, slow and fast, in turn; `height` times each.

    Paper: Attention Is All You Need (Vaswani et al., 2017), §3.5.
    Differs from the paper: there they stay as they are; here they are what training begins with, so
    that near positions are alike from the start, also those that are seen late.
    """
    frequencies = 10_000 ** (-np.arange(0, width, 2) / width)
    angles = np.arange(length)[:, None] * frequencies  # (S, H/2)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (S, H/2, 2)
    return height * waves.reshape(length, width).astype("float32")
