"""The immediates of a valid instruction: nothing is checked, since engines only see valid bodies."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from wazero_api import BY_CODE, Immediate, Opcode, ValueType

_Reader = Callable[[bytes, int], tuple[Any, int]]
_PREFIXES: Final = frozenset(prefix for prefix, _ in BY_CODE if prefix)


class Instruction(NamedTuple):
    """A row of the opcode table and a value per immediate; a memarg is (memory index, offset)."""

    opcode: Opcode
    immediates: tuple[Any, ...]


def leb(token: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and where it ends."""
    byte = token[position]
    if byte < 0x80:
        return byte, position + 1
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
    return instruction_at(token, 0)[0]


def instruction_at(code: bytes, position: int) -> tuple[Instruction, int]:
    """The instruction that starts at `position` of a body, and where it ends.

    Raises KeyError for an unknown opcode, IndexError if the body ends too early.
    """
    prefix, number = 0, code[position]
    position += 1
    if number in _PREFIXES:
        prefix = number
        number, position = leb(code, position)
    opcode, readers = _layout(prefix, number)
    values = []
    for read in readers:
        value, position = read(code, position)
        values.append(value)
    return Instruction(opcode, tuple(values)), position


@cache
def _layout(prefix: int, number: int) -> tuple[Opcode, list[_Reader]]:
    """The opcode, and what reads its immediates."""
    opcode = BY_CODE[prefix, number]
    return opcode, [_READERS.get(kind, leb) for kind in opcode.immediates]


def _memory_access(token: bytes, position: int) -> tuple[tuple[int, int], int]:
    flags, position = leb(token, position)
    memory, position = leb(token, position) if flags & 0x40 else (0, position)
    offset, position = leb(token, position)
    return (memory, offset), position


def _labels(token: bytes, position: int) -> tuple[tuple[int, ...], int]:
    count, position = leb(token, position)
    labels = []
    for _ in range(count + 1):
        label, position = leb(token, position)
        labels.append(label)
    return tuple(labels), position


def _bytes(size: int) -> _Reader:
    return lambda token, position: (token[position : position + size], position + size)


def _block_type(token: bytes, position: int) -> tuple[ValueType | int | None, int]:
    """None, a value type, or a type index."""
    byte = token[position]
    if byte == 0x40:
        return None, position + 1
    if byte in _SHORT_TYPES:
        return _SHORT_TYPES[byte], position + 1
    return signed_leb(token, position)


def _types(token: bytes, position: int) -> tuple[None, int]:
    """Passed over: nobody asks for them."""
    count, position = leb(token, position)
    for _ in range(count):
        is_long = token[position] in _LONG_TYPES
        position += 1
        if is_long:
            _, position = leb(token, position)
    return None, position


_LONG_TYPES: Final = frozenset((ValueType.ref(0).code, ValueType.ref(0, nullable=False).code))
"""Followed by a heap type."""
_SHORT_TYPES: Final = {
    0x7F: ValueType.I32,
    0x7E: ValueType.I64,
    0x7D: ValueType.F32,
    0x7C: ValueType.F64,
    0x7B: ValueType.V128,
    0x70: ValueType.FUNCREF,
    0x6F: ValueType.EXTERNREF,
}
_READERS: Final[dict[Immediate, _Reader]] = {
    Immediate.MEMARG: _memory_access,
    Immediate.LABELS: _labels,
    Immediate.BLOCK_TYPE: _block_type,
    Immediate.VALUE_TYPES: _types,
    Immediate.I32: signed_leb,
    Immediate.I64: signed_leb,
    Immediate.HEAP_TYPE: signed_leb,
    Immediate.F32: _bytes(4),
    Immediate.F64: _bytes(8),
    Immediate.V128: _bytes(16),
    Immediate.LANE: _bytes(1),
    Immediate.ZERO_BYTE: _bytes(1),
}
"""The others are unsigned numbers."""


def i32_const(value: int) -> bytes:
    """The token of ``i32.const value``, for a value of 0 to 2**31 - 1."""
    groups = bytearray(b"\x41")
    while value > 0x3F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
