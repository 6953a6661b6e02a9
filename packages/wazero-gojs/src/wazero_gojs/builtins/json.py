"""JSON. Spec: ECMA-262, 25.5. Reading is in `json_reader`, writing in `json_writer`; neither recurses."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG, UNDEFINED, is_object, throw_range_error, to_string

TABLE: Final = Table()
TABLE.constant(SYMBOL_TO_STRING_TAG, "JSON", 4)


def make(realm: Realm, name: str) -> Any:
    """The global JSON."""
    return realm.new_namespace(TABLE, "JSON")


@TABLE.method("parse", 2)
def parse(realm: Realm, this: Any, args: Args) -> Any:
    """Throws a SyntaxError with V8's words. Spec: 25.5.1."""
    from .json_reader import read

    value = read(realm, to_string(argument(args, 0)))
    reviver = argument(args, 1)
    if not is_callable(reviver):
        return value
    try:
        return _revive(reviver, realm.new_object({"": value}), "")
    except RecursionError:
        throw_range_error("Maximum call stack size exceeded")


def _revive(reviver: Any, holder: JSObject, key: str) -> Any:
    """What the reviver makes of a property, after those inside of it. Spec: 25.5.1.1."""
    value = holder.get(key)
    if is_object(value):
        keys = map(str, range(len(value.items))) if isinstance(value, JSArray) else list(value.enumerable_keys())
        for inner in keys:
            revived = _revive(reviver, value, inner)
            if revived is UNDEFINED:
                value.delete(inner)
            else:
                value.define(inner, revived)
    return reviver.call(holder, (key, value))


@TABLE.method("stringify", 3)
def stringify(realm: Realm, this: Any, args: Args) -> Any:
    """Throws a TypeError for cycles and bigints. Spec: 25.5.2."""
    from .json_writer import write

    return write(realm, argument(args, 0), argument(args, 1), argument(args, 2))
