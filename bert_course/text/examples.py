"""Pretraining examples on disk -> batches: batch(step) is a pure function of (seed, step)."""

import math
import pathlib

import numpy as np

from bert_course.text.example_folder import (
    check_hashes,
    open_arrays,
    read_folder_vocabulary,
    read_header,
)
from bert_course.text.example_writer import write_examples
from bert_course.text.masking import mask_tokens
from bert_course.text.seeds import MASKS, ORDER, as_count, generator
from bert_course.text.wordpiece import WordPieceTokenizer

__all__ = ["Examples", "open_examples", "write_examples"]


def open_examples(
    folder, batch_size=32, seed=0, slots=None, whole_words=False, fixed_masks=False, share=0.15
):
    """A folder that `write_examples` has written -> `Examples`.

    A folder that is half there, cut short, of another kind or of another version is refused. Sizes
    are looked at, and the vocabulary's hash; `Examples.check_hashes` looks at every byte.

    Args:
        seed: of the order of the examples, and of the masks.
        slots, whole_words, share: see `mask_tokens`.
        fixed_masks: an example has the same masks in every epoch, not others each time. Rows are
            then masked one by one, which takes some 70 times as long.
    """
    masking = {"slots": slots, "whole_words": whole_words, "share": share}
    return Examples(folder, batch_size, seed, masking, fixed_masks)


class Examples:
    """Batches of pretraining examples, from arrays that stay on disk.

    Examples are taken in a random order, all of them before any comes again; then in another
    random order, and so on. A batch takes the next ones, also across the end of an epoch, so that
    all batches are equally large and no example is ever left out.

    Attributes:
        vocabulary: the `Vocabulary` whose ids these are; tokenizer: what cut the text into them.
        header: what header.json says: settings, counts, hashes.
        steps_per_epoch: after so many, each example has been seen.
    """

    def __init__(self, folder, batch_size, seed, masking, fixed_masks):
        self.folder = pathlib.Path(folder).expanduser()
        self.batch_size = as_count(batch_size, "batch_size", least=1)
        self.seed = as_count(seed, "seed")
        self.header = read_header(self.folder)
        self.vocabulary = read_folder_vocabulary(self.folder, self.header)
        self.arrays = open_arrays(self.folder, self.header)
        length, slots = self.header["settings"]["max_length"], masking["slots"]
        if slots is not None and as_count(slots, "slots", least=1) > length:
            raise ValueError(
                f"slots must be {length} or fewer: a row has no more. Received: {slots}"
            )
        self.masking = masking
        self.fixed_masks = fixed_masks
        self._orders = {}  # {epoch: its order}

    def __reduce__(self):  # for pickle: the arrays stay on disk
        how = (self.batch_size, self.seed, self.masking, self.fixed_masks)
        return Examples, (self.folder, *how)

    @property
    def tokenizer(self):
        settings = self.header["settings"]
        return WordPieceTokenizer(self.vocabulary, settings["lowercase"], settings["strip_accents"])

    def __len__(self):
        return self.header["examples"]

    @property
    def steps_per_epoch(self):
        return math.ceil(len(self) / self.batch_size)

    def batch(self, step):
        """A dictionary of arrays: what the model reads, and what it should answer."""
        numbers = self.numbers(step)
        rows = {name: array[numbers] for name, array in self.arrays.items()}
        masked = self._mask(rows["token_ids"], numbers, step)
        places = np.arange(rows["token_ids"].shape[1])
        is_real = places < rows["lengths"][:, None]  # (B, S)
        return {
            "token_ids": masked.inputs.astype("int32"),
            "segment_ids": (is_real & (places >= rows["first_lengths"][:, None])).astype("int32"),
            "padding_mask": is_real,
            "masked_positions": masked.positions.astype("int32"),
            "masked_labels": masked.labels.astype("int32"),
            "masked_weights": masked.weights,
            "next_sentence_labels": rows["next_sentence_labels"].astype("int32"),
        }

    def numbers(self, step):
        """Which examples a batch is made of: (B,)."""
        first = as_count(step, "step") * self.batch_size
        epochs, places = np.divmod(np.arange(first, first + self.batch_size), len(self))
        return np.concatenate([self._order(e)[places[epochs == e]] for e in np.unique(epochs)])

    def _order(self, epoch):
        order = self._orders.get(epoch)
        if order is None:
            order = generator(ORDER, self.seed, int(epoch)).permutation(len(self))
            latest = list(self._orders.items())[-1:]  # a batch may stand across two epochs
            self._orders = dict([*latest, (epoch, order)])
        return order

    def _mask(self, token_ids, numbers, step):
        if not self.fixed_masks:
            rng = generator(MASKS, self.seed, step)
            return mask_tokens(token_ids, rng, self.vocabulary, **self.masking)
        rows = [
            mask_tokens(row[None], generator(MASKS, self.seed, n), self.vocabulary, **self.masking)
            for row, n in zip(token_ids, numbers, strict=True)
        ]
        return type(rows[0])(*map(np.concatenate, zip(*rows, strict=True)))

    def check_hashes(self):
        """Refuse files of which a byte was changed; reads them all through."""
        check_hashes(self.folder, self.header)
