"""What pretraining holds: against the variables of a real model, and peaks that were measured."""

import json
from dataclasses import replace

import pytest

from bert_course.model.config import MINI, TINY
from bert_course.model.encoder import build_encoder
from bert_course.model.heads import build_pretraining_model
from bert_course.training.memory import (
    FRAMEWORK,
    Memory,
    fit_to_memory,
    parts_that_fit,
    training_memory,
)
from bert_course.training.optimization import build_optimizer
from tests.training.small_runs import recipe, write_small_examples

MEASURED = [  # MiB a row (benchmarks/memory.py, see RESULTS.md)
    (TINY, 128, 20, "float32", 5.7),
    (MINI, 128, 20, "float32", 15.0),
    (replace(MINI, num_layers=8), 128, 20, "float32", 26.8),
    (MINI, 512, 77, "float32", 86.0),
    (replace(MINI, dropout=0.0), 512, 77, "float32", 73.5),
    (MINI, 128, 20, "bfloat16_products", 12.5),
]


@pytest.mark.parametrize("parts", [1, 2])
def test_what_is_fixed_is_the_model_and_its_optimizer(parts):
    """Variables and a gradient for each weight; biases are forgotten, so within a percent."""
    config = replace(MINI, vocab_size=1_000)
    model = build_pretraining_model(build_encoder(config), config)
    optimizer = build_optimizer(1e-3, 10, accumulate=parts)
    optimizer.build(model.trainable_variables)
    gradients = model.trainable_variables
    everything = [*model.variables, *optimizer.variables, *gradients]
    numbers = sum(variable.value.shape.num_elements() for variable in everything)
    fixed = training_memory(config, 128, 20, parts=parts).fixed - FRAMEWORK
    assert fixed == pytest.approx(4 * numbers, rel=0.01)


@pytest.mark.parametrize(("config", "length", "slots", "precision", "measured"), MEASURED)
def test_a_row_takes_about_what_was_measured(config, length, slots, precision, measured):
    """Within a third; half as many positions are not."""

    def a_row(config, length=length):
        return training_memory(config, length, slots, precision).a_row / 2**20

    config = replace(config, vocab_size=8_000)
    assert a_row(config) == pytest.approx(measured, rel=1 / 3)
    assert a_row(config, length // 2) < 2 / 3 * measured


def steady(fixed, a_row):
    return lambda parts: Memory(fixed, a_row)


def test_a_batch_is_cut_until_it_fits():
    """10 + 1 a row: 26 for 16 rows, 18 for 8; a quarter of the memory is left free."""
    assert parts_that_fit([16], [steady(10, 1)], 26 / 0.75) == 1
    assert parts_that_fit([16], [steady(10, 1)], 25 / 0.75) == 2
    assert parts_that_fit([16], [steady(10, 1)], 15 / 0.75) == 4
    assert parts_that_fit([12], [steady(10, 1)], 14.5 / 0.75) == 3  # 4 rows are the most, 12 / 3
    assert parts_that_fit([1], [steady(10, 1)], 11 / 0.75) == 1


def test_that_parts_take_more_than_a_whole_is_counted():
    def memory_of(parts):
        return Memory(10 if parts == 1 else 13, 1)

    assert parts_that_fit([8], [memory_of], 18 / 0.75) == 1
    assert parts_that_fit([8], [memory_of], 16 / 0.75) == 4  # 2 parts take 13 + 4


def test_one_number_of_parts_serves_all_lengths():
    both = [steady(0, 1), steady(0, 8)]
    assert parts_that_fit([64, 64], both, 128 / 0.75) == 4
    assert parts_that_fit([64, 16], both, 128 / 0.75) == 1
    assert parts_that_fit([64, 16], both, 32 / 0.75) == 4  # 16 rows of the one, 4 of the other


@pytest.mark.parametrize(
    ("sizes", "divisor", "smallest"), [([6, 4], 2, "3 GB"), ([1], 1, "1 GB"), ([7, 5], 1, "7 GB")]
)
def test_a_batch_that_never_fits_is_refused(sizes, divisor, smallest):
    expected = (
        rf"must fit 75% of the memory, 0.75 GB.*in common than {divisor}\. "
        rf"Received: batches of {', '.join(map(str, sizes))}, .* take {smallest}"
    )
    with pytest.raises(ValueError, match=expected):
        parts_that_fit(sizes, [steady(0, 2**30)] * len(sizes), 2**30)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    return write_small_examples(tmp_path_factory.mktemp("memory") / "examples")


def test_a_run_that_goes_on_stays_cut_as_it_was(examples, tmp_path):
    """Also on a machine that has more memory; but not if another batch is asked for."""
    whole = recipe(batch_size=(8,))
    plenty, begun = 64 * 2**30, {"batch_size": [2], "accumulate": 4}
    (tmp_path / "run.json").write_text(json.dumps({"recipe": begun}), "utf-8")
    assert fit_to_memory(whole, examples, plenty) == replace(whole, accumulate=1)
    again = fit_to_memory(whole, examples, plenty, tmp_path)
    assert (again.batch_size, again.accumulate) == ((2,), 4)
    other = fit_to_memory(replace(whole, batch_size=(16,)), examples, plenty, tmp_path)
    assert (other.batch_size, other.accumulate) == ((16,), 1)
    assert fit_to_memory(whole, examples, plenty, tmp_path / "none").accumulate == 1
    begun["batch_size"] = [2, 2]  # of two folders, for which one number may be given
    (tmp_path / "run.json").write_text(json.dumps({"recipe": begun}), "utf-8")
    both = replace(whole, steps=(1, 1))
    again = fit_to_memory(both, [examples, examples], plenty, tmp_path)
    assert (again.batch_size, again.accumulate) == ((2, 2), 4)
    again = fit_to_memory(replace(both, batch_size=8), [examples, examples], plenty, tmp_path)
    assert (again.batch_size, again.accumulate) == ((2, 2), 4)
