"""Modules in the binary format, put together by hand: what no text format would let through, or could say this short.

Nothing here checks anything. Must not import the packages under test.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PREAMBLE: Final = b"\0asm\1\0\0\0"

I32: Final = 0x7F
I64: Final = 0x7E
F32: Final = 0x7D
F64: Final = 0x7C
FUNCREF: Final = 0x70

TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, DATA_COUNT = range(1, 13)
"""Section ids."""

END: Final = b"\x0b"


def leb(value: int, width: int = 0) -> bytes:
    """Unsigned LEB128, padded to `width` bytes."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value and len(out) + 1 >= width:
            return bytes([*out, low])
        out.append(low | 0x80)


def sleb(value: int) -> bytes:
    """Signed LEB128."""
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])


def vec(items: Iterable[bytes]) -> bytes:
    """A vector of encoded items."""
    listed = list(items)
    return leb(len(listed)) + b"".join(listed)


def name(text: str) -> bytes:
    """A name."""
    data = text.encode()
    return leb(len(data)) + data


def section(number: int, content: bytes) -> bytes:
    """A section with its size."""
    return bytes([number]) + leb(len(content)) + content


def module(*sections: tuple[int, bytes]) -> bytes:
    """A module of sections, which are (id, content)."""
    return PREAMBLE + b"".join(section(number, content) for number, content in sections)


def function_type(params: Iterable[int] = (), results: Iterable[int] = ()) -> bytes:
    """A function type."""
    return b"\x60" + vec(bytes([t]) for t in params) + vec(bytes([t]) for t in results)


def body(code: bytes, locals_: Iterable[tuple[int, int]] = ()) -> bytes:
    """A function body with its size; `code` lacks the final ``end``. Locals are (count, type)."""
    content = vec(leb(count) + bytes([type]) for count, type in locals_) + code + END
    return leb(len(content)) + content


def export(text: str, index: int, kind: int = 0) -> bytes:
    """An export, of a function unless said otherwise."""
    return name(text) + bytes([kind]) + leb(index)


def functions(
    bodies: Iterable[bytes],
    *,
    types: Iterable[bytes] = (function_type(),),
    type_indices: Iterable[int] | None = None,
    exports: Iterable[bytes] = (export("f", 0),),
    more: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """A module of functions, of type 0 unless `type_indices` says otherwise, and `more` sections in between."""
    bodies = list(bodies)
    indices = [0] * len(bodies) if type_indices is None else list(type_indices)
    sections = [
        (TYPE, vec(types)),
        (FUNCTION, vec(map(leb, indices))),
        (EXPORT, vec(exports)),
        (CODE, vec(bodies)),
        *more,
    ]
    return module(*sorted(sections, key=lambda item: ORDER.index(item[0])))


ORDER: Final = (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA)
"""Section ids in the order in which sections must come."""


def function(
    code: bytes,
    *,
    params: Iterable[int] = (),
    results: Iterable[int] = (),
    locals_: Iterable[tuple[int, int]] = (),
    more: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """A module with one function, exported as "f"."""
    return functions([body(code, locals_)], types=[function_type(params, results)], more=more)


def i32_const(value: int) -> bytes:
    """The instruction."""
    return b"\x41" + sleb(value)
