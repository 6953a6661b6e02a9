"""Arrays, and the arguments of a call. Spec: ECMA-262, 10.4.2."""

from __future__ import annotations

from typing import Any, Final, final

from .object import ALL, CONFIGURABLE, MISSING, WRITABLE, Accessor, JSObject
from .values import UNDEFINED, Symbol, index_of, throw_range_error, to_number, to_uint32

MAX_LENGTH: Final = 1 << 25
"""Items that an array can have, far fewer than in browsers: a guest must not take the host's memory by one assignment."""


@final
class JSArray(JSObject):
    """An array without holes at odd places: its items are a list, with `MISSING` where there is none.

    Lists of plain items may be read and changed directly if `is_plain`.
    """

    __slots__ = ("_item_attributes", "items")

    class_name = "Array"

    def __init__(self, prototype: JSObject, items: list[Any]) -> None:
        super().__init__(prototype)
        self.items = items
        self._item_attributes = ALL
        """Of those items that `attributes` does not name."""

    def describe(self) -> str:
        return "[object Array]"

    @property
    def is_plain(self) -> bool:
        """Whether items have no getters and may all be changed, and whether there may be more of them."""
        return self.is_extensible and not self.attributes

    # Own properties

    def own(self, key: str | Symbol) -> Any:
        index = index_of(key)
        if index >= 0:
            return self.items[index] if index < len(self.items) else MISSING
        return len(self.items) if key == "length" else self.properties.get(key, MISSING)

    def own_keys(self) -> list[str | Symbol]:
        indices: list[str | Symbol] = [str(i) for i, item in enumerate(self.items) if item is not MISSING]
        return [*indices, "length", *super().own_keys()]

    def attributes_of(self, key: str | Symbol) -> int:
        if key == "length":
            return self.attributes.get("length", WRITABLE)
        return self.attributes.get(key, self._item_attributes if index_of(key) >= 0 else ALL)

    def define(self, key: str | Symbol, value: Any, attributes: int = ALL) -> bool:
        index = index_of(key)
        if index >= 0:
            return self._define_item(index, value, attributes)
        if key == "length":
            return self._define_length(value, attributes)
        return super().define(key, value, attributes)

    def restrict(self, lost: int) -> bool:
        self.is_extensible = False
        for key in (*self.attributes, *self.properties):
            self.attributes[key] = self.attributes_of(key) & ~lost
        self._item_attributes &= ~lost
        self.attributes["length"] = self.attributes_of("length") & ~lost
        return True

    def delete(self, key: str | Symbol) -> bool:
        index = index_of(key)
        if index < 0:
            return key != "length" and super().delete(key)
        if index < len(self.items) and self.items[index] is not MISSING:
            if not self.attributes_of(key) & CONFIGURABLE:
                return False
            self.items[index] = MISSING
            self.attributes.pop(key, None)
        return True

    def set_own(self, key: str | Symbol, value: Any) -> None:
        index = index_of(key)
        if index >= 0:
            self._put(index, value)
        elif key == "length":
            self._set_length(value)
        else:
            super().set_own(key, value)

    def set(self, key: str | Symbol, value: Any) -> bool:
        if key == "length":
            length = _array_length(value)
            return bool(self.attributes_of(key) & WRITABLE) and self._set_length(length)
        index = index_of(key)
        if index >= len(self.items) and not self.attributes.get("length", WRITABLE) & WRITABLE:
            return False
        return super().set(key, value)

    def get_index(self, index: int) -> Any:
        if 0 <= index < len(self.items):
            item = self.items[index]
            if item is not MISSING and type(item) is not Accessor:
                return item
        return super().get_index(index)

    def set_index(self, index: int, value: Any) -> bool:
        items = self.items
        if 0 <= index < len(items) and items[index] is not MISSING and self.is_extensible and not self.attributes:
            items[index] = value
            return True
        return self.set(str(index), value)

    def values(self) -> list[Any]:
        """The items, UNDEFINED where there is none."""
        return [UNDEFINED if item is MISSING else item for item in self.items]

    def _define_item(self, index: int, value: Any, attributes: int) -> bool:
        key = str(index)
        if type(value) is Accessor:
            attributes &= ~WRITABLE
        if index >= len(self.items) and not self.attributes_of("length") & WRITABLE:
            return False
        if not self.may_define(key, value, attributes):
            return False
        self._put(index, value)
        if attributes == self._item_attributes:
            self.attributes.pop(key, None)
        else:
            self.attributes[key] = attributes
        return True

    def _define_length(self, value: Any, attributes: int) -> bool:
        length = _array_length(value)
        if not self.may_define("length", length, attributes):
            return False
        is_cut = length == len(self.items) or self._set_length(length)
        if not attributes & WRITABLE:
            self.attributes["length"] = 0
        return is_cut

    def _put(self, index: int, value: Any) -> None:
        if index >= len(self.items):
            self._grow(index + 1)
        self.items[index] = value

    def _set_length(self, value: Any) -> bool:
        """Cut or grow; False if an item may not be removed, which then is the last."""
        length = _array_length(value)
        if length < len(self.items) and (self.attributes or not self._item_attributes & CONFIGURABLE):
            for index in range(len(self.items) - 1, length - 1, -1):
                if not self.delete(str(index)):
                    del self.items[index + 1 :]
                    return False
        del self.items[length:]
        self._grow(length)
        return True

    def _grow(self, length: int) -> None:
        if length > MAX_LENGTH:
            throw_range_error("Invalid array length")
        self.items.extend([MISSING] * (length - len(self.items)))


def _array_length(value: Any) -> int:
    length = to_uint32(value)
    if length != to_number(value):
        throw_range_error("Invalid array length")
    return length
