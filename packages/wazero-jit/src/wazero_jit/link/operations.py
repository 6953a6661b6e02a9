"""Instructions that machine code leaves to Python: `layout.BUILTINS`. Values are as machine code has them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final, final

from wazero_api import Trap, TrapKind

from .conversions import Conversions

_FAILED: Final = 0xFFFFFFFF


@final
class Operations:
    """Of one instance, whose lists of memories, tables and segments are those of its link target."""

    def __init__(
        self,
        memories: list[Any],
        tables: list[Any],
        data: list[Any],
        elements: list[Any],
        conversions: Conversions,
    ) -> None:
        self._memories = memories
        self._tables = tables
        self._data = data
        self._elements = elements
        self._conversions = conversions

    def by_name(self) -> dict[str, Callable[..., Any]]:
        """The callables, by the instructions' names."""
        return {
            "memory.grow": self.memory_grow,
            "memory.init": self.memory_init,
            "memory.copy": self.memory_copy,
            "memory.fill": self.memory_fill,
            "data.drop": self.data_drop,
            "table.init": self.table_init,
            "table.copy": self.table_copy,
            "table.fill": self.table_fill,
            "table.grow": self.table_grow,
            "elem.drop": self.elem_drop,
        }

    def memory_grow(self, delta: int, memory: int) -> int:
        """Old size in pages, or -1 as 32 bits."""
        return int(self._memories[memory].grow(delta)) & _FAILED

    def memory_init(self, target: int, source: int, count: int, segment: int, memory: int) -> None:
        """Copy from a data segment."""
        data = self._data[segment]
        buffer = self._memories[memory].buffer
        if source + count > len(data) or target + count > len(buffer):
            raise Trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
        buffer[target : target + count] = data[source : source + count]

    def memory_copy(self, target: int, source: int, count: int, to: int, of: int) -> None:
        """Copy within a memory or between two; the ranges may overlap."""
        target_memory, source_memory = self._memories[to], self._memories[of]
        if target + count > len(target_memory.buffer) or source + count > len(source_memory.buffer):
            raise Trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
        ctypes.memmove(target_memory.base_address + target, source_memory.base_address + source, count)

    def memory_fill(self, target: int, value: int, count: int, memory: int) -> None:
        """Set bytes."""
        filled = self._memories[memory]
        if target + count > len(filled.buffer):
            raise Trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
        ctypes.memset(filled.base_address + target, value & 0xFF, count)

    def data_drop(self, segment: int) -> None:
        """Forget a data segment."""
        self._data[segment] = b""

    def table_init(self, target: int, source: int, count: int, segment: int, table: int) -> None:
        """Copy from an element segment."""
        references, filled = self._elements[segment], self._tables[table]
        if source + count > len(references) or target + count > len(filled):
            raise Trap(TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)
        for offset in range(count):
            filled[target + offset] = references[source + offset]

    def table_copy(self, target: int, source: int, count: int, to: int, of: int) -> None:
        """Copy within a table or between two; the ranges may overlap."""
        target_table, source_table = self._tables[to], self._tables[of]
        if target + count > len(target_table) or source + count > len(source_table):
            raise Trap(TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)
        target_table.words()[target : target + count] = source_table.words()[source : source + count]

    def table_fill(self, target: int, bits: int, count: int, table: int) -> None:
        """Set elements."""
        filled = self._tables[table]
        if target + count > len(filled):
            raise Trap(TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)
        words = filled.words()
        for index in range(target, target + count):
            words[index] = bits

    def table_grow(self, bits: int, delta: int, table: int) -> int:
        """Old number of elements, or -1 as 32 bits."""
        return int(self._tables[table].grow_raw(delta, bits)) & _FAILED

    def elem_drop(self, segment: int) -> None:
        """Forget an element segment."""
        self._elements[segment] = ()
