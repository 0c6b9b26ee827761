"""What a step costs: against the products that a model really computes, and published counts."""

import time
from dataclasses import replace

import numpy as np
import pytest

from bert_course.model.config import BASE, LARGE, MINI, TINY
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import build_pretraining_model
from bert_course.training.cost import (
    matmul_peak,
    parts_that_fit,
    training_flops,
    training_memory,
)


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


def test_memory_of_the_variables_is_that_of_the_model():
    """Four numbers for each parameter, and biases forgotten: within a percent."""
    config = replace(MINI, vocab_size=1_000)
    model = build_pretraining_model(build_encoder(config), config)
    assert training_memory(config, 128, 20, 0) == pytest.approx(16 * model.count_params(), rel=0.01)


@pytest.mark.parametrize(
    ("config", "length", "slots", "measured"),
    [(TINY, 128, 20, 5.41), (MINI, 128, 20, 16.42), (MINI, 512, 77, 85.39)],
)
def test_memory_of_rows_is_near_what_was_measured(config, length, slots, measured):
    """MiB a row (benchmarks/memory.py, see RESULTS.md): within a quarter; 2 layers more are not."""
    config = replace(config, vocab_size=8_000)

    def a_row(config, precision="float32"):
        two, one = (training_memory(config, length, slots, rows, precision) for rows in (2, 1))
        return (two - one) / 2**20

    assert a_row(config) == pytest.approx(measured, rel=0.25)
    deeper = replace(config, num_layers=config.num_layers + 2)
    assert a_row(deeper) != pytest.approx(measured, rel=0.25)
    assert a_row(config, "mixed_bfloat16") == a_row(config) / 2


def test_a_batch_is_cut_until_it_fits():
    """10 + 1 a row: 26 for 16 rows, 18 for 8; a quarter of the memory is left free."""

    def takes(rows):
        return 10 + rows

    assert parts_that_fit([16], [takes], 26 / 0.75) == 1
    assert parts_that_fit([16], [takes], 25 / 0.75) == 2
    assert parts_that_fit([16], [takes], 15 / 0.75) == 4
    assert parts_that_fit([12], [takes], 14.5 / 0.75) == 3  # 4 rows are the most, 12 / 3


def test_the_longest_examples_decide_into_how_many_parts():
    both = [lambda rows: rows, lambda rows: 8 * rows]
    assert parts_that_fit([64, 64], both, 128 / 0.75) == 4
    assert parts_that_fit([64, 16], both, 128 / 0.75) == 1
    assert parts_that_fit([64, 16], both, 32 / 0.75) == 4  # 16 rows of the one, 4 of the other


def test_a_batch_that_never_fits_is_refused():
    with pytest.raises(ValueError, match=r"must fit the memory.*Received: batches of 6, 4, of"):
        parts_that_fit([6, 4], [lambda rows: 2**30 * rows] * 2, 2.0 * 2**30)


@pytest.mark.parametrize("size", [256, 512])
def test_the_peak_is_that_of_the_best_product(size):
    peak = matmul_peak(size=size, seconds=0.05)
    assert 1e8 < peak < 1e16


def test_the_peak_of_numpy_is_not_far():
    """Within a factor of 30: the same product, by another library, on the same machine or a GPU."""
    square = np.random.default_rng(0).standard_normal((512, 512), dtype="float32")
    square @ square
    start = time.perf_counter()
    square @ square
    by_numpy = 2 * 512**3 / (time.perf_counter() - start)
    assert matmul_peak(size=512, seconds=0.1) > by_numpy / 30
