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


def chunks_of(data: DataSection) -> list[tuple[int, bytes] | DataSegment]:
    """What the chunks say, one by one: address and bytes, or the segment."""
    found: list[tuple[int, bytes] | DataSegment] = []
    for chunk in data.constant_chunks():
        if isinstance(chunk, DataSegment):
            found.append(chunk)
        else:
            found.extend((address, data.binary[start:stop]) for address, start, stop in chunk)
    return found


@given(st.lists(st.tuples(st.integers(-(1 << 31), (1 << 31) - 1), st.binary(max_size=9)), max_size=8))
def test_chunks_say_the_same_as_segments(rows: list[tuple[int, bytes]]) -> None:
    """Whatever the address: negative ones are the upper half of the address space."""
    data = segments_of(*[active(address, content) for address, content in rows])
    for chunk, (address, content) in zip(chunks_of(data), rows, strict=True):
        if isinstance(chunk, DataSegment):
            assert chunk.offset is not None
            assert chunk.offset.code == i32_const(address) + END
            assert chunk.data == content
        else:
            assert chunk == (address & 0xFFFFFFFF, content)


@st.composite
def rows_alike(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """Segments of one size and at one distance, as in Go's tables; addresses of every length, and across lengths."""
    bits, size, count = draw(st.integers(0, 30)), draw(st.integers(0, 3)), draw(st.integers(1, 40))
    start, step = draw(st.integers(0, 1 << bits)), draw(st.integers(-300, 300))
    addresses = [start + i * step for i in range(count)]
    return [(address, draw(st.binary(min_size=size, max_size=size))) for address in addresses]


@given(st.lists(rows_alike(), max_size=4), st.sampled_from([PASSIVE, EXPLICIT, BY_GLOBAL, LONG]))
def test_segments_alike(groups: list[list[tuple[int, bytes]]], between: bytes) -> None:
    """Those that are found and decoded together are the same as those that are looked at one by one."""
    written: list[bytes] = []
    expected: list[tuple[int, bytes] | DataSegment] = []
    for rows in groups:
        written += [between, *[active(address, content) for address, content in rows]]
        expected += [segments_of(between)[0], *[(address & 0xFFFFFFFF, content) for address, content in rows]]
    data = segments_of(*written)
    assert [segment.data for segment in data] == [
        row.data if isinstance(row, DataSegment) else row[1] for row in expected
    ]
    for chunk, row in zip(chunks_of(data), expected, strict=True):
        if isinstance(row, DataSegment):
            assert isinstance(chunk, DataSegment)
            assert (chunk.mode, chunk.data, chunk.memory_index) == (row.mode, row.data, row.memory_index)
        elif isinstance(chunk, DataSegment):
            assert (chunk.offset and chunk.offset.code, chunk.data) == (i32_const(row[0]) + END, row[1])
        else:
            assert chunk == row


ALIKE = b"".join([active(1000 + 20 * i, b"ab") for i in range(20)])


@pytest.mark.parametrize(
    ("count", "content", "message", "place"),
    [
        pytest.param(20, ALIKE[:-1], "runs past", len(ALIKE) - 8, id="the last is cut short"),
        pytest.param(21, ALIKE, "unexpected end", len(ALIKE), id="fewer than announced"),
        pytest.param(19, ALIKE, "section size mismatch", len(ALIKE) - 8, id="more than announced"),
        pytest.param(20, ALIKE[:80] + b"\3" + ALIKE[81:], "malformed data segment kind 3", 80, id="kind"),
        pytest.param(20, ALIKE[:84] + b"\xff" + ALIKE[85:], "illegal opcode", 84, id="another instruction"),
    ],
)
def test_faults_among_segments_alike(count: int, content: bytes, message: str, place: int) -> None:
    """Each is reported where it is."""
    binary = module((MEMORY, vec([b"\0\1"])), (DATA, leb(count) + content))
    with pytest.raises(MalformedModuleError, match=message) as caught:
        decode_module(binary)
    assert caught.value.offset == len(binary) - len(content) + place


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
