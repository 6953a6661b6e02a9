"""The text that a regular expression looks at, and what it finds there.

Without the flag u it sees UTF-16 units, with it code points. Positions count what it sees; JavaScript counts units.
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Any, Final, final

from wazero_gojs.model import utf16
from wazero_gojs.model.values import UNDEFINED

_MAX_REMEMBERED: Final = 1 << 20
_WIDE_CODEC: Final = utf16.CODEC.replace("16", "32")


def units_of(text: str) -> str:
    """The text with each unit as an item of its own, also where two make a character."""
    return _recent_units_of(text) if len(text) <= _MAX_REMEMBERED else _units_of(text)


@lru_cache(maxsize=2)
def _recent_units_of(text: str) -> str:
    # Loops over a text call one method after the other with it.
    return _units_of(text)


def _units_of(text: str) -> str:
    units = memoryview(utf16.encode(text)).cast("H")
    return str(array("I", units), _WIDE_CODEC, "surrogatepass")


@final
class Subject:
    """A text that is looked at."""

    __slots__ = ("_counted", "_is_points", "_units", "chars", "text")

    def __init__(self, text: str, is_unicode: bool) -> None:
        self.text = text
        is_simple = utf16.is_simple(text)
        self.chars = text if is_simple or is_unicode else units_of(text)
        """What there is at each position."""
        self._is_points = is_unicode and not is_simple
        self._counted = self._units = 0

    def position_of(self, index: int) -> int:
        """The position of a unit; -1 if that is behind the end. With the flag u that of the character it belongs to."""
        if not self._is_points:
            return index if index <= len(self.chars) else -1
        if index > utf16.length(self.text):
            return -1
        before = utf16.cut(self.text, 0, index)
        # The first half of a character at the end is no end of one that stands for itself.
        return len(before) - (before[-1:] != self.text[len(before) - 1 : len(before)])

    def index_of(self, position: int) -> int:
        """Units before a position. Counts from the last one that was asked for, if that is before it."""
        if not self._is_points or position < 0:
            return position
        if position < self._counted:
            self._counted = self._units = 0
        self._units += utf16.length(self.text[self._counted : position])
        self._counted = position
        return self._units

    def cut(self, start: int, end: int | None = None) -> str:
        """The text between two positions."""
        part = self.chars[start:end]
        return part if self.chars is self.text else utf16.joined(part)


@final
class Match:
    """A match: `spans` are start and end of all groups, the whole match first; -1 where a group did not take part."""

    __slots__ = ("spans", "subject")

    def __init__(self, subject: Subject, spans: list[int]) -> None:
        self.subject = subject
        self.spans = spans

    @property
    def start(self) -> int:
        """The position of the first character."""
        return self.spans[0]

    @property
    def end(self) -> int:
        """The position behind the last one."""
        return self.spans[1]

    def whole(self) -> str:
        """All that was matched."""
        return self.subject.cut(self.spans[0], self.spans[1])

    def around(self, sign: str) -> str:
        """What is before the match if the sign is a grave accent, else what is behind it."""
        return self.subject.cut(0, self.spans[0]) if sign == "`" else self.subject.cut(self.spans[1])

    def parts(self) -> list[Any]:
        """What was matched by all of it and by each group; UNDEFINED where a group did not take part."""
        spans, cut = self.spans, self.subject.cut
        return [UNDEFINED if end < 0 else cut(start, end) for start, end in zip(spans[::2], spans[1::2], strict=True)]
