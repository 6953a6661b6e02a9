"""Runs a WASI command on wasmtime-py, as a script does that its user would write in place of ``wazero run``.

    python wasmtime_command.py compile - PROGRAM.wasm ARGUMENTS...
    python wasmtime_command.py cache SETTINGS.toml PROGRAM.wasm ARGUMENTS...     # with wasmtime's own cache
    python wasmtime_command.py save MODULE PROGRAM.wasm                          # compile only, and serialise
    python wasmtime_command.py load MODULE PROGRAM.wasm ARGUMENTS...             # what "save" made

Imports nothing else, so that nothing else costs time.
"""

import sys

import wasmtime


def main() -> None:
    mode, file, wasm, *arguments = sys.argv[1:]
    settings = wasmtime.Config()
    if mode == "cache":
        settings.cache = file
    engine = wasmtime.Engine(settings)
    if mode == "load":
        module = wasmtime.Module.deserialize_file(engine, file)
    else:
        module = wasmtime.Module.from_file(engine, wasm)
    if mode == "save":
        with open(file, "wb") as output:  # noqa: PTH123 - pathlib would have to be imported
            output.write(module.serialize())
    else:
        run(engine, module, [wasm, *arguments])


def run(engine: wasmtime.Engine, module: wasmtime.Module, arguments: list[str]) -> None:
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    wasi = wasmtime.WasiConfig()
    wasi.argv = arguments
    wasi.env = [("GREETING", "Hello")]  # the C example asks for it
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    start = linker.instantiate(store, module).exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as trap:
        sys.exit(trap.code)


if __name__ == "__main__":
    main()
