"""One function: its instructions, one after the other, into lines of Python.

Before: ``local.get 0; i32.const 2; i32.lt_s; if (result i32) local.get 0 else … end``
After::

    def f5(l0):
     m = M0.buffer
     if (l0 ^ 0x80000000) < (2 ^ 0x80000000):
      s0 = l0
     else:
      …
     return s0

Names in the source: ``l`` locals, ``s`` stack positions, ``f`` functions, ``g`` globals, ``t`` lists of table elements,
``M`` memories, ``T`` tables, ``m`` the view of memory 0, ``F`` the list of functions, ``D`` and ``E`` those of segments,
``Y`` function types, ``stop`` and ``poll`` for interrupts.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple, final

from wazero_api import (
    BY_NAME,
    OPCODES,
    FunctionType,
    Immediate,
    ValidatedBody,
    ValueType,
    WazeroBug,
    decode_f32,
    decode_f64,
)
from wazero_core.binary.instructions import MemArg, decode_instruction
from wazero_core.portable.numeric import LOADS, NUMERIC, STORES, Form, Numeric, with_constant

from .control import Control, Frame, result_text
from .dispatch import DispatchControl
from .lines import Lines
from .operands import Operand, OperandStack
from .structured import StructuredControl, plan

_MAX_WHILES: Final = 17
"""Nested ``while``s; CPython allows 20 blocks."""
_MAX_DEPTH: Final = 60
"""Levels of indentation outside of decision trees; CPython allows 100."""

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

_BR_TABLE: Final = BY_NAME["br_table"].code
_LONG_TABLE_BYTES: Final = 6
"""From four targets on, one jump by a tuple of block numbers is faster than leaving ``while``s one by one."""

_OPENERS: Final = {BY_NAME[name].code: name for name in ("block", "loop", "if")}


class TranslatedFunction(NamedTuple):
    """Source that defines one function, and where its lines come from."""

    source: str
    line_offsets: array[int]
    """Per line of `source`, the byte offset in the binary of the instruction it belongs to."""


class Signatures(NamedTuple):
    """What calls need to know of the module."""

    functions: Sequence[FunctionType]
    types: Sequence[FunctionType]
    has_memory: bool


def translate(name: str, body: ValidatedBody, signatures: Signatures) -> TranslatedFunction:
    """The source of a function called `name`."""
    return _Translator(body, signatures).translate(name)


@final
class _Translator:
    def __init__(self, body: ValidatedBody, signatures: Signatures) -> None:
        self.body = body
        self.signatures = signatures
        self.lines = Lines()
        self.stack = OperandStack(len(body.locals), self.lines)
        self.control = self._choose_control()
        self.frames = self.control.frames
        self.is_live = True
        self.uses_memory = signatures.has_memory and not _MEMORY_CODES.isdisjoint(t[0] for t in body.tokens)
        self.memory_is_stale = False
        """Something was called since ``m`` was set, and memory 0 may have grown."""
        self.uses_calls = False
        self.used_locals: set[int] = set()

    def _choose_control(self) -> Control:
        tokens, blocks = self.body.tokens, self.body.blocks
        openers = {start: _OPENERS[tokens[start][0]] for start in blocks}
        is_loop = {start: opener == "loop" for start, opener in openers.items()}
        is_if = {start: opener == "if" for start, opener in openers.items()}
        structure = plan(blocks, is_loop, is_if)
        has_long_table = any(token[0] == _BR_TABLE and len(token) > _LONG_TABLE_BYTES for token in tokens)
        if (
            not has_long_table
            and structure.while_depth <= _MAX_WHILES
            and max(structure.depth, structure.nesting // 4) <= _MAX_DEPTH
        ):
            return StructuredControl(self.lines, self.stack, structure)
        return DispatchControl(self.lines, self.stack, blocks, is_loop, is_if)

    def translate(self, name: str) -> TranslatedFunction:
        results = len(self.body.type.results)
        self.frames.append(Frame(None, "function", 0, results, results))
        tokens = self.body.tokens
        live_from = 0
        for start, stop in (*self.body.dead, (len(tokens), len(tokens))):
            for position in range(live_from, start):
                self._instruction(position, tokens[position])
            live_from = stop
        return self._assemble(name)

    def _instruction(self, position: int, token: bytes) -> None:
        self.lines.position = position
        write, immediates = _known_tokens.get(token) or _look_up(token)
        write(self, *immediates)

    def _assemble(self, name: str) -> TranslatedFunction:
        prologue: list[str] = []
        self.control.finish(prologue)
        params = len(self.body.type.params)
        prologue += self._initial_locals(params)
        if self.uses_memory:
            prologue.append("m = M0.buffer")
        if self.uses_calls:
            prologue.append("if stop: poll()")
        texts, positions = self.lines.take()
        header = f"def {name}({', '.join(f'l{i}' for i in range(params))}):"
        source = "\n".join([header, *(f" {line}" for line in prologue), *texts, ""])
        starts = list(accumulate(map(len, self.body.tokens), initial=self.body.offset))
        first = [self.body.offset] * (1 + len(prologue))
        return TranslatedFunction(source, array("I", [*first, *(starts[position] for position in positions)]))

    def _initial_locals(self, params: int) -> list[str]:
        by_value: dict[str, list[str]] = {}
        for index in sorted(self.used_locals):
            if index >= params:
                by_value.setdefault(_zero(self.body.locals[index]), []).append(f"l{index}")
        return [" = ".join([*names, value]) for value, names in by_value.items()]

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
            self.lines.add(f"l{index} = {text}")

    def global_get(self, index: int) -> None:
        self.stack.push(Operand(f"g{index}.value", impure=True))

    def global_set(self, index: int) -> None:
        operand = self.stack.pop()
        self.stack.settle_impure()
        self.lines.add(f"g{index}.value = {operand.stored}")

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
        self.lines.add(f"{name}({', '.join([*first, *(operand.number for operand in operands)])})")

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
        self.lines.add(f"table_fill(t{table}, {index.number}, {value.number}, {count.number})")

    # Parametric

    def drop(self) -> None:
        operand = self.stack.pop()
        if operand.impure:
            self.stack.settle_impure()
            self.lines.add(operand.text)

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
        """``br``."""
        self._refresh_memory()
        self.control.branch(self.frames[~depth])
        self.is_live = False

    def branch_if(self, depth: int) -> None:
        """``br_if``."""
        self._refresh_memory()
        frame = self.frames[~depth]
        operand = self.stack.pop()
        condition = self.stack.take_fresh(operand, as_condition=True)
        if frame.arity:
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
        if count == 1:
            text = self.stack.take_fresh(self.stack.pop())
        else:
            text = result_text(self.stack.pop_many(count))
        self.stack.settle_impure()
        self.lines.add(f"return {text}")

    def unreachable(self) -> None:
        self.stack.settle_impure()
        self.lines.add("unreachable()")
        self.is_live = False


def _zero(type: ValueType) -> str:
    if type.is_ref:
        return "None"
    return "0.0" if type in (ValueType.F32, ValueType.F64) else "0"


def _float_text(value: float, bits: int, width: int) -> str:
    if value - value != 0:  # not finite: no literal has these bits
        return f"decode_f{width}({bits:#x})"
    return f"({value!r})"


def _f32_text(raw: bytes) -> str:
    bits = int.from_bytes(raw, "little")
    return _float_text(decode_f32(bits), bits, 32)


def _f64_text(raw: bytes) -> str:
    bits = int.from_bytes(raw, "little")
    return _float_text(decode_f64(bits), bits, 64)


_Writer = Callable[..., None]


def _numeric_writer(name: str, row: Numeric) -> _Writer:
    arity = len(BY_NAME[name].params or ())
    if arity == 2:
        return lambda translator: translator.binary(name, row)
    return lambda translator: translator.numeric(row, arity)


def _effect_writer(name: str, operand_count: int, *first: str) -> _Writer:
    """For a helper whose first arguments are made from the immediates: ``{0}`` and ``{1}`` stand for these."""

    def write(translator: _Translator, *immediates: int) -> None:
        translator.effect(name, operand_count, *[template.format(*immediates) for template in first])

    return write


def _memory_effect_writer(name: str, operand_count: int, memories: tuple[int, ...], *last: str) -> _Writer:
    """Like `_effect_writer`; `memories` says which immediates are memories, whose views come first."""

    def write(translator: _Translator, *immediates: int) -> None:
        views = [translator.view(immediates[position]) for position in memories]
        translator.effect(name, operand_count, *views, *[template.format(*immediates) for template in last])

    return write


_MAX_KNOWN_TOKENS: Final = 100_000
_known_tokens: dict[bytes, tuple[_Writer, tuple[Any, ...]]] = {}
"""What tokens mean, of whatever module: most occur many times."""


def _look_up(token: bytes) -> tuple[_Writer, tuple[Any, ...]]:
    opcode, immediates = decode_instruction(token)
    writer = _WRITERS.get(opcode.name)
    if writer is None:
        raise WazeroBug(f"{opcode.name} passed validation but cannot be translated")
    if len(_known_tokens) >= _MAX_KNOWN_TOKENS:
        _known_tokens.clear()
    _known_tokens[token] = writer, immediates
    return writer, immediates


_WRITERS: Final[dict[str, _Writer]] = {
    **{name: _numeric_writer(name, row) for name, row in NUMERIC.items()},
    **{name: (lambda t, memarg, template=template: t.load(template, memarg)) for name, template in LOADS.items()},
    **{name: (lambda t, memarg, template=template: t.store(template, memarg)) for name, template in STORES.items()},
    "nop": lambda t: None,
    "unreachable": _Translator.unreachable,
    "block": lambda t, _: t.open("block"),
    "loop": lambda t, _: t.open("loop"),
    "if": lambda t, _: t.open("if"),
    "else": _Translator.otherwise,
    "end": _Translator.end,
    "br": _Translator.branch,
    "br_if": _Translator.branch_if,
    "br_table": _Translator.branch_table,
    "return": _Translator.return_,
    "call": _Translator.call,
    "call_indirect": _Translator.call_indirect,
    "drop": _Translator.drop,
    "select": _Translator.select,
    "select t*": _Translator.select,
    "local.get": _Translator.local_get,
    "local.set": _Translator.local_set,
    "local.tee": _Translator.local_tee,
    "global.get": _Translator.global_get,
    "global.set": _Translator.global_set,
    "i32.const": lambda t, value: t.constant(str(value & 0xFFFFFFFF)),
    "i64.const": lambda t, value: t.constant(str(value & 0xFFFFFFFFFFFFFFFF)),
    "f32.const": lambda t, raw: t.constant(_f32_text(raw)),
    "f64.const": lambda t, raw: t.constant(_f64_text(raw)),
    "ref.null": lambda t, _: t.constant("None"),
    "ref.is_null": lambda t: t.numeric(Numeric("{0} is None", Form.BOOLEAN), 1),
    "ref.func": lambda t, index: t.constant(f"F[{index}]"),
    "memory.size": _Translator.memory_size,
    "memory.grow": _Translator.memory_grow,
    "memory.fill": _memory_effect_writer("memory_fill", 3, (0,)),
    "memory.copy": _memory_effect_writer("memory_copy", 3, (0, 1)),
    "memory.init": _memory_effect_writer("memory_init", 3, (1,), "D", "{0}"),
    "data.drop": _effect_writer("data_drop", 0, "D", "{0}"),
    "table.get": _Translator.table_get,
    "table.set": _effect_writer("table_set", 2, "t{0}"),
    "table.size": _Translator.table_size,
    "table.grow": _Translator.table_grow,
    "table.fill": _Translator.table_fill,
    "table.copy": _effect_writer("table_copy", 3, "t{0}", "t{1}"),
    "table.init": _effect_writer("table_init", 3, "t{1}", "E", "{0}"),
    "elem.drop": _effect_writer("elem_drop", 0, "E", "{0}"),
}
"""By instruction name. A test checks that every supported instruction is here."""
