"""The immediates of a valid instruction: nothing is checked, since engines only see valid bodies."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from wazero_api import BY_CODE, Immediate, Opcode, ValueType

_PREFIXES: Final = frozenset(prefix for prefix, _ in BY_CODE if prefix)


class Instruction(NamedTuple):
    """A row of the opcode table and a value per immediate; a memarg is (memory index, offset)."""

    opcode: Opcode
    immediates: tuple[Any, ...]


def leb(token: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and where it ends."""
    result = shift = 0
    while True:
        byte = token[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def signed_leb(token: bytes, position: int) -> tuple[int, int]:
    """A signed LEB128 number, and where it ends."""
    value, end = leb(token, position)
    bits = 7 * (end - position)
    return (value - (1 << bits) if token[end - 1] & 0x40 else value), end


def instruction(token: bytes) -> Instruction:
    """What a token says."""
    prefix, code, position = 0, token[0], 1
    if code in _PREFIXES:
        prefix = code
        code, position = leb(token, 1)
    opcode = BY_CODE[prefix, code]
    values = []
    for kind in opcode.immediates:
        value, position = _value(kind, token, position)
        values.append(value)
    return Instruction(opcode, tuple(values))


def _value(kind: Immediate, token: bytes, position: int) -> tuple[Any, int]:
    if kind is Immediate.MEMARG:
        flags, position = leb(token, position)
        memory, position = leb(token, position) if flags & 0x40 else (0, position)
        offset, position = leb(token, position)
        return (memory, offset), position
    if kind is Immediate.LABELS:
        count, position = leb(token, position)
        labels = []
        for _ in range(count + 1):
            label, position = leb(token, position)
            labels.append(label)
        return tuple(labels), position
    if kind is Immediate.BLOCK_TYPE:
        return _block_type(token, position)
    if kind is Immediate.VALUE_TYPES:
        return None, len(token)
    if kind in _SIGNED:
        return signed_leb(token, position)
    if kind in _BYTES:
        size = _BYTES[kind]
        return token[position : position + size], position + size
    return leb(token, position)


def _block_type(token: bytes, position: int) -> tuple[ValueType | int | None, int]:
    """None, a value type, or a type index."""
    byte = token[position]
    if byte == 0x40:
        return None, position + 1
    if byte in _SHORT_TYPES:
        return _SHORT_TYPES[byte], position + 1
    return signed_leb(token, position)


_SHORT_TYPES: Final = {
    0x7F: ValueType.I32,
    0x7E: ValueType.I64,
    0x7D: ValueType.F32,
    0x7C: ValueType.F64,
    0x7B: ValueType.V128,
    0x70: ValueType.FUNCREF,
    0x6F: ValueType.EXTERNREF,
}
_SIGNED: Final = frozenset({Immediate.I32, Immediate.I64, Immediate.HEAP_TYPE})
_BYTES: Final = {Immediate.F32: 4, Immediate.F64: 8, Immediate.LANE: 1, Immediate.ZERO_BYTE: 1, Immediate.V128: 16}


def i32_const(value: int) -> bytes:
    """The token of ``i32.const value``, for a value of 0 to 2**31 - 1."""
    groups = bytearray(b"\x41")
    while value > 0x3F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
