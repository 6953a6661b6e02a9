"""The portable engine beside pywasm, its pure-Python peer, and wasmtime as orientation: same wasm, same size, one run."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from benchmarks.figures import Target
from benchmarks.kernels import KERNELS, Kernel
from benchmarks.measuring import Measure

from wazero_core import Runtime, RuntimeConfig

_ROUNDS: Final = 41
_PYWASM_ROUNDS: Final = 2
_TARGET: Final = Target(100, "pywasm")

Run = Callable[[int], Any]
"""The export ``run`` of a kernel."""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        yield runtime


def _on_pywasm(pywasm: Any, wasm: bytes) -> Run:
    machine = pywasm.Runtime()
    instance = machine.instance(pywasm.ModuleDesc.from_reader(io.BytesIO(wasm)))
    return lambda size: machine.invocate(instance, "run", [size])[0]


def _on_wasmtime(wasmtime: Any, wasm: bytes) -> Run:
    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), [])
    run = instance.exports(store)["run"]
    return lambda size: run(store, size)


@pytest.mark.parametrize("kernel", [pytest.param(kernel, id=kernel.name) for kernel in KERNELS])
def test_kernel(
    measure: Measure, runtime: Runtime, assemble: Callable[[str], bytes], wasmtime: Any, pywasm: Any, kernel: Kernel
) -> None:
    """All three engines give the same result. The function is compiled before the first round."""
    wasm = assemble(kernel.text)
    size = kernel.size if measure.is_timed else kernel.small_size
    run: Run = runtime.instantiate(wasm).exports.run
    run(kernel.small_size)
    on_pywasm, on_wasmtime = _on_pywasm(pywasm, wasm), _on_wasmtime(wasmtime, wasm)
    peers = {"pywasm": lambda: on_pywasm(size), "wasmtime": lambda: on_wasmtime(size)}
    result = measure.run(lambda: run(size), rounds=_ROUNDS, peers=peers, peer_rounds=_PYWASM_ROUNDS)
    assert measure.peer_results == {"pywasm": result, "wasmtime": result}
    measure.report(f"portable {kernel.name}({size})", _TARGET)
