"""Machine code that uses up the stack: always ExhaustionError, in every thread, at every depth of guest and host."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from integration.runtimes import ANONYMOUS, NATIVE, needs_jit, new_runtime, wasm
from wazero_api import ExhaustionError, TrapKind, ValueType
from wazero_core import Module, Runtime

pytestmark = needs_jit

I32: Final = ValueType.I32
KIB: Final = 1024
STACK_SIZES: Final = (0, 1024 * KIB, 256 * KIB, 64 * KIB)
"""Of threads; 0 for the system's default."""

RECURSIVE: Final = f"""
(module $deep
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory 1) (table funcref (elem $through_table))
  (func $straight (export "straight") (call $straight))
  (func $sum (export "sum") (param i32) (result i32)
    (i32.add (local.get 0) (call $sum (i32.add (local.get 0) (i32.const 1)))))
  (func $many_params (export "many_params") (param {"i64 " * 20}) (result i64)
    (call $many_params {" ".join(f"(local.get {n})" for n in range(20))}))
  (func $large (export "large") (local {"i64 " * 3000}) (call $large))
  (func $huge (export "huge") (local {"i64 " * 50000}) (call $huge))
  (func $through_table (export "through_table") (call_indirect (i32.const 0)))
  (func $even (export "even") (call $odd)) (func $odd (call $even))
  (func $host_each_time (export "host_each_time") (drop (call $host (i32.const 1))) (call $host_each_time))
  (func $through_host (export "through_host") (param i32) (result i32)
    (i32.add (i32.const 1) (call $host (local.get 0))))
  (func $deeper (export "deeper") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (call $deeper (i32.sub (local.get 0) (i32.const 1))))
      (else (call $host (i32.const 2)))))
  (func (export "ok") (result i32) (i32.const 42)))
"""
ENDLESS: Final = {
    "straight": (),
    "sum": (1,),
    "many_params": range(20),
    "large": (),
    "huge": (),
    "through_table": (),
    "even": (),
    "host_each_time": (),
}
"""Exports that recurse without end, and their arguments."""

Host = Callable[[Module, int], int]


class Recursive:
    """An instance of `RECURSIVE`, whose host function can be set."""

    def __init__(self, runtime: Runtime) -> None:
        self.host: Host = lambda _, value: value
        builder = runtime.new_host_module_builder("env").new_function_builder()
        builder.with_raw_module_function(self.call_host, [I32], [I32]).export("host").instantiate()
        self.exports: Any = runtime.instantiate(wasm(RECURSIVE), ANONYMOUS).exports

    def call_host(self, module: Module, value: int) -> int:
        """What the guest imports."""
        return self.host(module, value)

    def exhausts(self, name: str, *arguments: int) -> ExhaustionError:
        """Call an export that must not return; then all must be well."""
        with pytest.raises(ExhaustionError) as caught:
            self.exports[name](*arguments)
        assert caught.value.kind is TrapKind.CALL_STACK_EXHAUSTED
        assert self.exports.ok() == 42
        return caught.value


@pytest.fixture(params=NATIVE)
def recursive(request: pytest.FixtureRequest) -> Iterator[Recursive]:
    limit = sys.getrecursionlimit()
    with new_runtime(request.param) as runtime:
        yield Recursive(runtime)
    assert sys.getrecursionlimit() == limit


