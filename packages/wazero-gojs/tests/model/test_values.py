"""Conversions of values, where Python's own differ from JavaScript's."""

from __future__ import annotations

import math

import pytest

from wazero_gojs.model.values import (
    describe_unnamed,
    integer_to_string,
    number_of,
    string_to_integer,
    string_to_number,
)

NUMBERS = {
    "": 0, " \ufeff12\n": 12, "0x1f": 31, "0B11": 3, "0o17": 15, "-0x1": None, "0x": None, "1_0": None, "\u0661": None,
    "Infinity": math.inf, "-Infinity": -math.inf, "++Infinity": None, "infinity": None, "nan": None, "inf": None,
    "\x1c1": None, "1\x1f": None, "1e400": math.inf, ".5": 0.5, "5.": 5, ".": None, "1e": None, "0x" + "f" * 400: math.inf,
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS, ids=lambda text: ascii(text)[:20])
def test_text_as_a_number(text: str) -> None:
    expected = NUMBERS[text]
    found = string_to_number(text)
    assert math.isnan(found) if expected is None else found == expected


@pytest.mark.parametrize("digits", [1, 2465, 2466, 4299, 4300, 4301, 10_000])
def test_integers_of_any_size_as_text(digits: int) -> None:
    """Python's own conversions stop at 4,300 digits."""
    for integer in (10**digits - 1, 10**digits, 10 ** (digits - 1), -(10**digits) // 7):
        text = integer_to_string(integer)
        assert string_to_integer(text.lstrip("-")) == abs(integer)
        assert text.startswith("-") == (integer < 0)
        assert not text.lstrip("-").startswith("0")


def test_only_safe_integers_are_ints() -> None:
    assert type(number_of(2**53 - 1)) is int
    assert type(number_of(2**53)) is float
    assert number_of(10**400) == math.inf
    assert number_of(-(10**400)) == -math.inf
    assert str(number_of(-0.0)) == "-0.0"


def test_values_whose_source_is_not_known() -> None:
    assert [describe_unnamed(value) for value in (5, None, "x", True)] == [
        "number 5",
        "object null",
        'string "x"',
        "boolean true",
    ]
