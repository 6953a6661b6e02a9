"""What the poll routine does when the ticker fires: signals, deadlines, checks, and the GIL."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wazero_api import DeadlineExceededError, ExitError

ALL_ONES = (1 << 64) - 1


def kill_later(seconds: float) -> subprocess.Popen[bytes]:
    """Send this process SIGINT after a while, from outside."""
    program = f"import os, time; time.sleep({seconds}); os.kill({os.getpid()}, 2)"
    return subprocess.Popen([sys.executable, "-S", "-c", program])


@pytest.fixture
def looping(rig: Any, wait_until: Callable[..., None]) -> Iterator[Any]:
    """The `Execution` of another thread that is in an endless loop; it ends with the test."""
    errors: list[BaseException] = []
    executions: list[Any] = []
    stop = threading.Event()

    def check(pc: int, sp: int, context: int) -> None:
        if stop.is_set() and threading.current_thread() is thread:
            raise ExitError(3)

    def target() -> None:
        executions.append(rig.executions.current())
        try:
            rig.run_forever()
        except BaseException as error:
            errors.append(error)

    rig.activity.add_check(check)
    thread = threading.Thread(target=target)
    thread.start()
    wait_until(lambda: executions and executions[0].thread_state)
    yield executions[0]
    stop.set()
    rig.activity.interrupt_all()
    thread.join()
    rig.activity._interrupts.checks.remove(check)
    assert isinstance(errors[0], ExitError)


def test_all_registers_survive(rig: Any) -> None:
    """Also where everything is called that can be."""
    code = rig.checking_registers()
    assert rig.run(code) == 0
    with rig.activity.deadline(1000):
        rig.executions.current().attention = 1
        assert rig.run(code) == 0
    assert rig.executions.current().attention == 0


def test_gil_is_released_at_the_poll_and_back_at_the_end(rig: Any, looping: Any) -> None:
    """That this thread runs at all shows that the other has released it."""
    assert looping.depth == 1
    assert rig.run(rig.checking_registers()) == 0
    execution = rig.executions.current()
    assert (execution.depth, execution.thread_state, execution.entry_stack) == (0, 0, 0)


def test_worker_leaves_the_gil_alone(looping: Any, wait_until: Callable[..., None]) -> None:
    """While polls go on, the thread never takes it, as that could cost a switch interval each time."""
    assert looping.is_main == 0
    before, start = looping.thread_state, looping.ticks
    assert before

    def still_without() -> bool:
        assert looping.thread_state == before
        return bool(looping.ticks > start + 40)

    wait_until(still_without)


def test_two_loops_at_once(rig: Any, looping: Any) -> None:
    counted = rig.counter[0]
    assert rig.run(rig.counting_loop(), 50_000_000) == 7
    assert rig.counter[0] > counted


@pytest.mark.parametrize("delay", [0.05, 0.3])
def test_interrupt_by_signal(rig: Any, delay: float) -> None:
    killer = kill_later(delay)
    with pytest.raises(KeyboardInterrupt):
        rig.run_forever()
    killer.wait()
    execution = rig.executions.current()
    assert (execution.depth, execution.thread_state) == (0, 0)
    assert rig.run(rig.counting_loop(), 1000) == 7


def test_interrupt_while_another_thread_computes(rig: Any) -> None:
    """The interpreter is busy all the time: the loop must get the GIL all the same."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(100))

    thread = threading.Thread(target=compute)
    thread.start()
    killer = kill_later(0.1)
    with pytest.raises(KeyboardInterrupt):
        rig.run_forever()
    stop.set()
    thread.join()
    killer.wait()


def test_signal_handler_that_returns_lets_the_loop_go_on(rig: Any) -> None:
    seen: list[int] = []
    old = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        with rig.activity.deadline(30):
            rig.activity.add_check(check := _raise_after(seen, 3))
            watcher = threading.Thread(target=_interrupt_until, args=(rig, seen, 3))
            watcher.start()
            with pytest.raises(ExitError):
                rig.run_forever()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        rig.activity._interrupts.checks.remove(check)
    watcher.join()
    assert len(seen) >= 3


def _raise_after(seen: list[int], count: int) -> Callable[[int, int, int], None]:
    def check(pc: int, sp: int, context: int) -> None:
        if len(seen) >= count:
            raise ExitError(1)

    return check


