"""How fast is a forward pass, as a ratio to keras-nlp's BertBackbone with the same weights?

    python benchmarks/forward.py

Both models run by turns in this process, on the same batch, so that whatever slows the machine down
slows both. The table has the median time of each and the median of the ratios, turn by turn.
"""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import dataclasses
import statistics
import tempfile
import time

import numpy as np

from bert_course.model.checkpoints import Bert, save_pretrained
from bert_course.model.config import BASE, MINI

import keras  # isort: skip
import keras_hub  # isort: skip

BATCH, LENGTH = 8, 128
TURNS = {"mini": 60, "base": 16}


def make_pair(config):
    """Our encoder and keras-nlp's, which opens what ours has saved: the same weights in both."""
    vocabulary = [f"piece{i}" for i in range(config.vocab_size)]
    ours = Bert(config, vocabulary)
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(ours, folder)
        theirs = keras_hub.models.BertBackbone.from_preset(folder)
    return ours.encoder, theirs


def make_batch(config, rng):
    lengths = rng.integers(LENGTH // 2, LENGTH + 1, (BATCH, 1))
    return {
        "token_ids": rng.integers(0, config.vocab_size, (BATCH, LENGTH)).astype("int32"),
        "segment_ids": np.zeros((BATCH, LENGTH), "int32"),
        "padding_mask": (np.arange(LENGTH) < lengths).astype("int32"),
    }


def seconds(model, batch):
    start = time.perf_counter()
    model.predict_on_batch(batch)
    return time.perf_counter() - start


def compare(name, config):
    """One line of the table."""
    ours, theirs = make_pair(config)
    batch = make_batch(config, np.random.default_rng(0))
    for _ in range(2):  # compile, and warm up
        answers = [model.predict_on_batch(batch)["pooled_output"] for model in (ours, theirs)]
    np.testing.assert_allclose(*answers, atol=1e-4)  # the same work, or no comparison
    turns = [(seconds(ours, batch), seconds(theirs, batch)) for _ in range(TURNS[name])]
    ours_ms, theirs_ms = (1000 * statistics.median(column) for column in zip(*turns, strict=True))
    ratio = statistics.median(b / a for a, b in turns)
    print(f"{name:6} {ours_ms:10.1f} {theirs_ms:12.1f} {ratio:10.2f}", flush=True)


def main():
    print(
        f"Forward pass on {keras.backend.backend()}, Keras {keras.__version__}, "
        f"keras-hub {keras_hub.__version__}: batch {BATCH}, length {LENGTH}, CPU"
    )
    print(f"{'':6} {'ours, ms':>10} {'keras-nlp, ms':>12} {'times as fast':>10}")
    for name, config in (("mini", MINI), ("base", BASE)):
        # keras-nlp has the form of GELU with tanh, and no other
        compare(name, dataclasses.replace(config, activation="gelu_tanh"))


if __name__ == "__main__":
    main()
