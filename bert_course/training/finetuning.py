"""Keep the body, change the head: one recipe for every kind of task."""

import dataclasses
import hashlib
import json
import pathlib
import time
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from bert_course.model.encoder import build_encoder
from bert_course.text.padding import pad_rows
from bert_course.text.splits import SPLITS
from bert_course.training.finetuned import Finetuned
from bert_course.training.hardware import BFLOAT16_PRODUCTS, computing_in, jit_compile
from bert_course.training.optimization import AdamW, build_optimizer
from bert_course.training.run_folder import RunFolder, checksum, read_metrics
from bert_course.training.speed import speed_up, speed_up_optimizer
from bert_course.training.stopping import (
    DIVERGED,
    Stopped,
    fitting_memory,
    heeding_signals,
    saving,
)
from bert_course.training.windows import Window

WILL_STOP = "stopping after this epoch; Ctrl-C once more stops now, and loses it\n"
POOL = 50  # batches among which texts are sorted by length


@dataclass(frozen=True)
class Recipe:
    """All that the weights depend on, but for the model, the rows and the seed.

    Attributes:
        rate: the highest learning rate; if None, `usual_rate`, for small models want larger
            steps than BERT-base, for which the paper tried 5e-5, 3e-5 and 2e-5.
        warm_up: share of the steps.
        max_length: of a window, special pieces included.
        dropout: in body and head.
        smoothing: ε of the labels, see `SmoothedCrossEntropy`.
        weighted: whether every class counts alike, however rare (one label a text only).
        frozen: whether only the head learns.
        scratch: whether the body's weights, too, are drawn anew for each seed: the control that
            says what pretraining is worth. Of `bert` only sizes and vocabulary are taken.
        layer_decay: the rate of each block is so many times that of the block above it.
        patience: epochs without a better score on dev, after which it ends; None: go to the end.
        precision: see `choose_precision`.
    """

    epochs: int = 4
    batch_size: int = 16
    rate: float | None = None
    warm_up: float = 0.1
    max_length: int = 128
    dropout: float = 0.1
    smoothing: float = 0.0
    weighted: bool = False
    frozen: bool = False
    scratch: bool = False
    layer_decay: float = 1.0
    patience: int | None = None
    precision: str = "float32"


def finetune(bert, task, out=None, recipe=None, seeds=(0,), resume=False, report=None):
    """Train a copy of `bert` with a new head on `task`, once for each seed -> the best `Finetuned`.

    Of each seed the epoch that is best on dev is kept; the best seed's weights are those of the
    answer, and `results` has the scores of all. With a folder `out`, a run that was killed goes on
    where its last epoch ended, and on a CPU ends with the same bytes as one that was not.

    Paper: BERT (Devlin et al., 2019), §4 and appendix A.3: batch 16 or 32, rate 5e-5, 3e-5 or
    2e-5, 2 to 4 epochs; all weights learn, not the head's alone.

    Args:
        bert: a `Bert`.
        task: a `Task`.
        report: is called with a dictionary after each epoch.
    """
    recipe, seeds = recipe or Recipe(), list(seeds)
    _refuse_strange_recipe(recipe, seeds)
    memory = fitting_memory([recipe.batch_size], lambda: cut_texts(recipe))
    with computing_in(recipe.precision), memory:
        training = Training(bert, task, recipe, report or (lambda line: None))
        best = None
        for seed in seeds:
            folder = pathlib.Path(out) / f"seed-{seed}" if out else None
            result, weights, threshold = training.run(seed, folder, resume)
            training.tuned.results.append(result)
            score = result["dev"][training.tuned.kind.metric]
            if best is None or score > best[0]:
                best = score, weights, threshold
        training.tuned.model.set_weights(best[1])
        training.tuned.kind.threshold = best[2]
    return training.tuned


