"""A guest that copies a file, and one that writes single bytes, beside the same guest under wasmtime-py.

The seconds are those that the guest counts by its own clock, so that compiling does not show.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from benchmarks.figures import Target
from benchmarks.measuring import Measure

from wazero_core import RuntimeConfig, run

_MIB: Final = 1 << 20
_ROUNDS: Final = 7
_WRITES: Final = 100_000

Guest = Callable[..., float]


@pytest.fixture
def folder(tmp_path: Path, stated: Measure) -> Path:
    """Mounted as root: `in` of 256 MiB, or of 2 if nothing is timed."""
    size = 256 * _MIB if stated.is_timed else 2 * _MIB
    block = os.urandom(_MIB)
    with (tmp_path / "in").open("wb") as file:
        for _ in range(size // _MIB):
            file.write(block)
    return tmp_path


@pytest.fixture
def ours(files_guest: Path, folder: Path, engine_config: RuntimeConfig) -> Guest:
    binary = files_guest.read_bytes()

    def guest(*args: str) -> float:
        result = run(binary, args, mounts={"/": folder}, runtime_config=engine_config).check()
        return float(result.stderr)

    return guest


@pytest.fixture
def peer(files_guest: Path, folder: Path, wasmtime: Any) -> Guest:
    engine = wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, str(files_guest))
    linker = wasmtime.Linker(engine)
    linker.define_wasi()

    def guest(*args: str) -> float:
        errors = folder / "errors"
        config = wasmtime.WasiConfig()
        config.argv = ["files.wasm", *args]
        config.preopen_dir(str(folder), "/")
        config.stderr_file = str(errors)
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        start = linker.instantiate(store, module).exports(store)["_start"]
        with suppress(wasmtime.ExitTrap):  # also for exit code 0; after a failure there is no time to read
            start(store)
        return float(errors.read_text())

    return guest


@pytest.mark.parametrize("size", [4096, 65536, _MIB])
def test_copy(stated: Measure, ours: Guest, peer: Guest, folder: Path, size: int) -> None:
    """`size` bytes a piece."""
    stated.run(
        lambda: ours("copy", "/in", "/ours", str(size)),
        rounds=_ROUNDS,
        peers={"wasmtime": lambda: peer("copy", "/in", "/theirs", str(size))},
    )
    assert (folder / "ours").read_bytes() == (folder / "in").read_bytes()
    stated.report(f"copy 256 MiB from file to file by {size // 1024} KiB", Target(0.5, "wasmtime"))


@pytest.mark.parametrize("target", ["/out", "-"])
def test_write_one_byte(stated: Measure, ours: Guest, peer: Guest, target: str) -> None:
    """To a file, and to standard output, which `run` collects; wasmtime-py throws it away."""
    stated.run(
        lambda: ours("write", target, str(_WRITES)),
        rounds=_ROUNDS,
        peers={"wasmtime": lambda: peer("write", target, str(_WRITES))},
    )
    name = "to a file" if target == "/out" else "to standard output"
    stated.report(f"fd_write of one byte {name}", Target(3e-6), per=_WRITES)
