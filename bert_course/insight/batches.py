"""Texts in batches of like length, for models that run over many of them."""

import numpy as np

from bert_course.text.padding import pad_rows

ROOM = 4096  # tokens in a batch, padding too: a CPU is no faster with more
STEP = 8  # widths are multiples of it: few shapes, for backends that compile anew for each


def encode_all(bert, texts):
    """[text or (first, second), ...] -> [Encoding, ...]."""
    if isinstance(texts, str) or not all(map(_is_text_or_pair, texts)):
        raise ValueError(
            "Texts are a list, each a string or a pair (first, second); for one text, give a list "
            f"of one. Received: {texts!r}"
        )
    return [bert.tokenizer.encode(*([t] if isinstance(t, str) else t)) for t in texts]


def _is_text_or_pair(text):
    is_pair = isinstance(text, tuple | list) and len(text) == 2
    return isinstance(text, str) or (is_pair and all(isinstance(part, str) for part in text))


def batch_of(bert, texts):
    """All texts as one batch, as wide as the longest: token_ids, segment_ids, padding_mask."""
    encodings = encode_all(bert, texts)
    return pad(bert, encodings, max(len(encoding.ids) for encoding in encodings))


def pad(bert, encodings, width):
    """Encodings -> what an encoder takes, three arrays (B, width)."""
    return pad_rows(encodings, width, bert.tokenizer.vocabulary.pad)


def by_width(bert, encodings):
    """Yields (places, batch) for each width: which of the encodings they are, padded to it.

    What is worked out for them goes back to these places, and is then in the order of the
    encodings. Such a batch may have many rows: `portions` cuts it.
    """
    lengths = np.array([len(encoding.ids) for encoding in encodings], int)
    widths = -(-lengths // STEP) * STEP
    # No wider than BERT can read; a text that is too long keeps its length, and BERT says so.
    widths = np.maximum(lengths, np.minimum(widths, bert.config.max_length))
    for width in np.unique(widths):
        places = np.flatnonzero(widths == width)
        yield places, pad(bert, [encodings[place] for place in places], width)


def portions(num_rows, width):
    """Slices of so many rows each that they fill a batch."""
    size = max(1, ROOM // width)
    return [slice(start, start + size) for start in range(0, num_rows, size)]
