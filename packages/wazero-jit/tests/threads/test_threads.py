"""Every thread has one `Execution` while it lives, and nobody finds that of a thread that is gone."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from wazero_jit.link import threads
from wazero_jit.link.records import CELL_SHIFT, CELLS, TRAPS, ExecutionCell
from wazero_jit.link.threads import Executions, refuse_subinterpreter

get_thread_state = ctypes.pythonapi["PyThreadState_Get"]
get_thread_state.restype = ctypes.c_void_p


def cell_of(executions: Executions, thread_state: int) -> ExecutionCell:
    """Where an entry of that thread looks."""
    index = thread_state >> CELL_SHIFT & CELLS - 1
    return ExecutionCell.from_address(executions.cells + index * ctypes.sizeof(ExecutionCell))


def filled_cells(executions: Executions) -> list[tuple[int, int]]:
    cells = (ExecutionCell * CELLS).from_address(executions.cells)
    return [(cell.thread_state, cell.execution) for cell in cells if cell.thread_state or cell.execution]


def run_in_foreign_thread(body: Callable[[], object]) -> None:
    """In a thread that C makes: it gets a thread state for the one call, and that is destroyed at its end."""
    library = ctypes.CDLL(None)

    target = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: body() and None)
    thread = ctypes.c_ulong()
    assert library.pthread_create(ctypes.byref(thread), None, target, None) == 0
    library.pthread_join(thread, None)


def run_in_python_thread(body: Callable[[], object]) -> None:
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()


run_anywhere = pytest.mark.parametrize("run", [run_in_python_thread, run_in_foreign_thread])


@pytest.fixture
def executions() -> Executions:
    made = Executions()
    made.install(1234, range(len(TRAPS)))
    return made


@run_anywhere
def test_thread_gives_back_what_it_had(run: Callable[..., None], executions: Executions) -> None:
    seen: list[tuple[int, int]] = []

    def body() -> None:
        executions.enter_thread()
        execution = executions.current()
        cell = cell_of(executions, get_thread_state())
        assert cell.thread_state == get_thread_state()
        assert cell.execution == ctypes.addressof(execution)
        assert (execution.is_used, execution.poll, list(execution.traps)) == (1, 1234, list(range(len(TRAPS))))
        assert execution.limit == execution.stack_limit > 0
        execution.deadline, execution.attention, execution.ticks = 5, 1, 9
        seen.append((executions.thread_count, execution.is_main))

    for _ in range(50):
        run(body)
        assert executions.thread_count == 0
        assert filled_cells(executions) == []
    assert seen == [(1, 0)] * 50
    assert executions.ticker.end == executions.ticker.first + threads.SLOT_BYTES
    execution = executions.current()
    assert (execution.deadline, execution.attention, execution.ticks, execution.is_main) == (0, 0, 0, 1)


def test_threads_at_once_have_slots_of_their_own(executions: Executions) -> None:
    count = 100
    barrier = threading.Barrier(count)
    addresses: list[int] = []

    def body() -> None:
        barrier.wait()
        executions.enter_thread()
        addresses.append(ctypes.addressof(executions.current()))
        barrier.wait()

    running = [threading.Thread(target=body) for _ in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert len(set(addresses)) == count
    assert max(addresses) < executions.ticker.end == executions.ticker.first + count * threads.SLOT_BYTES
    assert executions.thread_count == 0
    assert filled_cells(executions) == []


def test_cell_of_another_thread_stays(executions: Executions) -> None:
    """A thread that ends clears its cell only if it still has it."""
    taken = ExecutionCell(77, 88)

    def body() -> None:
        executions.enter_thread()
        ctypes.memmove(ctypes.addressof(cell_of(executions, get_thread_state())), ctypes.byref(taken), 16)

    run_in_python_thread(body)
    assert filled_cells(executions) == [(77, 88)]


class _Witness:
    """Wants to run wasm when it goes."""

    def __init__(self, executions: Executions, outcomes: list[object]) -> None:
        self.executions = executions
        self.outcomes = outcomes

    def __del__(self) -> None:
        try:
            self.executions.enter_thread()
            self.outcomes.append("entered")
        except RuntimeError as error:
            self.outcomes.append(str(error))


@run_anywhere
@pytest.mark.parametrize("holder", ["context", "local"])
def test_ending_thread_gets_no_second_slot(run: Callable[..., None], holder: str, executions: Executions) -> None:
    """Its cell would be found by the next thread whose state has the same address."""
    variable: ContextVar[object] = ContextVar("variable")
    local = threading.local()
    outcomes: list[object] = []

    def body() -> None:
        if holder == "context":
            variable.set(_Witness(executions, outcomes))
        else:
            local.value = _Witness(executions, outcomes)
        executions.enter_thread()

    for _ in range(5):
        run(body)
        assert executions.thread_count == 0
        assert filled_cells(executions) == []
    assert outcomes == ["the thread is ending and cannot run WebAssembly any more"] * 5


def test_ended_threads_are_not_remembered_for_ever(executions: Executions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_ENDED_THREADS", 3)
    for _ in range(6):
        run_in_python_thread(executions.current)
    assert len(executions._ended) == len(executions._met) == 3


def test_too_many_threads(monkeypatch: pytest.MonkeyPatch, executions: Executions) -> None:
    monkeypatch.setattr(threads, "MAX_THREADS", 1)
    errors: list[str] = []

    def body() -> None:
        try:
            executions.current()
        except RuntimeError as error:
            errors.append(str(error))

    executions.current()
    run_in_python_thread(body)
    assert errors == ["more than 1 threads run WebAssembly"]
    assert executions.thread_count == 1


def test_active(executions: Executions) -> None:
    execution = executions.current()
    assert list(executions.active()) == []
    execution.depth = 2
    assert [ctypes.addressof(active) for active in executions.active()] == [ctypes.addressof(execution)]


def test_slots_share_no_cache_line(executions: Executions) -> None:
    assert executions.ticker.first % 64 == threads.SLOT_BYTES % 64 == 0


# The whole process


DAEMONS = {
    "goes on": "rig.run_forever()",
    "ends": "rig.run(rig.counting_loop(), 300_000_000)",
    "ends in a poll": "with rig.activity.deadline(0.15): rig.run_forever()",
}


@pytest.mark.parametrize("body", DAEMONS.values(), ids=DAEMONS)
def test_process_ends_while_a_daemon_thread_runs_wasm(body: str, python: Callable[..., Any]) -> None:
    """Its code goes on when the interpreter is half gone, and may come back to it."""
    program = f"""
