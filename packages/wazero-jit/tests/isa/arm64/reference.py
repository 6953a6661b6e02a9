"""Results of another WebAssembly runtime, on this machine."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

wasmtime = pytest.importorskip("wasmtime", reason="wasmtime, which runs the modules too, is not installed")


class Reference:
    """Instances of modules, by name; each can import from those before it."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._store = wasmtime.Store()
        linker = wasmtime.Linker(self._store.engine)
        self._instances = {}
        for name, text in modules.items():
            module = wasmtime.Module(self._store.engine, wasmtime.wat2wasm(text))
            self._instances[name] = linker.instantiate(self._store, module)
            linker.define_instance(self._store, name, self._instances[name])

    def call(self, module: str, function: str, arguments: list[int]) -> int | None:
        """The result."""
        result: int | None = self._instances[module].exports(self._store)[function](self._store, *arguments)
        return result
