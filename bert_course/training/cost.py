"""What a step of pretraining costs: multiplications, and what the machine can do."""

import time

import numpy as np
from keras import ops


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


def matmul_peak(precision="float32", size=2048, seconds=0.5):
    """Floating-point operations a second in the product of two large square matrices, measured.

    The best of several turns: what the machine can do, not what it does while others use it.
    """
    # The precisions of hardware.py, "bfloat16_products" among them, have the type in their names.
    dtype = next((name for name in ("bfloat16", "float16") if name in precision), "float32")
    rng = np.random.default_rng(0)
    square = ops.cast(rng.standard_normal((size, size), dtype="float32"), dtype)
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        product = ops.matmul(square, square)
        ops.convert_to_numpy(product[:1, :1])  # waits for the device
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
