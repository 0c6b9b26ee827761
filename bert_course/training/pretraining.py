"""One model, two named outputs, the paper's loss; resumable to the bit."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import keras
import numpy as np

from bert_course.model.checkpoints import Bert, save_pretrained
from bert_course.model.config import BertConfig
from bert_course.text.examples import Examples, open_examples
from bert_course.training.cost import matmul_peak, training_flops
from bert_course.training.evaluation import INPUTS, baselines, evaluate, tasks_of
from bert_course.training.hardware import BFLOAT16_PRODUCTS, computing_in, jit_compile
from bert_course.training.initial_weights import begin_with
from bert_course.training.optimization import AdamW, Lamb, Muon, build_optimizer
from bert_course.training.run_folder import RunFolder, checksum
from bert_course.training.speed import speed_up, speed_up_loss, speed_up_optimizer
from bert_course.training.stopping import (
    Stopped,
    cut_batches,
    diverged,
    fitting_memory,
    heeding_signals,
    saving,
)

OPTIMIZERS = {"adamw": AdamW, "lamb": Lamb, "muon": Muon}


@dataclass(frozen=True)
class Recipe:
    """All that the weights depend on, but for the examples.

    Attributes:
        steps: changes of the weights; with several folders of examples, one number for each.
        batch_size: sequences that are computed at once; likewise.
        rate: the highest learning rate; warm_up: steps to get there, a tenth of all if None.
        accumulate: batches whose mean gradient makes one step.
        beta_2: see `build_optimizer`.
        initial_std: of the weights that training begins with. The paper's 0.02 suits a width of
            768; the same for a width H is 0.02 · √(768 / H), with which small models learn sooner.
        waves: whether position embeddings begin as sine waves, see `wave_positions`.
        alike: whether the upper blocks begin by looking for what is alike, see
            `attend_to_what_is_alike`.
        weight_decay: the paper's 0.01 is for long runs; in short ones at a high rate, more of it
            keeps chance from piling up in the weights.
        share: of the words that are hidden; 0.15 in the paper.
        seed: of the weights, the order of the examples, the masked words, and dropout.
        precision: see `choose_precision`.
    """

    config: BertConfig
    steps: int | tuple
    batch_size: int | tuple = 32
    rate: float = 1e-3
    warm_up: int | None = None
    accumulate: int = 1
    optimizer: str = "adamw"
    beta_2: float = 0.999
    initial_std: float = 0.02
    waves: bool = False
    alike: bool = False
    weight_decay: float = 0.01
    share: float = 0.15
    whole_words: bool = False
    seed: int = 0
    precision: str = "float32"


@dataclass
class Watch:
    """What to look at while it trains, and how often; the weights do not depend on it.

    Attributes:
        held_out: batches to evaluate on, see `evaluate`; or a function that gives them for the
            length that is being trained on.
        every: batches from one evaluation to the next, a twentieth of all if None.
        report: is called with each line of metrics.jsonl; tick: after each batch, with its number
            and the number of all.
        save_seconds: from one state on disk to the next.
    """

    held_out: list | Callable = field(default_factory=list)
    every: int | None = None
    report: Callable = lambda line: None
    tick: Callable = lambda batch, of: None
    save_seconds: float = 60.0


class Phase(NamedTuple):
    """Some batches of one length: the paper's schedule has two, first short, then long."""

    examples: Examples
    first: int  # batch
    last: int  # the batch after the last


def pretrain(recipe, examples, out, resume=False, watch=None, start=None):
    """Train a BERT on folders of examples, one after the other, into the folder `out` -> `Bert`.

    Killed at any moment and resumed, on a CPU it ends with the weights that it would have had, byte
    for byte: all state is saved, and the examples and their masks are functions of (seed, step).

    Paper: BERT (Devlin et al., 2019), §3.1 and appendix A.2: sequences of 128 tokens for 90 % of
    the steps, of 512 for the rest.
    Differs from the paper: a rate, batch and number of steps to choose; the paper has 1e-4, 256
    and 1,000,000.

    Args:
        examples: one folder that `write_examples` has written, or several.
        resume: go on with the run in `out`; where there is none, begin one.
        start: a `Bert` whose weights training begins with, instead of random ones; it is left as
            it is.
    """
    phases, watch = plan(recipe, examples), watch or Watch()
    _refuse_strange_watch(watch)
    if start is not None:
        _refuse_other_start(start, recipe.config, phases[0].examples)
    run = RunFolder(out, describe(recipe, phases, start), resume)
    sizes = [phase.examples.batch_size for phase in phases]
    memory = fitting_memory(sizes, lambda: cut_batches(run, sizes, recipe.accumulate))
    with computing_in(recipe.precision), run.ours_alone(), memory:
        training = Training(recipe, phases, run, watch, start)
        training.go()
    return training.bert


