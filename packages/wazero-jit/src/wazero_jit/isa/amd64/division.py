"""Integer division and remainder: by a variable with idiv and checks, by a constant with shifts or a multiplication.

Multiplication (Granlund & Montgomery 1994; Hacker's Delight, chapter 10): for a divisor d that is no power of two, let
m = ceil(2**k / d) and e = m * d - 2**k. Then floor(n / d) = floor(n * m / 2**k) for every n from 0 up to a limit N if
N * e < 2**k. For signed n the same holds for |n|, and since n * m / 2**k is then no whole number unless n is 0,
rounding it down and adding 1 for a negative n gives the quotient rounded towards 0.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple, final

from wazero_api import TrapKind
from wazero_jit.registers.constants import Const

from .encoding import (
    ADD_RM,
    CDQ,
    CMP_MI8,
    DIV,
    IDIV,
    IMUL,
    IMUL_RM,
    IMUL_RMI,
    IMUL_RMI8,
    LEA,
    MOV_RM,
    MOVSXD,
    MUL,
    NEG,
    RAX,
    RCX,
    RDX,
    SAR_MI8,
    SHR_MI8,
    SUB_RM,
    TEST_MR,
    XOR_RM,
    Mem,
    Rm,
    fits,
    jmp_short,
)
from .integer import AND, apply, copy, logic, modify, shift_by, subtract
from .places import Place, Target, finish, in_register, in_rm, load, load_bits
from .traps import skip_if, trap, trap_unless

_MASK32: Final = (1 << 32) - 1
_MASK64: Final = (1 << 64) - 1


@final
class Division(NamedTuple):
    """Which of the four operations."""

    is_signed: bool
    is_remainder: bool


def divide(kind: Division, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """``div_s``, ``div_u``, ``rem_s``, ``rem_u``."""
    if not isinstance(b, Const):
        return _by_variable(kind, width, a, b, dst)
    if b.bits == 0:
        return trap(TrapKind.INTEGER_DIVIDE_BY_ZERO)
    value = b.signed(width) if kind.is_signed else b.bits
    if kind.is_remainder:
        return _remainder(kind.is_signed, width, a, abs(value), dst)
    if value == 1:
        return copy(width, a, dst)
    if value == -1:
        return modify(NEG, width, a, dst) + trap_unless("no", TrapKind.INTEGER_OVERFLOW)
    if not kind.is_signed and value.bit_count() == 1:
        return shift_by(SHR_MI8, width, a, value.bit_length() - 1, dst)
    code, register = _quotient(kind.is_signed, width, a, abs(value))
    if value < 0:
        code += NEG(width, register)
    return code + finish(width, register, dst)


# By a variable


def _by_variable(kind: Division, width: int, a: Place, b: Rm, dst: Target) -> bytes:
    code, divisor = in_register(width, b, RCX)
    code += TEST_MR(width, divisor, divisor) + trap_unless("ne", TrapKind.INTEGER_DIVIDE_BY_ZERO)
    code += load(width, RAX, a)
    result = RDX if kind.is_remainder else RAX
    if not kind.is_signed:
        code += XOR_RM(32, RDX, RDX) + DIV(width, divisor)
    else:
        code += _signed_division(kind, width, a, divisor)
    return code + finish(width, result, dst)


def _signed_division(kind: Division, width: int, a: Place, divisor: int) -> bytes:
    """By -1 without idiv, which faults if the quotient does not fit."""
    division = CDQ(width) + IDIV(width, divisor)
    if isinstance(a, Const) and a.signed(width) != -1 << width - 1:
        return division
    if kind.is_remainder:
        by_minus_one = XOR_RM(32, RDX, RDX)
    else:
        by_minus_one = NEG(width, RAX) + trap_unless("no", TrapKind.INTEGER_OVERFLOW)
    by_minus_one += jmp_short(len(division))
    return CMP_MI8(width, divisor, -1) + skip_if("ne", by_minus_one) + division


# By a constant


def _remainder(is_signed: bool, width: int, a: Place, divisor: int, dst: Target) -> bytes:
    """The sign of a divisor does not matter."""
    if divisor == 1:
        return copy(width, Const(0), dst)
    if divisor.bit_count() == 1:
        if is_signed:
            return _signed_remainder_of_power(width, a, divisor, dst)
        return logic(AND, width, a, Const(divisor - 1), dst)
    code, quotient = _quotient(is_signed, width, a, divisor)
    return code + _product(width, quotient, divisor) + subtract(width, a, RDX, dst)


def _product(width: int, quotient: int, divisor: int) -> bytes:
    """To rdx."""
    value = Const(divisor).signed(width)
    if fits(value, 32):
        return (IMUL_RMI8 if fits(value, 8) else IMUL_RMI)(width, RDX, quotient, value)
    if quotient == RDX:
        return load_bits(RAX, divisor) + IMUL_RM(width, RDX, RAX)
    return load_bits(RDX, divisor) + IMUL_RM(width, RDX, quotient)


def _bias(width: int, a: Place, shift: int) -> bytes:
    """To rax: 2**shift - 1 if `a` is negative, else 0."""
    spread = SAR_MI8(width, RAX, width - 1) if shift > 1 else b""
    return load(width, RAX, a) + spread + SHR_MI8(width, RAX, width - shift)


def _signed_remainder_of_power(width: int, a: Place, divisor: int, dst: Target) -> bytes:
    """``(a + bias & divisor - 1) - bias``"""
    code = _bias(width, a, divisor.bit_length() - 1)
    if isinstance(a, int):
        code += LEA(width, RDX, Mem(RAX, 0, a))
    else:
        prepare, source = in_rm(width, a, RCX)
        code += prepare + MOV_RM(width, RDX, RAX) + ADD_RM(width, RDX, source)
    return code + apply(AND, width, RDX, Const(divisor - 1)) + SUB_RM(width, RDX, RAX) + finish(width, RDX, dst)


def _quotient(is_signed: bool, width: int, a: Place, divisor: int) -> tuple[bytes, int]:
    """(code, rax or rdx): rounded towards 0. The divisor is from 2 up, and a power of two only if signed."""
    if divisor.bit_count() == 1:
        return _signed_quotient_of_power(width, a, divisor.bit_length() - 1), RAX
    if width == 32:
        return _signed_quotient_32(a, divisor) if is_signed else _unsigned_quotient_32(a, divisor)
    return _signed_quotient_64(a, divisor) if is_signed else _unsigned_quotient_64(a, divisor)


def _signed_quotient_of_power(width: int, a: Place, shift: int) -> bytes:
    code = _bias(width, a, shift)
    prepare, source = in_rm(width, a, RCX)
    return code + prepare + ADD_RM(width, RAX, source) + SAR_MI8(width, RAX, shift)


def _multiplier(divisor: int, limit: int, least_shift: int) -> tuple[int, int]:
    """(m, k) for dividends up to `limit`, with the least k from `least_shift` up; see the module."""
    k = least_shift
    while True:
        m = -(-(1 << k) // divisor)
        if limit * (m * divisor - (1 << k)) < 1 << k:
            return m, k
        k += 1


def _unsigned_quotient_32(a: Place, divisor: int) -> tuple[bytes, int]:
    """The upper half of a 64-bit product: k = 64 does for every divisor."""
    m, _ = _multiplier(divisor, _MASK32, 64)
    prepare, source = in_rm(64, a, RCX)
    return prepare + load_bits(RAX, m) + MUL(64, source), RDX


def _signed_quotient_32(a: Place, divisor: int) -> tuple[bytes, int]:
    """M is below 2**32, so that the product fits in 64 bits."""
    m, k = _multiplier(divisor, 1 << 31, 32)
    code, source = in_rm(32, a, RCX)
    code += MOVSXD(64, RAX, source)
    code += IMUL_RMI(64, RAX, RAX, m) if fits(m, 32) else load_bits(RCX, m) + IMUL_RM(64, RAX, RCX)
    code += MOV_RM(64, RDX, RAX) + SHR_MI8(64, RDX, 63) + SAR_MI8(64, RAX, k)
    return code + ADD_RM(32, RAX, RDX), RAX


def _signed_quotient_64(a: Place, divisor: int) -> tuple[bytes, int]:
    """If m is taken for negative, the upper half of the product lacks one dividend."""
    m, k = _multiplier(divisor, 1 << 63, 64)
    code, source = in_rm(64, a, RCX)
    code += load_bits(RAX, m) + IMUL(64, source)
    if m >> 63:
        code += ADD_RM(64, RDX, source)
    if k > 64:
        code += SAR_MI8(64, RDX, k - 64)
    return code + MOV_RM(64, RAX, RDX) + SHR_MI8(64, RAX, 63) + ADD_RM(64, RAX, RDX), RAX


def _unsigned_quotient_64(a: Place, divisor: int) -> tuple[bytes, int]:
    m, k = _multiplier(divisor, _MASK64, 64)
    if m > _MASK64 and divisor & 1 == 0:
        return _unsigned_quotient_of_even_64(a, divisor)
    code, source = in_rm(64, a, RCX)
    code += load_bits(RAX, m & _MASK64) + MUL(64, source)
    if m > _MASK64:
        # The upper half lacks one dividend, and their sum has 65 bits; half of it is (a - upper) / 2 + upper.
        code += load(64, RAX, source) + SUB_RM(64, RAX, RDX) + SHR_MI8(64, RAX, 1) + ADD_RM(64, RDX, RAX)
        k -= 1
    if k > 64:
        code += SHR_MI8(64, RDX, k - 64)
    return code, RDX


def _unsigned_quotient_of_even_64(a: Place, divisor: int) -> tuple[bytes, int]:
    """Halve both until the divisor is odd: dividends with fewer bits have a smaller multiplier."""
    shift = (divisor & -divisor).bit_length() - 1
    m, k = _multiplier(divisor >> shift, _MASK64 >> shift, 64)
    code = load(64, RDX, a) + SHR_MI8(64, RDX, shift) + load_bits(RAX, m) + MUL(64, RDX)
    if k > 64:
        code += SHR_MI8(64, RDX, k - 64)
    return code, RDX


LOWERINGS: Final = {
    f"i{width}.{'rem' if is_remainder else 'div'}_{'s' if is_signed else 'u'}": partial(
        divide, Division(is_signed, is_remainder), width
    )
    for width in (32, 64)
    for is_signed in (True, False)
    for is_remainder in (True, False)
}
"""By operation: ``(a, b, dst)`` to bytes."""
