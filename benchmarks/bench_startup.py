"""What a user waits for before the first instruction runs: imports, and whole processes of the command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from benchmarks.figures import Target
from benchmarks.measuring import Measure

_IMPORT_ROUNDS: Final = 41
_COMMAND_ROUNDS: Final = 7

_COMMANDS: Final = [
    pytest.param("c_hello", ("-env", "GREETING=Hello"), ("world",), "Hello, world!\n", id="c_hello"),
    pytest.param("go_hello", (), (), "hello from Go wasip1 wasm\n", id="go_hello"),
]


def _process(*arguments: str) -> Callable[[], str]:
    """A run of this interpreter that gives what it printed."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_import(measure: Measure) -> None:
    """The import prints nothing."""
    output = measure.run(
        _process("-c", "import wazero_core"), rounds=_IMPORT_ROUNDS, peers={"bare": _process("-c", "pass")}
    )
    assert output == ""
    if measure.is_timed:
        cost = measure.median - measure.peer_median("bare")
        measure.report_value("import wazero_core, over a bare interpreter", cost, "s", Target(0.040))


@pytest.fixture(scope="module")
def command() -> Sequence[str]:
    """How to call the command without knowing where it was installed."""
    if find_spec("wazero_core.cli") is None or not hasattr(import_module("wazero_core.cli"), "main"):
        pytest.skip("wazero_core.cli has no main yet")
    if find_spec("wazero_core.__main__") is None:
        return ("-c", "import sys; from wazero_core.cli import main; sys.exit(main())")
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
