"""What this machine has, and the precision and compilation that suit it."""

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

NVIDIA_QUERY = [
    "nvidia-smi",
    "--query-gpu=name,memory.total,compute_cap",
    "--format=csv,noheader,nounits",
]
# A precision for CPUs: float32, but for matrix products, see `speed_up`.
BFLOAT16_PRODUCTS = "bfloat16_products"
PRECISIONS = ("float32", BFLOAT16_PRODUCTS, "mixed_bfloat16", "mixed_float16")
# Where Linux says how much a container may use; in cgroups of version 2 and 1.
CONTAINER_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU, as its driver describes it."""

    name: str
    memory_gb: float
    compute_capability: float  # the generation: 7.5 is a T4, 8.0 an A100, 9.0 an H100

    @property
    def rounds_float32(self):
        """Whether frameworks multiply float32 as TF32 here, unless told otherwise."""
        return self.compute_capability >= 8

    @property
    def precision(self):
        """The Keras dtype policy that this generation multiplies fastest in."""
        if self.compute_capability >= 8:
            return "mixed_bfloat16"
        if self.compute_capability >= 7:
            return "mixed_float16"
        return "float32"


def find_gpus():
    """The NVIDIA GPUs of this machine, whether or not the backend can use them."""
    try:
        answer = subprocess.run(
            NVIDIA_QUERY, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [_read_gpu(line) for line in answer.stdout.splitlines() if line.count(",") == 2]


def _read_gpu(line):
    name, memory_mb, capability = (part.strip() for part in line.split(","))
    return Gpu(name, float(memory_mb) / 1024, float(capability))


def count_cores():
    """The CPU cores that this process may use, which in a container are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def memory_gb(container_limits=CONTAINER_LIMITS):
    """The memory that this process may use, or None where the system does not say."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    limits = [_read_number(path) for path in container_limits]
    return min([machine, *(limit for limit in limits if limit)]) / 1024**3


def _read_number(path):
    """What the file says, or None without one, and where it says "max"."""
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def gpu_in_use():
    """The first `Gpu`, if the backend computes on it, or None."""
    import keras  # here, for the doctor uses this file where Keras does not start

    device = str(keras.ops.zeros(()).device).lower()
    gpus = find_gpus() if "gpu" in device or "cuda" in device else []
    return gpus[0] if gpus else None


def device_memory():
    """Bytes of memory of what the backend computes on: the GPU's, or else the machine's."""
    gpu = gpu_in_use()
    gigabytes = gpu.memory_gb if gpu else memory_gb()
    if gigabytes is None:
        raise ValueError(
            "The system does not say how much memory there is: give a number to accumulate, such "
            "as 4, and half the batch if it does not fit. Received: no answer"
        )
    return gigabytes * 1024**3


def has_bfloat16(cpuinfo="/proc/cpuinfo"):
    """Whether this processor multiplies bfloat16, as Linux says; elsewhere, no."""
    try:
        lines = Path(cpuinfo).read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and BFLOAT16_FLAGS & set(line.split()) for line in lines)


def choose_precision():
    """What suits that which the backend computes on: a dtype policy, or `BFLOAT16_PRODUCTS`."""
    import keras

    gpu = gpu_in_use()
    if gpu:
        return gpu.precision
    is_tensorflow = keras.backend.backend() == "tensorflow"
    return BFLOAT16_PRODUCTS if is_tensorflow and has_bfloat16() else "float32"


def jit_compile():
    """Whether XLA should compile a step, as `compile` wants to be told.

    JAX has nothing else. TensorFlow on a CPU does these sizes faster without (a whole step has not
    been timed again lately). On its GPUs Keras decides, but for Blackwell, where TensorFlow 2.21
    with XLA is broken (tensorflow#111958).
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return keras.backend.backend() == "jax"
    gpu = gpu_in_use()
    return "auto" if gpu and gpu.compute_capability < 10 else False


@contextlib.contextmanager
def computing_in(precision):
    """Layers that are built inside compute with this precision; their variables stay float32."""
    import keras

    if precision not in PRECISIONS:
        raise ValueError(
            f"The precision must be one of {', '.join(PRECISIONS)}. Received: {precision!r}"
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == BFLOAT16_PRODUCTS else precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
