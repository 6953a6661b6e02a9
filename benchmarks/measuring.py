"""Timing a function beside its peers, in turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, final

from benchmarks.figures import Figure, Target


@final
@dataclass(slots=True)
class Peer:
    """What to compare with; every turn adds a duration."""

    run: Callable[[], Any]
    clock: Callable[[], float]
    durations: list[float] = field(default_factory=list)
    result: Any = None

    def turn(self) -> None:
        """Run it once."""
        start = self.clock()
        self.result = self.run()
        self.durations.append(self.clock() - start)


@final
class StatedClock:
    """Goes on by what functions say that they took: for times taken inside another process, or within a call."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def __repr__(self) -> str:
        return "StatedClock()"

    def running(self, function: Callable[[], float]) -> Callable[[], float]:
        """`function`, which returns seconds; the clock follows."""

        def run() -> float:
            seconds = function()
            self._now += seconds
            return seconds

        return run


@final
class Measure:
    """One benchmark: `run` times it, `report` puts a row into the table at the end.

    The fixture `measure` makes it. With the fixture `stated`, what is run returns the seconds that count.
    """

    def __init__(self, benchmark: Any, figures: list[Figure], clock: StatedClock | None = None) -> None:
        self._benchmark = benchmark
        self._figures = figures
        self._clock = clock
        self._peers: dict[str, Peer] = {}

    @property
    def is_timed(self) -> bool:
        """False if everything is to run once, for its result only (``--benchmark-disable``)."""
        return not self._benchmark.disabled

    def run(
        self,
        function: Callable[[], Any],
        *,
        rounds: int,
        peers: Mapping[str, Callable[[], Any]] | None = None,
        peer_rounds: int | None = None,
    ) -> Any:
        """Time `function` `rounds` times, and each peer as often, or `peer_rounds` times spread evenly among them.

        Returns what `function` returned; `peer_results` has the others' results.
        """
        stated = self._clock
        clock = stated or time.perf_counter
        running = stated.running if stated else lambda run: run
        self._peers = {name: Peer(running(run), clock) for name, run in (peers or {}).items()}
        every = max(1, rounds // (peer_rounds or rounds))
        round_number = 0

        def take_turns() -> None:
            nonlocal round_number
            if round_number % every == 0:
                for peer in self._peers.values():
                    peer.turn()
            round_number += 1

        return self._benchmark.pedantic(running(function), setup=take_turns, rounds=rounds)

    @property
    def peer_results(self) -> dict[str, Any]:
        """What the peers returned last."""
        return {name: peer.result for name, peer in self._peers.items()}

    @property
    def median(self) -> float:
        """Seconds of a round. Only if `is_timed`."""
        return float(self._benchmark.stats.stats.median)

    def peer_median(self, name: str) -> float:
        """Seconds of a round of that peer."""
        return median(self._peers[name].durations)

    def report(self, name: str, *targets: Target, per: int = 1) -> None:
        """The median, divided by `per` (how many things a round did), and the ratios to the peers. Only if `is_timed`."""
        if not self.is_timed:
            return
        ratios = {peer: self.peer_median(peer) / self.median for peer in self._peers}
        self._add(Figure(name, self.median / per, "s", targets, ratios))

    def report_value(self, name: str, value: float, unit: str, *targets: Target) -> None:
        """A figure that is not the median. Only if `is_timed`."""
        if self.is_timed:
            self._add(Figure(name, value, unit, targets))

    def note(self, **extra: float) -> None:
        """Keep something in the benchmark's ``extra_info``."""
        self._benchmark.extra_info.update(extra)

    def _add(self, figure: Figure) -> None:
        self._figures.append(figure)
        key = figure.name
        self.note(**{key: figure.value}, **{f"{key}: {peer} ratio": ratio for peer, ratio in figure.peers.items()})
