"""Go's own tests of its standard library, compiled for WASI, pass under `wazero run`; what fails here fails under wasmtime as well."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from go_stdlib.packages import PACKAGES, Package, Run
from go_stdlib.results import ROW, Outcome, what_is_worse
from go_stdlib.runs import run_here, run_on_wasmtime
from integration.runtimes import needs_jit
from programs.build import UnavailableError

SECONDS = {"jit": 180, "portable": 1800, "wasmtime": 180}
"""For a package's tests, by engine. Go's test driver gives 180 s, of which the slowest take a tenth on an idle machine."""


@functools.cache
def on_wasmtime(package: str) -> Outcome:
    """What wasmtime makes of it, once for all engines."""
    return run_on_wasmtime(package, SECONDS["wasmtime"])


def _parameters() -> list[object]:
    rows = [(package, "jit", package.native) for package in PACKAGES]
    rows += [(package, "portable", package.portable) for package in PACKAGES]
    # The engines of a package beside each other.
    rows.sort(key=lambda row: PACKAGES.index(row[0]))
    return [_parameter(*row) for row in rows if row[2] is not Run.NEVER]


def _parameter(package: Package, engine: str, when: Run) -> object:
    marks = [pytest.mark.slow] if when is Run.SLOW else []
    if engine == "jit":
        marks.append(needs_jit)
    return pytest.param(package.path, engine, id=f"{package.path}-{engine}", marks=marks)


@pytest.mark.parametrize(("package", "engine"), _parameters())
def test_package(package: str, engine: str, record_property: Callable[[str, object], None]) -> None:
    try:
        there = on_wasmtime(package)
    except UnavailableError as error:
        pytest.skip(str(error))
    here = run_here(package, engine, SECONDS[engine])
    for name, outcome in (("wasmtime", there), (engine, here)):
        record_property(ROW, f"{package:15} {name:10} {outcome}")
    complaint = f"\n{here.errors[-2000:].decode(errors='replace')}\n{here.output[-4000:].decode(errors='replace')}"
    assert here.count("PASS"), f"no test passes{complaint}"
    assert there.count("PASS"), f"no test passes under wasmtime: {there.errors[-2000:].decode(errors='replace')}"
    worse = what_is_worse(here, there)
    assert not worse, "\n".join(worse) + complaint