import contextlib, sys, threading, time, types, machine_rig, wazero_api
rig = machine_rig.Rig()
class Late:  # destroyed while the interpreter finalizes, which it makes take a while
    def __del__(self, wake=rig.ticker.wake, sleep=time.sleep, print=print):
        wake()
        sleep(0.3)
        print("late", flush=True)
def target():
    with contextlib.suppress(wazero_api.DeadlineExceededError):  # if this machine is slow
        {body}
thread = threading.Thread(target=target, daemon=True)
thread.start()
while not any(rig.executions.active()): time.sleep(0.001)
time.sleep(0.05)
sys.modules["late"] = types.ModuleType("late")
sys.modules["late"].late = Late()
"""
    done = python(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "late\n", "")


def test_process_ends_with_wasm_in_a_destructor(python: Callable[..., Any]) -> None:
    program = """
import atexit, machine_rig
rig = machine_rig.Rig()
code = rig.counting_loop()
class Late:
    def __del__(self, rig=rig, code=code, print=print): print(rig.run(code, 100_000_000))
late = Late()
atexit.register(lambda: print(rig.run(code, 100_000_000)))
print(rig.run(code, 100_000_000))
"""
    done = python(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "7\n7\n7\n", "")


def test_subinterpreter_is_refused(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """In a process of its own: where a sub-interpreter imports ctypes, the main one's ctypes types change."""
    assert refuse_subinterpreter() is None
    name = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    inside = """
try:
    from wazero_jit.link.threads import refuse_subinterpreter
    sentence = refuse_subinterpreter()
except ImportError as error:  # ctypes itself may refuse
    sentence = str(error)
assert sentence and "interpreter" in sentence, sentence
"""
    done = python(
        f"import {name} as interpreters\n"
        "new = interpreters.create()\n"
        f"failure = interpreters.run_string(new, {inside!r})\n"
        "assert failure is None, failure\n"
        "interpreters.destroy(new)\n"
        "print('refused')"
    )
    assert done.stdout == "refused\n", done.stderr
