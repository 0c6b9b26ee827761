"""`make test-matrix`: the unit tests on each Python that is found here, one environment for each.

The last Python runs them a second time, with the versions that Colab has instead of the lock's.
"""

import glob
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLAB = [
    "VENV=.venv-colab",
    "PINS=-r requirements.txt -c tests/data/colab_constraints_2026-08-19.txt",
    "INSTALL_ARGS=sentencepiece",  # keras-hub 0.26 opens no folder without it, and Colab has it
]


def find_python(version):
    """A command that runs this version ("3.12") and can make an environment, or None.

    A name on PATH is not enough: pyenv puts `python3.12` there even if it then refuses to run it.
    """
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    question = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for command in [f"python{version}", *glob.glob(f"{pyenv}/versions/{version}*/bin/python")]:
        try:
            answer = subprocess.run([command, "-c", question], capture_output=True, text=True)
        except OSError:
            continue
        if answer.stdout.strip() == version:
            return command
    return None


def run_tests(python, *settings):
    make = os.environ.get("MAKE", "make")
    command = [make, "--no-print-directory", f"PYTHON={python}", *settings, "test-unit"]
    return "passed" if subprocess.run(command, cwd=ROOT).returncode == 0 else "FAILED"


def main(versions):
    results = {}
    for version in versions:
        python = find_python(version)
        runs = {f"Python {version}": [f"VENV=.venv-{version}"]}
        if version == versions[-1]:
            runs[f"Python {version}, Colab's versions"] = COLAB
        for name, settings in runs.items():
            print(f"\n{name}:", flush=True)
            results[name] = run_tests(python, *settings) if python else "absent"
    print()
    for name, result in results.items():
        print(f"{result:7} {name}")
    return int("FAILED" in results.values() or "passed" not in results.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
