"""Runs Go test binaries as Go does, by scripts in lib/wasm that `go test` finds on the PATH.

For WASI, go_wasip1_wasm_exec mounts the machine's root and passes PWD, the package's folder, and PATH; nothing else of the
environment gets in. For JavaScript, go_js_wasm_exec passes the whole environment of Node, which here is small: a program for
GOOS=js has room for 8 KiB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from go_stdlib.build import Target, build_tests, package_folder
from go_stdlib.results import FLAGS, Outcome, read_results
from gojs.building import node_command

_PEER: Final = str(Path(__file__).with_name("wasmtime_peer.py"))
_PYTHON: Final = (sys.executable, "-P")
"""Without the working directory on the path: packages of Go are named as modules of Python are."""
_GRACE: Final = 60
"""Seconds for starting, compiling and ending, beside those that tests get."""


def run_here(package: str, target: Target, engine: str, seconds: int) -> Outcome:
    """The tests of a package under `wazero run` on an engine, with so many seconds. Raises UnavailableError or TimeoutExpired."""
    variables = (f"-env={name}={value}" for name, value in _environment(package, target).items())
    command = (*_PYTHON, "-m", "wazero_core", "run", "-mount=/:/", *variables, str(build_tests(package, target)))
    return _run(package, command, seconds, {**os.environ, "WAZERO_ENGINE": engine})


def run_on_wasmtime(package: str, seconds: int) -> Outcome:
    """The same for WASI on the wasmtime of PyPI."""
    variables = (f"{name}={value}" for name, value in _environment(package, "wasip1").items())
    command = (*_PYTHON, _PEER, str(build_tests(package, "wasip1")), *variables, "--")
    return _run(package, command, seconds, os.environ)


def run_on_node(package: str, seconds: int) -> Outcome:
    """The same for JavaScript on Node with Go's own wasm_exec_node.js."""
    return _run(package, node_command(build_tests(package, "js")), seconds, _environment(package, "js"))


def _environment(package: str, target: Target) -> dict[str, str]:
    """The environment of the guest."""
    variables = {"PWD": str(package_folder(package)), "PATH": os.environ["PATH"]}
    if target == "js":
        variables |= {"HOME": str(Path.home()), "TMPDIR": tempfile.gettempdir()}
    return variables


def _run(package: str, command: Sequence[str], seconds: int, environment: Mapping[str, str]) -> Outcome:
    started = time.monotonic()
    try:
        done = subprocess.run(
            # What `go test` passes on its own account, and -short, as Go's test driver does.
            [*command, "-test.paniconexit0", f"-test.timeout={seconds}s", "-test.short", *FLAGS],
            cwd=package_folder(package),
            env=environment,
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
