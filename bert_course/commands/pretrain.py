"""`python -m bert_course pretrain`: pretraining examples -> a model."""

import argparse
import dataclasses
import pathlib

from tqdm import tqdm

CONFIGS = ("tiny", "mini", "small", "base", "large")
SIZES = {  # option: (field of BertConfig, type)
    "--layers": ("num_layers", int),
    "--width": ("hidden_dim", int),
    "--heads": ("num_heads", int),
    "--inner": ("intermediate_dim", int),
    "--max-length": ("max_length", int),
    "--dropout": ("dropout", float),
}


def add_to(commands):
    parser = commands.add_parser(
        "pretrain",
        help="pretraining examples -> a model",
        description="Train a BERT to fill blanks and to know next sentences. A run that was "
        "stopped, even by kill -9, goes on with --resume and ends with the same weights. Exit "
        "codes: 0 done, 2 refused, 3 the loss is no number, 4 a file could not be written, "
        "5 a batch does not fit the memory, 130 Ctrl-C, 143 SIGTERM.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--examples", nargs="+", required=True, metavar="FOLDER", help="short ones first")
    add("--config", default="tiny", choices=CONFIGS, help="sizes to choose from (tiny)")
    for option, (name, kind) in SIZES.items():
        add(option, dest=name, type=kind, metavar="N", help=f"another {name}")
    add("--checkpoint", metavar="FOLDER", help="a model to go on with, instead of random weights")
    add("--steps", nargs="+", type=int, required=True, metavar="N", help="for each folder")
    add(
        "--out", required=True, metavar="FOLDER", help="of the run; the model is in its checkpoint/"
    )
    add("--resume", action="store_true", help="go on with the run in --out")
    add("--batch", nargs="+", type=int, default=[32], metavar="N", help="sequences at once (32)")
    add(
        "--accumulate",
        type=number_or_auto,
        default=1,
        metavar="N",
        help="batches that make a step (1); auto: --batch makes a step, in as many parts as the "
        "memory asks for, which count as batches, and whose masks are others than the whole's",
    )
    add("--rate", type=float, default=1e-3, metavar="R", help="highest learning rate (0.001)")
    add("--warm-up", type=int, metavar="N", help="steps to get there (a tenth)")
    add("--optimizer", default="adamw", choices=("adamw", "lamb", "muon"), help="(adamw)")
    add("--beta-2", type=float, default=0.999, metavar="B", help="AdamW's second (0.999)")
    add("--initial-std", type=float, default=0.02, metavar="S", help="of the weights (0.02)")
    add("--waves", action="store_true", help="begin with sine waves for positions")
    add("--alike", action="store_true", help="begin with looking for what is alike")
    add("--weight-decay", type=float, default=0.01, metavar="D", help="(0.01)")
    add("--share", type=float, default=0.15, metavar="S", help="of words to hide (0.15)")
    add("--whole-words", action="store_true", help="hide words, not pieces")
    add("--seed", type=int, default=0, metavar="N", help="(0)")
    add("--precision", metavar="P", help="float32, mixed_bfloat16, ... (what suits the machine)")
    add("--held-out", metavar="FOLDER", help="examples of other texts, to evaluate on 640 of them")
    add("--every", type=int, metavar="N", help="batches between evaluations (a 20th of all)")
    add("--tensorboard", metavar="FOLDER", help="also write the metrics there")


def number_or_auto(text):
    if text == "auto" or text.isdecimal():
        return text if text == "auto" else int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number, or auto. Received: {text!r}")


def run(options):
    from bert_course.model.checkpoints import load_pretrained  # Keras is slow to start
    from bert_course.training.pretraining import Watch, pretrain

    options.out = pathlib.Path(options.out).expanduser()
    start = load_pretrained(options.checkpoint) if options.checkpoint else None
    recipe = recipe_from(options, start)
    with Lines(options.tensorboard) as lines:
        watch = Watch(held_out_batches(options, recipe), options.every, lines, lines.tick)
        pretrain(recipe, options.examples, options.out, options.resume, watch, start)
    draw(options.out)
    print(f"the model is in {pathlib.Path(options.out, 'checkpoint')}")
    return 0


def recipe_from(options, start=None):
    from bert_course.model import config
    from bert_course.text.examples import open_examples
    from bert_course.training.hardware import choose_precision
    from bert_course.training.pretraining import Recipe

    sizes = {
        name: getattr(options, name)
        for name, _ in SIZES.values()
        if getattr(options, name) is not None
    }
    vocab_size = len(open_examples(options.examples[0]).vocabulary)
    named = start.config if start else getattr(config, options.config.upper())
    recipe = Recipe(
        config=dataclasses.replace(named, vocab_size=vocab_size, **sizes),
        steps=tuple(options.steps),
        batch_size=tuple(options.batch),
        rate=options.rate,
        warm_up=options.warm_up,
        accumulate=1 if options.accumulate == "auto" else options.accumulate,
        optimizer=options.optimizer,
        beta_2=options.beta_2,
        initial_std=options.initial_std,
        waves=options.waves,
        alike=options.alike,
        weight_decay=options.weight_decay,
        share=options.share,
        whole_words=options.whole_words,
        seed=options.seed,
        precision=options.precision or choose_precision(),
    )
    return recipe if options.accumulate != "auto" else cut_to_fit(recipe, options)


