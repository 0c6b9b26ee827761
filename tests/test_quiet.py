import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bert_course.quiet import parked_stderr, without_retracing_alarm

ROOT = Path(__file__).resolve().parent.parent


def test_what_is_said_meanwhile_is_hidden(capfd):
    with parked_stderr():
        os.write(2, b"a banner\n")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'another')"], check=True)
    assert capfd.readouterr().err == ""


def test_what_is_said_before_and_after_is_shown(capfd):
    os.write(2, b"before ")
    with parked_stderr():
        os.write(2, b"meanwhile ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_what_is_said_on_standard_output_is_shown(capfd):
    with parked_stderr():
        os.write(1, b"an answer")
    assert capfd.readouterr().out == "an answer"


def test_when_something_goes_wrong_it_is_shown_after_all(capfd):
    with pytest.raises(RuntimeError, match="no such device"), parked_stderr():
        os.write(2, b"why it went wrong")
        raise RuntimeError("no such device")
    os.write(2, b", and on")
    assert capfd.readouterr().err == "why it went wrong, and on"


def test_no_file_is_left_open():
    before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else None
    for _ in range(3):
        with parked_stderr():
            pass
    if before is None:
        pytest.skip("this system does not list open files in /dev/fd")
    assert len(os.listdir("/dev/fd")) == before


def test_of_tensorflows_warnings_one_is_not_shown(caplog):
    without_retracing_alarm()
    logger = logging.getLogger("tensorflow")
    logger.warning(
        "5 out of the last %d calls to %s triggered tf.function retracing. Tracing", 11, 2
    )
    logger.warning("Gradients do not exist for %s", "a kernel")
    assert [record.getMessage() for record in caplog.records] == [
        "Gradients do not exist for a kernel"
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import bert_course.model.checkpoints; import keras; keras.ops.ones(2) + 1",
        "from bert_course.quiet import start_keras; start_keras(); "
        "import bert_course.training.exporting",
    ],
)
def test_importing_says_nothing(code):
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
