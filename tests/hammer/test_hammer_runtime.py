"""The runtime from many threads: compile, instantiate, call, grow, re-enter, close.

Instances are shared only as the documentation allows: one call at a time per instance, unless the guest keeps no state.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import wasmtime

from hammer.hammer import N, P, hammer
from integration.runtimes import NAMED_ENGINES
from wazero_api import DeadlineExceededError, ExhaustionError, ExitError, LinkError, Trap, ValueType
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig

ANONYMOUS: Final = ModuleConfig().with_name("")
I32: Final = ValueType.I32

FIB: Final = """
(module
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2))))))))
"""
LOOP: Final = """
(module
  (func (export "spin") (loop (br 0)))
  (func (export "count") (param i32) (result i32) (local i32)
    (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get 1) (local.get 0))))
    (local.get 1)))
"""
MEMORY: Final = """
(module (memory (export "memory") 1 1000)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "fill") (param i32 i32) (memory.fill (local.get 0) (local.get 1) (i32.const 64)))
  (func (export "sum") (param i32) (result i32) (local i32 i32)
    (loop
      (local.set 2 (i32.add (local.get 2) (i32.load8_u (i32.add (local.get 0) (local.get 1)))))
      (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get 1) (i32.const 64))))
    (local.get 2)))
"""
HOST_CALLER: Final = """
(module (import "env" "down" (func $down (param i32) (result i32)))
  (func (export "go") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))
