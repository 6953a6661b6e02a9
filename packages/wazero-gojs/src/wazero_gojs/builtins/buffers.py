"""ArrayBuffer, and the constructors of typed arrays. Spec: ECMA-262, 25.1 and 23.2.5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.model.array import MAX_LENGTH, JSArray
from wazero_gojs.model.buffer import ELEMENT_TYPES, MAX_BYTES, ElementType, JSArrayBuffer, JSTypedArray
from wazero_gojs.model.object import Args, JSObject, NativeConstructor, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import BuiltinObject, Table, fill
from wazero_gojs.model.values import (
    SYMBOL_ITERATOR,
    SYMBOL_SPECIES,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    BigInt,
    describe,
    is_object,
    number_to_string,
    throw_range_error,
    throw_type_error,
    to_index,
    to_integer,
)

from .iteration import iterate, values_function
from .operations import length_of

BUFFER: Final = Table()
BUFFER_STATICS: Final = Table()
BUFFER.constant(SYMBOL_TO_STRING_TAG, "ArrayBuffer", 4)

_TYPES: Final = {type.name: type for type in ELEMENT_TYPES}
_CHUNK: Final = 1 << 16
"""Elements that are converted at a time."""


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "ArrayBuffer":
        return realm.new_class(name, 1, _create_buffer, BUFFER, statics=BUFFER_STATICS)
    if name == "DataView":
        from . import data_view

        return data_view.make(realm, name)
    return _make_typed_array(realm, _TYPES[name])


def _make_typed_array(realm: Realm, type: ElementType) -> NativeConstructor:
    base = base_constructor(realm)
    table = Table()
    table.constant("BYTES_PER_ELEMENT", type.size, 0)
    made = realm.new_class(type.name, 3, _creator(type), table, statics=table)
    made.prototype = base
    made.properties["prototype"].prototype = base.properties["prototype"]
    return made


def base_constructor(realm: Realm) -> JSObject:
    """%TypedArray%, which no global names."""

    def make() -> JSObject:
        from .typed_arrays import PROTOTYPE, STATICS

        def refuse(realm: Realm, *args: Any) -> Any:
            throw_type_error("Abstract class TypedArray not directly constructable")

        prototype = BuiltinObject(realm, PROTOTYPE, realm.object_prototype)
        made = NativeConstructor(realm, "TypedArray", 0, refuse, refuse, prototype)
        fill(realm, made, STATICS)
        return made

    return realm.hidden("%TypedArray%", make)


# --- What others need ------------------------------------------------------------------------------------------------


def bytes_of(value: Any) -> memoryview | None:
    """The bytes of an ArrayBuffer or of a view of one; None for anything else."""
    if isinstance(value, JSArrayBuffer):
        return memoryview(value.data)
    if isinstance(value, JSTypedArray):
        return value.view
    from .data_view import JSDataView

    return value.view if isinstance(value, JSDataView) else None


def new_bytearray(size: int) -> bytearray:
    """Zeros. RangeError for too many."""
    made = None
    if size <= MAX_BYTES:
        try:
            made = bytearray(size)
        except MemoryError:
            pass
    if made is None:
        throw_range_error("Array buffer allocation failed")
    return made


def to_offset(value: Any, message: str) -> int:
    """A count or position that is not negative. RangeError with that message, in which {} is the value. Spec: 7.1.22."""
    integer = to_integer(value)
    if not 0 <= integer <= MAX_BYTES * 8:
        throw_range_error(message.replace("{}", number_to_string(integer)))
    return int(integer)


def raw_element(type: ElementType, value: Any) -> Any:
    """The number to store for a value. TypeError for a bigint in an array of numbers, and the other way round."""
    if type.is_bigint and not isinstance(value, BigInt):
        if isinstance(value, bool):
            return int(value)
        throw_type_error(f"Cannot convert {describe(value)} to a BigInt")
    return type.raw(value)


# --- ArrayBuffer -----------------------------------------------------------------------------------------------------


def _create_buffer(realm: Realm, prototype: JSObject, args: Args) -> JSArrayBuffer:
    size = to_integer(argument(args, 0))
    if size < 0:
        throw_range_error("Invalid array buffer length")
    size = to_offset(size, "Array buffer allocation failed")
    return JSArrayBuffer(prototype, new_bytearray(size))


def _buffer(this: Any, method: str) -> JSArrayBuffer:
    if not isinstance(this, JSArrayBuffer):
        throw_type_error(f"Method ArrayBuffer.prototype.{method} called on incompatible receiver {describe(this)}")
    return this


@BUFFER.getter("byteLength")
def get_byte_length(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 25.1.6.1."""
    return len(_buffer(this, "byteLength").data)


@BUFFER.method("slice", 2)
def slice_buffer(realm: Realm, this: Any, args: Args) -> Any:
    """A copy of some bytes. Spec: 25.1.6.7."""
    data = _buffer(this, "slice").data
    start = to_index(argument(args, 0), len(data))
    end = to_index(argument(args, 1), len(data), len(data))
    return realm.new_buffer(bytearray(memoryview(data)[start : max(start, end)]))


