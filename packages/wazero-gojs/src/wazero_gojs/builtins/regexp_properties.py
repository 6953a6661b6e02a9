r"""Sets of characters by their Unicode properties, as far as Python knows them: ``\p{…}``. Spec: ECMA-262, 22.2.2.9."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final, TypeVar

from .regexp_classes import ALL, LAST, SPACES, Ranges, complement, merged

_T = TypeVar("_T")
_POINTS: Final = range(LAST + 1)

_LONG_NAMES: Final = {
    "Letter": "L",
    "Cased_Letter": "LC",
    "Uppercase_Letter": "Lu",
    "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm",
    "Other_Letter": "Lo",
    "Mark": "M",
    "Combining_Mark": "M",
    "Nonspacing_Mark": "Mn",
    "Spacing_Mark": "Mc",
    "Enclosing_Mark": "Me",
    "Number": "N",
    "Decimal_Number": "Nd",
    "digit": "Nd",
    "Letter_Number": "Nl",
    "Other_Number": "No",
    "Punctuation": "P",
    "punct": "P",
    "Connector_Punctuation": "Pc",
    "Dash_Punctuation": "Pd",
    "Open_Punctuation": "Ps",
    "Close_Punctuation": "Pe",
    "Initial_Punctuation": "Pi",
    "Final_Punctuation": "Pf",
    "Other_Punctuation": "Po",
    "Symbol": "S",
    "Math_Symbol": "Sm",
    "Currency_Symbol": "Sc",
    "Modifier_Symbol": "Sk",
    "Other_Symbol": "So",
    "Separator": "Z",
    "Space_Separator": "Zs",
    "Line_Separator": "Zl",
    "Paragraph_Separator": "Zp",
    "Other": "C",
    "Control": "Cc",
    "cntrl": "Cc",
    "Format": "Cf",
    "Surrogate": "Cs",
    "Private_Use": "Co",
    "Unassigned": "Cn",
}
"""Of general categories."""
_GROUPS: Final = {"LC": ("Lu", "Ll", "Lt")}
"""Categories that are several, other than those of one letter."""
_KEYS: Final = ("General_Category=", "gc=")

_FIXED: Final[dict[str, Ranges]] = {
    "Any": ALL,
    "ASCII": ((0, 0x7F),),
    "ASCII_Hex_Digit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
    "White_Space": tuple(sorted((*(row for row in SPACES if row[0] != 0xFEFF), (0x85, 0x85)))),
}
_BINARY: Final[dict[str, Callable[[str], bool]]] = {
    "Uppercase": str.isupper,
    "Lowercase": str.islower,
    "XID_Start": lambda c: c.isidentifier() and c != "_",
    "XID_Continue": lambda c: f"a{c}".isidentifier(),
}
"""Properties that Python knows by itself."""
_NEARLY: Final[dict[str, str]] = {"Alphabetic": "L", "ID_Start": "XID_Start", "ID_Continue": "XID_Continue"}
"""Properties that are almost others."""
_SHORT_NAMES: Final = {
    "Alpha": "Alphabetic",
    "AHex": "ASCII_Hex_Digit",
    "space": "White_Space",
    "Upper": "Uppercase",
    "Lower": "Lowercase",
    "XIDS": "XID_Start",
    "XIDC": "XID_Continue",
    "IDS": "ID_Start",
    "IDC": "ID_Continue",
}


@lru_cache(maxsize=64)
def property_ranges(name: str) -> Ranges | None:
    r"""The set of ``\p{name}``: general categories and a few others; None for what is not known, as scripts."""
    for key in _KEYS:
        if name.startswith(key):
            return _category_ranges(name.removeprefix(key))
    name = _SHORT_NAMES.get(name, name)
    if name in _FIXED:
        return _FIXED[name]
    name = _NEARLY.get(name, name)
    if name in _BINARY:
        return tuple((first, last) for is_in, first, last in _runs(map(_BINARY[name], map(chr, _POINTS))) if is_in)
    if name == "Assigned":
        return complement(_categories()["Cn"])
    return _category_ranges(name)


def _category_ranges(name: str) -> Ranges | None:
    name = _LONG_NAMES.get(name, name)
    wanted = _GROUPS.get(name, (name,) if len(name) == 2 else ())
    known = _categories()
    found = [known[category] for category in known if category in wanted or category[0] == name]
    return merged(tuple(pair for ranges in found for pair in ranges)) if found else None


@lru_cache(maxsize=1)
def _categories() -> dict[str, Ranges]:
    from unicodedata import category

    found: dict[str, list[tuple[int, int]]] = {}
    for name, first, last in _runs(map(category, map(chr, _POINTS))):
        found.setdefault(name, []).append((first, last))
    return {name: tuple(ranges) for name, ranges in found.items()}


def _runs(values: Iterable[_T]) -> Iterator[tuple[_T, int, int]]:
    """Equal values that follow each other, each with the index of the first and of the last."""
    start = 0
    for value, run in groupby(values):
        end = start + sum(1 for _ in run)
        yield value, start, end - 1
        start = end
