"""The data section (spec 5.5.14), read in two steps: where segments lie when decoding, what they say when asked.

Go's linker leaves out runs of zeros, so that its modules have a segment for every few dozen bytes, up to a hundred
thousand of them. An object for each would make up nine tenths of a module's decoding time and memory; three numbers do.
Nine in ten are entries of one table, a byte or two each, with thousands of the same form in a row: these are found at once.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, final, overload

from wazero_api import DataSegment, Expression, SegmentMode

from .instructions import expression_length
from .reader import Reader

_CONSTANT_OFFSET: Final = re.compile(rb"\x00\x41[\x80-\xff]{0,3}[\x00-\x7f]\x0b")
"""Flags and offset expression of nearly every active segment: memory 0, an i32.const of up to 28 bits."""

_SMALL: Final = 2
"""Bytes that a segment of Go's largest table has at most."""


@final
class DataSection(Sequence[DataSegment]):
    """The segments of a module, each decoded whenever it is looked at. Immutable; equal if the segments are."""

    __slots__ = ("_addresses", "_contents", "_starts", "_unusual", "binary")

    def __init__(
        self, binary: bytes, starts: array[int], contents: array[int], addresses: array[int], unusual: Sequence[int]
    ) -> None:
        """Segment i lies between ``starts[i]`` and ``starts[i + 1]``; its bytes start at ``contents[i]``.

        They are for ``addresses[i]`` of memory 0, unless i is one of the `unusual` indices, which ascend.
        """
        self.binary = binary
        self._starts = starts
        self._contents = contents
        self._addresses = addresses
        self._unusual = unusual

    def __len__(self) -> int:
        return len(self._contents)

    @overload
    def __getitem__(self, index: int) -> DataSegment: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[DataSegment]: ...

    def __getitem__(self, index: int | slice) -> DataSegment | Sequence[DataSegment]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        return read_data_segment(Reader(self.binary, self._starts[index], self._starts[index + 1]))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    def __hash__(self) -> int:
        return hash(tuple(self))

    def constant_chunks(self) -> Iterator[Iterable[tuple[int, int, int]] | DataSegment]:
        """Every segment in order; ordinary neighbours together, each as (address in memory 0, start, stop in `binary`)."""
        first = 0
        for index in (*self._unusual, len(self)):
            if first < index:
                stops = self._starts[first + 1 : index + 1]
                yield zip(self._addresses[first:index], self._contents[first:index], stops, strict=True)
            if index < len(self):
                yield self[index]
            first = index + 1


def _short_signed(data: bytes, position: int) -> int:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value - (1 << shift) if byte & 0x40 else value
        position += 1


def read_data_section(reader: Reader) -> DataSection:
    """Find the segments of the whole section; the form of every one is checked."""
    data, end = reader.data, reader.end
    starts, contents, addresses, unusual = array("Q"), array("Q"), array("I"), []
    count = reader.count(2)
    while len(starts) < count:
        position = reader.position
        ordinary = _CONSTANT_OFFSET.match(data, position, end)
        if ordinary is None:
            segment = read_data_segment(reader)
            unusual.append(len(starts))
            starts.append(position)
            addresses.append(0)
            contents.append(reader.position - len(segment.data))
            continue
        reader.position = ordinary.end()
        size = reader.u32()
        content = reader.position
        reader.position += size
        if reader.position > end:
            raise reader.fail("unexpected end of section: a data segment runs past it", position)
        address_bytes = ordinary.end() - position - 3
        alike = _alike(address_bytes, size).match(data, position, end) if 0 < size <= _SMALL else None
        if alike is None:
            starts.append(position)
            contents.append(content)
            addresses.append(_short_signed(data, position + 2) & 0xFFFFFFFF)
            continue
        stride = reader.position - position
        reader.position = stop = min(alike.end(), position + (count - len(starts)) * stride)
        starts.extend(range(position, stop, stride))
        contents.extend(range(content, stop, stride))
        addresses.extend(_spaced_numbers(data[position + 2 : stop], address_bytes, stride))
    starts.append(reader.position)
    return DataSection(data, starts, contents, addresses, unusual)


@cache
def _alike(address_bytes: int, size: int) -> re.Pattern[bytes]:
    """Eight ordinary segments or more in a row, with addresses and contents of these lengths."""
    segment = rb"\x00\x41[\x80-\xff]{%d}[\x00-\x3f]\x0b\x%02x.{%d}" % (address_bytes - 1, size, size)
    return re.compile(b"(?s)(?:" + segment + b"){8,}")


def _spaced_numbers(data: bytes, length: int, stride: int) -> tuple[int, ...]:
    """Unsigned LEB128 numbers of `length` bytes, at most four; there is one every `stride` bytes.

    Decoding all at once, each in 32 bits of one large integer, takes a tenth of the time.
    """
    count = -(-len(data) // stride)
    lanes = bytearray(4 * count)
    for i in range(length):
        lanes[i::4] = data[i::stride]
    encoded = int.from_bytes(lanes, "little")
    low = int.from_bytes(b"\x7f\0\0\0" * count, "little")
    decoded = encoded & low | encoded >> 1 & low << 7 | encoded >> 2 & low << 14 | encoded >> 3 & low << 21
    return struct.unpack(f"<{count}I", decoded.to_bytes(4 * count, "little"))


def read_data_segment(reader: Reader) -> DataSegment:
    """One segment, of whatever form."""
    flags = reader.u32()
    if flags > 2:
        raise reader.fail(f"malformed data segment kind {flags}", reader.position - 1)
    if flags == 1:
        return DataSegment(SegmentMode.PASSIVE, reader.take(reader.u32()))
    memory_index = reader.u32() if flags == 2 else 0
    offset = read_expression(reader)
    return DataSegment(SegmentMode.ACTIVE, reader.take(reader.u32()), memory_index, offset)


def read_expression(reader: Reader) -> Expression:
    """An initialiser expression up to its ``end``."""
    start = reader.position
    return Expression(reader.take(expression_length(reader.data, start, reader.end)), start)