def cut_to_fit(recipe, options):
    """The recipe with batches that fit the memory, and a line that says how they are cut."""
    from bert_course.training.hardware import device_memory
    from bert_course.training.memory import fit_to_memory, in_gb

    memory = device_memory()
    cut = fit_to_memory(recipe, options.examples, memory, options.resume and options.out)
    sizes = " ".join(map(str, cut.batch_size))
    print(f"{in_gb(memory)} of memory: as --batch {sizes} --accumulate {cut.accumulate}")
    return cut


def held_out_batches(options, recipe, count=640, most=32):
    """The same examples each time, with the same words hidden; no batch is larger than to learn."""
    from bert_course.text.examples import open_examples

    if not options.held_out:
        return []
    size = min(most, *recipe.batch_size)
    examples = open_examples(
        options.held_out, size, whole_words=options.whole_words, share=options.share
    )
    if examples.vocabulary.sha256 != open_examples(options.examples[0]).vocabulary.sha256:
        raise ValueError(
            "Held-out examples must be made with the vocabulary of those to learn from: write them "
            f"again. Received: {options.held_out}, with another one"
        )
    return [examples.batch(step) for step in range(min(count // size, examples.steps_per_epoch))]


COLUMNS = (  # heading, width, what to print of a line of metrics.jsonl, how
    ("batch", 9, "batch", "{:,}"),
    ("train loss", 10, "train_loss", "{:.3f}"),
    ("words: loss", 11, "held_out_masked_words_loss", "{:.3f}"),
    ("accuracy", 8, "held_out_masked_words_accuracy", "{:.3f}"),
    ("next: accuracy", 14, "held_out_next_sentence_accuracy", "{:.3f}"),
    ("tokens/s", 8, "tokens_per_second", "{:,.0f}"),
    ("useful", 8, "useful_tokens_per_second", "{:,.0f}"),
    ("of peak", 7, "share_of_peak", "{:.0%}"),
    ("left", 8, "seconds_left", None),
)


class Lines:
    """Prints a line for each evaluation; on a terminal, a bar shows what is between them."""

    def __init__(self, tensorboard=None):
        self.board = Board(tensorboard) if tensorboard else None
        self.started = False
        self.bar = tqdm(unit="batch", disable=None, leave=False)

    def __call__(self, line):
        if not self.started:
            self.started = True
            self.print(" ".join(f"{heading:>{width}}" for heading, width, *_ in COLUMNS))
            for name, score in line.get("baselines", {}).items():
                loss, accuracy = score["cross_entropy"], score["accuracy"]
                self.print(f"{name:>20} {loss:11.3f} {accuracy:8.3f}")
        self.print(" ".join(format_column(line, *column[1:]) for column in COLUMNS))
        if self.board:
            self.board(line)

    def tick(self, batch, of):
        self.bar.total = of
        self.bar.update(batch - self.bar.n)

    def print(self, text):
        self.bar.clear()
        print(text, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()
        if self.board:
            self.board.writer.close()


def format_column(line, width, name, how):
    value = line.get(name)
    if value is None:
        text = ""
    else:
        text = how.format(value) if how else f"{int(value) // 60}:{int(value) % 60:02d}"
    return f"{text:>{width}}"


class Board:
    """Writes every number of a line for TensorBoard."""

    def __init__(self, folder):
        try:
            import tensorboard  # noqa: F401 (TensorFlow uses it)
            import tensorflow as tf
        except ImportError as error:
            raise ValueError(
                "--tensorboard takes the packages tensorflow and tensorboard: `pip install` what "
                "is missing, or leave the option out; all numbers are in metrics.jsonl, too. "
                f"Received: {error}"
            ) from None
        self.tf, self.writer = tf, tf.summary.create_file_writer(str(folder))

    def __call__(self, line):
        with self.writer.as_default(step=line["batch"]):
            for name, value in line.items():
                if isinstance(value, float):
                    self.tf.summary.scalar(name, value)


def draw(folder):
    """The learning curve, as a picture in the folder of the run."""
    from bert_course.insight.show import learning_curves, save_figure
    from bert_course.training.run_folder import read_metrics

    first, *_ = lines = read_metrics(folder)
    scored = [line for line in lines if "held_out_masked_words_accuracy" in line]
    if len(scored) > 1:
        baselines = {name: score["accuracy"] for name, score in first["baselines"].items()}
        learning_curves(scored, baselines)
        save_figure(pathlib.Path(folder, "curve.png"))
