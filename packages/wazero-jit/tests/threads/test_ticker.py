"""The ticker sleeps when nothing runs, and is always there when something does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wazero_api import DeadlineExceededError
from wazero_jit.link.ticker import PATIENCE, PERIOD_NANOSECONDS

_others: set[Path] = set()
"""Threads of an engine that other tests of this process have used."""


def ticker_threads() -> list[Path]:
    tasks = [task for task in Path("/proc/self/task").iterdir() if task not in _others]
    return [task for task in tasks if _name(task) == "wazero-ticker\n"]


def _name(task: Path) -> str:
    try:
        return (task / "comm").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended after it was listed
        return ""


@pytest.fixture(autouse=True)
def _know_others(rig: Any) -> None:
    rig.ticker.stop()
    _others.update(ticker_threads())


@pytest.fixture
def impatient(rig: Any) -> Iterator[Any]:
    """Goes to sleep at every occasion."""
    control = rig.ticker_control
    control.patience, control.period_nanoseconds = 1, 100_000
    yield control
    control.patience, control.period_nanoseconds = PATIENCE, PERIOD_NANOSECONDS
    rig.ticker.stop()


def test_is_one_thread_that_comes_and_goes(rig: Any, wait_until: Callable[..., None]) -> None:
    rig.ticker.stop()
    assert ticker_threads() == []
    assert rig.ticker.is_asleep
    for _ in range(3):
        rig.ticker.wake()
        assert not rig.ticker.is_asleep
        rig.run(rig.counting_loop(), 1000)
        wait_until(ticker_threads)
    assert len(ticker_threads()) == 1
    rig.ticker.stop()
    rig.ticker.stop()
    assert ticker_threads() == []


def test_lets_signals_pass_by(rig: Any, wait_until: Callable[..., None]) -> None:
    """Except for those by which the C library reaches every thread."""
    rig.ticker.stop()
    rig.ticker.wake()
    wait_until(ticker_threads)
    (thread,) = ticker_threads()
    (blocked,) = [line for line in (thread / "status").read_text().splitlines() if line.startswith("SigBlk")]
    every = (1 << 64) - 1
    unblocked = every & ~int(blocked.split()[1], 16)
    # SIGKILL and SIGSTOP cannot be blocked.
    assert unblocked == sum(1 << number - 1 for number in (9, 19, 32, 33))


def test_falls_asleep(rig: Any, impatient: Any, wait_until: Callable[..., None]) -> None:
    rig.ticker.wake()
    wait_until(lambda: rig.ticker.is_asleep)
    (thread,) = ticker_threads()
    wait_until(lambda: "S (sleeping)" in (thread / "status").read_text())
    rig.ticker.stop()
    assert ticker_threads() == []


def test_never_sleeps_through_a_call(rig: Any, impatient: Any) -> None:
    """Calls that begin at all times, relative to when it goes to sleep; one it missed would never end."""
    code = rig.endless_loop()
    for turn in range(300):
        time.sleep(turn * 2e-6)
        with rig.activity.deadline(1e-4), pytest.raises(DeadlineExceededError):
            rig.run(code, rig.counter_address)


def test_never_sleeps_through_calls_of_threads(rig: Any, impatient: Any) -> None:
    code, ended = rig.endless_loop(), []

    def call() -> None:
        for turn in range(100):
            time.sleep(turn * 3e-6)
            try:
                with rig.activity.deadline(1e-4):
                    rig.run(code, rig.counter_address)
            except DeadlineExceededError:
                ended.append(1)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 400


def test_thread_that_cannot_be_started_is_an_error(python: Callable[..., Any]) -> None:
    program = """
import pathlib, resource, sys, machine_rig
rig = machine_rig.Rig()
space = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * 4096
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (space, limits[1]))
try:
    rig.ticker.wake()
except RuntimeError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, limits)
print(rig.ticker.is_asleep)
"""
    done = python(program)
    assert done.stderr == ""
    message, asleep = done.stdout.splitlines()
    assert message.startswith("cannot start the thread that interrupts WebAssembly: ")
    assert asleep == "True"
