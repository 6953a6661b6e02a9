"""Standard streams from what a Python program has at hand: streams, bytes, callables, descriptors.

None of them is ever closed here, and writes are passed on at once, so that output of guest and host keeps its order.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Any, final

from wazero_api.system import File, FileType, Stat

from .files import BaseFile, fail
from .host_file import HostFile

_PIPE = Stat(FileType.FIFO)
_OPEN_BOOKS = (io.RawIOBase, io.BufferedReader, io.BufferedRandom)
"""Streams that say what they hold, if they hold anything back."""
_NULL = Stat(FileType.CHARACTER_DEVICE)


@final
class NullFile(BaseFile):
    """Always at its end for reading, takes and forgets what is written: ``/dev/null``."""

    __slots__ = ()

    def stat(self) -> Stat:
        """Of a device."""
        return _NULL

    def read(self, count: int) -> bytes:
        """Nothing: the end."""
        return b""

    def pread(self, count: int, offset: int) -> bytes:
        """Nothing: the end."""
        return b""

    def write(self, data: memoryview | bytes) -> int:
        """Forget it."""
        return len(data)

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        """Forget it."""
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        """Stay at 0; that this works tells a null device from a terminal."""
        return 0


@final
class CaptureFile(BaseFile):
    """Keeps what is written in `content`, at most `limit` bytes: more is ENOSPC."""

    __slots__ = ("_limit", "content")

    def __init__(self, limit: int) -> None:
        self.content = bytearray()
        self._limit = limit

    def stat(self) -> Stat:
        """Of a pipe."""
        return _PIPE

    def write(self, data: memoryview | bytes) -> int:
        """Keep what there is room for."""
        room = self._limit - len(self.content)
        if len(data) > room:
            if room <= 0:
                fail(errno.ENOSPC)
            data = data[:room]
        self.content += data
        return len(data)


@final
class _StreamInput(BaseFile):
    """Reads a binary stream, as much as is there and not more than asked."""

    __slots__ = ("_fileno", "_is_drained", "_read", "_stream", "_text_layer")

    def __init__(self, stream: Any, text_layer: Any = None) -> None:
        self._stream = stream
        self._text_layer = text_layer
        """Kept, for when it goes, it closes the stream."""
        self._is_drained = False
        """Whether the stream is known to hold nothing, as it reads no more ahead of what is asked for."""
        # `read` of a buffered stream waits until all is there, which a person at a terminal would notice.
        self._read: Callable[[int], bytes | None] = getattr(stream, "read1", None) or stream.read
        self._fileno = _fileno_of(stream)

    def stat(self) -> Stat:
        return _PIPE if self._fileno is None else HostFile(self._fileno, is_owned=False).stat()

    def read(self, count: int) -> bytes:
        data = self._read(count)
        if data is not None and len(data) < count:
            self._is_drained = True
        if data is None:  # a non-blocking stream that has nothing now
            fail(errno.EAGAIN)
        return data

    def fileno(self) -> int | None:
        # What other streams have read ahead nobody knows, so that waiting for the descriptor could be in vain.
        return self._fileno if isinstance(self._stream, _OPEN_BOOKS) else None

    def has_buffered(self) -> bool:
        """Whether there is something to read whatever the descriptor says: what the stream read ahead."""
        fd = self.fileno()
        if fd is None or self._is_drained:
            return False
        self._is_drained = not _peek_now(self._stream, fd)
        return not self._is_drained


def _peek_now(stream: Any, fd: int) -> bytes:
    """What a buffered stream holds; if that is nothing, what can be read at this moment. b"" for other streams."""
    if isinstance(stream, io.RawIOBase) or sys.platform == "win32":
        return b""
    was_blocking = os.get_blocking(fd)
    if was_blocking:
        os.set_blocking(fd, False)
    try:
        held: bytes = stream.peek(1)
        return held
    finally:
        if was_blocking:
            os.set_blocking(fd, True)


@final
class _TextInput(BaseFile):
    """Reads a text stream that has no binary one below, as UTF-8."""

    __slots__ = ("_rest", "_stream")

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._rest = b""

    def stat(self) -> Stat:
        return _PIPE

    def read(self, count: int) -> bytes:
        if not self._rest and count:
            self._rest = self._stream.read(count).encode("utf-8", "surrogateescape")
        data, self._rest = self._rest[:count], self._rest[count:]
        return data


@final
class _CallableOutput(BaseFile):
    """Passes each write to a function, as bytes of its own that may be kept."""

    __slots__ = ("_write",)

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def stat(self) -> Stat:
        return _PIPE

    def write(self, data: memoryview | bytes) -> int:
        self._write(bytes(data))
        return len(data)


@final
class _StreamOutput(BaseFile):
    """Writes to a binary stream and flushes it; first the text layer above it, if there is one, to keep the order."""

    __slots__ = ("_fileno", "_flush", "_flush_text", "_is_raw", "_write")

    def __init__(self, stream: Any, text_layer: Any = None) -> None:
        self._is_raw = isinstance(stream, io.RawIOBase)
        self._write: Callable[[bytes], int | None] = stream.write
        self._flush: Callable[[], object] | None = getattr(stream, "flush", None)
        self._flush_text: Callable[[], object] | None = getattr(text_layer, "flush", None)
        self._fileno = _fileno_of(stream)

    def stat(self) -> Stat:
        return _PIPE if self._fileno is None else HostFile(self._fileno, is_owned=False).stat()

    def write(self, data: memoryview | bytes) -> int:
        if self._flush_text is not None:
            self._flush_text()
        try:
            count = self._write(bytes(data))
        except BlockingIOError as error:  # a non-blocking stream whose buffer is full
            if not error.characters_written:
                fail(errno.EAGAIN)  # the error's own number may be any
            return error.characters_written
        if count is None and self._is_raw:  # a non-blocking stream that has no room now
            fail(errno.EAGAIN)
        self._flush_now()
        # Streams of the standard library return a count; other objects return what their authors thought of, mostly
        # nothing.
        return count if isinstance(count, int) else len(data)

    def _flush_now(self) -> None:
        if self._flush is not None:
            try:
                self._flush()
            except BlockingIOError:  # the stream keeps the bytes: told of a failure, the guest would write them again
                pass

    def fileno(self) -> int | None:
        return self._fileno


@final
class _TextOutput(BaseFile):
    """Writes to a text stream that has no binary one below; bytes that are no UTF-8 become U+FFFD."""

    __slots__ = ("_decode", "_stream")

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        # Incremental: a guest may write half a character now and half later.
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def stat(self) -> Stat:
        return _PIPE

    def write(self, data: memoryview | bytes) -> int:
        text = self._decode(bytes(data))
        if text:
            self._stream.write(text)
        self._stream.flush()
        return len(data)


def input_file(source: Any) -> File:
    """A file to read from `source`.

    None is empty; bytes and the like are their content; an int is a descriptor; else a binary or text stream, or an
    object that is a `File` already. Raises TypeError for anything else.
    """
    if source is None:
        return NullFile()
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _StreamInput(io.BytesIO(source))
    if _is_descriptor(source):
        return HostFile(source, is_owned=False)
    if _is_file(source):
        return source  # type: ignore[no-any-return]  # `_is_file` looked
    if isinstance(source, io.TextIOBase):
        binary = getattr(source, "buffer", None)
        return _TextInput(source) if binary is None else _StreamInput(binary, source)
    if callable(getattr(source, "read", None)):
        return _StreamInput(source)
    raise TypeError(f"stdin must be None, bytes, a stream or a descriptor, not {type(source).__name__}")


def output_file(target: Any) -> File:
    """A file that writes to `target`.

    None discards; an int is a descriptor; a bytearray grows; a function gets the bytes of each write; else a binary or
    text stream, or an object that is a `File` already. Raises TypeError for anything else.
    """
    if target is None:
        return NullFile()
    if isinstance(target, bytearray):
        return _CallableOutput(target.extend)
    if _is_descriptor(target):
        return HostFile(target, is_owned=False)
    if _is_file(target):
        return target  # type: ignore[no-any-return]  # `_is_file` looked
    if isinstance(target, io.TextIOBase):
        binary = getattr(target, "buffer", None)
        return _TextOutput(target) if binary is None else _StreamOutput(binary, target)
    if callable(getattr(target, "write", None)):
        return _StreamOutput(target)
    if callable(target):
        return _CallableOutput(target)
    raise TypeError(
        f"stdout and stderr must be None, a bytearray, a stream, a function or a descriptor, not {type(target).__name__}"
    )


def _is_descriptor(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_file(value: Any) -> bool:
    """Whether this is a `File` of `wazero_api`, by the methods that no stream of the standard library has."""
    return all(callable(getattr(value, name, None)) for name in ("pread", "pwrite", "read_directory"))


def _fileno_of(stream: Any) -> int | None:
    """The descriptor below a stream of the standard library; None if there is none to be had."""
    try:
        fd = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    return fd if _is_descriptor(fd) and _is_open(fd) else None


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
