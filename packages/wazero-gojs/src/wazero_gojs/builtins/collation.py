"""The order of text that most languages share: about what ICU's root collation is. Spec: ECMA-402, 10.

Letters before their accents before their case; white space, then punctuation, symbols, digits, letters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_LEVELS: Final = {"base": (0,), "accent": (0, 1), "case": (0, 2), "variant": (0, 1, 2)}
"""Which of the three levels count."""

_ASCII: Final = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_CLASSES: Final = {"Z": 1, "P": 2, "S": 3, "N": 4, "L": 5}

_Key = tuple[list[tuple[int, int, str]], list[str], list[int]]


def compare(left: str, right: str, sensitivity: str = "variant", is_numeric: bool = False) -> int:
    """-1, 0 or 1. `sensitivity` is "base", "accent", "case" or "variant"; with `is_numeric`, digits are numbers."""
    levels = _LEVELS.get(sensitivity, _LEVELS["variant"])
    left_key, right_key = (
        [key[level] for level in levels] for key in (_key(left, is_numeric), _key(right, is_numeric))
    )
    return 0 if left_key == right_key else -1 if left_key < right_key else 1


def _key(text: str, is_numeric: bool) -> _Key:
    primary: list[tuple[int, int, str]] = []
    accents: list[str] = []
    cases: list[int] = []
    for character in unicodedata.normalize("NFD", text):
        category = unicodedata.category(character)
        if category.startswith("M") and accents:
            accents[-1] += character
        elif category not in ("Cc", "Cf") or character in _ASCII:
            for folded in character.casefold():
                if is_numeric and folded.isdecimal() and primary and primary[-1][0] == _CLASSES["N"]:
                    value, digits = primary[-1][1], unicodedata.decimal(folded)
                    primary[-1] = (_CLASSES["N"], min(value * 10 + digits, 10**300), "")
                else:
                    primary.append(_weight(folded))
                accents.append("")
                cases.append(int(character != folded))
    return primary, accents, cases


@lru_cache(maxsize=512)
def _weight(character: str) -> tuple[int, int, str]:
    place = _ASCII.find(character)
    if place >= 0:
        return (0, place, "")
    category = unicodedata.category(character)[0]
    decimal = unicodedata.decimal(character, None)
    if decimal is not None:
        return (_CLASSES["N"], decimal, "")
    return (_CLASSES.get(category, 6), 0, character)
