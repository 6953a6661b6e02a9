"""Methods of arrays that leave them as they are. Spec: ECMA-262, 23.1.3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.object import MISSING, Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_IS_CONCAT_SPREADABLE,
    SYMBOL_UNSCOPABLES,
    UNDEFINED,
    is_object,
    number_to_string,
    same_value_zero,
    strict_equals,
    throw_range_error,
    to_boolean,
    to_index,
    to_integer,
    to_string,
)

from .iteration import ARRAY, array_keys, new_iterator
from .operations import has_index, length_of, require_value, scan_length
from .primitives import call_member
from .wrappers import to_object

PROTOTYPE: Final = Table()

_MAX_NESTED: Final = 5000
"""Arrays inside of each other that `flat` opens."""


def is_array(value: Any) -> bool:
    """Whether this is an array, or a proxy of one. TypeError for a proxy that was revoked. Spec: 7.2.2."""
    if isinstance(value, JSArray):
        return True
    return isinstance(value, JSObject) and value.has_own_rules and is_array(value.innermost())  # type: ignore[attr-defined]


def array_this(realm: Realm, this: Any, name: str) -> JSObject:
    """`this` of a method as an object. TypeError for undefined and null."""
    require_value(this, f"Array.prototype.{name}")
    found: JSObject = to_object(realm, this)
    return found


def items_of(target: JSObject) -> list[Any]:
    """All items, UNDEFINED for those that are not there. RangeError if they are too many."""
    return [target.get_index(i) for i in range(scan_length(target))]


# --- One item --------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("at", 1)
def at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.1."""
    target = array_this(realm, this, "at")
    length = length_of(target)
    index = to_integer(argument(args, 0))
    index = index + length if index < 0 else index
    return target.get_index(int(index)) if 0 <= index < length else UNDEFINED


