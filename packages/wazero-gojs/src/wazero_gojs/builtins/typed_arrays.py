"""What all typed arrays inherit: %TypedArray% and its prototype. Spec: ECMA-262, 23.2.2 and 23.2.3."""

from __future__ import annotations

from io import StringIO
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.buffer import JSTypedArray
from wazero_gojs.model.object import MISSING, Args, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_SPECIES,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    describe,
    is_object,
    throw_range_error,
    throw_type_error,
    to_index,
    to_integer,
    to_string,
)

from .buffers import items_of, raw_element, store
from .iteration import ARRAY, new_iterator
from .typed_array_loops import CHUNK, TABLE, elements, require_array, sort
from .wrappers import to_object

PROTOTYPE: Final = Table()
STATICS: Final = Table()

PROTOTYPE.rows.update(TABLE.rows)


def _range(array: JSTypedArray, args: Args, first: int) -> tuple[int, int]:
    """Start and end, which are the arguments from `first` on."""
    start = to_index(argument(args, first), array.length)
    return start, max(start, to_index(argument(args, first + 1), array.length, array.length))


# --- Properties ------------------------------------------------------------------------------------------------------


@PROTOTYPE.getter("buffer")
def get_buffer(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.2."""
    return require_array(this).buffer


@PROTOTYPE.getter("byteLength")
def get_byte_length(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.3."""
    return len(require_array(this).view)


@PROTOTYPE.getter("byteOffset")
def get_byte_offset(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.4."""
    return require_array(this).offset


@PROTOTYPE.getter("length")
def get_length(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.21."""
    return require_array(this).length


@PROTOTYPE.getter(SYMBOL_TO_STRING_TAG)
def get_tag(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.38."""
    return this.type.name if isinstance(this, JSTypedArray) else UNDEFINED


@PROTOTYPE.method("at", 1)
def at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.1."""
    array, index = require_array(this), to_integer(argument(args, 0))
    found = array.element(int(index + array.length if index < 0 else index)) if abs(index) <= array.length else MISSING
    return UNDEFINED if found is MISSING else found


# --- Copying ---------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("set", 1)
def set_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.26."""
    array, source, offset = require_array(this), argument(args, 0), to_integer(argument(args, 1))
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
    array = require_array(this)
    start, end = _range(array, args, 0)
    offset = array.offset + start * array.type.size
    prototype = array.prototype or realm.prototype_of(array.type.name)
    return JSTypedArray(prototype, array.type, array.buffer, offset, end - start)


@PROTOTYPE.method("slice", 2)
def slice_(realm: Realm, this: Any, args: Args) -> Any:
    """A copy of some elements. Spec: 23.2.3.27."""
    array = require_array(this)
    start, end = _range(array, args, 0)
    size = array.type.size
    buffer = realm.new_buffer(bytearray(array.view[start * size : end * size]))
    return JSTypedArray(array.prototype or realm.prototype_of(array.type.name), array.type, buffer)


@PROTOTYPE.method("fill", 1)
def fill(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.9."""
    array = require_array(this)
    raw = raw_element(array.type, argument(args, 0))
    start, end = _range(array, args, 1)
    if start == end:
        return array
    array.items[start] = raw
    size = array.type.size
    element = bytes(array.view[start * size : (start + 1) * size])
    piece = element * min(end - start, CHUNK)
    for at in range(start * size, end * size, len(piece)):
        count = min(len(piece), end * size - at)
        array.view[at : at + count] = piece if count == len(piece) else piece[:count]
    return array


@PROTOTYPE.method("copyWithin", 2)
def copy_within(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.6."""
    array = require_array(this)
    target = to_index(argument(args, 0), array.length)
    start, end = _range(array, args, 1)
    count, size = min(end - start, array.length - target), array.type.size
    array.view[target * size : (target + count) * size] = array.view[start * size : (start + count) * size]
    return array


@PROTOTYPE.method("reverse")
def reverse(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.25."""
    array = require_array(this)
    array.view[:] = memoryview(array.items[::-1].tobytes())
    return array


@PROTOTYPE.method("toReversed")
def to_reversed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.32."""
    return reverse(realm, slice_(realm, this, ()), ())


@PROTOTYPE.method("toSorted", 1)
def to_sorted(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.33."""
    return sort(realm, slice_(realm, this, ()), args)


@PROTOTYPE.method("with", 2)
def with_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.36."""
    array, index = require_array(this), to_integer(argument(args, 0))
    index = index + array.length if index < 0 else index
    raw = raw_element(array.type, argument(args, 1))
    if not 0 <= index < array.length:
        throw_range_error("Invalid typed array index")
    made: JSTypedArray = slice_(realm, array, ())
    made.items[int(index)] = raw
    return made


# --- As text, and as iterators ---------------------------------------------------------------------------------------


@PROTOTYPE.method("join", 1)
def join(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.18."""
    array = require_array(this)
    separator = "," if argument(args, 0) is UNDEFINED else to_string(args[0])
    if array.length * len(separator) > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    out = StringIO()
    for index, item in enumerate(elements(array)):
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
    array = require_array(this)
    return new_iterator(realm, ARRAY, (array.element(index) for index in range(array.length)))


@PROTOTYPE.method("keys")
def keys(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.19."""
    return new_iterator(realm, ARRAY, iter(range(require_array(this).length)))


@PROTOTYPE.method("entries")
def entries(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 23.2.3.7."""
    array = require_array(this)
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
