"""Tables and globals: 8-byte words that machine code and Python share."""

from __future__ import annotations

import ctypes
from array import array
from typing import Any, Final, final

from wazero_api import GlobalType, TableType, decode

from .conversions import Conversions, ReferenceKeeper, kind_of
from .records import TableRecord

_MAX_SPARE: Final = 1 << 16
"""Elements allocated ahead, at most, when a table grows."""


@final
class JitGlobal:
    """See `wazero_api.Global`."""

    __slots__ = ("__weakref__", "_cell", "_conversions", "_kind", "owners", "type")

    def __init__(self, type: GlobalType, value: Any, conversions: Conversions) -> None:
        self.type = type
        self._conversions = conversions
        self._kind = kind_of(type.value)
        self.owners: set[Any] = set()
        """What the functions that it may refer to belong to: kept alive."""
        self._cell = array("Q", (conversions.to_native_for(self.owners, value, self._kind),))

    @property
    def address(self) -> int:
        """Of the 8 bytes that hold the value."""
        return self._cell.buffer_info()[0]

    @property
    def bits(self) -> int:
        """The value as machine code has it."""
        return self._cell[0]

    def get(self) -> Any:
        """The typed value."""
        type = self.type.value
        return self._conversions.from_native(self._cell[0], self._kind) if type.is_ref else decode(self._cell[0], type)

    def references(self, keeper: ReferenceKeeper) -> list[int]:
        """The value as machine code has it, if it is for `keeper` to keep alive."""
        return keeper.needed(self._cell, self._kind, self.owners)

    def set(self, value: Any) -> None:
        """See `wazero_api.Global.set`."""
        self._cell[0] = self._conversions.to_native_for(self.owners, value, self._kind)


@final
class JitTable:
    """See `wazero_api.Table`."""

    __slots__ = ("__weakref__", "_conversions", "_kind", "_maximum", "_outgrown", "_record", "_words", "owners", "type")

    def __init__(self, type: TableType, init: Any, maximum_elements: int, conversions: Conversions) -> None:
        self.type = type
        self._conversions = conversions
        self._kind = kind_of(type.element)
        maximum = type.limits.maximum
        self._maximum = maximum_elements if maximum is None else min(maximum, maximum_elements)
        self.owners: set[Any] = set()
        """What the functions that it may refer to belong to: kept alive. Of functions that Python puts in, until the end."""
        self._words = array("Q", (self._to_native(init),)) * type.limits.minimum
        self._record = TableRecord(self._words.buffer_info()[0], type.limits.minimum)
        self._outgrown: list[array[int]] = []
        """Former words: code in another thread may just be reading them."""

    @property
    def record_address(self) -> int:
        """Of the `TableRecord`."""
        return ctypes.addressof(self._record)

    def __len__(self) -> int:
        return int(self._record.length)

    def __getitem__(self, index: int) -> Any:
        return self._conversions.from_native(self.raw(index), self._kind)

    def __setitem__(self, index: int, value: Any) -> None:
        self._check(index)
        self._words[index] = self._to_native(value)

    def _to_native(self, value: Any) -> int:
        return self._conversions.to_native_for(self.owners, value, self._kind)

    def raw(self, index: int) -> int:
        """An element as machine code has it. Raises IndexError."""
        self._check(index)
        return self._words[index]

    def words(self) -> array[int]:
        """Elements as machine code has them; only the first ``len(self)`` count."""
        return self._words

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"table index {index} is out of range: the table has {len(self)} elements")

    def grow(self, delta: int, value: Any = None) -> int:
        """See `wazero_api.Table.grow`."""
        return self.grow_raw(delta, self._to_native(value))

    def grow_raw(self, delta: int, bits: int) -> int:
        """`grow` with the value as machine code has it."""
        old = len(self)
        length = old + delta
        if length > self._maximum:
            return -1
        if length > len(self._words):
            try:
                spare = array("Q", bytes(8)) * (length - old + min(length, _MAX_SPARE))
                words = self._words[:old] + spare
            except MemoryError:
                return -1
            self._outgrown.append(self._words)
            self._words = words
            self._record.base = words.buffer_info()[0]
        self._words[old:length] = array("Q", (bits,)) * delta
        self._record.length = length
        return old

    def references(self, keeper: ReferenceKeeper) -> list[int]:
        """The elements that are for `keeper` to keep alive, as machine code has them."""
        return keeper.needed(self._words[: len(self)], self._kind, self.owners)
