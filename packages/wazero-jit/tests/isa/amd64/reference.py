"""What every value operation must give, in plain Python on unsigned bits. Spec: execution, "Numerics" (4.3)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, Final

from wazero_api import (
    OPCODES,
    CoreFeatures,
    Opcode,
    TrapKind,
    ValueType,
    decode_f32,
    decode_f64,
    encode_f32,
    encode_f64,
)

Result = int | TrapKind | str
"""Bits, a trap, or "canonical" or "arithmetic" for a NaN, whose sign is open."""

_NUMBERS: Final = {ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64}
_FEATURES: Final = CoreFeatures.SIGN_EXTENSION_OPS | CoreFeatures.NON_TRAPPING_FLOAT_TO_INT_CONVERSION

VALUE_OPERATIONS: Final[dict[str, Opcode]] = {
    opcode.name: opcode
    for opcode in OPCODES
    if not opcode.feature & ~_FEATURES
    and not opcode.immediates
    and opcode.params
    and opcode.results
    and {*opcode.params, *opcode.results} <= _NUMBERS
}


def signature(name: str) -> tuple[tuple[str, ...], str]:
    """Types of operands and result: "i32" and so on."""
    opcode = VALUE_OPERATIONS[name]
    assert opcode.params
    assert opcode.results
    return tuple([param.name.lower() for param in opcode.params]), opcode.results[0].name.lower()


def width_of(type: str) -> int:
    """In bits."""
    return int(type[1:])


def _mask(width: int) -> int:
    return (1 << width) - 1


def signed(value: int, width: int) -> int:
    """Two's complement."""
    return (value ^ 1 << width - 1) - (1 << width - 1)


# Integers


def _divide(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def _div_s(w: int, a: int, b: int) -> Result:
    if b == 0:
        return TrapKind.INTEGER_DIVIDE_BY_ZERO
    quotient = _divide(signed(a, w), signed(b, w))
    return TrapKind.INTEGER_OVERFLOW if quotient == 1 << w - 1 else quotient


def _rem_s(w: int, a: int, b: int) -> Result:
    if b == 0:
        return TrapKind.INTEGER_DIVIDE_BY_ZERO
    x, y = signed(a, w), signed(b, w)
    return x - y * _divide(x, y)


def _rotl(w: int, a: int, b: int) -> int:
    return a << b % w | a >> w - b % w


_INTEGER: Final[dict[str, Callable[..., Result]]] = {
    "clz": lambda w, a: w - a.bit_length(),
    "ctz": lambda w, a: (a & -a).bit_length() - 1 if a else w,
    "popcnt": lambda w, a: a.bit_count(),
    "add": lambda w, a, b: a + b,
    "sub": lambda w, a, b: a - b,
    "mul": lambda w, a, b: a * b,
    "div_s": _div_s,
    "div_u": lambda w, a, b: a // b if b else TrapKind.INTEGER_DIVIDE_BY_ZERO,
    "rem_s": _rem_s,
    "rem_u": lambda w, a, b: a % b if b else TrapKind.INTEGER_DIVIDE_BY_ZERO,
    "and": lambda w, a, b: a & b,
    "or": lambda w, a, b: a | b,
    "xor": lambda w, a, b: a ^ b,
    "shl": lambda w, a, b: a << b % w,
    "shr_s": lambda w, a, b: signed(a, w) >> b % w,
    "shr_u": lambda w, a, b: a >> b % w,
    "rotl": _rotl,
    "rotr": lambda w, a, b: _rotl(w, a, -b),
    "extend8_s": lambda w, a: signed(a & 0xFF, 8),
    "extend16_s": lambda w, a: signed(a & 0xFFFF, 16),
    "extend32_s": lambda w, a: signed(a & _mask(32), 32),
    "wrap_i64": lambda w, a: a,
    "extend_i32_s": lambda w, a: signed(a, 32),
    "extend_i32_u": lambda w, a: a,
    "eqz": lambda w, a: a == 0,
    "eq": lambda w, a, b: a == b,
    "ne": lambda w, a, b: a != b,
    "lt_s": lambda w, a, b: signed(a, w) < signed(b, w),
    "lt_u": lambda w, a, b: a < b,
    "gt_s": lambda w, a, b: signed(a, w) > signed(b, w),
    "gt_u": lambda w, a, b: a > b,
    "le_s": lambda w, a, b: signed(a, w) <= signed(b, w),
    "le_u": lambda w, a, b: a <= b,
    "ge_s": lambda w, a, b: signed(a, w) >= signed(b, w),
    "ge_u": lambda w, a, b: a >= b,
}

# Floating point

_FLOAT_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
    "le": lambda a, b: a <= b,
    "ge": lambda a, b: a >= b,
}


