"""From text to time values: ECMAScript's own format, and what else browsers have always read. Spec: ECMA-262, 21.4.3.2."""

from __future__ import annotations

import math
import re
from typing import Final

from wazero_gojs.model.realm import Realm

from .calendar import DAYS, MINUTE, MONTHS, clip, time_of, to_utc

_ISO: Final = re.compile(
    r"(?P<year>[+-]\d{6}|\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?"
    r"(?:[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_COMMENT: Final = re.compile(r"\([^()]*\)?")
_TOKEN: Final = re.compile(
    r"(?P<clock>\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?)|(?P<offset>[+-]\d{1,2}:?\d{2}(?!\d))|(?P<number>\d+)|(?P<word>[A-Za-z]+)\.?|(?P<other>[\s,/-])",
    re.ASCII,
)
_ZONES: Final = {
    "UTC": 0,
    "GMT": 0,
    "UT": 0,
    "Z": 0,
    **{name: -5 + at for at, name in enumerate(("EST", "EDT"))},
    **{name: -6 + at for at, name in enumerate(("CST", "CDT"))},
    **{name: -7 + at for at, name in enumerate(("MST", "MDT"))},
    **{name: -8 + at for at, name in enumerate(("PST", "PDT"))},
}
"""Hours ahead of UTC, by the names of RFC 822."""

_LONGEST: Final = 200
"""Characters of a date that anybody would write."""


def parse(realm: Realm, text: str) -> int | float:
    """The time value, NaN if this is no date."""
    text = text.strip()
    if len(text) > _LONGEST:
        return math.nan
    found = _ISO.fullmatch(text)
    if found is not None and not (found["zone"] and found["hour"] is None):
        return _from_iso(realm, found)
    return _Words(realm).parse(text)


def _from_iso(realm: Realm, found: re.Match[str]) -> int | float:
    month, day = int(found["month"] or 1), int(found["day"] or 1)
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    millisecond = int((found["fraction"] or "0").ljust(3, "0")[:3])
    is_midnight = hour == 24 and not (minute or second or millisecond)
    if not (1 <= month <= 12 and 1 <= day <= 31 and (hour < 24 or is_midnight) and minute < 60 and second < 60):
        return math.nan
    if found["year"] == "-000000":
        return math.nan
    time = time_of(int(found["year"]), month - 1, day, hour, minute, second, millisecond)
    zone = found["zone"]
    if zone is None:
        return clip(time if found["hour"] is None else to_utc(realm, time))
    return clip(time if zone in "Zz" else time - _offset(zone))


def _offset(zone: str) -> int:
    digits = zone[1:].replace(":", "").rjust(4, "0")
    minutes = int(digits[:-2]) * 60 + int(digits[-2:])
    return (-minutes if zone[0] == "-" else minutes) * MINUTE


class _Words:
    """A date in words and numbers in some order: "Tue Mar 1 2022 10:00 GMT+0100", "3/1/2022", "1 March 2022 1:00 PM"."""

    __slots__ = ("clock", "month", "numbers", "offset", "realm")

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.numbers: list[int] = []
        self.month: int | None = None
        self.clock: list[float] | None = None
        self.offset: int | None = None

    def parse(self, text: str) -> int | float:
        text = _COMMENT.sub(" ", text)
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None or not self._take(token):
                return math.nan
            at = token.end()
        return self._result()

    def _take(self, token: re.Match[str]) -> bool:
        """Note what a token says; whether it made sense."""
        text = token[0]
        if token["clock"]:
            if self.clock is not None:
                return False
            self.clock = [float(part) for part in text.split(":")]
            return True
        if token["offset"] and self.clock is not None:
            self.offset = _offset(text)
            return True
        if token["offset"]:  # it was a hyphen between numbers
            self.numbers.append(int(text[1:].replace(":", "")))
            return True
        if token["number"]:
            self.numbers.append(int(text))
            return True
        return token["other"] is not None or self._take_word(token["word"])

    def _take_word(self, word: str) -> bool:
        name = word[:3].title()
        if word.upper() in ("AM", "PM"):
            return self._take_half(word.upper() == "PM")
        if word.upper() in _ZONES:
            self.offset = _ZONES[word.upper()] * 60 * MINUTE
            return True
        if name in MONTHS:
            self.month = MONTHS.index(name)
            return True
        # Words before the first number are ignored, whatever they are; a T may stand before the clock.
        return name in DAYS or not self.numbers or word in ("T", "t")

    def _take_half(self, is_afternoon: bool) -> bool:
        if self.clock is None or not 1 <= self.clock[0] <= 12:
            return False
        self.clock[0] = self.clock[0] % 12 + 12 * is_afternoon
        return True

    def _result(self) -> int | float:
        date = self._date()
        hour, minute, second = (*(self.clock or ()), 0, 0, 0)[:3]
        if date is None or hour > 24 or minute > 59 or second >= 60:
            return math.nan
        time = time_of(*date, int(hour), int(minute)) + int(second * 1000)
        return clip(to_utc(self.realm, time) if self.offset is None else time - self.offset)

    def _date(self) -> tuple[int, int, int] | None:
        """Year, month and day from the numbers, by their order and size."""
        numbers = self.numbers
        if self.month is not None:
            if len(numbers) == 1:
                day, year = numbers[0], 2001
            elif len(numbers) == 2:
                day, year = numbers if numbers[0] <= 31 else numbers[::-1]
            else:
                return None
            month = self.month
        elif len(numbers) == 3 and numbers[0] > 31:
            year, month, day = numbers[0], numbers[1] - 1, numbers[2]
        elif len(numbers) in (2, 3):
            month, day, year = numbers[0] - 1, numbers[1], numbers[2] if len(numbers) == 3 else 2001
        elif len(numbers) == 1:
            return self._lone(numbers[0])
        else:
            return None
        if not (0 <= month < 12 and 1 <= day <= 31):
            return None
        return _full_year(year), month, day

    @staticmethod
    def _lone(number: int) -> tuple[int, int, int] | None:
        if 1 <= number <= 12:
            return 2001, number - 1, 1
        return (_full_year(number), 0, 1) if 32 <= number < 1_000_000 else None


def _full_year(year: int) -> int:
    if year > 99:
        return year
    return year + (2000 if year < 50 else 1900)