class Training:
    """One model and one compiled step, for all seeds."""

    def __init__(self, bert, task, recipe, report):
        self.bert, self.task, self.recipe, self.report = bert, task, recipe, report
        self.tuned = Finetuned(bert, task.kind, task.labels, recipe.max_length, recipe.dropout)
        self.windows = {split: self.tuned.windows(getattr(task, split)) for split in SPLITS}
        self.lengths = np.array([len(window.ids) for window in self.windows["train"]])
        self.steps_per_epoch = -(-len(self.lengths) // recipe.batch_size)
        self.class_weights = weights_of_classes(task) if recipe.weighted else None
        self.untuned = self.tuned.kind.threshold
        self.compile()

    def compile(self):
        recipe, model = self.recipe, self.tuned.model
        self.tuned.encoder.trainable = not recipe.frozen
        if not self.tuned.kind.pools:  # or AdamW would miss its gradients, and say so
            self.tuned.encoder.get_layer("pooler").trainable = False
        speed_up(model, self.tuned.config, bfloat16=recipe.precision == BFLOAT16_PRODUCTS)
        steps = self.steps_per_epoch * recipe.epochs
        rate = recipe.rate or usual_rate(self.tuned.config)
        optimizer_kind = AdamW
        if recipe.layer_decay != 1:
            optimizer_kind = slower_below(recipe.layer_decay, self.tuned.config.num_layers)
        optimizer = build_optimizer(rate, steps, int(recipe.warm_up * steps), kind=optimizer_kind)
        if recipe.layer_decay == 1:
            speed_up_optimizer(optimizer)
        loss = self.tuned.kind.loss(recipe.smoothing)
        model.compile(optimizer, loss, jit_compile=jit_compile())
        model.optimizer.build(model.trainable_variables)  # of float16 it is a wrapper of ours
        single = [v for v in model.optimizer.variables if not tuple(v.shape)]  # counts, and a scale
        self.single = [(variable, variable.numpy()) for variable in single]
        if keras.backend.backend() == "tensorflow":
            self.meet_two_shapes()

    def meet_two_shapes(self):
        """Have the step compiled for batches of any size and width, before there is a real one.

        TensorFlow compiles for the shape that it meets first, and for all others together. The two
        programs differ in the last digits: without this, the weights would depend on the batch
        that a process begins with, which after a resume is another one. What is learned here is
        forgotten when a run begins.
        """
        first, narrow = self.windows["train"][0], 8
        window = Window(first.row, *(part[:narrow] for part in first[1:]))
        for size, width in ((1, narrow), (2, min(2 * narrow, self.tuned.max_length))):
            inputs = pad_rows([window] * size, width, self.tuned.tokenizer.vocabulary.pad)
            targets, weights = self.tuned.kind.targets([window] * size, self.task.train, width)
            self.tuned.model.train_on_batch(inputs, targets, weights)
            self.tuned.model.predict_on_batch(inputs)

    def run(self, seed, folder, resume):
        """(result, best weights, their threshold) of one seed."""
        self.begin(seed)
        run = RunFolder(folder, self.describe(seed), resume) if folder else None
        if run is None:
            return self.epochs(seed, None)
        with run.ours_alone(), heeding_signals(WILL_STOP) as signals:
            self.restore(run)
            return self.epochs(seed, run, signals)

    def begin(self, seed):
        """As if the model had been made anew: the body copied, the head drawn, all else zero."""
        rng = np.random.default_rng([seed, 0])
        tuned, model = self.tuned, self.tuned.model
        body = build_encoder(tuned.config, rng) if self.recipe.scratch else self.bert.encoder
        tuned.encoder.set_weights(body.get_weights())
        for variable in tuned.head.trainable_variables:
            if len(variable.shape) == 2:
                variable.assign(0.02 * rng.standard_normal(variable.shape))
            else:
                variable.assign(tuned.kind.first_biases(self.task.train))
        for variable in model.variables:
            if "seed_generator" in variable.path:
                variable.assign(rng.integers(2**31, size=variable.shape))
        for variable in model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))
        for variable, value in self.single:
            variable.assign(value)
        tuned.kind.threshold = self.untuned
        self.epoch, self.history, self.best = 0, [], None

    def epochs(self, seed, run, signals=()):
        while self.epoch < self.recipe.epochs and not self.is_stuck():
            start = time.perf_counter()
            loss = self.train(seed)
            self.epoch += 1
            dev, threshold = self.measure("dev")
            metric = dev[self.tuned.kind.metric]
            line = {
                "seed": seed,
                "epoch": self.epoch,
                "loss": loss,
                self.tuned.kind.metric: metric,
                "seconds": round(time.perf_counter() - start, 2),
            }
            self.history.append(line)
            if self.best is None or metric > self.best["score"]:
                weights = self.tuned.model.get_weights()
                self.best = {
                    "score": metric,
                    "epoch": self.epoch,
                    "weights": weights,
                    "threshold": threshold,
                }
            if run:
                self.save(run)
            left = (self.recipe.epochs - self.epoch) * line["seconds"]
            self.report(line | {"left": left})
            if signals:
                raise Stopped.by_signal(
                    signals[0], self.epoch, self.recipe.epochs, run.folder, "epochs"
                )
        return self.result(seed), self.best["weights"], self.best["threshold"]

    def is_stuck(self):
        patience = self.recipe.patience
        return bool(patience and self.best and self.epoch - self.best["epoch"] >= patience)

    def train(self, seed):
        """An epoch -> its mean loss."""
        model, kind, rows = self.tuned.model, self.tuned.kind, self.task.train
        rng = np.random.default_rng([seed, 1, self.epoch])
        losses = []
        for numbers in batches_by_length(self.lengths, self.recipe.batch_size, rng):
            windows = [self.windows["train"][number] for number in numbers]
            inputs = self.tuned.inputs(windows)
            targets, weights = kind.targets(windows, rows, inputs["token_ids"].shape[1])
            if self.class_weights is not None:
                weights = weights * self.class_weights[targets]
            losses.append(model.train_on_batch(inputs, targets, weights))
            if not np.isfinite(losses[-1]):
                raise self.diverged("the loss")
            model.reset_metrics()
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise self.diverged("a weight")
        return float(np.mean(losses))

    def diverged(self, what):
        return Stopped(
            f"{what} is no finite number in epoch {self.epoch + 1}: the learning rate may be too "
            "high, try a third of it",
            DIVERGED,
        )

    def measure(self, split):
        """(scores, threshold): on dev the threshold is chosen, on test it is used."""
        rows = getattr(self.task, split)
        kind = self.tuned.kind
        if split == "dev":
            kind.threshold = self.untuned
        guesses = self.tuned.guess(rows, self.windows[split])
        if split == "dev":
            kind.tune(rows, guesses)
        return kind.score(rows, guesses), kind.threshold

    def result(self, seed):
        """Scores with the best epoch's weights."""
        self.tuned.model.set_weights(self.best["weights"])
        self.tuned.kind.threshold = self.best["threshold"]
        dev, _ = self.measure("dev")
        test = self.measure("test")[0] if self.task.test else None
        return {
            "seed": seed,
            "best_epoch": self.best["epoch"],
            "history": self.history,
            "threshold": self.best["threshold"],
            "dev": dev,
            "test": test,
        }

    # ------------------------------------------------------------------------------ on disk

    def describe(self, seed):
        body = self.bert.encoder.get_weights()
        rows = [row[:3] for row in self.task.train + self.task.dev]  # wherever their files lie
        return {
            "recipe": dataclasses.asdict(self.recipe),
            "seed": seed,
            "config": dataclasses.asdict(self.bert.config),
            "model": checksum({f"{number}": array for number, array in enumerate(body)}),
            "vocabulary": hashed([self.bert.vocabulary, self.bert.lowercase]),
            "rows": hashed([self.task.kind, self.task.labels, len(self.task.dev), rows]),
            "backend": keras.backend.backend(),
        }

    def variables(self):
        model = self.tuned.model
        named = {"model": model.variables, "optimizer": model.optimizer.variables}
        return {
            f"{group}/{number:04d}": variable
            for group, variables in named.items()
            for number, variable in enumerate(variables)
        }

    def save(self, run):
        tensors = {name: ops.convert_to_numpy(v) for name, v in self.variables().items()}
        best = {f"best/{number:04d}": w for number, w in enumerate(self.best["weights"])}
        with saving(run, "state", self.epoch):
            numbers = {name: self.best[name] for name in ("score", "epoch", "threshold")}
            run.append_metrics({"batch": self.epoch, **self.history[-1], "best": numbers})
            run.save(self.epoch, tensors | best)

    def restore(self, run):
        self.epoch, tensors = run.newest()
        if tensors is None:
            run.forget_metrics_after(-1)
            return
        run.forget_metrics_after(self.epoch)
        lines = read_metrics(run.folder)
        if len(lines) != self.epoch:
            raise ValueError(
                "metrics.jsonl must have a line for each epoch, as they were written: begin again "
                f"in another folder. Received: {run.folder}, with {len(lines)} for {self.epoch}"
            )
        self.best = lines[-1].pop("best")
        self.history = [
            {name: value for name, value in line.items() if name not in ("batch", "best")}
            for line in lines
        ]
        for name, variable in self.variables().items():
            variable.assign(tensors[name].reshape(variable.shape))
        shapes = [weight.shape for weight in self.tuned.model.weights]
        best = [tensors[f"best/{number:04d}"] for number in range(len(shapes))]
        self.best["weights"] = [w.reshape(s) for w, s in zip(best, shapes, strict=True)]


