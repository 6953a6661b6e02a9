"""Real programs beside wasmtime: the time that each takes between ``bench.start`` and ``bench.end``, compiled ahead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest
from benchmarks.engine import ENGINE, IS_NATIVE
from benchmarks.figures import Figure, Target
from benchmarks.inputs import MissingInputError
from benchmarks.measuring import Measure
from benchmarks.sightglass_suite import NEEDS, PEER, Program, Race, heading, mean_ratio, programs, row, summary, worst

from wazero_core import RuntimeConfig

_ROUNDS: Final = 5
_TIMEOUT: Final = 60
_PORTABLE_SECONDS: Final = 0.006
"""Programs that take wasmtime longer take minutes on the portable engine."""

_MEAN_TARGET: Final = Target(1.4)
_WORST_TARGET: Final = Target(2.5)
_UNIT: Final = f"x {PEER}'s time"


def _cases() -> list[object]:
    try:
        return [pytest.param(program, id=program.name) for program in programs()]
    except MissingInputError as error:
        return [pytest.param(None, marks=pytest.mark.skip(reason=str(error)), id="none")]


@pytest.fixture(scope="module")
def races(figures: list[Figure], sections: dict[str, list[str]]) -> Iterator[list[Race]]:
    """All that were run; in the end they become a table of their own, and two figures."""
    races: list[Race] = []
    yield races
    if races:
        sections["sightglass"] = [*heading(ENGINE), *map(row, races), *summary(races)]
    mean, last = mean_ratio(races), worst(races)
    if mean is not None and last is not None and last.ratio is not None:
        count = sum(race.counts for race in races)
        figures.append(Figure(f"sightglass, geometric mean of {count} programs", mean, _UNIT, [_MEAN_TARGET]))
        figures.append(Figure(f"sightglass, worst: {last.program.name}", last.ratio, _UNIT, [_WORST_TARGET]))


def _skip_what_cannot_run(program: Program) -> None:
    if program.name in NEEDS:
        pytest.skip(f"needs {NEEDS[program.name]}, which this version does not have")
    if not IS_NATIVE and _known_seconds(program) > _PORTABLE_SECONDS:
        pytest.skip("takes too long on the portable engine; `python benchmarks/sightglass.py` runs it if asked to")


def _known_seconds(program: Program) -> float:
    """What wasmtime took on another machine."""
    folder = program.path.parent.parent
    known = json.loads((folder / "baseline.json").read_text())["benchmarks"]
    return float(known[program.path.relative_to(folder).as_posix()]["wasmtime"]["exec"])


@pytest.mark.parametrize("program", _cases())
def test_program(stated: Measure, races: list[Race], program: Program, engine_config: RuntimeConfig) -> None:
    """It prints what is expected, calls ``bench.start`` and ``bench.end`` once each, and ends with exit code 0."""
    _skip_what_cannot_run(program)
    with Race(program, engine_config.engine, has_peer=stated.is_timed, timeout=_TIMEOUT) as race:
        if stated.is_timed:
            races.append(race)  # also if it fails
        rounds = race.rounds(_ROUNDS) if stated.is_timed else 1
        peers = {PEER: race.theirs.run} if race.theirs.problem is None else {}
        stated.run(race.ours.run, rounds=rounds, peers=peers)
    if race.ratio is not None:
        stated.note(peer_ratio=race.ratio, compile_seconds=race.ours.compile_seconds or 0)
