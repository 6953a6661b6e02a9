"""Which method of `Translator` each instruction is, and the text of constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_api import BY_NAME, WazeroBug, decode_f32, decode_f64
from wazero_core.binary.instructions import decode_instruction
from wazero_core.portable.numeric import LOADS, NUMERIC, STORES, Form, Numeric

from .translator import Translator


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

    def write(translator: Translator, *immediates: int) -> None:
        translator.effect(name, operand_count, *[template.format(*immediates) for template in first])

    return write


def _memory_effect_writer(name: str, operand_count: int, memories: tuple[int, ...], *last: str) -> _Writer:
    """Like `_effect_writer`; `memories` says which immediates are memories, whose views come first."""

    def write(translator: Translator, *immediates: int) -> None:
        views = [translator.view(immediates[position]) for position in memories]
        translator.effect(name, operand_count, *views, *[template.format(*immediates) for template in last])

    return write


WRITERS: Final[dict[str, _Writer]] = {
    **{name: _numeric_writer(name, row) for name, row in NUMERIC.items()},
    **{name: (lambda t, memarg, template=template: t.load(template, memarg)) for name, template in LOADS.items()},
    **{name: (lambda t, memarg, template=template: t.store(template, memarg)) for name, template in STORES.items()},
    "nop": lambda t: None,
    "unreachable": Translator.unreachable,
    "block": lambda t, _: t.open("block"),
    "loop": lambda t, _: t.open("loop"),
    "if": lambda t, _: t.open("if"),
    "else": Translator.otherwise,
    "end": Translator.end,
    "br": Translator.branch,
    "br_if": Translator.branch_if,
    "br_table": Translator.branch_table,
    "return": Translator.return_,
    "call": Translator.call,
    "call_indirect": Translator.call_indirect,
    "drop": Translator.drop,
    "select": Translator.select,
    "select t*": Translator.select,
    "local.get": Translator.local_get,
    "local.set": Translator.local_set,
    "local.tee": Translator.local_tee,
    "global.get": Translator.global_get,
    "global.set": Translator.global_set,
    "i32.const": lambda t, value: t.constant(str(value & 0xFFFFFFFF)),
    "i64.const": lambda t, value: t.constant(str(value & 0xFFFFFFFFFFFFFFFF)),
    "f32.const": lambda t, raw: t.constant(_f32_text(raw)),
    "f64.const": lambda t, raw: t.constant(_f64_text(raw)),
    "ref.null": lambda t, _: t.constant("None"),
    "ref.is_null": lambda t: t.numeric(Numeric("{0} is None", Form.BOOLEAN), 1),
    "ref.func": lambda t, index: t.constant(f"F[{index}]"),
    "memory.size": Translator.memory_size,
    "memory.grow": Translator.memory_grow,
    "memory.fill": _memory_effect_writer("memory_fill", 3, (0,)),
    "memory.copy": _memory_effect_writer("memory_copy", 3, (0, 1)),
    "memory.init": _memory_effect_writer("memory_init", 3, (1,), "D", "{0}"),
    "data.drop": _effect_writer("data_drop", 0, "D", "{0}"),
    "table.get": Translator.table_get,
    "table.set": _effect_writer("table_set", 2, "t{0}"),
    "table.size": Translator.table_size,
    "table.grow": Translator.table_grow,
    "table.fill": Translator.table_fill,
    "table.copy": _effect_writer("table_copy", 3, "t{0}", "t{1}"),
    "table.init": _effect_writer("table_init", 3, "t{1}", "E", "{0}"),
    "elem.drop": _effect_writer("elem_drop", 0, "E", "{0}"),
}
"""By instruction name. A test checks that every supported instruction is here."""

_MAX_KNOWN_TOKENS: Final = 100_000
_known_tokens: dict[bytes, tuple[_Writer, tuple[Any, ...]]] = {}
"""What tokens mean, of whatever module: most occur many times."""


def look_up(token: bytes) -> tuple[_Writer, tuple[Any, ...]]:
    """What to call for a token, with the translator and these immediates."""
    known = _known_tokens.get(token)
    if known is not None:
        return known
    opcode, immediates = decode_instruction(token)
    writer = WRITERS.get(opcode.name)
    if writer is None:
        raise WazeroBug(f"{opcode.name} passed validation but cannot be translated")
    if len(_known_tokens) >= _MAX_KNOWN_TOKENS:
        _known_tokens.clear()
    _known_tokens[token] = writer, immediates
    return writer, immediates