def hashed(content):
    return hashlib.sha256(json.dumps(content).encode("utf-8")).hexdigest()


def usual_rate(config):
    """5e-5 · 768 / H: the paper's largest rate for BERT-base, more for narrower models."""
    return 5e-5 * 768 / config.hidden_dim


def batches_by_length(lengths, batch_size, rng):
    """Numbers of texts, shuffled, so that those of a batch are about equally long.

    Sorted are the texts of POOL batches at a time, not all: a batch has other texts each epoch.
    """
    order = rng.permutation(len(lengths))
    pool, batches = POOL * batch_size, []
    for start in range(0, len(order), pool):
        numbers = order[start : start + pool]
        numbers = numbers[np.argsort(lengths[numbers], kind="stable")]
        batches += [numbers[n : n + batch_size] for n in range(0, len(numbers), batch_size)]
    return [batches[number] for number in rng.permutation(len(batches))]


def cut_texts(recipe):
    """The way out where a batch does not fit the memory."""
    fewer = f"--batch {recipe.batch_size // 2}, " if recipe.batch_size > 1 else ""
    return (
        f"Begin in a new folder with {fewer}shorter texts (--max-length {recipe.max_length // 2}) "
        "or a smaller checkpoint"
    )


def weights_of_classes(task):
    """n / (classes · count of the class): (classes,), so that all classes weigh the same."""
    if task.kind not in ("classify", "pairs"):
        raise ValueError(
            "Classes are weighted where a text has one label: leave it out. "
            f"Received: a task of kind {task.kind!r}"
        )
    counts = np.array([sum(row.label == label for row in task.train) for label in task.labels])
    return (len(task.train) / (len(counts) * np.maximum(counts, 1))).astype("float32")


