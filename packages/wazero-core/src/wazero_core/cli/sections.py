"""The sections of a binary as they lie in it."""

from __future__ import annotations

from typing import NamedTuple

from wazero_core.binary.reader import Reader
from wazero_core.binary.sections import CUSTOM, SECTIONS

_PREAMBLE_BYTES = 8


class SectionEntry(NamedTuple):
    """A section. Its content, `size` bytes, starts at byte `offset` of the binary."""

    id: int
    name: str
    """What the specification calls it; of a custom section, its own name."""
    offset: int
    size: int


def list_sections(wasm: bytes) -> list[SectionEntry]:
    """All sections, in order, of a binary that decodes."""
    found = []
    reader = Reader(wasm, _PREAMBLE_BYTES)
    while reader.position < reader.end:
        number = reader.byte()
        size = reader.u32()
        offset = reader.position
        name = reader.name() if SECTIONS[number] is CUSTOM else SECTIONS[number].name
        found.append(SectionEntry(number, name, offset, size))
        reader.position = offset + size
    return found
