"""Integer arithmetic but for division: one lowering function per shape, and a table from operation to shape.

A lowering function takes the width in bits and the places of operands and destination, and gives bytes. Operands that
are not the destination are kept; rax, rcx and rdx may change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, final

from wazero_jit.registers.constants import Const

from .encoding import (
    ADD_MI,
    ADD_MI8,
    ADD_MR,
    ADD_RM,
    AND_MI,
    AND_MI8,
    AND_MR,
    AND_RM,
    BSR,
    BTC_MI8,
    BTR_MI8,
    BTS_MI8,
    DEC,
    IMUL_RM,
    IMUL_RMI,
    IMUL_RMI8,
    INC,
    LEA,
    MOV_RM,
    MOVSX8,
    MOVSX16,
    MOVSXD,
    MOVZX8,
    MOVZX16,
    NEG,
    NOT,
    OR_MI,
    OR_MI8,
    OR_MR,
    OR_RM,
    POPCNT,
    RAX,
    RBP,
    RCX,
    ROL_CL,
    ROL_MI8,
    ROR_CL,
    ROR_MI8,
    SAR_1,
    SAR_CL,
    SAR_MI8,
    SHL_CL,
    SHL_MI8,
    SHR_1,
    SHR_CL,
    SHR_MI8,
    SUB_MI,
    SUB_MI8,
    SUB_MR,
    SUB_RM,
    TZCNT,
    XOR_MI,
    XOR_MI8,
    XOR_MR,
    XOR_RM,
    Mem,
    Rm,
    Row,
    fits,
)
from .moves import move
from .places import Place, Target, finish, in_register, in_rm, load, work_register


@final
class Alu(NamedTuple):
    """The forms of a two-operand instruction; `bit_row` does the same with a constant that concerns one bit."""

    rm: Row
    mr: Row
    mi8: Row
    mi: Row
    bit_row: Row


# fmt: off
ADD: Final = Alu(ADD_RM, ADD_MR, ADD_MI8, ADD_MI, BTC_MI8)
SUB: Final = Alu(SUB_RM, SUB_MR, SUB_MI8, SUB_MI, BTC_MI8)
AND: Final = Alu(AND_RM, AND_MR, AND_MI8, AND_MI, BTR_MI8)
OR:  Final = Alu(OR_RM,  OR_MR,  OR_MI8,  OR_MI,  BTS_MI8)
XOR: Final = Alu(XOR_RM, XOR_MR, XOR_MI8, XOR_MI, BTC_MI8)
# fmt: on


def _is_wide(place: Place, width: int) -> bool:
    """Whether it is a constant that no immediate operand can hold."""
    return isinstance(place, Const) and not fits(place.signed(width), 32)


def apply(alu: Alu, width: int, target: Rm, source: Place, scratch: int = RCX) -> bytes:
    """The two-operand instruction itself. Source and target are not both memory; a wide constant goes to `scratch`."""
    if isinstance(source, Const):
        value = source.signed(width)
        if fits(value, 8):
            return alu.mi8(width, target, value)
        if fits(value, 32):
            return alu.mi(width, target, value)
        source, code = scratch, load(width, scratch, source)
    else:
        code = b""
    if isinstance(source, int):
        return code + alu.mr(width, target, source)
    return alu.rm(width, target, source)


def _commuted(width: int, a: Place, b: Place, dst: Target) -> tuple[Place, Place]:
    """The operands of a commutative operation, so that the first is best computed in place."""
    if a != dst and (b == dst or _is_wide(b, width)):
        return b, a
    if isinstance(a, Const) and not _is_wide(a, width):
        return b, a
    return a, b


def _in_place(alu: Alu, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``dst = a op b``, if `b` is not the destination unless `a` is, too."""
    if isinstance(dst, Mem) and a == dst:
        if isinstance(b, Mem):
            return MOV_RM(width, RAX, b) + alu.mr(width, dst, RAX)
        return apply(alu, width, dst, b)
    register = work_register(dst)
    return load(width, register, a) + apply(alu, width, register, b) + finish(width, register, dst)


# Addition and subtraction


