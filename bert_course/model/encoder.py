"""One block, L of them, the pooler."""

import keras
import numpy as np

from bert_course.model.attention import SelfAttention
from bert_course.model.embeddings import Embeddings
from bert_course.model.parts import dense, dropout, gelu, layer_norm


class EncoderBlock(keras.layers.Layer):
    """x ← LayerNorm(x + SelfAttention(x)), then x ← LayerNorm(x + W₂ gelu(W₁x)).

    Paper: Attention Is All You Need (Vaswani et al., 2017), §3.1 and §3.3.
    Differs from the paper: GELU where it has ReLU (BERT, appendix A.2).
    """

    def __init__(self, config, rng, **kwargs):
        super().__init__(**kwargs)
        self.attention = SelfAttention(config, rng, name="attention")
        self.attention_norm = layer_norm(name="attention_norm")
        self.expand = dense(config.intermediate_dim, rng, name="expand", activation=gelu(config))
        self.shrink = dense(config.hidden_dim, rng, name="shrink")
        self.output_norm = layer_norm(name="output_norm")
        self.attention_dropout = dropout(config.dropout, rng)
        self.output_dropout = dropout(config.dropout, rng)

    def call(self, hidden, padding_mask=None):
        attended = self.attention_dropout(self.attention(hidden, padding_mask))
        hidden = self.attention_norm(hidden + attended)  # (B, S, H)
        transformed = self.output_dropout(self.shrink(self.expand(hidden)))  # via 4H
        return self.output_norm(hidden + transformed)  # (B, S, H)


def build_encoder(config, rng=0):
    """BERT without its heads, as one `keras.Model`.

    Paper: BERT (Devlin et al., 2019), §3.

    Inputs, all (B, S): `token_ids`; `segment_ids`, 0 for sentence A and 1 for sentence B;
    `padding_mask`, True (or 1) for real tokens. Outputs: `sequence_output` (B, S, H), a vector for
    each token, and `pooled_output` (B, H), a vector for the whole. Whoever makes the batch sees to
    it that ids lie in their tables, and that all three inputs have one shape.

    Args:
        rng: a `numpy.random.Generator`, or a seed for one.
    """
    rng = np.random.default_rng(rng)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    segment_ids = keras.Input((None,), dtype="int32", name="segment_ids")
    padding_mask = keras.Input((None,), dtype="bool", name="padding_mask")

    hidden = Embeddings(config, rng, name="embeddings")(token_ids, segment_ids)
    for i in range(config.num_layers):
        hidden = EncoderBlock(config, rng, name=f"block_{i}")(hidden, padding_mask)
    pool = dense(config.hidden_dim, rng, name="pooler", activation="tanh")
    return keras.Model(
        {"token_ids": token_ids, "segment_ids": segment_ids, "padding_mask": padding_mask},
        {"sequence_output": hidden, "pooled_output": pool(hidden[:, 0])},  # 0 is [CLS]
        name="encoder",
    )
