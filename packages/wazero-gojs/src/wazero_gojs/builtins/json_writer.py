"""From values to JSON text. What is being written is on a stack, so that depth costs no recursion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, final

from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import JSObject, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.utf16 import MAX_LENGTH
from wazero_gojs.model.values import (
    UNDEFINED,
    BigInt,
    Symbol,
    is_object,
    number_to_string,
    throw_range_error,
    throw_type_error,
    to_integer,
    to_length,
    to_number,
    to_string,
)

from .wrappers import JSWrapper

MAX_DEPTH: Final = 10_000
_MAX_PARTS: Final = 1 << 16
_MAX_INDENT: Final = 10

_TO_ESCAPE: Final = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(realm: Realm, value: Any, replacer: Any, space: Any) -> Any:
    """What JSON.stringify returns: text, or UNDEFINED. Throws a TypeError."""
    return _Writer(realm, replacer, space).write(value)


def quote(text: str) -> str:
    """A string of JSON. Spec: 25.5.2.3."""
    if _TO_ESCAPE.search(text) is None:
        return f'"{text}"'
    return f'"{_TO_ESCAPE.sub(_escaped, text)}"'


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"


@final
class _Open:
    """An array or object that is being written."""

    __slots__ = ("indent", "is_array", "is_empty", "key", "keys", "value")

    def __init__(self, value: JSObject, keys: Iterator[str], indent: str, is_array: bool) -> None:
        self.value = value
        self.keys = keys
        self.key = ""
        """Of what is being written inside of it."""
        self.indent = indent
        """What lines inside of it start with."""
        self.is_array = is_array
        self.is_empty = True


@final
class _Writer:
    """One call of JSON.stringify."""

    __slots__ = ("_chunks", "_gap", "_length", "_open", "_parts", "_replacer", "_selected", "_there")

    def __init__(self, realm: Realm, replacer: Any, space: Any) -> None:
        self._replacer = replacer if is_callable(replacer) else None
        self._selected = _selected_keys(replacer) if isinstance(replacer, JSArray) else None
        self._gap = _gap(space)
        self._open: list[_Open] = []
        self._there: set[JSObject] = set()
        """What is open."""
        self._parts: list[str] = []
        self._chunks: list[str] = []
        self._length = 0
        # The replacer sees the value as the property "" of this.
        self._open.append(_Open(realm.new_object(), iter(()), "", is_array=False))

    def write(self, value: Any) -> Any:
        bottom = self._open[0]
        bottom.value.set_own("", value)
        text = self._text_of(self._prepared(bottom.value, "", value))
        if text is None:
            return UNDEFINED
        self._emit(text)
        while len(self._open) > 1:
            top = self._open[-1]
            key = next(top.keys, None)
            if key is None:
                self._close(top)
            else:
                self._write_property(top, key)
        return "".join((*self._chunks, *self._parts))

    def _write_property(self, top: _Open, key: str) -> None:
        top.key = key
        value = self._prepared(top.value, key, top.value.get(key))
        if not top.is_array and (value is UNDEFINED or isinstance(value, Symbol) or is_callable(value)):
            return
        lead = "" if top.is_empty else ","
        if self._gap:
            lead += f"\n{top.indent}"
        if not top.is_array:
            lead += f"{quote(key)}:{' ' if self._gap else ''}"
        top.is_empty = False
        self._emit(lead)
        self._emit(self._text_of(value) or "null")

    def _prepared(self, holder: JSObject, key: str, value: Any) -> Any:
        """The value after toJSON, the replacer, and out of objects that only wrap one. Spec: 25.5.2.2."""
        if is_object(value) or isinstance(value, BigInt):
            convert: Any = value.get("toJSON") if is_object(value) else UNDEFINED
            if is_callable(convert):
                value = convert.call(value, (key,))
        if self._replacer is not None:
            value = self._replacer.call(holder, (key, value))
        return _unwrapped(value)

    def _text_of(self, value: Any) -> str | None:
        """What to write for a value, of an object only its start; None if there is no JSON for it."""
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return quote(value)
        if isinstance(value, BigInt):
            throw_type_error("Do not know how to serialize a BigInt")
        if isinstance(value, (int, float)):
            return number_to_string(value) if abs(value) < float("inf") else "null"
        if value is UNDEFINED or isinstance(value, Symbol) or value.is_callable:
            return None
        return self._enter(value)

    def _enter(self, value: JSObject) -> str:
        if value in self._there:
            throw_type_error(self._circle(value))
        if len(self._open) > MAX_DEPTH:
            throw_range_error("Maximum call stack size exceeded")
        is_array = isinstance(value, JSArray)
        keys: Iterator[str]
        if is_array:
            keys = map(str, range(to_length(value.get("length"))))
        else:
            keys = iter(list(value.enumerable_keys()) if self._selected is None else self._selected)
        self._there.add(value)
        self._open.append(_Open(value, keys, self._open[-1].indent + self._gap, is_array))
        return "[" if is_array else "{"

    def _close(self, top: _Open) -> None:
        self._open.pop()
        self._there.discard(top.value)
        if self._gap and not top.is_empty:
            self._emit(f"\n{self._open[-1].indent}")
        self._emit("]" if top.is_array else "}")

    def _emit(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_LENGTH:
            throw_range_error("Invalid string length")
        self._parts.append(text)
        if len(self._parts) > _MAX_PARTS:
            self._chunks.append("".join(self._parts))
            self._parts.clear()

    def _circle(self, value: JSObject) -> str:
        """V8's message for an object inside of itself."""
        start = next(index for index, row in enumerate(self._open) if index and row.value is value)
        lines = ["Converting circular structure to JSON", f"    --> starting at object with {_maker(value)}"]
        rows = self._open[start:]
        steps = [f"    |     {_step(before)} -> object with {_maker(row.value)}" for before, row in pairwise(rows)]
        if len(steps) > 3:
            steps[2:-1] = ["    |     ..."]
        lines += [*steps, f"    --- {_step(rows[-1])} closes the circle"]
        return "\n".join(lines)


def _maker(value: JSObject) -> str:
    maker: Any = value.prototype.own("constructor") if value.prototype is not None else None
    name = maker.own("name") if is_callable(maker) else None
    return f"constructor '{name if isinstance(name, str) else 'Object'}'"


def _step(row: _Open) -> str:
    return f"index {row.key}" if row.is_array else f"property '{row.key}'"


def _unwrapped(value: Any) -> Any:
    if isinstance(value, JSWrapper):
        kind = value.class_name
        if kind == "Number":
            return to_number(value)
        if kind == "String":
            return to_string(value)
        if kind in ("Boolean", "BigInt"):
            return value.value
    return value


def _selected_keys(replacer: JSArray) -> list[str]:
    """The properties that an array as replacer lets through."""
    found: dict[str, None] = {}
    for item in replacer.values():
        plain = item.value if isinstance(item, JSWrapper) else item
        if isinstance(plain, (str, int, float)) and not isinstance(plain, (bool, BigInt)):
            found[to_string(item)] = None
    return list(found)


def _gap(space: Any) -> str:
    """What one level of indentation is."""
    space = _unwrapped(space)
    if isinstance(space, str):
        return space[:_MAX_INDENT]
    if isinstance(space, (int, float)) and not isinstance(space, (bool, BigInt)):
        return " " * int(min(max(to_integer(space), 0), _MAX_INDENT))
    return ""
