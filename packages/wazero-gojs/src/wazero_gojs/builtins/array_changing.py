"""Methods of arrays that change them, and those that do the same to a copy. Spec: ECMA-262, 23.1.3."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any, Final

from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.object import MISSING, WRITABLE, Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    MAX_SAFE,
    UNDEFINED,
    throw_range_error,
    throw_type_error,
    to_index,
    to_integer,
    to_number,
    to_string,
)

from .array_reading import array_this, items_of
from .operations import has_index, length_of, put, put_index, remove, scan_length, throw_not_assignable
from .wrappers import to_object

PROTOTYPE: Final = Table()


def _plain_items(target: JSObject, added: int = 0) -> list[Any] | None:
    """The list of an array that may be changed directly: no holes, no rules, and room for more."""
    if type(target) is JSArray and target.is_plain:
        items = target.items
        if len(items) + added <= MAX_LENGTH and MISSING not in items:
            return items
    return None


# --- At the ends -----------------------------------------------------------------------------------------------------


@PROTOTYPE.method("push", 1)
def push(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.23."""
    target = to_object(realm, this)
    if type(target) is JSArray and target.is_plain and len(target.items) + len(args) <= MAX_LENGTH:
        target.items.extend(args)
        return len(target.items)
    length = length_of(target)
    if type(target) is JSArray and not target.attributes_of("length") & WRITABLE and target.is_extensible:
        throw_not_assignable(target, "length")
    if length + len(args) > MAX_SAFE:
        throw_type_error(
            f"Pushing {len(args)} elements on an array-like of length {length} is disallowed, "
            "as the total surpasses 2**53-1"
        )
    for offset, item in enumerate(args):
        put_index(target, length + offset, item)
    put(target, "length", length + len(args))
    return length + len(args)


