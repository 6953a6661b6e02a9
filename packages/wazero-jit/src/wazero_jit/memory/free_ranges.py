"""Which stretches of address space are free."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final, final

_ADDRESS_BITS: Final = 64
_ADDRESS_MASK: Final = (1 << _ADDRESS_BITS) - 1


@final
class FreeRanges:
    """Disjoint free ranges [start, end). The smallest that is large enough is used first, the lowest among equals.

    Searching is logarithmic. Keys are plain ints, not tuples, so that the garbage collector, and with it other
    people's destructors, has no reason to run in the middle of a change.
    """

    __slots__ = ("_by_size", "_ends", "_starts")

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}
        """By start."""
        self._starts: dict[int, int] = {}
        """By end."""
        self._by_size: list[int] = []
        """Size and start of each range in one number, sorted."""

    def __len__(self) -> int:
        return len(self._ends)

    def put(self, start: int, end: int, low: int, high: int) -> tuple[int, int]:
        """Add a range, joined with free neighbours between `low` and `high`; what it became."""
        if start > low and start in self._starts:
            start = self._starts[start]
            self.remove(start)
        if end < high and end in self._ends:
            end = self.remove(end)
        self._insert(start, end)
        return start, end

    def take(self, size: int) -> int | None:
        """The start of `size` bytes that are free no longer, or None."""
        position = bisect_left(self._by_size, size << _ADDRESS_BITS)
        if position == len(self._by_size):
            return None
        start = self._by_size[position] & _ADDRESS_MASK
        end = self.remove(start)
        if end - start > size:
            self._insert(start + size, end)
        return start

    def remove(self, start: int) -> int:
        """Forget the range that starts there; its end."""
        end = self._ends.pop(start)
        del self._starts[end]
        del self._by_size[bisect_left(self._by_size, (end - start) << _ADDRESS_BITS | start)]
        return end

    def _insert(self, start: int, end: int) -> None:
        self._ends[start] = end
        self._starts[end] = start
        insort(self._by_size, (end - start) << _ADDRESS_BITS | start)
