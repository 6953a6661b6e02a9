"""Runs one program of sightglass, once for each line of its standard input, on one engine.

    python sightglass.py ENGINE PROGRAM.wasm

ENGINE is "wasmtime", or an engine of wazero. Answers are lines of JSON: first ``{"compile": seconds}``, then for each run
``{"exec": seconds}``, the time between ``bench.start`` and ``bench.end``; or ``{"error": text}``, also if the output
is not the expected one. Everything is compiled before the first run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, final

Run = Callable[[Path, Path], None]
"""Runs the program, with the files for its standard output and standard error. Raises whatever goes wrong."""

_AWAKE_SECONDS: Final = 0.05
_ERROR_CHARACTERS: Final = 600


class Prepared(NamedTuple):
    """A compiled program."""

    run: Run
    compile_seconds: float
    """Of the module alone, all its functions included."""


@final
class Stopwatch:
    """What the guest calls, as ``bench.start`` and ``bench.end``."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def start(self) -> None:
        self.starts.append(time.perf_counter_ns())

    def end(self) -> None:
        self.ends.append(time.perf_counter_ns())

    def take(self) -> float:
        """Seconds between the two, and ready for the next run."""
        calls = (len(self.starts), len(self.ends))
        if calls != (1, 1):
            raise RuntimeError(f"bench.start and bench.end were called {calls[0]} and {calls[1]} times")
        return (self.ends.pop() - self.starts.pop()) / 1e9


def on_wazero(engine: str, wasm: Path, stopwatch: Stopwatch) -> Prepared:
    """Compiled whole, with the machine's clocks and random bytes, as under the command."""
    import wazero_wasi
    from wazero_core import FSConfig, ModuleConfig, Runtime, RuntimeConfig

    runtime = Runtime(RuntimeConfig(engine=engine).with_lazy_validation(True))
    began = time.perf_counter()
    compiled = runtime.compile_module(wasm)
    compiled.compile_all()
    seconds = time.perf_counter() - began
    wazero_wasi.instantiate(runtime)
    bench = runtime.new_host_module_builder("bench")
    bench.new_function_builder().with_raw_function(stopwatch.start, [], []).export("start")
    bench.new_function_builder().with_raw_function(stopwatch.end, [], []).export("end")
    bench.instantiate()
    config = (
        ModuleConfig()
        .with_name("")
        .with_args(wasm.name)
        .with_fs_config(FSConfig().with_dir_mount(wasm.parent, "."))
        .with_sys_walltime()
        .with_sys_nanotime()
        .with_rand_source(os.urandom)
    )

    def run(stdout: Path, stderr: Path) -> None:
        with stdout.open("wb") as out, stderr.open("wb") as err:
            runtime.instantiate_module(compiled, config.with_stdout(out.fileno()).with_stderr(err.fileno())).close()

    return Prepared(run, seconds)


def on_wasmtime(wasm: Path, stopwatch: Stopwatch) -> Prepared:
    """Its own linker and WASI, as its documentation shows them."""
    import wasmtime

    engine = wasmtime.Engine()
    began = time.perf_counter()
    module = wasmtime.Module.from_file(engine, str(wasm))
    seconds = time.perf_counter() - began
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    nothing = wasmtime.FuncType([], [])
    linker.define_func("bench", "start", nothing, stopwatch.start)
    linker.define_func("bench", "end", nothing, stopwatch.end)

    def run(stdout: Path, stderr: Path) -> None:
        wasi = wasmtime.WasiConfig()
        wasi.argv = [wasm.name]
        wasi.preopen_dir(str(wasm.parent), ".")
        wasi.stdout_file, wasi.stderr_file = str(stdout), str(stderr)
        store = wasmtime.Store(engine)
        store.set_wasi(wasi)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        try:
            start(store)
        except wasmtime.ExitTrap as trap:
            if trap.code:
                raise

    return Prepared(run, seconds)


def difference(got: Path, expected: Path) -> str | None:
    """What is wrong with the output, if anything; there may be no expectation."""
    if not expected.exists():
        return None
    have, want = got.read_bytes(), expected.read_bytes()
    if have == want:
        return None
    at = next((i for i, (a, b) in enumerate(zip(have, want, strict=False)) if a != b), min(len(have), len(want)))
    return f"{expected.name} has {len(want)} bytes, got {len(have)}; they differ at byte {at}: {have[at : at + 60]!r}"


def wake_up() -> None:
    """Keep the processor busy until it runs at full speed: it slows down while a process waits for its turn.

    Measured on a virtual machine: programs of 2 ms took 1.45 or 2.2 ms, at random, until 50 ms of this came first.
    """
    end = time.perf_counter() + _AWAKE_SECONDS
    while time.perf_counter() < end:
        pass


def measured(run: Run, wasm: Path, stopwatch: Stopwatch) -> float:
    """Seconds that a run counted. Raises RuntimeError for wrong output."""
    wake_up()
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        run(stdout, stderr)
        for got in (stdout, stderr):
            wrong = difference(got, wasm.with_suffix(f".{got.name}.expected"))
            if wrong:
                raise RuntimeError(wrong)
    return stopwatch.take()


def prepare(engine: str, wasm: Path, stopwatch: Stopwatch) -> Prepared:
    """Import and compile."""
    if engine == "wasmtime":
        return on_wasmtime(wasm, stopwatch)
    return on_wazero(engine, wasm, stopwatch)


def answer(**values: float | str) -> None:
    print(json.dumps(values), flush=True)


def main() -> None:
    stopwatch = Stopwatch()
    wasm = Path(sys.argv[2]).resolve()
    try:
        prepared = prepare(sys.argv[1], wasm, stopwatch)
        answer(compile=prepared.compile_seconds)
        for _ in sys.stdin:
            answer(exec=measured(prepared.run, wasm, stopwatch))
    except Exception as error:  # noqa: BLE001 - whatever it is, the report shall name it
        answer(error=f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS])


if __name__ == "__main__":
    main()
