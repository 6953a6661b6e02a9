"""The text of a call of console.log: its first argument may say how to write the others. Spec: Node's util.format."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import NativeFunction, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import (
    BigInt,
    JSError,
    Symbol,
    ThrownByName,
    is_object,
    number_of,
    string_to_number,
    throw_range_error,
    to_number,
    to_string,
)

from .inspect import inspect
from .inspect_layout import number_text

_MARK: Final = re.compile("%([sdifjoOc%])")
_INTEGER: Final = re.compile(r"\s*[+-]?(?:0[xX][0-9a-fA-F]+|\d+)", re.ASCII)
_FLOAT: Final = re.compile(r"\s*[+-]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)


def format_all(realm: Realm, args: Any) -> str:
    """One line, or more. RangeError if that is too long."""
    try:
        return _format(realm, list(args))
    except RecursionError:
        throw_range_error("Maximum call stack size exceeded")


def _format(realm: Realm, rest: list[Any]) -> str:
    parts: list[str] = []
    if len(rest) > 1 and isinstance(rest[0], str) and "%" in rest[0]:
        parts.append(_filled(realm, rest.pop(0), rest))
    parts += [arg if isinstance(arg, str) else inspect(realm, arg) for arg in rest]
    return utf16.concat_all(parts, " ")


def _filled(realm: Realm, template: str, rest: list[Any]) -> str:
    """The template with its marks replaced by what they take from `rest`."""
    parts: list[str] = []
    done = 0
    for mark in _MARK.finditer(template):
        parts.append(template[done : mark.start()])
        done = mark.end()
        kind = mark[1]
        if kind == "%":
            parts.append("%")
        elif rest:
            parts.append(_write(realm, kind, rest.pop(0)))
        else:
            parts.append(mark[0])
    return utf16.concat_all([*parts, template[done:]])


def _write(realm: Realm, kind: str, value: Any) -> str:
    if kind == "c":
        return ""
    if kind == "s":
        return _as_string(realm, value)
    if kind == "j":
        return _as_json(realm, value)
    if kind in "oO":
        return inspect(realm, value, 4 if kind == "o" else 2, shows_hidden=kind == "o")
    if isinstance(value, BigInt) and kind in "di":
        return f"{int(value)}n"
    if isinstance(value, Symbol) or (is_object(value) and kind == "d" and not _converts(value)):
        return "NaN"
    return number_text(_number(kind, value))


def _number(kind: str, value: Any) -> int | float:
    if kind == "d":
        return to_number(value)
    text = to_string(value)
    found = (_INTEGER if kind == "i" else _FLOAT).match(text)
    if found is None:
        return math.nan
    number = string_to_number(found[0].strip().replace("+0x", "0x"))
    return number if kind == "f" else number_of(number)


def _converts(value: Any) -> bool:
    """Whether an object says what number it is."""
    return is_callable(value.get("valueOf"))


def _as_string(realm: Realm, value: Any) -> str:
    if isinstance(value, BigInt):
        return f"{int(value)}n"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number_text(value)
    if isinstance(value, Symbol):
        return repr(value)
    if is_object(value) and not _has_own_text(value):
        return inspect(realm, value, depth=0)
    return to_string(value)


def _has_own_text(value: Any) -> bool:
    """Whether a guest, not the language, has said how to write an object."""
    function = value.get("toString")
    return is_callable(value) or (is_callable(function) and not isinstance(function, NativeFunction))


def _as_json(realm: Realm, value: Any) -> str:
    try:
        found = realm.intrinsic("JSON").call_method("stringify", value)
    except JSError as error:
        if isinstance(error, ThrownByName) and error.message.startswith("Converting circular"):
            return "[Circular]"
        raise
    return found if isinstance(found, str) else "undefined"
