"""Date. Spec: ECMA-262, 21.4. The time zone is UTC unless the program was given the machine's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, final

from wazero_gojs.model.object import Args, JSObject, Native, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_PRIMITIVE,
    is_object,
    throw_range_error,
    throw_type_error,
    to_integer,
    to_number,
    to_primitive,
    to_string,
)

from . import date_parser
from .calendar import DAYS, MINUTE, MONTHS, Fields, clip, fields_of, offset_at, time_of, to_utc, zone_name

PROTOTYPE: Final = Table()
STATICS: Final = Table()

_NANOSECONDS: Final = 1_000_000
"""In a millisecond."""


@final
class JSDate(JSObject):
    """A date: `time` in milliseconds since the epoch, or NaN."""

    __slots__ = ("time",)

    class_name = "Date"

    def __init__(self, prototype: JSObject, time: float) -> None:
        super().__init__(prototype)
        self.time = time


def make(realm: Realm, name: str) -> Any:
    """The global Date."""

    def call(realm: Realm, this: Any, args: Args) -> str:
        return _text(realm, now_of(realm))

    return realm.new_class("Date", 7, _create, PROTOTYPE, statics=STATICS, call=call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSDate:
    if not args:
        return JSDate(prototype, now_of(realm))
    if len(args) > 1:
        return JSDate(prototype, clip(to_utc(realm, _from_numbers(args))))
    value = args[0].time if isinstance(args[0], JSDate) else to_primitive(args[0])
    if isinstance(value, str):
        return JSDate(prototype, date_parser.parse(realm, value))
    return JSDate(prototype, _clipped(to_number(value)))


def now_of(realm: Realm) -> int:
    """The time, by the program's clock; by the machine's for a realm that belongs to no program."""
    if realm.host is None:
        from time import time_ns

        return time_ns() // _NANOSECONDS
    return int(realm.host.system.walltime()) // _NANOSECONDS


def _clipped(number: float) -> int | float:
    return int(number) if abs(clip(number)) >= 0 else math.nan


def _from_numbers(args: Args) -> int | float:
    """The time value of year, month and so on, which is to be clipped yet."""
    numbers = [to_number(arg) for arg in args[:7]]
    if not all(math.isfinite(number) for number in numbers):
        return math.nan
    year, *rest = (int(number) for number in numbers)
    return time_of(1900 + year if 0 <= year <= 99 else year, *(rest or [0]))


# --- The constructor -------------------------------------------------------------------------------------------------


@STATICS.method("now")
def now(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.3.1."""
    return now_of(realm)


