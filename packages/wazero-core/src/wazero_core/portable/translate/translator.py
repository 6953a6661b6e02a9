"""What instructions do to a function under translation: to its operands, its variables, its lines.

Methods are called in the order of the instructions, `writers` says which for which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

from wazero_api import OPCODES, FunctionType, Immediate, ValidatedBody
from wazero_core.binary.instructions import MemArg
from wazero_core.portable.numeric import NUMERIC, Form, Numeric, with_constant

from .control import Control, Frame, result_text
from .lines import Lines
from .operands import Operand, OperandStack

_KEEPS_BOOLEAN: Final = frozenset(
    NUMERIC[name].template for name in ("i32.and", "i32.or", "i32.xor", "i64.extend_i32_u")
)
"""Of bools these templates make a bool again."""

_MEMORY_CODES: Final = frozenset(
    opcode.prefix or opcode.code
    for opcode in OPCODES
    if Immediate.MEMARG in opcode.immediates or Immediate.MEMORY in opcode.immediates
)
"""First bytes of instructions that use a memory; prefixes stand for others, too."""


class Signatures(NamedTuple):
    """What calls need to know of the module."""

    functions: Sequence[FunctionType]
    types: Sequence[FunctionType]
    has_memory: bool


@final
class Translator:
    """The state of one function's translation. `lines` and `stack` are those that `control` writes with."""

    def __init__(
        self, body: ValidatedBody, signatures: Signatures, lines: Lines, stack: OperandStack, control: Control
    ) -> None:
        self.body = body
        self.signatures = signatures
        self.lines = lines
        self.stack = stack
        self.control = control
        self.frames = control.frames
        results = len(body.type.results)
        self.frames.append(Frame(None, "function", 0, results, results))
        self.is_live = True
        self.uses_memory = signatures.has_memory and not _MEMORY_CODES.isdisjoint(t[0] for t in body.tokens)
        self.memory_is_stale = False
        """Something was called since ``m`` was set, and memory 0 may have grown."""
        self.uses_calls = False
        self.used_locals: set[int] = set()

    # Numbers

    def constant(self, text: str) -> None:
        self.stack.push(Operand(text, constant=True))

    def binary(self, name: str, row: Numeric) -> None:
        """An instruction with two operands; see `with_constant` for those with a number among them."""
        first, second = self.stack.operands[-2:]
        if first.constant == second.constant:
            self.numeric(row, 2)
            return
        left = int(first.text) if first.constant and first.text.isdecimal() else None
        right = int(second.text) if second.constant and second.text.isdecimal() else None
        cheaper = with_constant(name, left, right) if (left, right) != (None, None) else None
        if cheaper is None:
            self.numeric(row, 2)
            return
        self.stack.pop()
        if first.constant:
            self.stack.pop()
            self.stack.push(second)
        self.numeric(cheaper, 1)

    def numeric(self, row: Numeric, arity: int) -> None:
        """Any instruction with `arity` operands and one result."""
        operands = tuple(self.stack.pop_many(arity))
        if row.takes_wrapping:
            texts = [self.stack.wrapping_text(operand) for operand in operands]
        else:
            texts = [operand.number for operand in operands]
        form = row.form
        if row.template in _KEEPS_BOOLEAN and all(operand.form is Form.BOOLEAN for operand in operands):
            form = Form.BOOLEAN
        text = row.template.format(*texts)
        text = texts[0] if text == texts[0] else f"({text})"
        self.stack.combine(text, operands, form, impure=row.can_trap, width=row.width)

    # Variables

    def local_get(self, index: int) -> None:
        self.used_locals.add(index)
        self.stack.push(Operand(f"l{index}", reads=1 << index))

    def local_set(self, index: int) -> None:
        self._assign_local(index, self.stack.pop())

    def local_tee(self, index: int) -> None:
        operand = self.stack.pop()
        self._assign_local(index, operand)
        self.stack.push(operand if operand.constant else Operand(f"l{index}", reads=1 << index))

    def _assign_local(self, index: int, operand: Operand) -> None:
        self.used_locals.add(index)
        text = self.stack.take_fresh(operand)
        self.stack.settle_readers(1 << index)
        if operand.impure:
            self.stack.settle_impure()
        if text != f"l{index}":
            self.lines.add(f"l{index} = {text}", operand.position)

    def global_get(self, index: int) -> None:
        self.stack.push(Operand(f"g{index}.value", impure=True))

    def global_set(self, index: int) -> None:
        operand = self.stack.pop()
        self.stack.settle_impure()
        self.lines.add(f"g{index}.value = {operand.stored}", operand.position)

    # Memory

    def view(self, memory: int) -> str:
        """Text of a memory's view."""
        if memory:
            return f"M{memory}.buffer"
        self._refresh_memory()
        return "m"

    def _refresh_memory(self) -> None:
        """Before ``m`` is looked at again, or control goes where this is not known."""
        if self.memory_is_stale:
            self.memory_is_stale = False
            self.lines.add("m = M0.buffer")

    def _address(self, operand: Operand, memarg: MemArg) -> str:
        return f"{operand.number} + {memarg.offset}" if memarg.offset else operand.number

    def load(self, template: str, memarg: MemArg) -> None:
        address = self.stack.pop()
        text = template.format(m=self.view(memarg.memory), a=self._address(address, memarg))
        self.stack.combine(f"({text})", (address,), Form.EXACT, impure=True, width=32)

    def store(self, template: str, memarg: MemArg) -> None:
        address, value = self._pop_in_order(2)
        self.stack.settle_impure()
        texts = {"m": self.view(memarg.memory), "a": self._address(address, memarg), "v": value.number}
        self.lines.add(template.format(**texts))

    def _pop_in_order(self, count: int) -> list[Operand]:
        """Operands for one statement. Python evaluates them in order; only a settled one could come too early."""
        start = len(self.stack) - count
        if sum(operand.impure for operand in self.stack.operands[start:]) > 1:
            self.stack.settle_impure()
        return self.stack.pop_many(count)

    def memory_size(self, memory: int) -> None:
        self.stack.push(Operand(f"(len({self.view(memory)}) >> 16)", impure=True))

    def memory_grow(self, memory: int) -> None:
        delta = self.stack.pop()
        self.stack.settle_impure()
        self.stack.push_result(f"M{memory}.grow({delta.number}) & 0xffffffff")
        self.memory_is_stale = True

    # Effects through helpers: ``name(first…, operands)``

    def effect(self, name: str, operand_count: int, *first: str) -> None:
        operands = self._pop_in_order(operand_count)
        self.stack.settle_impure()
        self._poll()
        self.lines.add(f"{name}({', '.join([*first, *(operand.number for operand in operands)])})")

    def _poll(self) -> None:
        """Before what can take long by itself: a row of such instructions needs no loop to keep the host waiting."""
        self.lines.add("if stop: poll()")

    def table_get(self, table: int) -> None:
        index = self.stack.pop()
        self.stack.combine(f"table_get(t{table}, {index.number})", (index,), Form.EXACT, impure=True, width=32)

    def table_size(self, table: int) -> None:
        self.stack.push(Operand(f"len(t{table})", impure=True))

    def table_grow(self, table: int) -> None:
        value, delta = self._pop_in_order(2)
        self.stack.settle_impure()
        self.stack.push_result(f"T{table}.grow({delta.number}, {value.stored}) & 0xffffffff")

    def table_fill(self, table: int) -> None:
        index, value, count = self._pop_in_order(3)
        self.stack.settle_impure()
        self._poll()
        self.lines.add(f"table_fill(t{table}, {index.number}, {value.number}, {count.number})")

    # Parametric

    def drop(self) -> None:
        operand = self.stack.pop()
        if operand.impure:
            self.stack.settle_impure()
            self.lines.add(operand.text, operand.position)

    def select(self, *_: Any) -> None:
        start = len(self.stack) - 3
        if any(operand.impure for operand in self.stack.operands[start : start + 2]):
            self.stack.settle_impure()
        first, second, condition = self.stack.pop_many(3)
        text = f"({first.stored} if {condition.number} else {second.stored})"
        self.stack.combine(text, (first, second, condition), Form.EXACT, impure=False, width=32)

    # Calls

    def call(self, index: int) -> None:
        type = self.signatures.functions[index]
        operands = self._pop_in_order(len(type.params))
        self._call(f"f{index}", operands, type)

    def call_indirect(self, type_index: int, table: int) -> None:
        type = self.signatures.types[type_index]
        start = len(self.stack) - 1 - len(type.params)
        if any(operand.impure for operand in self.stack.operands[start:]):
            self.stack.settle_impure()
        *operands, index = self.stack.pop_many(1 + len(type.params))
        self.stack.settle_impure()
        self.lines.add(f"r = t{table}[{index.number}]")
        self.lines.add(f"if r.type is not Y{type_index}: wrong_signature(r.type, Y{type_index})")
        self._call("r.code", operands, type)

    def _call(self, function: str, operands: Sequence[Operand], type: FunctionType) -> None:
        self.uses_calls = True
        self.stack.settle_impure()
        text = f"{function}({', '.join(operand.stored for operand in operands)})"
        results = len(type.results)
        if results == 1:
            self.stack.push_result(text)
        elif results:
            start = len(self.stack)
            self.stack.settle_all()
            names = ", ".join(f"s{start + i}" for i in range(results))
            self.lines.add(f"{names} = {text}")
            self.stack.push_variables(results)
        else:
            self.lines.add(text)
        self.memory_is_stale = self.uses_memory

    # Control

    def open(self, opener: str) -> None:
        """``block``, ``loop``, ``if``."""
        self._refresh_memory()
        block = self.body.blocks[self.lines.position]
        condition = self.stack.take_fresh(self.stack.pop(), as_condition=True) if opener == "if" else ""
        height = len(self.stack) - len(block.params)
        # Where control comes back to the start, or passes by an if without else, parameters must sit in variables.
        joins = opener == "loop" or (opener == "if" and block.alternative is None)
        self.stack.settle_all(constants_from=height if joins else None)
        arity = len(block.params if opener == "loop" else block.results)
        frame = Frame(block, opener, height, arity, len(block.results))
        frame.entry = self.stack.operands[height:]
        self.frames.append(frame)
        self.control.open(frame, condition)

    def otherwise(self) -> None:
        """``else``."""
        frame = self.frames[-1]
        self._end_arm(frame)
        self.control.otherwise(frame, falls_through=self.is_live)
        self.stack.cut(frame.height)
        self.stack.operands.extend(frame.entry)
        self.is_live = True

    def _end_arm(self, frame: Frame) -> None:
        """The end of an arm of an if: at the function's end the results need not meet anywhere, they are returned."""
        at_end = frame.block is not None and frame.block.end == len(self.body.tokens) - 2
        if self.is_live and at_end and not frame.height:
            self._return_results()
            self.is_live = False
        self._settle_results(frame)

    def _settle_results(self, frame: Frame) -> None:
        if self.is_live:
            self._refresh_memory()
            self.stack.settle_all(constants_from=frame.height)

    def end(self) -> None:
        """``end``."""
        frame = self.frames.pop()
        if frame.block is None:
            if self.is_live:
                self._return_results()
            return
        if self.control.merges(frame):
            if frame.is_if:
                self._end_arm(frame)
            self._settle_results(frame)
            self.control.close(frame, falls_through=self.is_live)
            self._after(frame)
        elif not self.is_live:
            self._after(frame)
        self.is_live = True

    def _after(self, frame: Frame) -> None:
        self.stack.cut(frame.height)
        self.stack.push_variables(frame.result_count)

    def branch(self, depth: int) -> None:
        """``br``. What is left behind on the stack has been evaluated: it may trap."""
        self._refresh_memory()
        self.stack.settle_impure()
        self.control.branch(self.frames[~depth])
        self.is_live = False

    def branch_if(self, depth: int) -> None:
        """``br_if``."""
        self._refresh_memory()
        frame = self.frames[~depth]
        operand = self.stack.pop()
        condition = self.stack.take_fresh(operand, as_condition=True)
        self.stack.settle_impure()
        self.control.branch_if(frame, condition)

    def branch_table(self, labels: Sequence[int]) -> None:
        """``br_table``."""
        self._refresh_memory()
        index = self.stack.pop()
        self.stack.settle_impure()
        self.control.branch_table(index.number, [self.frames[~label] for label in labels])
        self.is_live = False

    def return_(self) -> None:
        """``return``."""
        self._return_results()
        self.is_live = False

    def _return_results(self) -> None:
        count = len(self.body.type.results)
        position = None
        if count == 1:
            operand = self.stack.pop()
            position = operand.position
            text = self.stack.take_fresh(operand)
        else:
            text = result_text(self.stack.pop_many(count))
        self.stack.settle_impure()
        self.lines.add(f"return {text}", position)

    def unreachable(self) -> None:
        self.stack.settle_impure()
        self.lines.add("unreachable()")
        self.is_live = False
