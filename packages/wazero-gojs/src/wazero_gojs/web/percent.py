"""Percent-encoding, and forms of it. Spec: https://url.spec.whatwg.org, 1.3 and 5."""

from __future__ import annotations

import re
from typing import Final

from .text import to_utf8

_CONTROLS: Final = frozenset(byte for byte in range(256) if not 0x20 <= byte <= 0x7E)
_FRAGMENT: Final = _CONTROLS | frozenset(b' "<>`')
_QUERY: Final = _CONTROLS | frozenset(b' "#<>')
_SPECIAL_QUERY: Final = _QUERY | frozenset(b"'")
_PATH: Final = _QUERY | frozenset(b"?`{}")
_USERINFO: Final = _PATH | frozenset(b"/:;=@[\\]^|")
_FORM: Final = _USERINFO | frozenset(b"$%&+,!'()~")

SETS: Final = {
    "controls": _CONTROLS,
    "fragment": _FRAGMENT,
    "query": _QUERY,
    "special query": _SPECIAL_QUERY,
    "path": _PATH,
    "userinfo": _USERINFO,
    "form": _FORM,
}
"""The bytes that are to be encoded, by where."""
_TABLES: Final = {
    name: [f"%{byte:02X}" if byte in encoded else chr(byte) for byte in range(256)] for name, encoded in SETS.items()
}


def encode(text: str, where: str) -> str:
    """The text as it may stand in that part of a URL."""
    table = _TABLES[where]
    return "".join([table[byte] for byte in to_utf8(text)])


def decode(text: str) -> bytes:
    """The bytes that it stands for; what is no encoding stays as it is."""
    raw = to_utf8(text)
    if b"%" not in raw:
        return raw
    return re.sub(rb"%([0-9a-fA-F]{2})", lambda match: bytes((int(match[1], 16),)), raw)


def parse_form(text: str) -> list[tuple[str, str]]:
    """Names and values of a query. Spec: 5.1."""
    found: list[tuple[str, str]] = []
    for part in text.split("&"):
        if part:
            name, _, value = part.replace("+", " ").partition("=")
            found.append((decode(name).decode("utf-8", "replace"), decode(value).decode("utf-8", "replace")))
    return found


def write_form(pairs: list[tuple[str, str]]) -> str:
    """A query. Spec: 5.2."""
    return "&".join(f"{_form(name)}={_form(value)}" for name, value in pairs)


def _form(text: str) -> str:
    return encode(text, "form").replace("%20", "+")
