"""Integer arithmetic but for division: one lowering function per shape, and a table from operation to shape.

A lowering function takes the width in bits and the places of operands and destination, and gives bytes. Operands that
are not the destination are kept; x15, x16 and x17 may change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, final

from wazero_jit.registers.constants import Const

from .encoding import (
    ADD,
    ADD_IMM,
    AND,
    AND_IMM,
    ASRV,
    EOR,
    EOR_IMM,
    LSLV,
    LSRV,
    MADD,
    ORR,
    ORR_IMM,
    SBFM,
    SUB,
    SUB_IMM,
    UBFM,
    X16,
    X17,
    ZR,
    Row,
    add_immediate,
    logical_immediate,
)
from .places import Place, Target, finish, in_register, work_register


def _binary(row: Row, width: int, a: Place, b: Place, dst: Target, *more: int) -> bytes:
    """An instruction from two registers to a third; `more` are its further operands."""
    prepare_a, left = in_register(a, X16)
    prepare_b, right = in_register(b, X17)
    register = work_register(dst)
    return prepare_a + prepare_b + row(width, register, left, right, *more) + finish(register, dst)


def _unary(row: Row, width: int, a: Place, dst: Target, *immediates: int) -> bytes:
    """An instruction from a register and immediates to another register."""
    prepare, operand = in_register(a, X16)
    register = work_register(dst)
    return prepare + row(width, register, operand, *immediates) + finish(register, dst)


def add(width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``add``."""
    if isinstance(a, Const):
        a, b = b, a
    if isinstance(b, Const):
        value = b.signed(width)
        immediate = add_immediate(abs(value))
        if immediate is not None:
            return _unary(ADD_IMM if value >= 0 else SUB_IMM, width, a, dst, *immediate)
    return _binary(ADD, width, a, b, dst)


def subtract(width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``sub``; of a constant: the addition of its negative."""
    if isinstance(b, Const):
        return add(width, a, Const(-b.bits & (1 << width) - 1), dst)
    return _binary(SUB, width, a, b, dst)


def multiply(width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``mul``."""
    return _binary(MADD, width, a, b, dst, ZR)


def logic(row: Row, immediate_row: Row, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``and``, ``or``, ``xor``."""
    if isinstance(a, Const):
        a, b = b, a
    field = logical_immediate(b.bits, width) if isinstance(b, Const) else None
    if field is not None:
        return _unary(immediate_row, width, a, dst, field)
    return _binary(row, width, a, b, dst)


@final
class Shift(NamedTuple):
    """By a register, and by a constant."""

    by_register: Row
    by_constant: Row


def shift(rows: Shift, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``shl``, ``shr_s``, ``shr_u``: the hardware, too, takes the count modulo the width."""
    if not isinstance(b, Const):
        return _binary(rows.by_register, width, a, b, dst)
    count = b.bits % width
    if rows.by_register is LSLV:
        return _unary(rows.by_constant, width, a, dst, -count % width, width - 1 - count)
    return _unary(rows.by_constant, width, a, dst, count, width - 1)


def add_shifted(width: int, count: int) -> Callable[..., bytes]:
    """``base + (index << count)``."""

    def lower(base: Place, index: Place, dst: Target) -> bytes:
        first, base_register = in_register(base, X16)
        second, index_register = in_register(index, X17)
        register = work_register(dst)
        shifted = UBFM(width, X17, index_register, -count % width, width - 1 - count)
        return first + second + shifted + ADD(width, register, base_register, X17) + finish(register, dst)

    return lower


def extend(bits: int, width: int, a: Place, dst: Target) -> bytes:
    """The lowest `bits` of a number as a signed number."""
    return _unary(SBFM, width, a, dst, 0, bits - 1)


def cut(a: Place, dst: Target) -> bytes:
    """``i32.wrap_i64``, ``i64.extend_i32_u``: clear the upper half."""
    prepare, operand = in_register(a, X16)
    register = work_register(dst)
    return prepare + ORR(32, register, ZR, operand) + finish(register, dst)


_LOGIC: Final = {"and": (AND, AND_IMM), "or": (ORR, ORR_IMM), "xor": (EOR, EOR_IMM)}
_SHIFTS: Final = {"shl": Shift(LSLV, UBFM), "shr_s": Shift(ASRV, SBFM), "shr_u": Shift(LSRV, UBFM)}


def _lowerings() -> dict[str, Callable[..., bytes]]:
    table: dict[str, Callable[..., bytes]] = {
        "i32.wrap_i64": cut,
        "i64.extend_i32_u": cut,
        "i64.extend_i32_s": partial(extend, 32, 64),
        "i64.extend32_s": partial(extend, 32, 64),
    }
    for width in (32, 64):
        table[f"i{width}.add"] = partial(add, width)
        table[f"i{width}.sub"] = partial(subtract, width)
        table[f"i{width}.mul"] = partial(multiply, width)
        table |= {f"i{width}.{name}": partial(logic, *rows, width) for name, rows in _LOGIC.items()}
        table |= {f"i{width}.{name}": partial(shift, rows, width) for name, rows in _SHIFTS.items()}
        table |= {f"i{width}.extend{bits}_s": partial(extend, bits, width) for bits in (8, 16)}
    return table


LOWERINGS: Final = _lowerings()
"""By operation: ``(a, dst)`` or ``(a, b, dst)`` to bytes."""
