"""Instructions in the binary format (spec 5.4): cutting a body into tokens, and decoding one token.

A token is the encoding of one instruction. One compiled pattern, made from the opcode table, cuts them at C speed; a
byte that opens no instruction becomes a token of its own, so that tokens always add up to the body. What a token means
is only looked at by `decode_instruction`, which callers remember: few tokens of a module are distinct.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from wazero_api import BY_CODE, BY_NAME, OPCODES, Immediate, MalformedModuleError, Opcode, ValueType

from .reader import Reader
from .types import read_heap_type, read_value_type

_MAX_RESTARTS: Final = 64
"""Tokens of open-ended length in one body after which the others are matched one by one; see `tokenize`."""
_SMALL_BR_TABLE: Final = 16

_LEB32: Final = rb"[\x80-\xff]{0,4}[\x00-\x7f]"
_LEB64: Final = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_VALUE_TYPE: Final = rb"(?:[\x63\x64]" + _LEB32 + rb"|[\x65-\x7f])"
_REST: Final = rb"[\x00-\xff]*"
_SMALL_TABLES: Final = b"|".join(rb"\x%02x(?:%b){%d}" % (n, _LEB32, n + 1) for n in range(_SMALL_BR_TABLE))

_PATTERNS: Final = {
    Immediate.BLOCK_TYPE: rb"(?:[\x63\x64]" + _LEB32 + rb"|" + _LEB32 + rb")",
    Immediate.LABELS: rb"(?:" + _SMALL_TABLES + rb"|" + _REST + rb")",
    Immediate.MEMARG: rb"(?:[\x40-\x7f]" + _LEB32 + rb"|" + _LEB32 + rb")" + _LEB64,
    Immediate.I64: _LEB64,
    Immediate.F32: rb"[\x00-\xff]{4}",
    Immediate.F64: rb"[\x00-\xff]{8}",
    Immediate.V128: rb"[\x00-\xff]{16}",
    Immediate.SHUFFLE: rb"[\x00-\xff]{16}",
    Immediate.LANE: rb"[\x00-\xff]",
    Immediate.VALUE_TYPES: rb"(?:\x01" + _VALUE_TYPE + rb"|" + _REST + rb")",
    Immediate.CATCHES: _REST,
    Immediate.CAST_FLAGS: rb"[\x00-\xff]",
    Immediate.ZERO_BYTE: rb"[\x00-\xff]",
}
"""How each kind of immediate is matched; the others are numbers of up to 32 (or 33) bits."""

_FREQUENT: Final = ("local.get", "i32.add", "i32.load", "block", "f64.const")
"""One instruction of each frequent shape of immediates: these shapes are tried first."""

END: Final = BY_NAME["end"].encoding


class Instruction(NamedTuple):
    """A decoded token: its row in the opcode table, and one value for each of the row's immediates."""

    opcode: Opcode
    immediates: tuple[Any, ...]


class MemArg(NamedTuple):
    """A memory operand: log2 of the alignment, index of the memory, offset in bytes."""

    align: int
    memory: int
    offset: int


@cache
def _token_pattern() -> re.Pattern[bytes]:
    shapes: defaultdict[bytes, list[Opcode]] = defaultdict(list)
    for opcode in OPCODES:
        shapes[b"".join(_PATTERNS.get(immediate, _LEB32) for immediate in opcode.immediates)].append(opcode)
    frequent = [b"".join(_PATTERNS.get(i, _LEB32) for i in BY_NAME[name].immediates) for name in _FREQUENT]
    ordered = [*frequent, *(shape for shape in shapes if shape not in frequent)]
    branches = []
    for shape in ordered:
        plain = b"".join(re.escape(o.encoding) for o in shapes[shape] if not o.prefix)
        if plain:
            branches.append(b"[" + plain + b"]" + shape)
    for shape in ordered:
        by_prefix: defaultdict[int, list[int]] = defaultdict(list)
        for opcode in shapes[shape]:
            if opcode.prefix:
                by_prefix[opcode.prefix].append(opcode.code)
        for prefix, numbers in by_prefix.items():
            branches.append(rb"\x%02x(?:%b)" % (prefix, _number_pattern(numbers)) + shape)
    return re.compile(b"|".join([*branches, rb"[\x00-\xff]"]))


