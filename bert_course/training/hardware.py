"""What this machine has, and the precision that suits it."""

import os
import subprocess
from dataclasses import dataclass

NVIDIA_QUERY = [
    "nvidia-smi",
    "--query-gpu=name,memory.total,compute_cap",
    "--format=csv,noheader,nounits",
]


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


def memory_gb():
    """The machine's memory, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    except (AttributeError, ValueError, OSError):
        return None
