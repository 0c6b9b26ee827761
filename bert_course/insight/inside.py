"""What goes on between the encoder's input and its output, from the encoder's own layers."""

import keras
import numpy as np
from keras import ops


def encoder_blocks(encoder):
    """The L blocks of an encoder, first to last."""
    return [layer for layer in encoder.layers if layer.name.startswith("block_")]


def hidden_states(encoder, batch):
    """What leaves the embeddings and every block, as one array (L + 1, B, S, H).

    No second forward pass is written here: the encoder is a graph of layers, and a model may end at
    any of them.
    """
    layers = [encoder.get_layer("embeddings"), *encoder_blocks(encoder)]
    every_layer = keras.Model(encoder.inputs, [layer.output for layer in layers])
    inputs = [batch[tensor.name] for tensor in encoder.inputs]
    return np.stack([ops.convert_to_numpy(state) for state in every_layer(inputs, training=False)])


def attention_maps(encoder, batch):
    """Every block's attention weights, as one array (L, B, A, S, S).

    Each block is given the hidden state that it was given in the forward pass, and asked for what
    it weighs with.
    """
    states = hidden_states(encoder, batch)
    maps = [
        block.attention.attention_weights(state, batch["padding_mask"])
        for block, state in zip(encoder_blocks(encoder), states[:-1], strict=True)
    ]
    return np.stack([ops.convert_to_numpy(weights) for weights in maps])
