"""A mapping by SameValueZero that keeps its order, also while somebody goes through it and changes it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, final

from wazero_gojs.model.values import BigInt


@final
class Entry:
    """A key and its value; `serial` grows from entry to entry."""

    __slots__ = ("is_live", "key", "serial", "value")

    def __init__(self, key: Any, value: Any, serial: int) -> None:
        self.key = key
        self.value = value
        self.serial = serial
        self.is_live = True


_serial_of = attrgetter("serial")


def _identity(key: Any) -> Any:
    """Equal for keys that are the same, and for no others: Python takes true, 1 and 1n for one."""
    if isinstance(key, (bool, BigInt)):
        return type(key), int(key)
    return (float,) if key != key else key


@final
class OrderedMap:
    """Entries in the order in which they came."""

    __slots__ = ("_by_key", "_order", "_serial", "_version")

    def __init__(self) -> None:
        self._by_key: dict[Any, Entry] = {}
        self._order: list[Entry] = []
        """With entries that were removed, until there are too many."""
        self._serial = 0
        self._version = 0
        """Of the order: what readers knew of positions before is wrong after."""

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, key: Any) -> Entry | None:
        """The entry of a key."""
        return self._by_key.get(_identity(key))

    def put(self, key: Any, value: Any) -> None:
        """Set the value of a key, which is the last one if it is new."""
        identity = _identity(key)
        entry = self._by_key.get(identity)
        if entry is not None:
            entry.value = value
            return
        self._by_key[identity] = entry = Entry(key or 0 if isinstance(key, float) else key, value, self._serial)
        self._serial += 1
        self._order.append(entry)

    def remove(self, key: Any) -> bool:
        """Whether it was there."""
        entry = self._by_key.pop(_identity(key), None)
        if entry is None:
            return False
        entry.is_live = False
        if len(self._order) > 32 and len(self._order) > 2 * len(self._by_key):
            self._order = [entry for entry in self._order if entry.is_live]
            self._version += 1
        return True

    def clear(self) -> None:
        """Remove all."""
        self._by_key.clear()
        self._order = []
        self._version += 1

    def entries(self) -> Iterator[Entry]:
        """Those that there are, and those that come while one looks."""
        version, position, serial = self._version, 0, 0
        while True:
            if version != self._version:
                version = self._version
                position = bisect_left(self._order, serial, key=_serial_of)
            if position >= len(self._order):
                return
            entry = self._order[position]
            position += 1
            serial = entry.serial + 1
            if entry.is_live:
                yield entry
