"""What imports are given by its address: bytes and names in the program's memory. A guest may give any address."""

from __future__ import annotations

from struct import Struct
from typing import Final, final

from wazero_api import Trap, TrapKind

_MAX_NAMES: Final = 4096
"""Names that are kept decoded."""
_TEXTS: Final = tuple(Struct(f"{length}s") for length in range(65))
"""Names of all lengths that are kept. A structure takes them out of memory faster than a slice."""


def bytes_at(buffer: memoryview, pointer: int, length: int) -> memoryview:
    """Bytes of the guest. Raises Trap for what is outside its memory."""
    if pointer + length > len(buffer):
        raise out_of_bounds()
    return buffer[pointer : pointer + length]


def out_of_bounds() -> Trap:
    """What a call ends with whose stack pointer, or an address there, is outside of memory."""
    return Trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS, detail="in a call to the host")


@final
class Names(dict[bytes, str]):
    """The names of properties that one program uses. They are few, and decoding takes longer than looking them up."""

    __slots__ = ()

    def at(self, buffer: memoryview, pointer: int, length: int) -> str:
        """The name in memory. Raises Trap, or struct.error, for what is outside."""
        if length >= len(_TEXTS):
            return str(bytes_at(buffer, pointer, length), "utf-8", "replace")
        (raw,) = _TEXTS[length].unpack_from(buffer, pointer)
        return self[raw]

    def __missing__(self, raw: bytes) -> str:
        name = raw.decode("utf-8", "replace")
        if len(self) < _MAX_NAMES:
            self[raw] = name
        return name
