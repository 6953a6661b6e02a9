"""Guests from text, on every engine that works here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from wazero_api import UnsupportedError
from wazero_core import CompiledModule, Runtime, RuntimeConfig


@pytest.fixture(params=["portable", "jit"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    try:
        runtime = Runtime(RuntimeConfig(engine=request.param))
    except UnsupportedError as error:
        pytest.skip(str(error))
    with runtime:
        yield runtime


@pytest.fixture
def compile_text(runtime: Runtime) -> Callable[[str], CompiledModule]:
    """From the text of a module to the module, in `runtime`."""
    wasmtime = pytest.importorskip("wasmtime")
    return lambda text: runtime.compile_module(bytes(wasmtime.wat2wasm(text)))
