"""Decoding of bodies that were sent compressed. Spec: RFC 9110, 8.4.1."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPTED: Final = "gzip, deflate"
"""What to tell servers."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16
"""What zlib wants to be added to the size of its window."""
_DEFLATE: Final = 8
"""The method in the first byte of zlib's format."""
_MAX_CODINGS: Final = 5
"""One on top of the other."""


class CodingError(Exception):
    """The body is not what the server says."""


class Decoder(Protocol):
    """Takes bytes as they come, and gives others."""

    def feed(self, data: bytes | memoryview) -> None:
        """More of what was sent."""
        ...

    def end(self) -> None:
        """That was all. Raises CodingError if something is missing."""
        ...

    def take(self, size: int) -> bytes | memoryview:
        """At most so many bytes; none if there are none before something is fed. Raises CodingError."""
        ...


@final
class Plain:
    """No coding, only pieces of the right size."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: deque[memoryview] = deque()

    def feed(self, data: bytes | memoryview) -> None:
        if data:
            self._pieces.append(memoryview(data))

    def end(self) -> None:
        pass

    def take(self, size: int) -> bytes | memoryview:
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
        return piece[:size]


@final
class _Inflater:
    """gzip with one member or several, or deflate with zlib's frame or without."""

    __slots__ = ("_is_gzip", "_pending", "_stream")

    def __init__(self, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._pending: bytes | memoryview = b""
        self._stream: Any = None
        """None before the first byte."""

    def feed(self, data: bytes | memoryview) -> None:
        self._pending = bytes(self._pending) + bytes(data) if self._pending else data

    def end(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise CodingError("unexpected end of file")

    def take(self, size: int) -> bytes | memoryview:
        from zlib import error

        # A member may hold nothing, and the next one something.
        while self._pending and self._has_stream():
            try:
                found: bytes = self._stream.decompress(self._pending, size)
            except error as failure:
                raise CodingError(str(failure)) from failure
            self._pending = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if found:
                return found
        return self._rest(size)

    def _rest(self, size: int) -> bytes:
        """What came of bytes that were all fed: zlib may hold back output that had no room."""
        if self._stream is None or self._stream.eof:
            return b""
        found: bytes = self._stream.decompress(b"", size)
        return found

    def _has_stream(self) -> bool:
        """Make one if need be; False if this is the end, after which there may be anything."""
        from zlib import MAX_WBITS, decompressobj

        if self._stream is None:
            has_frame = self._is_gzip or self._pending[0] & 0x0F == _DEFLATE
            bits = MAX_WBITS | _GZIP if self._is_gzip else MAX_WBITS
            self._stream = decompressobj(bits if has_frame else -MAX_WBITS)
        elif self._stream.eof:
            if not self._is_gzip or bytes(self._pending[:2]) != _GZIP_MAGIC[: len(self._pending)]:
                self._pending = b""
                return False
            self._stream = decompressobj(MAX_WBITS | _GZIP)
        return True


@final
class _Chain:
    """Codings on top of one another, the last one first."""

    __slots__ = ("_decoders",)

    def __init__(self, decoders: list[Decoder]) -> None:
        self._decoders = decoders

    def feed(self, data: bytes | memoryview) -> None:
        self._decoders[0].feed(data)

    def end(self) -> None:
        for decoder in self._decoders:
            decoder.end()

    def take(self, size: int) -> bytes | memoryview:
        return self._take(len(self._decoders) - 1, size)

    def _take(self, index: int, size: int) -> bytes | memoryview:
        """From one of them, which gets from the one before it what it lacks."""
        while True:
            found = self._decoders[index].take(size)
            if found or not index:
                return found
            fed = self._take(index - 1, size)
            if not fed:
                return b""
            self._decoders[index].feed(fed)


_CODINGS: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": lambda: _Inflater(is_gzip=True),
    "x-gzip": lambda: _Inflater(is_gzip=True),
    "deflate": lambda: _Inflater(is_gzip=False),
}


def decoder_of(content_encoding: str) -> Decoder:
    """The decoder for the value of a header Content-Encoding; one that changes nothing for a coding that is not known.

    Raises CodingError for too many codings.
    """
    names = [name.strip().lower() for name in content_encoding.split(",") if name.strip()]
    if len(names) > _MAX_CODINGS:
        raise CodingError(f"too many content-encodings in response: {len(names)}, maximum allowed is {_MAX_CODINGS}")
    if not names or not all(name in _CODINGS for name in names):
        return Plain()
    decoders = [_CODINGS[name]() for name in reversed(names)]
    return decoders[0] if len(decoders) == 1 else _Chain(decoders)