@STATICS.method("parse", 1)
def parse(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.3.2."""
    return date_parser.parse(realm, to_string(argument(args, 0)))


@STATICS.method("UTC", 7)
def utc(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.3.4."""
    return clip(_from_numbers(args or (math.nan,)))


# --- Fields ----------------------------------------------------------------------------------------------------------


def _date(this: Any) -> JSDate:
    if not isinstance(this, JSDate):
        throw_type_error("this is not a Date object.")
    return this


def _fields(realm: Realm, time: float, is_utc: bool) -> Fields | None:
    """None for an invalid date."""
    if time != time:
        return None
    moment = int(time)
    return fields_of(moment if is_utc else moment + offset_at(realm, moment))


_GETTERS: Final = {
    "FullYear": "year",
    "Month": "month",
    "Date": "day",
    "Day": "weekday",
    "Hours": "hour",
    "Minutes": "minute",
    "Seconds": "second",
    "Milliseconds": "millisecond",
}

_SETTERS: Final = {
    "FullYear": (0, 3),
    "Month": (1, 2),
    "Date": (2, 1),
    "Hours": (3, 4),
    "Minutes": (4, 3),
    "Seconds": (5, 2),
    "Milliseconds": (6, 1),
}
"""The first field that each sets, and how many it can."""


def _getter(field: str, is_utc: bool) -> Native:
    def call(realm: Realm, this: Any, args: Args) -> Any:
        found = _fields(realm, _date(this).time, is_utc)
        return math.nan if found is None else getattr(found, field)

    return call


def _setter(first: int, count: int, is_utc: bool) -> Native:
    def call(realm: Realm, this: Any, args: Args) -> Any:
        date = _date(this)
        numbers = [to_number(arg) for arg in args[:count]] or [math.nan]
        found = _fields(realm, date.time, is_utc)
        if found is None and first == 0:  # a year makes an invalid date valid
            found = fields_of(0)
        if found is None or not all(math.isfinite(number) for number in numbers):
            date.time = math.nan
        else:
            values = list(found)
            values[first : first + len(numbers)] = (int(number) for number in numbers)
            time = time_of(*values)
            date.time = clip(time if is_utc else to_utc(realm, time))
        return date.time

    return call


for _is_utc in (False, True):
    for _name, _field in _GETTERS.items():
        PROTOTYPE.method(f"get{'UTC' * _is_utc}{_name}")(_getter(_field, _is_utc))
    for _name, (_first, _count) in _SETTERS.items():
        PROTOTYPE.method(f"set{'UTC' * _is_utc}{_name}", _count)(_setter(_first, _count, _is_utc))


@PROTOTYPE.method("getTime")
@PROTOTYPE.method("valueOf")
def get_time(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.4.10."""
    return _date(this).time


@PROTOTYPE.method("setTime", 1)
def set_time(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.4.27."""
    date = _date(this)
    date.time = _clipped(to_number(argument(args, 0)))
    return date.time


@PROTOTYPE.method("getYear")
def get_year(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: B.2.3.1."""
    found = _fields(realm, _date(this).time, is_utc=False)
    return math.nan if found is None else found.year - 1900


@PROTOTYPE.method("setYear", 1)
def set_year(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: B.2.3.2."""
    year = to_number(argument(args, 0))
    integer = to_integer(year)
    return _setter(0, 1, is_utc=False)(realm, this, (1900 + integer if 0 <= integer <= 99 and year == year else year,))


@PROTOTYPE.method("getTimezoneOffset")
def get_timezone_offset(realm: Realm, this: Any, args: Args) -> Any:
    """Minutes that local time is behind UTC. Spec: 21.4.4.11."""
    time = _date(this).time
    return math.nan if time != time else -offset_at(realm, int(time)) // MINUTE


# --- As text ---------------------------------------------------------------------------------------------------------


def iso_text(time: float) -> str:
    """The format of toISOString. Throws a RangeError for an invalid date."""
    if time != time:
        throw_range_error("Invalid time value")
    at = fields_of(int(time))
    year = f"{at.year:04}" if 0 <= at.year <= 9999 else f"{'-' if at.year < 0 else '+'}{abs(at.year):06}"
    return f"{year}-{at.month + 1:02}-{at.day:02}T{_clock(at)}.{at.millisecond:03}Z"


def _clock(at: Fields) -> str:
    return f"{at.hour:02}:{at.minute:02}:{at.second:02}"


def _year(at: Fields) -> str:
    return f"{'-' * (at.year < 0)}{abs(at.year):04}"


def _day_text(at: Fields) -> str:
    return f"{DAYS[at.weekday]} {MONTHS[at.month]} {at.day:02} {_year(at)}"


def _time_text(realm: Realm, at: Fields, time: int) -> str:
    offset = offset_at(realm, time) // MINUTE
    hours, minutes = divmod(abs(offset), 60)
    return f"{_clock(at)} GMT{'-' if offset < 0 else '+'}{hours:02}{minutes:02} ({zone_name(realm, time)})"


def _text(realm: Realm, time: float) -> str:
    at = _fields(realm, time, is_utc=False)
    return "Invalid Date" if at is None else f"{_day_text(at)} {_time_text(realm, at, int(time))}"


def _plain_day(at: Fields) -> str:
    return f"{at.month + 1}/{at.day}/{at.year}"


def _plain_clock(at: Fields) -> str:
    return f"{at.hour % 12 or 12}:{at.minute:02}:{at.second:02} {'PM' if at.hour >= 12 else 'AM'}"


def _utc_text(at: Fields) -> str:
    return f"{DAYS[at.weekday]}, {at.day:02} {MONTHS[at.month]} {_year(at)} {_clock(at)} GMT"


_TEXTS: Final[dict[str, Callable[[Realm, Fields, int], str]]] = {
    "toString": lambda realm, at, time: f"{_day_text(at)} {_time_text(realm, at, time)}",
    "toDateString": lambda realm, at, time: _day_text(at),
    "toTimeString": _time_text,
    "toLocaleString": lambda realm, at, time: f"{_plain_day(at)}, {_plain_clock(at)}",
    "toLocaleDateString": lambda realm, at, time: _plain_day(at),
    "toLocaleTimeString": lambda realm, at, time: _plain_clock(at),
    "toUTCString": lambda realm, at, time: _utc_text(at),
    "toGMTString": lambda realm, at, time: _utc_text(at),
}
"""How each writes the fields, local but for the last two. Locales are all American, as there is no other data."""


def _writer(name: str) -> Native:
    write, is_utc = _TEXTS[name], name in ("toUTCString", "toGMTString")

    def call(realm: Realm, this: Any, args: Args) -> Any:
        time = _date(this).time
        at = _fields(realm, time, is_utc)
        return "Invalid Date" if at is None else write(realm, at, int(time))

    return call


for _name in _TEXTS:
    PROTOTYPE.method(_name)(_writer(_name))


@PROTOTYPE.method("toISOString")
def to_iso_string(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.4.36."""
    return iso_text(_date(this).time)


@PROTOTYPE.method("toJSON", 1)
def to_json(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.4.4.37."""
    value = to_primitive(this, "number")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not is_object(this):
        throw_type_error("toISOString is not a function")
    return this.call_method("toISOString")


@PROTOTYPE.method(SYMBOL_TO_PRIMITIVE, 1)
def date_to_primitive(realm: Realm, this: Any, args: Args) -> Any:
    """Without a hint, a date is text. Spec: 21.4.4.45."""
    hint = argument(args, 0)
    if not is_object(this) or hint not in ("default", "string", "number"):
        throw_type_error(f"Invalid hint: {to_string(hint)}")
    value: Any = this
    for name in ("valueOf", "toString") if hint == "number" else ("toString", "valueOf"):
        function = this.get(name)
        value = function.call(this, ()) if is_callable(function) else this
        if not is_object(value):
            break
    if is_object(value):
        throw_type_error("Cannot convert object to primitive value")
    return value
