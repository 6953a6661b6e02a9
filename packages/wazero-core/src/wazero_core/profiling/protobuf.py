"""Protocol Buffers' wire format, as much of it as one kind of file needs: from dicts to bytes, by a table of fields.

Spec: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_VARINT = 0
_LENGTH_DELIMITED = 2


class Field(NamedTuple):
    """A field of a message. `kind` is "int" or "string" (also for bool), or the name of a message."""

    number: int
    kind: str
    is_repeated: bool = False


Messages = Mapping[str, Mapping[str, Field]]
"""Fields by name, by name of the message."""


def encode(messages: Messages, name: str, values: Mapping[str, Any]) -> bytes:
    """The message `name` with these fields: int, str, a dict for a message, or a list of such where one is repeated.

    What is 0 or empty is left out, as it is what readers take for a missing field. Raises KeyError for a name that is no
    field.
    """
    parts: list[bytes] = []
    for field_name, value in values.items():
        number, kind, is_repeated = messages[name][field_name]
        if is_repeated and kind == "int":
            if value:
                parts.append(_delimited(number, b"".join(map(varint, value))))
            continue
        for item in value if is_repeated else (value,):
            if kind == "int":
                parts.append(varint(number << 3 | _VARINT) + varint(item) if item else b"")
            elif kind == "string":
                # In a list even the empty string counts: others refer to items by their positions.
                parts.append(_delimited(number, item.encode()) if item or is_repeated else b"")
            else:
                parts.append(_delimited(number, encode(messages, kind, item)))
    return b"".join(parts)


def _delimited(number: int, content: bytes) -> bytes:
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as 64 bits."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
