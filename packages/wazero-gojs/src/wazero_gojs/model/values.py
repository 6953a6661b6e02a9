"""Values that are no objects, and conversions between types. Spec: ECMA-262, 6.1 and 7.

undefined is `UNDEFINED`, null is None, a boolean a bool, a number a float or an int, a string a str, a bigint a `BigInt`,
a symbol a `Symbol`. An int stands for the number that it is and never is beyond 2^53; so 3 and 3.0 are one value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

if TYPE_CHECKING:
    from .object import JSObject

Key = "str | Symbol"
"""What names a property; array indices are decimal strings, too."""

MAX_SAFE: Final = (1 << 53) - 1
MAX_BIGINT_BITS: Final = 1 << 20
"""Of a bigint, far fewer than in browsers: Python takes seconds to calculate with larger ones, and cannot be stopped."""
_SMALL_BITS: Final = 8192


@final
class Undefined:
    """The type of `UNDEFINED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()
"""JavaScript's undefined. There is one."""


@final
class Symbol:
    """A symbol: equal to nothing but itself."""

    __slots__ = ("description",)

    def __init__(self, description: str | None = None) -> None:
        self.description = description

    def __repr__(self) -> str:
        return f"Symbol({self.description or ''})"


SYMBOL_ITERATOR: Final = Symbol("Symbol.iterator")
SYMBOL_ASYNC_ITERATOR: Final = Symbol("Symbol.asyncIterator")
SYMBOL_HAS_INSTANCE: Final = Symbol("Symbol.hasInstance")
SYMBOL_TO_PRIMITIVE: Final = Symbol("Symbol.toPrimitive")
SYMBOL_TO_STRING_TAG: Final = Symbol("Symbol.toStringTag")
SYMBOL_IS_CONCAT_SPREADABLE: Final = Symbol("Symbol.isConcatSpreadable")
SYMBOL_UNSCOPABLES: Final = Symbol("Symbol.unscopables")
SYMBOL_SPECIES: Final = Symbol("Symbol.species")
SYMBOL_MATCH: Final = Symbol("Symbol.match")
SYMBOL_MATCH_ALL: Final = Symbol("Symbol.matchAll")
SYMBOL_REPLACE: Final = Symbol("Symbol.replace")
SYMBOL_SEARCH: Final = Symbol("Symbol.search")
SYMBOL_SPLIT: Final = Symbol("Symbol.split")
WELL_KNOWN: Final = {
    str(symbol.description).removeprefix("Symbol."): symbol
    for symbol in (
        SYMBOL_ITERATOR,
        SYMBOL_ASYNC_ITERATOR,
        SYMBOL_HAS_INSTANCE,
        SYMBOL_TO_PRIMITIVE,
        SYMBOL_TO_STRING_TAG,
        SYMBOL_IS_CONCAT_SPREADABLE,
        SYMBOL_UNSCOPABLES,
        SYMBOL_SPECIES,
        SYMBOL_MATCH,
        SYMBOL_MATCH_ALL,
        SYMBOL_REPLACE,
        SYMBOL_SEARCH,
        SYMBOL_SPLIT,
    )
}
"""Symbols that every realm shares, by their names as properties of the constructor."""


@final
class BigInt(int):
    """A bigint: an integer of any size that mixes with no number."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}n"


class JSError(Exception):
    """A value that was thrown; mostly an Error object. What JavaScript code or Go can catch."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return describe(self.value)


@final
class ThrownByName(JSError):
    """An error that has no object yet, as who throws it knows no realm: "TypeError" and the like, and a message.

    `Realm.thrown` makes the object. Nobody else catches this.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


def throw_type_error(message: str) -> NoReturn:
    """Throw a TypeError."""
    raise ThrownByName("TypeError", message)


def throw_range_error(message: str) -> NoReturn:
    """Throw a RangeError."""
    raise ThrownByName("RangeError", message)


def type_of(value: Any) -> str:
    """The result of the operator typeof. Spec: 13.5.3."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, BigInt):
        return "bigint"
    if isinstance(value, (int, float)):
        return "number"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, Symbol):
        return "symbol"
    return "function" if value is not None and value.is_callable else "object"


def is_object(value: Any) -> bool:
    """Whether this is a `JSObject`, functions included."""
    return value is not None and not isinstance(value, (str, bool, int, float, Undefined, Symbol))


def number_of(value: float) -> int | float:
    """The same number as an int if it is a safe integer and no negative zero."""
    if isinstance(value, int):
        return value if -MAX_SAFE <= value <= MAX_SAFE else _float_of(value)
    if value.is_integer() and -MAX_SAFE <= value <= MAX_SAFE and (value or math.copysign(1, value) > 0):
        return int(value)
    return value


def _float_of(integer: int) -> float:
    try:
        return float(integer)
    except OverflowError:
        return math.inf if integer > 0 else -math.inf


# --- Conversions. Spec: 7.1 ------------------------------------------------------------------------------------------


def to_boolean(value: Any) -> bool:
    """Spec: 7.1.2."""
    if value is None or value is UNDEFINED or value is False or value == "":
        return False
    if isinstance(value, (int, float)):
        return bool(value) and value == value
    return True


def to_primitive(value: Any, hint: str = "default") -> Any:
    """What an object is as a value; other values are it themselves. `hint` is "default", "number" or "string"."""
    return value.to_primitive(hint) if is_object(value) else value


def to_number(value: Any) -> int | float:
    """Spec: 7.1.4. Throws a TypeError for symbols and bigints."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (BigInt, Symbol)):
        throw_type_error(f"Cannot convert a {'Symbol' if isinstance(value, Symbol) else 'BigInt'} value to a number")
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        return string_to_number(value)
    if value is UNDEFINED:
        return math.nan
    if value is None:
        return 0
    return to_number(to_primitive(value, "number"))


SPACES: Final = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What counts as white space, line ends included. Spec: 12.2, 12.3."""
_BASES: Final = {"0x": 16, "0o": 8, "0b": 2}


def string_to_number(text: str) -> int | float:
    """Spec: 7.1.4.1."""
    text = text.strip(SPACES)
    if not text:
        return 0
    base = _BASES.get(text[:2].lower())
    try:
        if "_" in text or not text.isascii() or text != text.strip():  # what only Python takes for a number
            return math.nan
        if base:
            return number_of(int(text[2:], base)) if text[2:3].isalnum() else math.nan
        if text in ("Infinity", "+Infinity", "-Infinity"):
            return -math.inf if text[0] == "-" else math.inf
        return math.nan if text[-1].isalpha() else number_of(float(text))
    except ValueError:
        return math.nan


def to_integer(value: Any) -> int | float:
    """An int, or an infinite float. Spec: 7.1.5."""
    number = to_number(value)
    if isinstance(number, int):
        return number
    if number != number:
        return 0
    return number if math.isinf(number) else int(number)


def to_index(value: Any, length: int, default: int = 0) -> int:
    """A relative index, counted from the end if negative, cut to 0…`length`: what slice and its kind take."""
    if value is UNDEFINED:
        return default
    integer = to_integer(value)
    return int(max(length + integer, 0) if integer < 0 else min(integer, length))


def to_uint32(value: Any) -> int:
    """Spec: 7.1.7."""
    number = to_integer(value)
    return 0 if isinstance(number, float) else number & 0xFFFFFFFF


def to_int32(value: Any) -> int:
    """Spec: 7.1.6."""
    number = to_uint32(value)
    return number - (1 << 32) if number >> 31 else number


def to_length(value: Any) -> int:
    """Spec: 7.1.20."""
    return int(min(max(to_integer(value), 0), MAX_SAFE))


def to_string(value: Any) -> str:
    """Spec: 7.1.17. Throws a TypeError for symbols."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BigInt):
        return integer_to_string(value)
    if isinstance(value, (int, float)):
        return number_to_string(value)
    if value is UNDEFINED:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, Symbol):
        throw_type_error("Cannot convert a Symbol value to a string")
    return to_string(to_primitive(value, "string"))


def integer_to_string(integer: int) -> str:
    """An integer of any size in decimal: Python itself refuses more than 4,300 digits."""
    if integer.bit_length() < _SMALL_BITS:
        return str(int(integer))
    return "-" + _decimal(-integer, 0) if integer < 0 else _decimal(int(integer), 0)


def _decimal(integer: int, width: int) -> str:
    if integer.bit_length() < _SMALL_BITS:
        return str(integer).rjust(width, "0")
    half = integer.bit_length() * 3 // 20  # about half as many digits as there are
    high, low = divmod(integer, 10**half)
    return _decimal(high, max(width - half, 0)) + _decimal(low, half)


def string_to_integer(digits: str) -> int:
    """The integer that decimal digits are, of which there may be any number. ValueError for other text."""
    if len(digits) < _SMALL_BITS // 4:
        return int(digits)
    half = len(digits) // 2
    scale: int = 10**half
    return string_to_integer(digits[:-half]) * scale + string_to_integer(digits[-half:])


def number_to_string(number: float) -> str:
    """The shortest decimal that reads back as the number, laid out as JavaScript does. Spec: 6.1.6.1.20."""
    if isinstance(number, int):
        return str(number)
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if not number:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0") if fraction != "0" else ""
    digits = (whole + fraction).lstrip("0")
    # The point is after this many digits, which may be more than there are, or fewer than none.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def to_key(value: Any) -> str | Symbol:
    """What names a property. Spec: 7.1.19."""
    if isinstance(value, (str, Symbol)):
        return value
    key = to_primitive(value, "string")
    return key if isinstance(key, Symbol) else to_string(key)


def index_of(key: object) -> int:
    """The array index that a property's name is; -1 if it is none. Spec: 6.1.7."""
    if isinstance(key, str) and key.isdecimal() and key.isascii() and (key[0] != "0" or key == "0"):
        index = int(key)
        return index if index < 0xFFFFFFFF else -1
    return -1


# --- Comparisons. Spec: 7.2 ------------------------------------------------------------------------------------------


def strict_equals(left: Any, right: Any) -> bool:
    """The operator ===. Spec: 7.2.15."""
    if left is right:
        return bool(left == left)
    if isinstance(left, bool) or isinstance(right, bool) or isinstance(left, BigInt) != isinstance(right, BigInt):
        return False
    if isinstance(left, (str, int, float)) and isinstance(right, (str, int, float)):
        return left == right
    return False


def same_value_zero(left: Any, right: Any) -> bool:
    """Like ===, but NaN is NaN. Spec: 7.2.11."""
    return strict_equals(left, right) or (
        isinstance(left, float) and isinstance(right, float) and left != left and right != right
    )


def same_value(left: Any, right: Any) -> bool:
    """Like `same_value_zero`, but 0 and -0 differ. Spec: 7.2.10."""
    if not same_value_zero(left, right):
        return False
    return not isinstance(left, (int, float)) or bool(left) or math.copysign(1, left) == math.copysign(1, right)


def describe_unnamed(value: Any) -> str:
    """A value in a message that would rather show the source which it came from: "number 5", "object null", "object"."""
    kind = type_of(value)
    if value is UNDEFINED or is_object(value) or isinstance(value, Symbol):
        return kind
    return f'{kind} "{value}"' if isinstance(value, str) else f"{kind} {describe(value)}"


def describe(value: Any) -> str:
    """A value for people, in messages of errors: never throws and calls no code of a guest."""
    if isinstance(value, Symbol):
        return repr(value)
    if is_object(value):
        found: JSObject = value
        return found.describe()
    return to_string(value)
