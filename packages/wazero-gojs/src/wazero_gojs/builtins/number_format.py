"""Numbers as text, other than the shortest decimal. Spec: ECMA-262, 21.1.3.

All of it calculates with the exact value of the number, and of two equally near results takes the larger.
"""

from __future__ import annotations

import math
from typing import Final

from wazero_gojs.model.values import number_to_string

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def fixed(number: float, digits: int) -> str:
    """With so many digits after the point. The number is finite and below 1e21."""
    scaled = _rounded(abs(number), digits)
    sign = "-" if number < 0 else ""
    text = str(scaled).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else sign + text


def _rounded(number: float, digits: int) -> int:
    """A number that is not negative times 10 ** digits, as an integer."""
    numerator, denominator = number.as_integer_ratio()
    if digits >= 0:
        numerator *= 10**digits
    else:
        denominator *= 10**-digits
    return (2 * numerator + denominator) // (2 * denominator)


def exponential(number: float, digits: int | None) -> str:
    """With one digit before the point, so many after it (None: as many as are needed), and an exponent."""
    text, exponent = shortest(abs(number)) if digits is None else _significant(abs(number), digits + 1)
    return ("-" if number < 0 else "") + _with_exponent(text, exponent)


def shortest(number: float) -> tuple[str, int]:
    """The digits that it takes to tell a number from its neighbours, and the power of ten of the first.

    The number is finite and not negative.
    """
    mantissa, _, exponent = number_to_string(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    first = len(whole) - 1 + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return (digits.rstrip("0"), first) if digits else ("0", 0)


def plain(number: float) -> str:
    """The same digits with no exponent."""
    digits, first = shortest(abs(number))
    sign = "-" if number < 0 else ""
    if first < 0:
        return f"{sign}0.{'0' * (-first - 1)}{digits}"
    fraction = digits[first + 1 :]
    return f"{sign}{digits[: first + 1].ljust(first + 1, '0')}{'.' if fraction else ''}{fraction}"


def precise(number: float, precision: int) -> str:
    """With so many digits in all."""
    text, exponent = _significant(abs(number), precision)
    sign = "-" if number < 0 else ""
    if exponent < -6 or exponent >= precision:
        return sign + _with_exponent(text, exponent)
    if exponent == precision - 1:
        return sign + text
    if exponent >= 0:
        return f"{sign}{text[: exponent + 1]}.{text[exponent + 1 :]}"
    return f"{sign}0.{'0' * (-exponent - 1)}{text}"


def _significant(number: float, count: int) -> tuple[str, int]:
    """So many digits of a number that is not negative, and the power of ten of the first."""
    if not number:
        return "0" * count, 0
    exponent = int(f"{number:.16e}".partition("e")[2])
    for guess in (exponent, exponent + 1, exponent - 1):
        text = str(_rounded(number, count - 1 - guess))
        if len(text) == count:
            return text, guess
    # 9.99… became 10.00…
    return text[:count], exponent + 1


def _with_exponent(digits: str, exponent: int) -> str:
    point = "." if len(digits) > 1 else ""
    return f"{digits[0]}{point}{digits[1:]}e{'-' if exponent < 0 else '+'}{abs(exponent)}"


def in_radix(number: float, radix: int) -> str:
    """In another base, with as many digits after the point as it takes to tell the number from its neighbours.

    How V8 does it, for which the specification leaves room: its last digit depends on the order of these steps.
    """
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if isinstance(number, int) or number.is_integer():
        return _large_in_radix(int(number), radix)
    sign = "-" if number < 0 else ""
    number = abs(number)
    integer = math.floor(number)
    fraction = number - integer
    delta = max(0.5 * (math.nextafter(number, math.inf) - number), math.nextafter(0.0, math.inf))
    digits: list[int] = []
    if fraction >= delta:
        integer += _fraction_digits(fraction, delta, radix, digits)
    text = "".join(_DIGITS[digit] for digit in digits)
    return f"{sign}{_large_in_radix(integer, radix)}{'.' if text else ''}{text}"


def _fraction_digits(fraction: float, delta: float, radix: int, digits: list[int]) -> int:
    """Append the digits of a fraction; 1 if it was rounded up to the next integer."""
    while True:
        fraction *= radix
        delta *= radix
        digit = int(fraction)
        digits.append(digit)
        fraction -= digit
        if (fraction > 0.5 or (fraction == 0.5 and digit & 1)) and fraction + delta > 1:
            while digits:
                digit = digits.pop() + 1
                if digit < radix:
                    digits.append(digit)
                    return 0
            return 1
        if fraction < delta:
            return 0


def _large_in_radix(integer: int, radix: int) -> str:
    """An integer that a number is. Beyond 2^53, V8 calculates in doubles, and writes zeros for digits too far below."""
    if abs(integer) < 1 << 53:
        return integer_in_radix(integer, radix)
    value = abs(float(integer))
    digits: list[str] = []
    while value / radix >= 1 << 53:
        value /= radix
        digits.append("0")
    while value >= 1:
        remainder = math.fmod(value, radix)
        digits.append(_DIGITS[int(remainder)])
        value = (value - remainder) / radix
    return ("-" if integer < 0 else "") + "".join(reversed(digits))


def integer_in_radix(integer: int, radix: int) -> str:
    """An integer of any size, exactly; in less than quadratic time."""
    if integer < 0:
        return "-" + integer_in_radix(-integer, radix)
    if radix in (2, 8, 16):
        return format(integer, {2: "b", 8: "o", 16: "x"}[radix])
    return _halves(integer, radix, None) or "0"


def _halves(integer: int, radix: int, width: int | None) -> str:
    """The digits, filled up with zeros to a width if there is one."""
    if integer.bit_length() <= 256:
        digits = []
        while integer:
            integer, digit = divmod(integer, radix)
            digits.append(_DIGITS[digit])
        return "".join(reversed(digits)).rjust(width or 0, "0")
    half = int(integer.bit_length() / math.log2(radix)) // 2
    high, low = divmod(integer, radix**half)
    return _halves(high, radix, None if width is None else width - half) + _halves(low, radix, half)


def grouped(text: str, fraction_digits: tuple[int, int] = (0, 3)) -> str:
    """A decimal as people in the United States write it: 1,234,567.891. Fewest and most digits after the point.

    `text` is digits with or without a sign and a point.
    """
    least, most = fraction_digits
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.removeprefix("-").partition(".")
    if len(fraction) > most:
        rounded = (int(whole + fraction[:most]) + (fraction[most] >= "5")) if whole + fraction[:most] else 0
        digits = str(rounded).rjust(most + 1, "0")
        whole, fraction = (digits[:-most], digits[-most:]) if most else (digits, "")
    fraction = fraction.rstrip("0").ljust(least, "0")
    start = len(whole) % 3
    groups = [whole[:start]] * bool(start) + [whole[i : i + 3] for i in range(start, len(whole), 3)]
    return f"{sign}{','.join(groups)}{'.' if fraction else ''}{fraction}"
