"""What a model puts in the blanks of a text."""

from typing import NamedTuple

import numpy as np
from keras import ops

MASK = "[MASK]"


class Guess(NamedTuple):
    """A piece for a blank, and how sure the model is of it."""

    piece: str
    probability: float


def fill_blanks(bert, text, pair=None, top=5):
    """The most likely pieces for each [MASK] of a text, each blank for itself: [[Guess, ...], ...].

    Args:
        pair: a second text, which follows the first or does not.
    """
    encoding = bert.tokenizer.encode(text, pair)
    places = [place for place, token in enumerate(encoding.tokens) if token == MASK]
    if not places:
        raise ValueError(
            f"A text needs a blank to fill: write {MASK} in place of a word, with its brackets. "
            f"Received: {text!r}"
        )
    if len(encoding.ids) > bert.config.max_length:
        raise ValueError(
            f"A text may have {bert.config.max_length} pieces, for the model has no more "
            f"positions: shorten it. Received: {len(encoding.ids)} pieces"
        )
    outputs = bert.pretraining_model.predict_on_batch(
        {
            "token_ids": np.array([encoding.ids], "int32"),
            "segment_ids": np.array([encoding.segment_ids], "int32"),
            "padding_mask": np.ones((1, len(encoding.ids)), "bool"),
            "masked_positions": np.array([places], "int32"),
        }
    )
    chances = ops.convert_to_numpy(ops.softmax(outputs["masked_words"]))[0]  # (P, V)
    best = np.argsort(-chances, axis=-1)[:, :top]
    return [
        [Guess(bert.vocabulary[number], float(chance[number])) for number in numbers]
        for chance, numbers in zip(chances, best, strict=True)
    ]
