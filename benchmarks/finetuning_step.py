"""How fast is fine-tuning, as a ratio to the usual loop with Hugging Face's BERT in torch?

    BERT_COURSE_DATA=DATA python benchmarks/finetuning_step.py all-MiniLM-L6-v2 \\
        --torch-python OTHER/bin/python  # has torch and transformers; without, ours only
    BERT_COURSE_DATA=DATA python benchmarks/finetuning_step.py all-MiniLM-L6-v2 --accuracy

SST-2's 6,920 whole sentences, the model's own weights, all of which learn: batch 32, windows of at
most 128 pieces, dropout 0.1, AdamW with clipping and a falling rate, float32 unless named
otherwise. Ours is `Training.train`, the epoch of `finetune`; theirs is
`BertForSequenceClassification` with torch's fused AdamW. Every contestant is a process of its own;
they run by turns, on as many threads as there are cores. On one thread the times are the
processor's, for machines are shared.

Batches are padded to 128, or to the longest of their texts ("longest"; ours goes on to a multiple
of 8), and texts are drawn at random or by length, as `batches_by_length` does. A turn by length
draws from an epoch's batches, sorted by width, one of every so many, so that each turn has short
and long ones. `times` is the ratio of sentences a second to Hugging Face's padded to 128 (without
it, to the first row's), the median over the turns; `first` is the time of a first batch, with
whatever is compiled then.

`--accuracy` fine-tunes on some rows with texts by length and at random, all else the same.
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from unittest import mock

from pretraining_step import Contestant, can_run

BATCH, LENGTH, RATE = 32, 128, 1e-4
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
CONTESTANTS = {  # whose, how texts are drawn, how wide batches are, precision
    "hf-128": ("Hugging Face", "at random", "128", "float32"),
    "hf-longest": ("Hugging Face", "at random", "longest", "float32"),
    "hf-by-length": ("Hugging Face", "by length", "longest", "float32"),
    "ours-128": ("ours", "at random", "128", "float32"),
    "ours": ("ours", "by length", "longest", "float32"),
    "ours-bfloat16": ("ours", "by length", "longest", "bfloat16_products"),
}


def main():
    options = read_arguments()
    if options.child:
        return work(json.loads(options.child))
    if not options.model:
        sys.exit(__doc__)
    compare_accuracy(options) if options.accuracy else compare_speed(options)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="a folder in Hugging Face's layout")
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), choices=CONTESTANTS)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--batches", type=int, default=5, help="a turn; by length, four times that")
    parser.add_argument("--torch-python", default=os.environ.get("TORCH_PYTHON", sys.executable))
    parser.add_argument("--accuracy", action="store_true")
    parser.add_argument("--rows", type=int, default=600, help="for --accuracy: of train")
    parser.add_argument("--dev", type=int, default=400, help="for --accuracy: of dev")
    parser.add_argument("--epochs", type=int, default=2, help="for --accuracy")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="for --accuracy")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


# -------------------------------------------------------------------------------------- speed


def compare_speed(options):
    task, ids = read_sentences(options.model)
    lengths = [len(text) for text in ids]
    print(
        f"Fine-tuning on {len(ids):,} sentences of {statistics.mean(lengths):.1f} pieces: batch "
        f"{BATCH}, {THREADS} thread(s)"
    )
    print(
        f"{'':13} {'texts':10} {'width':8} {'precision':17}"
        + "".join(f"{title:>11}" for title in ("sentences/s", "times", "epoch, s", "fill"))
        + f"{'first, s':>10}{'peak, MiB':>11}"
    )
    has_torch = can_run("huggingface", options)
    names = [n for n in options.contestants if has_torch or whose(n) == "ours"]
    drawn = {name: draw(name, lengths) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "data.json"
        labels = [task.labels.index(row.label) for row in task.train]
        data.write_text(json.dumps({"ids": ids, "labels": labels}))
        job = {"model": options.model, "data": str(data)}
        contestants = [Finetuner(name, job, options) for name in names]
        rates = race(contestants, drawn, options)
    base = rates.get("hf-128", rates[names[0]])
    for contestant in contestants:
        name, mine = contestant.name, rates[contestant.name]
        speed = statistics.median(mine)
        ratio = statistics.median(a / b for a, b in zip(mine, base, strict=True))
        print(
            "{:13} {:10} {:8} {:17}".format(*CONTESTANTS[name])
            + f"{speed:11.1f}{ratio:11.2f}{len(ids) / speed:11.0f}"
            + f"{fill(name, drawn[name], lengths):11.2f}"
            + f"{contestant.first:10.1f}{contestant.end():11.0f}"
        )


def whose(name):
    return CONTESTANTS[name][0]


def read_model(folder):
    from bert_course.model.checkpoints import load_pretrained

    with warnings.catch_warnings(action="ignore"):  # it may lack the pretraining heads
        return load_pretrained(folder)


def read_sentences(folder):
    """SST-2, and its train as lists of ids."""
    from bert_course.training.tasks import open_task
    from bert_course.training.windows import read_text

    task, tokenizer = open_task("sst2"), read_model(folder).tokenizer
    windows = [read_text(tokenizer, row, n, LENGTH) for n, row in enumerate(task.train)]
    return task, [window.ids for several in windows for window in several]


class Finetuner(Contestant):
    """A process that learns from batches, which it is told as numbers of texts."""

    def __init__(self, name, job, options):
        self.name = name
        python = options.torch_python if whose(name) == "Hugging Face" else sys.executable
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        setting = {"KERAS_BACKEND": "tensorflow", "OMP_NUM_THREADS": str(THREADS)}
        self.process = subprocess.Popen(
            [python, __file__, "--child", json.dumps(job | {"name": name})],
            env={**os.environ, **quiet, **setting},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def seconds(self, batches):
        self.process.stdin.write(json.dumps(batches) + "\n")
        self.process.stdin.flush()
        return float(self.answer())


def race(contestants, drawn, options):
    """{name: sentences a second, turn by turn}."""
    rates = {contestant.name: [] for contestant in contestants}
    for contestant in contestants:
        batches = drawn[contestant.name]
        contestant.first = contestant.seconds(batches[:1])
        contestant.seconds([batches[-1], batches[len(batches) // 2]])  # warm up, in other widths
    for turn in range(options.turns):
        for contestant in contestants:
            batches = of_turn(contestant.name, drawn[contestant.name], turn, options.batches)
            seconds = contestant.seconds(batches)
            rates[contestant.name].append(sum(map(len, batches)) / seconds)
    return rates


def draw(name, lengths):
    """An epoch's batches, as lists of numbers; those by length begin with the shortest."""
    import numpy as np

    from bert_course.training.finetuning import batches_by_length

    rng = np.random.default_rng(0)
    if CONTESTANTS[name][1] == "at random":
        return [batch.tolist() for batch in batches_at_random(lengths, BATCH, rng)]
    batches = batches_by_length(np.array(lengths), BATCH, rng)
    return sorted((b.tolist() for b in batches), key=lambda b: max(lengths[n] for n in b))


