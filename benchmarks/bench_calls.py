"""What crossing the border costs: Python calls a tiny wasm function, and a wasm loop calls a tiny Python function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from benchmarks.measuring import Measure

from wazero_api import ValueType, i32
from wazero_core import Function, HostModuleBuilder, Module, Runtime

Add = Callable[[int, int], int]

_CALLS: Final = 1_000
"""In a round."""
_ROUNDS: Final = 51

_ADD: Final = """
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
"""

_HOST_LOOP: Final = """
(module
  (import "host" "next" (func $next (param i32) (result i32)))
  (func (export "run") (param $n i32) (result i32)
    (local $x i32)
    (loop $again
      (local.set $x (call $next (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
"""


def _next_typed(value: i32) -> i32:
    return value + 1


def _next_raw(value: int) -> int:
    return value + 1


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture
def module(runtime: Runtime, assemble: Callable[[str], bytes]) -> Module:
    """The module with ``add``."""
    return runtime.instantiate(assemble(_ADD))


@pytest.fixture
def peer(wasmtime: Any, assemble: Callable[[str], bytes]) -> Any:
    """The same module on wasmtime: (exports, store)."""
    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, assemble(_ADD)), [])
    return instance.exports(store), store


def _repeat_add(add: Add) -> Callable[[], int]:
    def run() -> int:
        total = 0
        for _ in range(_CALLS):
            total = add(total, 3)
        return total

    return run


def _repeat_peer_add(peer: Any) -> Callable[[], int]:
    exports, store = peer
    add = exports["add"]

    def run() -> int:
        total = 0
        for _ in range(_CALLS):
            total = add(store, total, 3)
        return total

    return run


def _function(module: Module) -> Function:
    function = module.exported_function("add")
    assert function is not None
    return function


def _looked_up(module: Module) -> Add:
    def add(a: int, b: int) -> int:
        return int(module.exports.add(a, b))

    return add


_WAYS: Final[dict[str, Callable[[Module], Add]]] = {
    "module.exports.add, kept": lambda module: module.exports.add,
    "module.exports.add, looked up": _looked_up,
    "Function.__call__": _function,
    "Function.call": lambda module: _function(module).call,
}


@pytest.mark.parametrize("way", _WAYS)
def test_call_wasm(measure: Measure, module: Module, peer: Any, way: str) -> None:
    """Sums of small numbers are right, whichever way one calls."""
    total = measure.run(_repeat_add(_WAYS[way](module)), rounds=_ROUNDS, peers={"wasmtime": _repeat_peer_add(peer)})
    assert total == measure.peer_results["wasmtime"] == 3 * _CALLS
    measure.report(f"Python calls wasm: {way}", per=_CALLS)


def _typed(builder: HostModuleBuilder) -> None:
    builder.new_function_builder().with_func(_next_typed).export("next")


def _raw(builder: HostModuleBuilder) -> None:
    types = [ValueType.I32]
    builder.new_function_builder().with_raw_function(_next_raw, types, types).export("next")


def _peer_host_loop(wasmtime: Any, wasm: bytes) -> Callable[[], int]:
    store = wasmtime.Store()
    i32_type = wasmtime.ValType.i32()
    host = wasmtime.Func(store, wasmtime.FuncType([i32_type], [i32_type]), _next_raw)
    run = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), [host]).exports(store)["run"]
    return lambda: int(run(store, _CALLS))


@pytest.mark.parametrize("define", [pytest.param(_typed, id="typed"), pytest.param(_raw, id="raw")])
def test_call_host(
    measure: Measure,
    runtime: Runtime,
    assemble: Callable[[str], bytes],
    wasmtime: Any,
    define: Callable[[HostModuleBuilder], None],
    request: pytest.FixtureRequest,
) -> None:
    """The host function is called once a turn."""
    builder = runtime.new_host_module_builder("host")
    define(builder)
    builder.instantiate()
    wasm = assemble(_HOST_LOOP)
    run = runtime.instantiate(wasm).exports.run
    peers = {"wasmtime": _peer_host_loop(wasmtime, wasm)}
    count = measure.run(lambda: run(_CALLS), rounds=_ROUNDS, peers=peers)
    assert count == measure.peer_results["wasmtime"] == _CALLS
    measure.report(f"wasm calls Python: {request.node.callspec.id}", per=_CALLS)
