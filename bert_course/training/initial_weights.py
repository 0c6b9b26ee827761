"""What pretraining begins with, where that is not what the paper begins with."""

import numpy as np

from bert_course.model.parts import INITIALIZER_RANGE


def begin_with(model, std, waves=False):
    """Scale the weights of a new pretraining model to the deviation `std`.

    Biases and LayerNorm's γ and β stay 0 and 1.

    Args:
        waves: see `wave_positions`.
    """
    for variable in model.trainable_variables:
        if len(variable.shape) == 2:
            variable.assign(variable * (std / INITIALIZER_RANGE))
    if waves:
        table = model.get_layer("encoder").get_layer("embeddings").position.embeddings
        table.assign(wave_positions(*table.shape))


def wave_positions(length, width, height=0.175):
    """(S, H): sin and cos of the position, slow and fast, in turn; `height` times each.

    Paper: Attention Is All You Need (Vaswani et al., 2017), §3.5.
    Differs from the paper: there they stay as they are; here they are what training begins with, so
    that near positions are alike from the start, also those that are seen late.
    """
    frequencies = 10_000 ** (-np.arange(0, width, 2) / width)
    angles = np.arange(length)[:, None] * frequencies  # (S, H/2)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (S, H/2, 2)
    return height * waves.reshape(length, width).astype("float32")
