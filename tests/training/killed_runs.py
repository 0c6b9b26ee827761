"""Train in one process after another, each of which ends before its time; say how it went, as JSON.

Run by test_pretraining.py: `python killed_runs.py SHORT LONG OUT SEED`. To start Keras takes longer
than the training does, so it is imported once and every attempt is a fork of this process. That is
sound as long as nothing was computed before: a backend's threads would not survive it.
"""

import gc
import json
import os
import pathlib
import random
import signal
import sys
import time
import traceback

import keras  # noqa: F401 (but no operation, and so nothing of bert_course.model)
import pytest
import safetensors.numpy  # noqa: F401 (here, so that not every child has to)

import bert_course.text.examples
import bert_course.training.evaluation  # noqa: F401

STEPS, ACCUMULATE, EVERY = (9, 6), 2, 7
KILLS_FROM_OUTSIDE, KILLS_WHILE_SAVING = 12, 8


def train(short, long, out, save_seconds):
    """The body of a process."""
    from small_runs import held_out, recipe, run_quickly

    from bert_course.training.pretraining import Watch, pretrain
    from bert_course.training.stopping import Stopped

    run_quickly(pytest.MonkeyPatch())
    try:
        pretrain(
            recipe(STEPS, accumulate=ACCUMULATE),
            [short, long],
            out,
            resume=True,
            watch=Watch(held_out(short, 1), EVERY, save_seconds=save_seconds),
        )
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return stopped.exit_code
    return 0


def kill_at_write(number):
    """SIGKILL this process in its `number`-th write of a file: half is written, or all of it."""
    calls = iter(range(10**6))

    def dying(function, before=lambda *_: None):
        def call(*args):
            if next(calls) == number:
                before(*args)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args)

        return call

    os.fsync = dying(os.fsync, lambda file: os.truncate(file, os.fstat(file).st_size // 2))
    os.replace = dying(os.replace)


def is_alive(pid):
    """Whether this child has not ended; if it has, it still waits to be asked how."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


class Attempts:
    """Of a run, one after the other, and what became of each."""

    def __init__(self, short, long, out):
        self.short, self.long, self.out = short, long, out
        self.told = []

    def batch(self):
        """How far the run on disk is."""
        names = [path.name for path in (self.out / "states").glob("batch-*.safetensors")]
        return int(max(names)[6:15]) if names else 0

    def attempt(self, how, save_seconds=0.0, write=None, meanwhile=lambda pid: None):
        begun = self.batch()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                if write is not None:
                    kill_at_write(write)
                code = train(self.short, self.long, self.out, save_seconds)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        meanwhile(pid)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        partial = [path.name for path in self.out.rglob("*.partial")]
        self.told.append(
            {"how": how, "status": status, "from": begun, "to": self.batch(), "partial": partial}
        )

    def signalled(self, number, target, limit, delay):
        """What to do meanwhile: wait until batch `target`, or for so long; a moment more; send."""

        def meanwhile(pid):
            end = time.monotonic() + limit
            while self.batch() < target and time.monotonic() < end and is_alive(pid):
                time.sleep(0.001)
            time.sleep(delay)
            os.kill(pid, number)

        return meanwhile


def main(short, long, out, seed):
    gc.freeze()  # a child that looks through all of Keras for garbage would copy it first
    rng = random.Random(seed)
    attempts = Attempts(*map(pathlib.Path, (short, long, out)))
    last = sum(STEPS) * ACCUMULATE
    kinds = ["outside"] * KILLS_FROM_OUTSIDE + ["saving"] * KILLS_WHILE_SAVING
    rng.shuffle(kinds)
    kinds[10:10] = ["SIGTERM", "SIGINT"]
    for number, kind in enumerate(kinds):
        target = 1 + number * (last - 6) // len(kinds)  # so that they are spread over the run
        if kind == "saving":
            attempts.attempt(kind, write=rng.randrange(14))
        elif kind == "outside":
            early = rng.random() < 0.3  # while it builds the model, or reads a state
            limit = rng.uniform(0, 0.6) if early else 30
            save_seconds = rng.choice([0.0, 0.0, 0.1])
            how = attempts.signalled(signal.SIGKILL, target, limit, rng.uniform(0, 0.05))
            attempts.attempt(kind, save_seconds, meanwhile=how)
        else:
            target = attempts.batch() + 1  # by then it listens
            how = attempts.signalled(getattr(signal, kind), target, 30, rng.uniform(0, 0.05))
            attempts.attempt(kind, 0.0, meanwhile=how)
    attempts.attempt("none")
    print(json.dumps(attempts.told))


if __name__ == "__main__":
    main(*sys.argv[1:])
