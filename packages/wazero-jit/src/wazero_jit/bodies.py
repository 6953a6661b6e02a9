"""Function bodies from lists of instructions, for programs that make modules themselves.

An instruction is written as in the text format, but as data: its name, as `wazero_api.BY_NAME` has it, or a tuple of the
name and its immediates::

    [("local.get", 0), ("local.get", 0), "f64.mul", ("f64.const", 1.5), "f64.add"]

Immediates are ints and floats but for these:

===========================  ==========================================================================================
``block``, ``loop``, ``if``  nothing, a `ValueType` (of the only result) or an int (index of a type)
loads and stores             nothing, an int (offset in bytes) or a tuple (index of the memory, offset)
``br_table``                 a sequence of label depths, the last for all other values
``select t*``                a sequence of one `ValueType`
``ref.null``                 a `ValueType`
===========================  ==========================================================================================

Indices of memories and tables may be left out, as in the text format, where all that follows may be left out too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, Final, final

from wazero_api import (
    BY_NAME,
    OPCODES,
    CoreFeatures,
    Expression,
    FunctionBody,
    Immediate,
    InvalidModuleError,
    MalformedModuleError,
    Module,
    Opcode,
    UnsupportedError,
    ValidatedBody,
    ValueType,
    WazeroError,
)

from .translate.immediates import Instruction as Decoded
from .translate.immediates import instruction_at

Instruction = str | tuple[Any, ...] | bytes
"""A name, a tuple of a name and immediates, or what `encode_instruction` made."""

_Encoder = Callable[[Opcode, Any], bytes]
_END: Final = BY_NAME["end"].encoding
_EMPTY_BLOCK: Final = b"\x40"


def encode_instruction(name: str, *immediates: Any) -> bytes:
    """The binary form of one instruction. See the module for how immediates are written.

    Raises ValueError for a name or number that there is not, OverflowError for a float that is too large, TypeError for
    immediates that do not fit the instruction.
    """
    opcode, encoders, least = _layout(name)
    missing = len(encoders) - len(immediates)
    if missing < 0 or len(immediates) < least:
        wanted = ", ".join(kind.name for kind in opcode.immediates) or "none"
        raise TypeError(f"{name} has the immediates {wanted}; {len(immediates)} were given")
    encoding = opcode.encoding
    try:
        for encode, value in zip(encoders, (*immediates, *(None,) * missing), strict=True):
            encoding += encode(opcode, value)
    except (TypeError, AttributeError, struct.error) as error:
        raise TypeError(f"{name} {', '.join(map(repr, immediates))}: {error}") from None
    return encoding


@cache
def _layout(name: str) -> tuple[Opcode, list[_Encoder], int]:
    """The opcode, what writes its immediates, and how many of them have to be there. Raises ValueError."""
    opcode = BY_NAME.get(name)
    if opcode is None:
        raise ValueError(f"no instruction is named {name!r}")
    kinds = opcode.immediates
    least = max([index for index, kind in enumerate(kinds, 1) if kind not in _MAY_BE_LEFT_OUT], default=0)
    return opcode, [_ENCODERS.get(kind, _index) for kind in kinds], least


def function_body(instructions: Iterable[Instruction], local_types: Sequence[ValueType] = ()) -> FunctionBody:
    """A body of these instructions, the last ``end`` excepted; `local_types` are of the locals that come after the parameters.

    Raises what `encode_instruction` raises. Its offset is 0, so that those in traces count from the body's start.
    """
    runs = tuple((len(list(run)), type) for type, run in groupby(local_types))
    return FunctionBody(runs, _encoded(instructions), 0)


def constant_expression(instructions: Iterable[Instruction]) -> Expression:
    """An initialiser or the offset of a segment, as ``[("i32.const", 8)]``. The rest is as with `function_body`."""
    return Expression(_encoded(instructions), 0)


def _encoded(instructions: Iterable[Instruction]) -> bytes:
    parts = []
    for item in instructions:
        if isinstance(item, bytes):
            parts.append(item)
        elif isinstance(item, str):
            parts.append(encode_instruction(item))
        else:
            parts.append(encode_instruction(*item))
    return b"".join(parts) + _END


# Immediates. Each function gets the instruction's row and the value, None if it was left out.


def _unsigned(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _signed(value: int) -> bytes:
    groups = bytearray()
    while not -0x40 <= value < 0x40:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value & 0x7F)
    return bytes(groups)


def _index(opcode: Opcode, value: int | None) -> bytes:
    value = value or 0
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{opcode.name}: {value} is no index")
    return _unsigned(value)


def _integer(bits: int) -> Callable[[Opcode, int], bytes]:
    def encode(opcode: Opcode, value: int) -> bytes:
        if not -(1 << bits - 1) <= value < 1 << bits:
            raise ValueError(f"{opcode.name}: {value} does not fit into {bits} bits")
        half = 1 << bits - 1
        return _signed((value + half) % (1 << bits) - half)

    return encode


def _float(layout: str) -> Callable[[Opcode, float | bytes], bytes]:
    pack = struct.Struct(layout)

    def encode(opcode: Opcode, value: float | bytes) -> bytes:
        if not isinstance(value, bytes):
            return pack.pack(value)
        pack.unpack(value)  # has it the right length?
        return value

    return encode


def _sixteen_bytes(opcode: Opcode, value: bytes) -> bytes:
    if len(value) != 16:
        raise ValueError(f"{opcode.name} takes 16 bytes, not {len(value)}")
    return bytes(value)


def _memory_access(opcode: Opcode, value: int | tuple[int, int] | None) -> bytes:
    memory, offset = value if isinstance(value, tuple) else (0, value or 0)
    if not 0 <= offset < 1 << 32:
        raise ValueError(f"{opcode.name}: the offset {offset} does not fit into 32 bits")
    alignment = opcode.natural_alignment
    return (bytes((alignment | 0x40,)) + _unsigned(memory) if memory else bytes((alignment,))) + _unsigned(offset)


def _value_type(type: ValueType) -> bytes:
    if type.is_nullable and type.heap < 0:
        return _signed(type.heap)
    return bytes((type.code,)) + (_signed(type.heap) if type.is_ref else b"")


def _block_type(opcode: Opcode, value: ValueType | int | None) -> bytes:
    if value is None:
        return _EMPTY_BLOCK
    return _signed(value) if isinstance(value, int) else _value_type(value)


def _labels(opcode: Opcode, value: Sequence[int]) -> bytes:
    return _unsigned(len(value) - 1) + b"".join([_index(opcode, label) for label in value])


_MAY_BE_LEFT_OUT: Final = {Immediate.BLOCK_TYPE, Immediate.MEMARG, Immediate.MEMORY, Immediate.TABLE}
_ENCODERS: Final[dict[Immediate, _Encoder]] = {
    Immediate.BLOCK_TYPE: _block_type,
    Immediate.LABELS: _labels,
    Immediate.MEMARG: _memory_access,
    Immediate.I32: _integer(32),
    Immediate.I64: _integer(64),
    Immediate.F32: _float("<f"),
    Immediate.F64: _float("<d"),
    Immediate.V128: _sixteen_bytes,
    Immediate.SHUFFLE: _sixteen_bytes,
    Immediate.HEAP_TYPE: lambda _, type: _signed(type.heap),
    Immediate.VALUE_TYPES: lambda _, types: _unsigned(len(types)) + b"".join(map(_value_type, types)),
}
"""The others are unsigned numbers."""


# Bodies for the engine


@final
class UncheckedBodies:
    """A `wazero_api.BodySource` for modules whose maker vouches for them: **types are not checked**.

    Only what costs next to nothing is: that bodies consist of instructions that the engine has, that indices and labels
    exist, and that blocks end.
    """

    def __init__(self, module: Module, features: CoreFeatures) -> None:
        """`features` are those of the engine."""
        self.module = module
        self._names = _names(features)
        self._counts = {
            Immediate.FUNC: len(module.function_types()),
            Immediate.TYPE: len(module.types),
            Immediate.TABLE: len(module.table_types()),
            Immediate.MEMORY: len(module.memory_types()),
            Immediate.GLOBAL: len(module.global_types()),
            Immediate.ELEM: len(module.elements),
            Immediate.DATA: len(module.data),
        }

    def body(self, defined_index: int) -> ValidatedBody:
        """Raises UnsupportedError: nothing is known of the bodies but their instructions."""
        raise UnsupportedError("of a body that is not validated only the instructions are known")

    def instructions(self, defined_index: int) -> Sequence[bytes]:
        """See `wazero_api.BodySource`. Raises MalformedModuleError, InvalidModuleError or UnsupportedError."""
        try:
            return self._cut(defined_index)
        except WazeroError as error:
            error.add_note(f"in function {defined_index} of those that the module defines")
            raise

    def _cut(self, defined_index: int) -> list[bytes]:
        body = self.module.bodies[defined_index]
        counts = self._counts | {Immediate.LOCAL: self._local_count(defined_index)}
        code, tokens = body.code, []
        position, depth = 0, 1
        while position < len(code) and depth:
            start = position
            (opcode, immediates), position = _instruction_at(code, start, body.offset)
            if opcode.name not in self._names:
                raise UnsupportedError(f"the native engine does not have {opcode.name}")
            if immediates:
                counts[Immediate.LABEL] = depth
                _check(opcode, immediates, counts, body.offset + start)
            tokens.append(code[start:position])
            depth += _NESTING.get(opcode.name, 0)
        if depth or position < len(code):
            raise InvalidModuleError("blocks and their ends do not match", body.offset + position)
        return tokens

    def _local_count(self, defined_index: int) -> int:
        params = self.module.types[self.module.functions[defined_index]].params
        return len(params) + sum([count for count, _ in self.module.bodies[defined_index].locals])


_NESTING: Final = {"block": 1, "loop": 1, "if": 1, "end": -1}


@cache
def _names(features: CoreFeatures) -> frozenset[str]:
    """Of the instructions that there are with these features."""
    return frozenset(opcode.name for opcode in OPCODES if not opcode.feature & ~features)


def _instruction_at(code: bytes, start: int, offset: int) -> tuple[Decoded, int]:
    try:
        decoded, end = instruction_at(code, start)
    except (KeyError, IndexError):
        end = len(code) + 1
    if end > len(code):
        raise MalformedModuleError("this is no instruction, or a part of one", offset + start)
    return decoded, end


def _check(opcode: Opcode, immediates: Sequence[Any], counts: Mapping[Immediate, int], offset: int) -> None:
    """Is there what the indices name?"""
    for kind, value in zip(opcode.immediates, immediates, strict=True):
        if kind is Immediate.LABELS:
            kind, value = Immediate.LABEL, max(value)
        elif kind is Immediate.MEMARG:
            kind, value = Immediate.MEMORY, value[0]
        elif kind is Immediate.BLOCK_TYPE and isinstance(value, int):
            kind = Immediate.TYPE
        if kind in counts and value >= counts[kind]:
            raise InvalidModuleError(f"{opcode.name}: there is no {kind.value} {value}", offset)
