"""Which characters are the same if case does not count. Spec: ECMA-262, 22.2.2.7.3.

Without the flag u, what `toUpperCase` makes of them decides; with u or v, Unicode's simple case folding.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import Final

from .regexp_classes import Ranges, merged

_END: Final = 0x1E944
"""No character from here on has case."""
_LIGATURES: Final = {"\ufb05": "\ufb06", "\u1fd3": "\u0390", "\u1fe3": "\u03b0"}
"""Simple foldings that Unicode has since 15.1."""


@lru_cache(maxsize=1024)
def canonicalize(character: str, is_unicode: bool) -> str:
    """The character that stands for all that are the same."""
    if is_unicode:
        folded = character.casefold()
        if len(folded) > 1:  # the full folding, which the simple one mostly leaves alone
            folded = _LIGATURES.get(character) or character.lower()
        return folded if len(folded) == 1 else character
    upper = character.upper()
    if len(upper) != 1 or (character >= "\x80" and upper < "\x80"):
        return character
    return upper


@lru_cache(maxsize=2)
def _families(is_unicode: bool) -> tuple[list[int], list[tuple[int, ...]]]:
    """All characters that have others that are the same, in order, and for each those with itself."""
    members: dict[str, list[int]] = {}
    canonical = canonicalize.__wrapped__
    for point in range(_END if is_unicode else 0x10000):
        character = chr(point)
        members.setdefault(canonical(character, is_unicode), []).append(point)
    families = sorted((point, tuple(family)) for family in members.values() if len(family) > 1 for point in family)
    return [point for point, _ in families], [family for _, family in families]


@lru_cache(maxsize=256)
def closed(ranges: Ranges, is_unicode: bool) -> Ranges:
    """The set with all characters that are the same as one of its own."""
    if ranges and ranges[-1][1] < 0x80:
        return _closed_ascii(ranges, is_unicode)
    points, families = _families(is_unicode)
    found = list(ranges)
    for first, last in ranges:
        for family in families[bisect_left(points, first) : bisect_left(points, last + 1)]:
            found += ((point, point) for point in family)
    return merged(tuple(found))


def _closed_ascii(ranges: Ranges, is_unicode: bool) -> Ranges:
    # Most patterns need no more, and this does not look at all characters that there are.
    found = list(ranges)
    for first, last in ranges:
        for letter in map(chr, range(first, last + 1)):
            if letter.isalpha():
                others = {"k": "\u212a", "s": "\u017f"}.get(letter.lower(), "") if is_unicode else ""
                found += ((ord(other), ord(other)) for other in letter.swapcase() + others)
    return merged(tuple(found))
