"""The child of a fork has one thread, and can run wasm in it."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wazero_api import DeadlineExceededError, ExitError

Child = Callable[[Callable[[], object]], str]


def state(rig: Any) -> tuple[int, int, int]:
    """Threads with a slot, with wasm code, and entries of this thread."""
    executions = rig.executions
    return executions.thread_count, len(list(executions.active())), executions.current().depth


@pytest.fixture
def other_thread(rig: Any, wait_until: Callable[..., None]) -> Iterator[None]:
    """Runs wasm without the GIL."""
    stop, inside = threading.Event(), []

    def check(pc: int, sp: int, context: int) -> None:
        if stop.is_set() and threading.current_thread() is thread:
            raise ExitError(0)

    def target() -> None:
        inside.append(rig.executions.current())
        with pytest.raises(ExitError):
            rig.run_forever()

    rig.activity.add_check(check)
    thread = threading.Thread(target=target)
    thread.start()
    wait_until(lambda: inside and inside[0].thread_state)
    yield
    stop.set()
    rig.activity.interrupt_all()
    thread.join()
    rig.activity._interrupts.checks.remove(check)


def deadline_works(rig: Any) -> str:
    try:
        with rig.activity.deadline(0.02):
            rig.run_forever()
    except DeadlineExceededError:
        return "ended"
    return "went on"


def test_child_runs_wasm(rig: Any, run_in_child: Child) -> None:
    assert deadline_works(rig) == "ended"
    assert run_in_child(lambda: deadline_works(rig)) == "ended"
    assert deadline_works(rig) == "ended"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_other_threads_are_gone(rig: Any, run_in_child: Child, other_thread: None) -> None:
    """And do not count as running."""
    rig.executions.current()
    assert state(rig) == (2, 1, 0)
    assert run_in_child(lambda: (state(rig), deadline_works(rig))) == "((1, 0, 0), 'ended')"
    assert state(rig) == (2, 1, 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_others_are_interrupted_after_a_fork(rig: Any, run_in_child: Child, other_thread: None) -> None:
    """The ticker was stopped for it, while they went on."""
    execution = next(iter(rig.executions.active()))
    assert run_in_child(lambda: 1) == "1"
    before = execution.ticks
    while execution.ticks == before:
        assert not rig.ticker.is_asleep


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_in_a_thread(rig: Any, run_in_child: Child, run_in_thread: Callable[..., Any]) -> None:
    """That is the child's main thread then, which takes its signals."""

    def body() -> object:
        was_main = rig.executions.current().is_main
        return was_main, rig.executions.current().is_main, deadline_works(rig)

    assert run_in_thread(lambda: run_in_child(body)) == "(1, 1, 'ended')"
    assert run_in_thread(lambda: rig.executions.current().is_main) == 0


def test_fork_in_host_code(rig: Any, run_in_child: Child) -> None:
    """The call goes on in both; the child's, too, can be interrupted."""
    results: list[str] = []

    def child() -> str:
        return f"{rig.executions.current().depth} {rig.ticker.is_asleep} {deadline_works(rig)}"

    assert rig.run(rig.calling_python(lambda: results.append(run_in_child(child)))) == 7
    assert results == ["1 False ended"]


def test_call_goes_on_in_the_child(rig: Any) -> None:
    """The ticker interrupts a loop that was entered before the fork."""
    pids: list[int] = []
    code = rig.forking_loop(lambda: pids.append(os.fork()))
    with rig.activity.deadline(0.1), pytest.raises(DeadlineExceededError):
        rig.run(code, ctypes.addressof(rig.counter))
    if pids == [0]:
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 5


def test_fork_counts_no_ticker(rig: Any, python: Callable[..., Any]) -> None:
    """CPython 3.12 and later warn of a fork while there are other threads; with -W error that is an error."""
    program = """
import os, machine_rig
rig = machine_rig.Rig()
rig.run(rig.counting_loop(), 10)
assert not rig.ticker.is_asleep
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
print("forked")
"""
    done = python(program)
    assert (done.stdout, done.stderr) == ("forked\n", "")
