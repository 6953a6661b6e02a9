"""Conversions between integers and floating-point numbers, and between the widths of the latter.

cvttsd2si gives 1 << 63 (``1 << 31`` in its 32-bit form) for what it cannot convert: NaN and what is out of range.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from wazero_api import TrapKind, encode_f32, encode_f64

from .encoding import (
    ADC_MI8,
    AND_MI8,
    BTC_MI8,
    CMP_MI8,
    CMP_RM,
    CVTSD2SS,
    CVTSI2SD,
    CVTSI2SS,
    CVTSS2SD,
    CVTTSD2SI,
    CVTTSS2SI,
    MOV_RM,
    MOVD_RM,
    MOVSXD,
    NOT,
    OR_RM,
    RAX,
    RCX,
    RDX,
    SBB_RM,
    SHR_MI8,
    TEST_MR,
    XORPS,
    Row,
    jcc_short,
    jmp_short,
)
from .floating import ADD, COMPARE, Scalar, into_register
from .integer import copy
from .places import (
    XMM14,
    XMM15,
    Place,
    Target,
    Xmm,
    finish,
    finish_float,
    float_bits,
    in_register,
    in_rm,
    in_xmm,
    in_xmm_or_memory,
    load_bits,
    load_float,
    work_register,
)
from .traps import skip_if, trap

FROM_INTEGER: Final = Scalar(CVTSI2SS, CVTSI2SD)
TO_INTEGER: Final = Scalar(CVTTSS2SI, CVTTSD2SI)


def _work_xmm(dst: Target) -> Xmm:
    return dst if isinstance(dst, Xmm) else XMM15


# Between floating-point widths, and of bits


def _resize(row: Row, width: int, a: Place, dst: Target) -> bytes:
    """``demote``, ``promote``; `width` is the operand's."""
    prepare, operand = in_xmm_or_memory(width, a, XMM14)
    register = _work_xmm(dst)
    return prepare + into_register(row, 32, register, operand) + finish_float(register, dst)


def _bits_of_float(width: int, a: Place, dst: Target) -> bytes:
    register = work_register(dst)
    return float_bits(width, register, a) + finish(width, register, dst)


def _float_of_bits(width: int, a: Place, dst: Target) -> bytes:
    if not isinstance(dst, Xmm):
        return copy(width, a, dst)
    return MOVD_RM(width, dst, a) if isinstance(a, int) else load_float(width, dst, a)


# From integers


def _convert(width: int, from_width: int, a: Place, dst: Target) -> bytes:
    """A signed number; an i32, which is zero-extended, is unsigned as a number of 64 bits."""
    prepare, operand = in_rm(from_width, a, RAX)
    register = _work_xmm(dst)
    code = prepare + into_register(FROM_INTEGER.of(width), from_width, register, operand)
    return code + finish_float(register, dst)


def _convert_u64(width: int, a: Place, dst: Target) -> bytes:
    """From 2**63 up, half the number, its lowest bit or-ed into the next so that it rounds alike, and doubled."""
    code, source = in_register(64, a, RAX)
    register = _work_xmm(dst)
    convert = FROM_INTEGER.of(width)
    code += XORPS(32, register, register) + TEST_MR(64, source, source)
    large = b"" if source == RAX else MOV_RM(64, RAX, source)
    large += MOV_RM(32, RCX, RAX) + SHR_MI8(64, RAX, 1) + AND_MI8(32, RCX, 1) + OR_RM(64, RAX, RCX)
    large += convert(64, register, RAX) + ADD.of(width)(32, register, register)
    small = convert(64, register, source) + jmp_short(len(large))
    return code + skip_if("s", small) + large + finish_float(register, dst)


# To integers, with rax and rcx free: an attempt ends with a jump over `failed`, for when it did not succeed


def _try_i32(width: int, register: int, a: Xmm, failed: bytes) -> bytes:
    """In range if the lower half, sign-extended, is all of the 64-bit result."""
    code = TO_INTEGER.of(width)(64, RAX, a) + MOVSXD(64, RCX, RAX) + MOV_RM(32, register, RAX)
    return code + CMP_RM(64, RCX, RAX) + skip_if("e", failed)


def _try_u32(width: int, register: int, a: Xmm, failed: bytes) -> bytes:
    """In range if the lower half, zero-extended, is all of the 64-bit result."""
    code = TO_INTEGER.of(width)(64, register, a) + MOV_RM(32, RCX, register) + CMP_RM(64, RCX, register)
    return code + skip_if("e", failed)


def _try_i64(width: int, register: int, a: Xmm, failed: bytes) -> bytes:
    """Subtraction of 1 overflows for 1 << 63 alone, which may be right as well."""
    return TO_INTEGER.of(width)(64, register, a) + CMP_MI8(64, register, 1) + skip_if("no", failed)


