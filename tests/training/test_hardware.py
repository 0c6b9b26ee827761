"""What the machine has: read from the driver's answer, or absent without a word."""

import subprocess

import pytest

from bert_course.training import hardware
from bert_course.training.hardware import Gpu


def answer(monkeypatch, text):
    result = subprocess.CompletedProcess([], 0, stdout=text)
    monkeypatch.setattr(hardware.subprocess, "run", lambda *_, **__: result)


def test_gpus_are_read_from_the_driver(monkeypatch):
    answer(monkeypatch, "Tesla T4, 15360, 7.5\nNVIDIA H100 80GB HBM3, 81559, 9.0\n")
    small, large = hardware.find_gpus()
    assert small == Gpu("Tesla T4", 15.0, 7.5)
    assert large.compute_capability == 9.0


def test_no_driver_means_no_gpus(monkeypatch):
    def no_such_program(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(hardware.subprocess, "run", no_such_program)
    assert hardware.find_gpus() == []


@pytest.mark.parametrize("text", ["", "No devices were found\n", "NVIDIA-SMI has failed, sorry\n"])
def test_an_answer_that_lists_nothing_means_no_gpus(monkeypatch, text):
    answer(monkeypatch, text)
    assert hardware.find_gpus() == []


@pytest.mark.parametrize(
    ("capability", "precision"),
    [(6.1, "float32"), (7.5, "mixed_float16"), (8.0, "mixed_bfloat16"), (9.0, "mixed_bfloat16")],
)
def test_precision_suits_the_generation(capability, precision):
    assert Gpu("a GPU", 16.0, capability).precision == precision


def test_this_machine_has_a_core_and_memory():
    assert hardware.count_cores() >= 1
    assert hardware.memory_gb() is None or hardware.memory_gb() > 0.5
