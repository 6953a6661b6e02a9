"""One function of a program, called with arguments from the command line: ``wazero run -invoke``."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, final

from wazero_api import ValueType
from wazero_core import CompiledModule, Module

from .errors import CommandError, printable

_INTEGER: Final = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]{1,32}|[0-9]{1,40})", re.ASCII)
"""With more digits than any type has, but not with so many that reading them takes long."""
_DECIMAL: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE | re.ASCII
)
_HEXADECIMAL: Final = re.compile(
    r"[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?", re.IGNORECASE | re.ASCII
)
_VECTOR: Final = re.compile(r"0[xX][0-9a-fA-F]{32}", re.ASCII)


@final
class Invocation:
    """Of the function exported as `name`, with arguments that are still text. Raises CommandError if it cannot be."""

    def __init__(self, compiled: CompiledModule, name: str, texts: Sequence[str]) -> None:
        self.name = name
        self._arguments = _read_arguments(compiled, name, texts)

    def call(self, module: Module, timeout: float | None) -> list[str]:
        """Call it; the results as text. Raises what calls raise."""
        function = module.exported_function(self.name)
        assert function is not None, "the compiled module has it"
        result = function.call(*self._arguments, timeout=timeout)
        types = function.type.results
        values = result if len(types) > 1 else (result,) if types else ()
        return [value_text(value, type) for value, type in zip(values, types, strict=True)]


# Arguments


def _read_arguments(compiled: CompiledModule, name: str, texts: Sequence[str]) -> list[Any]:
    functions = compiled.exported_functions
    definition = functions.get(name)
    if definition is None:
        known = ", ".join(functions) or "none"
        raise CommandError(f'error: there is no exported function "{name}" to invoke; the exported functions: {known}')
    type = definition.type
    if len(texts) != len(type.params):
        raise CommandError(f"error: {name} {type} takes {_count(len(type.params))}, not {len(texts)}")
    arguments = []
    for number, (text, param) in enumerate(zip(texts, type.params, strict=True), 1):
        try:
            arguments.append(read_value(text, param))
        except ValueError as error:
            raise CommandError(f'error: {name} {type} cannot take "{text}" as argument {number}: {error}') from None
    return arguments


def _count(number: int) -> str:
    return f"{number or 'no'} argument{'' if number == 1 else 's'}"


def read_value(text: str, type: ValueType) -> Any:
    """As functions take it. Raises ValueError, with a text that says how such a value is written."""
    if type.is_ref:
        if text != "null":
            raise ValueError(f"the only {type.name} that can be written is null")
        return None
    return _READERS[type](text)


def _integer(bits: int) -> Callable[[str], int]:
    low, high = -1 << bits - 1, (1 << bits) - 1

    def read(text: str) -> int:
        if _INTEGER.fullmatch(text):
            value = int(text, 16 if "x" in text.lower() else 10)
            if low <= value <= high:
                return value
        raise ValueError(f"an i{bits} is a number from {low} to {high}, decimal or hexadecimal like 0x1f")

    return read


def _float(name: str, code: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = _number(text)
            struct.pack(code, value)
        except (ValueError, OverflowError):
            raise ValueError(f"an {name} is a number like 1, -2.5e3, 0x1.8p1, inf or nan, and not too large") from None
        return value

    return read


def _number(text: str) -> float:
    """Raises ValueError, or OverflowError for what is too large."""
    if _HEXADECIMAL.fullmatch(text):
        return float.fromhex(text)
    if not _DECIMAL.fullmatch(text):
        raise ValueError
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise OverflowError
    return value


def _vector(text: str) -> bytes:
    if not _VECTOR.fullmatch(text):
        raise ValueError("a v128 is 0x and 32 hexadecimal digits, the highest lane first")
    return int(text, 16).to_bytes(16, "little")


_READERS: Final[dict[ValueType, Callable[[str], Any]]] = {
    ValueType.I32: _integer(32),
    ValueType.I64: _integer(64),
    ValueType.F32: _float("f32", "<f"),
    ValueType.F64: _float("f64", "<d"),
    ValueType.V128: _vector,
}


# Results


def value_text(value: Any, type: ValueType) -> str:
    """As `read_value` reads it, references apart."""
    if type == ValueType.V128:
        return f"{int.from_bytes(value, 'little'):#034x}"
    return "null" if value is None else printable(repr(value))
