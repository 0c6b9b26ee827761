"""What a step of pretraining costs: multiplications, memory, and what the machine can do."""

import math
import time

import numpy as np
from keras import ops

from bert_course.training.hardware import BFLOAT16_PRODUCTS


def training_flops(config, length, slots):
    """Floating-point operations to learn from one sequence: 3 times those of its forward pass.

    A matrix product of (m, k) and (k, n) is 2 m k n; the backward pass has two for each. All else
    (LayerNorm, softmax, GELU, the optimizer) is left out, as is usual.

    Args:
        length: S, padding included, for it is computed as well.
        slots: P, the masked positions of a sequence.
    """
    width, inner = config.hidden_dim, config.intermediate_dim
    projections = 2 * length * (4 * width**2 + 2 * width * inner)  # Q K V and join; expand, shrink
    attention = 2 * 2 * length**2 * width  # QKᵀ and its product with V
    words = 2 * slots * (width**2 + width * config.vocab_size)
    pairs = 2 * width**2 + 2 * width * 2
    return 3 * (config.num_layers * (projections + attention) + words + pairs)


def training_memory(config, length, slots, rows, precision="float32"):
    """Bytes that a step of pretraining holds at most, estimated: variables, and what rows leave.

    Each parameter is there four times in float32: it, its gradient, m and v. For the backward pass
    a block keeps some 20 (S, H) and 3 (A, S, S), the embeddings 10 (S, H), the head its (P, V) of
    logits twice. Fitted to measured peaks, see RESULTS.md.
    """
    width, vocab_size = config.hidden_dim, config.vocab_size
    blocks = config.num_layers * (4 * width**2 + 2 * width * config.intermediate_dim)
    variables = 4 * (blocks + width * (vocab_size + config.max_length) + 2 * width**2)
    block = 20 * length * width + 3 * config.num_heads * length**2
    kept = config.num_layers * block + 10 * length * width + 2 * slots * vocab_size
    half = precision in ("mixed_bfloat16", "mixed_float16")
    return 4 * variables + (2 if half else 4) * rows * kept


def parts_that_fit(sizes, bytes_of, memory):
    """The fewest parts of equal size to cut batches into, so that each part fits the memory.

    Args:
        sizes: sequences of a batch, for each length that is trained on.
        bytes_of: for each of them, the function rows -> bytes of a step.
        memory: bytes, of which a quarter is left for what is not counted.
    """
    most = math.gcd(*sizes)
    for parts in range(1, most + 1):
        fits = all(
            takes(size // parts) <= 0.75 * memory
            for size, takes in zip(sizes, bytes_of, strict=True)
        )
        if most % parts == 0 and fits:
            return parts
    raise ValueError(
        "A step must fit the memory when its batch is cut into as many parts as divide it: take a "
        "smaller model, shorter examples or a batch that is a power of 2. Received: "
        f"batches of {', '.join(map(str, sizes))}, of which the smallest parts take "
        f"{max(t(s // most) for s, t in zip(sizes, bytes_of, strict=True)) / 2**30:.2g} GB, and "
        f"{memory / 2**30:.2g} GB of memory"
    )


def matmul_peak(precision="float32", size=2048, seconds=0.5):
    """Floating-point operations a second in the product of two large square matrices, measured.

    The best of several turns: what the machine can do, not what it does while others use it.
    """
    rounded = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
    dtype = {**rounded, BFLOAT16_PRODUCTS: "bfloat16"}.get(precision, "float32")
    rng = np.random.default_rng(0)
    square = ops.cast(rng.standard_normal((size, size), dtype="float32"), dtype)
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        product = ops.matmul(square, square)
        ops.convert_to_numpy(product[:1, :1])  # waits for the device
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
