"""Executable memory: code is written at one address and runs at another, so that no page is ever both.

An `ExecutableSpace` reserves one stretch of address space. Where it has code, shared pages are mapped twice: in the
stretch to be run, and somewhere else to be written. Such a pair of mappings is a segment; blocks are cut out of segments.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar, final

from . import forks, system
from .free_ranges import FreeRanges

_T = TypeVar("_T")

_GRAIN_BYTES: Final = 64
"""Blocks start and end at multiples of this, a cache line, so that blocks share none."""
_SEGMENT_BYTES: Final = 4 << 20
_SPACE_BYTES: Final = 1 << 30


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


class _NoSegmentError(MemoryError):
    """The system refuses one; the space is as it was."""


class _Segment:
    """Shared pages that are mapped twice: from `address` to `end`, where they can be run, and at `writable_address`."""

    __slots__ = ("address", "copy_fd", "end", "used_bytes", "view", "writable_address")

    def __init__(self, address: int, end: int, writable_address: int, view: memoryview) -> None:
        self.address = address
        self.end = end
        self.writable_address = writable_address
        self.view = view
        """The bytes at `writable_address`."""
        self.used_bytes = 0
        """No block ever reached further."""
        self.copy_fd: int | None = None
        """During a fork: shared pages with a copy, which the child takes."""

    def use_copy(self) -> None:
        """Map the copy in place of the shared pages."""
        size = self.end - self.address
        if self.copy_fd is None:  # the system refused it; better a crash than code which the parent rewrites
            system.decommit(self.address, size)
            system.decommit(self.writable_address, size)
            return
        system.map_executable(self.copy_fd, size, self.address)
        system.map_writable(self.copy_fd, size, self.writable_address)
        self.drop_copy()

    def drop_copy(self) -> None:
        if self.copy_fd is not None:
            os.close(self.copy_fd)
            self.copy_fd = None

    def copy(self) -> None:
        """Make the copy. Raises OSError if the system refuses."""
        self.drop_copy()  # there is one if an interrupt came after the last fork
        self.copy_fd = system.shared_pages(self.end - self.address)
        written = 0
        try:
            while written < self.used_bytes:
                written += os.write(self.copy_fd, self.view[written : self.used_bytes])
        except BaseException:
            self.drop_copy()
            raise


def _map_segment(address: int, size: int) -> _Segment:
    """Put shared pages at an address of the reserved range. Raises `system.RefusedError`."""
    fd = system.shared_pages(size)
    try:
        writable = system.map_writable(fd, size)
        try:
            system.map_executable(fd, size, address)
        except system.RefusedError:
            system.release(writable, size)
            raise
    finally:
        os.close(fd)
    return _Segment(address, address + size, writable, system.view(writable, size))


@final
class CodeBlock:
    """A piece of executable memory. Whoever can run the code keeps this object: without it, others get the memory."""

    __slots__ = ("__weakref__", "_finalizer", "_view", "address", "size")

    def __init__(self, address: int, view: memoryview, reclaim: Callable[[int, memoryview], None]) -> None:
        self.address = address
        """Where the code runs."""
        self.size = len(view)
        self._view = view
        self._finalizer = weakref.finalize(self, reclaim, address, view)
        self._finalizer.atexit = False  # the system takes everything back at exit, and code may run until then

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Put bytes at `offset`. Raises ValueError if they do not fit, or if the block was freed."""
        if offset < 0:
            raise ValueError(f"negative offset {offset}")
        with forks.lock:  # else a fork could give the child the caller's belief that it wrote, but not the bytes
            self._view[offset : offset + len(data)] = data


