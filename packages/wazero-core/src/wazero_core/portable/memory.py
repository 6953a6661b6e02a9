"""Linear memory in address space that is reserved once, so that views outlive growth."""

from __future__ import annotations

import mmap
import sys
from typing import Final, final

from wazero_api import PAGE_SIZE, MemoryType

_NO_RESERVE: Final = 0x4000 if sys.platform == "linux" else 0
"""Linux's MAP_NORESERVE (`mmap` names it from CPython 3.13 on): untouched pages are not counted as used."""
_SMALL_RESERVATION: Final = (256 << 20) // PAGE_SIZE
"""Pages to reserve where the system counts reserved pages as used (Windows)."""


def _reserve(minimum_pages: int, maximum_pages: int) -> tuple[mmap.mmap | bytearray, int]:
    """Zeroed bytes for up to `maximum_pages`, or fewer if the system refuses, and for how many pages they are.

    Raises MemoryError if not even `minimum_pages` can be had.
    """
    pages = maximum_pages
    if not hasattr(mmap, "MAP_PRIVATE"):
        pages = max(minimum_pages, min(pages, _SMALL_RESERVATION))
    while pages:
        try:
            if hasattr(mmap, "MAP_PRIVATE"):
                flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
                return mmap.mmap(-1, pages * PAGE_SIZE, flags=flags), pages
            return mmap.mmap(-1, pages * PAGE_SIZE), pages
        except (OSError, OverflowError, ValueError, MemoryError):
            if pages <= minimum_pages:
                raise MemoryError(f"cannot get {minimum_pages} pages of memory") from None
            pages = max(minimum_pages, pages // 2)
    return bytearray(), 0


@final
class PortableMemory:
    """See `wazero_api.Memory`. Generated code keeps `buffer` in a variable and takes it anew after calls."""

    __slots__ = ("_bytes", "_reserved_pages", "_whole", "buffer", "pages", "type")

    def __init__(self, type: MemoryType, maximum_pages: int) -> None:
        self.type = type
        self.pages = type.limits.minimum
        self._bytes, self._reserved_pages = _reserve(self.pages, maximum_pages)
        self._whole = memoryview(self._bytes)
        self.buffer = self._whole[: self.pages * PAGE_SIZE]

    @property
    def base_address(self) -> int | None:
        """None: this engine has no use for it."""
        return None

    def grow(self, delta_pages: int) -> int:
        """See `wazero_api.Memory.grow`."""
        old = self.pages
        if old + delta_pages > self._reserved_pages:
            return -1
        self.pages = old + delta_pages
        self.buffer = self._whole[: self.pages * PAGE_SIZE]
        return old

    def close(self) -> None:
        """Give the address space back, now or when the last view of it goes."""
        self.pages = self._reserved_pages = 0
        self.buffer = memoryview(b"")
        try:
            self._whole.release()
            if isinstance(self._bytes, mmap.mmap):
                self._bytes.close()
        except BufferError:
            pass
        self._bytes = bytearray()