def slower_below(decay, num_layers):
    """A kind of AdamW whose rate shrinks by `decay` from block to block, downward.

    Paper: Universal Language Model Fine-tuning (Howard and Ruder, 2018), §3.2.
    """

    class LayerwiseAdamW(AdamW):
        def build(self, variables):
            super().build(variables)
            self.shares = [decay ** depth_below_head(v.path, num_layers) for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            share = self.shares[self._get_variable_index(variable)]
            super().update_step(gradient, variable, learning_rate * share)

    return LayerwiseAdamW


def depth_below_head(path, num_layers):
    """0 for head and pooler, 1 for the highest block, ..., num_layers + 1 for the embeddings."""
    for part in path.split("/"):
        if part.startswith("block_"):
            return num_layers - int(part.removeprefix("block_"))
        if part == "embeddings":
            return num_layers + 1
    return 0


def _refuse_strange_recipe(recipe, seeds):
    for name, least in (("epochs", 1), ("batch_size", 1), ("max_length", 8), ("patience", 1)):
        value = getattr(recipe, name)
        if name == "patience" and value is None:
            continue
        if type(value) is not int or value < least:
            raise ValueError(
                f"{name} must be a whole number of at least {least}. Received: {value!r}"
            )
    for name, low, high in (("dropout", 0, 1), ("smoothing", 0, 1), ("warm_up", 0, 1)):
        if not low <= getattr(recipe, name) < high:
            raise ValueError(
                f"{name} must be at least {low} and below {high}. Received: {getattr(recipe, name)}"
            )
    if recipe.rate is not None and not recipe.rate > 0:
        raise ValueError(f"rate must be above 0, such as 5e-5. Received: {recipe.rate}")
    if not 0 < recipe.layer_decay <= 1:
        raise ValueError(
            f"layer_decay must be above 0 and at most 1. Received: {recipe.layer_decay}"
        )
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ValueError(
            f"seeds must be one or more different numbers, none below 0. Received: {seeds}"
        )
