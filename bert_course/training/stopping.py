"""How a run may end before its time: a signal, a loss that is no number, a full disk or memory."""

import contextlib
import os
import re
import signal
import threading

# Exit codes; a signal's is 128 and its number, as shells have it.
DIVERGED, NOT_SAVED, NO_MEMORY = 3, 4, 5
# TensorFlow and JAX; JAX and torch on a GPU; TensorFlow's own words; Python and numpy; torch's CPU
NO_ROOM = re.compile(
    r"RESOURCE_EXHAUSTED|out of memory|OOM when|MemoryError|can't allocate memory", re.IGNORECASE
)


class Stopped(RuntimeError):
    """A run that ended early; what is on disk can be gone on from.

    Attributes:
        exit_code: what the command line exits with.
    """

    def __init__(self, message, exit_code):
        super().__init__(message)
        self.exit_code = exit_code

    @classmethod
    def by_signal(cls, number, batch, last, folder, unit="batches"):
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        return cls(
            f"stopped by {name} after {batch:,} of {last:,} {unit}; the state is saved in "
            f"{folder}: the same command with --resume goes on",
            128 + number,
        )


def diverged(batch, run, recipe, what="the loss"):
    """The loss, or a weight, is not a finite number any more."""
    causes = [f"a learning rate too high ({recipe.rate:g}: try a third)"]
    steps = recipe.steps if isinstance(recipe.steps, int) else sum(recipe.steps)
    warm_up = steps // 10 if recipe.warm_up is None else recipe.warm_up
    if warm_up < 100:
        causes.append(f"too short a warm-up ({warm_up} steps)")
    if recipe.precision == "mixed_float16":
        causes.append("float16 (bfloat16 and float32 reach further)")
    begin_anew = (
        "; to use its model, begin in a new folder with a lower --rate and --checkpoint "
        f"{run.folder / 'checkpoint'}"
    )
    return Stopped(
        f"{what} is no finite number after {batch:,} batches. Likely causes: "
        f"{', or '.join(causes)}. {last_good(run)}{begin_anew if run.states() else ''}",
        DIVERGED,
    )


def last_good(run):
    states = run.states()
    return f"The last good state is {states[-1]}" if states else "No state was saved before"


@contextlib.contextmanager
def saving(run, what, batch):
    """A file that cannot be written ends the run with a sentence."""
    try:
        yield
    except OSError as error:
        raise Stopped(
            f"the {what} after {batch:,} batches could not be saved ({error}). {last_good(run)}: "
            "make room, or bring the folder back, then go on with --resume",
            NOT_SAVED,
        ) from None


@contextlib.contextmanager
def fitting_memory(sizes, way_out):
    """What does not fit the memory ends the run with a sentence.

    So far as it is an error: on a CPU, Linux may instead kill the process, with no word (137).

    Args:
        sizes: of a batch, or of the batches of several lengths.
        way_out: a function that says what to do; it is asked when there is no room.
    """
    try:
        yield
    except Stopped:
        raise
    except Exception as error:  # each backend has its own, and they share no base class
        if not NO_ROOM.search(f"{type(error).__name__} {error}"):
            raise
        rows = " or ".join(map(str, sizes))
        raise Stopped(
            f"{rows} sequences at once do not fit the memory. {way_out()}", NO_MEMORY
        ) from None


def cut_batches(run, sizes, parts):
    """The way out of a pretraining run with such batches, so many to a step."""
    cuts = (n for n in range(2, min(sizes) + 1) if all(size % n == 0 for size in sizes))
    smaller = "shorter examples"
    if cut := next(cuts, None):
        rows = " ".join(str(size // cut) for size in sizes)
        smaller = f"--batch {rows} --accumulate {cut * parts}"
    return (
        f"{last_good(run)}. Begin in a new folder with {smaller}, or with a smaller model; a model "
        "that is there can be gone on from with --checkpoint"
    )


@contextlib.contextmanager
def heeding_signals(answer=""):
    """A list of the signals that asked us to stop: Ctrl-C, SIGTERM. A second Ctrl-C is obeyed.

    Args:
        answer: what to say to the first one, where it takes long until we stop.
    """
    received = []

    def note(number, frame):
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)
        os.write(2, answer.encode("utf-8"))  # print must not be called by what interrupts it

    if threading.current_thread() is not threading.main_thread():
        yield received  # Python hears signals in its main thread only
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
