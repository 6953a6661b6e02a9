"""Tokens: they always add up, and each is one instruction's encoding, padded numbers and long tables included."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.binary import i32_const, leb, vec
from wazero_api import BY_NAME, OPCODES, Immediate, MalformedModuleError, Opcode, ValueType
from wazero_core.binary import instructions
from wazero_core.binary.instructions import MemArg, decode_instruction, expression_length, tokenize

BR_TABLE = b"\x0e"


DIFFICULT = st.lists(st.sampled_from([*b"\x02\x0e\x1c\x0b\x41\x80\xff\x00\x11\xfc\x08\x1f"]), max_size=200).map(bytes)
"""Openers of long and short immediates, and continuation bytes."""


def tokens_or_none(cut: Callable[[bytes], list[bytes]], code: bytes) -> list[bytes] | None:
    """The tokens; None where a table of labels, types or catches announces more than there is."""
    try:
        return cut(code)
    except MalformedModuleError:
        assert {0x0E, 0x1C, 0x1F} & set(code)
        return None


@given(st.binary(max_size=300) | DIFFICULT)
def test_tokens_add_up(code: bytes) -> None:
    tokens = tokens_or_none(tokenize, code)
    if tokens is not None:
        assert b"".join(tokens) == code
        assert all(tokens)


@given(st.binary(max_size=300).map(lambda code: code.translate(None, b"\x0e\x1c\x1f")))
def test_without_vectors_any_bytes_are_tokens(code: bytes) -> None:
    assert b"".join(tokenize(code)) == code


@given(st.binary(max_size=100) | DIFFICULT)
def test_one_by_one_cuts_the_same(code: bytes) -> None:
    """Bodies with many restarts go another way, to the same end."""
    one_by_one = tokens_or_none(lambda c: instructions._tokenize_one_by_one(c, 0), code)
    at_once = tokens_or_none(tokenize, code)
    assert one_by_one == at_once or None in (one_by_one, at_once)


@pytest.mark.parametrize("count", [0, 1, 5, 15, 16, 17, 100, 1000])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_tables_of_any_length(count: int, width: int) -> None:
    table = BR_TABLE + leb(count) + b"".join(leb(i % 100, width) for i in range(count + 1))
    code = b"\x20\x00" + table + b"\x01" + table + b"\x0b"
    assert tokenize(code) == [b"\x20\x00", table, b"\x01", table, b"\x0b"]
    assert decode_instruction(table).immediates == (tuple(i % 100 for i in range(count + 1)),)


def test_a_table_with_a_padded_count() -> None:
    table = BR_TABLE + leb(2, 5) + b"\0\1\2"
    assert tokenize(table + b"\x0b") == [table, b"\x0b"]


@pytest.mark.parametrize("count", [1, 10, 1000, 8000])
def test_bodies_with_many_long_tables(count: int) -> None:
    table = BR_TABLE + vec([b"\0"] * 20) + b"\0"
    code = (b"\x20\x00" + table + b"\x1c\x01\x7f") * count + b"\x0b"
    assert tokenize(code) == [b"\x20\x00", table, b"\x1c\x01\x7f"] * count + [b"\x0b"]


_SAMPLES = {
    Immediate.BLOCK_TYPE: b"\x40",
    Immediate.LABELS: b"\x01\x00\x00",
    Immediate.MEMARG: b"\x02\x08",
    Immediate.F32: b"\x00\x0b\x00\x0b",
    Immediate.F64: b"\x0b" * 8,
    Immediate.V128: b"\x0b" * 16,
    Immediate.SHUFFLE: b"\x0b" * 16,
    Immediate.VALUE_TYPES: b"\x01\x7f",
    Immediate.CATCHES: b"\x01\x02\x00",
    Immediate.HEAP_TYPE: b"\x70",
    Immediate.ZERO_BYTE: b"\x00",
}
_ENDLESS = b"\x80" * 200


@pytest.mark.parametrize("name", BY_NAME)
def test_every_instruction_is_one_token(name: str) -> None:
    opcode = BY_NAME[name]
    token = opcode.encoding + b"".join(_SAMPLES.get(kind, b"\x05") for kind in opcode.immediates)
    assert tokenize(token + b"\x0b") == [token, b"\x0b"]
    decoded = decode_instruction(token)
    assert decoded.opcode is opcode
    assert len(decoded.immediates) == len(opcode.immediates)


@pytest.mark.parametrize("opcode", [o for o in OPCODES if o.prefix], ids=lambda o: o.name)
def test_opcodes_behind_a_prefix_may_be_padded(opcode: Opcode) -> None:
    for width in range(len(leb(opcode.code)), 6):
        token = bytes([opcode.prefix]) + leb(opcode.code, width)
        token += b"".join(_SAMPLES.get(kind, b"\x05") for kind in opcode.immediates)
        assert tokenize(token + b"\x0b") == [token, b"\x0b"]
        assert decode_instruction(token).opcode is opcode


@pytest.mark.parametrize(
    ("token", "name", "immediates"),
    [
        (b"\x41\x7f", "i32.const", (-1,)),
        (b"\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", "i64.const", (-(1 << 63),)),
        (b"\x43\x00\x00\xa0\x7f", "f32.const", (b"\x00\x00\xa0\x7f",)),
        (b"\x28\x02\x80\x08", "i32.load", (MemArg(2, 0, 1024),)),
        (b"\x28\x42\x03\x10", "i32.load", (MemArg(2, 3, 16),)),
        (b"\x02\x40", "block", (None,)),
        (b"\x03\x7f", "loop", (ValueType.I32,)),
        (b"\x04\x05", "if", (5,)),
        (b"\x11\x01\x02", "call_indirect", (1, 2)),
        (b"\x1c\x01\x70", "select t*", ((ValueType.FUNCREF,),)),
        (b"\xd0\x6f", "ref.null", (-0x11,)),
        (b"\xfc\x08\x01\x02", "memory.init", (1, 2)),
    ],
)
def test_immediates(token: bytes, name: str, immediates: tuple[object, ...]) -> None:
    decoded = decode_instruction(token)
    assert (decoded.opcode.name, decoded.immediates) == (name, immediates)


@pytest.mark.parametrize(
    ("token", "message", "offset"),
    [
        pytest.param(b"\xff", "illegal opcode ff", 100, id="unknown"),
        pytest.param(b"\xfc\xff\x7f", "illegal opcode", 100, id="unknown behind a prefix"),
        pytest.param(b"\xfc", "unexpected end", 101, id="prefix alone"),
        pytest.param(b"\x41", "unexpected end", 101, id="constant without a number"),
        pytest.param(b"\x41\xff\xff\xff\xff\x0f", "integer too large", 101, id="i32.const beyond 32 bits"),
        pytest.param(b"\x42" + b"\x80" * 10 + b"\0", "representation too long", 101, id="i64.const of 11 bytes"),
        pytest.param(b"\x44\0\0", "unexpected end", 101, id="f64.const cut"),
        pytest.param(b"\x28\x80\x01\x00", "malformed memop flags", 101, id="memarg flags"),
        pytest.param(b"\x02\x41", "malformed block type", 101, id="negative type index"),
        pytest.param(b"\x1c\x01\x40", "malformed value type", 102, id="select of no type"),
        pytest.param(b"\x0e\x05\x00", "items announced", 101, id="br_table cut"),
    ],
)
def test_faults_say_where(token: bytes, message: str, offset: int) -> None:
    with pytest.raises(MalformedModuleError, match=message) as caught:
        decode_instruction(token, 100)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("code", "length"),
    [
        (b"\x0b", 1),
        (i32_const(5) + b"\x0b", 3),
        (b"\x02\x40\x0b\x0b", 4),
        (b"\x41\x0b\x0b", 3),
        (b"\x0e" + vec([b"\0"] * 20) + b"\0\x0b", 24),
    ],
)
def test_expression_length(code: bytes, length: int) -> None:
    assert expression_length(b"xx" + code + b"\x01rest", 2, 2 + len(code) + 5) == length


@pytest.mark.parametrize("code", [b"", b"\x41", b"\x41\x00", b"\x02\x40\x0b", b"\xff\x0b", b"\x0e" + _ENDLESS])
def test_expressions_without_end(code: bytes) -> None:
    with pytest.raises(MalformedModuleError):
        expression_length(code, 0, len(code))


def test_an_expression_never_reaches_beyond_its_section() -> None:
    with pytest.raises(MalformedModuleError, match="no end opcode"):
        expression_length(b"\x41\x00\x0b", 0, 2)
