"""Tables and globals: Python lists and slots."""

from __future__ import annotations

from typing import Any, final

from wazero_api import GlobalType, TableType

from .values import from_raw, to_raw


@final
class PortableTable:
    """See `wazero_api.Table`. `elements` is one list for the table's life; generated code uses it directly."""

    __slots__ = ("_maximum", "elements", "type")

    def __init__(self, type: TableType, init: Any, maximum_elements: int) -> None:
        self.type = type
        maximum = type.limits.maximum
        self._maximum = maximum_elements if maximum is None else min(maximum, maximum_elements)
        self.elements = [init] * type.limits.minimum

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, index: int) -> Any:
        self._check(index)
        return self.elements[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self._check(index)
        self.elements[index] = to_raw(value, self.type.element)

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self.elements):
            raise IndexError(f"table index {index} is out of range: the table has {len(self.elements)} elements")

    def grow(self, delta: int, value: Any = None) -> int:
        """See `wazero_api.Table.grow`."""
        old = len(self.elements)
        if old + delta > self._maximum:
            return -1
        value = to_raw(value, self.type.element)
        try:
            self.elements.extend([value] * delta)
        except MemoryError:
            return -1
        return old


@final
class PortableGlobal:
    """See `wazero_api.Global`. `value` is as generated code has it: ints unsigned."""

    __slots__ = ("type", "value")

    def __init__(self, type: GlobalType, value: Any) -> None:
        self.type = type
        self.value = to_raw(value, type.value)

    def get(self) -> Any:
        """The typed value."""
        return from_raw(self.value, self.type.value)

    def set(self, value: Any) -> None:
        """See `wazero_api.Global.set`."""
        self.value = to_raw(value, self.type.value)
