"""Token + position + segment, summed and normalised."""

import keras
from keras import ops

from bert_course.model.parts import dropout, embedding, layer_norm


class Embeddings(keras.layers.Layer):
    """LayerNorm(token[tᵢ] + position[i] + segment[sᵢ]) for the token at place i.

    Paper: BERT (Devlin et al., 2019), §3, figure 2.
    Differs from the paper: the figure shows the sum only; the norm and dropout after it are in
    Google's code.
    """

    def __init__(self, config, rng, **kwargs):
        super().__init__(**kwargs)
        self.max_length = config.max_length
        self.token = embedding(config.vocab_size, config.hidden_dim, rng, name="token")
        self.position = embedding(config.max_length, config.hidden_dim, rng, name="position")
        self.segment = embedding(config.num_segments, config.hidden_dim, rng, name="segment")
        self.norm = layer_norm(name="norm")
        self.dropout = dropout(config.dropout, rng)

    def __call__(self, token_ids, *args, **kwargs):
        # Not in `call`: to learn shapes, Keras on torch runs that with a length it makes up.
        length = ops.shape(token_ids)[1]
        if isinstance(length, int) and length > self.max_length:
            raise ValueError(
                f"A sequence can have at most {self.max_length} tokens, for there are no more "
                f"position embeddings: cut it, or split it. Received: {length} tokens"
            )
        return super().__call__(token_ids, *args, **kwargs)

    def call(self, token_ids, segment_ids):
        length = ops.shape(token_ids)[1]
        # Positions are counted, not looked up by token id: every sequence has the same ones.
        summed = (
            self.token(token_ids)  # (B, S, H)
            + self.position(ops.arange(length))  # (S, H)
            + self.segment(segment_ids)  # (B, S, H)
        )
        return self.dropout(self.norm(summed))