def _interrupt_until(rig: Any, seen: list[int], count: int) -> None:
    while len(seen) < count:
        time.sleep(0.001)
    rig.activity.interrupt_all()


def test_signal_handler_may_run_wasm(rig: Any) -> None:
    results: list[int] = []
    code = rig.counting_loop()

    def handle(number: int, frame: object) -> None:
        results.append(rig.run(code, 1000))
        raise InterruptedError

    old = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(InterruptedError):
            rig.run_forever()
    finally:
        signal.signal(signal.SIGALRM, old)
    assert results == [7]
    assert rig.executions.current().depth == 0


def test_error_tells_where(rig: Any) -> None:
    """Program counter and stack pointer are those of the poll's caller."""
    places: list[tuple[int, int, int]] = []

    def check(pc: int, sp: int, context: int) -> None:
        places.append((pc, sp, context))
        raise ExitError(1)

    rig.activity.add_check(check)
    code = rig.endless_loop()
    try:
        rig.executions.current().attention = 1
        with pytest.raises(ExitError):
            rig.run(code, ctypes.addressof(rig.counter))
    finally:
        rig.activity._interrupts.checks.remove(check)
    (pc, sp, _context), (noted_pc, noted_sp) = places[0], rig.raised
    assert (pc, sp) == (noted_pc, noted_sp)
    assert code < pc < code + 64
    assert sp % 16 == 8  # inside of a function that was called with an aligned stack


# Deadlines


def test_deadline_ends_a_loop(rig: Any) -> None:
    with rig.activity.deadline(0.05), pytest.raises(DeadlineExceededError, match=r"^the call ran past its timeout$"):
        rig.run_forever()
    assert rig.executions.current().deadline == 0


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("-inf"), 1e-9])
def test_deadline_that_is_over_ends_the_call_at_once(rig: Any, seconds: float) -> None:
    with rig.activity.deadline(seconds), pytest.raises(DeadlineExceededError):
        rig.run_forever()


@pytest.mark.parametrize("seconds", [1e9, 1e300, float("inf")])
def test_deadline_may_be_far_off(rig: Any, seconds: float) -> None:
    with rig.activity.deadline(seconds):
        assert rig.run(rig.counting_loop(), 20_000_000) == 7


def test_earlier_deadline_counts(rig: Any) -> None:
    execution = rig.executions.current()
    with rig.activity.deadline(1000):
        outer = execution.deadline
        with rig.activity.deadline(2000):
            assert execution.deadline == outer
        with rig.activity.deadline(0.02), pytest.raises(DeadlineExceededError):
            rig.run_forever()
        assert execution.deadline == outer
    assert execution.deadline == 0


def test_deadline_passes_in_host_code(rig: Any) -> None:
    """It is raised at the next poll after that."""
    code = rig.endless_loop()

    def host() -> None:
        time.sleep(0.05)
        rig.run(code, ctypes.addressof(rig.counter))

    def caller() -> None:
        try:
            host()
        except DeadlineExceededError:
            outcomes.append("inner")

    outcomes: list[str] = []
    with rig.activity.deadline(0.01):
        rig.run(rig.calling_python(caller))
    assert outcomes == ["inner"]


def test_deadline_of_another_thread_does_not_count(rig: Any, looping: Any) -> None:
    with rig.activity.deadline(0.02), pytest.raises(DeadlineExceededError):
        rig.run_forever()
    assert looping.depth == 1


# Interrupts


def test_interrupt_reaches_threads_in_host_code(rig: Any) -> None:
    """They attend when they are back in wasm code."""
    seen: list[int] = []
    loop = rig.counting_loop()
    rig.activity.add_check(check := lambda pc, sp, context: seen.append(rig.executions.current().depth))

    def host() -> None:
        assert not rig.activity.is_idle()
        rig.activity.interrupt_all()
        assert not seen
        rig.run(loop, 10)

    try:
        rig.run(rig.calling_python(host))
    finally:
        rig.activity._interrupts.checks.remove(check)
    assert seen == [2]


def test_idle(rig: Any) -> None:
    assert rig.activity.is_idle()
    answers: list[bool] = []
    rig.run(rig.calling_python(lambda: answers.append(rig.activity.is_idle())))
    assert answers == [False]
    assert rig.activity.is_idle()
