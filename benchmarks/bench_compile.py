"""How fast whole modules are compiled, types checked on the way: wasm instructions in a second, and memory.

The first compilation of a process finds no templates of machine code, the second, of the same module, all of them.
wasmtime, as orientation, is held to one core, as we are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import pytest
from benchmarks import inputs, processes
from benchmarks.engine import ENGINE, IS_NATIVE
from benchmarks.figures import Target
from benchmarks.measuring import Measure
from benchmarks.sightglass_suite import choose

from wazero_core import RuntimeConfig
from wazero_core.binary import decode_module
from wazero_core.binary.instructions import tokenize

_FIRST: Final = Target(800_000, is_least=True)
_SECOND: Final = Target(1_400_000, is_least=True)
_UNIT: Final = "instr/s"

_PEAK: Final = Target(1.5)
_GB: Final = 1e9


class Case(NamedTuple):
    """A module, and how often to compile it."""

    name: str
    title: str
    rounds: int


_CASES: Final = (
    Case("go_hello", "Go hello", 5),
    Case("esbuild", "esbuild", 3),
    Case("blake3-scalar", "blake3", 7),
    Case("pulldown-cmark", "pulldown-cmark", 7),
    Case("regex", "regex", 7),
    Case("rust-json", "rust-json", 7),
)
"""The programs of sightglass here are those written in Rust."""


def _path(request: pytest.FixtureRequest, name: str) -> Path:
    """Of a fixture, or of a program of sightglass."""
    if name in ("go_hello", "esbuild"):
        path: Path = request.getfixturevalue(name)
        return path
    try:
        return choose(name)[0].path
    except inputs.MissingInputError as error:
        pytest.skip(str(error))


def _instructions(wasm: Path) -> int:
    module = decode_module(wasm.read_bytes(), keep_custom_sections=False)
    return sum(len(tokenize(body.code)) for body in module.bodies)


def _compiling(engine: str, wasm: Path, reports: list[Any]) -> Callable[[], float]:
    """A function that compiles in a new process and gives the seconds of the first time; `reports` gets all."""

    def run() -> float:
        reports.append(processes.report_of("compile.py", engine, str(wasm)))
        return float(reports[-1]["first"])

    return run


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in _CASES])
def test_compile(
    stated: Measure, request: pytest.FixtureRequest, engine_config: RuntimeConfig, wasmtime: Any, case: Case
) -> None:
    """Every function can be compiled."""
    if case.name == "esbuild" and not (stated.is_timed and IS_NATIVE):
        pytest.skip("esbuild is compiled in timed runs of a native engine only: it takes a minute")
    wasm = _path(request, case.name)
    ours: list[Any] = []
    theirs: list[Any] = []
    peers = {"wasmtime": _compiling("wasmtime", wasm, theirs)} if stated.is_timed else {}
    stated.run(_compiling(ENGINE, wasm, ours), rounds=case.rounds, peers=peers, peer_rounds=min(3, case.rounds))
    _report(stated, case, _instructions(wasm), ours, theirs)


def _report(stated: Measure, case: Case, instructions: int, ours: list[Any], theirs: list[Any]) -> None:
    first, second = (median(report[key] for report in ours) for key in ("first", "second"))
    peak = max(report["peak"] for report in ours)
    stated.note(instructions=instructions, first_seconds=first, second_seconds=second, peak_bytes=peak)
    title = f"compile {case.title}, {instructions:,} instructions"
    stated.report_value(f"{title}, cold memo", instructions / first, _UNIT, _FIRST)
    stated.report_value(f"{title}, warm memo", instructions / second, _UNIT, _SECOND)
    if theirs:
        speed = instructions / median(report["first"] for report in theirs)
        stated.report_value(f"compile {case.title}, wasmtime on one core", speed, _UNIT)
    if case.name == "esbuild" and peak:
        stated.report_value("compile esbuild, peak memory of the process", peak / _GB, "GB", _PEAK)
