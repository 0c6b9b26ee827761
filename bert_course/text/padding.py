"""Rows of different lengths -> arrays of one width."""

import numpy as np


def pad_rows(rows, width, pad):
    """What an encoder takes: token_ids, segment_ids and padding_mask, each (B, width).

    Args:
        rows: with `ids` and `segment_ids`, lists of at most `width` numbers.
        pad: the id of [PAD].
    """
    shape = (len(rows), width)
    batch = {
        "token_ids": np.full(shape, pad, "int32"),
        "segment_ids": np.zeros(shape, "int32"),
        "padding_mask": np.zeros(shape, "bool"),
    }
    for place, row in enumerate(rows):
        length = len(row.ids)
        batch["token_ids"][place, :length] = row.ids
        batch["segment_ids"][place, :length] = row.segment_ids
        batch["padding_mask"][place, :length] = True
    return batch
