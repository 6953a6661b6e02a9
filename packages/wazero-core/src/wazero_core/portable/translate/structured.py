"""Control flow as nested ``while`` and ``if``.

A label that is branched to gets a ``while 1:`` that ends in ``break``: a branch to it is ``break``, for a loop
``continue``. A branch across further ``while``s sets ``b`` to the label's number and breaks; behind each ``while`` it
left, a test of ``b`` carries it on. Blocks that nothing branches to leave no trace, and a block that holds nothing but a
loop shares the loop's ``while``: a branch to the block is then the loop's ``break``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from wazero_api import Block

from .control import Control, Frame
from .lines import Lines
from .operands import OperandStack


class Plan(NamedTuple):
    """How a body's blocks become Python blocks."""

    whiles: frozenset[int]
    """Starts of the blocks that get a ``while``; other labels share that of a block inside."""
    while_depth: int
    depth: int
    """Levels of indentation, at most."""
    nesting: int
    """Blocks of any kind inside one another, at most."""


def plan(blocks: Mapping[int, Block], is_loop: Mapping[int, bool], is_if: Mapping[int, bool]) -> Plan:
    """The plan for a body; the maps tell the opening instruction by position."""
    whiles: set[int] = set()
    wanted: set[int] = set()
    open_ends: list[tuple[int, int, int]] = []
    while_depth = depth = nesting = 0
    for start in sorted(blocks):
        block = blocks[start]
        while open_ends and open_ends[-1][0] < start:
            open_ends.pop()
        _, whiles_here, depth_here = open_ends[-1] if open_ends else (0, 0, 0)
        if block.branches or start in wanted:
            inner = None if is_loop[start] or block.params else blocks.get(start + 1)
            if inner is not None and inner.end + 1 == block.end and not inner.params and not is_if[inner.start]:
                wanted.add(inner.start)
            else:
                whiles.add(start)
                whiles_here += 1
                depth_here += 1
        depth_here += is_if[start]
        while_depth, depth = max(while_depth, whiles_here), max(depth, depth_here)
        open_ends.append((block.end, whiles_here, depth_here))
        nesting = max(nesting, len(open_ends))
    return Plan(frozenset(whiles), while_depth, depth, nesting)


@final
class StructuredControl(Control):
    """See the module."""

    def __init__(self, lines: Lines, stack: OperandStack, plan: Plan) -> None:
        super().__init__(lines, stack)
        self._plan = plan
        self._last_number = 0
        self._uses_b = False

    def _has_while(self, frame: Frame) -> bool:
        return frame.block is not None and frame.block.start in self._plan.whiles

    def merges(self, frame: Frame) -> bool:
        return super().merges(frame) or self._has_while(frame)

    def open(self, frame: Frame, condition: str) -> None:
        self._last_number += 1
        frame.number = self._last_number
        if self._has_while(frame):
            self.lines.add("while 1:")
            self.lines.depth += 1
            if frame.is_loop:
                self.lines.add("if stop: poll()")
        if frame.is_if:
            self.lines.add(f"if {condition}:")
            self.lines.depth += 1
        frame.first_line = self.lines.count

    def _end_arm(self, frame: Frame) -> None:
        if self.lines.count == frame.first_line:
            self.lines.add("pass")
        self.lines.depth -= 1

    def otherwise(self, frame: Frame, *, falls_through: bool) -> None:
        self._end_arm(frame)
        self.lines.add("else:")
        self.lines.depth += 1
        frame.first_line = self.lines.count

    def close(self, frame: Frame, *, falls_through: bool) -> None:
        if frame.is_if:
            self._end_arm(frame)
        if not self._has_while(frame):
            return
        if falls_through or frame.is_if:
            self.lines.add("break")
        self.lines.depth -= 1
        if frame.crossing:
            self._carry_on(frame)

    def _carry_on(self, closed: Frame) -> None:
        """Behind the ``while`` of `closed`: branches that left it on their way to an outer label."""
        outer = self._innermost_while()
        arrived = [label for label in closed.crossing.values() if self._while_of(label) is outer]
        passing = {n: label for n, label in closed.crossing.items() if label not in arrived}
        outer.crossing.update(passing)
        self.lines.add("if b:")
        self.lines.depth += 1
        for label in arrived:
            if len(closed.crossing) > 1:
                self.lines.add(f"if b == {label.number}:")
                self.lines.depth += 1
            self.lines.add("b = 0")
            self.lines.add("continue" if label.is_loop else "break")
            if len(closed.crossing) > 1:
                self.lines.depth -= 1
        if passing:
            self.lines.add("break")
        self.lines.depth -= 1

    def _innermost_while(self) -> Frame:
        return next(frame for frame in reversed(self.frames) if self._has_while(frame))

    def _while_of(self, label: Frame) -> Frame:
        """The frame whose ``while`` a branch to `label` leaves or repeats: its own, or that of a block inside."""
        index = self.frames.index(label)
        while not self._has_while(self.frames[index]):
            index += 1
        return self.frames[index]

    def jump(self, frame: Frame) -> None:
        innermost = self._innermost_while()
        if self._while_of(frame) is innermost:
            self.lines.add("continue" if frame.is_loop else "break")
            return
        self._uses_b = True
        self.lines.add(f"b = {frame.number}")
        self.lines.add("break")
        innermost.crossing[frame.number] = frame

    def finish(self, prologue: list[str]) -> None:
        if self._uses_b:
            prologue.append("b = 0")