def to_float(bits: int, width: int) -> float:
    """The number."""
    return decode_f32(bits) if width == 32 else decode_f64(bits)


def to_bits(value: float, width: int) -> int:
    """The nearest number of that width."""
    if width == 64:
        return encode_f64(value)
    try:
        return encode_f32(value)
    except OverflowError:
        return encode_f32(math.copysign(math.inf, value))


def _quiet_bit(width: int) -> int:
    return 1 << (22 if width == 32 else 51)


def is_nan(bits: int, width: int) -> bool:
    """Of any kind."""
    return math.isnan(to_float(bits, width))


def is_canonical(bits: int, width: int) -> bool:
    """Whether of a NaN's payload only the highest bit is set."""
    return is_nan(bits, width) and bits & 2 * _quiet_bit(width) - 1 == _quiet_bit(width)


def matches(result: Result, bits: int, width: int) -> bool:
    """Whether `bits` are what `result` allows."""
    if result == "canonical":
        return is_canonical(bits, width)
    if result == "arithmetic":
        return is_nan(bits, width) and bool(bits & _quiet_bit(width))
    return result == bits


def _divide_floats(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 else math.copysign(math.inf, a) * math.copysign(1, b)


def _least(a: float, b: float) -> float:
    return (a if math.copysign(1, a) < 0 else b) if a == b else min(a, b)


def _integral(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda a: math.copysign(function(a), a) if math.isfinite(a) else a


_FLOAT: Final[dict[str, Callable[..., float]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divide_floats,
    "min": _least,
    "max": lambda a, b: -_least(-a, -b),
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "ceil": _integral(math.ceil),
    "floor": _integral(math.floor),
    "trunc": _integral(math.trunc),
    "nearest": _integral(round),
    "promote_f32": lambda a: a,
    "demote_f64": lambda a: a,
}
"""In double precision, which rounded to single gives the correctly rounded result of each of these."""


def _float_operation(function: Callable[..., float], from_width: int, to_width: int, *bits: int) -> Result:
    nans = [operand for operand in bits if is_nan(operand, from_width)]
    if nans:
        return "canonical" if all(is_canonical(nan, from_width) for nan in nans) else "arithmetic"
    result = function(*[to_float(operand, from_width) for operand in bits])
    return "canonical" if math.isnan(result) else to_bits(result, to_width)


def _sign_operation(name: str, width: int, a: int, b: int = 0) -> int:
    sign = 1 << width - 1
    if name == "neg":
        return a ^ sign
    return a & ~sign | (b & sign if name == "copysign" else 0)


def round_to_float(value: int, width: int) -> int:
    """The nearest floating-point number to an integer, to even in the middle."""
    precision = 24 if width == 32 else 53
    excess = abs(value).bit_length() - precision
    if excess > 0:
        kept, lost = divmod(abs(value), 1 << excess)
        half = 1 << excess - 1
        kept += lost > half or (lost == half and kept & 1)
        value = int(math.copysign(kept << excess, value))
    return to_bits(float(value), width)


def _truncate(value: float, width: int, is_signed: bool, saturates: bool) -> Result:
    low, high = (-1 << width - 1, (1 << width - 1) - 1) if is_signed else (0, _mask(width))
    if math.isnan(value):
        return 0 if saturates else TrapKind.INVALID_CONVERSION_TO_INTEGER
    if math.isinf(value) or not low <= math.trunc(value) <= high:
        return (low if value < 0 else high) if saturates else TrapKind.INTEGER_OVERFLOW
    return math.trunc(value)


# All


def expected(name: str, *operands: int) -> Result:
    """What an operation gives."""
    params, type = signature(name)
    width = width_of(type)
    result = _result(name.partition(".")[2], params, type, *operands)
    return int(result) & _mask(width) if isinstance(result, int) else result


def _result(word: str, params: tuple[str, ...], type: str, *operands: int) -> Result:
    width, from_width = width_of(type), width_of(params[0])
    if word.startswith("reinterpret"):
        return operands[0]
    if params[0][0] == "f":
        if word.startswith("trunc_"):
            value = to_float(operands[0], from_width)
            return _truncate(value, width, word.endswith("_s"), "sat" in word)
        if word in _FLOAT_COMPARISONS:
            return _FLOAT_COMPARISONS[word](*[to_float(operand, from_width) for operand in operands])
        if word in ("abs", "neg", "copysign"):
            return _sign_operation(word, width, *operands)
        return _float_operation(_FLOAT[word], from_width, width, *operands)
    if word.startswith("convert"):
        return round_to_float(signed(operands[0], from_width) if word.endswith("_s") else operands[0], width)
    return _INTEGER[word](from_width, *operands)


# Values worth trying


def _floats(width: int) -> list[int]:
    pack = struct.Struct("<f" if width == 32 else "<d").pack
    numbers = (
        0.0,
        1.0,
        0.5,
        1.5,
        2.5,
        0.49999997,
        3.7,
        1e10,
        2.0**31,
        2.0**32,
        2.0**63,
        2.0**64,
        2.0**24 + 2,
        math.inf,
    )
    edges = (2**31 - 1, 2**31 - 0.5, 2**31 + 1, 2**32 - 0.5, 2**32 - 1, 2**52 + 1, 2.0**53 + 2, 0.1, 1e-40, 3.4e38)
    bits = [int.from_bytes(pack(number), "little") for number in (*numbers, *edges)]
    exponent_shift = width - 9 if width == 32 else width - 12
    infinity = (0xFF if width == 32 else 0x7FF) << exponent_shift
    bits += [1, (1 << exponent_shift) - 1, 1 << exponent_shift, infinity - 1, infinity | 1]
    bits += [infinity | _quiet_bit(width), infinity | _quiet_bit(width) | 5, infinity | _quiet_bit(width) - 1]
    for limit in (2.0**31, 2.0**32, 2.0**63, 2.0**64):
        around = int.from_bytes(pack(limit), "little")
        bits += [around - 1, around + 1]
    return [*bits, *[value | 1 << width - 1 for value in bits]]


def _integers(width: int) -> list[int]:
    values = {
        0,
        1,
        2,
        3,
        5,
        7,
        9,
        10,
        31,
        32,
        33,
        63,
        64,
        65,
        100,
        127,
        128,
        129,
        255,
        256,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x10000,
    }
    values |= {0x12345678, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFF80, 0xFFFF8000, 0xFFFFFFFF, (1 << 24) + 1}
    if width == 64:
        values |= {1 << 32, 1 << 40, (1 << 53) + 1, 1 << 63, (1 << 63) - 1, 0x123456789ABCDEF0, 0x8000000000000400}
        values |= {(1 << 63) + 1, (1 << 64) - 2048, 0x8000008000000000, 0x8000008000000001, (1 << 31) - 1 << 8}
    return sorted({value & _mask(width) for value in values} | {-value & _mask(width) for value in values})


INTERESTING: Final[dict[str, Any]] = {
    "i32": _integers(32),
    "i64": _integers(64),
    "f32": _floats(32),
    "f64": _floats(64),
}
"""Bits by type."""
