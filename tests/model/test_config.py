import dataclasses

import numpy as np
import pytest
from small_berts import small

from bert_course.model.config import BASE, LARGE, MINI, SMALL, TINY, BertConfig


@pytest.mark.parametrize(
    ("config", "layers", "width", "heads"),
    [
        (TINY, 2, 128, 2),
        (MINI, 4, 256, 4),
        (SMALL, 4, 512, 8),
        (BASE, 12, 768, 12),
        (LARGE, 24, 1024, 16),
    ],
)
def test_the_presets_have_the_published_sizes(config, layers, width, heads):
    assert config == BertConfig(
        vocab_size=30522,
        num_layers=layers,
        hidden_dim=width,
        num_heads=heads,
        intermediate_dim=4 * width,
        max_length=512,
        num_segments=2,
        dropout=0.1,
        activation="gelu",
    )
    assert config.head_dim == 64


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BASE.num_layers = 3


def test_equal_configs_are_one_key():
    assert len({BertConfig(), BASE, LARGE}) == 2


SIZES = [
    "vocab_size",
    "num_layers",
    "hidden_dim",
    "num_heads",
    "intermediate_dim",
    "max_length",
    "num_segments",
]


@pytest.mark.parametrize("field", SIZES)
@pytest.mark.parametrize("value", [0, -1, 8.0, "8", True, None, np.int64(8)])
def test_a_size_is_a_whole_number(field, value):
    with pytest.raises(ValueError) as error:
        small(**{field: value})
    assert str(error.value) == (
        f"{field} must be a whole number of at least 1. Received: {value!r}"
    )


def test_heads_are_equally_wide():
    expected = r"hidden_dim must be a multiple of num_heads.*Received: hidden_dim=8, num_heads=3"
    with pytest.raises(ValueError, match=expected):
        small(num_heads=3)


@pytest.mark.parametrize("value", [-0.1, 1, 1.5, float("nan"), "0.1", None, True, False, [0.1]])
def test_dropout_is_a_share(value):
    with pytest.raises(ValueError, match=r"dropout is the share .* from 0 to below 1\. Received: "):
        small(dropout=value)


@pytest.mark.parametrize("value", [0, 0.0, 0.999])
def test_dropout_may_be_none_and_nearly_all(value):
    assert small(dropout=value).dropout == value


@pytest.mark.parametrize("value", ["relu", "gelu_new", "", None, ["gelu"]])
def test_an_activation_is_one_of_two(value):
    expected = "activation must be one of gelu, gelu_tanh. Received: "
    with pytest.raises(ValueError, match=expected):
        small(activation=value)
