"""Map, Set and those that hold weakly. Spec: ECMA-262, 24 and 26."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, final

from wazero_gojs.model.object import Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_SPECIES,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    describe,
    throw_type_error,
)

from .iteration import entries_of, iterate, new_iterator
from .ordered import Entry, OrderedMap

MAP: Final = Table()
SET: Final = Table()
STATICS: Final = Table()


@final
class JSMap(JSObject):
    """A map."""

    __slots__ = ("map",)

    class_name = "Map"

    def __init__(self, prototype: JSObject) -> None:
        super().__init__(prototype)
        self.map = OrderedMap()


@final
class JSSet(JSObject):
    """A set: a map whose values nobody sees."""

    __slots__ = ("map",)

    class_name = "Set"

    def __init__(self, prototype: JSObject) -> None:
        super().__init__(prototype)
        self.map = OrderedMap()


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "Map":
        return realm.new_class(name, 0, _create_map, MAP, statics=STATICS)
    if name == "Set":
        return realm.new_class(name, 0, _create_set, SET, statics=STATICS)
    from . import weak

    return weak.make(realm, name)


def fill(realm: Realm, made: JSObject, iterable: Any, method: str, is_keyed: bool) -> None:
    """Add the items of what the constructor was given, by the method that is there now."""
    if iterable is UNDEFINED or iterable is None:
        return
    add = made.get(method)
    if not is_callable(add):
        throw_type_error(
            f"'{describe(add)}' returned for property '{method}' of object '{made.describe()}' is not a function"
        )
    if is_keyed:
        for key, value in entries_of(realm, iterable):
            add.call(made, (key, value))
    else:
        for item in iterate(realm, iterable):
            add.call(made, (item,))


def _create_map(realm: Realm, prototype: JSObject, args: Args) -> JSMap:
    made = JSMap(prototype)
    fill(realm, made, argument(args, 0), "set", is_keyed=True)
    return made


def _create_set(realm: Realm, prototype: JSObject, args: Args) -> JSSet:
    made = JSSet(prototype)
    fill(realm, made, argument(args, 0), "add", is_keyed=False)
    return made


def _map(this: Any, method: str, kind: str = "") -> OrderedMap:
    if not isinstance(this, JSMap):
        throw_type_error(f"Method {kind}Map.prototype.{method} called on incompatible receiver {describe(this)}")
    return this.map


def _set(this: Any, method: str, kind: str = "") -> OrderedMap:
    if not isinstance(this, JSSet):
        throw_type_error(f"Method {kind}Set.prototype.{method} called on incompatible receiver {describe(this)}")
    return this.map


# --- What both have --------------------------------------------------------------------------------------------------


@STATICS.getter(SYMBOL_SPECIES)
def get_species(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.1.2.2."""
    return this


def _key(realm: Realm, entry: Entry) -> Any:
    return entry.key


def _value(realm: Realm, entry: Entry) -> Any:
    return entry.value


def _entry(realm: Realm, entry: Entry) -> Any:
    return realm.new_array((entry.key, entry.value))


def _add_common(table: Table, kind: str, own: Callable[..., OrderedMap]) -> None:
    @table.method("has", 1)
    def has(realm: Realm, this: Any, args: Args) -> Any:
        return own(this, "has").find(argument(args, 0)) is not None

    @table.method("delete", 1)
    def delete(realm: Realm, this: Any, args: Args) -> Any:
        return own(this, "delete").remove(argument(args, 0))

    @table.method("clear")
    def clear(realm: Realm, this: Any, args: Args) -> Any:
        own(this, "clear").clear()
        return UNDEFINED

    @table.getter("size")
    def size(realm: Realm, this: Any, args: Args) -> Any:
        return len(own(this, "size", "get "))

    @table.method("forEach", 1)
    def for_each(realm: Realm, this: Any, args: Args) -> Any:
        function = argument(args, 0)
        entries = own(this, "forEach").entries()
        if not is_callable(function):
            throw_type_error(f"{describe(function)} is not a function")
        for entry in entries:
            function.call(argument(args, 1), (entry.value, entry.key, this))
        return UNDEFINED

    table.constant(SYMBOL_TO_STRING_TAG, kind, 4)


def _add_iterator(
    table: Table, kind: str, own: Callable[..., OrderedMap], name: str, pick: Callable[[Realm, Entry], Any]
) -> None:
    @table.method(name)
    def iterate(realm: Realm, this: Any, args: Args) -> Any:
        entries: Iterator[Entry] = own(this, str(name)).entries()
        return new_iterator(realm, f"{kind} Iterator", (pick(realm, entry) for entry in entries))


_add_common(MAP, "Map", _map)
_add_common(SET, "Set", _set)
for _name, _pick in (("entries", _entry), ("keys", _key), ("values", _value)):
    _add_iterator(MAP, "Map", _map, _name, _pick)
    _add_iterator(SET, "Set", _set, _name, _pick)
# These are the very same functions.
MAP.made(SYMBOL_ITERATOR, lambda realm: realm.prototype_of("Map").get("entries"))
SET.made(SYMBOL_ITERATOR, lambda realm: realm.prototype_of("Set").get("values"))
SET.made("keys", lambda realm: realm.prototype_of("Set").get("values"))


# --- Map -------------------------------------------------------------------------------------------------------------


@MAP.method("get", 1)
def get(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.1.3.6."""
    found = _map(this, "get").find(argument(args, 0))
    return UNDEFINED if found is None else found.value


@MAP.method("set", 2)
def set_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.1.3.9."""
    _map(this, "set").put(argument(args, 0), argument(args, 1))
    return this


# --- Set -------------------------------------------------------------------------------------------------------------


@SET.method("add", 1)
def add(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.2.3.1."""
    entries = _set(this, "add")
    key = argument(args, 0)
    if entries.find(key) is None:
        entries.put(key, key or 0 if isinstance(key, float) else key)
    return this
