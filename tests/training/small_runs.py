"""Runs so small that a test can have many: examples, a recipe, and what a run leaves behind."""

import dataclasses

import keras
import numpy as np
from safetensors.numpy import load_file

from bert_course.model.config import BertConfig
from bert_course.text.examples import open_examples, write_examples
from bert_course.text.vocabulary import SPECIAL
from bert_course.text.wordpiece import WordPieceTokenizer
from bert_course.training import pretraining
from bert_course.training.pretraining import Recipe
from bert_course.training.run_folder import RunFolder, read_metrics

WORDS = [f"w{number}" for number in range(20)]
PIECES = [*SPECIAL, ".", *WORDS]
CONFIG = BertConfig(
    len(PIECES), num_layers=1, hidden_dim=16, num_heads=2, intermediate_dim=32, max_length=32
)
# What differs from run to run: how long it took.
TIMES = {
    "seconds",
    "tokens_per_second",
    "useful_tokens_per_second",
    "share_of_peak",
    "seconds_left",
    "matmul_peak",
}


def write_corpus(path, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(12):
        sentences = [" ".join([*rng.choice(WORDS, rng.integers(2, 7)), "."]) for _ in range(7)]
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(sentences) + "\n\n")


def write_small_examples(folder, length=16, seed=0, pieces=PIECES):
    """A folder of examples; `folder` is made, the corpus lies beside it."""
    corpus = folder.with_suffix(".txt")
    write_corpus(corpus, seed)
    write_examples([corpus], WordPieceTokenizer(pieces), folder, length)
    return folder


def recipe(steps=6, **changes):
    return Recipe(CONFIG, steps, **{"batch_size": 4, "rate": 1e-2} | changes)


def with_config(recipe, **changes):
    return dataclasses.replace(recipe, config=dataclasses.replace(recipe.config, **changes))


def held_out(folder, batches=2):
    examples = open_examples(folder, batch_size=4, seed=9)
    return [examples.batch(number) for number in range(batches)]


def run_quickly(patch):
    """Nothing compiled, which takes seconds, and no peak measured, which takes half a second."""
    compile_ = keras.Model.compile

    def compile_eagerly(model, *args, **options):
        compile_(model, *args, **options | {"run_eagerly": True, "jit_compile": False})

    patch.setattr(keras.Model, "compile", compile_eagerly)
    patch.setattr(pretraining, "matmul_peak", lambda precision: 1e11)


def result(folder):
    """What a run comes to, in bytes: the model, and all variables of the last state."""
    state = load_file(max((folder / "states").glob("batch-*")))
    for name in ("seconds", "check"):
        state.pop(name)
    arrays = {name: array.tobytes() for name, array in state.items()}
    return arrays | {"checkpoint": (folder / "checkpoint" / "model.safetensors").read_bytes()}


def numbers(folder):
    """The lines of metrics.jsonl without what depends on the machine."""
    return [{n: v for n, v in line.items() if n not in TIMES} for line in read_metrics(folder)]


class Crash(BaseException):
    """The end of the process, or nearly."""


def after_save(patch, batch, action):
    """Let `action(training folder)` happen once the state after so many batches is on disk."""
    save = RunFolder.save

    def acting_save(run, number, tensors):
        save(run, number, tensors)
        if number == batch:
            action(run.folder)

    patch.setattr(RunFolder, "save", acting_save)


def crash(folder):
    raise Crash
