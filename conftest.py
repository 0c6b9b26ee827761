"""What every test needs, and what makes `pytest --nbval notebooks` strict, and fail for a reason.

With --nbval the kernel is this Python's, runs on the CPU and finds `bert_course` here; --nbval-lax,
which compares no outputs, may use a GPU. nbval 0.11 is mended in four places:

- a cell whose last message comes late is waited for (nbval gives up after 5 seconds);
- after a cell that fails to run, the rest of its notebook is skipped: one failure, not thirty;
- a cell that was never run fails (nbval has nothing to compare it with, and passes it);
- the tag `nbval-approx` lets a printed decimal differ by one unit of its last digit.

TensorFlow and Keras are not imported here, so that a test can still choose how.
"""

import os
import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools import kernel  # noqa: E402 (found because of the line above)

NBVAL_DEFAULT_TIMEOUT = 2000
OUTPUT_TIMEOUT = 120
BUILD_IT = "build the notebook, `python -m tools.notebooks build NN`"
DECIMAL = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")


@pytest.fixture(scope="session")
def course_data() -> Path:
    """The folder of real data, from BERT_COURSE_DATA; without it the test is skipped."""
    folder = os.environ.get("BERT_COURSE_DATA")
    if not folder:
        pytest.skip("BERT_COURSE_DATA is not set: real data is not tested")
    if not Path(folder).is_dir():
        pytest.fail(f"BERT_COURSE_DATA is {folder!r}, which is no folder: correct or unset it")
    return Path(folder)


def pytest_configure(config):
    option = config.option
    strict = getattr(option, "nbval", False)
    if not strict and not getattr(option, "nbval_lax", False):
        return
    kernel.set_up(os.environ, cpu=strict)
    option.nbval_current_env = option.nbval_kernel_name is None
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(kernel.SANITIZE)
    if option.nbval_cell_timeout == NBVAL_DEFAULT_TIMEOUT:
        option.nbval_cell_timeout = kernel.CELL_TIMEOUT


def pytest_collection_modifyitems(items):
    for item in filter(is_cell, items):
        item.output_timeout = OUTPUT_TIMEOUT
        if "nbval-approx" in item.cell.metadata.get("tags", []):
            compare_approximately(item)


def is_cell(item: pytest.Item) -> bool:
    return type(item).__name__ == "IPyNbCell"  # by name: nbval may be absent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    # The report is asked, not the exception: a cell that is skipped (nbval-skip) raises one, too.
    if is_cell(item) and report.failed and str(call.excinfo.value) != "Cell outputs differ":
        item.parent.broken_cell = item.name
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    broken = getattr(item.parent, "broken_cell", None)
    if is_cell(item) and broken is not None:
        pytest.skip(f"{broken} of this notebook failed to run")
    if is_cell(item) and item.config.option.nbval and item.cell.execution_count is None:
        pytest.fail(f"never run, so there is nothing to compare it with: {BUILD_IT}", pytrace=False)


def compare_approximately(item: pytest.Item) -> None:
    """Make nbval see the stored decimals, in this cell, where the new ones are near them."""
    exact = item.compare_outputs

    def compare(new, stored, skip_compare=None):
        for new_output, stored_output in zip(new, stored, strict=False):
            if "text" in new_output and "text" in stored_output:
                new_output.text = round_to(stored_output.text, new_output.text)
            shared = set(new_output.get("data", {})) & set(stored_output.get("data", {}))
            for kind in shared & {"text/plain", "text/html"}:
                new_output.data[kind] = round_to(stored_output.data[kind], new_output.data[kind])
        return exact(new, stored, skip_compare)

    item.compare_outputs = compare


def round_to(stored: str, new: str) -> str:
    """`new` with the decimals of `stored`, if each is near its counterpart; else `new` as it is."""
    stored_numbers, new_numbers = DECIMAL.findall(stored), DECIMAL.findall(new)
    if len(stored_numbers) != len(new_numbers) or not all(map(near, stored_numbers, new_numbers)):
        return new
    replacements = iter(stored_numbers)
    return DECIMAL.sub(lambda match: next(replacements), new)


def near(stored: str, new: str) -> bool:
    """Printed with as many digits, and at most one unit of the last digit apart."""
    last_digit = Decimal(stored).as_tuple().exponent
    if Decimal(new).as_tuple().exponent != last_digit:
        return False
    return abs(Decimal(stored) - Decimal(new)) <= Decimal(1).scaleb(last_digit)
