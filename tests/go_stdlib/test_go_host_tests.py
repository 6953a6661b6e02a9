"""Go's "wasip1 host tests" (src/cmd/dist/test.go), which run on this machine and start guests by Go's own script for wazero: our command
takes the place of wazero's. They hold what no guest can test alone, pipes that block and sockets opened for it.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from go_stdlib.build import build_tests, package_folder
from go_stdlib.results import FLAGS, read_results
from integration.runtimes import NAMED_ENGINES
from programs.build import UnavailableError, go

PACKAGE = "internal/runtime/wasitest"
SECONDS = 180
"""They build their guests, too."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="Go's script and its pipes are for POSIX")]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which Go finds its script, and that finds our command by the name of wazero."""
    command = tmp_path / "bin" / "wazero"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m wazero_core "$@"\n')
    command.chmod(0o755)
    compiler = go()
    folders = (command.parent, Path(compiler.path).parent, compiler.root / "lib" / "wasm")
    return {
        **os.environ,
        **compiler.environment(""),
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
        "TMPDIR": str(tmp_path),  # where the script puts the compilation cache
        "GOWASIRUNTIME": "wazero",
        "GOWASIENABLERACYTEST": "1",  # the race is for a port chosen at random, which few want
    }


@pytest.mark.parametrize("engine", NAMED_ENGINES)
@pytest.mark.parametrize(("test", "parts"), [("TestNonblock", ("/os.OpenFile", "/os.NewFile")), ("TestTCPEcho", ())])
def test_host_test(test: str, parts: tuple[str, ...], engine: str, request: pytest.FixtureRequest) -> None:
    try:
        binary = build_tests(PACKAGE, "")
        environment: dict[str, str] = request.getfixturevalue("environment")
    except UnavailableError as error:
        pytest.skip(str(error))
    flags = ("-target=wasip1/wasm", f"-test.run=^{test}$", f"-test.timeout={SECONDS}s", *FLAGS)
    done = subprocess.run(
        [binary, *flags],
        cwd=package_folder(PACKAGE),
        env={**environment, "WAZERO_ENGINE": engine},
        capture_output=True,
        timeout=SECONDS + 60,
        check=False,
    )
    wanted = dict.fromkeys([test, *(test + part for part in parts)], "PASS")
    assert read_results(done.stdout) == wanted, (done.stdout + done.stderr).decode(errors="replace")[-4000:]
