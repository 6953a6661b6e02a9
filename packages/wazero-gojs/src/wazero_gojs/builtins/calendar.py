"""Time values and the proleptic Gregorian calendar, without bounds. Spec: ECMA-262, 21.4.1.

A time value is milliseconds since the epoch as an int, or NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from wazero_gojs.model.realm import Realm

MAX_TIME: Final = 8_640_000_000_000_000
"""Of a time value, on both sides of the epoch."""
DAY: Final = 86_400_000
MINUTE: Final = 60_000

DAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_ERA: Final = 146_097
"""Days of 400 years."""


class Fields(NamedTuple):
    """A moment as people write it; months count from 0."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    millisecond: int

    @property
    def weekday(self) -> int:
        """From 0, Sunday."""
        return (days_before(self.year, self.month) + self.day - 1 + 4) % 7


def days_before(year: int, month: int) -> int:
    """Days from the epoch to the first of a month, which may be any number of months from January on."""
    year += month // 12
    month %= 12
    # The year begins in March here, so that the day which is not always there comes last.
    year -= month < 2
    in_era = year % 400
    in_year = (153 * ((month + 10) % 12) + 2) // 5
    return year // 400 * _ERA + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 719_468


def fields_of(time: int) -> Fields:
    """The fields of a time value, which is UTC or has its offset added."""
    days, rest = divmod(time, DAY)
    era, in_era = divmod(days + 719_468, _ERA)
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    day = in_year - (153 * month + 2) // 5 + 1
    month = (month + 2) % 12
    seconds, millisecond = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return Fields(era * 400 + year + (month < 2), month, day, hour, minute, second, millisecond)


def time_of(year: int, month: int, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0, ms: int = 0) -> int:
    """The time value of fields, each of which may be beyond its usual range."""
    return (days_before(year, month) + day - 1) * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + ms


def clip(time: float) -> int | float:
    """NaN for what is too far from the epoch. Spec: 21.4.1.31."""
    return time if -MAX_TIME <= time <= MAX_TIME else math.nan


# --- Zones -----------------------------------------------------------------------------------------------------------


def _machine_zone(time: int) -> Any:
    """What the machine knows of a moment, or None for UTC: also if it is beyond what its C library can take."""
    from time import localtime

    try:
        return localtime(time // 1000)
    except (OverflowError, ValueError, OSError):
        return None


def has_local_zone(realm: Realm) -> bool:
    """Whether the program may know the time zone of the machine; else its zone is UTC."""
    return bool(getattr(getattr(realm.host, "config", None), "local_time_zone", False))


def offset_at(realm: Realm, time: int) -> int:
    """Milliseconds that local time is ahead of UTC at a moment."""
    found = _machine_zone(time) if has_local_zone(realm) else None
    return found.tm_gmtoff * 1000 if found is not None else 0


def zone_name(realm: Realm, time: int) -> str:
    """What the zone is called at a moment."""
    found = _machine_zone(time) if has_local_zone(realm) else None
    return found.tm_zone if found is not None and found.tm_zone != "UTC" else "Coordinated Universal Time"


def to_utc(realm: Realm, local: float) -> float:
    """The moment of a local time. The earlier of two; one that is left out counts by the offset before. Spec: 21.4.1.26."""
    if not abs(local) <= MAX_TIME + 2 * DAY or not has_local_zone(realm):
        return local
    moment = int(local)
    before = moment - offset_at(realm, moment - DAY)
    for time in (before, moment - offset_at(realm, moment + DAY)):
        if time + offset_at(realm, time) == moment:
            return time
    return before
