"""What crossing the border costs: Python calls wasm functions and reads its memory, and wasm calls Python functions."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from timeit import Timer
from typing import Any, Final, final

import pytest
from benchmarks.figures import Target
from benchmarks.measuring import Measure

from wazero_api import ValueType, i32
from wazero_core import HostModuleBuilder, Runtime, RuntimeConfig

_ROUNDS: Final = 51


@pytest.fixture
def runtime(engine_config: RuntimeConfig) -> Iterator[Runtime]:
    with Runtime(engine_config) as runtime:
        yield runtime


# --- Python calls wasm ----------------------------------------------------------------------------------------------

_CALLS: Final = 1_000
"""In a round."""
_ROW: Final = 10
"""Calls written one after the other, so that the loop around them costs little."""

_MODULE: Final = """
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "0123456789abcdef")
  (func (export "nop"))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "fadd") (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1))))
"""


@final
@dataclass(frozen=True, slots=True)
class Case:
    """One thing done in Python source, by us and by others. The names are those of `_names` and its siblings."""

    title: str
    ours: str
    python: str
    wasmtime: str
    pywasm: str | None
    expected: Any
    targets: tuple[Target, ...] = ()


_ADD: Final = ("add(1, 2)", "w_add(store, 1, 2)", "machine.invocate(instance, 'add', [1, 2])", 3)
_NOP: Final = ("nop()", "w_nop(store)", "machine.invocate(instance, 'nop', []) or None", None)
_FADD: Final = ("add(1.5, 2.5)", "w_fadd(store, 1.5, 2.5)", "machine.invocate(instance, 'fadd', [1.5, 2.5])", 4.0)
_READ: Final = ("bytes(buffer[0:16])", "w_memory.read(store, 0, 16)", None, b"0123456789abcdef")
_FAST: Final = (Target(45e-9), Target(200, "wasmtime"))

_CASES: Final = (
    Case("add(i32, i32), module.exports.add kept", "exports_add(1, 2)", *_ADD, _FAST),
    Case("add(i32, i32), module.exports.add looked up", "module.exports.add(1, 2)", *_ADD),
    Case("add(i32, i32), Function.__call__", "function_add(1, 2)", *_ADD, (Target(100e-9),)),
    Case("add(i32, i32), Function.call", "function_add.call(1, 2)", *_ADD),
    Case("empty function", "exports_nop()", *_NOP),
    Case("add(f64, f64)", "exports_fadd(1.5, 2.5)", *_FADD),
    Case("memory.read of 16 bytes", "memory.read(0, 16)", *_READ),
    Case("memory.buffer, slice of 16 bytes", "bytes(view[0:16])", *_READ),
)


def _add(a: Any, b: Any) -> Any:
    return a + b


def _nop() -> None:
    pass


_PYTHON: Final = {"add": _add, "nop": _nop, "buffer": bytearray(b"0123456789abcdef")}


def _names(runtime: Runtime, wasm: bytes) -> Mapping[str, Any]:
    module = runtime.instantiate(wasm)
    assert module.memory is not None
    return {
        "module": module,
        "exports_add": module.exports.add,
        "exports_nop": module.exports.nop,
        "exports_fadd": module.exports.fadd,
        "function_add": module.exported_function("add"),
        "memory": module.memory,
        "view": module.memory.buffer,
    }


def _wasmtime_names(wasmtime: Any, wasm: bytes) -> Mapping[str, Any]:
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), []).exports(store)
    return {"store": store} | {f"w_{name}": exports[name] for name in ("add", "nop", "fadd", "memory")}


def _pywasm_names(pywasm: Any, wasm: bytes) -> Mapping[str, Any]:
    machine = pywasm.Runtime()
    return {"machine": machine, "instance": machine.instance(pywasm.ModuleDesc.from_reader(io.BytesIO(wasm)))}


def _timed(statement: str, names: Mapping[str, Any], expected: Any) -> Callable[[], float]:
    """A function that gives the seconds of `_CALLS` of the statement."""
    result = eval(statement, dict(names))
    assert (result[0] if isinstance(result, list) else result) == expected
    timer = Timer("\n".join([statement] * _ROW), globals=dict(names))
    return lambda: timer.timeit(_CALLS // _ROW)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.ours) for case in _CASES])
def test_from_python(
    stated: Measure, runtime: Runtime, assemble: Callable[[str], bytes], wasmtime: Any, pywasm: Any, case: Case
) -> None:
    """The same statement in Python gives the same on all."""
    wasm = assemble(_MODULE)
    peers = {
        "wasmtime": _timed(case.wasmtime, _wasmtime_names(wasmtime, wasm), case.expected),
        "Python": _timed(case.python, _PYTHON, case.expected),
    }
    if case.pywasm is not None:
        peers["pywasm"] = _timed(case.pywasm, _pywasm_names(pywasm, wasm), case.expected)
    stated.run(_timed(case.ours, _names(runtime, wasm), case.expected), rounds=_ROUNDS, peers=peers)
    stated.report(f"Python to wasm: {case.title}", *case.targets, per=_CALLS)


# --- wasm calls Python ----------------------------------------------------------------------------------------------

_TURNS: Final = 2_000
"""Of the loops: some tenths of a millisecond, so that all of it is over before the engine lets go of the GIL."""
_LATE_SECONDS: Final = 0.030
"""How long a call runs before the loops, so that the engine has let go of the GIL."""

_LOOPS: Final = """
(module
  (import "host" "mark" (func $mark))
  (import "host" "next" (func $next (param i32) (result i32)))
  (func (export "run") (param $spins i64) (param $turns i32) (result i32)
    (local $i i32) (local $x i32)
    (block $late
      (loop $spin
        (br_if $late (i64.eqz (local.get $spins)))
        (local.set $spins (i64.sub (local.get $spins) (i64.const 1)))
        (br $spin)))
    (call $mark)
    (local.set $i (local.get $turns))
    (loop $again
      (local.set $x (call $next (local.get $x)))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (call $mark)
    (local.set $i (local.get $turns))
    (loop $again
      (local.set $x (i32.add (local.get $x) (i32.const 1)))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (call $mark)
    (local.get $x)))
"""
"""Spins, then loops twice: first calling ``next``, then doing itself what ``next`` does."""


def _next_typed(value: i32) -> i32:
    return value + 1


def _next_raw(value: int) -> int:
    return value + 1


def _typed(builder: HostModuleBuilder) -> None:
    builder.new_function_builder().with_func(_next_typed).export("next")


def _raw(builder: HostModuleBuilder) -> None:
    types = [ValueType.I32]
    builder.new_function_builder().with_raw_function(_next_raw, types, types).export("next")


Run = Callable[[int, int], int]
"""The export ``run``: spins, turns; what it counted."""


@final
class Loops:
    """Times the loops from within a call, by its marks."""

    def __init__(self, link: Callable[[Callable[[], None]], Run], late_seconds: float) -> None:
        self._marks: list[int] = []
        self._run = link(lambda: self._marks.append(time.perf_counter_ns()))
        self._spins = self._enough(late_seconds) if late_seconds else 0

    def _enough(self, seconds: float) -> int:
        spins = 1_000
        while self._call(spins) < seconds:
            spins *= 2
        return spins

    def _call(self, spins: int) -> float:
        """Seconds until the first mark."""
        self._marks.clear()
        start = time.perf_counter_ns()
        assert self._run(spins, _TURNS) == 2 * _TURNS
        return (self._marks[0] - start) / 1e9

    def __call__(self) -> float:
        """What the calls of `next` took, in seconds."""
        self._call(self._spins)
        start, middle, end = self._marks
        return ((middle - start) - (end - middle)) / 1e9


def _link(runtime: Runtime, wasm: bytes, define: Callable[[HostModuleBuilder], None]) -> Callable[..., Run]:
    def link(mark: Callable[[], None]) -> Run:
        builder = runtime.new_host_module_builder("host")
        define(builder)
        builder.new_function_builder().with_raw_function(mark, [], []).export("mark")
        builder.instantiate()
        run: Run = runtime.instantiate(wasm).exports.run
        return run

    return link


def _link_wasmtime(wasmtime: Any, wasm: bytes) -> Callable[..., Run]:
    def link(mark: Callable[[], None]) -> Run:
        store = wasmtime.Store()
        i32_type = wasmtime.ValType.i32()
        host_mark = wasmtime.Func(store, wasmtime.FuncType([], []), mark)
        host_next = wasmtime.Func(store, wasmtime.FuncType([i32_type], [i32_type]), _next_raw)
        instance = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), [host_mark, host_next])
        run = instance.exports(store)["run"]
        return lambda spins, turns: int(run(store, spins, turns))

    return link


def _python_loop() -> float:
    return Timer("x = next_raw(x)", "x = 0", globals={"next_raw": _next_raw}).timeit(_TURNS)


_WHEN: Final = [
    pytest.param("early, GIL held", 0.0, (Target(75e-9), Target(60, "wasmtime")), id="early"),
    pytest.param("late, GIL released", _LATE_SECONDS, (Target(130e-9), Target(60, "wasmtime")), id="late"),
]


@pytest.mark.parametrize("define", [pytest.param(_typed, id="typed"), pytest.param(_raw, id="raw")])
@pytest.mark.parametrize(("when", "late_seconds", "targets"), _WHEN)
def test_from_wasm(
    stated: Measure,
    runtime: Runtime,
    assemble: Callable[[str], bytes],
    wasmtime: Any,
    define: Callable[[HostModuleBuilder], None],
    when: str,
    late_seconds: float,
    targets: tuple[Target, ...],
) -> None:
    """The host function is called once a turn."""
    wasm = assemble(_LOOPS)
    peers: dict[str, Callable[[], float]]
    peers = {"wasmtime": Loops(_link_wasmtime(wasmtime, wasm), late_seconds), "Python": _python_loop}
    stated.run(Loops(_link(runtime, wasm, define), late_seconds), rounds=_ROUNDS, peers=peers)
    stated.report(f"wasm to Python: {define.__name__.strip('_')}, {when}", *targets, per=_TURNS)
