"""Tables and globals as Python programs see them."""

from __future__ import annotations

from typing import Any, final

from wazero_api import Global as EngineGlobal
from wazero_api import GlobalType, MemoryAccessError, TableType
from wazero_api import Table as EngineTable


@final
class Table:
    """References by index: None for null, otherwise a function or any object. Out of range: MemoryAccessError."""

    __slots__ = ("_table",)

    def __init__(self, table: EngineTable) -> None:
        self._table = table

    def __repr__(self) -> str:
        return f"<wasm table of {len(self)} {self.type.element.name}>"

    @property
    def type(self) -> TableType:
        """Element type and limits."""
        return self._table.type

    def __len__(self) -> int:
        return len(self._table)

    def _check(self, index: int) -> int:
        if not 0 <= index < len(self._table):
            raise MemoryAccessError(f"index {index} is outside of the table, which has {len(self._table)} elements")
        return index

    def __getitem__(self, index: int) -> Any:
        return self._table[self._check(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._table[self._check(index)] = value

    def grow(self, delta: int, value: Any = None) -> int | None:
        """Add elements; the number there were before, or None if that is not allowed."""
        if delta < 0:
            raise ValueError(f"a table cannot shrink: {delta} elements")
        old = self._table.grow(delta, value)
        return None if old < 0 else old


@final
class Global:
    """A global of a module."""

    __slots__ = ("_global",)

    def __init__(self, global_: EngineGlobal) -> None:
        self._global = global_

    def __repr__(self) -> str:
        return f"<wasm global {self.type.value.name} {self.get()!r}>"

    @property
    def type(self) -> GlobalType:
        """Value type, and whether it can be set."""
        return self._global.type

    def get(self) -> Any:
        """The value: a signed int, a float, bytes or a reference."""
        return self._global.get()

    def set(self, value: Any) -> None:
        """Raises TypeError if the global is constant or the value of another type, OverflowError if it does not fit."""
        if not self._global.type.is_mutable:
            raise TypeError("this global is constant")
        self._global.set(value)

    @property
    def value(self) -> Any:
        """The same as `get` and `set`."""
        return self.get()

    @value.setter
    def value(self, value: Any) -> None:
        self.set(value)
