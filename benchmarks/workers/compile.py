"""Compiles a module whole, and once more, in a process that has compiled nothing before; on one core.

    python compile.py ENGINE PROGRAM.wasm

ENGINE is "wasmtime", or an engine of wazero. Prints JSON: seconds of both, and the peak of memory in bytes after the first.
Ours are the seconds of `compile_all` with checking of bodies put off until then: decoding is not in them. The second
compilation is of the same runtime, which knows the templates of the first; wasmtime, which has none, does without.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Compile = Callable[[], float]
"""Compiles, and gives the seconds of it."""


def on_wazero(engine: str, wasm: bytes) -> Compile:
    from wazero_core import Runtime, RuntimeConfig

    runtime = Runtime(RuntimeConfig(engine=engine).with_lazy_validation(True))

    def compile_whole() -> float:
        with runtime.compile_module(wasm) as compiled:
            start = time.perf_counter()
            compiled.compile_all()
            return time.perf_counter() - start

    return compile_whole


def on_wasmtime(wasm: bytes) -> Compile:
    import wasmtime

    settings = wasmtime.Config()
    settings.parallel_compilation = False
    engine = wasmtime.Engine(settings)

    def compile_whole() -> float:
        start = time.perf_counter()
        wasmtime.Module(engine, wasm)
        return time.perf_counter() - start

    return compile_whole


def peak_bytes() -> int:
    """0 where there is no /proc. Not ``ru_maxrss``, which on Linux starts with the parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def main() -> None:
    engine, wasm = sys.argv[1], Path(sys.argv[2]).read_bytes()
    compile_whole = on_wasmtime(wasm) if engine == "wasmtime" else on_wazero(engine, wasm)
    first = compile_whole()
    peak = peak_bytes()
    second = None if engine == "wasmtime" else compile_whole()
    print(json.dumps({"first": first, "second": second, "peak": peak}))


if __name__ == "__main__":
    main()
