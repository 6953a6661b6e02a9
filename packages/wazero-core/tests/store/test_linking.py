"""Imports fit, or the error says what was found and what was wanted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wasmtime

from wazero_api import LinkError, Trap, ValueType
from wazero_core import Module, ModuleConfig, Runtime, RuntimeConfig


def wasm(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


EXPORTER = """(module $lib
  (func (export "func") (param i32) (result i64) (i64.extend_i32_s (local.get 0)))
  (table (export "table") 2 5 funcref)
  (table (export "boundless table") 2 funcref)
  (table (export "externs") 2 5 externref)
  (memory (export "memory") 1 3)
  (global (export "constant") i32 (i32.const 40))
  (global (export "variable") (mut i64) (i64.const 2)))"""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        runtime.instantiate(wasm(EXPORTER))
        yield runtime


def importing(what: str, runtime: Runtime) -> Module:
    return runtime.instantiate(wasm(f'(module (import "lib" {what}))'))


@pytest.mark.parametrize(
    "what",
    [
        '"func" (func (param i32) (result i64))',
        '"table" (table 2 5 funcref)',
        '"table" (table 0 9 funcref)',
        '"table" (table 1 funcref)',
        '"boundless table" (table 2 funcref)',
        '"externs" (table 1 externref)',
        '"memory" (memory 1 3)',
        '"memory" (memory 0)',
        '"constant" (global i32)',
        '"variable" (global (mut i64))',
    ],
)
def test_fits(what: str, runtime: Runtime) -> None:
    importing(what, runtime)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ('"nothing" (func)', r"unknown import: lib.nothing is not exported"),
        ('"func" (func)', r"incompatible import type: lib.func is \(i32\) -> \(i64\), not \(\) -> \(\)"),
        ('"func" (func (param i32) (result i32))', r"is \(i32\) -> \(i64\), not \(i32\) -> \(i32\)"),
        ('"func" (memory 1)', r"lib.func is a func, not a memory"),
        ('"memory" (func)', r"lib.memory is a memory, not a func"),
        ('"memory" (memory 2)', r"at least 1 and at most 3, now 1, not one of at least 2"),
        ('"memory" (memory 1 2)', r"at most 3, now 1, not one of at least 1 and at most 2"),
        ('"table" (table 3 funcref)', r"incompatible import type: lib.table"),
        ('"table" (table 2 4 funcref)', r"incompatible import type: lib.table"),
        ('"boundless table" (table 2 5 funcref)', r"no maximum, now 2"),
        ('"externs" (table 2 5 funcref)', r"externref.*funcref"),
        ('"constant" (global (mut i32))', r"a constant i32, not a mutable i32"),
        ('"constant" (global i64)', r"a constant i32, not a constant i64"),
        ('"variable" (global i64)', r"a mutable i64, not a constant i64"),
    ],
)
def test_does_not_fit(what: str, message: str, runtime: Runtime) -> None:
    with pytest.raises(LinkError, match=message):
        importing(what, runtime)


def test_unknown_module(runtime: Runtime) -> None:
    with pytest.raises(LinkError, match="module 'nowhere' is not instantiated"):
        runtime.instantiate(wasm('(module (import "nowhere" "f" (func)))'))


def test_growth_counts(runtime: Runtime) -> None:
    """What has grown fits where more is asked for."""
    lib = runtime.module("lib")
    assert lib is not None
    assert lib.exported_memory("memory").grow(1) == 1  # type: ignore[union-attr]
    assert lib.exported_table("table").grow(2) == 2  # type: ignore[union-attr]
    importing('"memory" (memory 2 3)', runtime)
    importing('"table" (table 4 5 funcref)', runtime)


def test_names_are_taken_and_freed(runtime: Runtime) -> None:
    with pytest.raises(LinkError, match="module 'lib' has already been instantiated"):
        runtime.instantiate(wasm(EXPORTER))
    lib = runtime.module("lib")
    assert lib is not None
    lib.close()
    assert runtime.module("lib") is None
    assert runtime.instantiate(wasm(EXPORTER)).name == "lib"


def test_a_failed_instance_leaves_its_name_free(runtime: Runtime) -> None:
    config = ModuleConfig().with_name("failing")
    for _ in range(2):
        with pytest.raises(LinkError, match="not exported"):
            runtime.instantiate(wasm('(module (import "lib" "nothing" (func)))'), config)
        with pytest.raises(Trap):
            runtime.instantiate(wasm("(module (func $f unreachable) (start $f))"), config)
        with pytest.raises(Trap):
            runtime.instantiate(wasm('(module (memory 1) (data (i32.const 65536) "x"))'), config)
    assert runtime.module("failing") is None


def test_everything_is_shared(runtime: Runtime) -> None:
    user = runtime.instantiate(
        wasm("""(module
          (import "lib" "memory" (memory 1)) (import "lib" "table" (table 1 funcref))
          (import "lib" "variable" (global $v (mut i64))) (import "lib" "func" (func $f (param i32) (result i64)))
          (elem (i32.const 0) func $f) (data (i32.const 7) "shared")
          (func (export "work") (result i64)
            (global.set $v (i64.add (global.get $v) (call_indirect (param i32) (result i64) (i32.const 40) (i32.const 0))))
            (i32.store8 (i32.const 7) (i32.const 83))
            (global.get $v)))""")
    )
    lib = runtime.module("lib")
    assert lib is not None
    assert lib.memory is not None
    assert lib.memory.read(7, 6) == b"shared"
    assert user.exports.work() == 42
    assert lib.exports.variable.get() == 42
    assert lib.memory.read(7, 6) == b"Shared"
    assert lib.exports.table[0].type.results == (ValueType.I64,)
    lib.exports.variable.set(-5)
    assert user.exports.work() == 35


def test_re_exports(runtime: Runtime) -> None:
    runtime.instantiate(
        wasm('(module $middle (import "lib" "func" (func $f (param i32) (result i64))) (export "again" (func $f)))')
    )
    last = runtime.instantiate(
        wasm(
            '(module (import "middle" "again" (func $f (param i32) (result i64))) (func (export "g") (result i64) (call $f (i32.const -3))))'
        )
    )
    assert last.exports.g() == -3


def test_functions_outlive_their_module_in_a_table(runtime: Runtime) -> None:
    """A closed module's function gives ExitError, not a crash, when called through a table."""
    owner = runtime.instantiate(
        wasm(
            '(module $owner (import "lib" "table" (table 1 funcref)) (func $g (param i32) (result i64) (loop (br 0)) (unreachable)) (elem (i32.const 1) $g))'
        )
    )
    lib = runtime.module("lib")
    assert lib is not None
    owner.close_with_exit_code(3)
    with pytest.raises(Exception, match="closed with exit code 3"):
        lib.exports.table[1](1)
