"""What all typed arrays inherit: %TypedArray% and its prototype. Spec: ECMA-262, 23.2.2 and 23.2.3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import MISSING, Args, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_SPECIES,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    BigInt,
    describe,
    is_object,
    number_of,
    throw_range_error,
    throw_type_error,
    to_boolean,
    to_index,
    to_integer,
    to_number,
    to_string,
)

from .buffers import items_of, new_typed_array, raw_element, store
from .iteration import ARRAY, new_iterator
from .operations import callback
from .wrappers import to_object

PROTOTYPE: Final = Table()
STATICS: Final = Table()

_CHUNK: Final = 1 << 16
"""Elements that are read at a time."""


def _array(this: Any) -> JSTypedArray:
    if not isinstance(this, JSTypedArray):
        throw_type_error("this is not a typed array.")
    return this


def _elements(array: JSTypedArray, start: int = 0) -> Iterator[Any]:
    """The elements as values, from one on; some are read ahead."""
    for at in range(start, array.length, _CHUNK):
        chunk = array.items[at : at + _CHUNK].tolist()
        if array.type.is_bigint:
            yield from map(BigInt, chunk)
        elif array.type.format in "fd":
            yield from map(number_of, chunk)
        else:
            yield from chunk


def _like(realm: Realm, array: JSTypedArray, length: int) -> JSTypedArray:
    """A new array of the same class."""
    return new_typed_array(realm, array.type, length, array.prototype)


def _range(array: JSTypedArray, args: Args, first: int) -> tuple[int, int]:
    """Start and end, which are the arguments from `first` on."""
    start = to_index(argument(args, first), array.length)
    return start, max(start, to_index(argument(args, first + 1), array.length, array.length))


# --- Properties ------------------------------------------------------------------------------------------------------


@PROTOTYPE.getter("buffer")
def get_buffer(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.2."""
    return _array(this).buffer


