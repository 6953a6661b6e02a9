"""Access to a guest's memory, by pointers that the guest made up: nothing outside is touched, and a fault is EFAULT.

Pointers, lengths and counts arrive as unsigned integers of 32 bits, sizes and offsets of 64.
"""

from __future__ import annotations

import errno
import os
from struct import Struct
from typing import Any, Final, NoReturn, Protocol

from wazero_core.system import SystemContext

U32: Final = Struct("<I")
U64: Final = Struct("<Q")
_IOVEC: Final = Struct("<II")

MAX_IOVECS: Final = 1_024
"""As on Linux; more are EINVAL."""

MAX_TRANSFER: Final = 1 << 26
"""Bytes read or gathered in one call at most, 64 MiB: a guest cannot make the host hold more for it. Both may do less."""

MAX_PATH: Final = 4_096
"""Bytes of a path; more are ENAMETOOLONG."""

MAX_OFFSET: Final = (1 << 63) - 1
_TWO_64: Final = 1 << 64


class Caller(Protocol):
    """What functions of WASI need of the instance that calls them."""

    @property
    def name(self) -> str: ...

    @property
    def memory(self) -> Any: ...

    @property
    def system(self) -> SystemContext: ...

    def close_with_exit_code(self, exit_code: int) -> None: ...


def fail(number: int) -> NoReturn:
    """Raise the error with a number of Python's `errno`; whoever called the function gets WASI's number for it."""
    raise OSError(number, os.strerror(number))


def buffer_of(module: Caller) -> memoryview:
    """All bytes of the caller's memory. EFAULT if it has none."""
    memory = module.memory
    if memory is None:
        fail(errno.EFAULT)
    return memory.buffer  # type: ignore[no-any-return]  # `Caller` leaves the memory's type open


def check(buffer: memoryview, pointer: int, size: int) -> None:
    """Raise EFAULT unless `size` bytes at `pointer` are inside."""
    if pointer + size > len(buffer):
        fail(errno.EFAULT)


def view(buffer: memoryview, pointer: int, size: int) -> memoryview:
    """The `size` bytes at `pointer`, to read or write. EFAULT unless they are all inside."""
    stop = pointer + size
    if stop > len(buffer):
        fail(errno.EFAULT)
    return buffer[pointer:stop]


def store_u32(buffer: memoryview, pointer: int, value: int) -> None:
    """Write 4 bytes. EFAULT unless they are inside."""
    if pointer + 4 > len(buffer):
        fail(errno.EFAULT)
    U32.pack_into(buffer, pointer, value)


def store_u64(buffer: memoryview, pointer: int, value: int) -> None:
    """Write 8 bytes, modulo 2^64. EFAULT unless they are inside."""
    if pointer + 8 > len(buffer):
        fail(errno.EFAULT)
    U64.pack_into(buffer, pointer, value % _TWO_64)


def iovecs(buffer: memoryview, pointer: int, count: int) -> list[memoryview]:
    """The buffers that an array of `count` pairs (pointer, length) at `pointer` names.

    Raises EFAULT for what is outside and EINVAL for more than `MAX_IOVECS`, before anything is read.
    """
    if count > MAX_IOVECS:
        fail(errno.EINVAL)
    array = view(buffer, pointer, count * 8)
    limit = len(buffer)
    views = []
    for start, size in _IOVEC.iter_unpack(array):
        stop = start + size
        if stop > limit:
            fail(errno.EFAULT)
        views.append(buffer[start:stop])
    return views


def gather(buffer: memoryview, pointer: int, count: int) -> memoryview | bytes:
    """The bytes that an array of buffers holds, as one; of a single buffer the memory itself.

    Buffers that overlap could add up to much more than the memory; of several, no more bytes are taken than the
    memory has, and `MAX_TRANSFER` at most.
    """
    if count == 1 and pointer + 8 <= len(buffer):  # nearly always; the general way costs three times as much
        start, size = _IOVEC.unpack_from(buffer, pointer)
        if start + size <= len(buffer):
            return buffer[start : start + size]
    room = min(len(buffer), MAX_TRANSFER)
    parts = []
    for part in iovecs(buffer, pointer, count):
        if len(part) > room:
            parts.append(part[:room])
            break
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def scatter(data: bytes, views: list[memoryview]) -> None:
    """Lay `data` out over buffers that together have room for it."""
    position = 0
    for target in views:
        rest = len(data) - position
        if rest <= 0:
            return
        size = min(len(target), rest)
        target[:size] = data[position : position + size]
        position += size


def text_at(buffer: memoryview, pointer: int, length: int) -> str:
    """The target of a link: any text that can be a path. ENOENT, ENAMETOOLONG, EINVAL for a NUL, EFAULT."""
    raw = view(buffer, pointer, length)
    if not length:
        fail(errno.ENOENT)
    if length > MAX_PATH:
        fail(errno.ENAMETOOLONG)
    # Bytes that are no UTF-8 become surrogates, as everywhere in Python, so that they survive the way back.
    text = str(raw, "utf-8", "surrogateescape")
    if "\0" in text:
        fail(errno.EINVAL)
    return text


def path_at(buffer: memoryview, pointer: int, length: int) -> str:
    """A path relative to some directory. EPERM for an absolute one, and what `text_at` raises."""
    path = text_at(buffer, pointer, length)
    if path.startswith("/"):
        fail(errno.EPERM)
    return path


def encode_path(path: str) -> bytes:
    """The bytes of a path or name for the guest."""
    return path.encode("utf-8", "surrogateescape")


def offset_of(value: int) -> int:
    """An offset or size that must not be negative if taken as signed, which is how systems take it; else EINVAL."""
    if value > MAX_OFFSET:
        fail(errno.EINVAL)
    return value


def signed(value: int) -> int:
    """An unsigned 64-bit integer, taken as signed."""
    return value - _TWO_64 if value > MAX_OFFSET else value
