"""What comes out of machine code that fails: which error, with which wasm frames, and that all is well afterwards."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import wasmtime

from integration.runtimes import ENGINES, NATIVE, needs_jit, new_runtime, wasm
from wazero_api import ExitError, Frame, InvalidModuleError, Trap, TrapKind, ValueType
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig

pytestmark = needs_jit

I32: Final = ValueType.I32

FAULTS: Final = {
    "unreachable": TrapKind.UNREACHABLE,
    "i32.const 1 i32.const 0 i32.div_s drop": TrapKind.INTEGER_DIVIDE_BY_ZERO,
    "i64.const 1 i64.const 0 i64.rem_u drop": TrapKind.INTEGER_DIVIDE_BY_ZERO,
    "i64.const 0x8000000000000000 i64.const -1 i64.div_s drop": TrapKind.INTEGER_OVERFLOW,
    "f32.const 1e20 i32.trunc_f32_s drop": TrapKind.INTEGER_OVERFLOW,
    "f64.const nan i64.trunc_f64_u drop": TrapKind.INVALID_CONVERSION_TO_INTEGER,
    "i32.const 65533 i32.load drop": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "local.get 2 i32.const 65533 i32.load local.set 2 drop": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "local.get 3 i32.const 65533 f32.load local.tee 3 drop drop": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "i32.const -1 f64.const 1 f64.store offset=0xffffffff": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "i32.const 65536 i32.const 0 i32.const 1 memory.fill": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "i32.const 0 i32.const -1 i32.const 2 memory.copy": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "i32.const 0 i32.const 2 i32.const 2 memory.init $data": TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    "i32.const 3 table.get $t drop": TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS,
    "i32.const -1 ref.null func table.set $t": TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS,
    "i32.const 2 i32.const 0 i32.const 2 table.init $t $elements": TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS,
    "i32.const 2 ref.null func i32.const 2 table.fill $t": TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS,
    "i32.const 3 call_indirect $t": TrapKind.UNDEFINED_ELEMENT,
    "i32.const 1 call_indirect $t": TrapKind.UNINITIALIZED_ELEMENT,
    "i32.const 0 call_indirect $t (result i32) drop": TrapKind.INDIRECT_CALL_TYPE_MISMATCH,
}
"""Code that leaves nothing on the stack, in a function with parameters f64 and i64 and locals i32 and f32."""


def nested(fault: str) -> str:
    """`fault` inside of all ways to call: "direct", "import" of another instance, and "host", each from "outer"."""
    return f"""(module $inner (memory 1) (table $t 3 funcref)
      (elem (table $t) (i32.const 0) func $nothing) (elem $elements func $nothing $nothing) (data $data "abc")
      (func $nothing)
      (func $fail (param f64 i64) (local i32 f32) nop {fault})
      (func $direct (export "direct") (local i64) (local.set 0 (i64.const 5)) (call $fail (f64.const 2) (local.get 0)))
      (func (export "ok") (result i32) (i32.const 42)))"""


OUTER: Final = """(module $outer
  (import "inner" "direct" (func $direct)) (import "env" "host" (func $host (param i32)))
  (table $t 2 funcref) (elem (table $t) (i32.const 0) func $direct $by_table)
  (func $by_import (export "by_import") (param i32) nop (call $direct))
  (func $by_table (export "by_table") (param i32) (call_indirect $t (local.get 0)) (nop))
  (func $by_host (export "by_host") (param i32) (call $host (local.get 0)))
  (func $twice (export "twice") (param i32) (call $by_host (local.get 0)))
  (func $start (export "start") (param i32) (loop (if (local.get 0) (then (call $twice (local.get 0)))))))"""
"""The parameter goes to the host function, which calls the export "by_import", or if it is more than 1, "by_host"."""

CALLS: Final = {
    "by_import": 0,
    "by_table": 0,
    "by_host": 1,
    "twice": 1,
    "start": 4,
}


class Nest:
    """Instances of `nested` and `OUTER`. What the host function does can be replaced."""

    def __init__(self, runtime: Runtime, fault: str = "nop") -> None:
        self.host: Callable[[Module, int], object] = go_on
        builder = runtime.new_host_module_builder("env").new_function_builder()
        builder.with_raw_module_function(self._call_host, [I32], []).export("host").instantiate()
        self.inner = runtime.instantiate(wasm(nested(fault)))
        self.outer = runtime.instantiate(wasm(OUTER))

    def _call_host(self, module: Module, value: int) -> None:
        self.host(module, value)

    def frames(self, name: str, argument: int, kind: TrapKind) -> list[Frame]:
        """Of the trap out of that export."""
        with pytest.raises(Trap) as caught:
            self.outer.exports[name](argument)
        assert caught.value.kind is kind
        assert self.inner.exports.ok() == 42
        return list(caught.value.frames)


def go_on(module: Module, value: int) -> None:
    """Call the guest again, deeper and deeper."""
    module.exports["by_host" if value > 1 else "by_import"](value - 1)


@pytest.fixture(params=NATIVE)
def nest(request: pytest.FixtureRequest) -> Iterator[Nest]:
    with new_runtime(request.param) as runtime:
        yield Nest(runtime)


def offsets_by_wasmtime(binary: bytes) -> list[int]:
    """Of the trap out of the export "direct", the innermost first."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    direct = wasmtime.Instance(store, wasmtime.Module(engine, binary), []).exports(store)["direct"]
    assert isinstance(direct, wasmtime.Func)
    with pytest.raises(wasmtime.Trap) as caught:
        direct(store)
    return [frame.module_offset for frame in caught.value.frames]


