"""Text counted in UTF-16 units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wazero_gojs.model import utf16
from wazero_gojs.model.values import JSError

FACE = "\U0001f600"
TEXTS = ("", "abc", "äöü€", f"a{FACE}b{FACE}", "\ud83d", f"\ude00{FACE}\ud83d", "\uffff\ue000")


def units_of(text: str) -> list[int]:
    data = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_lengths_units_and_parts(text: str) -> None:
    units = units_of(text)
    assert utf16.length(text) == len(units)
    assert [utf16.unit_at(text, i) for i in range(-1, len(units) + 1)] == [-1, *units, -1]
    assert utf16.from_units(units) == text
    assert utf16.decode(utf16.encode(text)) == text
    for start in range(len(units) + 1):
        for end in range(len(units) + 2):
            assert utf16.cut(text, start, end) == utf16.from_units(units[start:end])


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_finding_finds_units(text: str) -> None:
    units = units_of(text)
    for start in range(len(units) + 1):
        for part in ([], units[:1], units[-1:], units[1:3], [0x41]):
            places = [i for i in range(len(units) - len(part) + 1) if units[i : i + len(part)] == part]
            wanted = utf16.from_units(part)
            assert utf16.find(text, wanted, start) == next((i for i in places if i >= start), -1)
            assert utf16.find_last(text, wanted, start) == max((i for i in places if i <= start), default=-1)


@given(st.text("ab"), st.integers(0, 9), st.integers(0, 200), st.sampled_from(["", FACE]))
def test_long_parts_are_found_from_behind(noise: str, start: int, cut: int, first: str) -> None:
    text = first + ("ab" * 40 + noise) * 3
    part = text[cut : cut + 70 + len(noise)]
    before = len(text) - 9 + start
    assert utf16.rfind(text, part, start, before) == text.rfind(part, start, before)
    units, wanted = utf16.length(text), utf16.length(part)
    places = [i for i in range(units - wanted + 1) if utf16.cut(text, i, i + wanted) == part]
    assert utf16.find_last(text, part, units - start) == max((i for i in places if i <= units - start), default=-1)


@pytest.mark.parametrize("first", ["", FACE])
def test_finding_from_behind_takes_linear_time(first: str) -> None:
    """`str.rfind` would take half an hour."""
    half = "a" * 2_000_000
    text = first + half * 5
    assert utf16.find_last(text, f"{half}b{half}", len(text)) == -1
    assert utf16.rfind(text, f"{half}b{half}", 0, len(text)) == -1


def test_surrogates_that_meet_become_a_character() -> None:
    assert utf16.concat("a\ud83d", "\ude00b") == f"a{FACE}b"
    assert utf16.concat_all(["\ud83d", "\ude00", "x"]) == f"{FACE}x"
    assert utf16.concat_all(["\ud83d", "\ude00"], "-") == "\ud83d-\ude00"
    assert utf16.code_point_at(FACE, 0) == 0x1F600
    assert utf16.code_point_at(FACE, 1) == 0xDE00
    assert utf16.well_formed(f"\ud83d{FACE}") == f"\ufffd{FACE}"
    assert not utf16.is_well_formed("\ud83d")
    assert utf16.is_well_formed(FACE)


def test_too_long_text_is_a_range_error() -> None:
    half = "x" * (1 << 20)
    with pytest.raises(JSError, match="Invalid string length"):
        utf16.concat_all([half] * 600)
    with pytest.raises(JSError, match="Invalid string length"):
        utf16.concat_all([""] * 1000, half)