def run_in_thread(body: Callable[[], object], stack_bytes: int) -> None:
    """Raises what `body` raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            body()
        except BaseException as error:
            raised.append(error)

    before = threading.stack_size(stack_bytes)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if raised:
        raise raised[0]


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_recursion(name: str, recursive: Recursive) -> None:
    for _ in range(2):
        error = recursive.exhausts(name, *ENDLESS[name])
        assert len(error.frames) > 10
        assert {frame.function_name for frame in error.frames} <= {name, "odd"}


@pytest.mark.parametrize("stack_bytes", STACK_SIZES)
def test_endless_recursion_in_a_thread(stack_bytes: int, recursive: Recursive) -> None:
    def body() -> None:
        for name, arguments in ENDLESS.items():
            recursive.exhausts(name, *arguments)

    run_in_thread(body, stack_bytes)
    recursive.exhausts("straight")


def test_recursion_as_deep_as_real_programs_need_works(recursive: Recursive) -> None:
    assert recursive.exports.deeper(25_000) == 2
    run_in_thread(lambda: recursive.exports.deeper(20_000), 0)


@pytest.mark.parametrize("stack_bytes", [None, *STACK_SIZES])
def test_endless_recursion_through_the_host(stack_bytes: int | None, recursive: Recursive) -> None:
    recursive.host = lambda module, value: module.exports.through_host(value) + 1

    def body() -> None:
        for _ in range(2):
            error = recursive.exhausts("through_host", 1)
            assert {frame.function_name for frame in error.frames} == {"through_host"}

    body() if stack_bytes is None else run_in_thread(body, stack_bytes)


@pytest.mark.parametrize("stack_bytes", [None, *STACK_SIZES])
def test_endless_recursion_far_from_the_entry(stack_bytes: int | None, recursive: Recursive) -> None:
    """Guest and host in turns, with ever more guest frames between, until a guest's own recursion is the last straw."""

    def host(module: Module, value: int) -> int:
        return int(module.exports.deeper(100)) + value

    recursive.host = host

    def body() -> None:
        recursive.exhausts("deeper", 10)
        depth = [0]

        def recurse_at_the_end(module: Module, value: int) -> int:
            depth[0] += 1
            if depth[0] == 12:
                module.exports.straight()
            return int(module.exports.deeper(3)) + value

        recursive.host = recurse_at_the_end
        error = recursive.exhausts("deeper", 3)
        recursive.host = host
        assert [frame.function_name for frame in error.frames].count("deeper") == 4 * depth[0]

    body() if stack_bytes is None else run_in_thread(body, stack_bytes)


@pytest.mark.parametrize("stack_bytes", [None, *STACK_SIZES, 128 * KIB])
def test_endless_recursion_of_python_and_a_host_function(stack_bytes: int | None) -> None:
    """No guest between, whose prologues would look at the stack."""
    with new_runtime("jit") as runtime:

        def call_again(value: int) -> int:
            result: int = host.exports.f(value)
            return result

        builder = runtime.new_host_module_builder("env").new_function_builder()
        host = builder.with_raw_function(call_again, [I32], [I32]).export("f").instantiate()

        def body() -> None:
            for _ in range(2):
                with pytest.raises(ExhaustionError):
                    host.exports.f(1)

        body() if stack_bytes is None else run_in_thread(body, stack_bytes)


def test_a_guest_catches_nothing_but_the_host_may(recursive: Recursive) -> None:
    """An inner call runs out of stack; the host function goes on, and so does the outer call."""

    def host(module: Module, _: int) -> int:
        with pytest.raises(ExhaustionError):
            module.exports.straight()
        return 5

    recursive.host = host
    assert recursive.exports.deeper(1000) == 5


# Python's own recursion


def recurse_in_python() -> int:
    return recurse_in_python() + 1


@pytest.mark.parametrize("stack_bytes", [None, 0, 256 * KIB])
def test_a_host_function_that_recurses_by_itself(stack_bytes: int | None, recursive: Recursive) -> None:
    """At little depth of guest code that is its own fault, and its own RecursionError."""
    recursive.host = lambda _module, _value: recurse_in_python()

    def body() -> None:
        for depth in (0, 3, 50):
            with pytest.raises(RecursionError) as caught:
                recursive.exports.deeper(depth)
            (note,) = caught.value.__notes__
            assert note.count("deeper at byte") == min(depth + 1, 30)
            assert recursive.exports.ok() == 42

    body() if stack_bytes is None else run_in_thread(body, stack_bytes)


def test_python_code_that_recurses_through_the_guest(recursive: Recursive) -> None:
    """Whoever finds the limit first, Python or this package: the guest is what recurses."""

    def host(module: Module, value: int) -> int:
        def through_python(levels: int) -> int:
            return through_python(levels - 1) if levels else int(module.exports.through_host(value))

        return through_python(40)

    recursive.host = host
    recursive.exhausts("through_host", 1)


def test_the_limit_is_of_the_thread_that_calls(recursive: Recursive) -> None:
    """Main thread, thread with a small stack and main thread again, in turns."""
    small: list[ExhaustionError] = []
    for _ in range(3):
        main = recursive.exhausts("straight")
        run_in_thread(lambda: small.append(recursive.exhausts("straight")), 256 * KIB)
        assert len(small[-1].frames) < len(main.frames) / 3
