"""From JavaScript's regular expressions to Python's. Spec: ECMA-262, 22.2.1 and B.1.2.

What `re` cannot do, this cannot: lookbehind of varying width (a SyntaxError), properties of scripts (a SyntaxError),
captures that forget what an earlier round of a quantifier captured. Without the flag u, JavaScript sees a character
beyond U+FFFF as two; here it is always one.
"""

from __future__ import annotations

import re
import warnings
from typing import Final, NamedTuple, NoReturn, final

from .regexp_classes import LINE_ENDS, Ranges, class_of, complement, merged, property_ranges, spell, spell_character

MAX_PATTERN: Final = 1 << 16
"""Characters, as compiling takes time that nothing can interrupt."""
MAX_TRANSLATED: Final = 1 << 18
MAX_POINTS: Final = 1 << 26
"""Characters that the classes of one pattern have that ignores case: Python looks at each."""
_MAX_REPEAT: Final = (1 << 32) - 2

_QUANTIFIER: Final = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_NAME: Final = r"(?:[^\W\d]|\$)[\w$\u200c\u200d]*"
_NAMED: Final = re.compile(rf"\(\?<({_NAME})>")
_GROUP: Final = re.compile(rf"\((?!\?)|{_NAMED.pattern}|\\.|\[(?:\\.|[^\]\\])*\]?", re.DOTALL)
_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/")
_STARTS: Final = ("(?:", "(?=", "(?!", "(?<=", "(?<!")
_NO_ATOMS: Final = frozenset(("", "|", "(", r"\A", r"\Z", *_STARTS))
"""Parts that cannot be repeated; "" stands behind a quantifier."""


class Compiled(NamedTuple):
    """A regular expression that can be run."""

    pattern: re.Pattern[str]
    names: dict[str, int]
    """Numbers of groups by their names."""


@final
class PatternError(Exception):
    """What is wrong with a pattern, in V8's words."""


def compile_pattern(source: str, flags: str) -> Compiled:
    """Translate and compile. Raises PatternError."""
    if len(source) > MAX_PATTERN:
        raise PatternError("Regular expression too large")
    translator = _Translator(source, flags)
    try:
        text = translator.translate()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Compiled(re.compile(text, re.IGNORECASE if "i" in flags else 0), translator.names)
    except re.error as error:
        raise PatternError(str(error.msg).capitalize()) from None
    except (RecursionError, OverflowError, MemoryError):
        raise PatternError("Regular expression too large") from None


