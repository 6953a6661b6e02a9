"""Runs Go test binaries for WASI as Go does: the script lib/wasm/go_wasip1_wasm_exec, which `go test` finds on the PATH, mounts
the machine's root and passes PWD, the package's folder, and PATH. Nothing else of the environment gets in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from go_stdlib.build import build_tests, package_folder
from go_stdlib.results import FLAGS, Outcome, read_results

_PEER: Final = str(Path(__file__).with_name("wasmtime_peer.py"))
_PYTHON: Final = (sys.executable, "-P")
"""Without the working directory on the path: packages of Go are named as modules of Python are."""
_GRACE: Final = 60
"""Seconds for starting, compiling and ending, beside those that tests get."""


def run_here(package: str, engine: str, seconds: int) -> Outcome:
    """The tests of a package under `wazero run` on an engine, with so many seconds. Raises UnavailableError or TimeoutExpired."""
    flags = ["-mount=/:/", *(f"-env={variable}" for variable in _environment(package))]
    command = ["-m", "wazero_core", "run", *flags, str(build_tests(package, "wasip1"))]
    return _run(package, command, seconds, WAZERO_ENGINE=engine)


def run_on_wasmtime(package: str, seconds: int) -> Outcome:
    """The same on the wasmtime of PyPI."""
    command = [_PEER, str(build_tests(package, "wasip1")), *_environment(package), "--"]
    return _run(package, command, seconds)


def _environment(package: str) -> list[str]:
    return [f"PWD={package_folder(package)}", f"PATH={os.environ['PATH']}"]


def _run(package: str, command: list[str], seconds: int, **environment: str) -> Outcome:
    started = time.monotonic()
    try:
        done = subprocess.run(
            # What `go test` passes on its own account, and -short, as Go's test driver does.
            [*_PYTHON, *command, "-test.paniconexit0", f"-test.timeout={seconds}s", "-test.short", *FLAGS],
            cwd=package_folder(package),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds + _GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        # Go's own limit has not ended it: the host hangs, or waits for what nobody can interrupt.
        error.add_note(f"the last that it wrote: {(error.stdout or b'')[-1000:].decode(errors='replace')}")
        raise
    elapsed = time.monotonic() - started
    return Outcome(done.returncode, read_results(done.stdout), elapsed, done.stdout, done.stderr)