@PROTOTYPE.method("pop", 0)
def pop(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.22."""
    target = array_this(realm, this, "pop")
    if type(target) is JSArray and target.is_plain and target.items and target.items[-1] is not MISSING:
        return target.items.pop()
    length = length_of(target)
    item = UNDEFINED
    if length:
        item = target.get_index(length - 1)
        remove(target, str(length - 1))
    put(target, "length", max(length - 1, 0))
    return item


@PROTOTYPE.method("shift", 0)
def shift(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.27."""
    target = array_this(realm, this, "shift")
    # Looking for holes would take as long as moving all items; one at the start is enough to take the long way.
    if type(target) is JSArray and target.is_plain and target.items and target.items[0] is not MISSING:
        return target.items.pop(0)
    length = scan_length(target)
    item = target.get_index(0) if length else UNDEFINED
    _move(target, 1, 0, length - 1)
    if length:
        remove(target, str(length - 1))
    put(target, "length", max(length - 1, 0))
    return item


@PROTOTYPE.method("unshift", 1)
def unshift(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.37."""
    target = array_this(realm, this, "unshift")
    items = _plain_items(target, len(args))
    if items is not None:
        items[:0] = args
        return len(items)
    length = scan_length(target)
    if args:
        _move(target, 0, len(args), length)
        for index, item in enumerate(args):
            put_index(target, index, item)
    put(target, "length", length + len(args))
    return length + len(args)


def _move(target: JSObject, source: int, destination: int, count: int) -> None:
    """Copy items to another place, holes included, in the order in which none is overwritten too early."""
    indices = range(count) if destination < source else range(count - 1, -1, -1)
    for index in indices:
        if has_index(target, source + index):
            put_index(target, destination + index, target.get_index(source + index))
        else:
            remove(target, str(destination + index))


# --- Anywhere --------------------------------------------------------------------------------------------------------


def _range(args: Args, length: int) -> tuple[int, int]:
    """Where splice starts, and how many items it removes."""
    start = to_index(argument(args, 0), length)
    if len(args) < 2:
        return start, length - start if args else 0
    return start, int(min(max(to_integer(args[1]), 0), length - start))


@PROTOTYPE.method("splice", 2)
def splice(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.31."""
    target = array_this(realm, this, "splice")
    length = scan_length(target)
    start, count = _range(args, length)
    added = args[2:]
    items = _plain_items(target, len(added))
    if items is not None and len(items) == length:
        removed = items[start : start + count]
        items[start : start + count] = added
        return realm.new_array(removed)
    removed = [target.get_index(i) if has_index(target, i) else MISSING for i in range(start, start + count)]
    _move(target, start + count, start + len(added), length - start - count)
    for index in range(length - 1, length - count + len(added) - 1, -1):
        remove(target, str(index))
    for index, item in enumerate(added, start):
        put_index(target, index, item)
    put(target, "length", length - count + len(added))
    return realm.new_array(removed)


@PROTOTYPE.method("toSpliced", 2)
def to_spliced(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.35."""
    items = items_of(array_this(realm, this, "toSpliced"))
    start, count = _range(args, len(items))
    items[start : start + count] = args[2:]
    if len(items) > MAX_LENGTH:
        throw_range_error("Invalid array length")
    return realm.new_array(items)


@PROTOTYPE.method("fill", 1)
def fill(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.7."""
    target = array_this(realm, this, "fill")
    length = scan_length(target)
    value = argument(args, 0)
    start = to_index(argument(args, 1), length)
    end = to_index(argument(args, 2), length, length)
    if type(target) is JSArray and target.is_plain and len(target.items) == length:
        target.items[start:end] = [value] * max(end - start, 0)
        return target
    for index in range(start, end):
        put_index(target, index, value)
    return target


@PROTOTYPE.method("copyWithin", 2)
def copy_within(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.4."""
    target = array_this(realm, this, "copyWithin")
    length = scan_length(target)
    destination = to_index(argument(args, 0), length)
    start = to_index(argument(args, 1), length)
    end = to_index(argument(args, 2), length, length)
    _move(target, start, destination, min(end - start, length - destination))
    return target


@PROTOTYPE.method("reverse", 0)
def reverse(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.26."""
    target = array_this(realm, this, "reverse")
    if type(target) is JSArray and target.is_plain:
        target.items.reverse()
        return target
    length = scan_length(target)
    for low in range(length // 2):
        pair = (low, length - 1 - low)
        found = [(target.get_index(i) if has_index(target, i) else MISSING) for i in pair]
        for index, item in zip(pair, reversed(found), strict=True):
            if item is not MISSING:
                put_index(target, index, item)
            elif has_index(target, index):
                remove(target, str(index))
    return target


# --- Order -----------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("sort", 1)
def sort(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.30."""
    compare = _comparison(args)
    target = array_this(realm, this, "sort")
    length = scan_length(target)
    found = [target.get_index(i) for i in range(length) if has_index(target, i)]
    for index, item in enumerate(_sorted(found, compare)):
        put_index(target, index, item)
    for index in range(len(found), length):
        if has_index(target, index):
            remove(target, str(index))
    return target


@PROTOTYPE.method("toSorted", 1)
def to_sorted(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.1.3.34."""
    compare = _comparison(args)
    return realm.new_array(_sorted(items_of(array_this(realm, this, "toSorted")), compare))


def _comparison(args: Args) -> Any:
    function = argument(args, 0)
    if function is not UNDEFINED and not is_callable(function):
        throw_type_error("The comparison function must be either a function or undefined")
    return function


def _sorted(items: list[Any], compare: Any) -> list[Any]:
    """A new list in order; undefined comes last. Equal items keep their order."""
    values = [item for item in items if item is not UNDEFINED]
    if compare is UNDEFINED:
        values = _sorted_as_text(values)
    else:
        values.sort(key=cmp_to_key(_order_by(compare)))
    return values + [UNDEFINED] * (len(items) - len(values))


def _sorted_as_text(values: list[Any]) -> list[Any]:
    texts = [to_string(value) for value in values]
    # UTF-16 has characters beyond U+FFFF before some below, which Python's order has not.
    keys = texts if all(map(str.isascii, texts)) else [text.encode("utf-16-be", "surrogatepass") for text in texts]
    order = sorted(range(len(values)), key=keys.__getitem__)
    return [values[i] for i in order]


def _order_by(compare: Any) -> Callable[[Any, Any], int]:
    def order(left: Any, right: Any) -> int:
        found = to_number(compare.call(UNDEFINED, (left, right)))
        return (found > 0) - (found < 0)

    return order
