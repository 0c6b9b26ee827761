"""Which tokens an answer is owed to: integrated gradients, attention followed through layers."""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from bert_course.insight.batches import batch_of
from bert_course.insight.inside import encoder_blocks


def gradient(function, tensor):
    """∂ function(tensor) / ∂ tensor, for a function with one number as its answer.

    Keras has no gradient that is the same on all backends, so each gives its own.
    """
    tensor = ops.convert_to_tensor(tensor)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensor)
            answer = function(tensor)
        found = tape.gradient(answer, tensor)
    elif backend == "jax":
        import jax

        found = jax.grad(function)(tensor)
    else:
        import torch

        tensor = tensor.detach().requires_grad_()
        (found,) = torch.autograd.grad(function(tensor), tensor)
    return ops.convert_to_numpy(found)


class Attribution(NamedTuple):
    """What each token of a text adds to the log-probability of a word, in nats.

    tokens, scores: (S,) the pieces of the text, and what each adds.
    word: the piece that fills the blank.
    log_probability: of that word, in this text.
    from_nothing: the same where every other piece is hidden, too. The scores add up to the
        difference between the two.
    """

    tokens: list
    scores: np.ndarray
    word: str
    log_probability: float
    from_nothing: float


def integrated_gradients(bert, text, word=None, steps=64):
    """(x - x′) · ∫₀¹ ∂f(x′ + α(x - x′))/∂x dα, summed over H: a number for each token.

    x is what leaves the embeddings, f the log-probability of a word at the text's one [MASK]. The
    baseline x′ is the text with all its pieces hidden behind [MASK], a text that BERT can read, as
    a row of zeros is not: positions, [CLS], [SEP] and the blank itself are the same in both, so
    that all is owed to the words.

    Paper: Axiomatic Attribution for Deep Networks (Sundararajan et al., 2017).

    Args:
        text: a text, or a pair of texts.
        word: the piece to explain; if None, the likeliest.
        steps: of the sum that stands for the integral; more come nearer to it.
    """
    batch = batch_of(bert, [text])
    vocabulary = bert.tokenizer.vocabulary
    ids = batch["token_ids"][0]
    position = _only_blank(ids, vocabulary.mask)
    stays = np.isin(ids, [vocabulary.cls, vocabulary.sep])
    baseline_ids = np.where(stays, ids, vocabulary.mask)[None]
    embeddings = bert.encoder.get_layer("embeddings")
    start, end = (
        ops.convert_to_numpy(embeddings(token_ids, batch["segment_ids"]))  # (1, S, H)
        for token_ids in (baseline_ids, batch["token_ids"])
    )

    def log_probabilities(hidden):
        return _log_probabilities(bert, hidden, position)

    at_ends = ops.convert_to_numpy(log_probabilities(np.concatenate([start, end])))  # (2, V)
    target = int(at_ends[1].argmax()) if word is None else _id_of(word, vocabulary)
    along = (np.arange(steps, dtype="float32") + 0.5)[:, None, None] / steps
    path = start + along * (end - start)  # (steps, S, H)
    slopes = gradient(lambda hidden: ops.sum(log_probabilities(hidden)[:, target]), path)
    scores = ((end - start)[0] * slopes.mean(axis=0)).sum(axis=-1)  # (S,)
    tokens = [vocabulary.pieces[i] for i in ids]
    from_nothing, reached = (float(number) for number in at_ends[:, target])
    return Attribution(tokens, scores, vocabulary.pieces[target], reached, from_nothing)


def _only_blank(ids, mask):
    (blanks,) = np.nonzero(ids == mask)
    if len(blanks) != 1:
        raise ValueError(
            "The text must have exactly one [MASK], the word whose sources are asked for. "
            f"Received: {len(blanks)}"
        )
    return int(blanks[0])


def _id_of(word, vocabulary):
    if word not in vocabulary.ids:
        raise ValueError(
            "The word must be one piece of the vocabulary, for one [MASK] stands for one piece: "
            f"tokenizer.tokenize(word) says how it is cut. Received: {word!r}"
        )
    return vocabulary.ids[word]


def _log_probabilities(bert, hidden, position):
    """What leaves the embeddings (B, S, H) -> log P of every piece at the position (B, V)."""
    hidden = ops.convert_to_tensor(hidden)
    num_rows, length = hidden.shape[:2]
    padding_mask = np.ones((num_rows, length), "bool")
    for block in encoder_blocks(bert.encoder):
        hidden = block(hidden, padding_mask)
    head = bert.pretraining_model.get_layer("masked_words")
    return ops.log_softmax(head(hidden, np.full((num_rows, 1), position, "int32"))[:, 0])


def attention_rollout(maps):
    """R ← (½ mean over heads of A + ½ I) R, first block to last: (B, S, S), rows summing to 1.

    The ½ I stands for the sum past each attention, by which a vector goes on unchanged.

    Paper: Quantifying Attention Flow in Transformers (Abnar & Zuidema, 2020).

    Args:
        maps: (L, B, A, S, S), as `attention_maps` gives them.
    """
    identity = np.eye(maps.shape[-1])
    rollout = identity[None]
    for weights in maps:
        rollout = (0.5 * weights.mean(axis=1) + 0.5 * identity) @ rollout
    return rollout