# Traps


@pytest.mark.parametrize(("fault", "kind"), FAULTS.items(), ids=FAULTS)
def test_frames_are_those_of_other_engines(fault: str, kind: TrapKind) -> None:
    """Of the portable one, however the function was called; and of wasmtime in what only that tells exactly, the innermost offset."""
    seen = []
    for engine in ENGINES:
        with new_runtime(engine) as runtime:
            nest = Nest(runtime, fault)
            seen.append({name: nest.frames(name, argument, kind) for name, argument in CALLS.items()})
    portable, *native = seen
    expected = offsets_by_wasmtime(wasm(nested(fault)))
    for frames_by_name in native:
        for name, frames in frames_by_name.items():
            assert frames[1:] == portable[name][1:]
            assert str(frames[0]).rpartition(" ")[0] == str(portable[name][0]).rpartition(" ")[0]
            assert [frame.code_offset for frame in frames[:2]] == expected
    functions = [frame.function_name for frame in native[0]["start"]]
    assert functions == ["fail", "direct", "by_import", *["by_host"] * 4, "twice", "start"]


def test_functions_and_modules_without_names() -> None:
    with new_runtime("jit") as runtime, pytest.raises(Trap) as caught:
        runtime.instantiate(wasm('(module (func) (func (export "f") unreachable))')).exports.f()
    assert str(caught.value.frames[0]).startswith("$1 at byte 0x")


def test_a_trap_of_a_start_function() -> None:
    text = """(module $m (func $s (call $t)) (func $t unreachable) (start $s))"""
    seen = []
    for engine in ENGINES:
        with new_runtime(engine) as runtime:
            with pytest.raises(Trap) as caught:
                runtime.instantiate(wasm(text))
            assert runtime.module("m") is None
        seen.append(caught.value.frames)
    assert [frame.function_name for frame in seen[0]] == ["t", "s"]
    assert seen[1:] == [seen[0]] * len(NATIVE)


def test_a_trap_that_the_host_catches_is_over(nest: Nest) -> None:
    traps: list[Trap] = []

    def host(module: Module, value: int) -> None:
        with pytest.raises(Trap) as caught:
            module.exports.by_table(9)
        traps.append(caught.value)

    nest.host = host
    assert nest.outer.exports.start(0) is None
    assert nest.outer.exports.twice(1) is None
    (trap,) = traps
    assert trap.kind is TrapKind.UNDEFINED_ELEMENT
    assert [frame.function_name for frame in trap.frames] == ["by_table"]


