"""Durations are read and printed as Go does."""

from __future__ import annotations

import pytest

from wazero_core.cli.duration import format_duration, parse_duration

MS = 1_000_000
S = 1_000_000_000
HOUR = 3600 * S


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("-0", 0),
        ("+0", 0),
        ("0s", 0),
        ("300ms", 300 * MS),
        ("1.5h", HOUR * 3 // 2),
        ("2h45m", 2 * HOUR + 2700 * S),
        ("1h2m3s4ms5us6ns", HOUR + 123 * S + 4_005_006),
        ("1µs", 1000),  # micro sign
        ("1\u03bcs", 1000),  # Greek letter mu
        (".5s", S // 2),
        ("5.s", 5 * S),
        ("-1.25m", -75 * S),
        ("+2s", 2 * S),
        ("0.000000001s", 1),
        ("9223372036854775807ns", 2**63 - 1),
    ],
)
def test_what_is_a_duration(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+",
        "3",
        "1.5",
        "s",
        ".s",
        "1 s",
        "1s ",
        "1d",
        "1S",
        "--1s",
        "1s-1s",
        "1e3s",
        "٣s",
        "1ms2",
        "1.2.3s",
        "1s\n",
        "9223372036854775808ns",
        "3000000h",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (300 * MS, "300ms"),
        (1500 * MS, "1.5s"),
        (60 * S, "1m0s"),
        (305 * S + MS, "5m5.001s"),
        (HOUR, "1h0m0s"),
        (2 * HOUR + 2700 * S, "2h45m0s"),
        (-S, "-1s"),
        (2**63 - 1, "2562047h47m16.854775807s"),
    ],
)
def test_how_durations_are_printed(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text
    assert parse_duration(text) == nanoseconds
