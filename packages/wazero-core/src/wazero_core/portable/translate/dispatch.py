"""Control flow as a state machine: basic blocks in a binary tree of ``if pc < n`` inside one ``while 1``.

Basic blocks begin at loops, behind blocks that are branched to, and at the arms of ifs that hold such places; they are
numbered in order of position, so that falling through is ``pc = next``. Ifs that hold none stay Python ifs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, final

from wazero_api import Block

from .control import Control, Frame
from .lines import Lines
from .operands import OperandStack

_MAX_DEPTH: Final = 40
"""Levels of Python ifs inside a basic block; the tree adds some twenty, and CPython allows a hundred."""


@final
class DispatchControl(Control):
    """See the module."""

    def __init__(
        self,
        lines: Lines,
        stack: OperandStack,
        blocks: Mapping[int, Block],
        is_loop: Mapping[int, bool],
        is_if: Mapping[int, bool],
    ) -> None:
        super().__init__(lines, stack)
        self._split_ifs: set[int] = set()
        self._leaders = self._find_leaders(blocks, is_loop, is_if)
        self._number = {position: number for number, position in enumerate(self._leaders)}
        self._basic_blocks: list[tuple[list[str], list[int]]] = []

    def _find_leaders(
        self, blocks: Mapping[int, Block], is_loop: Mapping[int, bool], is_if: Mapping[int, bool]
    ) -> list[int]:
        leaders = {-1}
        for start, block in blocks.items():
            if block.branches:
                leaders.add(start if is_loop[start] else block.end)
        hard = sorted(leaders)
        ifs = [blocks[start] for start in sorted(blocks) if is_if[start]]
        too_deep = _nesting(ifs) > _MAX_DEPTH
        for block in ifs:
            holds_leader = bisect_right(hard, block.end - 1) > bisect_right(hard, block.start)
            if block.branches or holds_leader or too_deep:
                self._split_ifs.add(block.start)
                leaders.add(block.end)
                if block.alternative is not None:
                    leaders.add(block.alternative)
        return sorted(leaders)

    def open(self, frame: Frame, condition: str) -> None:
        block = frame.block
        assert block is not None
        if frame.is_loop and block.branches:
            self._begin(block.start, falls_through=True)
            self.lines.add("if stop: poll()")
        if frame.is_if:
            if block.start in self._split_ifs:
                target = block.end if block.alternative is None else block.alternative
                self.lines.add(f"if not {condition}:")
                self.indented(lambda: self._go_to(target))
                return
            self.lines.add(f"if {condition}:")
            self.lines.depth += 1
            frame.first_line = self.lines.count

    def _begin(self, position: int, *, falls_through: bool) -> None:
        """The basic block at `position` begins; the one before falls through to it or not."""
        if falls_through:
            self.lines.add(f"pc = {self._number[position]}")
        self._basic_blocks.append(self.lines.take())

    def _go_to(self, position: int) -> None:
        self.lines.add(f"pc = {self._number[position]}")
        self.lines.add("continue")

    def otherwise(self, frame: Frame, *, falls_through: bool) -> None:
        block = frame.block
        assert block is not None
        assert block.alternative is not None
        if block.start in self._split_ifs:
            if falls_through:
                self._go_to(block.end)
            self._begin(block.alternative, falls_through=False)
            return
        self._end_arm(frame)
        self.lines.add("else:")
        self.lines.depth += 1
        frame.first_line = self.lines.count

    def _end_arm(self, frame: Frame) -> None:
        if self.lines.count == frame.first_line:
            self.lines.add("pass")
        self.lines.depth -= 1

    def close(self, frame: Frame, *, falls_through: bool) -> None:
        block = frame.block
        assert block is not None
        if frame.is_if and block.start not in self._split_ifs:
            self._end_arm(frame)
        elif block.end in self._number:
            self._begin(block.end, falls_through=falls_through)

    def jump(self, frame: Frame) -> None:
        block = frame.block
        assert block is not None
        self._go_to(block.start if frame.is_loop else block.end)

    def branch_table(self, index: str, targets: Sequence[Frame]) -> None:
        if any(frame.is_function or frame.arity for frame in targets):
            super().branch_table(index, targets)
            return
        numbers = []
        for frame in targets:
            assert frame.block is not None
            numbers.append(self._number[frame.block.start if frame.is_loop else frame.block.end])
        if len(numbers) == 1:
            self.lines.add(f"pc = {numbers[0]}")
        else:
            self.lines.add(f"i = {index}")
            self.lines.add(f"pc = {tuple(numbers[:-1])}[i] if i < {len(numbers) - 1} else {numbers[-1]}")
        self.lines.add("continue")

    def finish(self, prologue: list[str]) -> None:
        self._basic_blocks.append(self.lines.take())
        prologue.append("pc = 0")
        self.lines.add("while 1:")
        self.lines.depth += 1
        self.decide("pc", range(len(self._basic_blocks)), self._write_basic_block)
        self.lines.depth -= 1

    def _write_basic_block(self, number: int) -> None:
        texts, positions = self._basic_blocks[number]
        self.lines.extend(texts, positions, self.lines.depth - 1)


def _nesting(blocks: Sequence[Block]) -> int:
    """How deep blocks, sorted by start, lie in one another."""
    ends: list[int] = []
    deepest = 0
    for block in blocks:
        while ends and ends[-1] < block.start:
            ends.pop()
        ends.append(block.end)
        deepest = max(deepest, len(ends))
    return deepest
