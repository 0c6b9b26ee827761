"""Tasks so small that a tiny model learns them perfectly: each hangs on a word or two."""

import dataclasses

import keras
import numpy as np
import small_runs
from safetensors.numpy import load_file

from bert_course.model.checkpoints import Bert
from bert_course.model.config import BertConfig
from bert_course.text.labelled import Row
from bert_course.text.vocabulary import SPECIAL
from bert_course.training import speed
from bert_course.training.finetuning import Recipe
from bert_course.training.initial_weights import begin_with
from bert_course.training.tasks import Task

FILLERS = "hen sun ice boat rain tree sings melts runs".split()
PIECES = [*SPECIAL, *".?!'-", *FILLERS, "##s", "ann", "bob", "glad", "red", "who", "where"]
CONFIG = BertConfig(
    len(PIECES), num_layers=1, hidden_dim=16, num_heads=2, intermediate_dim=32, max_length=32
)
KINDS = ("classify", "pairs", "multilabel", "tag", "answer")


def tiny_bert(rng=0, num_layers=1):
    """Its weights are larger than BERT's, from which so small a model would learn late."""
    bert = Bert(dataclasses.replace(CONFIG, num_layers=num_layers), PIECES, rng=rng)
    begin_with(bert.pretraining_model, 0.15)
    return bert


def tiny_recipe(epochs=2, **changes):
    return Recipe(**{"epochs": epochs, "batch_size": 16, "rate": 1e-2, "dropout": 0.0} | changes)


def some_words(rng, extra=()):
    words = [*rng.choice(FILLERS, rng.integers(3, 9)), *extra]
    return [str(word) for word in rng.permutation(words)]


def small_row(kind, rng, place="a row"):
    if kind == "tag":
        words = some_words(rng, ["ann"]) + [["bob"], []][rng.integers(2)]
        tags = {"ann": "B-PER", "bob": "B-PET"}
        return Row(words, None, [tags.get(word, "O") for word in words], place)
    if kind == "answer":
        name = str(rng.choice(["ann", "bob"]))
        text = " ".join(some_words(rng, [name]))
        return Row(text, "who?", [(text.index(name), name)], place)
    has = {name: rng.random() < 0.5 for name in ("glad", "red")}
    if kind == "multilabel":
        words = ["glad" if has["glad"] else "who", "red" if has["red"] else "where"]
        return Row(" ".join(some_words(rng, words)), None, tuple(n for n in has if has[n]), place)
    word, label = ("glad", "yes") if has["glad"] else ("red", "no")
    text = " ".join(some_words(rng, [word]))
    texts = (" ".join(some_words(rng)), text) if kind == "pairs" else (text, None)
    return Row(*texts, label, place)


def small_task(kind="classify", rows=96, seed=0, **changes):
    rng = np.random.default_rng(seed)
    train, dev, test = (
        [small_row(kind, rng, f"row {n}") for n in range(count)] for count in (rows, 24, 24)
    )
    labels = {"tag": "O B-PER I-PER B-PET I-PET".split(), "multilabel": ["glad", "red"]}
    labels = {"answer": []} | labels
    task = Task("toy", kind, labels.get(kind, ["no", "yes"]), train, dev, test, [], {})
    return task._replace(**changes)


def run_quickly(patch):
    """Nothing compiled, which takes seconds."""
    small_runs.run_quickly(patch)
    patch.setattr(speed, "compiled", lambda activation: activation)

    def predict_eagerly(model, inputs):
        return keras.ops.convert_to_numpy(model(inputs, training=False))

    patch.setattr(keras.Model, "predict_on_batch", predict_eagerly)


def body_of(bert):
    return b"".join(weight.tobytes() for weight in bert.encoder.get_weights())


def weights_of(tuned):
    return b"".join(weight.tobytes() for weight in tuned.model.get_weights())


def state_of(folder):
    """What a run comes to, in bytes: all variables of its last state."""
    state = load_file(max((folder / "states").glob("batch-*")))
    state.pop("check")
    return {name: array.tobytes() for name, array in state.items()}


def without_times(results):
    """Scores and history, without how long it took."""
    return [
        result | {"history": [line | {"seconds": 0} for line in result["history"]]}
        for result in results
    ]
