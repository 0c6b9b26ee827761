"""What works on this machine, what does not, and the fix: `python -m bert_course doctor`."""

import importlib.metadata
import os
import pathlib
import platform
import re
import shutil
import sys
import time
from dataclasses import dataclass

from packaging.markers import default_environment
from packaging.requirements import Requirement

from bert_course import places
from bert_course.training.hardware import count_cores, find_gpus, memory_gb

OK, WARNING, FAILURE = "OK", "warning", "FAILURE"
SUPPORTED_PYTHON = ((3, 11), (3, 13))
ROOT = pathlib.Path(__file__).parent.parent
# Four numbers that TINY gives, built with seed 0, for the tokens 1 to 8: the same on every backend
# (computed 2026-11-20 with TensorFlow 2.21, JAX 0.10.2 and torch 2.13, which agree to 1e-6).
EXPECTED = (0.3493, 0.0284, 0.8695, 1.8927)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and, unless all is well, what to do."""

    level: str
    what: str
    fix: str = ""

    def __str__(self):
        line = f"{self.level:8} {self.what}"
        return f"{line}\n{'':8} -> {self.fix}" if self.fix else line


def examine():
    """All findings, one after the other, as they are made."""
    yield check_python()
    yield from check_versions()
    yield from check_memory()
    yield check_disk()
    yield from check_data()
    backend = check_backend()
    yield backend
    if backend.level != FAILURE:
        yield from check_gpus()
        yield check_forward_pass()


def main():
    """Print every finding; exit code 1 if something is broken."""
    levels = []
    for finding in examine():
        print(finding, flush=True)
        levels.append(finding.level)
    broken, doubtful = levels.count(FAILURE), levels.count(WARNING)
    print(f"\n{len(levels)} findings: {broken} failures, {doubtful} warnings.")
    return 1 if broken else 0


def check_python():
    version = sys.version_info[:2]
    low, high = SUPPORTED_PYTHON
    what = f"Python {platform.python_version()} ({platform.system()} {platform.machine()})"
    if low <= version <= high:
        return Finding(OK, what)
    wanted = " to ".join(".".join(map(str, v)) for v in SUPPORTED_PYTHON)
    return Finding(FAILURE, what, f"TensorFlow and Keras need Python {wanted}: install one of them")


def check_versions():
    """Every required package: is it there, within its range, and the one that was tested?"""
    locked = read_lock(ROOT / "requirements.lock")
    fits, differs = [], []
    for requirement in read_requirements():
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                FAILURE,
                f"{requirement.name} is not installed",
                f"pip install '{requirement.name}{requirement.specifier}'",
            )
            continue
        tested = locked.get(requirement.name)
        if not requirement.specifier.contains(version, prereleases=True):
            yield Finding(
                FAILURE,
                f"{requirement.name} {version} is outside {requirement.specifier}",
                f"pip install '{requirement.name}{requirement.specifier}'",
            )
        elif tested and tested != version:
            differs.append(f"{requirement.name} {version} (tested with {tested})")
        else:
            fits.append(requirement.name)
    if differs:
        yield Finding(
            WARNING,
            f"within range, but not what the course was tested with: {', '.join(differs)}",
            "no need to act; if something misbehaves: pip install -r requirements.lock",
        )
    yield Finding(OK, f"{len(fits)} packages as tested" if locked else f"{len(fits)} in range")


def read_requirements():
    """What the course needs here: requirements.txt, or without it what the package itself needs."""
    path = ROOT / "requirements.txt"
    if path.exists():
        lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    else:
        lines = importlib.metadata.requires("bert_course") or []
    requirements = [Requirement(line) for line in lines if line]
    return [r for r in requirements if r.marker is None or r.marker.evaluate(default_environment())]


def read_lock(path):
    """requirements.lock -> {package: version}, for this Python and system; {} without the file."""
    if not path.exists():
        return {}
    pins = re.findall(r"^([\w.-]+==[^#\n]+)", path.read_text(), re.MULTILINE)
    requirements = [Requirement(pin.strip()) for pin in pins]
    return {
        r.name: next(iter(r.specifier)).version
        for r in requirements
        if r.marker is None or r.marker.evaluate()
    }


def check_memory():
    cores, memory = count_cores(), memory_gb()
    if memory is None:
        yield Finding(OK, f"CPU: {cores} cores")
    elif memory < 4:
        yield Finding(
            WARNING,
            f"CPU: {cores} cores, {memory:.1f} GB of memory",
            "notebook 04 wants 4 GB: close other programs, or use Colab",
        )
    else:
        yield Finding(OK, f"CPU: {cores} cores, {memory:.0f} GB of memory")


def check_disk():
    free = shutil.disk_usage(ROOT).free / 1024**3
    if free < 1:
        return Finding(WARNING, f"disk: {free:.1f} GB free at {ROOT}", "checkpoints need 1 GB")
    return Finding(OK, f"disk: {free:.0f} GB free at {ROOT}")


def check_data():
    real = places.real_data()
    if real is None:
        yield Finding(OK, "real data: BERT_COURSE_DATA is not set, and nothing needs it")
    elif real.is_dir():
        yield Finding(OK, f"real data: {real}")
    else:
        yield Finding(
            FAILURE,
            f"real data: BERT_COURSE_DATA is {real}, which is not a folder",
            "set it to the folder that holds the data sets, or unset it",
        )
    yield Finding(OK, f"downloads are kept in {places.cache()}")


def check_backend():
    chosen = os.environ.get("KERAS_BACKEND", "tensorflow")
    try:
        from bert_course.model import keras
    except Exception as error:  # whatever stops Keras from starting is what we want to report
        reason = str(error).splitlines()[0]
        return Finding(
            FAILURE,
            f"Keras does not start with KERAS_BACKEND={chosen}: {reason}",
            "install that backend, or set KERAS_BACKEND to tensorflow, jax or torch",
        )
    backend = keras.backend.backend()
    version = importlib.metadata.version(backend)
    return Finding(OK, f"Keras {keras.__version__} on {backend} {version}")


def check_gpus():
    """Each GPU with advice on precision, and whether the backend computes on it."""
    from bert_course.model import keras

    gpus = find_gpus()
    device = str(keras.ops.zeros(()).device).lower()
    if not gpus:
        yield Finding(OK, "no NVIDIA GPU: all notebooks run on the CPU")
        return
    for gpu in gpus:
        yield Finding(
            OK,
            f"GPU: {gpu.name}, {gpu.memory_gb:.0f} GB; best precision: "
            f"keras.config.set_dtype_policy({gpu.precision!r})",
        )
    if any(gpu.rounds_float32 for gpu in gpus) and "NVIDIA_TF32_OVERRIDE" not in os.environ:
        yield Finding(
            WARNING,
            "this GPU rounds float32 products to some three digits (TF32)",
            "no need to act in training; the notebooks' exact comparisons may want "
            "NVIDIA_TF32_OVERRIDE=0 or the CPU (CUDA_VISIBLE_DEVICES=)",
        )
    if not any(word in device for word in ("gpu", "cuda")):
        yield Finding(
            WARNING,
            f"the backend does not use the GPU (it computes on {device})",
            "install the backend's CUDA build, such as tensorflow[and-cuda] or jax[cuda12], "
            "and see that CUDA_VISIBLE_DEVICES is not empty",
        )


def check_forward_pass():
    """A known model on a known input: are the numbers right?"""
    start = time.perf_counter()
    numbers = forward_pass()
    seconds = time.perf_counter() - start
    error = max(abs(a - b) for a, b in zip(numbers, EXPECTED, strict=True))
    if error < 1e-3:
        return Finding(OK, f"forward pass: right to 3 decimals, in {seconds:.1f} s")
    return Finding(
        FAILURE,
        f"forward pass: {numbers} instead of {EXPECTED}",
        "the backend computes wrongly: reinstall it, or choose another with KERAS_BACKEND",
    )


def forward_pass():
    """The first four numbers of what TINY says of the tokens 1 to 8."""
    import numpy as np

    from bert_course.model import keras
    from bert_course.model.config import TINY
    from bert_course.model.encoder import build_encoder

    batch = {
        "token_ids": np.arange(1, 9)[None],
        "segment_ids": np.zeros((1, 8)),
        "padding_mask": np.ones((1, 8)),
    }
    output = build_encoder(TINY, 0)(batch)["sequence_output"]
    return tuple(round(float(x), 4) for x in keras.ops.convert_to_numpy(output)[0, 0, :4])
