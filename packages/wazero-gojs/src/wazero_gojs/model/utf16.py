"""Text as JavaScript counts it: in UTF-16 code units. Spec: ECMA-262, 6.1.4.

A string is Python's text. A character beyond U+FFFF is one item of it, though two units; a surrogate without its partner
is one item. Two surrogates that make a pair never stand next to each other, so strings are equal if they are equal here:
whoever puts text together uses `concat`, `concat_all` or `from_units`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from .values import throw_range_error

MAX_LENGTH: Final = (1 << 29) - 24
"""Of a string, as in V8."""

CODEC: Final = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"
_MAX_REMEMBERED: Final = 1 << 20
_LONG: Final = 64


def encode(text: str) -> bytes:
    """The units, two bytes each, as this machine orders them."""
    return _recently_encoded(text) if len(text) <= _MAX_REMEMBERED else text.encode(CODEC, "surrogatepass")


@lru_cache(maxsize=2)
def _recently_encoded(text: str) -> bytes:
    # Loops over a string ask for its units one by one.
    return text.encode(CODEC, "surrogatepass")


def decode(units: bytes | memoryview) -> str:
    """The text of these units."""
    return str(units, CODEC, "surrogatepass")


def well_formed(text: str) -> str:
    """The text with U+FFFD for each surrogate that has no partner."""
    if is_well_formed(text):
        return text
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def is_simple(text: str) -> bool:
    """Whether each item of the text is one unit, so that indices mean the same."""
    return text.isascii() or len(encode(text)) == 2 * len(text)


def length(text: str) -> int:
    """How many units there are."""
    return len(text) if text.isascii() else len(encode(text)) // 2


def unit_at(text: str, index: int) -> int:
    """The unit at an index; -1 if there is none."""
    if is_simple(text):
        return ord(text[index]) if 0 <= index < len(text) else -1
    units = memoryview(encode(text)).cast("H")
    return units[index] if 0 <= index < len(units) else -1


def character_at(text: str, index: int) -> str:
    """The unit at an index as text; empty if there is none."""
    unit = unit_at(text, index)
    return chr(unit) if unit >= 0 else ""


def code_point_at(text: str, index: int) -> int:
    """The unit at an index, or the character that starts there; -1 if there is none."""
    unit = unit_at(text, index)
    if 0xD800 <= unit < 0xDC00:
        second = unit_at(text, index + 1)
        if 0xDC00 <= second < 0xE000:
            return ((unit - 0xD800) << 10) + (second - 0xDC00) + 0x10000
    return unit


def cut(text: str, start: int, end: int) -> str:
    """The units from `start` up to `end`, neither of which is negative."""
    if is_simple(text):
        return text[start:end]
    return decode(encode(text)[2 * start : 2 * end])


def find(text: str, part: str, start: int = 0) -> int:
    """The first index from `start` on at which `part` is; -1 if it is nowhere."""
    if is_simple(text):
        return text.find(part, start)
    units, wanted = encode(text), part.encode(CODEC, "surrogatepass")
    at = units.find(wanted, 2 * start)
    while at > 0 and at & 1:
        at = units.find(wanted, at + 1)
    return at // 2


def find_last(text: str, part: str, start: int) -> int:
    """The last index up to `start` at which `part` is; -1 if it is nowhere."""
    if is_simple(text):
        return rfind(text, part, 0, start + len(part))
    wanted = part.encode(CODEC, "surrogatepass")
    units = encode(text)[: 2 * start + len(wanted)]
    turned, wanted = units[::-1], wanted[::-1]
    at = turned.find(wanted)
    while at > 0 and at & 1:
        at = turned.find(wanted, at + 1)
    return (len(units) - at - len(wanted)) // 2 if at >= 0 else -1


def rfind(text: str, part: str, start: int, end: int) -> int:
    """What `str.rfind` gives, which takes quadratic time for long parts, and lets nothing interrupt it; `find` does not."""
    if len(part) < _LONG:
        return text.rfind(part, start, end)
    turned = text[start:end][::-1]
    at = turned.find(part[::-1])
    return start + len(turned) - at - len(part) if at >= 0 else -1


def joined(text: str) -> str:
    """Text in which surrogates may be next to each other, with pairs of them as the character that they are."""
    return text if text.isascii() else decode(text.encode(CODEC, "surrogatepass"))


def concat(left: str, right: str) -> str:
    """Both, one after the other. RangeError if that is too long."""
    if len(left) + len(right) > MAX_LENGTH:
        throw_range_error("Invalid string length")
    both = left + right
    return joined(both) if left and "\udc00" <= right[:1] <= "\udfff" else both


def concat_all(parts: Sequence[str], separator: str = "") -> str:
    """All, one after the other, with `separator` in between. RangeError if that is too long."""
    if sum(map(len, parts)) + len(separator) * max(len(parts) - 1, 0) > MAX_LENGTH:
        throw_range_error("Invalid string length")
    return joined(separator.join(parts))


def from_units(units: Iterable[int]) -> str:
    """The text of units, each 0…65535."""
    return joined("".join(map(chr, units)))


def is_well_formed(text: str) -> bool:
    """Whether no surrogate is without its partner."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)