@PROTOTYPE.getter("byteLength")
def get_byte_length(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.3."""
    return len(_array(this).view)


@PROTOTYPE.getter("byteOffset")
def get_byte_offset(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.4."""
    return _array(this).offset


@PROTOTYPE.getter("length")
def get_length(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.21."""
    return _array(this).length


@PROTOTYPE.getter(SYMBOL_TO_STRING_TAG)
def get_tag(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.38."""
    return this.type.name if isinstance(this, JSTypedArray) else UNDEFINED


@PROTOTYPE.method("at", 1)
def at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.1."""
    array, index = _array(this), to_integer(argument(args, 0))
    found = array.element(int(index + array.length if index < 0 else index)) if abs(index) <= array.length else MISSING
    return UNDEFINED if found is MISSING else found


# --- Copying ---------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("set", 1)
def set_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.26."""
    array, source, offset = _array(this), argument(args, 0), to_integer(argument(args, 1))
    if not isinstance(source, JSTypedArray):
        source = items_of(realm, to_object(realm, source))
    length = source.length if isinstance(source, JSTypedArray) else len(source)
    if not 0 <= offset <= array.length - length:
        throw_range_error("offset is out of bounds")
    store(array, int(offset), source)
    return UNDEFINED


@PROTOTYPE.method("subarray", 2)
def subarray(realm: Realm, this: Any, args: Args) -> Any:
    """Some elements, not a copy of them. Spec: 23.2.3.30."""
    array = _array(this)
    start, end = _range(array, args, 0)
    offset = array.offset + start * array.type.size
    prototype = array.prototype or realm.prototype_of(array.type.name)
    return JSTypedArray(prototype, array.type, array.buffer, offset, end - start)


@PROTOTYPE.method("slice", 2)
def slice_(realm: Realm, this: Any, args: Args) -> Any:
    """A copy of some elements. Spec: 23.2.3.27."""
    array = _array(this)
    start, end = _range(array, args, 0)
    size = array.type.size
    buffer = realm.new_buffer(bytearray(array.view[start * size : end * size]))
    return JSTypedArray(array.prototype or realm.prototype_of(array.type.name), array.type, buffer)


@PROTOTYPE.method("fill", 1)
def fill(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.9."""
    array = _array(this)
    raw = raw_element(array.type, argument(args, 0))
    start, end = _range(array, args, 1)
    if start == end:
        return array
    array.items[start] = raw
    size = array.type.size
    element = bytes(array.view[start * size : (start + 1) * size])
    piece = element * min(end - start, _CHUNK)
    for at in range(start * size, end * size, len(piece)):
        count = min(len(piece), end * size - at)
        array.view[at : at + count] = piece if count == len(piece) else piece[:count]
    return array


@PROTOTYPE.method("copyWithin", 2)
def copy_within(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.6."""
    array = _array(this)
    target = to_index(argument(args, 0), array.length)
    start, end = _range(array, args, 1)
    count, size = min(end - start, array.length - target), array.type.size
    array.view[target * size : (target + count) * size] = array.view[start * size : (start + count) * size]
    return array


@PROTOTYPE.method("reverse")
def reverse(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.25."""
    array = _array(this)
    array.view[:] = memoryview(array.items[::-1].tobytes())
    return array


@PROTOTYPE.method("toReversed")
def to_reversed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.32."""
    return reverse(realm, slice_(realm, this, ()), ())


@PROTOTYPE.method("with", 2)
def with_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.36."""
    array, index = _array(this), to_integer(argument(args, 0))
    index = index + array.length if index < 0 else index
    raw = raw_element(array.type, argument(args, 1))
    if not 0 <= index < array.length:
        throw_range_error("Invalid typed array index")
    made: JSTypedArray = slice_(realm, array, ())
    made.items[int(index)] = raw
    return made


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
    return next((index for index, item in enumerate(_elements(array, start), start) if item == value), -1)


def _find_byte(array: JSTypedArray, byte: int, start: int) -> int:
    data = array.buffer.data
    if isinstance(data, bytearray):
        found = data.find(byte, array.offset + start, array.offset + array.length)
        return found - array.offset if found >= 0 else -1
    for at in range(start, array.length, _CHUNK):
        found = bytes(array.view[at : at + _CHUNK]).find(byte)
        if found >= 0:
            return at + found
    return -1


@PROTOTYPE.method("indexOf", 1)
def index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.17."""
    array = _array(this)
    return _find_value(array, argument(args, 0), to_index(argument(args, 1), array.length))


@PROTOTYPE.method("includes", 1)
def includes(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.16."""
    array, value = _array(this), argument(args, 0)
    start = to_index(argument(args, 1), array.length)
    if value != value:
        return any(item != item for item in _elements(array, start))
    return _find_value(array, value, start) >= 0


@PROTOTYPE.method("lastIndexOf", 1)
def last_index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.20."""
    array, value = _array(this), argument(args, 0)
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
    array, function, receiver = _array(this), callback(args), argument(args, 1)

    def steps() -> Iterator[tuple[int, Any, Any]]:
        for index in range(array.length - 1, -1, -1) if backwards else range(array.length):
            item = array.element(index)
            yield index, item, function.call(receiver, (item, index, array))

    return steps()


@PROTOTYPE.method("forEach", 1)
def for_each(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.15."""
    for _ in _each(this, args):
        pass
    return UNDEFINED


@PROTOTYPE.method("every", 1)
def every(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.8."""
    return all(to_boolean(said) for _, _, said in _each(this, args))


@PROTOTYPE.method("some", 1)
def some(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.28."""
    return any(to_boolean(said) for _, _, said in _each(this, args))


@PROTOTYPE.method("map", 1)
def map_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.22."""
    steps = _each(this, args)
    made = _like(realm, _array(this), _array(this).length)
    for index, _, said in steps:
        made.items[index] = raw_element(made.type, said)
    return made


@PROTOTYPE.method("filter", 1)
def filter_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.10."""
    kept = [item for _, item, said in _each(this, args) if to_boolean(said)]
    made = _like(realm, _array(this), len(kept))
    store(made, 0, kept)
    return made


def _add_search(name: str, backwards: bool, wants_index: bool) -> None:
    @PROTOTYPE.method(name, 1)
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
    @PROTOTYPE.method(name, 1)
    def fold(realm: Realm, this: Any, args: Args) -> Any:
        array, function = _array(this), callback(args)
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


@PROTOTYPE.method("sort", 1)
def sort(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.29."""
    by = argument(args, 0)
    if by is not UNDEFINED and not is_callable(by):
        throw_type_error("The comparison function must be either a function or undefined")
    array = _array(this)
    if by is UNDEFINED and array.type.format == "B":
        array.view[:] = _sorted_bytes(array)
        return array
    if array.length > MAX_LENGTH:
        throw_range_error("Invalid array length")
    items = list(_elements(array))
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


@PROTOTYPE.method("toSorted", 1)
def to_sorted(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.33."""
    return sort(realm, slice_(realm, this, ()), args)


# --- As text, and as iterators ---------------------------------------------------------------------------------------


@PROTOTYPE.method("join", 1)
def join(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.18."""
    array = _array(this)
    separator = "," if argument(args, 0) is UNDEFINED else to_string(args[0])
    if array.length * len(separator) > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    out = StringIO()
    for index, item in enumerate(_elements(array)):
        out.write(separator if index else "")
        out.write(to_string(item))
        if out.tell() > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
    return out.getvalue()


@PROTOTYPE.method("toLocaleString")
def to_locale_string(realm: Realm, this: Any, args: Args) -> Any:
    """Like join: numbers are written in no other way. Spec: 23.2.3.31."""
    return join(realm, this, ())


PROTOTYPE.made("toString", lambda realm: realm.prototype_of("Array").get("toString"))


@PROTOTYPE.method("values")
def values(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.35."""
    array = _array(this)
    return new_iterator(realm, ARRAY, (array.element(index) for index in range(array.length)))


@PROTOTYPE.method("keys")
def keys(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.19."""
    return new_iterator(realm, ARRAY, iter(range(_array(this).length)))


@PROTOTYPE.method("entries")
def entries(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.7."""
    array = _array(this)
    pairs = (realm.new_array((index, array.element(index))) for index in range(array.length))
    return new_iterator(realm, ARRAY, pairs)


PROTOTYPE.made(SYMBOL_ITERATOR, lambda realm: realm.prototype_of("Uint8Array").get("values"))


# --- The constructor -------------------------------------------------------------------------------------------------


@STATICS.getter(SYMBOL_SPECIES)
def get_species(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.2.4."""
    return this


def _construct(constructor: Any, items: list[Any]) -> JSTypedArray:
    if not getattr(constructor, "is_constructor", False):
        throw_type_error(f"{describe(constructor)} is not a constructor")
    made = constructor.construct((len(items),))
    if not isinstance(made, JSTypedArray):
        throw_type_error("this is not a typed array.")
    if made.length < len(items):
        throw_type_error("Derived TypedArray constructor created an array which was too small")
    store(made, 0, items)
    return made


@STATICS.method("of", 0)
def of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.2.2."""
    return _construct(this, list(args))


@STATICS.method("from", 1)
def from_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.2.1."""
    function, receiver = argument(args, 1), argument(args, 2)
    if function is not UNDEFINED and not is_callable(function):
        throw_type_error(f"{describe(function)} is not a function")
    source = to_object(realm, argument(args, 0))
    assert is_object(source)
    items = items_of(realm, source)
    if function is not UNDEFINED:
        items = [function.call(receiver, (item, index)) for index, item in enumerate(items)]
    return _construct(this, items)
