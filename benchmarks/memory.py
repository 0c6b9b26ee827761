"""How much memory does a step of pretraining take, and what does `training_memory` say?

    python benchmarks/memory.py

Each case is a process of its own, which trains on larger and larger batches; the system says what
it held at most, so that the difference between two batches is what their rows took. On a CPU.
"""

import argparse
import json
import os
import resource
import subprocess
import sys

from bert_course.model.config import BertConfig
from bert_course.training.memory import training_memory

VOCABULARY = 8_000
CASES = [  # L, H, A, S, P, dropout, precision, rows of the two batches
    (2, 128, 2, 128, 20, 0.1, "float32", (64, 128)),
    (4, 256, 4, 128, 20, 0.1, "float32", (32, 64)),
    (8, 256, 4, 128, 20, 0.1, "float32", (32, 64)),
    (4, 256, 4, 512, 77, 0.1, "float32", (8, 16)),
    (4, 256, 4, 512, 77, 0.0, "float32", (8, 16)),
    (4, 256, 4, 128, 20, 0.1, "bfloat16_products", (32, 64)),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return work(*json.loads(options.child))
    titles = ("MiB a row", "estimated", "at most", "estimated")
    print(f"{'L':>3}{'H':>5}{'S':>5}  {'dropout':8}{'precision':20}", end="")
    print("".join(f"{title:>11}" for title in titles))
    for case in CASES:
        layers, width, _, length, slots, dropout, precision, (few, many) = case
        before, after = json.loads(run_child(case))
        estimate = training_memory(config_of(case), length, slots, precision)
        numbers = [(after - before) / (many - few), estimate.a_row]
        numbers += [after, estimate.fixed + many * estimate.a_row]
        print(f"{layers:3}{width:5}{length:5}  {dropout:<8}{precision:20}", end="")
        print("".join(f"{number / 2**20:11.1f}" for number in numbers), flush=True)


def config_of(case):
    layers, width, heads, _, _, dropout, _, _ = case
    return BertConfig(VOCABULARY, layers, width, heads, 4 * width, 512, dropout=dropout)


def run_child(case):
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, __file__, "--child", json.dumps(case)]
    done = subprocess.run(command, env={**os.environ, **quiet}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.splitlines()[-1]


def work(*case):
    """Prints the bytes that were held at most after each of the two batches."""
    import numpy as np

    from bert_course.model.encoder import build_encoder
    from bert_course.model.heads import build_pretraining_model
    from bert_course.training.pretraining import Recipe, compile_for_pretraining

    _, _, _, length, slots, _, precision, both = case
    config, rng, held = config_of(case), np.random.default_rng(0), []
    model = build_pretraining_model(build_encoder(config), config)
    compile_for_pretraining(model, Recipe(config, 1_000, precision=precision), 1_000)
    for rows in (both[0] // 2, *both):  # the first lets the allocator settle
        ids = rng.integers(5, VOCABULARY, (rows, length)).astype("int32")
        inputs = {
            "token_ids": ids,
            "segment_ids": np.zeros_like(ids),
            "padding_mask": np.ones_like(ids, bool),
            "masked_positions": np.tile(np.arange(1, slots + 1, dtype="int32"), (rows, 1)),
        }
        labels = {"masked_words": ids[:, :slots], "next_sentence": ids[:, 0] % 2}
        for _ in range(3):
            model.train_on_batch(inputs, labels)
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        held.append(kilobytes * (1 if sys.platform == "darwin" else 1024))
    print(held[1:])


if __name__ == "__main__":
    main()