@final
class _Translator:
    """Reads one pattern from left to right and writes its parts to `_out`."""

    def __init__(self, source: str, flags: str) -> None:
        self._source = source
        self._at = 0
        self._is_unicode = "u" in flags or "v" in flags
        self._is_caseless = "i" in flags
        self._is_multiline = "m" in flags
        self._any = "(?s:.)" if "s" in flags else spell(LINE_ENDS, is_negated=True)
        self._out: list[str] = []
        self._open: list[int] = []
        """Numbers of groups that are open; 0 for those that capture nothing."""
        self._closed: set[int] = set()
        self._count = 0
        self.names: dict[str, int] = {}
        self._total = 0
        self._points = 0
        self._find_groups()

    def _find_groups(self) -> None:
        for found in _GROUP.finditer(self._source):
            if found[0][0] != "(":
                continue
            self._total += 1
            name = found[1]
            if name is None:
                continue
            if name in self.names:
                self._fail("Duplicate capture group name")
            self.names[name] = self._total

    def translate(self) -> str:
        source = self._source
        length = 0
        while self._at < len(source):
            start = len(self._out)
            self._take(source[self._at])
            length += sum(map(len, self._out[start:]))
            if length > MAX_TRANSLATED or self._points > MAX_POINTS:
                self._fail("Regular expression too large")
        if self._open:
            self._fail("Unterminated group")
        return "".join(self._out)

    def _take(self, letter: str) -> None:
        if letter == "(":
            self._take_group()
        elif letter == "\\":
            self._take_escape()
        elif letter == "[":
            self._take_class()
        elif letter in "*+?{":
            self._take_quantifier(letter)
        else:
            self._at += 1
            if letter == ")":
                self._close_group()
            elif letter in "]}" and self._is_unicode:
                self._fail("Lone quantifier brackets")
            else:
                self._out.append(self._plain(letter))

    def _plain(self, letter: str) -> str:
        if letter == ".":
            return self._any
        if letter == "|":
            return "|"
        if letter == "^":
            return rf"(?<!{spell(complement(LINE_ENDS))})" if self._is_multiline else r"\A"
        if letter == "$":
            return rf"(?!{spell(complement(LINE_ENDS))})" if self._is_multiline else r"\Z"
        return spell_character(ord(letter))

    # Groups

    def _take_group(self) -> None:
        rest = self._source[self._at : self._at + 4]
        start = next((start for start in _STARTS if rest.startswith(start)), None)
        if start is not None:
            self._at += len(start)
            self._open.append(0)
            self._out.append(start)
            return
        self._count += 1
        if rest.startswith("(?<"):
            name = _NAMED.match(self._source, self._at)
            if name is None:
                self._fail("Invalid capture group name")
            self._at = name.end()
        elif rest.startswith("(?"):
            self._fail("Invalid group")
        else:
            self._at += 1
        self._open.append(self._count)
        self._out.append("(")

    def _close_group(self) -> None:
        if not self._open:
            self._fail("Unmatched ')'")
        self._closed.add(self._open.pop())
        self._out.append(")")

    def _reference(self, number: int) -> str:
        """What a group has captured: nothing if it did not take part, or not yet."""
        return rf"(?({number})\{number}|)" if number in self._closed else "(?:)"

    # Quantifiers

    def _take_quantifier(self, letter: str) -> None:
        bounds = _QUANTIFIER.match(self._source, self._at) if letter == "{" else None
        is_first = not self._out or self._out[-1] in _NO_ATOMS
        if letter == "{" and bounds is None:
            if self._is_unicode:
                self._fail("Lone quantifier brackets" if is_first else "Incomplete quantifier")
            self._at += 1
            self._out.append(r"\{")
            return
        if is_first:
            self._fail("Nothing to repeat")
        if bounds is None:
            self._at += 1
            text = letter
        else:
            self._at = bounds.end()
            text = self._bounds(bounds)
        if self._source[self._at : self._at + 1] == "?":
            self._at += 1
            text += "?"
        self._out[-1] += text
        # A quantifier behind this one has nothing to repeat, though it would mean something to Python.
        self._out.append("")

    def _bounds(self, found: re.Match[str]) -> str:
        # Long numbers are all the same; reading them would not be.
        low, high = (min(int(digits[-30:]), _MAX_REPEAT) if digits else None for digits in (found[1], found[3]))
        if high is not None and low is not None and high < low:
            self._fail("numbers out of order in {} quantifier")
        return f"{{{low}{',' if found[2] else ''}{'' if high is None else high}}}"

    # Escapes

    def _take_escape(self) -> None:
        source = self._source
        letter = source[self._at + 1 : self._at + 2]
        if not letter:
            self._fail("\\ at end of pattern")
        if letter in "bB":
            self._at += 2
            self._out.append(rf"(?a:\{letter})")
        elif letter in "123456789" and self._take_reference():
            pass
        elif letter == "k" and (self.names or self._is_unicode):
            self._take_named_reference()
        elif letter in "DSW":
            self._at += 2
            self._out.append(spell(class_of(letter.lower()) or (), is_negated=True))
        else:
            self._at += 1
            found = self._class_escape()
            self._out.append(spell_character(self._character()) if found is None else spell(found))

    def _take_reference(self) -> bool:
        digits = re.compile("[1-9][0-9]*").match(self._source, self._at + 1)
        assert digits is not None
        number = int(digits[0][:9])
        if number > self._total:
            if self._is_unicode:
                self._fail("Invalid escape")
            return False
        self._at = digits.end()
        self._out.append(self._reference(number))
        return True

    def _take_named_reference(self) -> None:
        end = self._source.find(">", self._at)
        if not self._source.startswith("<", self._at + 2) or end < 0:
            self._fail("Invalid named reference")
        name = self._source[self._at + 3 : end]
        if name not in self.names:
            self._fail("Invalid named capture referenced")
        self._at = end + 1
        self._out.append(self._reference(self.names[name]))

    def _class_escape(self) -> Ranges | None:
        r"""The set of ``\d`` and its kind, behind the backslash; None if it is none of them."""
        letter = self._source[self._at]
        found = class_of(letter)
        if found is not None:
            self._at += 1
            return found
        if letter not in "pP" or not self._is_unicode:
            return None
        name = re.compile(r"\{([^{}]*)\}").match(self._source, self._at + 1)
        found = property_ranges(name[1]) if name else None
        if name is None or found is None:
            self._fail("Invalid property name")
        self._at = name.end()
        return complement(found) if letter == "P" else found

    def _character(self, is_class: bool = False) -> int:
        """The character that an escape means; `_at` is behind the backslash."""
        letter = self._source[self._at]
        self._at += 1
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "x":
            return self._hexadecimal(2, letter)
        if letter == "u":
            return self._unicode_escape()
        if letter == "c":
            return self._control()
        if letter in "01234567":
            return self._octal(letter)
        if self._is_unicode and letter not in _SYNTAX and not (is_class and letter == "-"):
            self._fail("Invalid escape")
        return ord(letter)

    def _hexadecimal(self, count: int, letter: str) -> int:
        digits = self._source[self._at : self._at + count]
        if re.fullmatch(f"[0-9a-fA-F]{{{count}}}", digits) is None:
            if self._is_unicode:
                self._fail("Invalid Unicode escape" if letter == "u" else "Invalid escape")
            return ord(letter)
        self._at += count
        return int(digits, 16)

    def _unicode_escape(self) -> int:
        long = re.compile(r"\{0*([0-9a-fA-F]{1,6})\}").match(self._source, self._at) if self._is_unicode else None
        if long is not None:
            if int(long[1], 16) > 0x10FFFF:
                self._fail("Invalid Unicode escape")
            self._at = long.end()
            return int(long[1], 16)
        point = self._hexadecimal(4, "u")
        if 0xD800 <= point < 0xDC00:
            second = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match(self._source, self._at)
            if second is not None:
                self._at = second.end()
                return 0x10000 + ((point - 0xD800) << 10) + int(second[1], 16) - 0xDC00
        return point

    def _control(self) -> int:
        letter = self._source[self._at : self._at + 1]
        if letter.isascii() and letter.isalpha():
            self._at += 1
            return ord(letter) % 32
        if self._is_unicode:
            self._fail("Invalid unicode escape")
        self._at -= 1  # the backslash stands for itself
        return ord("\\")

    def _octal(self, first: str) -> int:
        if self._is_unicode:
            if first != "0" or self._source[self._at : self._at + 1].isdecimal():
                self._fail("Invalid decimal escape")
            return 0
        digits = re.compile("[0-3]?[0-7]{0,2}").match(self._source, self._at - 1)
        assert digits is not None
        self._at = max(digits.end(), self._at)
        return int(digits[0] or first, 8)

    # Classes

    def _take_class(self) -> None:
        self._at += 1
        is_negated = self._source.startswith("^", self._at)
        self._at += is_negated
        ranges: list[tuple[int, int]] = []
        while not self._source.startswith("]", self._at):
            first = self._class_item()
            if self._source.startswith("-", self._at) and not self._source.startswith("-]", self._at):
                self._at += 1
                ranges += self._joined(first, self._class_item())
            else:
                ranges += ((first, first),) if isinstance(first, int) else first
        self._at += 1
        found = merged(ranges)
        if self._is_caseless:
            self._points += sum(last - first for first, last in found)
        if found == complement(()):
            found, is_negated = (), not is_negated
        self._out.append(spell(found, is_negated))

    def _joined(self, first: int | Ranges, last: int | Ranges) -> Ranges:
        """What two items with a hyphen between them are."""
        if isinstance(first, int) and isinstance(last, int):
            if first > last:
                self._fail("Range out of order in character class")
            return ((first, last),)
        if self._is_unicode:
            self._fail("Invalid character class")
        sides = (((item, item),) if isinstance(item, int) else item for item in (first, last))
        return (*next(sides), (0x2D, 0x2D), *next(sides))

    def _class_item(self) -> int | Ranges:
        if self._at >= len(self._source):
            self._fail("Unterminated character class")
        letter = self._source[self._at]
        self._at += 1
        if letter != "\\":
            return ord(letter)
        if self._at >= len(self._source):
            self._fail("\\ at end of pattern")
        if self._source[self._at] == "b":
            self._at += 1
            return 8
        found = self._class_escape()
        return self._character(is_class=True) if found is None else found

    def _fail(self, message: str) -> NoReturn:
        raise PatternError(message)
