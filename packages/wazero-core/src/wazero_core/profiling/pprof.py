"""Profiles in the form that `pprof` defined and that most viewers read: samples, each a stack and some numbers.

Spec: https://github.com/google/pprof/blob/main/proto/profile.proto
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, final

from wazero_api import Frame

from .protobuf import Field, encode

# fmt: off
_MESSAGES: Final = {
    "Profile": {
        "sample_type":         Field(1,  "ValueType", is_repeated=True),
        "sample":              Field(2,  "Sample",    is_repeated=True),
        "mapping":             Field(3,  "Mapping",   is_repeated=True),
        "location":            Field(4,  "Location",  is_repeated=True),
        "function":            Field(5,  "Function",  is_repeated=True),
        "string_table":        Field(6,  "string",    is_repeated=True),
        "time_nanos":          Field(9,  "int"),
        "duration_nanos":      Field(10, "int"),
        "period_type":         Field(11, "ValueType"),
        "period":              Field(12, "int"),
        "default_sample_type": Field(14, "int"),
    },
    "ValueType": {
        "type":                Field(1,  "int"),
        "unit":                Field(2,  "int"),
    },
    "Sample": {
        "location_id":         Field(1,  "int",       is_repeated=True),
        "value":               Field(2,  "int",       is_repeated=True),
    },
    "Mapping": {
        "id":                  Field(1,  "int"),
        "memory_limit":        Field(3,  "int"),
        "filename":            Field(5,  "int"),
        "has_functions":       Field(7,  "int"),
    },
    "Location": {
        "id":                  Field(1,  "int"),
        "mapping_id":          Field(2,  "int"),
        "address":             Field(3,  "int"),
        "line":                Field(4,  "Line",      is_repeated=True),
    },
    "Line": {
        "function_id":         Field(1,  "int"),
    },
    "Function": {
        "id":                  Field(1,  "int"),
        "name":                Field(2,  "int"),
        "system_name":         Field(3,  "int"),
        "filename":            Field(4,  "int"),
    },
}
# fmt: on
"""The fields that are written; numbers and names are the format's. Texts are positions in the table of strings."""

_MAX_STACKS: Final = 50_000
"""Different stacks that are told apart; what comes later counts for `_OTHERS`. Guests could make any number of them."""


class ValueType(NamedTuple):
    """What the numbers of samples mean: ("wall", "nanoseconds")."""

    type: str
    unit: str


def note(text: str) -> Frame:
    """A frame for what is no wasm function: a function of the host, or a remark in parentheses."""
    return Frame("", text, 0, None)


_OTHERS: Final = (note("(other stacks)"),)


@final
class Profile:
    """Sums of numbers by stack. Not safe to use from several threads at once."""

    def __init__(self, *value_types: ValueType) -> None:
        self._value_types = value_types
        self._sums: dict[tuple[Frame, ...], list[int]] = {}

    @property
    def sums(self) -> dict[tuple[Frame, ...], list[int]]:
        """What was added up, by stack."""
        return self._sums

    def add(self, stack: tuple[Frame, ...], values: Sequence[int]) -> None:
        """Count a sample: its frames, innermost first, and a number for each of the value types."""
        if stack not in self._sums and len(self._sums) >= _MAX_STACKS:
            stack = _OTHERS
        sums = self._sums.setdefault(stack, [0] * len(self._value_types))
        for position, value in enumerate(values):
            sums[position] += value

    def encode(self, wasm_path: str, *, begin: int, duration: int, period: int = 0) -> bytes:
        """The profile of the program at `wasm_path`, as a file: a message, compressed.

        `begin` is nanoseconds since the epoch. `duration`, and `period`, what lies between two samples or 0 if there is
        no such thing, are nanoseconds.
        """
        return gzip.compress(encode(_MESSAGES, "Profile", self._message(wasm_path, begin, duration, period)))

    def _message(self, wasm_path: str, begin: int, duration: int, period: int) -> dict[str, Any]:
        tables = _Tables(wasm_path)
        samples = [{"location_id": tables.locations(stack), "value": sums} for stack, sums in self._sums.items()]
        types = [{"type": tables.string(item.type), "unit": tables.string(item.unit)} for item in self._value_types]
        message = {
            "sample_type": types,
            "sample": samples,
            "mapping": tables.mapping,
            "location": tables.location,
            "function": tables.function,
            "time_nanos": begin,
            "duration_nanos": duration,
            "default_sample_type": types[-1]["type"],
        }
        if period:
            message |= {"period_type": types[-1], "period": period}
        return message | {"string_table": list(tables.strings)}


@final
class _Tables:
    """Messages that others refer to by number."""

    def __init__(self, wasm_path: str) -> None:
        self.strings = {"": 0}
        self.location: list[dict[str, Any]] = []
        self.function: list[dict[str, Any]] = []
        self._locations: dict[Frame, int] = {}
        self._functions: dict[tuple[str, str, int], int] = {}
        name = self.string(os.path.split(wasm_path)[1])
        # The whole space of addresses, which are offsets in the file; without functions viewers would look for symbols.
        self.mapping = [{"id": 1, "memory_limit": (1 << 63) - 1, "filename": name, "has_functions": 1}]

    def string(self, text: str) -> int:
        # Names come from the module, and Python may have read paths that are no UTF-8.
        return self.strings.setdefault(text.encode(errors="replace").decode(), len(self.strings))

    def locations(self, stack: tuple[Frame, ...]) -> list[int]:
        return [self._locations.get(frame) or self._add_location(frame) for frame in stack]

    def _add_location(self, frame: Frame) -> int:
        number = self._locations[frame] = len(self._locations) + 1
        line = {"function_id": self._function(frame)}
        self.location.append({"id": number, "mapping_id": 1, "address": frame.code_offset or 0, "line": [line]})
        return number

    def _function(self, frame: Frame) -> int:
        key = frame.module_name, frame.function_name, frame.function_index
        number = self._functions.get(key)
        if number is None:
            number = self._functions[key] = len(self._functions) + 1
            name = self.string(
                f"{frame.module_name}.{frame.function_name}" if frame.module_name else frame.function_name
            )
            file = self.string(frame.module_name)
            self.function.append({"id": number, "name": name, "system_name": name, "filename": file})
        return number
