"""How fast is a step of pretraining, as a ratio to keras-nlp's and Hugging Face's BERT?

    python benchmarks/pretraining_step.py
    python benchmarks/pretraining_step.py --torch-python OTHER/bin/python  # has torch
    python benchmarks/pretraining_step.py --scaling                      # length, depth; ours only

Length 128, batch 32, 20 masked positions, dropout 0.1, GELU with tanh, AdamW with clipping. Every
contestant is a process of its own; they run by turns on the same batch. On one thread the times are
the processor's, for machines are shared. keras-nlp is its `BertBackbone` with its `MaskedLMHead`
and our optimizer, Hugging Face `BertForPreTraining` in torch, float32; it computes the logits of
every position, as it comes.

`useful` is the ratio of tokens that are no padding: `times`, multiplied by the fill of our batches
and divided by that of theirs. Both fills are 1 unless told otherwise, for what a peer is fed is up
to its user; see "Documents of ids to masked examples" in RESULTS.md for ours.
"""

import argparse
import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

BATCH, LENGTH, SLOTS, RATE = 32, 128, 20, 1e-4
SIZES = {"tiny": (2, 128, 2, 512), "mini": (4, 256, 4, 1024)}  # L, H, A, width inside
CONTESTANTS = ("keras-nlp", "huggingface", "plain", "float32", "bfloat16")
STEPS = {"tiny": 8, "mini": 3}


def main():
    options = read_arguments()
    if options.child:
        return work(json.loads(options.child))
    print(f"A step of pretraining: batch {BATCH}, length {LENGTH}, {options.threads} thread(s)")
    if options.scaling:
        return scale(options)
    titles = ("ms", "times", "useful", "first, s", "peak, MiB")
    print(f"{'':6}{'V':>6}  {'':12}" + "".join(f"{title:>10}" for title in titles))
    names = [name for name in CONTESTANTS if can_run(name, options)]
    for size, words in [(s, w) for s in options.sizes for w in options.vocabularies]:
        compare(size, words, names, options)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--vocabularies", nargs="+", type=int, default=[8000, 2000])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--fill-ours", type=float, default=1.0)
    parser.add_argument("--fill-theirs", type=float, default=1.0)
    parser.add_argument("--torch-python", default=os.environ.get("TORCH_PYTHON", sys.executable))
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def can_run(name, options):
    """Whether this contestant is installed, and a line where it is not."""
    if name != "huggingface":
        return name != "keras-nlp" or importlib.util.find_spec("keras_hub")
    question = [options.torch_python, "-c", "import torch, transformers"]
    python = shutil.which(options.torch_python)
    if python and subprocess.run(question, capture_output=True).returncode == 0:
        return True
    print("Without Hugging Face: torch and transformers are not here (see --torch-python)")
    return False


