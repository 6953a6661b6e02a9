"""What generated code calls for: loads, stores, and the arithmetic that is more than one Python operator.

Values, here and in generated code: i32 and i64 are *unsigned* ints, f32 and f64 floats (an f32 exactly representable in
32 bits, its NaN's bits at the top of the double's), a function reference is a `PortableFunction`, null is None.
Names that `NAMES` lists are those of generated code; spec: execution, "Numerics" (4.3).
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final, NoReturn

from wazero_api import Trap, TrapKind, decode_f32, decode_f64, encode_f32, encode_f64

__wazero_internal__: Final = True  # see `faults.INTERNAL_MARK`

_F32: Final = struct.Struct("<f")
_F64: Final = struct.Struct("<d")
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")

load_u16 = struct.Struct("<H").unpack_from
load_s16 = struct.Struct("<h").unpack_from
load_u32 = _U32.unpack_from
load_s32 = struct.Struct("<i").unpack_from
load_u64 = _U64.unpack_from
load_f64 = _F64.unpack_from
store_u16 = struct.Struct("<H").pack_into
store_u32 = _U32.pack_into
store_u64 = _U64.pack_into
store_f64 = _F64.pack_into

_MASK32: Final = 0xFFFFFFFF
_MASK64: Final = 0xFFFFFFFFFFFFFFFF
_INFINITY: Final = math.inf
_NAN: Final = math.nan


def trap(kind: TrapKind, detail: str = "") -> NoReturn:
    """Raise the trap; the caller's frames are added where the call came in."""
    raise Trap(kind, (), detail)


def unreachable() -> NoReturn:
    """The instruction of that name."""
    raise Trap(TrapKind.UNREACHABLE)


def wrong_signature(actual: Any, expected: Any) -> NoReturn:
    """A ``call_indirect`` found a function of another type."""
    trap(TrapKind.INDIRECT_CALL_TYPE_MISMATCH, f"(expected {expected}, found {actual})")


# f32: NaNs need care, since C's conversions between float and double make signalling ones quiet.


def round_f32(value: float) -> float:
    """The nearest 32-bit float."""
    try:
        return _F32.unpack(_F32.pack(value))[0]  # type: ignore[no-any-return]
    except OverflowError:
        return math.copysign(_INFINITY, value)


def load_f32(memory: memoryview, address: int) -> float:
    """``f32.load``; struct.error when out of bounds."""
    value = _F32.unpack_from(memory, address)[0]
    return value if value == value else decode_f32(load_u32(memory, address)[0])


def store_f32(memory: memoryview, address: int, value: float) -> None:
    """``f32.store``; struct.error when out of bounds."""
    store_u32(memory, address, encode_f32(value))


# Integers


def _signed32(value: int) -> int:
    return (value ^ 0x80000000) - 0x80000000


def _signed64(value: int) -> int:
    return (value ^ 0x8000000000000000) - 0x8000000000000000


def _divide(dividend: int, divisor: int, limit: int) -> int:
    if divisor == 0:
        trap(TrapKind.INTEGER_DIVIDE_BY_ZERO)
    quotient = abs(dividend) // abs(divisor)
    if (dividend < 0) != (divisor < 0):
        return -quotient
    if quotient == limit:
        trap(TrapKind.INTEGER_OVERFLOW)
    return quotient


def _remainder(dividend: int, divisor: int) -> int:
    if divisor == 0:
        trap(TrapKind.INTEGER_DIVIDE_BY_ZERO)
    remainder = abs(dividend) % abs(divisor)
    return -remainder if dividend < 0 else remainder


def i32_div_s(a: int, b: int) -> int:
    return _divide(_signed32(a), _signed32(b), 1 << 31) & _MASK32


def i64_div_s(a: int, b: int) -> int:
    return _divide(_signed64(a), _signed64(b), 1 << 63) & _MASK64


def i32_rem_s(a: int, b: int) -> int:
    return _remainder(_signed32(a), _signed32(b)) & _MASK32


def i64_rem_s(a: int, b: int) -> int:
    return _remainder(_signed64(a), _signed64(b)) & _MASK64


def i32_rotl(a: int, b: int) -> int:
    b &= 31
    return (a << b | a >> 32 - b) & _MASK32


def i64_rotl(a: int, b: int) -> int:
    b &= 63
    return (a << b | a >> 64 - b) & _MASK64


def i32_rotr(a: int, b: int) -> int:
    return i32_rotl(a, -b)


def i64_rotr(a: int, b: int) -> int:
    return i64_rotl(a, -b)


def i32_ctz(a: int) -> int:
    return (a & -a).bit_length() - 1 if a else 32


def i64_ctz(a: int) -> int:
    return (a & -a).bit_length() - 1 if a else 64


# Floats


def divide(a: float, b: float) -> float:
    """IEEE 754 division."""
    try:
        return a / b
    except ZeroDivisionError:
        if a != a:
            return quiet(a)
        if a == 0:
            return _NAN
        return math.copysign(_INFINITY, a) * math.copysign(1.0, b)


def square_root(a: float) -> float:
    if a >= 0:
        return math.sqrt(a)
    return quiet(a) if a != a else _NAN


def quiet(a: float) -> float:
    """The same number; a signalling NaN made quiet."""
    return a * 1.0


def minimum(a: float, b: float) -> float:
    if a < b:
        return a
    if b < a:
        return b
    if a == b:
        return a if math.copysign(1.0, a) < 0 else b
    return a + b


def maximum(a: float, b: float) -> float:
    if a > b:
        return a
    if b > a:
        return b
    if a == b:
        return a if math.copysign(1.0, a) > 0 else b
    return a + b