def batches_at_random(lengths, batch_size, rng):
    order = rng.permutation(len(lengths))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def of_turn(name, batches, turn, count):
    if CONTESTANTS[name][1] == "at random":
        first = turn * count % len(batches)
        return (batches[first:] + batches)[:count]
    rng, parts = random.Random(turn), min(len(batches), 4 * count)
    ends = [len(batches) * part // parts for part in range(parts + 1)]
    return [rng.choice(batches[a:b]) for a, b in itertools.pairwise(ends)]


def fill(name, batches, lengths):
    """The share of an epoch's places that hold a piece."""
    from bert_course.training.finetuned import STEP

    places = 0
    for batch in batches:
        longest = max(lengths[n] for n in batch)
        if CONTESTANTS[name][2] == "128":
            longest = LENGTH
        elif whose(name) == "ours":
            longest = min(LENGTH, -(-longest // STEP) * STEP)
        places += len(batch) * longest
    return sum(lengths) / places


# ----------------------------------------------------------------------------------- a process


def work(job):
    """The child: builds its model, and learns from the batches on standard input, a line a turn."""
    learn = (huggingface if whose(job["name"]) == "Hugging Face" else ours)(job)
    clock = time.process_time if THREADS == 1 else time.perf_counter
    for line in sys.stdin:
        batches = json.loads(line)
        start = clock()
        learn(batches)
        print("=", clock() - start, flush=True)
    print("=", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


def ours(job):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from bert_course.training import finetuned, finetuning
    from bert_course.training.hardware import computing_in
    from bert_course.training.tasks import open_task

    _, _, width, precision = CONTESTANTS[job["name"]]
    recipe = finetuning.Recipe(batch_size=BATCH, rate=RATE, max_length=LENGTH, precision=precision)
    if width == "128":
        finetuned.width_of = lambda windows, most: most
    with computing_in(precision):
        training = finetuning.Training(read_model(job["model"]), open_task("sst2"), recipe, None)
    training.begin(seed=0)

    def learn(batches):
        finetuning.batches_by_length = lambda lengths, batch_size, rng: batches
        training.train(seed=0)

    return learn


def huggingface(job):
    import torch
    import transformers

    torch.set_num_threads(THREADS)
    data = json.loads(pathlib.Path(job["data"]).read_text())
    model = transformers.BertForSequenceClassification.from_pretrained(
        job["model"], num_labels=len(set(data["labels"])), dtype=torch.float32
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01, fused=True)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 100, 10_000)

    def inputs(numbers):
        texts = [torch.tensor(data["ids"][number]) for number in numbers]
        ids = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)  # (B, S), [PAD] is 0
        if CONTESTANTS[job["name"]][2] == "128":
            ids = torch.nn.functional.pad(ids, (0, LENGTH - ids.shape[1]))
        return {
            "input_ids": ids,
            "attention_mask": (ids > 0).long(),
            "labels": torch.tensor([data["labels"][number] for number in numbers]),
        }

    def learn(batches):
        for numbers in batches:
            optimizer.zero_grad()
            model(**inputs(numbers)).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()

    return learn


# ------------------------------------------------------------------------------------ accuracy


def compare_accuracy(options):
    """What is learned from batches by length, and from the same texts at random."""
    import numpy as np

    from bert_course.training import finetuning
    from bert_course.training.tasks import open_task

    task, bert = open_task("sst2"), read_model(options.model)
    chosen = np.random.default_rng(0).permutation(len(task.train))[: options.rows]
    task = task._replace(train=[task.train[n] for n in chosen], dev=task.dev[: options.dev])
    recipe = finetuning.Recipe(
        epochs=options.epochs, batch_size=BATCH, rate=RATE, max_length=LENGTH
    )
    print(
        f"Accuracy on {len(task.dev)} rows of dev, after {options.epochs} epochs of "
        f"{len(task.train)} rows"
    )
    print(f"{'texts':12}" + "".join(f"{f'seed {seed}':>9}" for seed in options.seeds) + "     mean")
    ways = {"by length": finetuning.batches_by_length, "at random": batches_at_random}
    for name, draw_batches in ways.items():
        with mock.patch.object(finetuning, "batches_by_length", draw_batches):
            tuned = finetuning.finetune(bert, task, recipe=recipe, seeds=options.seeds)
        scores = [result["history"][-1]["accuracy"] for result in tuned.results]
        shown = "".join(f"{score:9.4f}" for score in [*scores, statistics.mean(scores)])
        print(f"{name:12}{shown}", flush=True)


if __name__ == "__main__":
    main()
