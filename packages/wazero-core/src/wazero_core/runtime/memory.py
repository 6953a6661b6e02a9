"""A memory as Python programs see it: wazero's `api.Memory`."""

from __future__ import annotations

import struct
from operator import index
from typing import Any, Final, final

from wazero_api import PAGE_SIZE, MemoryAccessError
from wazero_api import Memory as EngineMemory

from .definitions import MemoryDefinition

_U16: Final = struct.Struct("<H")
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")
_F32: Final = struct.Struct("<f")
_F64: Final = struct.Struct("<d")
_FLOATS: Final = (_F32, _F64)


@final
class Memory:
    """Little-endian reads and writes at byte offsets. Out of range, they raise MemoryAccessError and touch nothing.

    Numpy and others can look at the bytes without a copy through `buffer`, from Python 3.12 on through the object
    itself. A view stays valid, also when the memory grows; it shows as many bytes as there were when it was taken.
    """

    __slots__ = ("_memory", "definition")

    def __init__(self, memory: EngineMemory, definition: MemoryDefinition) -> None:
        self._memory = memory
        self.definition = definition

    def __repr__(self) -> str:
        return f"<wasm memory of {self.pages} pages>"

    def __len__(self) -> int:
        return self.size

    def __buffer__(self, flags: int) -> memoryview:
        return self.buffer

    def __release_buffer__(self, view: memoryview) -> None:
        """Nothing to do; but only of objects that have this method does numpy keep the view as long as its pointer."""

    @property
    def buffer(self) -> memoryview:
        """All bytes, writable. The view is the caller's own, who may release it."""
        return self._memory.buffer[:]

    @property
    def size(self) -> int:
        """In bytes."""
        return self._memory.pages * PAGE_SIZE

    @property
    def pages(self) -> int:
        """In pages of 64 KiB."""
        return self._memory.pages

    def grow(self, delta_pages: int) -> int | None:
        """Add pages; the number there were before, or None if the maximum or the system does not allow it."""
        delta_pages = index(delta_pages)
        if delta_pages < 0:
            raise ValueError(f"a memory cannot shrink: {delta_pages} pages")
        old = self._memory.grow(delta_pages)
        return None if old < 0 else old

    def _check(self, offset: int, count: int) -> memoryview:
        view = self._memory.buffer
        if offset < 0 or count < 0 or offset + count > len(view):
            raise MemoryAccessError(
                f"{count} bytes at offset {offset} are outside of the memory, which has {len(view)} bytes"
            )
        return view

    def _unpack(self, layout: struct.Struct, offset: int) -> Any:
        return layout.unpack_from(self._check(offset, layout.size), offset)[0]

    def _pack(self, layout: struct.Struct, offset: int, value: Any) -> None:
        view = self._check(offset, layout.size)
        try:
            data = layout.pack(value)
        except struct.error as error:
            if layout in _FLOATS or not hasattr(value, "__index__"):
                raise TypeError(f"{error}: {value!r}") from None
            raise OverflowError(f"{value!r} does not fit in {layout.size} bytes") from None
        view[offset : offset + layout.size] = data

    def read(self, offset: int, count: int) -> bytes:
        """A copy of `count` bytes."""
        return bytes(self._check(offset, count)[offset : offset + count])

    def view(self, offset: int, count: int) -> memoryview:
        """`count` bytes to read and write through."""
        return self._check(offset, count)[offset : offset + count]

    def read_byte(self, offset: int) -> int:
        """0 to 255."""
        return self._check(offset, 1)[offset]

    def read_uint16_le(self, offset: int) -> int:
        """0 to 2**16 - 1."""
        value: int = self._unpack(_U16, offset)
        return value

    def read_uint32_le(self, offset: int) -> int:
        """0 to 2**32 - 1."""
        value: int = self._unpack(_U32, offset)
        return value

    def read_uint64_le(self, offset: int) -> int:
        """0 to 2**64 - 1."""
        value: int = self._unpack(_U64, offset)
        return value

    def read_float32_le(self, offset: int) -> float:
        """A 32-bit float."""
        value: float = self._unpack(_F32, offset)
        return value

    def read_float64_le(self, offset: int) -> float:
        """A 64-bit float."""
        value: float = self._unpack(_F64, offset)
        return value

    def write(self, offset: int, data: Any) -> None:
        """Copy bytes, or any contiguous buffer, in."""
        source = memoryview(data).cast("B")
        self._check(offset, len(source))[offset : offset + len(source)] = source

    def write_string(self, offset: int, text: str) -> int:
        """Copy `text` in as UTF-8; the number of bytes."""
        data = text.encode()
        self.write(offset, data)
        return len(data)

    def write_byte(self, offset: int, value: int) -> None:
        """0 to 255."""
        view = self._check(offset, 1)
        if not 0 <= value <= 0xFF:
            raise OverflowError(f"{value!r} does not fit in 1 byte")
        view[offset] = value

    def write_uint16_le(self, offset: int, value: int) -> None:
        """0 to 2**16 - 1."""
        self._pack(_U16, offset, value)

    def write_uint32_le(self, offset: int, value: int) -> None:
        """0 to 2**32 - 1."""
        self._pack(_U32, offset, value)

    def write_uint64_le(self, offset: int, value: int) -> None:
        """0 to 2**64 - 1."""
        self._pack(_U64, offset, value)

    def write_float32_le(self, offset: int, value: float) -> None:
        """Rounded to 32 bits; OverflowError if that would be infinite."""
        self._pack(_F32, offset, value)

    def write_float64_le(self, offset: int, value: float) -> None:
        """A 64-bit float."""
        self._pack(_F64, offset, value)
