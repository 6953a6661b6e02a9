"""Making an instance of a module that is compiled already, and closing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from benchmarks.measuring import Measure

from wazero_api import HostFunction, HostModule
from wazero_core import CompiledModule, ModuleConfig, Runtime, RuntimeConfig

_SMALL: Final = """
(module
  (memory (export "memory") 1)
  (table 4 funcref)
  (global $count (mut i32) (i32.const 0))
  (elem (i32.const 0) $next)
  (data (i32.const 16) "hello")
  (func $next (export "next") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.get $count)))
"""
_SMALL_INSTANCES: Final = 20
"""In a round."""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Validates lazily, as the command does: these benchmarks are not about compiling."""
    with Runtime(RuntimeConfig().with_lazy_validation(True)) as runtime:
        yield runtime


def _instantiate(runtime: Runtime, compiled: CompiledModule, times: int = 1) -> int:
    """How many exports the last instance had."""
    config = ModuleConfig().with_name("").with_start_functions()
    exports = 0
    for _ in range(times):
        with runtime.instantiate_module(compiled, config) as module:
            exports = len(list(module.exports))
    return exports


def _peer_instantiate(wasmtime: Any, wasm: bytes) -> Callable[[], None]:
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, wasm)

    def run() -> None:
        for _ in range(_SMALL_INSTANCES):
            wasmtime.Instance(wasmtime.Store(engine), module, [])

    return run


def test_small(measure: Measure, runtime: Runtime, assemble: Callable[[str], bytes], wasmtime: Any) -> None:
    """A module with one of everything."""
    wasm = assemble(_SMALL)
    compiled = runtime.compile_module(wasm)
    exports = measure.run(
        lambda: _instantiate(runtime, compiled, _SMALL_INSTANCES),
        rounds=41,
        peers={"wasmtime": _peer_instantiate(wasmtime, wasm)},
    )
    assert exports == 2
    measure.report("instantiate and close a small module", per=_SMALL_INSTANCES)


def _unused(*_: Any) -> None:
    raise AssertionError("nothing runs")


def _offer_imports(runtime: Runtime, compiled: CompiledModule) -> None:
    """Host modules with a function for each import; none is ever called."""
    wanted: dict[str, list[HostFunction]] = {}
    for definition in compiled.imported_functions:
        assert definition.import_ is not None
        module, name = definition.import_
        wanted.setdefault(module, []).append(HostFunction(name, definition.type, _unused))
    for module, functions in wanted.items():
        runtime.instantiate_host_module(HostModule(module, tuple(functions)))


def test_esbuild(measure: Measure, runtime: Runtime, esbuild: Path) -> None:
    """5,000 functions and 3 MB of data, without calling anything."""
    compiled = runtime.compile_module(esbuild)
    _offer_imports(runtime, compiled)
    assert measure.run(lambda: _instantiate(runtime, compiled), rounds=15) > 1
    measure.report("instantiate and close esbuild")