_ALL_INTEGERS: Final = float(1 << 52)
"""From here on every double is an integer (and so are infinities)."""


def _rounded(a: float, to_integer: Any) -> float:
    if abs(a) < _ALL_INTEGERS:
        return math.copysign(to_integer(a), a)
    return quiet(a)


def ceiling(a: float) -> float:
    return _rounded(a, math.ceil)


def floor(a: float) -> float:
    return _rounded(a, math.floor)


def truncate(a: float) -> float:
    return _rounded(a, math.trunc)


def nearest(a: float) -> float:
    return _rounded(a, round)


# Conversions


def int_to_f32(value: int) -> float:
    """Round once: what does not fit a double's 53 bits is cut with the lost bits gathered in the last one kept."""
    surplus = value.bit_length() - 53
    if surplus > 0:
        kept = value >> surplus
        value = (kept | (kept << surplus != value)) << surplus
    return round_f32(float(value))


def i32_to_f32_s(a: int) -> float:
    return round_f32(float(_signed32(a)))


def i64_to_f32_s(a: int) -> float:
    return int_to_f32(_signed64(a))


def _truncated(a: float, low: int, high: int) -> int:
    if a != a:
        trap(TrapKind.INVALID_CONVERSION_TO_INTEGER)
    if a in (_INFINITY, -_INFINITY) or not low <= (integer := int(a)) <= high:
        trap(TrapKind.INTEGER_OVERFLOW)
    return integer


def _saturated(a: float, low: int, high: int) -> int:
    if a != a:
        return 0
    if a in (_INFINITY, -_INFINITY):
        return high if a > 0 else low
    return min(max(int(a), low), high)


def i32_trunc_s(a: float) -> int:
    return _truncated(a, -(1 << 31), (1 << 31) - 1) & _MASK32


def i32_trunc_u(a: float) -> int:
    return _truncated(a, 0, _MASK32)


def i64_trunc_s(a: float) -> int:
    return _truncated(a, -(1 << 63), (1 << 63) - 1) & _MASK64


def i64_trunc_u(a: float) -> int:
    return _truncated(a, 0, _MASK64)


def i32_trunc_sat_s(a: float) -> int:
    return _saturated(a, -(1 << 31), (1 << 31) - 1) & _MASK32


def i32_trunc_sat_u(a: float) -> int:
    return _saturated(a, 0, _MASK32)


def i64_trunc_sat_s(a: float) -> int:
    return _saturated(a, -(1 << 63), (1 << 63) - 1) & _MASK64


def i64_trunc_sat_u(a: float) -> int:
    return _saturated(a, 0, _MASK64)


# Memories and tables in bulk. Bounds are checked before anything is written.


_FILL_AT_ONCE: Final = 1 << 20
"""Bytes that ``memory.fill`` holds besides the memory, at most."""


def _check_memory(memory: memoryview, address: int, count: int) -> None:
    if address + count > len(memory):
        trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)


def memory_fill(memory: memoryview, address: int, value: int, count: int) -> None:
    _check_memory(memory, address, count)
    filling = bytes((value & 0xFF,)) * min(count, _FILL_AT_ONCE)
    for start in range(address, address + count, _FILL_AT_ONCE):
        stop = min(start + _FILL_AT_ONCE, address + count)
        memory[start:stop] = filling[: stop - start]


def memory_copy(to: memoryview, from_: memoryview, target: int, source: int, count: int) -> None:
    _check_memory(from_, source, count)
    _check_memory(to, target, count)
    to[target : target + count] = from_[source : source + count]


def memory_init(memory: memoryview, segments: list[bytes], index: int, address: int, source: int, count: int) -> None:
    data = segments[index]
    if source + count > len(data):
        trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
    _check_memory(memory, address, count)
    memory[address : address + count] = data[source : source + count]


def data_drop(segments: list[bytes], index: int) -> None:
    segments[index] = b""


def _check_table(elements: Any, index: int, count: int) -> None:
    if index + count > len(elements):
        trap(TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)


def table_get(elements: list[Any], index: int) -> Any:
    _check_table(elements, index, 1)
    return elements[index]


def table_set(elements: list[Any], index: int, value: Any) -> None:
    _check_table(elements, index, 1)
    elements[index] = value


def table_fill(elements: list[Any], index: int, value: Any, count: int) -> None:
    _check_table(elements, index, count)
    elements[index : index + count] = [value] * count


def table_copy(to: list[Any], from_: list[Any], target: int, source: int, count: int) -> None:
    _check_table(from_, source, count)
    _check_table(to, target, count)
    to[target : target + count] = from_[source : source + count]


def table_init(elements: list[Any], segments: list[Any], segment: int, index: int, source: int, count: int) -> None:
    references = segments[segment]
    _check_table(references, source, count)
    _check_table(elements, index, count)
    elements[index : index + count] = references[source : source + count]


def elem_drop(segments: list[Any], index: int) -> None:
    segments[index] = ()


_IMPORTED: Final = frozenset(("Any", "Final", "NoReturn", "Trap", "TrapKind"))

NAMES: Final[dict[str, Any]] = {
    name: value
    for name, value in globals().items()
    if not name.startswith("_") and callable(value) and name not in _IMPORTED
} | {
    "copysign": math.copysign,
    "decode_f32": decode_f32,
    "decode_f64": decode_f64,
    "encode_f32": encode_f32,
    "encode_f64": encode_f64,
    "fabs": abs,
    "len": len,
}
"""What generated code can name."""
