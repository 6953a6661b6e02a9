"""The name section (spec appendix 7.4.1). A broken one is ignored, as the specification asks of custom sections."""

from __future__ import annotations

from typing import Final

from wazero_api import MalformedModuleError, Names

from .reader import Reader

_MODULE: Final = 0
_FUNCTIONS: Final = 1
_LOCALS: Final = 2


def decode_names(reader: Reader) -> Names:
    """What the section says up to its first fault."""
    module: str | None = None
    functions: dict[int, str] = {}
    locals_: dict[int, dict[int, str]] = {}
    try:
        while reader.position < reader.end:
            kind = reader.byte()
            size = reader.u32()
            part = Reader(reader.data, reader.position, min(reader.end, reader.position + size))
            reader.position += size
            if kind == _MODULE:
                module = part.name()
            elif kind == _FUNCTIONS:
                functions = _read_name_map(part)
            elif kind == _LOCALS:
                locals_ = {part.u32(): _read_name_map(part) for _ in range(part.count(2))}
    except MalformedModuleError:
        pass
    return Names(module, functions, locals_)


def _read_name_map(reader: Reader) -> dict[int, str]:
    return {reader.u32(): reader.name() for _ in range(reader.count(2))}
