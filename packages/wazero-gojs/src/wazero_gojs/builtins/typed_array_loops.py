"""Methods of typed arrays that look at all elements: searching, callbacks, sorting. Spec: ECMA-262, 23.2.3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import Args, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    UNDEFINED,
    BigInt,
    number_of,
    throw_range_error,
    throw_type_error,
    to_boolean,
    to_index,
    to_integer,
    to_number,
)

from .buffers import new_typed_array, raw_element, store
from .operations import callback

TABLE: Final = Table()
"""To be added to the prototype."""

CHUNK: Final = 1 << 16
"""Elements that are read at a time."""


def require_array(this: Any) -> JSTypedArray:
    """`this` as a typed array. TypeError if it is none."""
    if not isinstance(this, JSTypedArray):
        throw_type_error("this is not a typed array.")
    return this


def elements(array: JSTypedArray, start: int = 0) -> Iterator[Any]:
    """The elements as values, from one on; some are read ahead."""
    for at in range(start, array.length, CHUNK):
        chunk = array.items[at : at + CHUNK].tolist()
        if array.type.is_bigint:
            yield from map(BigInt, chunk)
        elif array.type.format in "fd":
            yield from map(number_of, chunk)
        else:
            yield from chunk


def _like(realm: Realm, array: JSTypedArray, length: int) -> JSTypedArray:
    """A new array of the same class."""
    return new_typed_array(realm, array.type, length, array.prototype)


# --- Searching -------------------------------------------------------------------------------------------------------


def _find_value(array: JSTypedArray, value: Any, start: int) -> int:
    """The first index from `start` on with that number; -1 if there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return -1
    if isinstance(value, BigInt) != array.type.is_bigint:
        return -1
    if array.type.format == "B":
        number = number_of(value)
        if not isinstance(number, int) or not 0 <= number <= 255:
            return -1 if value else _find_byte(array, 0, start)
        return _find_byte(array, number, start)
    return next((index for index, item in enumerate(elements(array, start), start) if item == value), -1)


def _find_byte(array: JSTypedArray, byte: int, start: int) -> int:
    data = array.buffer.data
    if isinstance(data, bytearray):
        found = data.find(byte, array.offset + start, array.offset + array.length)
        return found - array.offset if found >= 0 else -1
    for at in range(start, array.length, CHUNK):
        found = bytes(array.view[at : at + CHUNK]).find(byte)
        if found >= 0:
            return at + found
    return -1


@TABLE.method("indexOf", 1)
def index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.17."""
    array = require_array(this)
    return _find_value(array, argument(args, 0), to_index(argument(args, 1), array.length))


@TABLE.method("includes", 1)
def includes(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.16."""
    array, value = require_array(this), argument(args, 0)
    start = to_index(argument(args, 1), array.length)
    if value != value:
        return any(item != item for item in elements(array, start))
    return _find_value(array, value, start) >= 0


@TABLE.method("lastIndexOf", 1)
def last_index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.20."""
    array, value = require_array(this), argument(args, 0)
    start = to_integer(args[1]) if len(args) > 1 else array.length - 1
    start = start + array.length if start < 0 else min(start, array.length - 1)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or start < 0:
        return -1
    if isinstance(value, BigInt) != array.type.is_bigint:
        return -1
    return next((index for index in range(int(start), -1, -1) if array.items[index] == value), -1)


# --- Calling a function for each element -----------------------------------------------------------------------------


def _each(this: Any, args: Args, backwards: bool = False) -> Iterator[tuple[int, Any, Any]]:
    """Index, element and what the function says of it."""
    array, function, receiver = require_array(this), callback(args), argument(args, 1)

    def steps() -> Iterator[tuple[int, Any, Any]]:
        for index in range(array.length - 1, -1, -1) if backwards else range(array.length):
            item = array.element(index)
            yield index, item, function.call(receiver, (item, index, array))

    return steps()


@TABLE.method("forEach", 1)
def for_each(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.15."""
    for _ in _each(this, args):
        pass
    return UNDEFINED


@TABLE.method("every", 1)
def every(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.8."""
    return all(to_boolean(said) for _, _, said in _each(this, args))


@TABLE.method("some", 1)
def some(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.28."""
    return any(to_boolean(said) for _, _, said in _each(this, args))


@TABLE.method("map", 1)
def map_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.22."""
    steps = _each(this, args)
    made = _like(realm, require_array(this), require_array(this).length)
    for index, _, said in steps:
        made.items[index] = raw_element(made.type, said)
    return made


@TABLE.method("filter", 1)
def filter_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.10."""
    kept = [item for _, item, said in _each(this, args) if to_boolean(said)]
    made = _like(realm, require_array(this), len(kept))
    store(made, 0, kept)
    return made


def _add_search(name: str, backwards: bool, wants_index: bool) -> None:
    @TABLE.method(name, 1)
    def find(realm: Realm, this: Any, args: Args) -> Any:
        for index, item, said in _each(this, args, backwards):
            if to_boolean(said):
                return index if wants_index else item
        return -1 if wants_index else UNDEFINED


_add_search("find", backwards=False, wants_index=False)
_add_search("findIndex", backwards=False, wants_index=True)
_add_search("findLast", backwards=True, wants_index=False)
_add_search("findLastIndex", backwards=True, wants_index=True)


def _add_fold(name: str, backwards: bool) -> None:
    @TABLE.method(name, 1)
    def fold(realm: Realm, this: Any, args: Args) -> Any:
        array, function = require_array(this), callback(args)
        indices = iter(range(array.length - 1, -1, -1) if backwards else range(array.length))
        if len(args) > 1:
            total = args[1]
        else:
            first = next(indices, None)
            if first is None:
                throw_type_error("Reduce of empty array with no initial value")
            total = array.element(first)
        for index in indices:
            total = function.call(UNDEFINED, (total, array.element(index), index, array))
        return total


_add_fold("reduce", backwards=False)
_add_fold("reduceRight", backwards=True)


# --- Sorting ---------------------------------------------------------------------------------------------------------


@TABLE.method("sort", 1)
def sort(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.29."""
    by = argument(args, 0)
    if by is not UNDEFINED and not is_callable(by):
        throw_type_error("The comparison function must be either a function or undefined")
    array = require_array(this)
    if by is UNDEFINED and array.type.format == "B":
        array.view[:] = _sorted_bytes(array)
        return array
    if array.length > MAX_LENGTH:
        throw_range_error("Invalid array length")
    items = list(elements(array))
    items.sort(key=_order_of(by) if by is not UNDEFINED else _number_order if array.type.format in "fd" else None)
    store(array, 0, items)
    return array


def _sorted_bytes(array: JSTypedArray) -> bytearray:
    content = bytes(array.view)
    found = bytearray()
    for byte in range(256):
        found += bytes((byte,)) * content.count(byte)
    return found


def _number_order(number: float) -> tuple[bool, float, bool]:
    """Not a number comes last, and -0 before 0."""
    return number != number, 0 if number != number else number, not number and isinstance(number, int)


def _order_of(function: Any) -> Callable[[Any], Any]:
    from functools import cmp_to_key

    def compare(left: Any, right: Any) -> int:
        order = to_number(function.call(UNDEFINED, (left, right)))
        return (order > 0) - (order < 0)

    return cmp_to_key(compare)
