"""A reader of profiles that is independent of their writer: fields by the numbers that profile.proto gives them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from wazero_api import Frame

Message = dict[int, list[Any]]


class ReadProfile(NamedTuple):
    """What a profile says."""

    value_types: list[tuple[str, str]]
    samples: list[tuple[list[str], list[int]]]
    """Function names, innermost first, and numbers."""
    addresses: list[list[int]]
    """Of each sample."""
    files: set[tuple[str, str]]
    """Names of functions and their files."""
    mapping: str
    begin: int
    duration: int
    period: int
    period_type: tuple[str, str] | None
    default_type: str


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


def _message(data: bytes) -> Message:
    fields: Message = {}
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        value: Any
        if key & 7 == 0:
            value, position = _varint(data, position)
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length, position = _varint(data, position)
            value = data[position : position + length]
            assert len(value) == length
            position += length
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _packed(values: list[bytes]) -> list[int]:
    found, data, position = [], b"".join(values), 0
    while position < len(data):
        value, position = _varint(data, position)
        found.append(value)
    return found


def _number(message: Message, field: int) -> int:
    values: list[int] = message.get(field, [0])
    assert len(values) == 1
    return values[0]


@pytest.fixture
def read_message() -> Callable[[bytes], Message]:
    """Fields by number: ints, and bytes for everything else."""
    return _message


@pytest.fixture
def read_profile() -> Callable[[bytes], ReadProfile]:
    """What `Profile.encode` gives, read back."""

    def read(data: bytes) -> ReadProfile:
        profile = _message(gzip.decompress(data))
        strings: list[str] = [text.decode() for text in profile[6]]
        assert strings[0] == ""
        functions = {_number(f, 1): f for f in map(_message, profile.get(5, []))}
        locations = {_number(place, 1): place for place in map(_message, profile.get(4, []))}
        mappings = {_number(m, 1): m for m in map(_message, profile[3])}

        def value_type(data: bytes) -> tuple[str, str]:
            message = _message(data)
            return strings[_number(message, 1)], strings[_number(message, 2)]

        def name(location: int) -> str:
            assert _number(locations[location], 2) in mappings
            (line,) = locations[location][4]
            return strings[_number(functions[_number(_message(line), 1)], 2)]

        samples = [_message(sample) for sample in profile.get(2, [])]
        stacks = [_packed(sample[1]) for sample in samples]
        return ReadProfile(
            [value_type(item) for item in profile[1]],
            [([name(i) for i in stack], _packed(sample[2])) for stack, sample in zip(stacks, samples, strict=True)],
            [[_number(locations[i], 3) for i in stack] for stack in stacks],
            {(strings[_number(f, 2)], strings[_number(f, 4)]) for f in functions.values()},
            strings[_number(mappings[1], 5)],
            _number(profile, 9),
            _number(profile, 10),
            _number(profile, 12),
            value_type(profile[11][0]) if 11 in profile else None,
            strings[_number(profile, 14)],
        )

    return read


@pytest.fixture
def frames() -> Callable[..., tuple[Frame, ...]]:
    """A stack from names, innermost first; offsets in the binary are 16, 32…, and indices 1, 2…"""

    def make(*names: str) -> tuple[Frame, ...]:
        return tuple([Frame("guest", name, number, 16 * number) for number, name in enumerate(names, 1)])

    return make
