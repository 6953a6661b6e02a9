"""Reads the parts of regular expressions that stand for one character or one set of them. Spec: ECMA-262, 22.2.1, B.1.2."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from wazero_gojs.model import utf16

from .regexp_case import closed
from .regexp_classes import DIGITS, SPACES, WORDS, Ranges, complement
from .regexp_properties import property_ranges

_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/")
_PUNCTUATORS: Final = frozenset("&-!#%,:;<=>@`~")
"""What can be escaped in a class with the flag v."""
_LETTERS: Final = {"d": DIGITS, "s": SPACES, "w": WORDS}

_PROPERTY: Final = re.compile(r"\{([A-Za-z0-9_=]*)\}")
_LONG_ESCAPE: Final = re.compile(r"\{0*([0-9a-fA-F]{1,6})\}")
_SECOND_HALF: Final = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]|(?s:.)")
_NAME_ESCAPE: Final = re.compile(
    r"\\u(?:\{0*([0-9a-fA-F]{1,6})\}|([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|([0-9a-fA-F]{4}))"
)
_OCTAL: Final = re.compile("[0-3]?[0-7]{0,2}")
_HEXADECIMAL: Final = {count: re.compile(f"[0-9a-fA-F]{{{count}}}") for count in (2, 4)}


class PatternError(Exception):
    """What is wrong with a pattern, in V8's words."""


class Reader:
    """A pattern, and how far it has been read. Its items are code points with the flag u or v, UTF-16 units without."""

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        self.at = 0
        self.is_sets = "v" in flags
        self.is_unicode = self.is_sets or "u" in flags
        self.is_caseless = "i" in flags
        self.has_names = False

    def fail(self, message: str) -> NoReturn:
        """Raise PatternError."""
        raise PatternError(message)

    def peek(self, text: str) -> bool:
        """Whether a text is next."""
        return self.source.startswith(text, self.at)

    def take(self, text: str) -> bool:
        """The same; and if so, it is read."""
        found = self.peek(text)
        if found:
            self.at += len(text)
        return found

    def words(self) -> Ranges:
        r"""The set of ``\w``."""
        return closed(WORDS, True) if self.is_unicode and self.is_caseless else WORDS

    def same(self, ranges: Ranges) -> Ranges:
        """A set, with what is the same if case does not count."""
        return closed(ranges, self.is_unicode) if self.is_caseless else ranges

    # Behind a backslash

    def set_escape(self, is_class: bool = False) -> Ranges | None:
        r"""The set of ``\d`` and its kind; None if it is none of them."""
        letter = self.source[self.at]
        lower = letter.lower()
        if lower in _LETTERS:
            self.at += 1
            found = self.words() if lower == "w" else _LETTERS[lower]
        elif lower == "p" and self.is_unicode:
            name = _PROPERTY.match(self.source, self.at + 1)
            known = property_ranges(name[1]) if name else None
            if name is None or known is None:
                self.fail("Invalid property name in character class" if is_class else "Invalid property name")
            self.at = name.end()
            found = self.same(known) if self.is_sets else known
        else:
            return None
        return complement(found) if letter.isupper() else found

    def character_escape(self, is_class: bool = False) -> int:
        """The character that an escape means."""
        letter = self.source[self.at]
        self.at += 1
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "x":
            return self._hexadecimal(2, letter, "Invalid escape")
        if letter == "u":
            return self._unicode_escape()
        if letter == "c":
            return self._control(is_class)
        if letter in "01234567":
            return self._octal(letter, is_class)
        if self.is_unicode:
            is_allowed = letter in _SYNTAX or (
                is_class and (letter == "-" or (self.is_sets and letter in _PUNCTUATORS))
            )
        else:
            is_allowed = letter != "k" or not self.has_names
        if not is_allowed:
            self.fail("Invalid escape")
        return ord(letter)

    def _hexadecimal(self, count: int, letter: str, message: str) -> int:
        digits = _HEXADECIMAL[count].match(self.source, self.at)
        if digits is None:
            if self.is_unicode:
                self.fail(message)
            return ord(letter)
        self.at = digits.end()
        return int(digits[0], 16)

    def _unicode_escape(self) -> int:
        long = _LONG_ESCAPE.match(self.source, self.at) if self.is_unicode else None
        if long is not None:
            if int(long[1], 16) > 0x10FFFF:
                self.fail("Invalid Unicode escape")
            self.at = long.end()
            return int(long[1], 16)
        point = self._hexadecimal(4, "u", "Invalid Unicode escape")
        second = _SECOND_HALF.match(self.source, self.at) if self.is_unicode and 0xD800 <= point < 0xDC00 else None
        if second is None:
            return point
        self.at = second.end()
        return 0x10000 + ((point - 0xD800) << 10) + int(second[1], 16) - 0xDC00

    def _control(self, is_class: bool) -> int:
        letter = self.source[self.at : self.at + 1]
        if letter.isascii() and (
            letter.isalpha() or (is_class and not self.is_unicode and (letter.isdigit() or letter == "_"))
        ):
            self.at += 1
            return ord(letter) % 32
        if self.is_unicode:
            self.fail("Invalid Unicode escape")
        self.at -= 1  # the backslash stands for itself
        return ord("\\")

    def _octal(self, first: str, is_class: bool) -> int:
        if self.is_unicode:
            following = self.source[self.at : self.at + 1]
            if first != "0" or (following.isascii() and following.isdigit()):
                self.fail("Invalid class escape" if is_class else "Invalid decimal escape")
            return 0
        digits = _OCTAL.match(self.source, self.at - 1)
        assert digits is not None
        self.at = digits.end()
        return int(digits[0], 8)

    # Names of groups

    def group_name(self) -> str:
        """A name and the ``>`` behind it."""
        name = ""
        while not self.take(">"):
            letter = self._name_letter()
            # What may stand in names here and not in Python's is as good as a letter.
            if (
                not (name and letter in "\u200c\u200d")
                and not f"{'a' if name else ''}{letter.replace('$', 'a')}".isidentifier()
            ):
                self.fail("Invalid capture group name")
            name += letter
        if not name:
            self.fail("Invalid capture group name")
        return name

    def _name_letter(self) -> str:
        if not self.peek("\\u"):
            found = _PAIR.match(self.source, self.at)
            if found is None:
                self.fail("Invalid capture group name")
            self.at = found.end()
            return utf16.joined(found[0])
        escape = _NAME_ESCAPE.match(self.source, self.at)
        if escape is None:
            self.fail("Invalid Unicode escape")
        self.at = escape.end()
        long, first, second, short = escape.groups()
        if first is not None:
            return chr(0x10000 + ((int(first, 16) - 0xD800) << 10) + int(second, 16) - 0xDC00)
        point = int(long or short, 16)
        if point > 0x10FFFF:
            self.fail("Invalid Unicode escape")
        return chr(point)