# Exceptions of host functions


class OwnError(Exception):
    pass


@pytest.mark.parametrize("kind", [OwnError, KeyboardInterrupt, IndexError, StopIteration, MemoryError, SystemExit])
def test_exceptions_come_out_unchanged(kind: type[BaseException], nest: Nest) -> None:
    """The very object, through any number of frames of both kinds; the notes name each wasm frame once."""
    error, cause = kind("mine"), ValueError("cause")

    def host(module: Module, value: int) -> None:
        if value > 1:
            go_on(module, value)
        raise error from cause

    nest.host = host
    with pytest.raises(kind) as caught:
        nest.outer.exports.start(4)
    assert caught.value is error
    assert error.__cause__ is cause
    assert caught.traceback[-1].name == "host"
    text = "\n".join(error.__notes__)
    assert [text.count(f"outer.{name} at byte 0x") for name in ("by_host", "twice", "start")] == [4, 1, 1]


def test_notes_are_those_of_the_portable_engine() -> None:
    notes = []
    for engine in ENGINES:
        error = OwnError()

        def host(module: Module, value: int, error: OwnError = error) -> None:
            if value > 1:
                go_on(module, value)
            raise error

        with new_runtime(engine) as runtime:
            nest = Nest(runtime)
            nest.host = host
            with pytest.raises(OwnError):
                nest.outer.exports.start(3)
        notes.append(error.__notes__)
    assert notes[1:] == [notes[0]] * len(NATIVE)
    assert len(notes[0]) == 3


def test_an_exit_has_no_note(nest: Nest) -> None:
    def host(module: Module, value: int) -> None:
        raise ExitError(11, module.name)

    nest.host = host
    with pytest.raises(ExitError) as caught:
        nest.outer.exports.start(1)
    assert caught.value.exit_code == 11
    assert not hasattr(caught.value, "__notes__")


def test_exceptions_that_the_host_replaces(nest: Nest) -> None:
    """What one host function turns into another exception stays its context."""

    def host(module: Module, value: int) -> None:
        if value == 1:
            raise OwnError
        try:
            go_on(module, value)
        except OwnError as error:
            raise KeyError(value) from error

    nest.host = host
    with pytest.raises(KeyError) as caught:
        nest.outer.exports.by_host(2)
    assert isinstance(caught.value.__cause__, OwnError)
    assert "by_host" in caught.value.__notes__[0]


def test_exceptions_leak_nothing(nest: Nest) -> None:
    error = OwnError()

    def host(module: Module, value: int) -> None:
        if value > 1:
            go_on(module, value)
        raise error

    def count() -> int:
        error.__traceback__ = None
        del error.__notes__
        gc.collect()
        return sys.getrefcount(error) + sys.getrefcount(host) + sys.getrefcount(nest.outer)

    nest.host = host
    counts = []
    for _ in range(4):
        with pytest.raises(OwnError):
            nest.outer.exports.start(5)
        counts.append(count())
    assert len(set(counts)) == 1


# Code that is found invalid when first called


@pytest.mark.parametrize("engine", NATIVE)
def test_code_that_is_invalid(engine: str) -> None:
    """Each call says so, whoever calls, and other functions work."""
    good = wasm(
        """(module (func $f (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 9)))
        (func (export "g") (param i32) (result i32) (call $f (local.get 0)))
        (func (export "ok") (result i32) (i32.const 42)))"""
    )
    broken = good.replace(b"\x41\x09\x6a", b"\x41\x09\x7c")
    assert broken != good
    with new_runtime(engine, RuntimeConfig().with_lazy_validation(True)) as runtime:
        exports: Any = runtime.instantiate(broken, ModuleConfig().with_name("")).exports
        for name in ("f", "g", "g", "f"):
            with pytest.raises(InvalidModuleError, match="type mismatch"):
                exports[name](1)
            assert exports.ok() == 42
