"""Do the imports fit? (spec 3.6, "Matching"; 4.5.2, "External typing")"""

from __future__ import annotations

from typing import Any, NamedTuple

from wazero_api import (
    ExternKind,
    FunctionType,
    GlobalType,
    Import,
    Limits,
    LinkError,
    Memory,
    Module,
    Table,
)


class External(NamedTuple):
    """What an export gives to an import: the engine's object, which knows its own type."""

    kind: ExternKind
    value: Any


def check_import(module: Module, wanted: Import, found: External | None) -> Any:
    """The object for an import.

    Raises LinkError if there is none, or it is of another kind or type.
    """
    where = f"{wanted.module}.{wanted.name}"
    if found is None:
        raise LinkError(f"unknown import: {where} is not exported")
    if found.kind is not wanted.kind:
        raise LinkError(f"incompatible import type: {where} is a {found.kind.label}, not a {wanted.kind.label}")
    expected = module.types[wanted.type_index] if wanted.kind is ExternKind.FUNCTION else wanted.type
    if not _matches(found.value, expected):
        raise LinkError(f"incompatible import type: {where} is {_describe(found.value)}, not {_text(expected)}")
    return found.value


def _matches(value: Any, expected: Any) -> bool:
    actual = value.type
    if isinstance(expected, (FunctionType, GlobalType)):
        return bool(actual == expected)
    if actual.is_64 != expected.is_64 or not _limits_match(_size(value), actual.limits, expected.limits):
        return False
    if hasattr(expected, "element"):
        return bool(actual.element == expected.element)
    return bool(actual.is_shared == expected.is_shared)


def _size(value: Memory | Table) -> int:
    return value.pages if hasattr(value, "pages") else len(value)


def _limits_match(size: int, actual: Limits, expected: Limits) -> bool:
    """The present size counts, not the declared minimum: what has grown fits where more is asked for."""
    if size < expected.minimum:
        return False
    return expected.maximum is None or (actual.maximum is not None and actual.maximum <= expected.maximum)


def _text(type: Any) -> str:
    if isinstance(type, FunctionType):
        return str(type)
    if isinstance(type, GlobalType):
        return f"a {'mutable' if type.is_mutable else 'constant'} {type.value.name}"
    maximum = "no maximum" if type.limits.maximum is None else f"at most {type.limits.maximum}"
    element = f" of {type.element.name}" if hasattr(type, "element") else ""
    return f"one{element} of at least {type.limits.minimum} and {maximum}"


def _describe(value: Any) -> str:
    text = _text(value.type)
    return text if isinstance(value.type, (FunctionType, GlobalType)) else f"{text}, now {_size(value)}"
