"""softmax(QKᵀ/√D)V, and A heads of it."""

import keras
from keras import ops
from ml_dtypes import finfo

from bert_course.model.parts import dense, dropout


def attention_weights(query, key, padding_mask=None):
    """softmax(QKᵀ/√D): how much each position takes from every other; each row sums to 1.

    Paper: Attention Is All You Need (Vaswani et al., 2017), §3.2.1.

    Args:
        query, key: (..., S, D).
        padding_mask: (B, S), True = real token. Padding receives weight 0. Where a sequence has no
            real token at all, the weights are finite: uniform, but for large scores in float16.
    """
    head_dim = query.shape[-1]
    # √D divides the query, not the product: fewer numbers, and float16 has no room for the product.
    scores = ops.matmul(query / head_dim**0.5, ops.swapaxes(key, -1, -2))  # (..., S, S)
    if padding_mask is not None:
        scores = scores + padding_bias(padding_mask, scores.dtype)
    return ops.softmax(scores, axis=-1)


def attention(query, key, value, padding_mask=None, dropout=None):
    """softmax(QKᵀ/√D)V: for each position, a mean of all values, weighted by who matters to it.

    Paper: Attention Is All You Need (Vaswani et al., 2017), §3.2.1, equation 1.
    Differs from the paper: `dropout`, if given, falls on the weights, as in Google's code.
    """
    weights = attention_weights(query, key, padding_mask)  # (..., S, S)
    if dropout is not None:
        weights = dropout(weights)
    return ops.matmul(weights, value)  # (..., S, D)


def padding_bias(padding_mask, dtype):
    """0 for real tokens and a number so low for padding that its exponential is 0."""
    # Half of the lowest number: a score added to it cannot overflow. (-1e9 would, in float16.)
    lowest = float(finfo(keras.backend.standardize_dtype(dtype)).min) / 2
    bias = lowest * ops.cast(ops.logical_not(padding_mask), dtype)
    return bias[:, None, None, :]  # (B, 1, 1, S)


class SelfAttention(keras.layers.Layer):
    """Concat(head_1, …, head_A)Wᴼ, where head_i = Attention(XWᵢ^Q, XWᵢ^K, XWᵢ^V).

    Paper: Attention Is All You Need (Vaswani et al., 2017), §3.2.2.
    Differs from the paper: the A small matrices stand side by side in one of H × H, and every
    projection has a bias, as in Google's code.
    """

    def __init__(self, config, rng, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = config.num_heads
        self.query = dense(config.hidden_dim, rng, name="query")
        self.key = dense(config.hidden_dim, rng, name="key")
        self.value = dense(config.hidden_dim, rng, name="value")
        self.join = dense(config.hidden_dim, rng, name="join")
        self.dropout = dropout(config.dropout, rng)

    def call(self, hidden, padding_mask=None):
        query = self.split_heads(self.query(hidden))  # (B, A, S, D)
        key = self.split_heads(self.key(hidden))  # (B, A, S, D)
        value = self.split_heads(self.value(hidden))  # (B, A, S, D)
        context = attention(query, key, value, padding_mask, self.dropout)  # (B, A, S, D)
        return self.join(self.merge_heads(context))  # (B, S, H)

    def attention_weights(self, hidden, padding_mask=None):
        """What `call` weighs the values with, for looking inside: (B, A, S, S)."""
        query = self.split_heads(self.query(hidden))
        key = self.split_heads(self.key(hidden))
        return attention_weights(query, key, padding_mask)

    def split_heads(self, projected):
        """(B, S, H) -> (B, A, S, D): the width cut into A slices, each a sequence of its own."""
        batch, length, width = ops.shape(projected)
        heads = (batch, length, self.num_heads, width // self.num_heads)
        return ops.transpose(ops.reshape(projected, heads), (0, 2, 1, 3))

    def merge_heads(self, context):
        """(B, A, S, D) -> (B, S, H): the slices side by side again."""
        batch, num_heads, length, head_dim = ops.shape(context)
        return ops.reshape(
            ops.transpose(context, (0, 2, 1, 3)), (batch, length, num_heads * head_dim)
        )
