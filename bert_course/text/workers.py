"""Work in several processes, its results in the order of the work."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def in_order(function, shared, tasks, processes=1):
    """Yields function(shared, task) for each task, in the order of the tasks.

    Tasks are taken from their iterator only as the processes get to them, so that neither tasks
    nor results pile up. Each process receives `shared` once. With one process, it is this one.
    """
    if processes < 1:
        raise ValueError(f"At least one process has to do the work. Received: {processes}")
    if processes == 1:
        for task in tasks:
            yield function(shared, task)
        return
    # Spawned, not forked: the same on every platform, and safe where TensorFlow's threads run.
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _prepare, (function, shared)
    )
    try:
        waiting = deque()
        for task in tasks:
            with _ctrl_c_held_back():
                waiting.append(pool.submit(_work, task))
            if len(waiting) > 2 * processes:  # one to work on, one that lies ready
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise RuntimeError(
            "One of the processes was ended from outside, by a system short of memory perhaps: "
            f"try with fewer. Received: {processes} processes"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _ctrl_c_held_back():
    """Ctrl-C is for this process, which ends the others; those that are started here never see it.

    (A terminal sends it to all of them, and each would print a traceback.)
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(function, shared):
    global _work_of_this_process
    _work_of_this_process = (function, shared)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for Windows, see _ctrl_c_held_back
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _work(task):
    function, shared = _work_of_this_process
    return function(shared, task)


def _end_with_parent():
    """A parent that is killed cannot end us; without this, we would wait for work forever."""
    multiprocessing.parent_process().join()
    os._exit(1)
