"""Evaluating constant expressions (spec 4.5.3), which validation has found to be such."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from wazero_api import Expression, WazeroBug
from wazero_core.binary.instructions import decode_instruction, tokenize

_F32: Final = struct.Struct("<f")
_F64: Final = struct.Struct("<d")


def _wrapped(value: int, bits: int) -> int:
    """`value` modulo 2**bits, as a signed int."""
    half = 1 << bits - 1
    return (value + half) % (1 << bits) - half


_OPERATORS: Final = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
}


def evaluate(expression: Expression, functions: Sequence[Any], globals_: Sequence[Any]) -> Any:
    """The typed value of `expression`, given the index spaces it may look into."""
    stack: list[Any] = []
    for token in tokenize(expression.code):
        opcode, immediates = decode_instruction(token)
        match opcode.name:
            case "i32.const" | "i64.const":
                stack.append(immediates[0])
            case "f32.const":
                stack.append(_F32.unpack(immediates[0])[0])
            case "f64.const":
                stack.append(_F64.unpack(immediates[0])[0])
            case "ref.null":
                stack.append(None)
            case "ref.func":
                stack.append(functions[immediates[0]])
            case "global.get":
                stack.append(globals_[immediates[0]].get())
            case "end":
                break
            case name:
                type, _, operation = name.partition(".")
                if operation not in _OPERATORS:
                    raise WazeroBug(f"{name} in a constant expression passed validation")
                second, first = stack.pop(), stack.pop()
                stack.append(_wrapped(_OPERATORS[operation](first, second), int(type[1:])))
    return stack.pop()
