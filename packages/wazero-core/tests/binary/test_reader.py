"""Primitive values: numbers within their width and length, vectors within their bytes, names in UTF-8."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wazero_api import MalformedModuleError
from wazero_core.binary.reader import Reader


def unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def signed(value: int) -> bytes:
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 5))
def test_u32_in_any_length(value: int, padded_to: int) -> None:
    data = bytearray(unsigned(value))
    while len(data) < padded_to:
        data[-1] |= 0x80
        data.append(0)
    reader = Reader(bytes(data) + b"rest")
    assert reader.u32() == value
    assert reader.position == len(data)


@given(st.integers(0, (1 << 64) - 1))
def test_u64(value: int) -> None:
    assert Reader(unsigned(value)).unsigned(64) == value


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_s32(value: int) -> None:
    assert Reader(signed(value)).signed(32) == value


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_s64(value: int) -> None:
    assert Reader(signed(value)).signed(64) == value


Read = Callable[[Reader], object]


@pytest.mark.parametrize(
    ("read", "data", "message", "offset"),
    [
        pytest.param(Reader.u32, b"", "unexpected end", 0, id="no byte"),
        pytest.param(Reader.u32, b"\x80\x80", "unexpected end", 2, id="cut"),
        pytest.param(Reader.u32, b"\x80" * 5 + b"\0", "integer representation too long", 0, id="u32 of six bytes"),
        pytest.param(Reader.u32, b"\xff\xff\xff\xff\x10", "integer too large", 0, id="u32 of 33 bits"),
        pytest.param(lambda r: r.unsigned(64), b"\xff" * 9 + b"\2", "integer too large", 0, id="u64 of 65 bits"),
        pytest.param(lambda r: r.unsigned(64), b"\x80" * 10 + b"\0", "too long", 0, id="u64 of eleven bytes"),
        pytest.param(lambda r: r.signed(32), b"\x80" * 5 + b"\0", "too long", 0, id="s32 of six bytes"),
        pytest.param(lambda r: r.signed(32), b"\xff\xff\xff\xff\x0f", "integer too large", 0, id="s32 wrong sign bits"),
        pytest.param(lambda r: r.signed(32), b"\x80\x80\x80\x80\x70", "integer too large", 0, id="s32 too small"),
        pytest.param(lambda r: r.signed(64), b"\xff" * 9 + b"\1", "integer too large", 0, id="s64 wrong sign bits"),
        pytest.param(lambda r: r.signed(33), b"\xff\xff\xff\xff\x1f", "integer too large", 0, id="s33 too large"),
        pytest.param(lambda r: r.take(3), b"ab", "length out of bounds", 0, id="take too much"),
        pytest.param(Reader.count, b"\x05abcd", "5 items announced, 4 bytes left", 0, id="count"),
        pytest.param(
            lambda r: r.count(3), b"\x02abcde", "2 items announced, 5 bytes left", 0, id="count of big elements"
        ),
        pytest.param(Reader.name, b"\3a\xff\xfe", "malformed UTF-8 encoding", 2, id="name not UTF-8"),
        pytest.param(Reader.name, b"\3\xed\xa0\x80", "malformed UTF-8 encoding", 1, id="name with a surrogate"),
        pytest.param(Reader.name, b"\2\xc0\x80", "malformed UTF-8 encoding", 1, id="name with an overlong NUL"),
        pytest.param(Reader.name, b"\5abc", "length out of bounds", 1, id="name cut"),
        pytest.param(Reader.byte, b"", "unexpected end", 0, id="byte"),
    ],
)
def test_faults(read: Read, data: bytes, message: str, offset: int) -> None:
    with pytest.raises(MalformedModuleError, match=message) as caught:
        read(Reader(data))
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("read", "data", "value"),
    [
        pytest.param(Reader.u32, b"\xff\xff\xff\xff\x0f", (1 << 32) - 1, id="greatest u32"),
        pytest.param(Reader.u32, b"\x80\x80\x80\x80\x00", 0, id="padded zero"),
        pytest.param(lambda r: r.signed(32), b"\x80\x80\x80\x80\x78", -(1 << 31), id="least s32"),
        pytest.param(lambda r: r.signed(32), b"\xff\xff\xff\xff\x7f", -1, id="padded -1"),
        pytest.param(Reader.count, b"\x04abcd", 4, id="as many as bytes"),
        pytest.param(lambda r: r.count(2), b"\x02abcd", 2, id="as many as pairs"),
        pytest.param(Reader.name, "\4 €".encode(), " €", id="name"),
        pytest.param(Reader.name, b"\1\0", "\0", id="name with a NUL"),
        pytest.param(lambda r: r.take(0), b"", b"", id="nothing"),
    ],
)
def test_values(read: Read, data: bytes, value: object) -> None:
    assert read(Reader(data)) == value


def test_the_end_bounds_every_read() -> None:
    """A reader never looks at bytes behind its end, though the data go on."""
    reader = Reader(b"\x01\x02\x03", 1, 2)
    assert reader.byte() == 2
    with pytest.raises(MalformedModuleError):
        reader.byte()
    for read in (Reader.u32, Reader.name, lambda r: r.take(1), lambda r: r.signed(32)):
        with pytest.raises(MalformedModuleError):
            read(Reader(b"\x01\x02\x03", 1, 1))
