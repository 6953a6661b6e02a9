"""What a benchmark run found, as rows of one table: a median, its target, and how peers did in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, final

_UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_HEADINGS: Final = ("what", "figure", "target", "", "peer's time / ours")


@final
@dataclass(frozen=True, slots=True)
class Target:
    """What issue and design ask for. It is shown, never asserted: a slow machine is no defect."""

    bound: float
    """The most that the figure may be; with `peer`, the least that the ratio to that peer must be."""
    peer: str | None = None
    is_least: bool = False
    """The figure must be at least the bound: it is a speed."""

    def text(self, unit: str) -> str:
        """As the table has it."""
        if self.peer is not None:
            return f">= {self.bound:g}x {self.peer}"
        return f"{'>=' if self.is_least else '<='} {quantity(self.bound, unit)}"

    def is_met(self, value: float, peers: Mapping[str, float]) -> bool | None:
        """None if there is no such peer to measure it by."""
        if self.peer is None:
            return value >= self.bound if self.is_least else value <= self.bound
        ratio = peers.get(self.peer)
        return None if ratio is None else ratio >= self.bound


@final
@dataclass(frozen=True, slots=True)
class Figure:
    """One row."""

    name: str
    value: float
    unit: str = "s"
    """"s" for seconds; anything else is printed behind the number."""
    targets: Sequence[Target] = ()
    peers: Mapping[str, float] = field(default_factory=dict)
    """How many times as long a peer took, by its name; below 1 it was faster."""

    @property
    def meets_targets(self) -> bool | None:
        """None if there is no target that can be told."""
        verdicts = [target.is_met(self.value, self.peers) for target in self.targets]
        known = [verdict for verdict in verdicts if verdict is not None]
        return all(known) if known else None


def quantity(value: float, unit: str) -> str:
    """Three digits and the unit that suits: ``12.3 ms``."""
    if unit != "s":
        return f"{value:,.0f} {unit}" if abs(value) >= 1_000 else f"{value:.3g} {unit}"
    scale, name = next((row for row in _UNITS if abs(value) >= row[0]), _UNITS[-1])
    return f"{value / scale:#.3g}".rstrip(".") + f" {name}"


def table(figures: Sequence[Figure]) -> list[str]:
    """The lines of the report."""
    rows = [_HEADINGS, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    verdict = {None: "", True: "met", False: "MISSED"}[figure.meets_targets]
    targets = ", ".join(target.text(figure.unit) for target in figure.targets)
    peers = ", ".join(f"{name} {_ratio(ratio)}" for name, ratio in figure.peers.items())
    return figure.name, quantity(figure.value, figure.unit), targets, verdict, peers


def _ratio(ratio: float) -> str:
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.2g}x"
