"""How far wasm frames may go: what overflows is a trap, in every thread."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from machine_rig import TRAPPED

from wazero_jit.link.stack import stack_bounds, stack_limit


def test_initial_thread_has_what_the_limit_says() -> None:
    low, end = stack_bounds()
    soft = resource.getrlimit(resource.RLIMIT_STACK)[0]
    assert low < end
    if soft != resource.RLIM_INFINITY:
        assert soft - (1 << 20) < end - low <= soft


@pytest.mark.parametrize("stack_bytes", [32 << 10, 64 << 10, 256 << 10, 1 << 20, 64 << 20])
def test_thread_has_the_size_that_was_asked_for(stack_bytes: int, run_in_thread: Callable[..., Any]) -> None:
    (low, end), limit = run_in_thread(lambda: (stack_bounds(), stack_limit()), stack_bytes)
    assert stack_bytes - 4096 <= end - low <= stack_bytes + (64 << 10)
    assert limit == low + min(4 << 20, (end - low) // 2)


@pytest.mark.parametrize("stack_bytes", [32 << 10, 256 << 10, 64 << 20])
def test_overflow_traps_in_threads(stack_bytes: int, rig: Any, run_in_thread: Callable[..., Any]) -> None:
    code = rig.endless_recursion()
    assert run_in_thread(lambda: rig.run(code), stack_bytes) == TRAPPED


def test_overflow_traps_where_the_stack_ends(rig: Any) -> None:
    """The trap is at the poll, as if the poll's caller had called the trap routine."""
    code = rig.endless_recursion()
    assert rig.run(code) == TRAPPED
    kind, pc, sp = rig.trapped
    assert kind == 9
    assert code < pc < code + 64
    limit = rig.executions.current().stack_limit
    assert limit - 48 <= sp < limit


def test_overflow_traps_on_a_thread_that_is_deep_already(rig: Any, run_in_thread: Callable[..., Any]) -> None:
    recursion, results = rig.endless_recursion(), []
    outer = rig.calling_python(lambda: results.append(rig.run(recursion)))
    assert run_in_thread(lambda: rig.run(outer), 128 << 10) == 7
    assert results == [TRAPPED]


@pytest.mark.parametrize("limit", ["unlimited", "1000000", "600"])
def test_overflow_traps_under_any_limit(limit: str) -> None:
    """A limit in KiB; with "unlimited" the C library reports terabytes, which the kernel would refuse in the end."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard != resource.RLIM_INFINITY:
        pytest.skip("the stack may not grow further")
    program = "import machine_rig; rig = machine_rig.Rig(); print(rig.run(rig.endless_recursion()))"
    command = f'ulimit -s {limit}; PYTHONPATH="{":".join(sys.path)}" exec {sys.executable} -c "{program}"'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (f"{TRAPPED}\n", "")
