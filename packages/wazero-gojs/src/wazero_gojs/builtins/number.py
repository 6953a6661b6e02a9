"""Number and what goes with it: parseInt, isNaN, … BigInt and Boolean are in modules of their own.

Spec: ECMA-262, 21.1 and 19.2.
"""

from __future__ import annotations

import math
from typing import Any, Final

from wazero_gojs.model.object import Args, JSObject, NativeFunction, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    MAX_SAFE,
    SPACES,
    UNDEFINED,
    BigInt,
    number_of,
    number_to_string,
    throw_range_error,
    throw_type_error,
    to_int32,
    to_integer,
    to_number,
    to_primitive,
    to_string,
)

from . import number_format
from .wrappers import JSWrapper

PROTOTYPE: Final = Table()
STATICS: Final = Table()

_VALUES: Final = {"NaN": math.nan, "Infinity": math.inf, "undefined": UNDEFINED}


def make(realm: Realm, name: str) -> Any:
    """One of the globals that have to do with numbers, or a class of primitive values."""
    if name in _VALUES:
        return _VALUES[name]
    if name in _FUNCTIONS:
        function, length = _FUNCTIONS[name]
        return NativeFunction(realm, name, length, function)
    if name == "BigInt":
        from . import bigint

        return bigint.make(realm, name)
    if name == "Boolean":
        from . import boolean

        return boolean.make(realm, name)
    return realm.new_class(name, 1, _create, PROTOTYPE, statics=STATICS, call=_call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    return JSWrapper(prototype, _call(realm, UNDEFINED, args))


def _call(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.1.1."""
    if not args:
        return 0
    value = to_primitive(args[0], "number")
    return number_of(int(value)) if isinstance(value, BigInt) else to_number(value)


# --- Global functions ------------------------------------------------------------------------------------------------


def parse_int(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.5."""
    text = to_string(argument(args, 0)).lstrip(SPACES)
    sign = -1 if text.startswith("-") else 1
    text = text[1:] if text[:1] in ("+", "-") else text
    radix = to_int32(argument(args, 1))
    if radix not in range(2, 37) and radix:
        return math.nan
    if radix in (0, 16) and text[:2].lower() == "0x":
        text, radix = text[2:], 16
    radix = radix or 10
    end = 0
    while end < len(text) and _digit(text[end]) < radix:
        end += 1
    if not end:
        return math.nan
    digits = text[:end].lstrip("0") or "0"
    if radix == 10:
        number = number_of(float(digits))
    elif len(digits) > 1024:
        number = math.inf
    else:
        number = number_of(int(digits, radix) if radix & (radix - 1) == 0 else _by_parts(digits, radix))
    return number_of(sign * float(number)) if sign < 0 else number


def _by_parts(digits: str, radix: int) -> float:
    """An integer as V8 reads it in a base that is no power of two: beyond 2^53, what it is rounded to depends on that."""
    width = 1
    while radix ** (width + 1) <= 0xFFFFFFFF // 36:
        width += 1
    value = 0.0
    for start in range(0, len(digits), width):
        part = digits[start : start + width]
        value = value * radix ** len(part) + int(part, radix)
    return value


def _digit(character: str) -> int:
    return int(character, 36) if character.isascii() and character.isalnum() else 36


def parse_float(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.4."""
    import re

    text = to_string(argument(args, 0)).lstrip(SPACES)
    found = re.match(r"[+-]?(Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)", text, re.ASCII)
    return number_of(float(found[0])) if found else math.nan


def is_nan(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.3."""
    number = to_number(argument(args, 0))
    return number != number


def is_finite(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 19.2.2."""
    return math.isfinite(to_number(argument(args, 0)))


_FUNCTIONS: Final = {
    "parseInt": (parse_int, 2),
    "parseFloat": (parse_float, 1),
    "isNaN": (is_nan, 1),
    "isFinite": (is_finite, 1),
}

# --- Number ----------------------------------------------------------------------------------------------------------

for _name, _value in {
    "MAX_VALUE": 1.7976931348623157e308,
    "MIN_VALUE": 5e-324,
    "NaN": math.nan,
    "NEGATIVE_INFINITY": -math.inf,
    "POSITIVE_INFINITY": math.inf,
    "MAX_SAFE_INTEGER": MAX_SAFE,
    "MIN_SAFE_INTEGER": -MAX_SAFE,
    "EPSILON": 2.0**-52,
}.items():
    STATICS.constant(_name, _value, 0)
STATICS.made("parseFloat", lambda realm: realm.intrinsic("parseFloat"))
STATICS.made("parseInt", lambda realm: realm.intrinsic("parseInt"))


def is_number(value: Any) -> bool:
    """Whether this is a number, which bool and BigInt are not."""
    return isinstance(value, (int, float)) and not isinstance(value, (bool, BigInt))


@STATICS.method("isFinite", 1)
def number_is_finite(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.2.2."""
    value = argument(args, 0)
    return is_number(value) and math.isfinite(value)


@STATICS.method("isInteger", 1)
def is_integer(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.2.3."""
    value = argument(args, 0)
    return is_number(value) and math.isfinite(value) and value == int(value)


@STATICS.method("isNaN", 1)
def number_is_nan(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.2.4."""
    value = argument(args, 0)
    return is_number(value) and value != value


@STATICS.method("isSafeInteger", 1)
def is_safe_integer(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.2.5."""
    value = argument(args, 0)
    return is_number(value) and abs(value) <= MAX_SAFE and value == int(value)


def _this(this: Any, member: str) -> Any:
    value = this.value if isinstance(this, JSWrapper) else this
    if not is_number(value):
        throw_type_error(f"Number.prototype.{member} requires that 'this' be a Number")
    return value


@PROTOTYPE.method("toString", 1)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.3.6."""
    number = _this(this, "toString")
    radix = radix_of(args)
    return number_to_string(number) if radix == 10 else number_format.in_radix(number, radix)


def radix_of(args: Args) -> int:
    """The argument of toString. RangeError unless it is 2…36."""
    radix = 10 if argument(args, 0) is UNDEFINED else to_integer(args[0])
    if not 2 <= radix <= 36:
        throw_range_error("toString() radix argument must be between 2 and 36")
    return int(radix)


@PROTOTYPE.method("toLocaleString", 0)
def to_locale_text(realm: Realm, this: Any, args: Args) -> Any:
    """As in the United States. Spec: 21.1.3.4."""
    number = _this(this, "toLocaleString")
    if not math.isfinite(number):
        return "NaN" if number != number else "-∞" if number < 0 else "∞"
    least, most = _fraction_options(argument(args, 1))
    shown = number_format.grouped(number_format.plain(number), (least, most))
    return "-0" if shown == "0" and math.copysign(1, number) < 0 else shown


def _fraction_options(options: Any) -> tuple[int, int]:
    """The fewest and the most digits after the point that options ask for."""
    least = most = UNDEFINED
    if isinstance(options, JSObject):
        least, most = options.get("minimumFractionDigits"), options.get("maximumFractionDigits")
    found = []
    for name, value in (("minimumFractionDigits", least), ("maximumFractionDigits", most)):
        integer = -1 if value is UNDEFINED else to_number(value)
        if value is not UNDEFINED and not 0 <= integer <= 20:
            throw_range_error(f"{name} value is out of range.")
        found.append(int(integer))
    fewest = max(found[0], 0)
    if found[1] < 0:
        return fewest, max(3, fewest)
    if fewest > found[1]:
        throw_range_error("maximumFractionDigits value is out of range.")
    return fewest, found[1]


@PROTOTYPE.method("valueOf", 0)
def value_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.3.7."""
    return _this(this, "valueOf")


def _digits(args: Args, member: str, least: int) -> int:
    digits = to_integer(argument(args, 0))
    if not least <= digits <= 100:
        what = "digits argument" if member == "toFixed" else "argument"
        throw_range_error(f"{member}() {what} must be between {least} and 100")
    return int(digits)


@PROTOTYPE.method("toFixed", 1)
def to_fixed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.3.3."""
    number = _this(this, "toFixed")
    digits = _digits(args, "toFixed", 0)
    return number_format.fixed(number, digits) if abs(number) < 1e21 else number_to_string(number)


@PROTOTYPE.method("toExponential", 1)
def to_exponential(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.3.2."""
    number = _this(this, "toExponential")
    digits = to_integer(argument(args, 0))
    if not math.isfinite(number):
        return number_to_string(number)
    if argument(args, 0) is UNDEFINED:
        return number_format.exponential(number, None)
    return number_format.exponential(number, _digits((digits,), "toExponential", 0))


@PROTOTYPE.method("toPrecision", 1)
def to_precision(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.1.3.5."""
    number = _this(this, "toPrecision")
    if argument(args, 0) is UNDEFINED:
        return number_to_string(number)
    precision = to_integer(args[0])
    if not math.isfinite(number):
        return number_to_string(number)
    return number_format.precise(number, _digits((precision,), "toPrecision", 1))
