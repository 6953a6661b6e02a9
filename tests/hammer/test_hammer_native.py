"""The native engine from many threads: first calls, code that comes and goes, everything that stops code, and forks."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from hammer.hammer import N, P, hammer
from integration.runtimes import ANONYMOUS, NATIVE, needs_jit, new_runtime, wasm
from wazero_api import DeadlineExceededError, ExitError, FunctionType, HostFunction, Trap, TrapKind, ValueType
from wazero_core import Module, Runtime
from wazero_jit import code

pytestmark = needs_jit

I32, I64, F64, EXTERNREF = ValueType.I32, ValueType.I64, ValueType.F64, ValueType.EXTERNREF

LADDER: Final = "".join(
    f"""(func $f{n} (export "f{n}") (param i32) (result i32)
      (i32.add (i32.const 1) {f"(call $f{n - 1} (local.get 0))" if n else "(local.get 0)"}))"""
    for n in range(10)
)
"""Ten functions that call each other: the last adds 10."""

LOOPS: Final = """(module (memory (export "memory") 1)
  (func (export "spin") (loop (br 0)))
  (func (export "count") (param i32) (result i32) (local i32)
    (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get 1) (local.get 0))))
    (local.get 1))
  (func $far (export "far") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "farther") (param i32) (result i32) (call $far (local.get 0))))"""

CALLER: Final = """(module (import "env" "host" (func $host (param i32) (result i32)))
  (func (export "sum") (param i32) (result i32) (local i32)
    (loop (local.set 1 (i32.add (local.get 1) (call $host (local.get 0))))
          (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))"""


@pytest.fixture(params=NATIVE)
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with new_runtime(request.param) as runtime:
        yield runtime


# Compiling


def test_functions_are_compiled_once_hammer(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads meet at the first call, on one instance or on several of the same module."""
    rounds = max(5, N // 50)
    compiled = [
        runtime.compile_module(wasm(f'(module {LADDER} (func (export "n") (drop (i32.const {n}))))'))
        for n in range(rounds)
    ]
    instances = [[runtime.instantiate_module(module, ANONYMOUS) for _ in range(2)] for module in compiled]
    translated: list[object] = []
    translate: Any = vars(code)["translate"]

    def counted(*arguments: Any) -> Any:
        translated.append(arguments)
        return translate(*arguments)

    monkeypatch.setattr(code, "translate", counted)
    meeting = threading.Barrier(P)

    def body(p: int, n: int) -> None:
        meeting.wait(60)
        assert instances[n][p % 2].exports[f"f{9 - p % 4}"](5) == 15 - p % 4

    hammer(body, n=rounds)
    assert len(translated) == 10 * rounds
    assert [module.code.compiled_count for module in compiled] == [10] * rounds


def test_modules_come_and_go_beside_traps_hammer(runtime: Runtime) -> None:
    """A stack trace is looked up in the code of all modules, while others are made and collected."""
    module = runtime.instantiate(wasm(LOOPS), ANONYMOUS)
    binaries = [wasm(f'(module (func (export "f") (result i32) (i32.const {n})))') for n in range(20)]

    def body(p: int, n: int) -> None:
        if p % 2:
            with runtime.instantiate(binaries[n % 20], ANONYMOUS) as other:
                assert other.exports.f() == n % 20
            if n % 10 == 0:
                gc.collect()
            return
        with pytest.raises(Trap) as caught:
            module.exports.farther(1 << 20)
        assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS
        assert [frame.function_name for frame in caught.value.frames] == ["far", "$3"]

    hammer(body, n=N // 10)


def test_faults_of_many_threads_hammer(runtime: Runtime) -> None:
    """Each is handled on the thread that it happens on; others go on loading what there is."""
    modules = [runtime.instantiate(wasm(LOOPS), ANONYMOUS) for _ in range(P)]

    def body(p: int, n: int) -> None:
        exports = modules[p].exports
        if (p + n) % 3:
            assert exports.farther(n % 1000) == 0
            return
        with pytest.raises(Trap):
            exports.farther(-1 - n)

    hammer(body, n=N // 2)


def test_new_signatures_hammer(runtime: Runtime) -> None:
    """Entries and host calls for a type are made when first needed, by whoever comes first."""
    types = [tuple((I32, I64, F64)[n // 3**digit % 3] for digit in range(5)) for n in range(N // 10)]
    names = {I32: "i32", I64: "i64", F64: "f64"}
    binaries = [
        wasm(
            f"""(module (import "env{n}" "h" (func $h (param {" ".join(names[t] for t in type)}) (result {names[type[4]]})))
            (func (export "f") (param {" ".join(names[t] for t in type)}) (result {names[type[4]]})
              (call $h {" ".join(f"(local.get {i})" for i in range(5))})))"""
        )
        for n, type in enumerate(types)
    ]
    for n, type in enumerate(types):
        host = runtime.new_host_module_builder(f"env{n}")
        host.add(HostFunction("h", FunctionType(type, (type[4],)), lambda *values: values[4])).instantiate()
    meeting = threading.Barrier(P)

    def body(p: int, n: int) -> None:
        meeting.wait(60)
        assert runtime.instantiate(binaries[n], ANONYMOUS).exports.f(1, 2, 3, 4, p) == p

    hammer(body, n=len(types))


# Calls


def test_instances_that_share_a_host_function_hammer(runtime: Runtime) -> None:
    """Calls both ways, some so long that the GIL is released, while host modules and instances come and go."""
    compiled = runtime.compile_module(wasm(CALLER))

    def triangle(n: int) -> int:
        return n * (n + 1) // 2

    def body(p: int, n: int) -> None:
        builder = runtime.new_host_module_builder("env").new_function_builder()
        builder = builder.with_raw_function(lambda value: value + p, [I32], [I32])
        with resolving(runtime, builder.export("host").compile(), compiled) as module:
            for count in (1, 7, 3000 if n % 10 == 0 else 20):
                assert module.exports.sum(count) == triangle(count) + p * count

    hammer(body, n=N // 20)


def resolving(runtime: Runtime, host: Any, compiled: Any) -> Module:
    """An instance that imports from a host module of its own."""
    other = Runtime(runtime.config)
    other.engine = runtime.engine
    other.instantiate_host_module(host)
    return other.instantiate_module(compiled, ANONYMOUS)


def test_references_hammer(runtime: Runtime) -> None:
    """Each thread gets back what it gave, sweeps or not, from its own tables and through its own calls."""
    text = """(module (table 4 externref)
      (func (export "put") (param i32 externref) (table.set (local.get 0) (local.get 1)))
      (func (export "get") (param i32) (result externref) (table.get (local.get 0)))
      (func (export "same") (param externref externref) (result externref externref) (local.get 1) (local.get 0)))"""
    compiled = runtime.compile_module(wasm(text))
    modules = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(P)]
    kept: list[list[Any]] = [[None] * 4 for _ in range(P)]

    def body(p: int, n: int) -> None:
        exports, thing = modules[p].exports, [p, n]
        exports.put(n % 4, thing)
        kept[p][n % 4] = id(thing), (p, n)
        del thing
        first, second = [1], [2]
        assert tuple(exports.same(first, second)) == (second, first)
        for index, known in enumerate(kept[p]):
            if known is not None:
                found = exports.get(index)
                assert (id(found), tuple(found)) == known
        if n % 50 == 0:
            runtime.instantiate_module(compiled, ANONYMOUS).close()

    hammer(body, n=N)


def test_views_of_memories_hammer(runtime: Runtime) -> None:
    """Memories grow and are closed while other threads hold views of them."""
    text = '(module (memory (export "memory") 1 50) (func (export "grow") (result i32) (memory.grow (i32.const 1))))'
    compiled = runtime.compile_module(wasm(text))
    views: list[memoryview] = []

    def body(p: int, n: int) -> None:
        with runtime.instantiate_module(compiled, ANONYMOUS) as module:
            memory = module.memory
            assert memory is not None
            memory.write_byte(9, p + 1)
            view = memory.buffer
            for _ in range(5):
                module.exports.grow()
        views.append(view)
        for other in views[-20:]:
            assert 1 <= other[9] <= P
        if len(views) > 100:
            views.clear()

    hammer(body, n=N // 20)


# What stops code


def test_closing_one_instance_that_many_threads_run_hammer(runtime: Runtime) -> None:
    """All of its loops end, and calls that come later are refused; the loops of others do not notice."""
    rounds = max(5, N // 50)
    compiled = runtime.compile_module(wasm(LOOPS))
    doomed = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(rounds)]
    other = runtime.instantiate_module(compiled, ANONYMOUS)
    meeting = threading.Barrier(P)

    def body(p: int, n: int) -> None:
        meeting.wait(60)
        if p == 0:
            time.sleep(0.003 * (n % 4))
            doomed[n].close_with_exit_code(n)
        elif p == 1:
            assert other.exports.count(300_000) == 300_000
        else:
            with pytest.raises(ExitError) as caught:
                doomed[n].exports.spin()
            assert caught.value.exit_code == n

    hammer(body, n=rounds, timeout_s=60)


def test_closing_below_host_functions_hammer(runtime: Runtime) -> None:
    """The one that closes is in the middle of the stack of another thread."""
    rounds = max(5, N // 50)
    builder = runtime.new_host_module_builder("env").new_function_builder()

    def host(caller: Module, depth: int) -> None:
        caller.exports.nest(depth)

    builder.with_raw_module_function(host, [I32], []).export("host").instantiate()
    text = """(module (import "env" "host" (func $host (param i32)))
      (func (export "nest") (param i32)
        (if (local.get 0) (then (call $host (i32.sub (local.get 0) (i32.const 1))))) (loop (br 0))))"""
    compiled = runtime.compile_module(wasm(text))
    modules = [[runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(rounds)] for _ in range(P // 2)]
    meetings = [threading.Barrier(2) for _ in range(P // 2)]

    def body(p: int, n: int) -> None:
        module = modules[p // 2][n]
        meetings[p // 2].wait(60)
        if p % 2:
            time.sleep(0.001 * (n % 5))
            module.close_with_exit_code(8)
            return
        with pytest.raises(ExitError):
            module.exports.nest(20)

    hammer(body, n=rounds, timeout_s=60)


def test_deadlines_of_one_instance_hammer(runtime: Runtime) -> None:
    """Threads run the same loops; each has its own time, and those that are in time are left alone."""
    module = runtime.instantiate(wasm(LOOPS), ANONYMOUS)
    spin: Any = module.exported_function("spin")
    count: Any = module.exported_function("count")

    def body(p: int, n: int) -> None:
        if p % 3 == 0:
            assert count.call(5000, timeout=30) == 5000
            return
        start = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            spin.call(timeout=0.001 * (p + n % 3))
        assert time.monotonic() - start >= 0.001 * (p + n % 3)
        assert count(10) == 10

    hammer(body, n=N // 50)


# Forks


def in_child(body: Callable[[], object]) -> int:
    """The exit status of a forked child: 0 if `body` returned; it is killed if that takes too long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of all forks beside threads
        pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        status = 1
        try:
            body()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("busy", ["spin", "short calls", "instances"])
def test_forks_beside_running_code_hammer(busy: str, runtime: Runtime) -> None:
    """Whatever other threads are doing: the child can call, compile and stop code, and the parent goes on."""
    compiled = runtime.compile_module(wasm(LOOPS))
    spinners = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(3)]
    quick, mine = (runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(2))
    other_runtime = Runtime(runtime.config)  # whose own lock the child must not need
    other_runtime.engine = runtime.engine
    other_compiled = other_runtime.compile_module(wasm(LOOPS))
    is_over = threading.Event()

    def work(number: int) -> None:
        while not is_over.is_set():
            if busy == "spin":
                with pytest.raises(ExitError):
                    spinners[number].exports.spin()
            elif busy == "short calls":
                assert quick.exports.count(50) == 50
            else:
                with other_runtime.instantiate_module(other_compiled, ANONYMOUS) as module:
                    assert module.exports.count(3) == 3

    def child() -> None:
        assert mine.exports.count(1000) == 1000
        with pytest.raises(Trap):
            mine.exports.farther(-1)
        other = runtime.instantiate(wasm(f"(module {LADDER})"), ANONYMOUS)
        assert other.exports.f9(1) == 11
        spin: Any = mine.exported_function("spin")
        with pytest.raises(DeadlineExceededError):
            spin.call(timeout=0.02)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(spinners))]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.02)
        for _ in range(5):
            assert in_child(child) == 0
            assert mine.exports.count(1000) == 1000
    finally:
        is_over.set()
        for spinner in spinners:
            spinner.close()
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_forks_beside_compiling_hammer(runtime: Runtime) -> None:
    """The child needs functions of the module that another thread is compiling."""
    steps = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 12345)) (i32.const 1)))" * 300
    functions = "".join(f'(func (export "f{n}") (param i32) (result i32) {steps} (local.get 0))' for n in range(300))
    compiled = runtime.compile_module(wasm(f"(module {functions})"))
    module = runtime.instantiate_module(compiled, ANONYMOUS)
    expected = module.exports.f299(1)
    compiler = threading.Thread(target=compiled.compile_all)
    compiler.start()
    for number in range(8):
        time.sleep(0.002)

        def child(name: str = f"f{298 - number}") -> None:
            assert module.exports[name](1) == expected

        assert in_child(child) == 0
    compiler.join()


def test_forks_in_host_functions_hammer(runtime: Runtime) -> None:
    """The child comes back to the wasm code that called, and ends there; the parent does, too."""
    statuses: list[int] = []
    builder = runtime.new_host_module_builder("env").new_function_builder()

    def host(value: int) -> int:
        if value == 2:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                return os.fork()
        return 0

    builder.with_raw_function(host, [I32], [I32]).export("host").instantiate()
    compiled = runtime.compile_module(wasm(CALLER))
    modules = [runtime.instantiate_module(compiled, ANONYMOUS) for _ in range(4)]

    def body(p: int, _n: int) -> None:
        pid = modules[p].exports.sum(3)
        if pid == 0:
            os._exit(5)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    hammer(body, p=4, n=5)
    assert statuses == [5] * 20