def _number_pattern(numbers: list[int]) -> bytes:
    """Matches any of these in LEB128, which may be padded with zero groups; a class of bytes for all that differ in one."""
    by_high: defaultdict[int, list[int]] = defaultdict(list)
    for number in numbers:
        by_high[number >> 7].append(number & 0x7F)
    branches = []
    for high, lows in by_high.items():
        more = b"".join([rb"\x%02x" % (low | 0x80) for low in lows])
        if high:
            branches.append(rb"[%b](?:\x%02x|\x%02x\x80{0,2}\x00)" % (more, high, high | 0x80))
        else:
            last = b"".join([rb"\x%02x" % low for low in lows])
            branches.append(rb"[%b]|[%b]\x80{0,3}\x00" % (last, more))
    return b"|".join(branches)


def tokenize(code: bytes) -> list[bytes]:
    """Cut a body into tokens, whose lengths add up to ``len(code)``.

    The few instructions whose length no pattern can tell (long br_tables) match up to the end of the body, are cut to
    their length here, and matching goes on behind them. That copies the rest of the body each time; a hostile body
    could make it copy without end, so after a number of restarts tokens are matched one by one, which is slower.
    """
    pattern = _token_pattern()
    tokens = pattern.findall(code)
    position = restarts = 0
    while tokens and tokens[-1] != END and tokens[-1][0] in _OPEN_ENDED:
        position = len(code) - len(tokens.pop())
        length = _open_ended_length(code, position)
        tokens.append(code[position : position + length])
        position += length
        if position == len(code):
            break
        restarts += 1
        if restarts == _MAX_RESTARTS:
            return tokens + _tokenize_one_by_one(code, position)
        tokens += pattern.findall(code, position)
    return tokens


def _tokenize_one_by_one(code: bytes, position: int) -> list[bytes]:
    tokens = []
    match = _token_pattern().match
    while position < len(code):
        if code[position] in _OPEN_ENDED:
            length = _open_ended_length(code, position)
        else:
            found = match(code, position)
            assert found is not None, "the last alternative matches any byte"
            length = found.end() - position
        tokens.append(code[position : position + length])
        position += length
    return tokens


_OPEN_ENDED: Final = frozenset(
    opcode.code
    for opcode in OPCODES
    if not opcode.prefix and any(_REST in _PATTERNS.get(immediate, b"") for immediate in opcode.immediates)
)


def _open_ended_length(code: bytes, position: int) -> int:
    reader = Reader(code, position)
    for immediate in BY_CODE[0, reader.byte()].immediates:
        _read_immediate(immediate, reader)
    return reader.position - position


def expression_length(data: bytes, start: int, end: int) -> int:
    """How many bytes the expression at `start` takes, its ``end`` included.

    Raises MalformedModuleError if there is no ``end`` before `end`, or a byte is no instruction.
    """
    reader = Reader(data, start, end)
    depth = 1
    while depth:
        if reader.position >= end:
            raise reader.fail("unexpected end: an expression has no end opcode")
        opcode = _read_instruction(reader).opcode
        depth += 0 if opcode.prefix else _NESTING.get(opcode.code, 0)
    return reader.position - start


_NESTING: Final = dict.fromkeys([BY_NAME[name].code for name in ("block", "loop", "if", "try_table")], 1) | {END[0]: -1}
"""How many more blocks are open behind an instruction."""


def decode_instruction(token: bytes, offset: int = 0) -> Instruction:
    """What `token` says. `offset`, its place in the binary, is added to the position in errors.

    Raises MalformedModuleError for an unknown opcode, missing bytes, or a number too long or too large.
    """
    try:
        return _read_instruction(Reader(token))
    except MalformedModuleError as error:
        raise MalformedModuleError(error.message, offset + (error.offset or 0)) from None