def plan(recipe, examples):
    """The phases of a recipe, with their examples opened."""
    folders = [examples] if not isinstance(examples, (list, tuple)) else list(examples)
    steps, sizes = (
        _one_each(getattr(recipe, name), folders, name) for name in ("steps", "batch_size")
    )
    _refuse_strange_recipe(recipe, steps)
    phases, first = [], 0
    for number, (folder, count, size) in enumerate(zip(folders, steps, sizes, strict=True)):
        opened = open_examples(
            folder,
            size,
            recipe.seed + number,
            whole_words=recipe.whole_words,
            share=recipe.share,
        )
        _refuse_misfit(opened, phases[0].examples if phases else opened, recipe.config)
        phases.append(Phase(opened, first, first + count * recipe.accumulate))
        first = phases[-1].last
    return phases


def _one_each(value, folders, name):
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if len(values) == 1:
        values *= len(folders) if name == "batch_size" else 1
    if len(values) != len(folders) or not all(type(v) is int and v >= 1 for v in values):
        raise ValueError(
            f"{name} must be a whole number of at least 1 for each folder of examples. "
            f"Received: {', '.join(map(str, values))} for {len(folders)}"
        )
    return values


def _refuse_strange_recipe(recipe, steps):
    if recipe.optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer must be one of {', '.join(OPTIMIZERS)}. Received: {recipe.optimizer!r}"
        )
    if not recipe.rate > 0:
        raise ValueError(f"rate must be above 0, such as 1e-3. Received: {recipe.rate}")
    if not 0 < recipe.share < 1:
        raise ValueError(f"share must lie between 0 and 1, such as 0.15. Received: {recipe.share}")
    if type(recipe.accumulate) is not int or recipe.accumulate < 1:
        raise ValueError(
            f"accumulate must be a whole number of at least 1. Received: {recipe.accumulate!r}"
        )
    build_optimizer(recipe.rate, sum(steps), recipe.warm_up)  # refuses a warm-up without an end


def _refuse_strange_watch(watch):
    if watch.every is not None and (type(watch.every) is not int or watch.every < 1):
        raise ValueError(
            "every must be a whole number of batches from one evaluation to the next, at least 1. "
            f"Received: {watch.every!r}"
        )


def _refuse_misfit(examples, first, config):
    length, size = examples.header["settings"]["max_length"], len(examples.vocabulary)
    if examples.vocabulary.sha256 != first.vocabulary.sha256:
        raise ValueError(
            "All examples must be made with one vocabulary: write them again. "
            f"Received: {first.folder} and {examples.folder}, with different ones"
        )
    if size != config.vocab_size:
        raise ValueError(
            "vocab_size must be that of the examples' vocabulary: "
            f"dataclasses.replace(config, vocab_size={size}). Received: {config.vocab_size}"
        )
    if length > config.max_length:
        raise ValueError(
            f"max_length must be at least the examples' {length} tokens: choose a config with more "
            f"positions, or write shorter examples. Received: {config.max_length}"
        )


def _refuse_other_start(start, config, examples):
    if start.vocabulary != list(examples.tokenizer.vocabulary.pieces):
        raise ValueError(
            "Training goes on with the vocabulary that a model has: write the examples with its "
            f"vocab.txt. Received: {examples.folder}, with another vocabulary"
        )
    if dataclasses.replace(start.config, dropout=config.dropout) != config:
        raise ValueError(
            "Training goes on with the sizes that a model has: give its config, of which only "
            f"dropout may be changed. Received: {config} for {start.config}"
        )


