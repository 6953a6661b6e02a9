"""Buffers of bytes, and views of their bytes as numbers. Spec: ECMA-262, 25.1 and 23.2."""

from __future__ import annotations

import math
import struct
from typing import Any, Final, NamedTuple, final

from .object import ALL, MISSING, Accessor, JSObject
from .values import (
    UNDEFINED,
    BigInt,
    Symbol,
    describe,
    index_of,
    number_of,
    number_to_string,
    string_to_number,
    throw_range_error,
    throw_type_error,
    to_integer,
    to_number,
)

MAX_BYTES: Final = 1 << 31
"""Of one buffer."""


@final
class JSArrayBuffer(JSObject):
    """Bytes. `data` is a bytearray, or a memoryview of bytes that somebody else owns."""

    __slots__ = ("data",)

    class_name = "ArrayBuffer"

    def __init__(self, prototype: JSObject, data: bytearray | memoryview) -> None:
        super().__init__(prototype)
        self.data = data


class ElementType(NamedTuple):
    """A kind of typed array."""

    name: str
    format: str
    """For `struct` and memoryview."""
    size: int
    is_clamped: bool = False
    is_bigint: bool = False

    def raw(self, value: Any) -> int | float:
        """The number to store for a value: modulo the width, or clamped."""
        if self.is_bigint:
            if not isinstance(value, (BigInt, bool)):
                throw_type_error(f"Cannot convert {describe(value)} to a BigInt")
            bits = int(value) & 0xFFFFFFFFFFFFFFFF
            return bits - (1 << 64) if self.format == "q" and bits >> 63 else bits
        number = to_number(value)
        if self.format in "fd":
            return _single(number) if self.format == "f" else float(number)
        if self.is_clamped:
            return 0 if number != number else round(min(max(number, 0), 255))
        integer = to_integer(number)
        bits = 0 if isinstance(integer, float) else integer & (1 << 8 * self.size) - 1
        return bits - (1 << 8 * self.size) if self.format.islower() and bits >> 8 * self.size - 1 else bits


def _single(number: float) -> float:
    try:
        found: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return found


ELEMENT_TYPES: Final = (
    ElementType("Int8Array", "b", 1),
    ElementType("Uint8Array", "B", 1),
    ElementType("Uint8ClampedArray", "B", 1, is_clamped=True),
    ElementType("Int16Array", "h", 2),
    ElementType("Uint16Array", "H", 2),
    ElementType("Int32Array", "i", 4),
    ElementType("Uint32Array", "I", 4),
    ElementType("Float32Array", "f", 4),
    ElementType("Float64Array", "d", 8),
    ElementType("BigInt64Array", "q", 8, is_bigint=True),
    ElementType("BigUint64Array", "Q", 8, is_bigint=True),
)


@final
class JSTypedArray(JSObject):
    """A view of `length` elements from byte `offset` of a buffer on.

    `view` is those bytes, `items` the same as elements. RangeError for what is outside of the buffer.
    """

    __slots__ = ("buffer", "items", "length", "offset", "type", "view")

    def __init__(
        self, prototype: JSObject, type: ElementType, buffer: JSArrayBuffer, offset: int = 0, length: int | None = None
    ) -> None:
        super().__init__(prototype)
        self.type = type
        room = len(buffer.data) - offset
        if length is None:
            length = room // type.size
        if offset < 0 or offset % type.size or length < 0 or length * type.size > room:
            throw_range_error(f"Invalid typed array length or offset: {length} from {offset}")
        self.buffer = buffer
        self.offset = offset
        self.length = length
        self.view = memoryview(buffer.data)[offset : offset + length * type.size]
        view: Any = self.view
        self.items: Any = view if type.format == "B" else view.cast(type.format)

    @property
    def class_name(self) -> str:  # type: ignore[override]  # one class for all element types
        """The name of the element type."""
        return self.type.name

    def own(self, key: str | Symbol) -> Any:
        index = _position(key)
        return self.properties.get(key, MISSING) if index is None else self.element(index)

    def element(self, index: int) -> Any:
        """An element as a value, MISSING beyond the end."""
        if not 0 <= index < self.length:
            return MISSING
        item = self.items[index]
        return BigInt(item) if self.type.is_bigint else number_of(item)

    def own_keys(self) -> list[str | Symbol]:
        return [*map(str, range(self.length)), *super().own_keys()]

    def attributes_of(self, key: str | Symbol) -> int:
        return super().attributes_of(key) if _position(key) is None else ALL

    def define(self, key: str | Symbol, value: Any, attributes: int = ALL) -> bool:
        index = _position(key)
        if index is None:
            return super().define(key, value, attributes)
        if not 0 <= index < self.length or attributes != ALL or type(value) is Accessor:
            return False
        return self.set_index(index, value)

    def delete(self, key: str | Symbol) -> bool:
        return super().delete(key) if _position(key) is None else self.own(key) is MISSING

    def set(self, key: str | Symbol, value: Any) -> bool:
        index = _position(key)
        return super().set(key, value) if index is None else self.set_index(index, value)

    def set_own(self, key: str | Symbol, value: Any) -> None:
        index = _position(key)
        if index is None:
            super().set_own(key, value)
        else:
            self.set_index(index, value)

    def get_index(self, index: int) -> Any:
        value = self.element(index)
        return UNDEFINED if value is MISSING else value

    def set_index(self, index: int, value: Any) -> bool:
        raw = self.type.raw(value)
        if 0 <= index < self.length:
            self.items[index] = raw
        return True


def _position(key: object) -> int | None:
    """The index that a key is; -1 for other numbers, which name nothing; None for what is no number. Spec: 7.1.21."""
    if not isinstance(key, str) or not key or not (key[0] in _FIRST or key in _NAMED_NUMBERS):
        return None
    index = index_of(key)
    if index >= 0:
        return index
    return -1 if key == "-0" or number_to_string(string_to_number(key)) == key else None


_FIRST: Final = frozenset("-0123456789")
_NAMED_NUMBERS: Final = frozenset({"Infinity", "NaN"})
