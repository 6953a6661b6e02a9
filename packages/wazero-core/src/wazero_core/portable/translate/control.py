"""What both ways of writing control flow share: open frames, moves of branch values, binary decisions.

`structured` writes wasm's blocks as Python's ``while`` and ``if``; `dispatch` writes basic blocks under a binary tree
of ``if pc < n``, for functions that nest deeper than CPython allows. `function` chooses and feeds either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import final

from wazero_api import Block

from .lines import Lines
from .operands import Operand, OperandStack


@final
class Frame:
    """An open block, loop, if, or the function itself (then `block` is None)."""

    __slots__ = (
        "arity",
        "block",
        "crossing",
        "entry",
        "first_line",
        "height",
        "is_if",
        "is_loop",
        "number",
        "result_count",
    )

    def __init__(self, block: Block | None, opener: str, height: int, arity: int, result_count: int) -> None:
        self.block = block
        self.is_loop = opener == "loop"
        self.is_if = opener == "if"
        self.height = height
        """Operands below the block's parameters."""
        self.arity = arity
        """How many values a branch to the label carries."""
        self.result_count = result_count
        self.entry: list[Operand] = []
        """The parameters, for the second arm of an if."""
        self.number = 0
        """Of the label in this function, from 1; `structured` only."""
        self.first_line = 0
        """`Lines.count` when the present arm began."""
        self.crossing: dict[int, Frame] = {}
        """`structured`: labels outside, by number, that branches inside this frame's ``while`` go to."""

    @property
    def is_function(self) -> bool:
        """Whether a branch to this label returns."""
        return self.block is None


class Control(ABC):
    """Writes control flow. `frames` is the stack of open blocks, the function first."""

    def __init__(self, lines: Lines, stack: OperandStack) -> None:
        self.lines = lines
        self.stack = stack
        self.frames: list[Frame] = []

    def merges(self, frame: Frame) -> bool:
        """Whether code behind the block can be reached from several places, so that results must sit in variables."""
        return frame.is_if or (frame.block is not None and frame.block.branches > 0)

    @abstractmethod
    def open(self, frame: Frame, condition: str) -> None:
        """A block, loop or (with a condition) if begins; its parameters are settled."""

    @abstractmethod
    def otherwise(self, frame: Frame, *, falls_through: bool) -> None:
        """The ``else`` of an if; results of the first arm are settled if it falls through."""

    @abstractmethod
    def close(self, frame: Frame, *, falls_through: bool) -> None:
        """The end of a block; results are settled if it falls through."""

    @abstractmethod
    def jump(self, frame: Frame) -> None:
        """Write a branch to a label other than the function's."""

    @abstractmethod
    def finish(self, prologue: list[str]) -> None:
        """The function's end: write what was held back, and say what must stand before everything."""

    def branch(self, frame: Frame) -> None:
        """Move the values the label takes and go there."""
        values = self.stack.operands[len(self.stack) - frame.arity :]
        if frame.is_function:
            self.lines.add(f"return {result_text(values)}")
            return
        self._move(values, frame.height)
        self.jump(frame)

    def _move(self, values: Sequence[Operand], height: int) -> None:
        pairs = [(f"s{height + i}", operand.stored) for i, operand in enumerate(values)]
        pairs = [(name, text) for name, text in pairs if name != text]
        if pairs:
            self.lines.add(f"{', '.join(name for name, _ in pairs)} = {', '.join(text for _, text in pairs)}")

    def branch_if(self, frame: Frame, condition: str) -> None:
        """A conditional branch."""
        self.lines.add(f"if {condition}:")
        self.indented(lambda: self.branch(frame))

    def branch_table(self, index: str, targets: Sequence[Frame]) -> None:
        """Branch to ``targets[index]``, or to the last of them beyond the end."""
        self.lines.add(f"i = {index}")
        starts = [0]
        for position in range(1, len(targets)):
            if targets[position] is not targets[starts[-1]]:
                starts.append(position)
        self.decide("i", starts, lambda k: self.branch(targets[starts[k]]))

    def decide(self, variable: str, starts: Sequence[int], write: Callable[[int], None]) -> None:
        """A binary tree of comparisons over ranges that begin at `starts`; `write(k)` writes the leaf of range k."""

        def tree(low: int, high: int) -> None:
            if high - low == 1:
                write(low)
                return
            middle = (low + high) // 2
            self.lines.add(f"if {variable} < {starts[middle]}:")
            self.indented(lambda: tree(low, middle))
            self.lines.add("else:")
            self.indented(lambda: tree(middle, high))

        tree(0, len(starts))

    def indented(self, write: Callable[[], None]) -> None:
        """What `write` writes, a level deeper; ``pass`` if that is nothing."""
        self.lines.depth += 1
        before = self.lines.count
        write()
        if self.lines.count == before:
            self.lines.add("pass")
        self.lines.depth -= 1


def result_text(values: Sequence[Operand]) -> str:
    """What ``return`` gives for these results: nothing, the value, or a tuple."""
    if len(values) == 1:
        return values[0].stored
    return f"({', '.join(operand.stored for operand in values)})" if values else ""