def describe(recipe, phases, start=None):
    """What run.json says: a run is resumed only with all of this as it was."""
    steps = [(phase.last - phase.first) // recipe.accumulate for phase in phases]
    sizes = [phase.examples.batch_size for phase in phases]
    return {
        "recipe": dataclasses.asdict(recipe) | {"steps": steps, "batch_size": sizes},
        "vocabulary": phases[0].examples.vocabulary.sha256,
        "examples": {
            f"{number}": {
                name: entry["sha256"] for name, entry in p.examples.header["files"].items()
            }
            for number, p in enumerate(phases)
        },
        "backend": keras.backend.backend(),
        "start": checksum_of_weights(start) if start else None,
    }


def checksum_of_weights(bert):
    weights = bert.pretraining_model.get_weights()
    return checksum({f"{number}": array for number, array in enumerate(weights)})


class Training:
    """A run in progress."""

    def __init__(self, recipe, phases, run, watch, start=None):
        self.recipe, self.phases, self.run, self.watch = recipe, phases, run, watch
        self.last = phases[-1].last
        self.every = watch.every or max(1, self.last // 20)
        tokenizer = phases[0].examples.tokenizer
        pieces = list(tokenizer.vocabulary.pieces)
        self.bert = Bert(recipe.config, pieces, tokenizer.lowercase, rng=recipe.seed)
        self.model = self.bert.pretraining_model
        if start is None:
            begin_with(self.model, recipe.initial_std, recipe.waves, recipe.alike)
        else:
            self.model.set_weights(start.pretraining_model.get_weights())
        compile_for_pretraining(self.model, recipe, self.last // recipe.accumulate)
        self.batch, self.seconds = 0, 0.0  # trained so far
        self.saved_at = time.monotonic()
        self.unfinished_means = None  # of an interval in the middle of which the run was stopped
        self.signals = []

    def go(self):
        self.restore()
        self.peak = matmul_peak(self.recipe.precision)
        with heeding_signals() as self.signals:
            if self.batch == 0:
                self.evaluate({})
            for phase in self.phases:
                while self.batch < phase.last:
                    self.train(phase, min((self.batch // self.every + 1) * self.every, phase.last))
        self.save()

    def train(self, phase, end):
        """Batches up to `end`, then an evaluation."""
        clock = Clock(self, phase, end)
        interval = (self.batch - 1) // self.every + 1
        self.model.fit(
            Batches(phase.examples, self.batch - phase.first, end - phase.first),
            initial_epoch=interval,  # an "epoch" of Keras's is what lies between evaluations
            epochs=interval + 1,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        self.evaluate(clock.results())
        self.stop_or_save()

    def evaluate(self, results):
        scores = evaluate(self.model, self.held_out()) if self.held_out() else {}
        line = {
            "batch": self.batch,
            "of": self.last,
            "length": self.length(),
            "seconds": round(self.seconds, 2),
            **results,
            **{f"held_out_{name}": value for name, value in scores.items()},
        }
        if self.batch == 0:
            line["baselines"] = self.baselines()
            line["matmul_peak"] = self.peak
        with saving(self.run, "metrics", self.batch):
            self.run.append_metrics(line)
        self.model.reset_metrics()  # a state that is saved here begins a new interval
        self.watch.report(line)

    def baselines(self):
        scores = baselines(self.phases[0].examples, self.held_out()) if self.held_out() else {}
        return {name: score._asdict() for name, score in scores.items()}

    def length(self):
        """Of the examples that are being trained on."""
        phase = next(phase for phase in self.phases if self.batch <= phase.last)
        return phase.examples.header["settings"]["max_length"]

    def held_out(self):
        held_out = self.watch.held_out
        return held_out(self.length()) if callable(held_out) else held_out

    def speed(self, phase, batches_per_second):
        """Tokens and operations a second, and the seconds that are left at this pace."""
        flops = [cost_of_batch(each, self.recipe.config) for each in self.phases]
        here = self.phases.index(phase)
        left = sum(
            cost * max(0, each.last - max(self.batch, each.first))
            for cost, each in zip(flops, self.phases, strict=True)
        )
        tokens = phase.examples.batch_size * phase.examples.header["settings"]["max_length"]
        return {
            "tokens_per_second": tokens * batches_per_second,
            "useful_tokens_per_second": tokens * phase.examples.header["fill"] * batches_per_second,
            "share_of_peak": flops[here] * batches_per_second / self.peak,
            "seconds_left": left / (flops[here] * batches_per_second),
        }

    def is_due(self):
        """Whether to stop, or to save, after this batch."""
        return self.signals or time.monotonic() - self.saved_at >= self.watch.save_seconds

    def stop_or_save(self):
        if self.is_due():
            self.save()
        if self.signals:
            raise Stopped.by_signal(self.signals[0], self.batch, self.last, self.run.folder)

    def save(self):
        with saving(self.run, "state", self.batch):
            try:
                self.run.save(self.batch, self.tensors())
            except FloatingPointError as error:
                raise diverged(self.batch, self.run, self.recipe, f"{error}") from None
            save_pretrained(self.bert, self.run.folder / "checkpoint")
        self.saved_at = time.monotonic()

    def restore(self):
        self.batch, tensors = self.run.newest()
        if tensors is None:
            self.run.forget_metrics_after(-1)  # a run that died before its first state left a line
            return
        self.run.forget_metrics_after(self.batch)
        self.seconds = tensors.pop("seconds").item()
        self.unfinished_means = [v for name, v in tensors.items() if name.startswith("means/")]
        for name, variable in self.variables().items():
            value, shape = tensors.get(name), tuple(variable.shape)
            if value is None or value.shape != (shape or (1,)):  # one number is a row of one there
                raise ValueError(
                    "A state must hold every variable of the model and its optimizer: go on with "
                    "the versions of the course and of Keras that wrote it. "
                    f"Received: {self.run.folder}, lacking {name} {shape}"
                )
            variable.assign(value.reshape(shape))

    def tensors(self):
        """All that a state holds: the variables, and the means of the interval so far."""
        means = numbered("means", self.model.metrics_variables)
        arrays = {
            name: keras.ops.convert_to_numpy(variable)
            for name, variable in (self.variables() | means).items()
        }
        return {**arrays, "seconds": np.array(self.seconds)}

    def variables(self):
        """{name: variable} of all there is: weights, dropout's seeds, AdamW's m and v."""
        model = numbered("model", self.model.variables)
        return model | numbered("optimizer", self.model.optimizer.variables)


def cost_of_batch(phase, config):
    return phase.examples.batch_size * training_flops(config, *shape_of_batch(phase))


def shape_of_batch(phase):
    """(S, P) of its examples."""
    slots = phase.examples.batch(0)["masked_positions"].shape[1]
    return phase.examples.header["settings"]["max_length"], slots


def numbered(group, variables):
    """{name: variable}; the names of seeds alone would not do: they count what was built before."""
    return {f"{group}/{number:04d}/{v.name}": v for number, v in enumerate(variables)}


def compile_for_pretraining(model, recipe, steps):
    """Both losses are means over what is asked: masked words, not slots; pairs.

    Paper: BERT, appendix A.2: "the sum of the mean masked LM likelihood and the mean next sentence
    prediction likelihood".
    """
    rounded = recipe.precision == BFLOAT16_PRODUCTS
    speed_up(model, recipe.config, rounded)
    optimizer = build_optimizer(
        recipe.rate,
        steps,
        recipe.warm_up,
        recipe.accumulate,
        OPTIMIZERS[recipe.optimizer],
        recipe.beta_2,
        recipe.weight_decay,
    )
    losses = {
        task: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        for task in ("masked_words", "next_sentence")
    }
    speed_up_optimizer(optimizer, rounded)
    speed_up_loss(losses["masked_words"])
    model.compile(optimizer, losses, jit_compile=jit_compile())
    model.optimizer.build(model.trainable_variables)  # of float16 it is a wrapper of ours
    # Keras makes the means of the losses when it sees its first batch, but a state brings some.
    logits = {t: keras.ops.zeros([n or 1 for n in o.shape]) for t, o in model.output.items()}
    labels = {task: keras.ops.zeros(o.shape[:-1], "int32") for task, o in logits.items()}
    model.compute_loss(y=labels, y_pred=logits)
    model.reset_metrics()


class Batches(keras.utils.PyDataset):
    """Batches number `first` to `last` of examples, as `fit` wants them."""

    def __init__(self, examples, first, last):
        super().__init__()
        self.examples, self.first, self.last = examples, first, last

    def __len__(self):
        return self.last - self.first

    def __getitem__(self, number):
        batch = self.examples.batch(self.first + number)
        tasks = tasks_of(batch)
        return (
            {name: batch[name] for name in INPUTS},
            {task: labels for task, labels, _ in tasks},
            {task: weights for task, _, weights in tasks},
        )


class Clock(keras.callbacks.Callback):
    """Counts batches and seconds; sees a loss that is no number, and what is due after a batch."""

    def __init__(self, training, phase, end):
        super().__init__()
        self.training, self.phase, self.end = training, phase, end
        self.timed, self.timed_seconds = 0, 0.0  # without the first batch, which compiles
        self.losses = {}

    def on_epoch_begin(self, epoch, logs=None):
        means = self.training.unfinished_means
        if means is not None:  # Keras has just set them to 0
            for variable, value in zip(self.model.metrics_variables, means, strict=True):
                variable.assign(value.reshape(variable.shape))
            self.training.unfinished_means = None
        self.before = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        training = self.training
        self.losses = {name: float(value) for name, value in logs.items()}
        now = time.perf_counter()
        seconds, self.before = now - self.before, now
        training.batch += 1
        training.seconds += seconds
        if batch > 0:
            self.timed, self.timed_seconds = self.timed + 1, self.timed_seconds + seconds
        if not np.isfinite(self.losses["loss"]):
            raise diverged(training.batch, training.run, training.recipe)
        training.watch.tick(training.batch, training.last)
        if training.batch < self.end and training.is_due():
            training.model = self.model  # on JAX, to ask for it brings its variables up to date
            training.stop_or_save()
            self.before = time.perf_counter()

    def results(self):
        """Losses, and how fast it went."""
        results = {f"train_{name}": value for name, value in self.losses.items()}
        if self.timed:
            results |= self.training.speed(self.phase, self.timed / self.timed_seconds)
        return results
