"""What the machine has: read from the driver's answer, or absent without a word."""

import subprocess

import pytest

from bert_course.training import hardware
from bert_course.training.hardware import (
    BFLOAT16_PRODUCTS,
    Gpu,
    choose_precision,
    computing_in,
    jit_compile,
)

import keras  # isort: skip (bert_course first)


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


def test_a_container_has_the_memory_that_it_is_given(tmp_path):
    files = [tmp_path / name for name in ("given", "unlimited", "absent")]
    files[0].write_text(f"{2**29}\n")
    files[1].write_text("max\n")
    machine = hardware.memory_gb(())
    assert hardware.memory_gb(files) == 0.5
    assert hardware.memory_gb(files[1:]) == machine
    files[0].write_text(f"{2**63}\n")  # what version 1 says where there is no limit
    assert hardware.memory_gb(files) == machine


@pytest.mark.parametrize(("gpu", "bytes_"), [(None, 8 * 2**30), (Gpu("T4", 15.0, 7.5), 15 * 2**30)])
def test_the_memory_is_that_of_what_computes(monkeypatch, gpu, bytes_):
    monkeypatch.setattr(hardware, "gpu_in_use", lambda: gpu)
    monkeypatch.setattr(hardware, "memory_gb", lambda: 8.0)
    assert hardware.device_memory() == bytes_


def test_a_system_that_does_not_tell_its_memory(monkeypatch):
    monkeypatch.setattr(hardware, "gpu_in_use", lambda: None)
    monkeypatch.setattr(hardware, "memory_gb", lambda: None)
    with pytest.raises(ValueError, match=r"does not say how much memory.*Received: no answer"):
        hardware.device_memory()


@pytest.mark.parametrize(
    ("backend", "capability", "has", "expected"),
    [
        ("tensorflow", None, True, BFLOAT16_PRODUCTS),
        ("tensorflow", None, False, "float32"),
        ("jax", None, True, "float32"),
        ("jax", 7.5, True, "mixed_float16"),
        ("tensorflow", 9.0, True, "mixed_bfloat16"),
    ],
)
def test_the_precision_that_is_chosen(backend, capability, has, expected, monkeypatch):
    gpu = capability and Gpu("a GPU", 16.0, capability)
    monkeypatch.setattr(hardware, "gpu_in_use", lambda: gpu)
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: has)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert choose_precision() == expected


def test_a_gpu_that_the_backend_does_not_use_decides_nothing(monkeypatch):
    """The tests run on the CPU, whatever else the driver would tell of."""
    answer(monkeypatch, "NVIDIA H100 80GB HBM3, 81559, 9.0\n")
    if hardware.gpu_in_use() is None:
        assert choose_precision() in ("float32", BFLOAT16_PRODUCTS)
        assert jit_compile() == (keras.backend.backend() == "jax")


@pytest.mark.parametrize(
    ("backend", "capability", "expected"),
    [
        ("tensorflow", None, False),
        ("tensorflow", 7.5, "auto"),
        ("tensorflow", 9.0, "auto"),
        ("tensorflow", 10.0, False),
        ("tensorflow", 12.0, False),
        ("jax", None, True),
        ("jax", 12.0, True),
        ("torch", 9.0, False),
    ],
)
def test_what_is_compiled(backend, capability, expected, monkeypatch):
    gpu = capability and Gpu("a GPU", 16.0, capability)
    monkeypatch.setattr(hardware, "gpu_in_use", lambda: gpu)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert jit_compile() == expected


def test_the_precision_goes_back_after_a_mistake_too():
    before = keras.config.dtype_policy().name
    with pytest.raises(KeyError), computing_in("mixed_bfloat16"):
        layer = keras.layers.Dense(2)
        layer.build((1, 2))
        assert (layer.compute_dtype, layer.kernel.dtype) == ("bfloat16", "float32")
        raise KeyError
    assert keras.config.dtype_policy().name == before


def test_an_unknown_precision_is_refused():
    with (
        pytest.raises(ValueError, match=r"float32, .*mixed_float16\. Received: 'half'"),
        computing_in("half"),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor : 0\nflags\t\t: fpu avx512_bf16 sse\n", True),
        ("flags : amx_bf16\n", True),
        ("flags : fpu avx512f\nmodel name : avx512_bf16\n", False),
    ],
)
def test_whether_the_processor_has_bfloat16(tmp_path, text, expected):
    (tmp_path / "cpuinfo").write_text(text)
    assert hardware.has_bfloat16(tmp_path / "cpuinfo") is expected


def test_without_linux_there_is_none(tmp_path):
    assert hardware.has_bfloat16(tmp_path / "nothing") is False
