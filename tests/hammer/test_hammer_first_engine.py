"""Threads that each want the first engine of the process: all must share what there may be only one of."""

from __future__ import annotations

import subprocess
import sys

import wasmtime

PROGRAM = """
import sys, threading
from wazero_core import ModuleConfig, Runtime
wasm = bytes.fromhex(sys.argv[1])
start = threading.Barrier(8)

def work():
    start.wait()
    for _ in range(20):
        module = Runtime().instantiate(wasm, ModuleConfig().with_name(""))
        assert module.exports.f(1) == 1

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""


def test_the_first_engine_is_made_by_many_threads_at_once() -> None:
    """Code of an engine that lost would be taken away while the process's own threads still run it."""
    wasm = bytes(wasmtime.wat2wasm('(module (func (export "f") (param i32) (result i32) (local.get 0)))'))
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, wasm.hex()], capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
