"""DataView: numbers of any type at any place of a buffer. Spec: ECMA-262, 25.3."""

from __future__ import annotations

import struct
from typing import Any, Final, final

from wazero_gojs.model.buffer import ELEMENT_TYPES, ElementType, JSArrayBuffer
from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    BigInt,
    describe,
    number_of,
    throw_range_error,
    throw_type_error,
    to_boolean,
)

from .buffers import raw_element, to_offset

PROTOTYPE: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "DataView", 4)

_OUTSIDE: Final = "Offset is outside the bounds of the DataView"


@final
class JSDataView(JSObject):
    """A view of some bytes of a buffer."""

    __slots__ = ("buffer", "offset", "view")

    class_name = "DataView"

    def __init__(self, prototype: JSObject, buffer: JSArrayBuffer, offset: int, length: int) -> None:
        super().__init__(prototype)
        self.buffer = buffer
        self.offset = offset
        self.view = memoryview(buffer.data)[offset : offset + length]


def make(realm: Realm, name: str) -> Any:
    """The global DataView."""
    return realm.new_class(name, 1, _create, PROTOTYPE)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSDataView:
    buffer = argument(args, 0)
    if not isinstance(buffer, JSArrayBuffer):
        throw_type_error("First argument to DataView constructor must be an ArrayBuffer")
    size = len(buffer.data)
    offset = to_offset(argument(args, 1), "Start offset {} is outside the bounds of the buffer")
    if offset > size:
        throw_range_error(f"Start offset {offset} is outside the bounds of the buffer")
    if argument(args, 2) is UNDEFINED:
        return JSDataView(prototype, buffer, offset, size - offset)
    length = to_offset(args[2], "Invalid DataView length {}")
    if offset + length > size:
        throw_range_error(f"Invalid DataView length {length}")
    return JSDataView(prototype, buffer, offset, length)


def _data_view(this: Any, method: str) -> JSDataView:
    if not isinstance(this, JSDataView):
        throw_type_error(f"Method DataView.prototype.{method} called on incompatible receiver {describe(this)}")
    return this


@PROTOTYPE.getter("buffer")
def get_buffer(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 25.3.4.1."""
    return _data_view(this, "buffer").buffer


@PROTOTYPE.getter("byteLength")
def get_byte_length(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 25.3.4.2."""
    return len(_data_view(this, "byteLength").view)


@PROTOTYPE.getter("byteOffset")
def get_byte_offset(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 25.3.4.3."""
    return _data_view(this, "byteOffset").offset


def _add_accessors(type: ElementType) -> None:
    name = type.name.removesuffix("Array")
    formats = (struct.Struct(f">{type.format}"), struct.Struct(f"<{type.format}"))

    @PROTOTYPE.method(f"get{name}", 1)
    def get(realm: Realm, this: Any, args: Args) -> Any:
        view = _data_view(this, f"get{name}").view
        at = to_offset(argument(args, 0), _OUTSIDE)
        layout = formats[to_boolean(argument(args, 1))]
        if at + type.size > len(view):
            throw_range_error(_OUTSIDE)
        (item,) = layout.unpack_from(view, at)
        return BigInt(item) if type.is_bigint else number_of(item)

    @PROTOTYPE.method(f"set{name}", 2)
    def set_(realm: Realm, this: Any, args: Args) -> Any:
        view = _data_view(this, f"set{name}").view
        at = to_offset(argument(args, 0), _OUTSIDE)
        raw = raw_element(type, argument(args, 1))
        layout = formats[to_boolean(argument(args, 2))]
        if at + type.size > len(view):
            throw_range_error(_OUTSIDE)
        layout.pack_into(view, at, raw)
        return UNDEFINED


for _type in ELEMENT_TYPES:
    if not _type.is_clamped:
        _add_accessors(_type)