"""


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def numbered(number: int) -> bytes:
    """A module that differs from every other one."""
    return wasm(f'(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const {number}))))')


@pytest.fixture(params=NAMED_ENGINES)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    before = sys.getrecursionlimit()
    with Runtime(RuntimeConfig(engine=request.param)) as runtime:
        yield runtime
    assert sys.getrecursionlimit() == before, "the recursion limit was not restored"


def test_compile_instantiate_and_call_one_module_hammer(runtime: Runtime) -> None:
    binary = wasm(FIB)

    def body(p: int, n: int) -> None:
        with runtime.instantiate(binary, ANONYMOUS) as module:
            assert module.exports.fib(p) == (0, 1, 1, 2, 3, 5, 8, 13)[p]

    hammer(body, n=N // 20)


def test_compile_instantiate_and_call_different_modules_hammer(runtime: Runtime) -> None:
    binaries = [[numbered(1000 * p + n) for n in range(N // 20)] for p in range(P)]

    def body(p: int, n: int) -> None:
        with runtime.instantiate(binaries[p][n], ANONYMOUS) as module:
            assert module.exports.f(-n) == 1000 * p

    hammer(body, n=N // 20)


def test_instances_of_one_compiled_module_hammer(runtime: Runtime) -> None:
    """Compiled code is shared, state is not."""
    compiled = runtime.compile_module(wasm(MEMORY))

    def body(p: int, n: int) -> None:
        with runtime.instantiate_module(compiled, ANONYMOUS) as module:
            exports = module.exports
            exports.fill(128, p + 1)
            assert exports.sum(128) == 64 * (p + 1)
            assert exports.sum(192) == 0

    hammer(body, n=N // 20)


def test_first_call_of_one_function_hammer(runtime: Runtime) -> None:
    """Threads that meet in a function that is not compiled yet all get its result. One fresh instance per round."""
    rounds = N // 20
    compiled = [runtime.compile_module(wasm(FIB)) for _ in range(rounds)]
    instances = [runtime.instantiate_module(code, ANONYMOUS) for code in compiled]
    meeting = threading.Barrier(P)

    def body(p: int, n: int) -> None:
        meeting.wait(60)
        assert instances[n].exports.fib(10) == 55

    hammer(body, n=rounds)


def test_first_calls_of_lazily_validated_functions_hammer() -> None:
    """The good function works and the bad one is refused, for every thread."""
    good_and_bad = numbered(7).replace(b"\x20\x00\x41\x07\x6a\x0b", b"\x20\x00\x41\x07\x6a\x0b")
    assert b"\x6a\x0b" in good_and_bad
    runtime = Runtime(RuntimeConfig.interpreter().with_lazy_validation(True))
    rounds = N // 20
    instances = [runtime.instantiate(good_and_bad, ANONYMOUS) for _ in range(rounds)]
    broken = good_and_bad.replace(b"\x6a\x0b", b"\x7c\x0b")  # i64.add of two i32
    bad_instances = [runtime.instantiate(broken, ANONYMOUS) for _ in range(rounds)]
    meeting = threading.Barrier(P)

    def body(_p: int, n: int) -> None:
        meeting.wait(60)
        assert instances[n].exports.f(1) == 8
        with pytest.raises(Exception, match="type mismatch"):
            bad_instances[n].exports.f(1)

    hammer(body, n=rounds)
    runtime.close()


def test_calls_of_one_stateless_instance_hammer(runtime: Runtime) -> None:
    fib = runtime.instantiate(wasm(FIB)).exports.fib

    def body(p: int, _n: int) -> None:
        assert fib(p) == (0, 1, 1, 2, 3, 5, 8, 13)[p]

    hammer(body, n=N)


def test_one_name_hammer(runtime: Runtime) -> None:
    """Of those who ask for a name, one gets it at a time; after closing it is free again."""
    compiled = runtime.compile_module(numbered(1))
    config = ModuleConfig().with_name("prize")
    wins = [0] * P

    def body(p: int, _n: int) -> None:
        try:
            module = runtime.instantiate_module(compiled, config)
        except LinkError:
            return
        assert runtime.module("prize") is module
        wins[p] += 1
        module.close()

    hammer(body, n=N // 5)
    assert sum(wins) > 0
    assert runtime.module("prize") is None


def test_names_and_imports_hammer(runtime: Runtime) -> None:
    """Each thread makes an exporter and an importer of its own, under its own name, over and over."""
    importers = [
        runtime.compile_module(
            wasm(
                f'(module (import "p{p}" "f" (func $f (param i32) (result i32))) (func (export "g") (result i32) (call $f (i32.const 5))))'
            )
        )
        for p in range(P)
    ]
    exporters = [runtime.compile_module(numbered(p)) for p in range(P)]

    def body(p: int, _n: int) -> None:
        with (
            runtime.instantiate_module(exporters[p], ModuleConfig().with_name(f"p{p}")),
            runtime.instantiate_module(importers[p], ANONYMOUS) as importer,
        ):
            assert importer.exports.g() == p + 5

    hammer(body, n=N // 20)
    assert all(runtime.module(f"p{p}") is None for p in range(P))


def test_host_modules_hammer(runtime: Runtime) -> None:
    def body(p: int, n: int) -> None:
        builder = runtime.new_host_module_builder(f"host{p}")
        builder.new_function_builder().with_raw_function(lambda a: a + n, [I32], [I32]).export("f")
        with builder.instantiate() as host:
            assert host.exports.f(1) == n + 1

    hammer(body, n=N // 5)


def test_closing_the_runtime_hammer() -> None:
    """Whoever instantiates while the runtime closes gets an open instance, a LinkError, or an instance just closed."""
    binary = numbered(3)
    runtimes = [Runtime(RuntimeConfig.interpreter()) for _ in range(N // 20)]
    compiled = [runtime.compile_module(binary) for runtime in runtimes]
    meeting = threading.Barrier(P)

    def body(p: int, n: int) -> None:
        meeting.wait(60)
        if p == 0:
            runtimes[n].close()
            return
        try:
            assert runtimes[n].instantiate_module(compiled[n], ANONYMOUS).exports.f(1) == 4
        except (LinkError, ExitError):
            pass

    hammer(body, n=len(runtimes))
    for runtime, code in zip(runtimes, compiled, strict=True):
        with pytest.raises(LinkError, match="closed"):
            runtime.instantiate_module(code, ANONYMOUS)


def test_memory_growth_and_reads_hammer(runtime: Runtime) -> None:
    """One thread grows, the others read and write through the host API: never an error, never a byte lost."""
    module = runtime.instantiate(wasm(MEMORY))
    memory = module.memory
    assert memory is not None
    early = memory.buffer

    def body(p: int, n: int) -> None:
        if p == 0:
            if n % 2:
                assert memory.grow(1) is not None
            else:
                assert module.exports.grow(0) >= 1
            return
        address = 1024 * p
        memory.write_uint32_le(address, n)
        assert memory.read_uint32_le(address) == n
        assert early[address] == n & 0xFF
        assert len(memory.buffer) % 65536 == 0

    hammer(body, n=N)
    assert memory.pages == 1 + N // 2
    assert module.exports.size() == memory.pages


def test_host_calls_that_reenter_hammer(runtime: Runtime) -> None:
    """Guest, host, guest, host… in every thread, each on its own instances."""
    instances: dict[str, Module] = {}
    builder = runtime.new_host_module_builder("env")

    def down(caller: Module, depth: int) -> int:
        result: int = caller.exports.go(depth)
        return result

    builder.new_function_builder().with_raw_module_function(down, [I32], [I32]).export("down")
    builder.instantiate()
    compiled = runtime.compile_module(wasm(HOST_CALLER))
    for p in range(P):
        instances[f"go{p}"] = runtime.instantiate_module(compiled, ModuleConfig().with_name(f"go{p}"))

    def body(p: int, n: int) -> None:
        assert instances[f"go{p}"].exports.go(n % 30) == n % 30

    hammer(body, n=N // 10)
    with pytest.raises(ExhaustionError):
        instances["go0"].exports.go(10_000)


def test_exhaustion_hammer(runtime: Runtime) -> None:
    """Threads that recurse without end do not disturb those that recurse a little; the limit comes back."""
    endless = [
        runtime.instantiate(
            wasm('(module (func $f (export "f") (result i32) (i32.add (call $f) (i32.const 1))))'), ANONYMOUS
        )
        for _ in range(P)
    ]
    fib = runtime.instantiate(wasm(FIB), ANONYMOUS).exports.fib

    def body(p: int, _n: int) -> None:
        if p % 2:
            assert fib(12) == 144
        else:
            with pytest.raises(ExhaustionError):
                endless[p].exports.f()

    hammer(body, n=max(5, N // 100))


def test_deadlines_hammer(runtime: Runtime) -> None:
    """Each thread's deadline stops its own call and nobody else's; afterwards the instance works."""
    modules = [runtime.instantiate(wasm(LOOP), ANONYMOUS) for _ in range(P)]

    def body(p: int, n: int) -> None:
        count, spin = modules[p].exported_function("count"), modules[p].exported_function("spin")
        assert count is not None
        assert spin is not None
        if p % 2:
            assert count(2000) == 2000
            return
        with pytest.raises(DeadlineExceededError):
            spin.call(timeout=0.002)
        assert count(100) == 100

    hammer(body, n=N // 20)


def test_deadlines_while_others_instantiate_hammer(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline must reach its call, however many instances come and go meanwhile."""
    crashed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: crashed.append(args.exc_value))
    spinner = runtime.instantiate(wasm(LOOP), ANONYMOUS)
    spin = spinner.exported_function("spin")
    assert spin is not None
    compiled = runtime.compile_module(wasm(LOOP))
    keep = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(3000)]
    done = threading.Event()

    def body(p: int, _n: int) -> None:
        if p == 0:
            for _ in range(20):
                with pytest.raises(DeadlineExceededError):
                    spin.call(timeout=0.001)
            done.set()
        while not done.is_set():
            runtime.instantiate_module(compiled, ANONYMOUS).close()

    try:
        hammer(body, n=1, timeout_s=20)
    finally:
        done.set()
        spinner.close()
    assert not crashed
    assert all(not module.is_closed for module in keep)


