"""What operators make of values. Spec: ECMA-262, 13 and 6.1.6."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import instance_of
from wazero_gojs.model.values import (
    MAX_SAFE,
    UNDEFINED,
    BigInt,
    Symbol,
    is_object,
    number_of,
    strict_equals,
    string_to_number,
    throw_range_error,
    throw_type_error,
    to_boolean,
    to_int32,
    to_key,
    to_number,
    to_primitive,
    to_string,
    to_uint32,
    type_of,
)

_MAX_BIGINT_BITS: Final = 1 << 20
"""Far fewer than V8 has, since one multiplication must not take long."""

Operator = Callable[[Any, Any], Any]

# --- Arithmetic ------------------------------------------------------------------------------------------------------


def to_numeric(value: Any) -> Any:
    """A number or BigInt. Spec: 7.1.3."""
    if type(value) is int or type(value) is float:
        return value
    value = to_primitive(value, "number")
    if isinstance(value, BigInt):
        return value
    if isinstance(value, Symbol):
        throw_type_error("Cannot convert a Symbol value to a number")
    return to_number(value)


def add(left: Any, right: Any) -> Any:
    """The operator +: of numbers, or of strings if one side is one."""
    if type(left) is int and type(right) is int:
        total = left + right
        return total if -MAX_SAFE <= total <= MAX_SAFE else float(total)
    left = to_primitive(left)
    right = to_primitive(right)
    if isinstance(left, str) or isinstance(right, str):
        return utf16.concat(to_string(left), to_string(right))
    return _arithmetic(left, right, _add_numbers, BigInt.__add__)


def _arithmetic(left: Any, right: Any, numbers: Operator, bigints: Operator) -> Any:
    left = to_numeric(left)
    right = to_numeric(right)
    if isinstance(left, BigInt) != isinstance(right, BigInt):
        throw_type_error("Cannot mix BigInt and other types, use explicit conversions")
    if not isinstance(left, BigInt):
        return numbers(left, right)
    result = bigints(left, right)
    if result.bit_length() > _MAX_BIGINT_BITS:
        throw_range_error("Maximum BigInt size exceeded")
    return BigInt(result)


def _add_numbers(left: float, right: float) -> float:
    return number_of(left + right)


def _subtract(left: float, right: float) -> float:
    return number_of(left - right)


def _multiply(left: float, right: float) -> float:
    product = left * right
    if not product and (math.copysign(1, left) < 0) != (math.copysign(1, right) < 0):
        return -0.0
    return number_of(product)


def _divide(left: float, right: float) -> float:
    if right:
        return number_of(left / right) if left else number_of(math.copysign(0.0, left) / right)
    if not left or left != left:
        return math.nan
    return math.inf if (math.copysign(1, left) < 0) == (math.copysign(1, right) < 0) else -math.inf


def _remainder(left: float, right: float) -> float:
    if not right or math.isinf(left) or left != left or right != right:
        return math.nan
    return number_of(math.fmod(left, right))


def power(base: float, exponent: float) -> float:
    """Spec: 6.1.6.1.3."""
    if exponent != exponent or (math.isinf(exponent) and abs(base) == 1):
        return math.nan
    try:
        return number_of(math.pow(base, exponent))
    except OverflowError:
        is_odd = float(exponent).is_integer() and exponent % 2 == 1
        return -math.inf if base < 0 and is_odd else math.inf
    except ValueError:
        if base:
            return math.nan
        is_odd = exponent % 2 == 1
        return -math.inf if math.copysign(1, base) < 0 and is_odd else math.inf


def _divide_bigints(left: int, right: int) -> int:
    if not right:
        throw_range_error("Division by zero")
    quotient = abs(int(left)) // abs(int(right))
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder_bigints(left: int, right: int) -> int:
    if not right:
        throw_range_error("Division by zero")
    rest = abs(int(left)) % abs(int(right))
    return -rest if left < 0 else rest


def _power_bigints(base: int, exponent: int) -> int:
    if exponent < 0:
        throw_range_error("Exponent must be non-negative")
    if abs(base) > 1 and (base.bit_length() - 1) * exponent > _MAX_BIGINT_BITS:
        throw_range_error("Maximum BigInt size exceeded")
    if abs(base) <= 1:
        return int(base) if exponent % 2 else int(base) * int(base) if exponent else 1
    found: int = int(base) ** int(exponent)
    return found


def _shift_bigint(left: int, right: int) -> int:
    if right > _MAX_BIGINT_BITS and left:
        throw_range_error("Maximum BigInt size exceeded")
    if right < 0:
        return int(left) >> min(-right, _MAX_BIGINT_BITS + 1)
    return int(left) << int(right) if left else 0


def _no_unsigned_shift(left: int, right: int) -> int:
    throw_type_error("BigInts have no unsigned right shift, use >> instead")


def _arithmetic_operator(numbers: Operator, bigints: Operator) -> Operator:
    return lambda left, right: _arithmetic(left, right, numbers, bigints)


def _subtract_values(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int:
        difference = left - right
        return difference if -MAX_SAFE <= difference <= MAX_SAFE else float(difference)
    return _arithmetic(left, right, _subtract, BigInt.__sub__)


def negate(value: Any) -> Any:
    """The operator - with one side."""
    value = to_numeric(value)
    if isinstance(value, BigInt):
        return BigInt(-int(value))
    return -value if value else -0.0 if math.copysign(1, value) > 0 else 0


def complement(value: Any) -> Any:
    """The operator ~."""
    value = to_numeric(value)
    return BigInt(~int(value)) if isinstance(value, BigInt) else ~to_int32(value)


def step(value: Any, by: int) -> Any:
    """A numeric value, one up or down."""
    if isinstance(value, BigInt):
        return BigInt(int(value) + by)
    return number_of(value + by)


# --- Comparisons -----------------------------------------------------------------------------------------------------


def loose_equals(left: Any, right: Any) -> bool:
    """The operator ==. Spec: 7.2.14."""
    is_nothing = left is None or left is UNDEFINED
    if is_nothing or right is None or right is UNDEFINED:
        return is_nothing and (right is None or right is UNDEFINED)
    if is_object(left) != is_object(right):
        return loose_equals(to_primitive(left), to_primitive(right))
    if is_object(left) or isinstance(left, Symbol) or isinstance(right, Symbol):
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    left, right = _comparable(left, right), _comparable(right, left)
    return left is not None and right is not None and bool(left == right)


def _comparable(value: Any, other: Any) -> int | float | None:
    """As something that Python compares with what the other value becomes; None for what is no number."""
    if isinstance(value, str):
        number = string_to_number(value)
        if not isinstance(other, BigInt) or isinstance(number, int):
            return number
        try:
            return int(value, 0) if value.strip().isascii() and "_" not in value else None
        except ValueError:
            return None
    return int(value) if isinstance(value, BigInt) else to_number(value)


def _less(left: Any, right: Any, compare: Callable[[Any, Any], bool]) -> bool:
    left = to_primitive(left, "number")
    right = to_primitive(right, "number")
    if isinstance(left, str) and isinstance(right, str):
        if not (left.isascii() and right.isascii()):
            left, right = (text.encode("utf-16-be", "surrogatepass") for text in (left, right))
        return compare(left, right)
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        throw_type_error("Cannot convert a Symbol value to a number")
    left, right = _comparable(left, right), _comparable(right, left)
    return left is not None and right is not None and compare(left, right)


def _less_operator(compare: Callable[[Any, Any], bool]) -> Operator:
    def run(left: Any, right: Any) -> bool:
        if type(left) is int and type(right) is int:
            return compare(left, right)
        return _less(left, right, compare)

    return run


def has_property(key: Any, target: Any) -> bool:
    """The operator in."""
    if not is_object(target):
        text = to_string(key) if not is_object(key) and not isinstance(key, Symbol) else type_of(key)
        throw_type_error(f"Cannot use 'in' operator to search for '{text}' in {_shown(target)}")
    return bool(target.has(to_key(key)))


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, Symbol) else to_string(value)


OPERATORS: Final[dict[str, Operator]] = {
    "+": add,
    "-": _subtract_values,
    "*": _arithmetic_operator(_multiply, BigInt.__mul__),
    "/": _arithmetic_operator(_divide, _divide_bigints),
    "%": _arithmetic_operator(_remainder, _remainder_bigints),
    "**": _arithmetic_operator(power, _power_bigints),
    "&": _arithmetic_operator(lambda a, b: to_int32(a) & to_int32(b), BigInt.__and__),
    "|": _arithmetic_operator(lambda a, b: to_int32(a) | to_int32(b), BigInt.__or__),
    "^": _arithmetic_operator(lambda a, b: to_int32(a) ^ to_int32(b), BigInt.__xor__),
    "<<": _arithmetic_operator(lambda a, b: to_int32(to_int32(a) << (to_uint32(b) & 31)), _shift_bigint),
    ">>": _arithmetic_operator(lambda a, b: to_int32(a) >> (to_uint32(b) & 31), lambda a, b: _shift_bigint(a, -b)),
    ">>>": _arithmetic_operator(lambda a, b: to_uint32(a) >> (to_uint32(b) & 31), _no_unsigned_shift),
    "===": strict_equals,
    "!==": lambda a, b: not strict_equals(a, b),
    "==": loose_equals,
    "!=": lambda a, b: not loose_equals(a, b),
    "<": _less_operator(lambda a, b: a < b),
    ">": _less_operator(lambda a, b: a > b),
    "<=": _less_operator(lambda a, b: a <= b),
    ">=": _less_operator(lambda a, b: a >= b),
    "in": has_property,
    "instanceof": instance_of,
}
COMPARISONS: Final = frozenset(["===", "!==", "==", "!=", "<", ">", "<=", ">=", "in", "instanceof"])
"""Those whose results are booleans."""

UNARY: Final[dict[str, Callable[[Any], Any]]] = {
    "-": negate,
    "+": lambda value: value if type(value) in {int, float} else _to_plain_number(value),
    "!": lambda value: not to_boolean(value),
    "~": complement,
    "typeof": type_of,
    "void": lambda value: UNDEFINED,
}


def _to_plain_number(value: Any) -> int | float:
    value = to_primitive(value, "number")
    if isinstance(value, (BigInt, Symbol)):
        kind = "BigInt" if isinstance(value, BigInt) else "Symbol"
        throw_type_error(f"Cannot convert a {kind} value to a number")
    return to_number(value)
