"""Math. Spec: ECMA-262, 21.3. Results are those of the machine's C library, which may differ from V8's in the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.model.buffer import ELEMENT_TYPES
from wazero_gojs.model.object import Args, Native, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG, number_of, to_number, to_uint32

from .randomness import random_bytes

TABLE: Final = Table()

_SINGLE: Final = next(type for type in ELEMENT_TYPES if type.format == "f")
_EXACT: Final = float(1 << 52)
"""From here on, all numbers are integers."""

for _name, _value in {
    "E": math.e,
    "LN10": math.log(10),
    "LN2": math.log(2),
    "LOG10E": 0.4342944819032518,
    "LOG2E": 1.4426950408889634,
    "PI": math.pi,
    "SQRT1_2": math.sqrt(0.5),
    "SQRT2": math.sqrt(2),
}.items():
    TABLE.constant(_name, _value, 0)
TABLE.constant(SYMBOL_TO_STRING_TAG, "Math", 4)


def make(realm: Realm, name: str) -> Any:
    """The global Math."""
    return realm.new_namespace(TABLE, "Math")


# --- Functions of one number -----------------------------------------------------------------------------------------


def _sign(number: float) -> float:
    return number if not number or number != number else math.copysign(1, number)


def _logarithm(function: Callable[[float], float], pole: float) -> Callable[[float], float]:
    """Python's logarithms refuse `pole`, where JavaScript's are -Infinity."""
    return lambda number: -math.inf if number == pole else function(number)


def _atanh(number: float) -> float:
    return math.copysign(math.inf, number) if abs(number) == 1 else math.atanh(number)


def _cbrt(number: float) -> float:
    root = math.cbrt(number)
    if not root or not math.isfinite(root) or not math.isfinite(square := root * root):
        return root
    # The C library's may be off by a bit even for cubes of integers.
    return root - (root - number / square) / 3


def _odd(function: Callable[[float], float]) -> Callable[[float], float]:
    """For functions that overflow to an infinity with the sign of the argument."""

    def call(number: float) -> float:
        try:
            return function(number)
        except OverflowError:
            return math.copysign(math.inf, number)

    return call


def _integral(function: Callable[[float], int]) -> Callable[[float], float]:
    """For functions that make ints in Python, which know neither -0 nor infinities."""

    def call(number: float) -> float:
        if not -_EXACT < number < _EXACT:
            return number
        return math.copysign(function(number), number)

    return call


def _round(number: float) -> int:
    below = math.floor(number)
    return below if number - below < 0.5 else below + 1


_UNARY: Final[dict[str, Callable[[float], float]]] = {
    "abs": abs,
    "acos": math.acos,
    "acosh": math.acosh,
    "asin": math.asin,
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": _atanh,
    "cbrt": _cbrt,
    "ceil": _integral(math.ceil),
    "cos": math.cos,
    "cosh": math.cosh,
    "exp": math.exp,
    "expm1": math.expm1,
    "floor": _integral(math.floor),
    "fround": _SINGLE.raw,
    "log": _logarithm(math.log, 0),
    "log10": _logarithm(math.log10, 0),
    "log1p": _logarithm(math.log1p, -1),
    "log2": _logarithm(math.log2, 0),
    "round": _integral(_round),
    "sign": _sign,
    "sin": math.sin,
    "sinh": _odd(math.sinh),
    "sqrt": math.sqrt,
    "tan": math.tan,
    "tanh": math.tanh,
    "trunc": _integral(math.trunc),
}


def _native(function: Callable[[float], float]) -> Native:
    def call(realm: Realm, this: Any, args: Args) -> Any:
        number = to_number(argument(args, 0))
        try:
            return number_of(function(number))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return call


for _name, _function in _UNARY.items():
    TABLE.method(_name, 1)(_native(_function))


# --- Others ----------------------------------------------------------------------------------------------------------


@TABLE.method("atan2", 2)
def atan2(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.8."""
    y = to_number(argument(args, 0))
    return number_of(math.atan2(y, to_number(argument(args, 1))))


@TABLE.method("clz32", 1)
def clz32(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.11."""
    return 32 - to_uint32(argument(args, 0)).bit_length()


@TABLE.method("imul", 2)
def imul(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.19."""
    left = to_uint32(argument(args, 0))
    product = left * to_uint32(argument(args, 1)) & 0xFFFFFFFF
    return product - (product >> 31 << 32)


@TABLE.method("hypot", 2)
def hypot(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.18. Adds as V8 does, so that the last bit is the same, too."""
    numbers = [abs(to_number(arg)) for arg in args]
    if math.inf in numbers:
        return math.inf
    if any(number != number for number in numbers):
        return math.nan
    largest = max(numbers, default=0)
    if not largest:
        return 0
    total = lost = 0.0
    for number in numbers:
        part = (number / largest) ** 2 - lost
        following = total + part
        lost = following - total - part
        total = following
    return number_of(math.sqrt(total) * largest)


@TABLE.method("max", 2)
def maximum(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.24."""
    return _extreme(args, -math.inf, max)


@TABLE.method("min", 2)
def minimum(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.25."""
    return _extreme(args, math.inf, min)


def _extreme(args: Args, none: float, choose: Callable[..., Any]) -> int | float:
    numbers = [to_number(arg) for arg in args]
    if any(number != number for number in numbers):
        return math.nan
    found: int | float = choose(numbers, default=none)
    if found:
        return found
    # Of 0 and -0, the one that wins if it is there at all; Python takes the first.
    return choose(found, *(number for number in numbers if not number), key=lambda zero: math.copysign(1, zero))  # type: ignore[no-any-return]


@TABLE.method("pow", 2)
def pow_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 21.3.2.26."""
    base = to_number(argument(args, 0))
    return power(base, to_number(argument(args, 1)))


def power(base: float, exponent: float) -> int | float:
    """The operator ** for numbers. Spec: 6.1.6.1.3."""
    if exponent != exponent or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        return number_of(math.pow(base, exponent))
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        # A power of zero with a negative exponent, or a root of a negative number.
        if base:
            return math.nan
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf


@TABLE.method("random", 0)
def random(realm: Realm, this: Any, args: Args) -> Any:
    """A number from 0 up to below 1, from the program's source of random bytes. Spec: 21.3.2.27."""
    return number_of((int.from_bytes(random_bytes(realm, 7), "little") >> 3) / (1 << 53))
