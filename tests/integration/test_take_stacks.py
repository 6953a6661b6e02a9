"""Engines tell where the threads are that run guest code."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest

from integration.runtimes import ANONYMOUS, ENGINES, new_runtime, wasm
from wazero_api import ExitError, Frame
from wazero_core import Module, Runtime

GUEST: Final = """
(module $guest
  (import "host" "wait" (func $wait))
  (import "host" "look" (func $look))
  (memory 1)
  (table funcref (elem $outer))
  (func $spin (loop (br 0)))
  (func $middle (call $spin))
  (func $outer (export "spin") (call $middle))
  (func (export "spin_indirectly") (call_indirect (i32.const 0)))
  (func $after (loop (drop (i32.load (i32.const 0)))))
  (func $waiter (export "wait") (call $wait) (call $after))
  (func $looker (export "look") (call $look) (call $after))
  (func $deep (export "deep") (param i32)
    (if (i32.eqz (local.get 0)) (then (call $spin)) (else (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
"""
Taken = list[tuple[int, tuple[Frame, ...], bool]]


@pytest.fixture(params=ENGINES)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with new_runtime(request.param) as runtime:
        yield runtime


def instantiate(runtime: Runtime, wait: Any = None, look: Any = None) -> Module:
    host = runtime.new_host_module_builder("host")
    for name, function in (("wait", wait), ("look", look)):
        host.new_function_builder().with_raw_function(function or (lambda: None), [], []).export(name)
    host.instantiate()
    return runtime.instantiate(wasm(GUEST), ANONYMOUS.with_name("instance"))


def names(frames: tuple[Frame, ...]) -> list[str]:
    return [f"{frame.module_name}.{frame.function_name}" for frame in frames]


def take_once_running(runtime: Runtime, taken: Taken, module: Module, name: str, *arguments: int) -> int:
    """Ask until somebody tells, while a thread calls that export, which never ends by itself; the thread."""
    told = threading.Event()

    def take(thread: int, frames: tuple[Frame, ...], is_in_host: bool) -> None:
        if not told.is_set():
            taken.append((thread, frames, is_in_host))
            told.set()

    def call() -> None:
        function = module.exported_function(name)
        assert function is not None
        with pytest.raises(ExitError):
            function.call(*arguments, timeout=60)

    thread = threading.Thread(target=call)
    thread.start()
    while thread.is_alive() and not told.wait(0.01):
        runtime.engine.take_stacks(take)
    module.close()
    thread.join()
    assert thread.ident is not None
    return thread.ident


@pytest.mark.parametrize(("export", "last"), [("spin", []), ("spin_indirectly", ["instance.$5"])])
def test_of_another_thread(runtime: Runtime, export: str, last: list[str]) -> None:
    taken: Taken = []
    thread = take_once_running(runtime, taken, instantiate(runtime), export)
    assert [(taken[0][0], taken[0][2])] == [(thread, False)]
    stack = taken[0][1]
    expected = ["instance.spin", "instance.middle", "instance.outer", *last]
    assert names(stack) == expected[-len(stack) :]  # the guest may still have been on its way
    assert [frame.function_index for frame in stack] == [2, 3, 4, 5][: len(stack)]


def test_a_stack_that_is_very_deep_is_not_told_to_its_end(runtime: Runtime) -> None:
    taken: Taken = []
    take_once_running(runtime, taken, instantiate(runtime), "deep", 1_000)
    assert 0 < len(taken[0][1]) <= 256


def test_of_nobody(runtime: Runtime) -> None:
    module = instantiate(runtime)
    taken: Taken = []
    runtime.engine.take_stacks(lambda *values: taken.append(values))
    runtime.engine.take_stacks(lambda *values: taken.append(values), only_caller=True)
    module.exports.look()
    assert taken == []


def test_of_the_caller_in_a_host_function(runtime: Runtime) -> None:
    """Told at once, or when the guest goes on, and once only."""
    taken: Taken = []

    def take(*values: Any) -> None:
        taken.append(values)

    def look() -> None:
        for _ in range(3):
            runtime.engine.take_stacks(take, only_caller=True)
        del taken[1:]

    module = instantiate(runtime, look=look)
    module.exports.look()
    module.exports.look()
    assert len(taken) in (1, 2)
    for thread, frames, is_in_host in taken:
        assert thread == threading.get_ident()
        assert names(frames)[-1] == "instance.looker"
        assert is_in_host == (len(frames) == 1)


def test_of_a_thread_in_a_host_function(runtime: Runtime) -> None:
    """What cannot be told at once is told when the guest goes on."""
    waiting, go_on = threading.Event(), threading.Event()
    taken: Taken = []

    def wait() -> None:
        waiting.set()
        assert go_on.wait(30)

    module = instantiate(runtime, wait)
    thread = threading.Thread(target=module.exports.wait)
    thread.start()
    assert waiting.wait(30)
    runtime.engine.take_stacks(lambda *values: taken.append(values))
    is_told_at_once = bool(taken)
    go_on.set()
    thread.join()
    assert [(told[0], names(told[1])[-1], told[2]) for told in taken] == [
        (thread.ident, "instance.waiter", is_told_at_once)
    ]
