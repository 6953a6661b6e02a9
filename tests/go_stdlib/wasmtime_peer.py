"""A command that runs a program on PyPI's wasmtime as Go's script does on the wasmtime command: FILE KEY=VALUE… -- ARGUMENT…

It sees the file system of this machine, from its root, and is a process of its own since wasmtime takes the real standard streams.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import wasmtime
from wasmtime import _ffi as ffi

_STACK_BYTES = 8 << 20
"""Of the guest, as in Go's script (lib/wasm/go_wasip1_wasm_exec). The rest is for wasmtime's own."""


def main() -> int:
    """Run what the command line says. Returns the exit code."""
    separator = sys.argv.index("--")
    program, *environment = sys.argv[1:separator]
    config = wasmtime.Config()
    ffi.wasmtime_config_async_stack_size_set(config.ptr(), 2 * _STACK_BYTES)
    config.max_wasm_stack = _STACK_BYTES
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    store.set_wasi(_wasi([Path(program).name, *sys.argv[separator + 1 :]], environment))
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    module = wasmtime.Module.from_file(engine, program)
    status = 1

    def run() -> None:
        nonlocal status
        start = linker.instantiate(store, module).exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        try:
            start(store)
            status = 0
        except wasmtime.ExitTrap as ended:
            status = ended.code

    threading.stack_size(4 * _STACK_BYTES)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return status


def _wasi(args: list[str], environment: list[str]) -> wasmtime.WasiConfig:
    config = wasmtime.WasiConfig()
    config.argv = args
    config.env = [tuple(variable.split("=", 1)) for variable in environment]
    config.preopen_dir("/", "/")
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    return config


if __name__ == "__main__":
    sys.exit(main())
