"""What code does to values of a guest: properties, calls, iteration. With V8's messages. Spec: ECMA-262, 7.3, 7.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from wazero_gojs.builtins.iteration import IteratorRecord, values_method
from wazero_gojs.builtins.operations import throw_not_assignable
from wazero_gojs.builtins.primitives import get_member, set_member
from wazero_gojs.builtins.wrappers import string_property, to_object
from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import ENUMERABLE, MISSING, Args, JSObject, NativeFunction, is_callable
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    UNDEFINED,
    Symbol,
    describe,
    is_object,
    throw_type_error,
    to_key,
    to_string,
    type_of,
)

from . import nodes

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

Key = str | Symbol | int


def key_of(value: Any) -> Key:
    """What names a property: an index stays an int, which is quicker."""
    return value if type(value) is int and value >= 0 else to_key(value)


def get(realm: Realm, base: Any, key: Any) -> Any:
    """base[key]. TypeError for undefined and null."""
    if isinstance(base, JSObject):
        return base.get_index(key) if type(key) is int and key >= 0 else base.get(to_key(key))
    if base is UNDEFINED or base is None:
        shown = "object" if is_object(key) else describe(key)
        throw_type_error(f"Cannot read properties of {describe(base)} (reading '{shown}')")
    return get_member(realm, base, key_of(key))


def put(realm: Realm, base: Any, key: Any, value: Any, is_strict: bool) -> None:
    """base[key] = value. Strict code gets a TypeError if that is not allowed."""
    if base is UNDEFINED or base is None:
        shown = "object" if is_object(key) else describe(key)
        throw_type_error(f"Cannot set properties of {describe(base)} (setting '{shown}')")
    name = key_of(key)
    if set_member(realm, base, name, value) or not is_strict:
        return
    if isinstance(base, JSObject):
        throw_not_assignable(base, str(name) if isinstance(name, int) else name)
    if isinstance(base, str) and string_property(base, to_key(name)) is not MISSING:
        throw_type_error(f"Cannot assign to read only property '{name}' of string '{base}'")
    throw_type_error(f"Cannot create property '{describe(name)}' on {type_of(base)} '{describe(base)}'")


def call(function: Any, this: Any, args: Args, node: Any) -> Any:
    """Call what may be no function; `node` is what it was read from."""
    if not is_callable(function):
        throw_type_error(f"{source_of(node)} is not a function")
    return function.call(this, args)


def construct(function: Any, args: Args, node: Any) -> Any:
    """The operator new, for what may be no constructor."""
    if not is_callable(function) or not function.is_constructor:
        throw_type_error(f"{source_of(node)} is not a constructor")
    return function.construct(args)


NESTED: Final = nodes.Name("%nested")
"""In place of an expression: the value is a part of another."""


def source_of(node: Any) -> str:
    """An expression as V8 shows it in messages."""
    if isinstance(node, nodes.Name):
        return "(intermediate value)" if node.name.startswith("%") else node.name
    if isinstance(node, nodes.Literal):
        return f'"{node.value}"' if isinstance(node.value, str) else to_string(node.value)
    if isinstance(node, nodes.Member):
        base = "(intermediate value)" if isinstance(node.base, nodes.Super) else source_of(node.base)
        if isinstance(node.key, nodes.Literal) and isinstance(node.key.value, str):
            return f"{base}{'?.' if node.is_optional else '.'}{node.key.value}"
        shown = source_of(node.key)
        return f"{base}[{shown}]" if not node.is_optional else f"{base}?.[{shown}]"
    if isinstance(node, nodes.Call):
        callee = "super" if isinstance(node.callee, nodes.Super) else source_of(node.callee)
        return f"{callee}(...)"
    if isinstance(node, nodes.Array):
        return f"[{','.join('' if item is None else source_of(item) for item in node.items)}]"
    if isinstance(node, nodes.Object):
        return f"{{{'(intermediate value)' * len(node.properties)}}}"
    if isinstance(node, nodes.Chain):
        return source_of(node.expression)
    return "(intermediate value)"


# --- Iteration -------------------------------------------------------------------------------------------------------


@final
class _ArrayItems:
    """An `IteratorRecord` for arrays that iterate as they were made to."""

    __slots__ = ("array", "index", "is_done")

    def __init__(self, array: JSArray) -> None:
        self.array = array
        self.index = 0
        self.is_done = False

    def step(self) -> Any:
        """See `IteratorRecord.step`."""
        index = self.index
        if self.is_done or index >= len(self.array.items):
            self.is_done = True
            return MISSING
        self.index = index + 1
        item = self.array.items[index]
        return self.array.get_index(index) if item is MISSING else item

    def close(self) -> None:
        """See `IteratorRecord.close`."""
        self.is_done = True

    close_quietly = close


def iterator(realm: Realm, value: Any, node: Any, message: str = "") -> IteratorRecord | _ArrayItems:
    """The iterator of a value that came from an expression. TypeError if it has none."""
    is_nothing = value is UNDEFINED or value is None
    method = UNDEFINED if is_nothing else get_member(realm, value, SYMBOL_ITERATOR)
    if isinstance(method, NativeFunction) and method.function is values_method and type(value) is JSArray:
        return _ArrayItems(value)
    if not is_callable(method):
        if message and not is_nothing:
            throw_type_error(message)
        _throw_not_iterable(value, node)
    return IteratorRecord(value, method)


def _throw_not_iterable(value: Any, node: Any) -> NoReturn:
    if node is None or node is NESTED:
        shown = type_of(value) if is_object(value) else describe(value)
        if value is not UNDEFINED and value is not None and not is_object(value):
            shown = f"{type_of(value)} {shown}"
        throw_type_error(f"{shown} is not iterable (cannot read property Symbol(Symbol.iterator))")
    throw_type_error(f"{source_of(node)} is not iterable")


def keys_in(realm: Realm, value: Any) -> Iterator[str]:
    """What for-in goes through: the enumerable names of an object and its prototypes, as long as they are there."""
    if value is UNDEFINED or value is None:
        return
    seen = set()
    holder: JSObject | None = to_object(realm, value)
    while holder is not None:
        for key in holder.own_keys():
            if isinstance(key, str) and key not in seen and holder.own(key) is not MISSING:
                seen.add(key)
                if holder.attributes_of(key) & ENUMERABLE:
                    yield key
        holder = holder.prototype
