"""Objects that hold a string, number, boolean, bigint or symbol: what primitive values become as objects. Spec: 10.4.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import ALL, ENUMERABLE, MISSING, JSObject
from wazero_gojs.model.values import Symbol, index_of, is_object, throw_type_error, type_of

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

CLASSES: Final = {"string": "String", "number": "Number", "boolean": "Boolean", "bigint": "BigInt", "symbol": "Symbol"}
"""The class of each type of primitive values, by what typeof says."""


class JSWrapper(JSObject):
    """An object that holds a primitive value."""

    __slots__ = ("value",)

    def __init__(self, prototype: JSObject, value: Any) -> None:
        super().__init__(prototype)
        self.value = value

    @property
    def class_name(self) -> str:  # type: ignore[override]  # one class for all types
        """The class of the value."""
        return CLASSES[type_of(self.value)]

    def describe(self) -> str:
        return f"[object {self.class_name}]"


class JSString(JSWrapper):
    """A String object: the units of its text are properties."""

    __slots__ = ()

    def own(self, key: str | Symbol) -> Any:
        found = string_property(self.value, key)
        return super().own(key) if found is MISSING else found

    def own_keys(self) -> list[str | Symbol]:
        indices: list[str | Symbol] = [str(i) for i in range(utf16.length(self.value))]
        others = super().own_keys()
        count = sum(index_of(key) >= 0 for key in others)
        return [*indices, *others[:count], "length", *others[count:]]

    def attributes_of(self, key: str | Symbol) -> int:
        if string_property(self.value, key) is MISSING:
            return super().attributes_of(key)
        return 0 if key == "length" else ENUMERABLE

    def define(self, key: str | Symbol, value: Any, attributes: int = ALL) -> bool:
        if string_property(self.value, key) is MISSING:
            return super().define(key, value, attributes)
        return self.may_define(key, value, attributes)

    def delete(self, key: str | Symbol) -> bool:
        return string_property(self.value, key) is MISSING and super().delete(key)


def string_property(text: str, key: str | Symbol) -> Any:
    """The own property of a string: a unit or the length; `MISSING` for other keys."""
    if key == "length":
        return utf16.length(text)
    index = index_of(key)
    if index < 0:
        return MISSING
    return utf16.character_at(text, index) or MISSING


def to_object(realm: Realm, value: Any) -> Any:
    """The object that a value is or becomes. TypeError for undefined and null. Spec: 7.1.18."""
    if is_object(value):
        return value
    kind = CLASSES.get(type_of(value))
    if kind is None:
        throw_type_error("Cannot convert undefined or null to object")
    return (JSString if kind == "String" else JSWrapper)(realm.prototype_of(kind), value)
