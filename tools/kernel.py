"""The surroundings in which notebooks are built and compared: the same for both."""

import os
from collections.abc import MutableMapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SANITIZE = ROOT / "tools" / "nbval_sanitize.cfg"
CELL_TIMEOUT = 600  # seconds; the slowest cell trains for about two minutes on two cores


def set_up(environ: MutableMapping[str, str], root: Path = ROOT, cpu: bool = True) -> None:
    """Change the environment variables that a kernel will inherit, in place.

    KERAS_BACKEND is left as it is: a notebook may be run on any of the three.
    """
    paths = [str(root), environ.get("PYTHONPATH")]
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    environ.pop("MPLBACKEND", None)  # Agg, set on many servers, would draw no picture in a notebook
    if cpu:  # a GPU rounds differently
        environ["CUDA_VISIBLE_DEVICES"] = ""
        environ["JAX_PLATFORMS"] = "cpu"
