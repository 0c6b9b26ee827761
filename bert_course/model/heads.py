"""What stands on the encoder: masked word, next sentence; class, tag, span.

Every head answers with logits; softmax or sigmoid is the loss's business.
"""

import keras
import numpy as np
from keras import ops

from bert_course.model.parts import dense, dropout, gelu, layer_norm


class MaskedWordHead(keras.layers.Layer):
    """logits = LayerNorm(gelu(Wx + b)) Eᵀ + b′ at the masked positions, E being the token table.

    Paper: BERT (Devlin et al., 2019), §3.1, task 1.
    Differs from the paper: the transform and the tied table are in Google's code, not in the text.

    Args:
        token_table: the encoder's token `Embedding`, whose weights this head shares.
    """

    def __init__(self, config, rng, token_table, **kwargs):
        super().__init__(**kwargs)
        self.token_table = token_table
        self.transform = dense(config.hidden_dim, rng, name="transform", activation=gelu(config))
        self.norm = layer_norm(name="norm")

    def build(self, sequence_output_shape, masked_positions_shape):
        self.transform.build(sequence_output_shape)
        self.norm.build(sequence_output_shape)
        self.bias = self.add_weight(
            shape=(self.token_table.input_dim,), initializer="zeros", name="bias"
        )

    def call(self, sequence_output, masked_positions):
        masked = pick_positions(sequence_output, masked_positions)  # (B, P, H)
        masked = self.norm(self.transform(masked))
        table = ops.cast(self.token_table.embeddings, masked.dtype)  # (V, H)
        logits = ops.matmul(masked, ops.transpose(table))  # (B, P, V)
        return ops.cast(logits, "float32") + ops.cast(self.bias, "float32")


class NextSentenceHead(keras.layers.Layer):
    """Two logits for the pair: 0, B follows A; 1, B is a stranger.

    Paper: BERT (Devlin et al., 2019), §3.1, task 2.
    """

    def __init__(self, rng, **kwargs):
        super().__init__(**kwargs)
        self.classify = dense(2, rng, name="classify")

    def call(self, pooled_output):
        return ops.cast(self.classify(pooled_output), "float32")  # (B, 2)


class ClassHead(keras.layers.Layer):
    """One logit a class for the whole text; with a sigmoid for its loss, several may hold at once.

    Paper: BERT (Devlin et al., 2019), §4.1 and figure 4, (a) and (b).
    """

    def __init__(self, num_classes, config, rng, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout(config.dropout, rng)
        self.classify = dense(num_classes, rng, name="classify")

    def call(self, pooled_output):
        return ops.cast(self.classify(self.dropout(pooled_output)), "float32")  # (B, classes)


class TagHead(keras.layers.Layer):
    """One logit a tag for every token.

    Paper: BERT (Devlin et al., 2019), §5.3 and figure 4, (d).
    """

    def __init__(self, num_tags, config, rng, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout(config.dropout, rng)
        self.classify = dense(num_tags, rng, name="classify")

    def call(self, sequence_output):
        return ops.cast(self.classify(self.dropout(sequence_output)), "float32")  # (B, S, tags)


class SpanHead(keras.layers.Layer):
    """Two logits for every token: the answer starts here, the answer ends here.

    Paper: BERT (Devlin et al., 2019), §4.2 and figure 4, (c).
    """

    def __init__(self, rng, **kwargs):
        super().__init__(**kwargs)
        self.classify = dense(2, rng, name="classify")

    def call(self, sequence_output):
        return ops.cast(self.classify(sequence_output), "float32")  # (B, S, 2)


def pick_positions(sequence_output, masked_positions):
    """(B, S, H) and (B, P) -> (B, P, H): the vectors that stand at these positions.

    A position must lie inside its sequence, from 0 to S - 1: nothing here checks it.
    """
    batch, length, width = ops.shape(sequence_output)
    rows = ops.reshape(sequence_output, (batch * length, width))  # (B S, H)
    first_row = ops.expand_dims(ops.arange(batch, dtype="int32") * length, 1)  # (B, 1)
    return ops.take(rows, ops.cast(masked_positions, "int32") + first_row, axis=0)


def build_pretraining_model(encoder, config, rng=0):
    """The encoder with both pretraining heads, as one `keras.Model`.

    Paper: BERT (Devlin et al., 2019), §3.1 and appendix A.2.

    Inputs: the encoder's three and `masked_positions` (B, P). Outputs, logits both:
    `masked_words` (B, P, V) and `next_sentence` (B, 2).
    """
    rng = np.random.default_rng(rng)
    masked_positions = keras.Input((None,), dtype="int32", name="masked_positions")
    token_table = encoder.get_layer("embeddings").token
    outputs = encoder(encoder.input)
    masked_words = MaskedWordHead(config, rng, token_table, name="masked_words")
    next_sentence = NextSentenceHead(rng, name="next_sentence")
    return keras.Model(
        {**encoder.input, "masked_positions": masked_positions},
        {
            "masked_words": masked_words(outputs["sequence_output"], masked_positions),
            "next_sentence": next_sentence(outputs["pooled_output"]),
        },
        name="pretraining",
    )
