"""What a user waits for before the first instruction runs: imports, and whole processes of the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from benchmarks import inputs
from benchmarks.figures import Target
from benchmarks.measuring import Measure

_IMPORT_ROUNDS: Final = 41
_COMMAND_ROUNDS: Final = 7

_IMPORTS: Final = [
    pytest.param("import wazero_core", "import wazero_core", Target(0.040), id="package"),
    # The import alone brings little: names load what they stand for when first used. This is all that has to be loaded.
    pytest.param("import and make a Runtime", "from wazero_core import Runtime; Runtime()", None, id="runtime"),
]
_COMMANDS: Final = [
    pytest.param("c_hello", ("-env", "GREETING=Hello"), ("world",), "Hello, world!\n", id="c_hello"),
    pytest.param("go_hello", (), (), "hello from Go wasip1 wasm\n", id="go_hello"),
]


def _process(*arguments: str) -> Callable[[], str]:
    """A run of this interpreter that gives what it printed. Done once here, so that all bytecode is cached.

    A package that pip installed has its bytecode from the start, so neither its making nor a setting that forbids to
    write it may count.
    """
    command = [sys.executable, *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(inputs.CACHE / "bytecode")

    def run() -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    run()
    return run


@pytest.mark.parametrize(("title", "code", "target"), _IMPORTS)
def test_import(measure: Measure, title: str, code: str, target: Target | None) -> None:
    """It prints nothing. What Python itself needs to start is subtracted."""
    output = measure.run(_process("-c", code), rounds=_IMPORT_ROUNDS, peers={"bare": _process("-c", "pass")})
    assert output == ""
    if measure.is_timed:
        cost = measure.median - measure.peer_median("bare")
        measure.report_value(f"{title}, over a bare interpreter", cost, "s", target)


@pytest.fixture(scope="module")
def command() -> Sequence[str]:
    """How to call the command without knowing where it was installed."""
    if find_spec("wazero_core.cli") is None or not hasattr(import_module("wazero_core.cli"), "main"):
        pytest.skip("wazero_core.cli has no main yet")
    return ("-m", "wazero_core")


@pytest.mark.parametrize(("program", "options", "arguments", "expected"), _COMMANDS)
def test_run(
    measure: Measure,
    request: pytest.FixtureRequest,
    command: Sequence[str],
    program: str,
    options: Sequence[str],
    arguments: Sequence[str],
    expected: str,
) -> None:
    """The program says hello."""
    path: Path = request.getfixturevalue(program)
    run = _process(*command, "run", *options, str(path), *arguments)
    assert measure.run(run, rounds=_COMMAND_ROUNDS, peers={"bare Python": _process("-c", "pass")}) == expected
    measure.report(f"wazero run {path.stem}, whole process")