@PROTOTYPE.method("includes", 1)
def includes(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.16."""
    target = array_this(realm, this, "includes")
    length = scan_length(target)
    wanted = argument(args, 0)
    start = to_index(argument(args, 1), length)
    return any(same_value_zero(target.get_index(i), wanted) for i in range(start, length))


@PROTOTYPE.method("indexOf", 1)
def index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.17."""
    target = array_this(realm, this, "indexOf")
    length = scan_length(target)
    start = to_index(argument(args, 1), length)
    return _first(target, argument(args, 0), range(start, length))


@PROTOTYPE.method("lastIndexOf", 1)
def last_index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.20."""
    target = array_this(realm, this, "lastIndexOf")
    length = scan_length(target)
    start = to_integer(args[1]) if len(args) > 1 else length - 1
    start = length + start if start < 0 else min(start, length - 1)
    return _first(target, argument(args, 0), range(int(max(start, -1)), -1, -1))


def _first(target: JSObject, wanted: Any, indices: range) -> int:
    for index in indices:
        if has_index(target, index) and strict_equals(target.get_index(index), wanted):
            return index
    return -1


# --- New arrays ------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("concat", 1)
def concat(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.2."""
    items: list[Any] = []
    for value in (array_this(realm, this, "concat"), *args):
        if not _is_spreadable(value):
            items.append(value)
        elif len(items) + scan_length(value) > MAX_LENGTH:
            throw_range_error("Invalid array length")
        else:
            items += _with_holes(value, 0, length_of(value))
    return realm.new_array(items)


def _is_spreadable(value: Any) -> bool:
    if not is_object(value):
        return False
    says = value.get(SYMBOL_IS_CONCAT_SPREADABLE)
    return is_array(value) if says is UNDEFINED else to_boolean(says)


def _with_holes(target: JSObject, start: int, end: int) -> list[Any]:
    return [target.get_index(i) if has_index(target, i) else MISSING for i in range(start, end)]


@PROTOTYPE.method("slice", 2)
def cut(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.28."""
    target = array_this(realm, this, "slice")
    length = length_of(target)
    start = to_index(argument(args, 0), length)
    end = to_index(argument(args, 1), length, length)
    if end - start > MAX_LENGTH:
        throw_range_error("Invalid array length")
    if type(target) is JSArray and target.is_plain:
        return realm.new_array(target.items[start:end])
    return realm.new_array(_with_holes(target, start, end))


@PROTOTYPE.method("with", 2)
def with_item(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.39."""
    target = array_this(realm, this, "with")
    length = scan_length(target)
    index = to_integer(argument(args, 0))
    at = index + length if index < 0 else index
    if not 0 <= at < length:
        throw_range_error(f"Invalid index : {number_to_string(index)}")
    items = items_of(target)
    items[int(at)] = argument(args, 1)
    return realm.new_array(items)


@PROTOTYPE.method("toReversed", 0)
def to_reversed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.33."""
    return realm.new_array(reversed(items_of(array_this(realm, this, "toReversed"))))


@PROTOTYPE.method("flat", 0)
def flat(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.13."""
    target = array_this(realm, this, "flat")
    depth = 1 if argument(args, 0) is UNDEFINED else to_integer(args[0])
    return realm.new_array(flattened(target, depth))


def flattened(target: JSObject, depth: float) -> list[Any]:
    """The items, and those of arrays among them up to a depth. RangeError if arrays hold each other without end."""
    items: list[Any] = []
    open_arrays = [(target, iter(range(scan_length(target))))]
    while open_arrays:
        inner, indices = open_arrays[-1]
        index = next(indices, -1)
        if index < 0:
            open_arrays.pop()
        elif has_index(inner, index):
            item = inner.get_index(index)
            if len(open_arrays) <= depth and is_array(item):
                if len(open_arrays) > _MAX_NESTED:
                    throw_range_error("Maximum call stack size exceeded")
                open_arrays.append((item, iter(range(scan_length(item)))))
            elif len(items) >= MAX_LENGTH:
                throw_range_error("Invalid array length")
            else:
                items.append(item)
    return items


# --- Iterators -------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("keys", 0)
def keys(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.19."""
    return new_iterator(realm, ARRAY, array_keys(to_object(realm, this)))


@PROTOTYPE.method("entries", 0)
def entries(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.5."""
    target = to_object(realm, this)
    pairs = (realm.new_array((index, target.get_index(index))) for index in array_keys(target))
    return new_iterator(realm, ARRAY, pairs)


# --- Text ------------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("join", 1)
def join(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.18."""
    target = array_this(realm, this, "join")
    separator = argument(args, 0)
    return _joined(realm, target, "," if separator is UNDEFINED else to_string(separator), to_string)


@PROTOTYPE.method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.36."""
    target = array_this(realm, this, "toString")
    function = target.get("join")
    if is_callable(function):
        return function.call(target, ())
    return realm.object_prototype.get("toString").call(target, ())


@PROTOTYPE.method("toLocaleString", 0)
def to_locale_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.32."""
    target = array_this(realm, this, "toLocaleString")
    return _joined(realm, target, ",", lambda item: to_string(call_member(realm, item, "toLocaleString", args)))


def _joined(realm: Realm, target: JSObject, separator: str, text_of: Callable[[Any], str]) -> str:
    if any(target is outer for outer in realm.joining):
        return ""
    length = scan_length(target)
    if (length - 1) * len(separator) > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    realm.joining.append(target)
    try:
        parts = []
        for index in range(length):
            item = target.get_index(index)
            parts.append("" if item is UNDEFINED or item is None else text_of(item))
        return utf16.concat_all(parts, separator)
    except RecursionError:
        throw_range_error("Maximum call stack size exceeded")
    finally:
        realm.joining.pop()


def _unscopables(realm: Realm) -> JSObject:
    made = JSObject(None)
    names = "at copyWithin entries fill find findIndex findLast findLastIndex flat flatMap includes keys toReversed toSorted toSpliced values"
    made.properties.update(dict.fromkeys(names.split(), True))
    return made


PROTOTYPE.made(SYMBOL_UNSCOPABLES, _unscopables, 4)
