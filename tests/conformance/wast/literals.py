"""Numbers of the text format, as the bit patterns they denote.

Floats are rounded once, from the exact value to the format asked for: going through a Python float would round f32
twice.

Spec: text format, values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, final


class LiteralError(ValueError):
    """The text denotes no number of the type asked for."""


@final
@dataclass(frozen=True, slots=True)
class FloatFormat:
    """An IEEE 754 binary format, by the widths of its fields."""

    bits: int
    fraction_bits: int

    @property
    def bias(self) -> int:
        return (1 << (self.bits - self.fraction_bits - 2)) - 1

    @property
    def infinity(self) -> int:
        """The bits of positive infinity, which are also the mask of the exponent field."""
        return ((1 << (self.bits - self.fraction_bits - 1)) - 1) << self.fraction_bits

    @property
    def quiet_bit(self) -> int:
        return 1 << (self.fraction_bits - 1)

    @property
    def sign_bit(self) -> int:
        return 1 << (self.bits - 1)


FORMATS: Final = {"f32": FloatFormat(32, 23), "f64": FloatFormat(64, 52)}
_INTEGER: Final = re.compile(r"[+-]?(?:0x[0-9a-fA-F](?:_?[0-9a-fA-F])*|[0-9](?:_?[0-9])*)")
_DECIMAL: Final = re.compile(r"([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
_HEXADECIMAL: Final = re.compile(r"0x([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]+))?")


def integer_bits(text: str, width_bits: int) -> int:
    """The unsigned bits of a signed or unsigned integer literal.

    Raises:
        LiteralError: not an integer, or outside of both ranges of this width.
    """
    if not _INTEGER.fullmatch(text):
        raise LiteralError(f"not an integer: {text}")
    value = int(text.replace("_", ""), 16 if "x" in text else 10)
    if not -(1 << (width_bits - 1)) <= value < 1 << width_bits:
        raise LiteralError(f"out of range for {width_bits} bits: {text}")
    return value & ((1 << width_bits) - 1)


@lru_cache(maxsize=65536)
def float_bits(text: str, type: str) -> int:
    """The bits of a float literal of type "f32" or "f64": decimal, hexadecimal, `inf`, `nan` or `nan:0x...`.

    Raises:
        LiteralError: not a float, or too large for the format.
    """
    form = FORMATS[type]
    sign = form.sign_bit if text.startswith("-") else 0
    magnitude = text.lstrip("+-") if text[:1] in {"+", "-"} else text
    if magnitude == "inf":
        return sign | form.infinity
    if magnitude == "nan":
        return sign | form.infinity | form.quiet_bit
    if magnitude.startswith("nan:0x"):
        payload = integer_bits(magnitude[4:], form.fraction_bits)
        if payload == 0:
            raise LiteralError(f"a NaN needs a payload: {text}")
        return sign | form.infinity | payload
    return sign | _rounded(_exact(magnitude.replace("_", "")), form, text)


def _exact(text: str) -> Fraction:
    """The value of an unsigned decimal or hexadecimal literal."""
    if match := _HEXADECIMAL.fullmatch(text):
        whole, fraction, exponent = match[1], match[2] or "", int(match[3] or "0")
        return Fraction(int(whole + fraction, 16)) * Fraction(2) ** (exponent - 4 * len(fraction))
    if match := _DECIMAL.fullmatch(text):
        whole, fraction, exponent = match[1], match[2] or "", int(match[3] or "0")
        return Fraction(int(whole + fraction)) * Fraction(10) ** (exponent - len(fraction))
    raise LiteralError(f"not a float: {text}")


def _rounded(value: Fraction, form: FloatFormat, text: str) -> int:
    """The bits of the nearest float, ties to even; the sum carries from the fraction into the exponent by itself."""
    if value == 0:
        return 0
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if value < Fraction(2) ** exponent:
        exponent -= 1
    exponent = max(exponent, 1 - form.bias)
    # `round` of a Fraction is exact and goes to even.
    significand = round(value / Fraction(2) ** (exponent - form.fraction_bits))
    bits = ((exponent + form.bias - 1) << form.fraction_bits) + significand
    if bits >= form.infinity:
        raise LiteralError(f"too large for {form.bits} bits: {text}")
    return bits
