"""How much memory pretraining takes, and into how many parts a batch is cut so that it fits."""

import dataclasses
import json
import math
import pathlib
from typing import NamedTuple

from bert_course.training.pretraining import plan, shape_of_batch

FRAMEWORK = 0.9 * 2**30  # TensorFlow and what it compiled, on a CPU: 0.8 to 0.9 GB were measured
SHARE = 0.75  # of the memory may be used; the rest is for other programs, and for our errors


class Memory(NamedTuple):
    """Bytes that a process needs which pretrains, apart from its rows, and for each of them."""

    fixed: float
    a_row: float


def training_memory(config, length, slots, precision="float32", parts=1):
    """An estimate -> `Memory`; see RESULTS.md for how far it is from what was measured.

    Each parameter is there four times in float32: it, its gradient, m and v; and once more where
    gradients are added up. For the backward pass a block keeps some 20 (S, H) and 3 (A, S, S), the
    embeddings 10 (S, H), the head its (P, V) of logits twice.

    Args:
        parts: batches that make a step.
    """
    width, vocab_size = config.hidden_dim, config.vocab_size
    blocks = config.num_layers * (4 * width**2 + 2 * width * config.intermediate_dim)
    parameters = blocks + width * (vocab_size + config.max_length) + 2 * width**2
    block = 20 * length * width + 3 * config.num_heads * length**2
    kept = config.num_layers * block + 10 * length * width + 2 * slots * vocab_size
    half = precision in ("mixed_bfloat16", "mixed_float16")
    copies = 5 if parts > 1 else 4
    return Memory(FRAMEWORK + 4 * copies * parameters, (2 if half else 4) * kept)


def parts_that_fit(sizes, memory_of, memory):
    """The fewest parts of equal size to cut batches into so that each fits, one number for all.

    Args:
        sizes: sequences of a batch, for each length that is trained on.
        memory_of: for each of them, the function parts -> `Memory`.
        memory: bytes that there are.
    """
    most = math.gcd(*sizes)

    def needed(parts):
        needs = [each(parts) for each in memory_of]
        return max(m.fixed + m.a_row * size // parts for m, size in zip(needs, sizes, strict=True))

    for parts in range(1, most + 1):
        if most % parts == 0 and needed(parts) <= SHARE * memory:
            return parts
    raise ValueError(
        f"A part of a batch must fit {SHARE:.0%} of the memory, {in_gb(SHARE * memory)}: take a "
        f"smaller model, shorter examples, or batches with more divisors in common than {most}. "
        f"Received: batches of {', '.join(map(str, sizes))}, the smallest parts of which take "
        f"{in_gb(needed(most))}"
    )


def fit_to_memory(recipe, folders, memory, begun=None):
    """The recipe with each batch cut into as many parts as the memory asks for.

    Args:
        memory: bytes that there are.
        begun: the folder of a run to go on with, which stays cut as it was.
    """
    cut = begun and as_it_was_cut(recipe, begun)
    if cut:
        return cut
    phases = plan(recipe, folders)
    sizes = [phase.examples.batch_size for phase in phases]
    memory_of = [needs_of(recipe, *shape_of_batch(phase)) for phase in phases]
    parts = parts_that_fit(sizes, memory_of, memory)
    smaller = tuple(size // parts for size in sizes)
    return dataclasses.replace(recipe, batch_size=smaller, accumulate=parts)


def needs_of(recipe, length, slots):
    """parts -> `Memory` of a recipe, for `parts_that_fit`."""
    return lambda parts: training_memory(recipe.config, length, slots, recipe.precision, parts)


def as_it_was_cut(recipe, folder):
    """The recipe with the parts that run.json has, if they make the same batches; or None."""
    try:
        before = json.loads(pathlib.Path(folder, "run.json").read_text("utf-8"))["recipe"]
        sizes, parts = tuple(before["batch_size"]), before["accumulate"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # what is wrong with it is said where the run is opened
    whole = recipe.batch_size
    wanted = tuple(whole) if isinstance(whole, (tuple, list)) else (whole,)
    wanted *= len(sizes) if len(wanted) == 1 else 1  # one number will do for several folders
    if tuple(size * parts for size in sizes) != wanted:
        return None
    return dataclasses.replace(recipe, batch_size=sizes, accumulate=parts)


def in_gb(number):
    return f"{number / 2**30:.2g} GB"
