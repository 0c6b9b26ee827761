"""A small BERT that reads, with weights that tell, for the tests of bert_course/insight."""

import numpy as np
import pytest

from bert_course.model.checkpoints import Bert
from bert_course.model.config import BertConfig

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "the a cat dog bird sees feeds sleeps on mat in old . , play walk".split()
PIECES = [*SPECIAL, *WORDS, "##s", "##ing", "##er"]
CONFIG = BertConfig(
    vocab_size=len(PIECES),
    num_layers=2,
    hidden_dim=8,
    num_heads=2,
    intermediate_dim=16,
    max_length=30,
)


def pytest_configure(config):
    # Keras's convert_to_numpy of a weight, on TensorFlow: nothing that anyone here can mend.
    message = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    config.addinivalue_line("filterwarnings", message)


@pytest.fixture(scope="session")
def bert():
    """Its weights are large and random. Not to be changed."""
    bert = Bert(CONFIG, PIECES)
    rng = np.random.default_rng(0)
    for variable in bert.pretraining_model.trainable_variables:
        middle = 1 if variable.path.endswith("gamma") else 0
        variable.assign(middle + 0.5 * rng.standard_normal(variable.shape))
    return bert


@pytest.fixture(scope="session")
def sentences():
    """Thirty of 1 to 14 words, some of several pieces."""
    rng = np.random.default_rng(1)
    words = [*WORDS, "cats", "playing", "walker", "players", "walkers"]
    return [" ".join(rng.choice(words, size=rng.integers(1, 15))) for _ in range(30)]
