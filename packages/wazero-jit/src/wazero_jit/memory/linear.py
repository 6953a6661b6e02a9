"""Linear memories at addresses that never change, with room behind them where every stray access faults."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import Final, final

from wazero_api import MAX_MEMORY_PAGES, PAGE_SIZE, MemoryType, UnsupportedError

from . import forks, system

GUARDED_BYTES: Final = (8 << 30) + 2 * PAGE_SIZE
"""Address space of a guarded memory. The furthest access ends at 32-bit index + 32-bit offset + 16 bytes < 8 GiB + 16."""

_NOTHING: Final = memoryview(bytearray())


@final
class GuardEnvelope(ctypes.Structure):
    """Where memories were ever reserved: [low, high). Only widens; `low` is above `high` until the first."""

    _fields_ = (("low", ctypes.c_uint64), ("high", ctypes.c_uint64))
    low: int
    high: int


ENVELOPE: Final = GuardEnvelope(low=(1 << 64) - 1, high=0)
"""For a signal handler: a fault of our code at an address in it is an access out of bounds."""


@final
class MemoryRecord(ctypes.Structure):
    """What machine code reads of a memory. `bytes` and `pages` are the present size; `base` never changes."""

    _fields_ = (("base", ctypes.c_uint64), ("bytes", ctypes.c_uint64), ("pages", ctypes.c_uint64))
    base: int
    bytes: int
    pages: int


_live: dict[int, int] = {}
"""Sizes of the reservations that there are, by address."""


def live_reservations() -> int:
    """How many memories have address space: those that exist, closed or not, and those of which there are views."""
    return len(_live)


@final
class _Reservation:
    """Address space of one memory, given back when the memory and the last view of it are gone."""

    __slots__ = ("__weakref__", "address", "committed_bytes")

    def __init__(self, size_bytes: int) -> None:
        self.address = system.reserve(size_bytes)
        self.committed_bytes = 0
        _live[self.address] = size_bytes
        weakref.finalize(self, _release, self.address, size_bytes).atexit = False
        with forks.lock:
            ENVELOPE.low = min(ENVELOPE.low, self.address)
            ENVELOPE.high = max(ENVELOPE.high, self.address + size_bytes)

    def extend(self, size_bytes: int) -> None:
        """Make the first `size_bytes` accessible. Raises `system.RefusedError`."""
        old = self.committed_bytes
        if size_bytes > old:
            system.commit(self.address + old, size_bytes - old)
            self.committed_bytes = size_bytes

    def view(self, size_bytes: int) -> memoryview:
        """All bytes that may become accessible. When it and what is made from it are gone, the pages go back."""
        whole = system.view(self.address, size_bytes)
        weakref.finalize(whole.obj, _decommit, self).atexit = False
        return whole


def _decommit(reservation: _Reservation) -> None:
    if reservation.committed_bytes:
        system.decommit(reservation.address, reservation.committed_bytes)


def _release(address: int, size_bytes: int) -> None:
    del _live[address]  # first: once released, the address may be another memory's
    system.release(address, size_bytes)


def _reserve(minimum_pages: int, maximum_pages: int, guarded: bool) -> tuple[_Reservation, int]:
    """Address space, and for how many pages it is: for `maximum_pages`, without guard possibly fewer.

    Raises MemoryError if not even `minimum_pages` can be had.
    """
    pages = maximum_pages
    is_collected = False
    while True:
        try:
            return _Reservation(GUARDED_BYTES if guarded else max(pages, 1) * PAGE_SIZE), pages
        except system.RefusedError as error:
            if not is_collected:  # instances that nobody uses may be waiting for it with all the address space
                is_collected = True
                gc.collect()
                continue
            if guarded or pages <= minimum_pages:
                raise MemoryError(f"cannot reserve address space for a memory: {error.strerror}") from error
            pages = max(minimum_pages, pages // 2)


@final
class NativeMemory:
    """See `wazero_api.Memory`. `grow` and `close` may be called from any thread.

    Guarded: accesses past the present size fault, as far as 8 GiB behind `base_address`, which lies in `ENVELOPE`.
    Not guarded: code must compare with the record's `bytes` first; only the maximum's address space is taken.
    Closed, a memory has no bytes, but keeps its address space while the object lives, so that code that still refers to
    it faults and meets nobody else's bytes.
    """

    __slots__ = (
        "__weakref__",
        "_maximum_pages",
        "_record",
        "_reservation",
        "_whole",
        "base_address",
        "guarded",
        "pages",
        "record_address",
        "type",
    )

    def __init__(self, type: MemoryType, maximum_pages: int, guarded: bool) -> None:
        """`maximum_pages` is the bound in force.

        Raises MemoryError if the minimum cannot be had in this mode, UnsupportedError for memories that are shared or
        have 64-bit addresses.
        """
        if type.is_shared or type.is_64:
            raise UnsupportedError("the native engine has neither shared nor 64-bit memories")
        minimum = type.limits.minimum
        if minimum > MAX_MEMORY_PAGES:
            raise MemoryError(f"a memory cannot have {minimum} pages")
        self.type = type
        self.guarded = guarded
        maximum = min(max(minimum, maximum_pages), MAX_MEMORY_PAGES)
        self._reservation, self._maximum_pages = _reserve(minimum, maximum, guarded)
        self.base_address: int = self._reservation.address
        self._record = MemoryRecord(base=self.base_address)
        self.record_address = ctypes.addressof(self._record)
        """Address of a `MemoryRecord`, valid while this object lives."""
        self._whole = self._reservation.view(self._maximum_pages * PAGE_SIZE)
        self.pages = minimum
        try:
            self._resize()
        except system.RefusedError as error:
            raise MemoryError(f"cannot get {minimum} pages of memory: {error.strerror}") from error

    def __buffer__(self, flags: int) -> memoryview:
        return self.buffer

    def __release_buffer__(self, view: memoryview) -> None:
        """Nothing to do, but numpy holds on to a view, and so to the bytes, only of objects that have this method."""

    @property
    def buffer(self) -> memoryview:
        """See `wazero_api.Memory.buffer`. A view of the caller's own, which it may release."""
        return self._whole[: self._record.bytes]

    def grow(self, delta_pages: int) -> int:
        """See `wazero_api.Memory.grow`."""
        with forks.lock:
            old = self.pages
            if delta_pages < 0 or old + delta_pages > self._maximum_pages:
                return -1
            # Claimed before the first call: a signal handler or destructor that comes in between and grows this memory
            # too must start from here.
            self.pages = old + delta_pages
            try:
                self._resize()
            except BaseException as error:
                self.pages = old
                self._publish()
                if isinstance(error, system.RefusedError):
                    return -1
                raise
            return old

    def close(self) -> None:
        """Give the pages back, now or when the last view of them goes. The address space stays until the object goes."""
        with forks.lock:
            self.pages = self._maximum_pages = 0
            self._whole = _NOTHING
            self._publish()

    def _resize(self) -> None:
        """Make `pages` real. Raises `system.RefusedError`."""
        self._reservation.extend(self.pages * PAGE_SIZE)
        self._publish()

    def _publish(self) -> None:
        """Tell views and machine code how large the memory is."""
        self._record.bytes = self.pages * PAGE_SIZE
        self._record.pages = self.pages
