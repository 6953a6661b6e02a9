"""Constant expressions: initialisers of globals, tables and segments (spec 3.4.13)."""

from __future__ import annotations

from functools import cache
from typing import Final

from wazero_api import (
    CoreFeatures,
    Expression,
    FunctionBody,
    FunctionType,
    InvalidModuleError,
    ValueType,
)
from wazero_core.binary.instructions import decode_instruction, tokenize

from .body import BodyChecker
from .context import ModuleContext

_ALWAYS_CONSTANT: Final = frozenset(
    ("i32.const", "i64.const", "f32.const", "f64.const", "ref.null", "ref.func", "global.get", "end")
)
_EXTENDED: Final = frozenset(("i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul"))


@cache
def _giving(type: ValueType) -> FunctionType:
    return FunctionType((), (type,))


def check_constant(
    checker: BodyChecker, context: ModuleContext, expression: Expression, type: ValueType, globals_before: int
) -> None:
    """Raise InvalidModuleError unless `expression` is constant and leaves one value of `type`.

    It may read the first `globals_before` globals, if they are immutable.
    """
    offset = expression.offset
    for token in tokenize(expression.code):
        opcode, immediates = decode_instruction(token, offset)
        if opcode.name in _EXTENDED:
            context.require(CoreFeatures.EXTENDED_CONST, f"constant {opcode.name}")
        elif opcode.name not in _ALWAYS_CONSTANT:
            raise InvalidModuleError(f"constant expression required, found {opcode.name}", offset)
        elif opcode.name == "global.get":
            _check_global(context, immediates[0], globals_before, offset)
        offset += len(token)
    checker.check(_giving(type), FunctionBody((), expression.code, expression.offset))


def _check_global(context: ModuleContext, index: int, globals_before: int, offset: int) -> None:
    if index >= globals_before:
        raise InvalidModuleError(f"unknown global {index}: only globals before can be read here", offset)
    if context.globals[index].is_mutable:
        raise InvalidModuleError(f"constant expression required: global {index} is mutable", offset)