def _read_instruction(reader: Reader) -> Instruction:
    start = reader.position
    prefix, code = 0, reader.byte()
    if code >= _FIRST_PREFIX and code in _PREFIXES:
        prefix, code = code, reader.u32()
    opcode = BY_CODE.get((prefix, code))
    if opcode is None:
        raise reader.fail(f"illegal opcode {reader.data[start : reader.position].hex()}", start)
    return Instruction(opcode, tuple([_read_immediate(kind, reader) for kind in opcode.immediates]))


_PREFIXES: Final = frozenset(opcode.prefix for opcode in OPCODES if opcode.prefix)
_FIRST_PREFIX: Final = min(_PREFIXES)


def _read_block_type(reader: Reader) -> ValueType | int | None:
    """None for no parameters and results, a value type for one result, else a type index."""
    byte = reader.data[reader.position] if reader.position < reader.end else 0
    if byte == 0x40:
        reader.position += 1
        return None
    if 0x60 <= byte < 0x80:
        return read_value_type(reader)
    start = reader.position
    index = reader.signed(33)
    if index < 0:
        raise reader.fail("malformed block type", start)
    return index


def _read_memarg(reader: Reader) -> MemArg:
    start = reader.position
    flags = reader.u32()
    if flags >= 0x80:
        raise reader.fail("malformed memop flags", start)
    memory = reader.u32() if flags & 0x40 else 0
    return MemArg(flags & 0x3F, memory, reader.unsigned(64))


def _read_zero_byte(reader: Reader) -> int:
    if reader.byte() != 0:
        raise reader.fail("zero byte expected", reader.position - 1)
    return 0


def _read_labels(reader: Reader) -> tuple[int, ...]:
    """All targets of a br_table, the default last."""
    count = reader.data[reader.position] if reader.position < reader.end else 0x80
    labels = reader.data[reader.position + 1 : min(reader.position + count + 2, reader.end)]
    if count < 0x80 and len(labels) == count + 1 and labels.isascii():  # all numbers are of one byte, mostly
        reader.position += count + 2
        return tuple(labels)
    return tuple([reader.u32() for _ in range(reader.count() + 1)])


def _read_value_types(reader: Reader) -> tuple[ValueType, ...]:
    return tuple([read_value_type(reader) for _ in range(reader.count())])


class Catch(NamedTuple):
    """A catch clause of try_table: tag index or None, whether it wants the reference, label."""

    tag: int | None
    wants_reference: bool
    label: int


def _read_catches(reader: Reader) -> tuple[Catch, ...]:
    catches = []
    for _ in range(reader.count(2)):
        kind = reader.byte()
        if kind > 3:
            raise reader.fail(f"malformed catch clause {kind:#04x}", reader.position - 1)
        tag = reader.u32() if kind < 2 else None
        catches.append(Catch(tag, bool(kind & 1), reader.u32()))
    return tuple(catches)


_READERS: Final[dict[Immediate, Callable[[Reader], Any]]] = {
    Immediate.BLOCK_TYPE: _read_block_type,
    Immediate.LABELS: _read_labels,
    Immediate.MEMARG: _read_memarg,
    Immediate.I32: lambda reader: reader.signed(32),
    Immediate.I64: lambda reader: reader.signed(64),
    Immediate.F32: lambda reader: reader.take(4),
    Immediate.F64: lambda reader: reader.take(8),
    Immediate.V128: lambda reader: reader.take(16),
    Immediate.SHUFFLE: lambda reader: reader.take(16),
    Immediate.LANE: Reader.byte,
    Immediate.HEAP_TYPE: read_heap_type,
    Immediate.VALUE_TYPES: _read_value_types,
    Immediate.CATCHES: _read_catches,
    Immediate.CAST_FLAGS: Reader.byte,
    Immediate.ZERO_BYTE: _read_zero_byte,
}


def _read_immediate(kind: Immediate, reader: Reader) -> Any:
    return _READERS.get(kind, Reader.u32)(reader)
