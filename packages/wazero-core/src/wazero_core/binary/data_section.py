"""The data section (spec 5.5.14), read in two steps: where segments lie when decoding, what they say when asked.

Go's linker leaves out runs of zeros, so that its modules have a segment for every few dozen bytes, up to a hundred
thousand of them. An object for each would make up nine tenths of a module's decoding time and memory; two numbers do.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Final, final, overload

from wazero_api import DataSegment, Expression, SegmentMode

from .instructions import expression_length
from .reader import Reader

_CONSTANT_OFFSET: Final = re.compile(rb"\x00\x41[\x80-\xff]{0,3}[\x00-\x7f]\x0b")
"""Flags and offset expression of nearly every active segment: memory 0, an i32.const of up to 28 bits."""


@final
class DataSection(Sequence[DataSegment]):
    """The segments of a module, each decoded whenever it is looked at. Immutable; equal if the segments are."""

    __slots__ = ("_binary", "_contents", "_starts")

    def __init__(self, binary: bytes, starts: array[int], contents: array[int]) -> None:
        """Segment i lies between ``starts[i]`` and ``starts[i + 1]``; its bytes start at ``contents[i]``."""
        self._binary = binary
        self._starts = starts
        self._contents = contents

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
        return read_data_segment(Reader(self._binary, self._starts[index], self._starts[index + 1]))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    def __hash__(self) -> int:
        return hash(tuple(self))

    def constant_chunks(self) -> Iterator[tuple[int, int, int] | DataSegment]:
        """Every segment, the ordinary ones as (address in memory 0, start in `binary`, stop in `binary`)."""
        binary, starts = self._binary, self._starts
        for index, content in enumerate(self._contents):
            start, stop = starts[index], starts[index + 1]
            if _CONSTANT_OFFSET.match(binary, start, content):
                yield _short_signed(binary, start + 2) & 0xFFFFFFFF, content, stop
            else:
                yield self[index]

    @property
    def binary(self) -> bytes:
        """What `constant_chunks` counts in."""
        return self._binary


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
    starts, contents = array("Q"), array("Q")
    constant_offset = _CONSTANT_OFFSET.match
    for _ in range(reader.count(2)):
        starts.append(reader.position)
        ordinary = constant_offset(data, reader.position, end)
        if ordinary is None:
            segment = read_data_segment(reader)
            contents.append(reader.position - len(segment.data))
            continue
        reader.position = ordinary.end()
        size = reader.u32()
        contents.append(reader.position)
        reader.position += size
        if reader.position > end:
            raise reader.fail("unexpected end of section: a data segment runs past it", starts[-1])
    starts.append(reader.position)
    return DataSection(data, starts, contents)


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