def test_a_deadline_that_passes_as_the_call_ends_hammer(runtime: Runtime) -> None:
    """It may hit that call, but never the thread's next one, which has no deadline."""
    modules = [runtime.instantiate(wasm(LOOP), ANONYMOUS) for _ in range(P)]

    def body(p: int, n: int) -> None:
        count = modules[p].exported_function("count")
        assert count is not None
        try:
            count.call(n % 50, timeout=0.0002)
        except DeadlineExceededError:
            pass
        assert count(50) == 50

    hammer(body, n=N // 2)


def test_closing_against_running_code_hammer(runtime: Runtime) -> None:
    """A spinning call ends with the exit code of whoever closes its module, and later calls do, too."""
    rounds = max(5, N // 50)
    compiled = runtime.compile_module(wasm(LOOP))
    pairs = [[runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(rounds)] for _ in range(P // 2)]
    meetings = [threading.Barrier(2) for _ in range(P // 2)]

    def body(p: int, n: int) -> None:
        module = pairs[p // 2][n]
        meetings[p // 2].wait(60)
        if p % 2:
            time.sleep(0.001 * (n % 3))
            module.close_with_exit_code(40 + n)
            return
        with pytest.raises(ExitError) as caught:
            module.exports.spin()
        assert caught.value.exit_code == 40 + n
        with pytest.raises(ExitError):
            module.exports.count(1)

    hammer(body, n=rounds)


def test_closing_while_deadlines_pass_hammer(runtime: Runtime) -> None:
    """Flags that are lowered when somebody's deadline is over must not hide from running code that its module closed."""
    rounds = max(10, N // 5)
    compiled = runtime.compile_module(wasm(LOOP))
    doomed = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(rounds)]
    timed = [runtime.instantiate_module(compiled, ANONYMOUS).exported_function("spin") for _ in range(P)]
    meeting = threading.Barrier(2)

    def body(p: int, n: int) -> None:
        if p == 0:
            meeting.wait(60)
            with pytest.raises(ExitError):
                doomed[n].exports.spin()
        elif p == 1:
            meeting.wait(60)
            doomed[n].close()
        else:
            with pytest.raises(DeadlineExceededError):
                timed[p].call(timeout=0.0005)  # type: ignore[union-attr]

    hammer(body, n=rounds, p=4, timeout_s=60)


def test_traps_carry_their_own_frames_hammer(runtime: Runtime) -> None:
    """A trap's stack is that of its own thread."""
    text = """(module
      (func $a (export "a") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func $b (export "b") (result i32) (call $a (i32.const 0)))
      (func $c (export "c") (result i32) (call $b)))"""
    module = runtime.instantiate(wasm(text))

    def calls() -> dict[int, tuple[Callable[[], Any], list[str]]]:
        exports = module.exports
        return {0: (lambda: exports.a(0), ["a"]), 1: (exports.b, ["a", "b"]), 2: (exports.c, ["a", "b", "c"])}

    def body(p: int, _n: int) -> None:
        call, names = calls()[p % 3]
        with pytest.raises(Trap, match="integer divide by zero") as caught:
            call()
        assert [frame.function_name for frame in caught.value.frames] == names

    hammer(body, n=N // 5)
