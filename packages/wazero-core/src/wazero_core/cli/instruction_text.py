"""Instructions as the text format writes them (spec 6.5), but for names: indices stay numbers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from wazero_api import HEAP_TYPE_NAMES, Immediate, Opcode, ValueType, decode_f32, decode_f64
from wazero_core.binary.instructions import Catch, Instruction, MemArg

_SPACES: Final = (Immediate.MEMORY, Immediate.TABLE)
"""Indices that are left out where they are 0, and stand before others."""


def instruction_text(instruction: Instruction) -> str:
    """One line."""
    opcode, values = instruction
    parts = list(zip(opcode.immediates, values, strict=True))
    if len(parts) == 2 and parts[1][0] in _SPACES and parts[0][0] not in _SPACES:
        parts.reverse()  # the binary format has a table's or memory's index last
    words = [_WRITERS.get(kind, _number)(opcode, value) for kind, value in parts]
    return " ".join(filter(None, [opcode.name.partition(" ")[0], *words]))


# Each of these gets the instruction's row and the value that it has read.


def _number(opcode: Opcode, value: int) -> str:
    return str(value)


def _number_unless_zero(opcode: Opcode, value: int) -> str:
    return str(value or "")


def _block_type(opcode: Opcode, value: ValueType | int | None) -> str:
    if value is None:
        return ""
    return f"(type {value})" if isinstance(value, int) else f"(result {value.name})"


def _type(opcode: Opcode, value: int) -> str:
    return f"(type {value})" if opcode.name.startswith(("call", "return_call")) else str(value)


def _labels(opcode: Opcode, value: Sequence[int]) -> str:
    return " ".join(map(str, value))


def _memory_access(opcode: Opcode, value: MemArg) -> str:
    words = [str(value.memory or "")]
    words.append(f"offset={value.offset}" if value.offset else "")
    words.append(f"align={1 << value.align}" if value.align != opcode.natural_alignment else "")
    return " ".join(filter(None, words))


def _float(decode: Callable[[int], float], bits: int, fraction_bits: int) -> Callable[[Opcode, bytes], str]:
    def text(opcode: Opcode, value: bytes) -> str:
        number = int.from_bytes(value, "little")
        payload = number & (1 << fraction_bits) - 1
        if decode(number) == decode(number):
            return repr(decode(number))
        return f"{'-' if number >> bits - 1 else ''}nan:{payload:#x}"

    return text


def _vector(opcode: Opcode, value: bytes) -> str:
    return "i32x4 " + " ".join(f"{lane:#010x}" for lane in struct.unpack("<4I", value))


def _lanes(opcode: Opcode, value: bytes) -> str:
    return " ".join(map(str, value))


def _heap_type(opcode: Opcode, value: int) -> str:
    return HEAP_TYPE_NAMES.get(value, str(value))


def _value_types(opcode: Opcode, value: Sequence[ValueType]) -> str:
    return f"(result {' '.join(type.name for type in value)})"


def _catches(opcode: Opcode, value: Sequence[Catch]) -> str:
    texts = []
    for catch in value:
        name = f"catch{'' if catch.tag is not None else '_all'}{'_ref' if catch.wants_reference else ''}"
        texts.append(f"({' '.join(str(word) for word in (name, catch.tag, catch.label) if word is not None)})")
    return " ".join(texts)


_WRITERS: Final[dict[Immediate, Callable[[Opcode, Any], str]]] = {
    Immediate.BLOCK_TYPE: _block_type,
    Immediate.TYPE: _type,
    Immediate.TABLE: _number_unless_zero,
    Immediate.MEMORY: _number_unless_zero,
    Immediate.LABELS: _labels,
    Immediate.MEMARG: _memory_access,
    Immediate.F32: _float(decode_f32, 32, 23),
    Immediate.F64: _float(decode_f64, 64, 52),
    Immediate.V128: _vector,
    Immediate.SHUFFLE: _lanes,
    Immediate.HEAP_TYPE: _heap_type,
    Immediate.VALUE_TYPES: _value_types,
    Immediate.CATCHES: _catches,
    Immediate.ZERO_BYTE: lambda opcode, value: "",
}
"""The others are numbers."""
