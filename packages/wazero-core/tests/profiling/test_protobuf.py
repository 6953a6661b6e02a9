"""Messages as bytes, by the examples of the format's own description and by a reader that knows no fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wazero_core.profiling.protobuf import Field, encode, varint

MESSAGES = {
    "Outer": {
        "number": Field(1, "int"),
        "text": Field(2, "string"),
        "inner": Field(3, "Inner"),
        "numbers": Field(4, "int", is_repeated=True),
        "texts": Field(5, "string", is_repeated=True),
        "inners": Field(6, "Inner", is_repeated=True),
        "far": Field(1000, "int"),
    },
    "Inner": {"a": Field(1, "int")},
}


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (150, "9601"),
        (-1, "ff" * 9 + "01"),
        (2**64 - 1, "ff" * 9 + "01"),
    ],
)
def test_varints(value: int, encoded: str) -> None:
    assert varint(value).hex() == encoded


@pytest.mark.parametrize(
    ("values", "encoded"),
    [
        ({}, ""),
        ({"number": 150}, "089601"),  # of the format's description, as the next three
        ({"text": "testing"}, "120774657374696e67"),
        ({"inner": {"a": 150}}, "1a03089601"),
        ({"numbers": [3, 270, 86942]}, "2206038e029ea705"),
        ({"number": 0, "text": "", "numbers": [], "texts": [], "inners": []}, ""),
        ({"inner": {}}, "1a00"),
        ({"texts": ["", "a"]}, "2a002a0161"),
        ({"inners": [{"a": 1}, {}]}, "320208013200"),
        ({"far": 1}, "c03e01"),
    ],
)
def test_messages(values: dict[str, Any], encoded: str) -> None:
    assert encode(MESSAGES, "Outer", values).hex() == encoded


def test_a_name_that_is_no_field() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        encode(MESSAGES, "Outer", {"nonsense": 1})


def test_what_is_written_can_be_read(read_message: Callable[[bytes], dict[int, list[Any]]]) -> None:
    text = "ü" * 200
    data = encode(MESSAGES, "Outer", {"number": 2**63 - 1, "text": text, "inners": [{"a": 7}] * 300})
    read = read_message(data)
    assert (read[1], read[2]) == ([2**63 - 1], [text.encode()])
    assert [read_message(item) for item in read[6]] == [{1: [7]}] * 300
