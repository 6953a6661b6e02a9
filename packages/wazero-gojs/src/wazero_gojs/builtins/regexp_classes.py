"""Sets of characters in regular expressions, as ranges of code points."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    import re

Ranges = tuple[tuple[int, int], ...]
"""First and last code point of each, ascending."""

LAST: Final = 0x10FFFF
ALL: Final[Ranges] = ((0, LAST),)

DIGITS: Final[Ranges] = ((0x30, 0x39),)
WORDS: Final[Ranges] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACES: Final[Ranges] = (
    (9, 13),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
LINE_ENDS: Final[Ranges] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
LINE_END_LETTERS: Final = frozenset("\n\r\u2028\u2029")

_MAX_KNOWN: Final = 256
"""Characters of which a set keeps whether they are in it."""


@final
class CharacterSet(dict[str, bool]):
    """Whether a character is in the set, by the character: ``made["a"]``. The answer for most is kept."""

    __slots__ = ("_firsts", "ranges")

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        self._firsts = [first for first, _ in ranges]

    def __missing__(self, character: str) -> bool:
        point = ord(character)
        at = bisect_right(self._firsts, point) - 1
        found = at >= 0 and point <= self.ranges[at][1]
        if len(self) < _MAX_KNOWN:
            self[character] = found
        return found


@lru_cache(maxsize=256)
def set_of(ranges: Ranges) -> CharacterSet:
    """The set, the same one for the same ranges."""
    return CharacterSet(ranges)


@lru_cache(maxsize=256)
def run_of(ranges: Ranges) -> re.Pattern[str]:
    """For Python's `re`: as many characters of the set as there are. Takes linear time."""
    import re

    return re.compile(f"{_spell(ranges)}*")


@lru_cache(maxsize=256)
def one_of(ranges: Ranges) -> re.Pattern[str]:
    """For Python's `re`: one character of the set."""
    import re

    return re.compile(_spell(ranges))


def _spell(ranges: Ranges) -> str:
    if ranges == ALL:
        return "(?s:.)"
    other = complement(ranges)
    negated = len(other) < len(ranges)
    inside = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in (other if negated else ranges))
    return f"[{'^' * negated}{inside}]" if inside else "(?!)"


@lru_cache(maxsize=256)
def complement(ranges: Ranges) -> Ranges:
    """All other code points. The ranges may be in any order and overlap."""
    found: list[tuple[int, int]] = []
    start = 0
    for first, last in sorted(ranges):
        if first > start:
            found.append((start, first - 1))
        start = max(start, last + 1)
    if start <= LAST:
        found.append((start, LAST))
    return tuple(found)


@lru_cache(maxsize=256)
def merged(ranges: Ranges) -> Ranges:
    """The set of ranges in any order, which may overlap."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def intersection(left: Ranges, right: Ranges) -> Ranges:
    """What is in both."""
    return complement((*complement(left), *complement(right)))
