"""Tables and globals from Python's side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import wasmtime

from wazero_api import MemoryAccessError, Trap, ValueType
from wazero_core import Module, Runtime, RuntimeConfig, Table

TEXT = """(module
  (table $t (export "funcs") 3 5 funcref) (table (export "objects") 2 externref)
  (func $one (export "one") (result i32) (i32.const 1))
  (func $wide (export "wide") (param i64) (result i64) (local.get 0))
  (elem (table $t) (i32.const 0) func $one)
  (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
  (func (export "same") (param funcref) (result funcref) (local.get 0))
  (func (export "object") (param i32) (result externref) (table.get 1 (local.get 0)))
  (global (export "i32") (mut i32) (i32.const 1)) (global (export "i64") (mut i64) (i64.const 2))
  (global (export "f32") (mut f32) (f32.const 3)) (global (export "f64") (mut f64) (f64.const 4))
  (global (export "func") (mut funcref) (ref.func $one)) (global (export "extern") (mut externref) (ref.null extern))
  (global (export "constant") i32 (i32.const 5)))"""


@pytest.fixture
def module() -> Iterator[Module]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime.instantiate(bytes(wasmtime.wat2wasm(TEXT)))


def table_of(module: Module, name: str = "funcs") -> Table:
    table = module.exported_table(name)
    assert table is not None
    return table


def test_elements(module: Module) -> None:
    table = table_of(module)
    assert len(table) == 3
    assert table[0]() == 1
    assert table[1] is None
    assert table.type.limits.maximum == 5


@pytest.mark.parametrize("index", [-1, 3, 1 << 40])
def test_out_of_range(index: int, module: Module) -> None:
    table = table_of(module)
    with pytest.raises(MemoryAccessError, match="outside of the table, which has 3 elements"):
        table[index]
    with pytest.raises(MemoryAccessError):
        table[index] = None


def test_growth(module: Module) -> None:
    table = table_of(module)
    assert table.grow(2) == 3
    assert len(table) == 5
    assert table.grow(1) is None
    with pytest.raises(ValueError, match="cannot shrink"):
        table.grow(-1)
    assert table_of(module, "objects").grow(1, "new") == 2
    assert module.exports.object(2) == "new"
    assert table_of(module, "objects").grow(1 << 33) is None


def test_objects(module: Module) -> None:
    thing = object()
    table_of(module, "objects")[1] = thing
    assert module.exports.object(1) is thing


def test_moving_an_element(module: Module) -> None:
    table = table_of(module)
    table[2] = table[0]
    assert module.exports.call(2) == 1
    table[2] = None
    with pytest.raises(Trap, match="uninitialized element"):
        module.exports.call(2)


def test_putting_an_exported_function_into_a_table(module: Module) -> None:
    table_of(module)[1] = module.exported_function("one")
    assert module.exports.call(1) == 1
    table_of(module)[1] = module.exported_function("wide")
    with pytest.raises(Trap, match="indirect call type mismatch"):
        module.exports.call(1)


@pytest.mark.parametrize("value", [5, "one", print])
def test_a_table_of_functions_takes_only_these(value: Any, module: Module) -> None:
    with pytest.raises(TypeError, match="funcref"):
        table_of(module)[1] = value


def test_exported_functions_are_references(module: Module) -> None:
    """In both spellings: what an export gives can be handed back."""
    reference = module.exports.same(module.exported_function("one"))
    assert reference() == 1
    assert module.exports.same(None) is None
    assert module.exports.same(reference) is reference
    assert module.exports.same(module.exports.one)() == 1


def test_wrong_references(module: Module) -> None:
    with pytest.raises(TypeError, match=r"funcref needs a (wasm )?function"):
        module.exports.same(7)


GLOBALS = [
    ("i32", ValueType.I32, [(7, 7), (-1, -1), (0xFFFFFFFF, -1), (True, 1)]),
    ("i64", ValueType.I64, [(-5, -5), ((1 << 64) - 1, -1)]),
    ("f32", ValueType.F32, [(0.1, 0.10000000149011612), (2, 2.0), (1e300, float("inf"))]),
    ("f64", ValueType.F64, [(0.1, 0.1), (3, 3.0)]),
    ("extern", ValueType.EXTERNREF, [("text", "text"), (None, None)]),
]


@pytest.mark.parametrize(("name", "type", "pairs"), GLOBALS, ids=[row[0] for row in GLOBALS])
def test_globals(name: str, type: ValueType, pairs: list[tuple[Any, Any]], module: Module) -> None:
    global_ = module.exported_global(name)
    assert global_ is not None
    assert (global_.type.value, global_.type.is_mutable) == (type, True)
    for given, found in pairs:
        global_.set(given)
        assert global_.get() == found
        assert global_.value == found


def test_a_global_of_a_function(module: Module) -> None:
    assert module.exports.func.get()() == 1
    module.exports.func.set(module.exported_function("wide"))
    assert module.exports.func.get()(7) == 7
    with pytest.raises(TypeError):
        module.exports.func.set("wide")


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("i32", 1 << 32, OverflowError),
        ("i32", -(1 << 31) - 1, OverflowError),
        ("i32", 1.5, TypeError),
        ("i32", "1", TypeError),
        ("i64", 1 << 64, OverflowError),
        ("f64", "1", TypeError),
        ("f32", None, TypeError),
        ("constant", 6, TypeError),
    ],
)
def test_bad_values(name: str, value: Any, error: type[Exception], module: Module) -> None:
    before = module.exports[name].get()
    with pytest.raises(error):
        module.exports[name].set(value)
    assert module.exports[name].get() == before
