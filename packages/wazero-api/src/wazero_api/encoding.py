"""Numbers as the unsigned 64-bit integers that hold their bits: wazero's `api.Encode…` and `api.Decode…`.

Raw host functions and `call_with_stack` use this form. An f32's NaN keeps its bits, signalling ones too: as a Python
float it is the double with the same sign and the payload in the highest bits, which C's own conversion would make quiet.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from .types import ValueType

_F32: Final = struct.Struct("<f")
_F64: Final = struct.Struct("<d")
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")

_MASK32: Final = 0xFFFFFFFF
_MASK64: Final = 0xFFFFFFFFFFFFFFFF
_SIGN32: Final = 1 << 31
_SIGN64: Final = 1 << 63


def encode_i32(value: int) -> int:
    """Of an int from -2**31 to 2**32 - 1."""
    return value & _MASK32


def decode_i32(bits: int) -> int:
    """The signed int in the low 32 bits."""
    return (bits & _MASK32 ^ _SIGN32) - _SIGN32


def decode_u32(bits: int) -> int:
    """The unsigned int in the low 32 bits."""
    return bits & _MASK32


def encode_i64(value: int) -> int:
    """Of an int from -2**63 to 2**64 - 1."""
    return value & _MASK64


def decode_i64(bits: int) -> int:
    """The signed int of these bits."""
    return (bits & _MASK64 ^ _SIGN64) - _SIGN64


def encode_f64(value: float) -> int:
    """Of a 64-bit float."""
    bits: int = _U64.unpack(_F64.pack(value))[0]
    return bits


def decode_f64(bits: int) -> float:
    """The 64-bit float of these bits."""
    value: float = _F64.unpack(_U64.pack(bits & _MASK64))[0]
    return value


def encode_f32(value: float) -> int:
    """Of a float that 32 bits can hold. Raises OverflowError for a finite one that they cannot."""
    if value != value:
        bits = encode_f64(value)
        return bits >> 32 & _SIGN32 | 0x7F800000 | bits >> 29 & 0x7FFFFF
    number: int = _U32.unpack(_F32.pack(value))[0]
    return number


def decode_f32(bits: int) -> float:
    """The 32-bit float in the low 32 bits."""
    if bits & 0x7FFFFFFF > 0x7F800000:
        return decode_f64((bits & _SIGN32) << 32 | 0x7FF << 52 | (bits & 0x7FFFFF) << 29)
    value: float = _F32.unpack(_U32.pack(bits & _MASK32))[0]
    return value


_CODECS: Final[dict[ValueType, tuple[Callable[[Any], int], Callable[[int], Any]]]] = {
    ValueType.I32: (encode_i32, decode_i32),
    ValueType.I64: (encode_i64, decode_i64),
    ValueType.F32: (encode_f32, decode_f32),
    ValueType.F64: (encode_f64, decode_f64),
}


def encode(value: Any, type: ValueType) -> Any:
    """The bits of a typed number; vectors and references stay what they are."""
    codec = _CODECS.get(type)
    return value if codec is None else codec[0](value)


def decode(bits: Any, type: ValueType) -> Any:
    """The typed number of these bits; vectors and references stay what they are."""
    codec = _CODECS.get(type)
    return bits if codec is None else codec[1](bits)
