"""A cursor over the binary that reads the format's primitive values (spec 5.2) and says where it stood when it fails."""

from __future__ import annotations

from typing import final

from wazero_api import MalformedModuleError


@final
class Reader:
    """Reads from `data` between `position` and `end`; every method moves the cursor or raises MalformedModuleError."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    def fail(self, message: str, position: int | None = None) -> MalformedModuleError:
        """The error to raise, with the present position unless another is given."""
        return MalformedModuleError(message, self.position if position is None else position)

    def byte(self) -> int:
        """One byte."""
        position = self.position
        if position >= self.end:
            raise self.fail("unexpected end")
        self.position = position + 1
        return self.data[position]

    def take(self, count: int) -> bytes:
        """`count` bytes."""
        start = self.position
        stop = start + count
        if stop > self.end:
            raise self.fail("unexpected end of section or function: length out of bounds")
        self.position = stop
        return self.data[start:stop]

    def u32(self) -> int:
        """An unsigned 32-bit LEB128."""
        position = self.position
        if position < self.end:
            byte = self.data[position]
            if byte < 0x80:
                self.position = position + 1
                return byte
        return self.unsigned(32)

    def unsigned(self, bits: int) -> int:
        """An unsigned LEB128 of at most `bits` bits."""
        start = self.position
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                raise self.fail("integer representation too long", start)
        if value >> bits:
            raise self.fail("integer too large", start)
        return value

    def signed(self, bits: int) -> int:
        """A signed LEB128 of at most `bits` bits."""
        start = self.position
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                raise self.fail("integer representation too long", start)
        if byte & 0x40:
            value -= 1 << shift
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise self.fail("integer too large", start)
        return value

    def count(self, element_bytes: int = 1) -> int:
        """The length of a vector whose elements take at least `element_bytes` each: never more than can follow."""
        start = self.position
        count = self.u32()
        if count * element_bytes > self.end - self.position:
            raise self.fail(f"unexpected end: {count} items announced, {self.end - self.position} bytes left", start)
        return count

    def name(self) -> str:
        """A name: a length in bytes and UTF-8 text (spec 5.2.4)."""
        raw = self.take(self.u32())
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.fail("malformed UTF-8 encoding", self.position - len(raw) + error.start) from None
