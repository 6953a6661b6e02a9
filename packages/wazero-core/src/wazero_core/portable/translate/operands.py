"""The operand stack at translation time: expressions that are not evaluated yet.

Before: ``local.get 0; local.get 1; i32.add; local.set 2``. After: ``l2 = (l0 + l1 & 0xffffffff)``. An operand waits as
text until something needs its value or would change it; then it is *settled* into the variable of its stack position,
``s0``, ``s1``, …, where branches to labels leave values too. Two rules keep the meaning:

- before a variable is assigned, operands that read it are settled;
- operands that read memory, globals or tables, or that can trap ("impure"), are settled before any side effect, and in
  order.
"""

from __future__ import annotations

from typing import Final, NamedTuple, final

from wazero_core.portable.numeric import Form

from .lines import Lines

_MAX_TEXT: Final = 240
"""Characters of an operand from which on it is settled: CPython's parser bounds the nesting of parentheses."""
_MAX_WAITING: Final = 48
"""Operands that may wait at once, so that looking through them stays cheap."""
_MAX_GROWTH: Final = 4
"""Wrapping operations in a row before a mask: ints stay small."""


class Operand(NamedTuple):
    """One value. `text` is an atom or in parentheses; `reads` is a bit set of the variables in it."""

    text: str
    form: Form = Form.EXACT
    reads: int = 0
    impure: bool = False
    width: int = 32
    growth: int = 0
    constant: bool = False
    position: int | None = None
    """Of the last instruction in it that can trap."""

    @property
    def number(self) -> str:
        """Text of the value, perhaps a bool where 0 or 1 is meant."""
        if self.form is Form.WRAPPING:
            return f"({self.text} & {'0xffffffff' if self.width == 32 else '0xffffffffffffffff'})"
        return self.text

    @property
    def stored(self) -> str:
        """Text of the exact value, for a variable, an argument or a result."""
        return f"(+{self.text})" if self.form is Form.BOOLEAN else self.number


@final
class OperandStack:
    """The operands, and the lines that settling them writes."""

    __slots__ = ("_fresh", "_lines", "_local_count", "_settled", "operands")

    def __init__(self, local_count: int, lines: Lines) -> None:
        self.operands: list[Operand] = []
        self._local_count = local_count
        self._lines = lines
        self._settled = 0
        """Operands below this index wait for nothing: they are constants or sit in their variable."""
        self._fresh: tuple[int, str, str] | None = None
        """The line that assigned the topmost operand's variable, if nothing came after: (line, variable, text)."""

    def __len__(self) -> int:
        return len(self.operands)

    def push(self, operand: Operand) -> None:
        """Put `operand` on top; it may be settled at once to keep bounds."""
        self.operands.append(operand)
        if len(operand.text) > _MAX_TEXT or len(self.operands) - self._settled > _MAX_WAITING:
            self.settle_all()

    def push_result(self, text: str) -> None:
        """Evaluate `text`, which has side effects, now, and push its value."""
        index = len(self.operands)
        self._before_assigning(self.variable_bit(index), index)
        self._fresh = (self._lines.count, f"s{index}", text)
        self._lines.add(f"s{index} = {text}")
        self.operands.append(self.variable(index))

    def take_fresh(self, operand: Operand, *, as_condition: bool = False) -> str:
        """The text of `operand`, just popped, to be evaluated now.

        If the last line did nothing but assign its variable, that line is taken back and its right side used.
        """
        fresh = self._fresh
        if fresh and fresh[1] == operand.text and self._lines.count == fresh[0] + 1:
            self._lines.drop_last()
            self._fresh = None
            return fresh[2]
        return operand.number if as_condition else operand.stored

    def pop(self) -> Operand:
        """Take the top off."""
        operand = self.operands.pop()
        self._settled = min(self._settled, len(self.operands))
        return operand

    def pop_many(self, count: int) -> list[Operand]:
        """Take `count` off, the topmost last."""
        start = len(self.operands) - count
        taken = self.operands[start:]
        self.cut(start)
        return taken

    def cut(self, height: int) -> None:
        """Drop all from `height` on."""
        self._fresh = None
        del self.operands[height:]
        self._settled = min(self._settled, height)

    def variable_bit(self, index: int) -> int:
        """The bit of the variable of stack position `index`."""
        return 1 << self._local_count + index

    def variable(self, index: int) -> Operand:
        """The operand that sits in the variable of stack position `index`."""
        return Operand(f"s{index}", reads=self.variable_bit(index))

    def push_variables(self, count: int) -> None:
        """Push operands that already sit in their variables, perhaps since another path put them there."""
        self._fresh = None
        for _ in range(count):
            self.operands.append(self.variable(len(self.operands)))

    def settle(self, index: int) -> None:
        """Evaluate the operand at `index` into its variable, unless it sits there."""
        operand = self.operands[index]
        name = f"s{index}"
        if operand.text == name:
            return
        self._before_assigning(self.variable_bit(index), index)
        self._lines.add(f"{name} = {operand.stored}", operand.position)
        self.operands[index] = self.variable(index)

    def _before_assigning(self, bit: int, below: int) -> None:
        for index in range(self._settled, below):
            if self.operands[index].reads & bit and self.operands[index].text != f"s{index}":
                self.settle(index)

    def settle_all(self, *, constants_from: int | None = None) -> None:
        """Settle what waits; constants only from index `constants_from` on."""
        for index in range(self._settled, len(self.operands)):
            operand = self.operands[index]
            if not operand.constant:
                self.settle(index)
        if constants_from is not None:
            for index in range(constants_from, len(self.operands)):
                self.settle(index)
        self._settled = len(self.operands)

    def settle_readers(self, bit: int) -> None:
        """Before the local with that bit is assigned."""
        last = -1
        for index in range(self._settled, len(self.operands)):
            if self.operands[index].reads & bit:
                last = index
        for index in range(self._settled, last + 1):
            if self.operands[index].reads & bit or self.operands[index].impure:
                self.settle(index)

    def settle_impure(self) -> None:
        """Before a side effect."""
        for index in range(self._settled, len(self.operands)):
            if self.operands[index].impure:
                self.settle(index)

    def combine(self, text: str, operands: tuple[Operand, ...], form: Form, *, impure: bool, width: int) -> None:
        """Push an operand made from `operands`."""
        reads = growth = 0
        position = self._lines.position if impure else None
        for operand in operands:
            reads |= operand.reads
            impure = impure or operand.impure
            growth = max(growth, operand.growth)
            position = operand.position if position is None else position
        growth = growth + 1 if form is Form.WRAPPING else 0
        self.push(Operand(text, form, reads, impure, width, growth, position=position))

    @staticmethod
    def wrapping_text(operand: Operand) -> str:
        """For an operation that looks at low bits only."""
        return operand.text if operand.growth < _MAX_GROWTH else operand.number
