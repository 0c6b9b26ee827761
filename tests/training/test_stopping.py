"""How a run ends before its time: the sentence, the exit code, and signals heeded for a while."""

import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from bert_course.training.stopping import (
    Stopped,
    cut_batches,
    diverged,
    fitting_memory,
    heeding_signals,
    saving,
)

NUMBERS = (signal.SIGINT, signal.SIGTERM)


def run(*states):
    return SimpleNamespace(states=lambda: list(states), folder=Path("RUN"))


def recipe(rate=1e-3, warm_up=None, precision="float32", steps=(900, 100)):
    return SimpleNamespace(rate=rate, warm_up=warm_up, precision=precision, steps=steps)


@pytest.mark.parametrize(
    ("number", "name", "code"), [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)]
)
def test_a_signal(number, name, code):
    stopped = Stopped.by_signal(number, 1200, 5000, "out")
    assert stopped.exit_code == code
    assert str(stopped) == (
        f"stopped by {name} after 1,200 of 5,000 batches; the state is saved in out: the same "
        "command with --resume goes on"
    )


@pytest.mark.parametrize(
    ("strange", "causes"),
    [
        (recipe(), "a learning rate too high (0.001: try a third)"),
        (
            recipe(steps=500),  # without a word, a tenth of them are warm-up
            "a learning rate too high (0.001: try a third), or too short a warm-up (50 steps)",
        ),
        (recipe(5e-4, 100), "a learning rate too high (0.0005: try a third)"),
        (
            recipe(warm_up=99),
            "a learning rate too high (0.001: try a third), or too short a warm-up (99 steps)",
        ),
        (
            recipe(precision="mixed_float16"),
            "a learning rate too high (0.001: try a third), or float16 (bfloat16 and float32 "
            "reach further)",
        ),
    ],
)
def test_a_loss_that_is_no_number(strange, causes):
    stopped = diverged(1234, run("old", "new"), strange)
    assert stopped.exit_code == 3
    assert str(stopped) == (
        f"the loss is no finite number after 1,234 batches. Likely causes: {causes}. "
        "The last good state is new; to use its model, begin in a new folder with a lower --rate "
        "and --checkpoint RUN/checkpoint"
    )
    assert str(diverged(1, run(), strange)).endswith("No state was saved before")
    assert str(diverged(1, run(), strange, "a weight")).startswith("a weight is no finite number")


def test_a_file_that_cannot_be_written():
    with pytest.raises(Stopped) as stopped, saving(run("new"), "state", 7):
        raise OSError(28, "No space left on device")
    assert stopped.value.exit_code == 4
    assert str(stopped.value) == (
        "the state after 7 batches could not be saved ([Errno 28] No space left on device). The "
        "last good state is new: make room, or bring the folder back, then go on with --resume"
    )


def test_other_mistakes_are_not_made_out_to_be_that():
    with pytest.raises(KeyError), saving(run(), "state", 7):
        raise KeyError


def test_signals_are_noted_and_then_obeyed_again():
    before = [signal.getsignal(number) for number in NUMBERS]
    with heeding_signals() as received:
        signal.raise_signal(signal.SIGTERM)
        assert received == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)  # once more changes nothing
        with pytest.raises(KeyboardInterrupt):  # Ctrl-C for one who will not wait
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_the_first_ctrl_c_waits(capfd):
    with heeding_signals("in a minute") as received:
        signal.raise_signal(signal.SIGINT)
        assert received == [signal.SIGINT]
    assert capfd.readouterr().err == "in a minute"


def test_handlers_come_back_after_a_mistake_too():
    before = [signal.getsignal(number) for number in NUMBERS]
    with pytest.raises(KeyError), heeding_signals():
        raise KeyError
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_in_another_thread_nothing_is_heard_and_nothing_fails():
    heard = []

    def listen():
        with heeding_signals() as received:
            heard.append(received)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert heard == [[]]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 16 bytes"),
        MemoryError(),
    ],
)
def test_a_batch_that_does_not_fit_the_memory(error):
    with pytest.raises(Stopped) as stopped, fitting_memory([256, 64], lambda: "Take less"):
        raise error
    assert stopped.value.exit_code == 5
    assert str(stopped.value) == "256 or 64 sequences at once do not fit the memory. Take less"


def test_a_batch_is_cut_into_as_many_parts_again():
    assert cut_batches(run("old", "new"), [256], 1) == (
        "The last good state is new. Begin in a new folder with --batch 128 --accumulate 2, or "
        "with a smaller model; a model that is there can be gone on from with --checkpoint"
    )
    assert "with --batch 4 --accumulate 6, or" in cut_batches(run(), [8], 3)
    assert "with --batch 32 8 --accumulate 2, or" in cut_batches(run(), [64, 16], 1)
    assert "with --batch 5 3 --accumulate 3, or" in cut_batches(run(), [15, 9], 1)
    assert "with shorter examples, or" in cut_batches(run(), [64, 1], 1)
    assert "with shorter examples, or" in cut_batches(run(), [8, 3], 1)


def test_a_run_that_has_stopped_says_why_itself():
    with pytest.raises(Stopped, match="a full disk"), fitting_memory([1], str):
        raise Stopped("a full disk, said the system: out of memory", 4)


def test_tensorflow_says_it_in_one_of_these_words():
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(Stopped), fitting_memory([1], str):
        tf.zeros([2**47]) + 1  # 512 TiB, more than a process can name


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    with pytest.raises(ValueError, match="no room for doubt"), fitting_memory([1], str):
        raise ValueError("no room for doubt")
