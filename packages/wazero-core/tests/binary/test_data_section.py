"""Data segments, found by pattern or read the long way: the same segments in the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.binary import DATA, END, MEMORY, i32_const, leb, module, vec
from wazero_api import DataSegment, MalformedModuleError, SegmentMode
from wazero_core.binary import decode_module
from wazero_core.binary.data_section import DataSection


def segments_of(*segments: bytes) -> DataSection:
    data = decode_module(module((MEMORY, vec([b"\0\1"])), (DATA, vec(segments)))).data
    assert isinstance(data, DataSection)
    return data


def active(address: int, content: bytes) -> bytes:
    return b"\0" + i32_const(address) + END + leb(len(content)) + content


PASSIVE = b"\1\3abc"
EXPLICIT = b"\2\0" + i32_const(5) + END + b"\2de"
BY_GLOBAL = b"\0\x23\0\x0b\1f"
LONG = b"\0\x41\x80\x80\x80\x80\x00\x0b\1g"


def test_every_form() -> None:
    data = segments_of(active(9, b"xyz"), PASSIVE, EXPLICIT, BY_GLOBAL, LONG)
    assert [segment.data for segment in data] == [b"xyz", b"abc", b"de", b"f", b"g"]
    assert [segment.mode is SegmentMode.ACTIVE for segment in data] == [True, False, True, True, True]
    assert [segment.offset and segment.offset.code for segment in data] == [
        i32_const(9) + END,
        None,
        i32_const(5) + END,
        b"\x23\0\x0b",
        b"\x41\x80\x80\x80\x80\x00\x0b",
    ]


def test_is_a_sequence() -> None:
    data = segments_of(active(1, b"a"), PASSIVE, active(2, b"b"))
    assert len(data) == 3
    assert data[-1] == data[2]
    assert data[-1].data == b"b"
    assert [segment.data for segment in data[1:]] == [b"abc", b"b"]
    with pytest.raises(IndexError):
        data[3]
    same = segments_of(active(1, b"a"), PASSIVE, active(2, b"b"))
    assert data == same == list(data)
    assert hash(data) == hash(same)
    assert data != segments_of(PASSIVE)


@given(st.lists(st.tuples(st.integers(-(1 << 31), (1 << 31) - 1), st.binary(max_size=9)), max_size=8))
def test_chunks_say_the_same_as_segments(rows: list[tuple[int, bytes]]) -> None:
    """Whatever the address: negative ones are the upper half of the address space."""
    data = segments_of(*[active(address, content) for address, content in rows])
    found = []
    for chunk, (address, content) in zip(data.constant_chunks(), rows, strict=True):
        if isinstance(chunk, DataSegment):
            assert chunk.offset is not None
            assert chunk.offset.code == i32_const(address) + END
            found.append((address & 0xFFFFFFFF, chunk.data))
        else:
            start, begin, stop = chunk
            found.append((start, data.binary[begin:stop]))
        assert found[-1] == (address & 0xFFFFFFFF, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"\1\0\x41\0\x0b\5abc", "runs past|unexpected end", id="active past the end"),
        pytest.param(b"\1\1\5abc", "length out of bounds", id="passive past the end"),
        pytest.param(b"\1\0\x41\0", "unexpected end", id="no end of the offset"),
        pytest.param(b"\2\1\0", "2 items announced|unexpected end", id="one missing"),
        pytest.param(b"\1\7\0", "malformed data segment kind 7", id="kind"),
    ],
)
def test_faults(content: bytes, message: str) -> None:
    with pytest.raises(MalformedModuleError, match=message):
        decode_module(module((MEMORY, vec([b"\0\1"])), (DATA, content)))
