"""Go's own tests of its standard library, compiled for WASI, pass under `wazero run`; what fails here fails under wasmtime as well."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from go_stdlib.comparing import Runs, parameters
from go_stdlib.packages import WASIP1
from go_stdlib.results import Outcome
from go_stdlib.runs import run_here, run_on_wasmtime
from programs.build import UnavailableError

SECONDS = {"jit": 180, "portable": 1800, "wasmtime": 180}
"""For a package's tests, by engine. Go's test driver gives 180 s, of which the slowest take a tenth on an idle machine."""


@functools.cache
def on_wasmtime(package: str) -> Outcome:
    """What wasmtime makes of it, once for all engines."""
    return run_on_wasmtime(package, SECONDS["wasmtime"])


@pytest.mark.parametrize(("package", "engine"), parameters(WASIP1))
def test_package(package: str, engine: str, record_property: Callable[[str, object], None]) -> None:
    try:
        there = on_wasmtime(package)
    except UnavailableError as error:
        pytest.skip(str(error))
    runs = Runs(package, engine, run_here(package, "wasip1", engine, SECONDS[engine]), "wasmtime", there)
    runs.record(record_property)
    runs.check()
