"""The programs of sightglass on two engines in turns, and the table of what came out.

Each program runs on each engine in a process of its own, so that a crash is one row that says so. What counts is the time
between ``bench.start`` and ``bench.end``, after everything was compiled; the figures are medians. ``WAZERO_SIGHTGLASS``
names the folder of the programs (default: ``../shared/sightglass``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean, median
from types import TracebackType
from typing import Final, NamedTuple, final

from benchmarks.figures import quantity
from benchmarks.inputs import ROOT, MissingInputError
from benchmarks.processes import Worker, WorkerError

PEER: Final = "wasmtime"
VARIABLE: Final = "WAZERO_SIGHTGLASS"

NEEDS: Final = {"blake3-simd": "SIMD", "intgemm-simd": "SIMD", "splay": "garbage collection"}
"""Programs that our engines cannot run yet, and what they would need for it."""

TOO_SHORT: Final = 1e-4
"""Programs that take fewer seconds on the peer measure two calls of the host: they are listed, and left out of the mean."""

_SHORT: Final = 0.020
"""Programs of fewer seconds run `_MORE` times as many rounds."""
_MORE: Final = 4
_TIMEOUT: Final = 300
_NOT_ASKED: Final = "not asked for"


class Program(NamedTuple):
    """One row of the suite."""

    name: str
    path: Path


def programs() -> list[Program]:
    """All there are, by name. Raises MissingInputError."""
    folder = Path(os.environ.get(VARIABLE) or ROOT.parent / "shared" / "sightglass")
    found = [Program(_name(path), path) for path in folder.glob("*/*.wasm")]
    if not found:
        raise MissingInputError(f"no programs in {folder}: {VARIABLE} names the folder of sightglass")
    return sorted(found)


def choose(names: str | None) -> list[Program]:
    """Those with these names, separated by commas; all for None. Raises MissingInputError."""
    every = {program.name: program for program in programs()}
    if names is None:
        return list(every.values())
    wanted = [name if name in every else f"shootout-{name}" for name in names.split(",")]
    unknown = [name for name in wanted if name not in every]
    if unknown:
        raise MissingInputError(f"no program {', '.join(unknown)}; there are {', '.join(every)}")
    return [every[name] for name in wanted]


def _name(path: Path) -> str:
    """``bz2/benchmark.wasm`` is bz2, ``shootout/shootout-sieve.wasm`` shootout-sieve."""
    return path.parent.name if path.stem == "benchmark" else path.stem


@final
@dataclass(slots=True)
class Lane:
    """A program on one engine."""

    engine: str
    problem: str | None = None
    """Why there are no times: it was skipped, or failed."""
    compile_seconds: float | None = None
    times: list[float] = field(default_factory=list)
    worker: Worker | None = None

    def start(self, path: Path, timeout: float) -> None:
        """Start the process and compile."""
        if self.problem is None:
            self.worker = Worker("sightglass.py", self.engine, str(path), timeout=timeout)
            try:
                self.compile_seconds = self.worker.answer()["compile"]
            except WorkerError as error:
                self.problem = f"FAILED to compile: {error}"

    def run(self) -> float:
        """Run it once. Raises WorkerError if that fails, and what failed before."""
        if self.worker is None or self.problem:
            raise WorkerError(self.problem or "not started")
        try:
            seconds: float = self.worker.ask()["exec"]
        except WorkerError as error:
            self.problem = f"FAILED: {error}"
            raise
        self.times.append(seconds)
        return seconds

    def try_run(self) -> None:
        """Run it if nothing failed yet."""
        if self.problem is None:
            try:
                self.run()
            except WorkerError:
                pass  # it is in `problem` now

    @property
    def note(self) -> str:
        """For the table, in one line: what the problem is, unless nobody asked for times."""
        return "" if self.problem in (None, _NOT_ASKED) else " ".join(f"{self.engine} {self.problem}".split())

    @property
    def seconds(self) -> float | None:
        """The median; None if there is a problem."""
        return median(self.times) if self.times and not self.problem else None


@final
class Race:
    """A program on our engine and on the peer. A context: outside it no process runs.

    `engine` is None for the peer alone, `has_peer` False for ours alone.
    """

    def __init__(
        self, program: Program, engine: str | None, *, has_peer: bool = True, timeout: float = _TIMEOUT
    ) -> None:
        self.program = program
        self.ours = Lane(engine or "none", None if engine else _NOT_ASKED)
        self.theirs = Lane(PEER, None if has_peer else _NOT_ASKED)
        self._timeout = timeout
        if engine and program.name in NEEDS:
            self.ours.problem = f"skipped: needs {NEEDS[program.name]}"
        if has_peer and find_spec(PEER) is None:
            self.theirs.problem = f"skipped: {PEER} is not installed"

    def __enter__(self) -> Race:
        for lane in (self.ours, self.theirs):
            lane.start(self.program.path, self._timeout)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in (self.ours, self.theirs):
            if lane.worker is not None:
                lane.worker.__exit__(kind, error, trace)

    def rounds(self, asked: int) -> int:
        """How many rounds to run for `asked`: more of a short program. Runs the first one to know."""
        self.turn()
        times = self.ours.times + self.theirs.times
        return asked * _MORE if times and max(times) < _SHORT else asked

    def turn(self) -> None:
        """Once on ours, once on the peer."""
        self.ours.try_run()
        self.theirs.try_run()

    def run(self, rounds: int) -> None:
        """All rounds."""
        for _ in range(self.rounds(rounds) - 1):
            self.turn()

    @property
    def ratio(self) -> float | None:
        """How many times as long ours took; None if either did not run."""
        ours, theirs = self.ours.seconds, self.theirs.seconds
        return ours / theirs if ours is not None and theirs else None

    @property
    def best_ratio(self) -> float | None:
        """The same of the shortest times instead of the medians: what a busy machine disturbs less."""
        return None if self.ratio is None else min(self.ours.times) / min(self.theirs.times)

    @property
    def counts(self) -> bool:
        """Whether its ratio goes into the mean."""
        return self.ratio is not None and not self.is_too_short

    @property
    def has_failed(self) -> bool:
        """Whether one of them could not run it, and should have."""
        return any((lane.problem or "").startswith("FAILED") for lane in (self.ours, self.theirs))

    @property
    def is_too_short(self) -> bool:
        """Whether it says nothing about generated code."""
        return self.theirs.seconds is not None and self.theirs.seconds < TOO_SHORT


def mean_ratio(races: Iterable[Race], *, of_best: bool = False) -> float | None:
    """The geometric mean of those that count: of the medians, or of the best times."""
    ratios = [race.best_ratio if of_best else race.ratio for race in races if race.counts]
    return geometric_mean(filter(None, ratios)) if ratios else None


def worst(races: Iterable[Race]) -> Race | None:
    """Where ours is furthest behind."""
    return max((race for race in races if race.counts), key=lambda race: race.ratio or 0, default=None)


# --- The table ------------------------------------------------------------------------------------------------------

_FORMAT: Final = "{:20} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7}  {}"


def heading(engine: str | None) -> list[str]:
    """What stands above the rows: two lines."""
    ours = engine or "-"
    return [
        _FORMAT.format("", "compile", "", "exec", "", "ratio", "ratio", "").rstrip(),
        _FORMAT.format("program", ours, PEER, ours, PEER, "median", "best", "").rstrip(),
    ]


def row(race: Race) -> str:
    """One program."""
    ours, theirs = race.ours, race.theirs
    cells = [_seconds(s) for s in (ours.compile_seconds, theirs.compile_seconds, ours.seconds, theirs.seconds)]
    ratios = ["-" if ratio is None else f"{ratio:.2f}" for ratio in (race.ratio, race.best_ratio)]
    notes = ["not in the mean"] if race.is_too_short else []
    notes += [lane.note for lane in (ours, theirs) if lane.note]
    return _FORMAT.format(race.program.name, *cells, *ratios, "; ".join(notes)).rstrip()


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else quantity(seconds, "s")


def summary(races: Sequence[Race]) -> list[str]:
    """What stands below the rows."""
    lines = []
    last = worst(races)
    if last is not None:
        count = sum(race.counts for race in races)
        mean, best = mean_ratio(races), mean_ratio(races, of_best=True)
        lines.append(f"geometric mean of {count} programs: {mean:.3f} x {PEER}'s time; of the best times {best:.3f} x")
        lines.append(f"worst: {last.program.name}, {last.ratio:.2f} x")
    short = [race.program.name for race in races if race.is_too_short]
    if short:
        lines.append(f"left out of the mean, as they take less than {quantity(TOO_SHORT, 's')}: {', '.join(short)}")
    failed = [race.program.name for race in races if race.has_failed]
    if failed:
        lines.append(f"FAILED, so that the mean lacks them: {', '.join(failed)}")
    return lines
