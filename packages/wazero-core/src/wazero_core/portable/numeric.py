"""Numeric instructions as Python expressions: a template each, made once for both widths where the widths agree.

``{0}`` and ``{1}`` are the operands. How operands must look, and what comes out, is the `Form`. ``M`` and ``H`` below
stand for the width's mask and highest bit: ``(x ^ H) - H`` turns an unsigned int into the signed one of the same bits,
and ``x ^ H`` alone keeps the order of signed numbers.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, final

from wazero_api.record import record


class Form(Enum):
    """What the text of an operand evaluates to."""

    EXACT = 0
    """The value as generated code stores it."""
    WRAPPING = 1
    """An int of the same low bits, which may be negative or too large: right for what only looks at low bits."""
    BOOLEAN = 2
    """A bool that stands for 0 or 1."""


@final
@record
class Numeric:
    """An instruction that computes one result from one or two operands and nothing else."""

    template: str
    form: Form = Form.EXACT
    takes_wrapping: bool = False
    """Operands may be WRAPPING."""
    can_trap: bool = False
    width: int = 32
    """Bits of the result, for masking."""


def _integer(width: int) -> dict[str, Numeric]:
    mask, high = hex((1 << width) - 1), hex(1 << width - 1)
    bits = width - 1
    prefix = f"i{width}"

    def wrapping(template: str) -> Numeric:
        return Numeric(template, Form.WRAPPING, takes_wrapping=True, width=width)

    def boolean(template: str) -> Numeric:
        return Numeric(template, Form.BOOLEAN)

    def helper(name: str, arguments: str, *, can_trap: bool = False) -> Numeric:
        return Numeric(f"{prefix}_{name}({arguments})", can_trap=can_trap)

    signed = f"(({{0}} ^ {high}) - {high})"
    rows = {
        "clz": Numeric(f"{width} - ({{0}}).bit_length()"),
        "ctz": helper("ctz", "{0}"),
        "popcnt": Numeric("({0}).bit_count()"),
        "add": wrapping("{0} + {1}"),
        "sub": wrapping("{0} - {1}"),
        "mul": wrapping("{0} * {1}"),
        "div_s": helper("div_s", "{0}, {1}", can_trap=True),
        "div_u": Numeric("{0} // {1}", can_trap=True),
        "rem_s": helper("rem_s", "{0}, {1}", can_trap=True),
        "rem_u": Numeric("{0} % {1}", can_trap=True),
        "and": Numeric("{0} & {1}"),
        "or": Numeric("{0} | {1}"),
        "xor": Numeric("{0} ^ {1}"),
        "shl": Numeric(f"{{0}} << ({{1}} & {bits}) & {mask}"),
        "shr_s": Numeric(f"{signed} >> ({{1}} & {bits}) & {mask}"),
        "shr_u": Numeric(f"{{0}} >> ({{1}} & {bits})"),
        "rotl": helper("rotl", "{0}, {1}"),
        "rotr": helper("rotr", "{0}, {1}"),
        "eqz": boolean("not {0}"),
        "eq": boolean("{0} == {1}"),
        "ne": boolean("{0} != {1}"),
        "lt_u": boolean("{0} < {1}"),
        "gt_u": boolean("{0} > {1}"),
        "le_u": boolean("{0} <= {1}"),
        "ge_u": boolean("{0} >= {1}"),
        "lt_s": boolean(f"({{0}} ^ {high}) < ({{1}} ^ {high})"),
        "gt_s": boolean(f"({{0}} ^ {high}) > ({{1}} ^ {high})"),
        "le_s": boolean(f"({{0}} ^ {high}) <= ({{1}} ^ {high})"),
        "ge_s": boolean(f"({{0}} ^ {high}) >= ({{1}} ^ {high})"),
        "extend8_s": Numeric(f"(({{0}} & 0xff) ^ 0x80) - 0x80 & {mask}"),
        "extend16_s": Numeric(f"(({{0}} & 0xffff) ^ 0x8000) - 0x8000 & {mask}"),
    }
    for source in ("f32", "f64"):
        for sign in "su":
            rows[f"trunc_{source}_{sign}"] = helper(f"trunc_{sign}", "{0}", can_trap=True)
            rows[f"trunc_sat_{source}_{sign}"] = helper(f"trunc_sat_{sign}", "{0}")
    return {f"{prefix}.{name}": row for name, row in rows.items()}


def _float(width: int) -> dict[str, Numeric]:
    def rounded(expression: str) -> Numeric:
        return Numeric(expression if width == 64 else f"round_f32({expression})")

    def boolean(template: str) -> Numeric:
        return Numeric(template, Form.BOOLEAN)

    rows = {
        "abs": Numeric("fabs({0})"),
        "neg": Numeric("-{0}"),
        "ceil": Numeric("ceiling({0})"),
        "floor": Numeric("floor({0})"),
        "trunc": Numeric("truncate({0})"),
        "nearest": Numeric("nearest({0})"),
        "sqrt": rounded("square_root({0})"),
        "add": rounded("{0} + {1}"),
        "sub": rounded("{0} - {1}"),
        "mul": rounded("{0} * {1}"),
        "div": rounded("divide({0}, {1})"),
        "min": Numeric("minimum({0}, {1})"),
        "max": Numeric("maximum({0}, {1})"),
        "copysign": Numeric("copysign({0}, {1})"),
        "eq": boolean("{0} == {1}"),
        "ne": boolean("{0} != {1}"),
        "lt": boolean("{0} < {1}"),
        "gt": boolean("{0} > {1}"),
        "le": boolean("{0} <= {1}"),
        "ge": boolean("{0} >= {1}"),
    }
    return {f"f{width}.{name}": row for name, row in rows.items()}


_CONVERSIONS: Final = {
    "i32.wrap_i64": Numeric("{0} & 0xffffffff", takes_wrapping=True),
    "i64.extend_i32_u": Numeric("{0}"),
    "i64.extend_i32_s": Numeric("({0} ^ 0x80000000) - 0x80000000 & 0xffffffffffffffff"),
    "i64.extend32_s": Numeric("(({0} & 0xffffffff) ^ 0x80000000) - 0x80000000 & 0xffffffffffffffff"),
    "f32.convert_i32_s": Numeric("i32_to_f32_s({0})"),
    "f32.convert_i32_u": Numeric("int_to_f32({0})"),
    "f32.convert_i64_s": Numeric("i64_to_f32_s({0})"),
    "f32.convert_i64_u": Numeric("int_to_f32({0})"),
    "f64.convert_i32_s": Numeric("(({0} ^ 0x80000000) - 0x80000000) * 1.0"),
    "f64.convert_i32_u": Numeric("{0} * 1.0"),
    "f64.convert_i64_s": Numeric("(({0} ^ 0x8000000000000000) - 0x8000000000000000) * 1.0"),
    "f64.convert_i64_u": Numeric("{0} * 1.0"),
    "f32.demote_f64": Numeric("round_f32({0})"),
    "f64.promote_f32": Numeric("quiet({0})"),
    "i32.reinterpret_f32": Numeric("encode_f32({0})"),
    "i64.reinterpret_f64": Numeric("encode_f64({0})"),
    "f32.reinterpret_i32": Numeric("decode_f32({0})"),
    "f64.reinterpret_i64": Numeric("decode_f64({0})"),
}

_MAX_WRAPPING_SHIFT: Final = 16
"""Bits that an operand may be shifted by without a mask: ints stay small."""


def with_constant(name: str, left: int | None, right: int | None) -> Numeric | None:
    """A cheaper way to compute instruction `name` when one operand is this (unsigned) constant, if there is one.

    Its template's ``{0}`` is the other operand.
    """
    type, _, operation = name.partition(".")
    if type not in ("i32", "i64"):
        return None
    width = int(type[1:])
    if operation == "and":
        return Numeric(f"{{0}} & {left if right is None else right}", takes_wrapping=True, width=width)
    if operation == "shl" and right is not None and right <= _MAX_WRAPPING_SHIFT:
        return Numeric(f"{{0}} << {right}", Form.WRAPPING, takes_wrapping=True, width=width)
    if operation in _MIRRORED:
        if right is None:
            operation, right = _MIRRORED[operation], left
        assert right is not None
        return Numeric(_signed_comparison(operation, right, width), Form.BOOLEAN)
    return None


_MIRRORED: Final = {"lt_s": "gt_s", "gt_s": "lt_s", "le_s": "ge_s", "ge_s": "le_s"}
"""Signed comparisons, and what they are with the operands exchanged."""


def _signed_comparison(operation: str, constant: int, width: int) -> str:
    """As a range of unsigned numbers, in which the negative ones come last."""
    high = 1 << width - 1
    strict = "<" if operation in ("gt_s", "lt_s") else "<="
    if constant < high:  # from the constant to the greatest positive number: greater; all others: less
        inside = f"{constant} {strict if operation[0] == 'g' else '<=' if strict == '<' else '<'} {{0}} < {high}"
        return inside if operation[0] == "g" else f"not {inside}"
    inside = f"{high} <= {{0}} {strict if operation[0] == 'l' else '<=' if strict == '<' else '<'} {constant}"
    return inside if operation[0] == "l" else f"not {inside}"


NUMERIC: Final = _integer(32) | _integer(64) | _float(32) | _float(64) | _CONVERSIONS
"""By instruction name. A test checks that every name is in the opcode table and that none is missing."""

LOADS: Final = {
    "i32.load": "load_u32({m}, {a})[0]",
    "i64.load": "load_u64({m}, {a})[0]",
    "f32.load": "load_f32({m}, {a})",
    "f64.load": "load_f64({m}, {a})[0]",
    "i32.load8_u": "{m}[{a}]",
    "i64.load8_u": "{m}[{a}]",
    "i32.load8_s": "({m}[{a}] ^ 0x80) - 0x80 & 0xffffffff",
    "i64.load8_s": "({m}[{a}] ^ 0x80) - 0x80 & 0xffffffffffffffff",
    "i32.load16_u": "load_u16({m}, {a})[0]",
    "i64.load16_u": "load_u16({m}, {a})[0]",
    "i32.load16_s": "load_s16({m}, {a})[0] & 0xffffffff",
    "i64.load16_s": "load_s16({m}, {a})[0] & 0xffffffffffffffff",
    "i64.load32_u": "load_u32({m}, {a})[0]",
    "i64.load32_s": "load_s32({m}, {a})[0] & 0xffffffffffffffff",
}
"""Loads as expressions over the memory's view and the address."""

STORES: Final = {
    "i32.store": "store_u32({m}, {a}, {v})",
    "i64.store": "store_u64({m}, {a}, {v})",
    "f32.store": "store_f32({m}, {a}, {v})",
    "f64.store": "store_f64({m}, {a}, {v})",
    "i32.store8": "{m}[{a}] = {v} & 0xff",
    "i64.store8": "{m}[{a}] = {v} & 0xff",
    "i32.store16": "store_u16({m}, {a}, {v} & 0xffff)",
    "i64.store16": "store_u16({m}, {a}, {v} & 0xffff)",
    "i64.store32": "store_u32({m}, {a}, {v} & 0xffffffff)",
}
"""Stores as statements."""