def add(width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``add``: with lea where the destination is a third register."""
    a, b = _commuted(width, a, b, dst)
    if isinstance(b, Const) and not _is_wide(b, width):
        return _add_constant(width, a, b.signed(width), dst)
    if isinstance(a, int) and isinstance(b, int) and a != dst:
        base, index = (b, a) if a & 7 == RBP else (a, b)
        register = work_register(dst)
        return LEA(width, register, Mem(base, 0, index)) + finish(width, register, dst)
    return _in_place(ADD, width, a, b, dst)


def add_shifted(width: int, shift: int) -> Callable[..., bytes]:
    """``base + (index << shift)``, for a shift of 1 to 3: one lea."""

    def lower(base: Place, index: Place, dst: Target) -> bytes:
        first, base_register = in_register(width, base, RAX)
        second, index_register = in_register(width, index, RCX)
        register = work_register(dst)
        scaled = LEA(width, register, Mem(base_register, 0, index_register, 1 << shift))
        return first + second + scaled + finish(width, register, dst)

    return lower


def _add_constant(width: int, a: Place, value: int, dst: Target) -> bytes:
    if value == 0:
        return copy(width, a, dst)
    register = work_register(dst)
    if isinstance(a, int) and a != dst:
        return LEA(width, register, Mem(a, value)) + finish(width, register, dst)
    if a == dst:
        return _add_immediate(width, dst, value)
    return load(width, register, a) + _add_immediate(width, register, value) + finish(width, register, dst)


def _add_immediate(width: int, rm: Rm, value: int) -> bytes:
    if isinstance(rm, int) and value in (1, -1):
        return (INC if value == 1 else DEC)(width, rm)
    if fits(value, 8):
        return ADD_MI8(width, rm, value)
    return SUB_MI8(width, rm, -128) if value == 128 else ADD_MI(width, rm, value)


def subtract(width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``sub``; of a constant: the addition of its negative."""
    if isinstance(b, Const):
        return add(width, a, Const(-b.bits & (1 << width) - 1), dst)
    if a == Const(0):
        return modify(NEG, width, b, dst)
    if b == dst and a != dst and isinstance(dst, int):
        return NEG(width, dst) + add(width, dst, a, dst)
    return _in_place(SUB, width, a, b, dst)


# Logic


def logic(alu: Alu, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``and``, ``or``, ``xor``."""
    a, b = _commuted(width, a, b, dst)
    if isinstance(a, Const):
        a, b = b, a
    if isinstance(b, Const):
        code = _logic_constant(alu, width, a, b, dst)
        if code is not None:
            return code
        if a != dst and _is_wide(b, width):
            a, b = b, a
    return _in_place(alu, width, a, b, dst)


def _logic_constant(alu: Alu, width: int, a: Place, b: Const, dst: Target) -> bytes | None:
    """With a constant for which there is something shorter; else None."""
    if alu is AND and b.bits < 1 << 32:
        return _mask(a, b, dst)
    if alu is XOR and b.signed(width) == -1:
        return modify(NOT, width, a, dst)
    changed = b.bits ^ (1 << width) - 1 if alu is AND else b.bits
    if _is_wide(b, width) and changed.bit_count() == 1:
        register = work_register(dst)
        change = alu.bit_row(width, register, changed.bit_length() - 1)
        return load(width, register, a) + change + finish(width, register, dst)
    return None


_ZERO_EXTENSIONS: Final = {0xFF: MOVZX8, 0xFFFF: MOVZX16, 0xFFFFFFFF: MOV_RM}


def _mask(a: Place, mask: Const, dst: Target) -> bytes | None:
    """``and`` with a constant below 2**32: the upper half of the result is 0, which 32-bit instructions see to."""
    row = _ZERO_EXTENSIONS.get(mask.bits)
    if row is not None:
        return unary(row, 32, a, dst)
    if isinstance(dst, Mem) and a == dst:
        return None
    register = work_register(dst)
    return load(32, register, a) + apply(AND, 32, register, mask) + finish(32, register, dst)


# Multiplication


def multiply(width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``mul``; by a constant with shifts or lea where that is faster."""
    if isinstance(a, Const) or (b == dst and a != dst):
        a, b = b, a
    register = work_register(dst)
    if isinstance(b, Const) and (b.bits.bit_count() == 1 or not _is_wide(b, width)):
        return _multiply_constant(width, a, b, dst)
    if isinstance(b, Const) and a != register:
        a, b = b, a
    prepare, factor = in_rm(width, b, RCX)
    return prepare + load(width, register, a) + IMUL_RM(width, register, factor) + finish(width, register, dst)


_LEA_SCALES: Final = {3: 2, 5: 4, 9: 8}
"""Of the index, which is the base as well, by factor."""


def _multiply_constant(width: int, a: Place, factor: Const, dst: Target) -> bytes:
    value = factor.signed(width)
    register = work_register(dst)
    if value == -1:
        return modify(NEG, width, a, dst)
    if factor.bits.bit_count() == 1:
        return shift_by(SHL_MI8, width, a, factor.bits.bit_length() - 1, dst)
    if value in _LEA_SCALES and isinstance(a, int):
        return LEA(width, register, Mem(a, 0, a, _LEA_SCALES[value])) + finish(width, register, dst)
    prepare, source = in_rm(width, a, RAX)
    row = IMUL_RMI8 if fits(value, 8) else IMUL_RMI
    return prepare + row(width, register, source, value) + finish(width, register, dst)


# Shifts and rotations


@final
class Shift(NamedTuple):
    """By a constant, and by cl."""

    by_constant: Row
    by_cl: Row


def shift(rows: Shift, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``shl``, ``shr_s``, ``shr_u``, ``rotl``, ``rotr``: the hardware, too, takes the count modulo the width."""
    if isinstance(b, Const):
        return shift_by(rows.by_constant, width, a, b.bits % width, dst)
    count = load(32, RCX, b)
    if a == dst:
        return count + rows.by_cl(width, dst)
    register = work_register(dst)
    return count + load(width, register, a) + rows.by_cl(width, register) + finish(width, register, dst)


def shift_by(row: Row, width: int, a: Place, count: int, dst: Target) -> bytes:
    """By a constant below the width."""
    if count == 0:
        return copy(width, a, dst)
    register = work_register(dst)
    if row is SHL_MI8 and count == 1 and isinstance(a, int):
        return add(width, a, a, dst)
    short = _BY_ONE.get(row) if count == 1 else None
    if short is not None:
        return modify(short, width, a, dst)
    if a == dst:
        return row(width, dst, count)
    return load(width, register, a) + row(width, register, count) + finish(width, register, dst)


_BY_ONE: Final = {SHR_MI8: SHR_1, SAR_MI8: SAR_1}


# One operand


def copy(width: int, a: Place, dst: Target) -> bytes:
    """A move of `width` bits; the upper half of a 32-bit value is 0 already."""
    return load(width, dst, a) if isinstance(dst, int) else move(a, dst)


def unary(row: Row, width: int, a: Place, dst: Target) -> bytes:
    """An instruction from register or memory to a register."""
    register = work_register(dst)
    prepare, source = in_rm(width, a, RAX)
    return prepare + row(width, register, source) + finish(width, register, dst)


def modify(row: Row, width: int, a: Place, dst: Target) -> bytes:
    """An instruction that changes its operand, such as ``neg``."""
    if a == dst:
        return row(width, dst)
    register = work_register(dst)
    return load(width, register, a) + row(width, register) + finish(width, register, dst)


def count_leading_zeros(width: int, a: Place, dst: Target) -> bytes:
    """``clz``. bsr of 0 keeps the destination: AMD documents it, Intel's processors do the same."""
    return _scan(BSR, 2 * width - 1, width, a, dst, XOR_MI8)


def count_trailing_zeros(width: int, a: Place, dst: Target) -> bytes:
    """``ctz``. Processors without tzcnt take it for bsf, which of 0 keeps the destination."""
    return _scan(TZCNT, width, width, a, dst, None)


def _scan(row: Row, default: int, width: int, a: Place, dst: Target, then: Row | None) -> bytes:
    prepare, source = in_rm(width, a, RCX)
    register = RAX if isinstance(dst, Mem) or source == dst else dst
    code = prepare + load(32, register, Const(default)) + row(width, register, source)
    if then is not None:
        code += then(32, register, width - 1)
    return code + finish(32, register, dst)


_ALU: Final = {"and": AND, "or": OR, "xor": XOR}
# fmt: off
_SHIFTS: Final = {
    "shl":   Shift(SHL_MI8, SHL_CL),
    "shr_s": Shift(SAR_MI8, SAR_CL),
    "shr_u": Shift(SHR_MI8, SHR_CL),
    "rotl":  Shift(ROL_MI8, ROL_CL),
    "rotr":  Shift(ROR_MI8, ROR_CL),
}
_UNARY: Final = {
    "i32.popcnt":       (POPCNT,  32),
    "i64.popcnt":       (POPCNT,  64),
    "i32.extend8_s":    (MOVSX8,  32),
    "i32.extend16_s":   (MOVSX16, 32),
    "i64.extend8_s":    (MOVSX8,  64),
    "i64.extend16_s":   (MOVSX16, 64),
    "i64.extend32_s":   (MOVSXD,  64),
    "i64.extend_i32_s": (MOVSXD,  64),
    "i64.extend_i32_u": (MOV_RM,  32),
    "i32.wrap_i64":     (MOV_RM,  32),
}
# fmt: on


def _lowerings() -> dict[str, Callable[..., bytes]]:
    table: dict[str, Callable[..., bytes]] = {}
    for width in (32, 64):
        table[f"i{width}.add"] = partial(add, width)
        table[f"i{width}.sub"] = partial(subtract, width)
        table[f"i{width}.mul"] = partial(multiply, width)
        table[f"i{width}.clz"] = partial(count_leading_zeros, width)
        table[f"i{width}.ctz"] = partial(count_trailing_zeros, width)
        table |= {f"i{width}.{name}": partial(logic, alu, width) for name, alu in _ALU.items()}
        table |= {f"i{width}.{name}": partial(shift, rows, width) for name, rows in _SHIFTS.items()}
    return table | {name: partial(unary, row, width) for name, (row, width) in _UNARY.items()}


LOWERINGS: Final = _lowerings()
"""By operation: ``(a, dst)`` or ``(a, b, dst)`` to bytes."""
