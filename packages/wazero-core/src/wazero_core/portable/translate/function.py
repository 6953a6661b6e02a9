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
from itertools import accumulate
from typing import Final, NamedTuple

from wazero_api import BY_NAME, ValidatedBody, ValueType

from .control import Control
from .dispatch import DispatchControl
from .lines import Lines
from .operands import OperandStack
from .structured import StructuredControl, plan
from .translator import Signatures, Translator
from .writers import look_up

_MAX_WHILES: Final = 17
"""Nested ``while``s; CPython allows 20 blocks."""
_MAX_DEPTH: Final = 60
"""Levels of indentation outside of decision trees; CPython allows 100."""

_BR_TABLE: Final = BY_NAME["br_table"].code
_LONG_TABLE_BYTES: Final = 6
"""From four targets on, one jump by a tuple of block numbers is faster than leaving ``while``s one by one."""

_OPENERS: Final = {BY_NAME[name].code: name for name in ("block", "loop", "if")}


class TranslatedFunction(NamedTuple):
    """Source that defines one function, and where its lines come from."""

    source: str
    line_offsets: array[int]
    """Per line of `source`, the byte offset in the binary of the instruction it belongs to."""


def translate(name: str, body: ValidatedBody, signatures: Signatures) -> TranslatedFunction:
    """The source of a function called `name`."""
    lines = Lines()
    stack = OperandStack(len(body.locals), lines)
    translator = Translator(body, signatures, lines, stack, _choose_control(body, lines, stack))
    tokens = body.tokens
    live_from = 0
    for start, stop in (*body.dead, (len(tokens), len(tokens))):
        for position in range(live_from, start):
            lines.position = position
            write, immediates = look_up(tokens[position])
            write(translator, *immediates)
        live_from = stop
    return _assemble(name, translator)


def _choose_control(body: ValidatedBody, lines: Lines, stack: OperandStack) -> Control:
    tokens, blocks = body.tokens, body.blocks
    openers = {start: _OPENERS[tokens[start][0]] for start in blocks}
    is_loop = {start: opener == "loop" for start, opener in openers.items()}
    is_if = {start: opener == "if" for start, opener in openers.items()}
    structure = plan(blocks, is_loop, is_if)
    has_long_table = any(token[0] == _BR_TABLE and len(token) > _LONG_TABLE_BYTES for token in tokens)
    depth = max(structure.depth, structure.nesting // 4)
    if has_long_table or structure.while_depth > _MAX_WHILES or depth > _MAX_DEPTH:
        return DispatchControl(lines, stack, blocks, is_loop, is_if)
    return StructuredControl(lines, stack, structure)


def _assemble(name: str, translator: Translator) -> TranslatedFunction:
    body = translator.body
    prologue: list[str] = []
    translator.control.finish(prologue)
    prologue += _initial_locals(body, translator.used_locals)
    if translator.uses_memory:
        prologue.append("m = M0.buffer")
    if translator.uses_calls:
        prologue.append("if stop: poll()")
    texts, positions = translator.lines.take()
    header = f"def {name}({', '.join(f'l{i}' for i in range(len(body.type.params)))}):"
    source = "\n".join([header, *(f" {line}" for line in prologue), *texts, ""])
    starts = list(accumulate(map(len, body.tokens), initial=body.offset))
    first = [body.offset] * (1 + len(prologue))
    return TranslatedFunction(source, array("I", [*first, *(starts[position] for position in positions)]))


def _initial_locals(body: ValidatedBody, used: set[int]) -> list[str]:
    by_value: dict[str, list[str]] = {}
    for index in sorted(used):
        if index >= len(body.type.params):
            by_value.setdefault(_zero(body.locals[index]), []).append(f"l{index}")
    return [" = ".join([*names, value]) for value, names in by_value.items()]


def _zero(type: ValueType) -> str:
    if type.is_ref:
        return "None"
    return "0.0" if type in (ValueType.F32, ValueType.F64) else "0"
