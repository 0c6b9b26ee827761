"""What a step costs: against the products that a model really computes, and published counts."""

import time
from dataclasses import replace

import numpy as np
import pytest

from bert_course.model.config import BASE, LARGE, MINI, TINY
from bert_course.training import cost
from bert_course.training.cost import matmul_peak, training_flops

import keras  # isort: skip (bert_course first)


def forward_products(config, length, slots):
    """(m, k, n) of every matrix product of the forward pass of one sequence, one by one."""
    wide, inner, heads = config.hidden_dim, config.intermediate_dim, config.num_heads
    for _ in range(config.num_layers):
        for _ in "query", "key", "value", "join":
            yield length, wide, wide
        for _ in range(heads):
            yield length, wide // heads, length  # QKᵀ
            yield length, length, wide // heads  # its softmax times V
        yield length, wide, inner
        yield length, inner, wide
    yield 1, wide, wide  # the pooler
    yield 1, wide, 2
    yield slots, wide, wide
    yield slots, wide, config.vocab_size


@pytest.mark.parametrize("config", [TINY, MINI, BASE, LARGE, replace(TINY, intermediate_dim=100)])
@pytest.mark.parametrize(("length", "slots"), [(64, 10), (128, 20), (512, 77)])
def test_every_product_is_counted(config, length, slots):
    forward = sum(2 * m * k * n for m, k, n in forward_products(config, length, slots))
    assert training_flops(config, length, slots) == 3 * forward


def test_six_operations_a_parameter_and_token():
    """The rule of thumb: at short lengths, 6 for each weight of the blocks (85 million in BASE)."""
    weights = BASE.num_layers * (4 * BASE.hidden_dim**2 + 2 * BASE.hidden_dim * 3072)
    assert weights == 84_934_656
    a_token = training_flops(BASE, 64, 0) / 64
    assert 6 * weights < a_token < 1.02 * 6 * weights
    assert training_flops(BASE, 512, 0) / 512 > 1.1 * 6 * weights  # attention, at long ones


def test_the_forward_pass_of_bert_base():
    """22.3 billion operations for 128 tokens, worked out on paper."""
    blocks = 12 * (2 * 128 * (4 * 768**2 + 2 * 768 * 3072) + 2 * 2 * 128**2 * 768)
    assert blocks == 22_347_251_712
    assert training_flops(BASE, 128, 0) / 3 == blocks + 2 * 768**2 + 2 * 768 * 2


@pytest.mark.parametrize("size", [256, 512])
def test_the_peak_is_that_of_the_best_product(size):
    peak = matmul_peak(size=size, seconds=0.05)
    assert 1e8 < peak < 1e16


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("float32", "float32"),
        ("bfloat16_products", "bfloat16"),
        ("mixed_bfloat16", "bfloat16"),
        ("mixed_float16", "float16"),
    ],
)
def test_the_peak_is_of_products_in_the_precision(monkeypatch, precision, dtype):
    seen = set()

    def matmul(left, right):
        seen.add(keras.backend.standardize_dtype(left.dtype))
        return left

    monkeypatch.setattr(cost.ops, "matmul", matmul)
    cost.matmul_peak(precision, size=8, seconds=0.001)
    assert seen == {dtype}


def test_the_peak_of_numpy_is_not_far():
    """Within a factor of 30: the same product, by another library, on the same machine or a GPU."""
    square = np.random.default_rng(0).standard_normal((512, 512), dtype="float32")
    square @ square
    start = time.perf_counter()
    square @ square
    by_numpy = 2 * 512**3 / (time.perf_counter() - start)
    assert matmul_peak(size=512, seconds=0.1) > by_numpy / 30
