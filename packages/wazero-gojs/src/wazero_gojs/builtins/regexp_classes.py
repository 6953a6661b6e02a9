"""Sets of characters in regular expressions, as ranges of code points, and as Python's `re` spells them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

Ranges = tuple[tuple[int, int], ...]
"""First and last code point of each, ascending."""

LAST: Final = 0x10FFFF

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

_LETTERS: Final = {"d": DIGITS, "w": WORDS, "s": SPACES}


def class_of(letter: str) -> Ranges | None:
    r"""The set of ``\d`` and its kind; None for other letters."""
    found = _LETTERS.get(letter.lower())
    return complement(found) if found and letter.isupper() else found


def complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """All other code points."""
    found: list[tuple[int, int]] = []
    start = 0
    for first, last in sorted(ranges):
        if first > start:
            found.append((start, first - 1))
        start = max(start, last + 1)
    if start <= LAST:
        found.append((start, LAST))
    return tuple(found)


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same set, in order and without overlaps."""
    return complement(complement(ranges))


def spell(ranges: Iterable[tuple[int, int]], is_negated: bool = False) -> str:
    """A set as a class of Python's."""
    inside = "".join(_range(first, last) for first, last in ranges)
    if not inside:
        return "(?s:.)" if is_negated else "(?!)"
    return f"[{'^' * is_negated}{inside}]"


def _range(first: int, last: int) -> str:
    return spell_character(first) if first == last else f"{spell_character(first)}-{spell_character(last)}"


def spell_character(point: int) -> str:
    """A character outside and inside of classes."""
    if point < 0x80:
        text = chr(point)
        return text if text.isalnum() else f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


_LONG_NAMES: Final = {
    "Letter": "L",
    "Uppercase_Letter": "Lu",
    "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm",
    "Other_Letter": "Lo",
    "Mark": "M",
    "Number": "N",
    "Decimal_Number": "Nd",
    "Punctuation": "P",
    "punct": "P",
    "Symbol": "S",
    "Math_Symbol": "Sm",
    "Currency_Symbol": "Sc",
    "Separator": "Z",
    "Space_Separator": "Zs",
    "Other": "C",
    "Control": "Cc",
    "Alphabetic": "L",
    "Alpha": "L",
    "Uppercase": "Lu",
    "Lowercase": "Ll",
}
"""Of properties. The last four are not quite these categories."""
_CATEGORIES: Final = {
    "L": "ultmo",
    "M": "nce",
    "N": "dlo",
    "P": "cdseifo",
    "S": "mcko",
    "Z": "slp",
    "C": "cfson",
}
"""By the first letter, which is a category by itself, what may be the second one."""
_KEYS: Final = ("General_Category=", "gc=")


@lru_cache(maxsize=64)
def property_ranges(name: str) -> Ranges | None:
    r"""The set of ``\p{name}``: general categories and a few others; None for what is not known, as scripts."""
    for key in _KEYS:
        name = name.removeprefix(key)
    if name == "Any":
        return ((0, LAST),)
    if name == "ASCII":
        return ((0, 0x7F),)
    if name == "White_Space":
        return (*(row for row in SPACES if row[0] != 0xFEFF), (0x85, 0x85))
    category = _LONG_NAMES.get(name, name)
    seconds = _CATEGORIES.get(category[:1])
    is_known = seconds is not None and (len(category) == 1 or (len(category) == 2 and category[1] in seconds))
    return _category_ranges(category) if is_known else None


def _category_ranges(category: str) -> Ranges:
    from unicodedata import category as category_of

    found: list[tuple[int, int]] = []
    start = -1
    for point in range(LAST + 2):
        is_in = point <= LAST and category_of(chr(point)).startswith(category)
        if is_in and start < 0:
            start = point
        elif not is_in and start >= 0:
            found.append((start, point - 1))
            start = -1
    return tuple(found)
