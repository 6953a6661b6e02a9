"""The hammer: the same code from many threads at once, many times, with every failure reported.

    def test_counter_hammer() -> None:
        counter = Counter()
        hammer(lambda p, n: counter.add(1))
        assert counter.value == ...        # follow-up checks run only if no thread failed

The form is wazero's: P threads wait at a gate and are released together, so that they meet inside the code under test;
each runs the body N times in a plain loop; a thread stops at its own first failure while the others go on, and all
failures come out at the end, since their pattern says more than the first of them. While they run, the interpreter
switches threads as often as it can, which is what few cores do in wazero's version.

Tests name themselves `..._hammer`, to be found easily. This module must not import the packages under test.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, final

SHORT: Final = bool(os.environ.get("WAZERO_TEST_SHORT"))
"""Set to run smaller hammers: half the threads, a tenth of the loops."""

P: Final = 4 if SHORT else 8
"""Threads, unless a test says otherwise."""

N: Final = 100 if SHORT else 1000
"""Loops of each thread, unless a test says otherwise; aim at about 0.1 s a hammer."""

TIMEOUT_S: Final = 120.0
"""Seconds until threads that do not end count as hung."""

SWITCH_INTERVAL_S: Final = 1e-6

Body = Callable[[int, int], object]
"""Called as body(p, n) with the number of the thread and of the loop; what it raises is a failure."""


@final
class HammerTimeoutError(Exception):
    """Threads did not end in time. The message says which, in which loop, and where they are."""


def hammer(body: Body, *, p: int = P, n: int = N, timeout_s: float = TIMEOUT_S) -> None:
    """Run `body` n times in each of p threads that start together.

    Raises ExceptionGroup with one exception for each thread that failed (a note says which thread and loop), and among
    them HammerTimeoutError if threads hang. Those threads are daemons and told to stop at their next loop.
    """
    gate = threading.Barrier(p + 1)
    workers = [_Worker(body, number, n, gate) for number in range(p)]
    deadline = time.monotonic() + timeout_s
    with _eager_thread_switches():
        for worker in workers:
            worker.start()
        gate.wait(timeout_s)
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
    failures: list[Exception] = [worker.failure for worker in workers if worker.failure is not None]
    hung = [worker for worker in workers if worker.is_alive()]
    if hung:
        failures.append(_timeout(hung, timeout_s))
        for worker in hung:
            worker.stopped = True
    if failures:
        raise ExceptionGroup(f"{len(failures)} failures in {p} threads of {n} loops", failures)


@final
class _Worker(threading.Thread):
    """One thread: waits at the gate, loops, keeps its first failure."""

    def __init__(self, body: Body, number: int, loops: int, gate: threading.Barrier) -> None:
        super().__init__(name=f"hammer-{number}", daemon=True)
        self.body = body
        self.number = number
        self.loops = loops
        self.gate = gate
        self.loop = -1
        self.failure: Exception | None = None
        self.stopped = False

    def run(self) -> None:
        self.gate.wait()
        try:
            for loop in range(self.loops):
                if self.stopped:
                    return
                self.loop = loop
                self.body(self.number, loop)
        except Exception as error:
            error.add_note(f"in hammer thread {self.number}, loop {self.loop}")
            self.failure = error
        except BaseException as error:  # SystemExit, pytest's Failed and Skipped: a failure all the same
            self.failure = RuntimeError(f"{type(error).__name__} in hammer thread {self.number}, loop {self.loop}")
            self.failure.__cause__ = error


def _timeout(hung: list[_Worker], timeout_s: float) -> HammerTimeoutError:
    lines = [f"{len(hung)} threads did not end within {timeout_s:g} s"]
    frames = sys._current_frames()
    for worker in hung:
        lines.append(f"thread {worker.number} is in loop {worker.loop}:")
        frame = frames.get(worker.ident or 0)
        if frame is not None:
            lines.extend(line.rstrip() for line in traceback.format_stack(frame))
    return HammerTimeoutError("\n".join(lines))


@contextmanager
def _eager_thread_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
