"""BigInt. Spec: ECMA-262, 21.2."""

from __future__ import annotations

import math
from typing import Any, Final

from wazero_gojs.model.object import CONFIGURABLE, Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    MAX_BIGINT_BITS,
    MAX_SAFE,
    SPACES,
    SYMBOL_TO_STRING_TAG,
    BigInt,
    ThrownByName,
    describe,
    integer_to_string,
    string_to_integer,
    throw_range_error,
    throw_type_error,
    to_integer,
    to_primitive,
)

from . import number_format
from .wrappers import JSWrapper

PROTOTYPE: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "BigInt", CONFIGURABLE)
STATICS: Final = Table()

_RADIXES: Final = {"0x": 16, "0o": 8, "0b": 2}


def make(realm: Realm, name: str) -> Any:
    """The global BigInt."""
    return realm.new_class(name, 1, _create, PROTOTYPE, statics=STATICS, call=_call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    throw_type_error("BigInt is not a constructor")


def _call(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.2.1.1."""
    value = to_primitive(argument(args, 0), "number")
    if isinstance(value, float) and not value.is_integer():
        throw_range_error(f"The number {describe(value)} cannot be converted to a BigInt because it is not an integer")
    if isinstance(value, (int, float)):
        return BigInt(value)
    return to_bigint(value)


def to_bigint(value: Any) -> BigInt:
    """The bigint that a value becomes. TypeError for numbers, SyntaxError for text that is none. Spec: 7.1.13."""
    value = to_primitive(value, "number")
    if isinstance(value, BigInt):
        return value
    if isinstance(value, bool):
        return BigInt(value)
    if not isinstance(value, str):
        throw_type_error(f"Cannot convert {describe(value)} to a BigInt")
    found = string_to_bigint(value)
    if found is None:
        raise ThrownByName("SyntaxError", f"Cannot convert {value} to a BigInt")
    return found


def string_to_bigint(text: str) -> BigInt | None:
    """The bigint that text spells, None if it spells none. Spec: 7.1.14."""
    text = text.strip(SPACES)
    if not text:
        return BigInt(0)
    radix = _RADIXES.get(text[:2].lower(), 10)
    sign, digits = 1, text[2:]
    if radix == 10:
        sign = -1 if text[0] == "-" else 1
        digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isalnum()):
        return None
    if len(digits) * math.log2(radix) > MAX_BIGINT_BITS:
        throw_range_error("Maximum BigInt size exceeded")
    try:
        return BigInt(sign * (string_to_integer(digits) if radix == 10 else int(digits, radix)))
    except ValueError:
        return None


def _bits(value: Any) -> int:
    bits = to_integer(value)
    if not 0 <= bits <= MAX_SAFE:
        throw_range_error("Invalid value: not (convertible to) a safe integer")
    return int(bits)


@STATICS.method("asUintN", 2)
def as_uint_n(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.2.2.2."""
    bits, value = _bits(argument(args, 0)), to_bigint(argument(args, 1))
    if value >= 0 and value.bit_length() <= bits:
        return value
    if bits > MAX_BIGINT_BITS:
        throw_range_error("Maximum BigInt size exceeded")
    return BigInt(int(value) & (1 << bits) - 1)


@STATICS.method("asIntN", 2)
def as_int_n(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.2.2.1."""
    bits, value = _bits(argument(args, 0)), to_bigint(argument(args, 1))
    if not bits:
        return BigInt(0)
    if value.bit_length() < bits:
        return value
    low = int(value) & (1 << bits) - 1
    return BigInt(low - (1 << bits) if low >> (bits - 1) else low)


def _this(this: Any, member: str) -> BigInt:
    value = this.value if isinstance(this, JSWrapper) else this
    if not isinstance(value, BigInt):
        throw_type_error(f"BigInt.prototype.{member} requires that 'this' be a BigInt")
    return value


@PROTOTYPE.method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.2.3.3."""
    from .number import radix_of

    value = _this(this, "toString")
    radix = radix_of(args)
    return integer_to_string(value) if radix == 10 else number_format.integer_in_radix(int(value), radix)


@PROTOTYPE.method("toLocaleString", 0)
def to_locale_text(realm: Realm, this: Any, args: Args) -> Any:
    """As in the United States. Spec: 21.2.3.2."""
    return number_format.grouped(integer_to_string(_this(this, "toLocaleString")))


@PROTOTYPE.method("valueOf", 0)
def value_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.2.3.4."""
    return _this(this, "valueOf")