@BUFFER_STATICS.method("isView", 1)
def is_view(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 25.1.5.1."""
    value = argument(args, 0)
    return not isinstance(value, JSArrayBuffer) and bytes_of(value) is not None


@BUFFER_STATICS.getter(SYMBOL_SPECIES)
def get_species(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 25.1.5.3."""
    return this


# --- Constructors of typed arrays ------------------------------------------------------------------------------------


def _creator(type: ElementType) -> Callable[[Realm, JSObject, Args], JSTypedArray]:
    def create(realm: Realm, prototype: JSObject, args: Args) -> JSTypedArray:
        source = argument(args, 0)
        if not is_object(source):
            return new_typed_array(realm, type, to_offset(source, "Invalid typed array length: {}"), prototype)
        if isinstance(source, JSArrayBuffer):
            return _over_buffer(type, prototype, source, argument(args, 1), argument(args, 2))
        items = source if isinstance(source, JSTypedArray) else items_of(realm, source)
        made = new_typed_array(realm, type, items.length if isinstance(items, JSTypedArray) else len(items), prototype)
        store(made, 0, items)
        return made

    return create


def new_typed_array(realm: Realm, type: ElementType, length: int, prototype: JSObject | None = None) -> JSTypedArray:
    """Zeros. RangeError for too many."""
    if length * type.size > MAX_BYTES:
        throw_range_error(f"Invalid typed array length: {length}")
    buffer = realm.new_buffer(new_bytearray(length * type.size))
    return JSTypedArray(prototype or realm.prototype_of(type.name), type, buffer)


def _over_buffer(
    type: ElementType, prototype: JSObject, buffer: JSArrayBuffer, offset: Any, length: Any
) -> JSTypedArray:
    """Spec: 23.2.5.1.3."""
    start = to_offset(offset, "Start offset {} is outside the bounds of the buffer")
    size = len(buffer.data)
    if start % type.size:
        throw_range_error(f"start offset of {type.name} should be a multiple of {type.size}")
    if length is UNDEFINED:
        if size % type.size:
            throw_range_error(f"byte length of {type.name} should be a multiple of {type.size}")
        if start > size:
            throw_range_error(f"Start offset {start} is outside the bounds of the buffer")
        return JSTypedArray(prototype, type, buffer, start)
    count = to_offset(length, "Invalid typed array length: {}")
    if start + count * type.size > size:
        throw_range_error(f"Invalid typed array length: {count}")
    return JSTypedArray(prototype, type, buffer, start, count)


def items_of(realm: Realm, source: JSObject) -> list[Any]:
    """The items of an iterable, or of anything like an array. RangeError for too many."""
    if isinstance(source, JSArray) and source.get(SYMBOL_ITERATOR) is values_function(realm):
        return source.values()
    found: list[Any] = []
    if is_callable(source.get(SYMBOL_ITERATOR)):
        for item in iterate(realm, source):
            found.append(item)
            if len(found) > MAX_LENGTH:
                throw_range_error(f"Invalid typed array length: {len(found)}")
        return found
    length = length_of(source)
    if length > MAX_LENGTH:
        throw_range_error(f"Invalid typed array length: {length}")
    return [source.get_index(index) for index in range(length)]


def store(target: JSTypedArray, start: int, items: list[Any] | JSTypedArray) -> None:
    """Put items at an index, where there is room for them."""
    type = target.type
    if isinstance(items, JSTypedArray):
        if items.type.is_bigint != type.is_bigint:
            throw_type_error("Cannot mix BigInt and other types, use explicit conversions")
        if items.type is type or (type.size == items.type.size == 1 and not type.is_clamped):
            at = start * type.size
            target.view[at : at + len(items.view)] = items.view
        else:
            _convert(target, start, items)
        return
    if type.format == "B" and set(map(_class_of, items)) == {int}:
        try:
            target.view[start : start + len(items)] = bytes(items)
            return
        except ValueError:  # some are beyond a byte
            pass
    for index, item in enumerate(items, start):
        raw = raw_element(type, item)
        if index < target.length:
            target.items[index] = raw


_class_of = type
"""The function, where a parameter has its name."""


def _convert(target: JSTypedArray, start: int, source: JSTypedArray) -> None:
    """Copy elements of another type."""
    items = source.items
    if memoryview(target.buffer.data).obj is memoryview(source.buffer.data).obj:
        code: Any = source.type.format
        items = memoryview(bytes(source.view)).cast(code)  # what is written might be read again
    raw: Callable[[Any], Any] = target.type.raw
    for at in range(0, source.length, _CHUNK):
        for index, item in enumerate(items[at : at + _CHUNK].tolist(), start + at):
            target.items[index] = raw(BigInt(item) if source.type.is_bigint else item)