def _try_u64(width: int, register: int, a: Xmm, failed: bytes) -> bytes:
    """Numbers from 2**63 up are converted less 2**63; of others that, too, is negative, and so is a failed one."""
    large = load_bits(RAX, _MINUS_2_63[width]) + MOVD_RM(width, XMM15, RAX) + ADD.of(width)(32, XMM15, a)
    large += TO_INTEGER.of(width)(64, register, XMM15) + BTC_MI8(64, register, 63) + skip_if("ae", failed)
    return TO_INTEGER.of(width)(64, register, a) + TEST_MR(64, register, register) + skip_if("ns", large)


_MINUS_2_63: Final = {32: encode_f32(-(2.0**63)), 64: encode_f64(-(2.0**63))}
_OVERFLOW: Final = trap(TrapKind.INTEGER_OVERFLOW)
_INVALID: Final = trap(TrapKind.INVALID_CONVERSION_TO_INTEGER)


def _trap(width: int, register: int, a: Xmm) -> bytes:
    return COMPARE.of(width)(32, a, a) + skip_if("p", _OVERFLOW) + _INVALID


def _trap_i64(width: int, register: int, a: Xmm) -> bytes:
    """Unless it is -2**63; `register` holds that."""
    code = FROM_INTEGER.of(width)(64, XMM15, register) + COMPARE.of(width)(32, a, XMM15)
    overflow = jcc_short("e", len(_OVERFLOW) + len(_INVALID)) + _OVERFLOW
    return code + skip_if("p", overflow) + _INVALID


def _compare_with_zero(width: int, a: Xmm) -> bytes:
    return XORPS(32, XMM15, XMM15) + COMPARE.of(width)(32, a, XMM15)


def _saturate_signed(to_width: int, width: int, register: int, a: Xmm) -> bytes:
    """0 for NaN; else the greatest number, and 1 more, the least, if the carry flag says that `a` is negative."""
    limit = load_bits(register, (1 << to_width - 1) - 1) + ADC_MI8(to_width, register, 0)
    return _compare_with_zero(width, a) + load_bits(register, 0) + skip_if("p", limit)


def _saturate_unsigned(to_width: int, width: int, register: int, a: Xmm) -> bytes:
    """0 for NaN and negative numbers, which set the carry flag; else all ones."""
    return _compare_with_zero(width, a) + SBB_RM(to_width, register, register) + NOT(to_width, register)


Attempt = Callable[[int, int, Xmm, bytes], bytes]
Failure = Callable[[int, int, Xmm], bytes]


def _truncate(attempt: Attempt, failure: Failure, width: int, a: Place, dst: Target) -> bytes:
    """``trunc``, ``trunc_sat``; `width` is the operand's."""
    code, source = in_xmm(width, a, XMM14)
    register = dst if isinstance(dst, int) else RDX
    return code + attempt(width, register, source, failure(width, register, source)) + finish(64, register, dst)


_TRUNCATIONS: Final[tuple[tuple[int, str, Attempt, Failure, Failure], ...]] = (
    (32, "s", _try_i32, _trap, partial(_saturate_signed, 32)),
    (32, "u", _try_u32, _trap, partial(_saturate_unsigned, 32)),
    (64, "s", _try_i64, _trap_i64, partial(_saturate_signed, 64)),
    (64, "u", _try_u64, _trap, partial(_saturate_unsigned, 64)),
)


def _lowerings() -> dict[str, Callable[..., bytes]]:
    table: dict[str, Callable[..., bytes]] = {
        "f32.demote_f64": partial(_resize, CVTSD2SS, 64),
        "f64.promote_f32": partial(_resize, CVTSS2SD, 32),
    }
    for width in (32, 64):
        table[f"i{width}.reinterpret_f{width}"] = partial(_bits_of_float, width)
        table[f"f{width}.reinterpret_i{width}"] = partial(_float_of_bits, width)
        table[f"f{width}.convert_i32_s"] = partial(_convert, width, 32)
        table[f"f{width}.convert_i32_u"] = partial(_convert, width, 64)
        table[f"f{width}.convert_i64_s"] = partial(_convert, width, 64)
        table[f"f{width}.convert_i64_u"] = partial(_convert_u64, width)
        for to_width, sign, attempt, trapping, saturating in _TRUNCATIONS:
            table[f"i{to_width}.trunc_f{width}_{sign}"] = partial(_truncate, attempt, trapping, width)
            table[f"i{to_width}.trunc_sat_f{width}_{sign}"] = partial(_truncate, attempt, saturating, width)
    return table


LOWERINGS: Final = _lowerings()
"""By operation: ``(a, dst)`` to bytes."""