@final
class ExecutableSpace:
    """One reserved stretch of address space for machine code. Safe to use from several threads.

    `low` and `high` bound it: an address is in our code if ``low <= address < high``.
    """

    __slots__ = (
        "__weakref__",
        "_busy",
        "_free",
        "_freed",
        "_segment_bytes",
        "_segments",
        "_spare",
        "_units",
        "high",
        "low",
    )

    def __init__(self, size_bytes: int = _SPACE_BYTES, segment_bytes: int = _SEGMENT_BYTES) -> None:
        """Reserve `size_bytes`, or less if the system refuses; segments have multiples of `segment_bytes`.

        Raises MemoryError if not even one segment's address space can be had.
        """
        self.low, reserved_bytes = _reserve(_round_up(size_bytes, segment_bytes), segment_bytes)
        self.high = self.low + reserved_bytes
        self._segment_bytes = segment_bytes
        self._units: list[_Segment | None] = [None] * (reserved_bytes // segment_bytes)
        """Which segment is in each stretch of `segment_bytes`."""
        self._segments: dict[int, _Segment] = {}
        """By address."""
        self._spare: _Segment | None = None
        """One segment without blocks that is kept, so that a block that comes and goes does not map and unmap."""
        self._free = FreeRanges()
        self._freed: deque[tuple[int, int]] = deque()
        """Start and end of blocks that are gone but not yet among the free ranges."""
        self._busy = False
        weakref.finalize(self, _dismantle, self.low, reserved_bytes, self._segments).atexit = False
        forks.register(self)

    @property
    def mapped_bytes(self) -> int:
        """Bytes of address space in segments, that is, how much memory the code can take at most now."""
        return sum(segment.end - segment.address for segment in list(self._segments.values()))

    def allocate(self, size: int, align: int = _GRAIN_BYTES) -> CodeBlock:
        """A block of `size` bytes, at least 1, at a multiple of `align`, a power of two. Its content is undefined.

        Raises MemoryError if the space is full or the system refuses.
        """
        if size <= 0 or align <= 0 or align & (align - 1):
            raise ValueError(f"cannot allocate {size} bytes aligned to {align}")
        with forks.lock:
            address = self._alone(lambda: self._find(_round_up(size, _GRAIN_BYTES), align))
        if address is None:
            raise MemoryError(f"no {size} bytes left in {self.high - self.low} bytes of executable memory")
        segment = self._segment_at(address)
        offset = address - segment.address
        return CodeBlock(address, segment.view[offset : offset + size], self._reclaim)

    def free(self, block: CodeBlock) -> None:
        """Take a block back now. No thread may be running its code. A second time changes nothing."""
        block._finalizer()
        self.collect()

    def collect(self) -> None:
        """Take blocks back whose objects are gone. `allocate` and `free` do that too, but may be long in coming."""
        with forks.lock:
            if not self._busy:
                self._alone(self._take_back)

    def _segment_at(self, address: int) -> _Segment:
        segment = self._units[(address - self.low) // self._segment_bytes]
        assert segment is not None
        return segment

    def _alone(self, action: Callable[[], _T]) -> _T:
        """Run what changes the free ranges. The caller holds the lock.

        That keeps out other threads, but not signal handlers and destructors that interrupt this one.
        """
        if self._busy:
            raise RuntimeError("a signal handler or destructor needs machine code while this thread allocates some")
        self._busy = True
        try:
            return action()
        except _NoSegmentError:
            raise
        except BaseException:
            # An interrupt came anywhere in between. What was free may now be lost, but is never handed out twice.
            self._free, self._spare = FreeRanges(), None
            raise
        finally:
            self._busy = False

    def _find(self, size: int, align: int) -> int | None:
        """The address of a stretch that is free no longer, or None if the space is full."""
        self._take_back()
        padded = size + align - _GRAIN_BYTES if align > _GRAIN_BYTES else size
        start = self._free.take(padded)
        if start is None:
            if not self._add_segment(padded):
                return None
            start = self._free.take(padded)
            assert start is not None
        if self._spare is not None and start == self._spare.address:
            self._spare = None
        segment = self._segment_at(start)
        address = _round_up(start, align)
        for rest, end in ((start, address), (address + size, start + padded)):
            if rest < end:
                self._free.put(rest, end, segment.address, segment.end)
        segment.used_bytes = max(segment.used_bytes, address + size - segment.address)
        return address

    def _add_segment(self, size: int) -> bool:
        """Map a segment for `size` bytes at the lowest place there is; whether there is one."""
        count = -(-size // self._segment_bytes)
        first = self._gap(count)
        if first is None and self._spare is not None:  # which may be what is in the way
            spare, self._spare = self._spare, None
            self._unmap(spare)
            first = self._gap(count)
        if first is None:
            return False
        try:
            segment = _map_segment(self.low + first * self._segment_bytes, count * self._segment_bytes)
        except system.RefusedError as error:
            raise _NoSegmentError(f"the system refuses executable memory: {error.strerror}") from error
        self._segments[segment.address] = segment
        self._units[first : first + count] = [segment] * count
        self._free.put(segment.address, segment.end, segment.address, segment.end)
        return True

    def _gap(self, count: int) -> int | None:
        """The first of `count` units without segment in a row, or None."""
        found = 0
        for index, unit in enumerate(self._units):
            found = found + 1 if unit is None else 0
            if found == count:
                return index + 1 - count
        return None

    def _reclaim(self, address: int, view: memoryview) -> None:
        """A block is gone, or was freed. Called at any point of any thread, so it must not wait for the lock."""
        end = address + _round_up(len(view), _GRAIN_BYTES)
        view.release()
        self._freed.append((address, end))

    def _take_back(self) -> None:
        while self._freed:
            start, end = self._freed.popleft()
            segment = self._segment_at(start)
            whole = (segment.address, segment.end)
            if self._free.put(start, end, *whole) != whole:
                continue
            if self._spare is None and segment.end - segment.address == self._segment_bytes:
                self._spare = segment
            else:
                self._unmap(segment)

    def _unmap(self, segment: _Segment) -> None:
        """Give a segment without blocks back. Where an interrupt stops this, its addresses are lost, but never shared."""
        size = segment.end - segment.address
        try:
            system.decommit(segment.address, size)
        except system.RefusedError:
            return  # a limit on the number of mappings can forbid even this; then the segment stays in use
        self._free.remove(segment.address)
        del self._segments[segment.address]
        system.release(segment.writable_address, size)
        first, count = (segment.address - self.low) // self._segment_bytes, size // self._segment_bytes
        self._units[first : first + count] = [None] * count

    # --- Forks: parent and child would share the pages, so the child gets a copy, made while nobody can write ---

    def before_fork(self) -> None:
        """Copy all code. Raises OSError if the system refuses; the child then cannot run what was not copied."""
        for segment in list(self._segments.values()):
            segment.copy()

    def after_fork_in_parent(self) -> None:
        """The child has the copies."""
        for segment in list(self._segments.values()):
            segment.drop_copy()

    def after_fork_in_child(self) -> None:
        """Take the copies: same bytes, same addresses."""
        for segment in list(self._segments.values()):
            segment.use_copy()


def _reserve(size: int, smallest: int) -> tuple[int, int]:
    """Address and size of reserved space: `size` bytes, or that halved until the system agrees.

    Raises MemoryError when it refuses even `smallest`, of which the result is a multiple.
    """
    while True:
        try:
            return system.reserve(size), size
        except system.RefusedError as error:
            if size <= smallest:
                raise MemoryError(f"cannot reserve address space for code: {error.strerror}") from error
            size = _round_up(size // 2, smallest)


def _dismantle(low: int, size: int, segments: dict[int, _Segment]) -> None:
    """A space and all its blocks are gone."""
    system.release(low, size)
    for segment in segments.values():
        system.release(segment.writable_address, segment.end - segment.address)


_ANSWER: Final = {"x86_64": bytes.fromhex("b82a000000 c3")}
"""By machine: a function that returns 42. `mov eax, 42; ret`."""


def probe() -> str | None:
    """None if machine code can be made and run here, else one sentence saying why not. Really runs a few bytes."""
    reason = system.unsupported()
    if reason is not None:
        return reason
    code = _ANSWER.get(os.uname().machine)
    if code is None:
        return f"there is no machine code for {os.uname().machine}."
    try:
        block = ExecutableSpace(1 << 16, 1 << 16).allocate(len(code))
    except MemoryError as error:
        return f"{error} (SELinux, seccomp or a limit may forbid it)."
    block.write(0, code)
    answer = ctypes.CFUNCTYPE(ctypes.c_int)(block.address)()
    return None if answer == 42 else f"machine code that should return 42 returned {answer}."