class Contestant:
    """A process that does so many steps whenever it is told to."""

    def __init__(self, name, shape, words, length, options):
        self.name = name
        python = options.torch_python if name == "huggingface" else sys.executable
        job = {"name": name, "shape": shape, "words": words, "length": length}
        job["threads"] = options.threads
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        setting = {"KERAS_BACKEND": "tensorflow", "OMP_NUM_THREADS": str(options.threads)}
        self.process = subprocess.Popen(
            [python, __file__, "--child", json.dumps(job)],
            env={**os.environ, **quiet, **setting},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.first = float(self.answer())

    def answer(self):
        said = []
        while line := self.process.stdout.readline():
            if line.startswith("= "):
                return line[2:]
            said.append(line)
        raise RuntimeError(f"{self.name} ended early: {''.join(said)}")

    def steps(self, count):
        """Seconds a step."""
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return float(self.answer()) / count

    def end(self):
        """The most memory it has held, in MiB."""
        self.process.stdin.close()
        peak = float(self.answer())
        self.process.wait()
        return peak


def race(contestants, steps, turns):
    """{name: seconds a step, turn by turn}."""
    for contestant in contestants:
        contestant.steps(2)  # warm up
    rounds = [[c.steps(steps) for c in contestants] for _ in range(turns)]
    return dict(zip([c.name for c in contestants], zip(*rounds, strict=True), strict=True))


def compare(size, words, names, options):
    """One size and vocabulary; `times` as fast as keras-nlp or, without it, as the plain model."""
    contestants = [Contestant(name, SIZES[size], words, LENGTH, options) for name in names]
    seconds = race(contestants, STEPS[size], options.turns)
    base = "keras-nlp" if "keras-nlp" in names else "plain"
    for contestant in contestants:
        mine = seconds[contestant.name]
        ratio = statistics.median(b / a for a, b in zip(mine, seconds[base], strict=True))
        ours = contestant.name not in ("keras-nlp", "huggingface")
        useful = ratio * (options.fill_ours / options.fill_theirs if ours else 1)
        print(
            f"{size:6}{words:6}  {contestant.name:12}{1000 * statistics.median(mine):10.1f}"
            f"{ratio:10.2f}{useful:10.2f}{contestant.first:10.1f}{contestant.end():10.0f}",
            flush=True,
        )


def scale(options):
    """What longer and deeper models cost, as multiples of the first row."""
    layers, *widths = SIZES["tiny"]
    cases = [(LENGTH * n, layers) for n in (1, 2, 4)] + [(LENGTH, layers * n) for n in (2, 4)]
    print(f"{'length':>8}{'layers':>8}{'plain':>10}{'bfloat16':>10}{'gain':>8}")
    first = None
    for length, depth in cases:
        names = ("plain", "bfloat16")
        runners = [Contestant(n, (depth, *widths), 8000, length, options) for n in names]
        seconds = race(runners, 4, options.turns)
        medians = [statistics.median(seconds[name]) for name in names]
        first = first or medians
        gain = statistics.median(a / b for a, b in zip(*seconds.values(), strict=True))
        ratios = "".join(f"{m / f:10.2f}" for m, f in zip(medians, first, strict=True))
        print(f"{length:8}{depth:8}{ratios}{gain:8.2f}", flush=True)
        for runner in runners:
            runner.end()


def work(job):
    """The child: builds its model, and does the steps it is told to do on standard input."""
    step = (huggingface if job["name"] == "huggingface" else with_keras)(job)
    clock = time.process_time if job["threads"] == 1 else time.perf_counter
    start = clock()
    step()
    print("=", clock() - start, flush=True)
    for line in sys.stdin:
        start = clock()
        for _ in range(int(line)):
            step()
        print("=", clock() - start, flush=True)
    print("=", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


def make_batch(job):
    import numpy as np

    rng, length = np.random.default_rng(0), job["length"]
    places = rng.permuted(np.tile(np.arange(length), (BATCH, 1)), axis=1)[:, :SLOTS]
    return {
        "token_ids": rng.integers(0, job["words"], (BATCH, length)).astype("int32"),
        "segment_ids": np.tile(np.arange(length) >= length // 2, (BATCH, 1)).astype("int32"),
        "padding_mask": np.ones((BATCH, length), "int32"),
        "masked_positions": np.sort(places, axis=1).astype("int32"),
        "masked_words": rng.integers(0, job["words"], (BATCH, SLOTS)).astype("int32"),
        "next_sentence": rng.integers(0, 2, BATCH).astype("int32"),
    }


def with_keras(job):
    """A step of ours, or of keras-nlp's, on TensorFlow."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(job["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras

    from bert_course.training.optimization import build_optimizer
    from bert_course.training.speed import speed_up_loss, speed_up_optimizer

    model = keras_nlp(job) if job["name"] == "keras-nlp" else ours(job)
    optimizer = build_optimizer(RATE, 10_000)
    tasks = ("masked_words", "next_sentence")
    losses = {
        task: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        for task in tasks
    }
    if job["name"] in ("float32", "bfloat16"):
        speed_up_optimizer(optimizer, job["name"] == "bfloat16")
        speed_up_loss(losses["masked_words"])
    model.compile(optimizer, losses, jit_compile=False)
    optimizer.build(model.trainable_variables)
    batch = make_batch(job)
    inputs = {name: batch[name] for name in model.input}
    labels = {task: batch[task] for task in tasks}
    return lambda: model.train_on_batch(inputs, labels)


def ours(job):
    from bert_course.model.config import BertConfig
    from bert_course.model.encoder import build_encoder
    from bert_course.model.heads import build_pretraining_model
    from bert_course.training.speed import speed_up

    config = BertConfig(job["words"], *job["shape"], activation="gelu_tanh")
    model = build_pretraining_model(build_encoder(config), config)
    if job["name"] in ("float32", "bfloat16"):
        speed_up(model, config, bfloat16=job["name"] == "bfloat16")
    return model


def keras_nlp(job):
    import keras
    import keras_hub

    layers, hidden, heads, inner = job["shape"]
    backbone = keras_hub.models.BertBackbone(
        job["words"], layers, heads, hidden, inner, dropout=0.1, max_sequence_length=512
    )
    positions = keras.Input((None,), dtype="int32", name="masked_positions")
    outputs = backbone(backbone.input)
    head = keras_hub.layers.MaskedLMHead(
        token_embedding=backbone.token_embedding,
        intermediate_activation=lambda x: keras.activations.gelu(x, approximate=True),
        layer_norm_epsilon=1e-12,
        kernel_initializer=keras.initializers.TruncatedNormal(0.02),
    )
    answers = {
        "masked_words": head(outputs["sequence_output"], mask_positions=positions),
        "next_sentence": keras.layers.Dense(2)(outputs["pooled_output"]),
    }
    return keras.Model({**backbone.input, "masked_positions": positions}, answers)


def huggingface(job):
    """A step of `BertForPreTraining`, in torch, with AdamW and clipping."""
    import numpy as np
    import torch
    import transformers

    torch.set_num_threads(job["threads"])
    layers, hidden, heads, inner = job["shape"]
    config = transformers.BertConfig(
        vocab_size=job["words"],
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        hidden_act="gelu_pytorch_tanh",
    )
    model = transformers.BertForPreTraining(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    batch = make_batch(job)
    labels = np.full(batch["token_ids"].shape, -100)  # -100: not asked
    np.put_along_axis(labels, batch["masked_positions"], batch["masked_words"], axis=1)
    inputs = {
        "input_ids": batch["token_ids"],
        "token_type_ids": batch["segment_ids"],
        "attention_mask": batch["padding_mask"],
        "labels": labels,
        "next_sentence_label": batch["next_sentence"],
    }
    inputs = {name: torch.as_tensor(array).long() for name, array in inputs.items()}

    def step():
        optimizer.zero_grad()
        model(**inputs).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
