"""Values for people, as Node's util.inspect writes them. Calls no code of the guest, but for getters of Symbol.toStringTag
and methods under Symbol.for('nodejs.util.inspect.custom').
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, final

from wazero_gojs.builtins.collections import JSMap, JSSet
from wazero_gojs.builtins.data_view import JSDataView
from wazero_gojs.builtins.date import JSDate, iso_text
from wazero_gojs.builtins.regexp import JSRegExp
from wazero_gojs.builtins.wrappers import JSWrapper
from wazero_gojs.model.array import JSArray
from wazero_gojs.model.buffer import JSArrayBuffer, JSTypedArray
from wazero_gojs.model.object import ENUMERABLE, MISSING, Accessor, JSObject, is_callable
from wazero_gojs.model.promise import PENDING, REJECTED, JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    BigInt,
    JSError,
    Symbol,
    index_of,
    is_object,
    to_string,
    type_of,
)

from .inspect_layout import (
    COMPACT,
    enclose,
    in_columns,
    key_text,
    number_text,
    plural,
    quote,
    string_text,
)

MAX_ITEMS: Final = 100
"""Of arrays, sets and maps that are shown."""
MAX_OUTPUT: Final = 1 << 27
"""Characters after which nothing is shown of further objects but that they are there."""
_CUSTOM: Final = "nodejs.util.inspect.custom"


class _Shape(NamedTuple):
    """How an object is to be written."""

    rows: Iterator[str] | None
    """What is inside before the properties."""
    base: str
    """What stands before the braces."""
    start: str
    keys: list[str | Symbol]
    is_list: bool = False
    end: str = "}"
    empty: str | None = None
    """What to write if there is nothing inside; None for the braces."""


def inspect(realm: Realm, value: Any, depth: float = 2, shows_hidden: bool = False) -> str:
    """The value as text, of objects inside of objects as many levels as `depth` says."""
    return Inspector(realm, depth, shows_hidden).text(value, 0)


@final
class Inspector:
    """Writes one value."""

    def __init__(self, realm: Realm, depth: float, shows_hidden: bool) -> None:
        self._realm = realm
        self._depth = depth
        self._shows_hidden = shows_hidden
        self._open: list[JSObject] = []
        self._circles: dict[JSObject, int] = {}
        """Numbers of objects that are inside of themselves."""
        self._level = 0
        """Of the object that was written last."""
        self._indent = 0
        self._written = 0
        for name in ("Object", "Function"):  # made by that, the prototypes know their constructors
            realm.intrinsic(name)

    def text(self, value: Any, level: int, is_inside: bool = False) -> str:
        """The value at a level, 0 being the outermost."""
        if isinstance(value, str):
            return string_text(value, self._indent) if is_inside or len(value) > 1 else quote(value)
        if isinstance(value, BigInt):
            return f"{int(value)}n"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return number_text(value)
        if not is_object(value):
            return repr(value) if isinstance(value, Symbol) else to_string(value)
        while value.has_own_rules and isinstance(getattr(value, "target", None), JSObject):
            value = value.target  # of a proxy
        custom = self._custom(value, level)
        if custom is not None:
            return custom
        if value in self._open:
            number = self._circles.setdefault(value, len(self._circles) + 1)
            return f"[Circular *{number}]"
        return self._object(value, level)

    def _custom(self, value: JSObject, level: int) -> str | None:
        symbol = self._realm.symbols.get(_CUSTOM)
        function: Any = UNDEFINED if symbol is None else value.get(symbol)
        if not is_callable(function):
            return None
        said = function.call(value, (self._depth - level, self._realm.new_object()))
        if said is value:
            return None
        return said if isinstance(said, str) else self.text(said, level)

    # Objects

    def _object(self, value: JSObject, level: int) -> str:
        shape = self._shape(value)
        if shape.empty is not None and not shape.keys:
            return shape.empty
        if level > self._depth:
            name, tag = constructor_name(value), tag_of(value)
            shown = prefix(name, tag, "Array" if isinstance(value, JSArray) else "Object").rstrip()
            return f"[{shown}]" if name is not None or tag else "[Object: null prototype]"
        self._open.append(value)
        self._level = level
        try:
            rows, more = self._rows(value, shape, level)
        finally:
            self._open.pop()
        base = shape.base
        if value in self._circles:
            reference = f"<ref *{self._circles[value]}>"
            base = f"{reference} {base}" if base else reference
        found = self._layout(value, shape, rows, more, base, level)
        self._written += len(found)
        if self._written > MAX_OUTPUT:
            self._depth = -1
        return found

    def _rows(self, value: JSObject, shape: _Shape, level: int) -> tuple[list[str], str | None]:
        """What is inside, and the line that says what was left out of a list."""
        rows: list[str] = []
        more = None
        for row in shape.rows or ():
            if row.startswith("\0"):
                more = row[1:]
            else:
                rows.append(row)
        if shape.keys and more is not None:
            rows.append(more)
            more = None
        rows += [self._property(value, key, level, shape.is_list) for key in shape.keys]
        return rows, more

    def _layout(self, value: JSObject, shape: _Shape, rows: list[str], more: str | None, base: str, level: int) -> str:
        count = len(rows) + (more is not None)
        if shape.is_list and count > 6 and rows:
            rows = in_columns(rows, more, self._indent, self._has_only_numbers(value, rows))
        elif more is not None:
            rows = [*rows, more]
        may_join = self._level - level < COMPACT and count == len(rows)
        return enclose(rows, base, (shape.start, shape.end), self._indent, may_join)

    def _has_only_numbers(self, value: JSObject, rows: list[str]) -> bool:
        if isinstance(value, JSTypedArray):
            return len(rows) <= value.length
        items = value.items[: len(rows)] if isinstance(value, JSArray) else []
        return len(items) == len(rows) and all(
            isinstance(item, (int, float)) and not isinstance(item, bool) for item in items
        )

    def _inner(self, value: Any, indent: int = 2) -> str:
        """A value inside of the object that is open."""
        self._indent += indent
        found = self.text(value, len(self._open), is_inside=True)
        self._indent -= indent
        return found

    def _property(self, value: JSObject, key: str | Symbol, level: int, is_list: bool) -> str:
        found = value.own(key)
        if found is MISSING and key in ("cause", "errors"):
            found = value.get(key)
        if isinstance(found, Accessor):
            has = (found.getter is not UNDEFINED, found.setter is not UNDEFINED)
            shown = {(True, True): "[Getter/Setter]", (True, False): "[Getter]", (False, True): "[Setter]"}.get(has)
            shown = shown or "undefined"
        else:
            shown = self._inner(UNDEFINED if found is MISSING else found, 2)
        if isinstance(key, Symbol):
            name = f"[{key!r}]"
        elif not value.attributes_of(key) & ENUMERABLE:
            name = f"[{key}]"
        else:
            name = key_text(key)
        return f"{name}: {shown}"

    def _keys(self, value: JSObject, names_only: bool = False) -> list[str | Symbol]:
        """Own properties that are shown, without items of lists."""
        return [
            key
            for key in value.own_keys()
            if not (names_only and index_of(key) >= 0)
            and (value.attributes_of(key) & ENUMERABLE or (self._shows_hidden and not isinstance(key, Symbol)))
        ]

    # Kinds of objects

    def _shape(self, value: JSObject) -> _Shape:
        name, tag = constructor_name(value), tag_of(value)
        if isinstance(value, (JSArray, JSTypedArray)):
            return self._list_shape(value, name, tag)
        if isinstance(value, (JSSet, JSMap)):
            kind, size = value.class_name, len(value.map)
            lead = prefix(name, tag, kind, f"({size})")
            rows = self._map_rows(value) if isinstance(value, JSMap) else self._set_rows(value)
            return _Shape(rows, "", f"{lead}{{", self._keys(value), empty=None if size else f"{lead}{{}}")
        if is_callable(value):
            base = self._function_base(value, name, tag)
            return _Shape(None, base, "{", self._keys(value), empty=base)
        if value.class_name == "Error":
            return self._error_shape(value)
        found = self._special_shape(value, name, tag)
        if found is not None:
            return found
        return self._plain_shape(value, name, tag)

    def _plain_shape(self, value: JSObject, name: str | None, tag: str) -> _Shape:
        keys = self._keys(value)
        if value.class_name == "Arguments":
            return _Shape(None, "", "[Arguments] {", keys, empty="[Arguments] {}")
        lead = "" if name == "Object" and not tag else prefix(name, tag, "Object")
        return _Shape(None, "", f"{lead}{{", keys, empty=f"{lead}{{}}")

    def _list_shape(self, value: JSArray | JSTypedArray, name: str | None, tag: str) -> _Shape:
        is_array = isinstance(value, JSArray)
        size = len(value.items)
        kind = "Array" if is_array else value.class_name
        is_usual = is_array and name == "Array" and not tag
        lead = "" if is_usual else prefix(name, tag, kind, f"({size})")
        keys = self._keys(value, names_only=True) if value.properties else []
        rows = self._array_rows(value) if isinstance(value, JSArray) else self._number_rows(value)
        return _Shape(rows, "", f"{lead}[", keys, is_list=True, end="]", empty=None if size else f"{lead}[]")

    def _special_shape(self, value: JSObject, name: str | None, tag: str) -> _Shape | None:
        keys = self._keys(value)
        lead = prefix(name, tag, value.class_name)
        if isinstance(value, JSRegExp):
            return _Shape(None, value.describe(), "{", keys, empty=value.describe())
        if isinstance(value, JSDate):
            base = "Invalid Date" if value.time != value.time else iso_text(value.time)
            return _Shape(None, base, "{", keys, empty=base)
        if isinstance(value, JSWrapper):
            return self._wrapper_shape(value)
        rows: Iterator[str]
        if isinstance(value, JSPromise):
            rows = self._promise_rows(value)
        elif isinstance(value, JSArrayBuffer):
            rows = self._buffer_rows(value)
        elif isinstance(value, JSDataView):
            rows = self._view_rows(value)
        elif value.class_name in ("WeakMap", "WeakSet"):
            rows = iter(("<items unknown>",))
        else:
            return None
        return _Shape(rows, "", f"{lead}{{", keys)

    def _wrapper_shape(self, value: JSWrapper) -> _Shape:
        kind = type_of(value.value)
        kind = "BigInt" if kind == "bigint" else kind.title()
        base = f"[{kind}: {self.text(value.value, 0)}]"
        keys = self._keys(value, names_only=kind == "String")
        return _Shape(None, base, "{", keys, empty=base)

    def _error_shape(self, value: JSObject) -> _Shape:
        stack = value.get("stack")
        text = stack if isinstance(stack, str) and stack else _error_text(value)
        keys = [
            key
            for key in self._keys(value)
            if not (key in ("name", "message", "stack") and to_text(value.get(key)) in text)
        ]
        for key in ("cause", "errors"):
            if value.own(key) is not MISSING and key not in keys:
                keys.append(key)
        base = text if "\n    at" in text else f"[{text}]"
        if self._indent:
            base = base.replace("\n", f"\n{' ' * self._indent}")
        return _Shape(None, base, "{", keys, empty=base)

    def _function_base(self, value: Any, name: str | None, tag: str) -> str:
        own = value.own("name")
        own = own if isinstance(own, str) else ""
        source = getattr(value, "source_text", str)()
        if source.startswith("class") and not source.startswith("class_"):
            parent = value.prototype
            title = parent.own("name") if is_callable(parent) else ""
            extends = f" extends {title}" if isinstance(title, str) and title else ""
            return f"[class {own or '(anonymous)'}{extends}]"
        kind = name if name in ("AsyncFunction", "GeneratorFunction", "AsyncGeneratorFunction") else "Function"
        return f"[{kind}: {own}]" if own else f"[{kind} (anonymous)]"

    # What is inside

    def _array_rows(self, value: JSArray) -> Iterator[str]:
        at = shown = 0
        items = value.items
        while at < len(items) and shown < MAX_ITEMS:
            shown += 1
            if items[at] is MISSING:
                start = at
                while at < len(items) and items[at] is MISSING:
                    at += 1
                yield f"<{plural(at - start, 'empty item')}>"
                continue
            item = items[at]
            yield "[Getter]" if isinstance(item, Accessor) else self._inner(item)
            at += 1
        if at < len(items):
            yield f"\0... {plural(len(items) - at, 'more item')}"

    def _number_rows(self, value: JSTypedArray) -> Iterator[str]:
        for index in range(min(value.length, MAX_ITEMS)):
            yield self.text(value.element(index), 0)
        if value.length > MAX_ITEMS:
            yield f"\0... {plural(value.length - MAX_ITEMS, 'more item')}"

    def _set_rows(self, value: JSSet) -> Iterator[str]:
        for count, entry in enumerate(value.map.entries()):
            if count == MAX_ITEMS:
                yield f"... {plural(len(value.map) - MAX_ITEMS, 'more item')}"
                return
            yield self._inner(entry.key)

    def _map_rows(self, value: JSMap) -> Iterator[str]:
        for count, entry in enumerate(value.map.entries()):
            if count == MAX_ITEMS:
                yield f"... {plural(len(value.map) - MAX_ITEMS, 'more item')}"
                return
            yield f"{self._inner(entry.key)} => {self._inner(entry.value)}"

    def _promise_rows(self, value: JSPromise) -> Iterator[str]:
        if value.state is PENDING:
            yield "<pending>"
        else:
            yield f"{'<rejected> ' * (value.state is REJECTED)}{self._inner(value.value)}"

    def _buffer_rows(self, value: JSArrayBuffer) -> Iterator[str]:
        shown = bytes(memoryview(value.data)[:MAX_ITEMS]).hex(" ")
        rest = len(value.data) - MAX_ITEMS
        more = f" ... {plural(rest, 'more byte')}" if rest > 0 else ""
        yield f"[Uint8Contents]: <{shown}{more}>"
        yield f"byteLength: {len(value.data)}"

    def _view_rows(self, value: JSDataView) -> Iterator[str]:
        yield f"byteLength: {len(value.view)}"
        yield f"byteOffset: {value.offset}"
        yield f"buffer: {self._inner(value.buffer)}"


def to_text(value: Any) -> str:
    """A property of an error, which might be anything."""
    return value if isinstance(value, str) else "\0"


def _error_text(value: JSObject) -> str:
    name, message = value.get("name"), value.get("message")
    parts = [part for part in (name, message) if isinstance(part, str) and part]
    return ": ".join(parts) or "Error"


def constructor_name(value: JSObject) -> str | None:
    """The name of the class; None for an object of none."""
    holder: JSObject | None = value
    while holder is not None:
        maker = holder.own("constructor")
        name = maker.own("name") if is_callable(maker) else None
        if isinstance(name, str) and name and is_object(maker.own("prototype")):
            return name
        holder = holder.prototype
    return None


def tag_of(value: JSObject) -> str:
    """What it says to be by Symbol.toStringTag, if that is not what it is anyway."""
    try:
        tag = value.get(SYMBOL_TO_STRING_TAG)
    except JSError:
        return ""
    if not isinstance(tag, str) or tag == constructor_name(value):
        return ""
    # One that is shown among the properties anyway is not shown twice.
    is_shown = value.own(SYMBOL_TO_STRING_TAG) is not MISSING and value.attributes_of(SYMBOL_TO_STRING_TAG) & ENUMERABLE
    return "" if is_shown else tag


def prefix(name: str | None, tag: str, fallback: str, size: str = "") -> str:
    """What stands before the brace, a space after it."""
    shown_tag = f"[{tag}] " if tag and tag != (fallback if name is None else name) else ""
    if name is None:
        return f"[{fallback}{size}: null prototype] {shown_tag}"
    return f"{name}{size} {shown_tag}"
