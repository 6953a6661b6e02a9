"""Property descriptors: from objects, to objects, and applied to objects. Spec: ECMA-262, 6.2.6 and 10.1.6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wazero_gojs.model.object import (
    CONFIGURABLE,
    ENUMERABLE,
    MISSING,
    WRITABLE,
    Accessor,
    JSObject,
    is_callable,
)
from wazero_gojs.model.values import UNDEFINED, Symbol, describe, is_object, throw_type_error, to_boolean

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_ATTRIBUTES: Final = (("enumerable", ENUMERABLE), ("configurable", CONFIGURABLE), ("writable", WRITABLE))


class Descriptor(NamedTuple):
    """What `Object.defineProperty` is told about a property; `MISSING` for what it is not told."""

    value: Any
    getter: Any
    setter: Any
    attributes: int
    """Those that are to be there."""
    known: int
    """Those that the descriptor says anything about."""

    @property
    def is_accessor(self) -> bool:
        """Whether it speaks of a getter or a setter."""
        return self.getter is not MISSING or self.setter is not MISSING

    @property
    def is_data(self) -> bool:
        """Whether it speaks of a value."""
        return self.value is not MISSING or bool(self.known & WRITABLE)


def read(value: Any) -> Descriptor:
    """The descriptor that an object is. TypeError for what is none. Spec: 6.2.6.5."""
    if not is_object(value):
        throw_type_error(f"Property description must be an object: {describe(value)}")
    attributes = known = 0
    for name, bit in _ATTRIBUTES:
        found = _field(value, name)
        if found is not MISSING:
            known |= bit
            attributes |= bit if to_boolean(found) else 0
    content = _field(value, "value")
    getter, setter = _field(value, "get"), _field(value, "set")
    for function, kind in ((getter, "Getter"), (setter, "Setter")):
        if function is not MISSING and function is not UNDEFINED and not is_callable(function):
            throw_type_error(f"{kind} must be a function: {describe(function)}")
    descriptor = Descriptor(content, getter, setter, attributes, known)
    if descriptor.is_accessor and descriptor.is_data:
        throw_type_error(
            "Invalid property descriptor. Cannot both specify accessors and a value or writable attribute, "
            + describe(value)
        )
    return descriptor


def _field(value: JSObject, name: str) -> Any:
    found = value.get(name)
    return found if found is not UNDEFINED or value.has(name) else MISSING


def write(realm: Realm, value: Any, attributes: int) -> JSObject:
    """The object for a property that is there. Spec: 6.2.6.4."""
    fields = (
        {"get": value.getter, "set": value.setter}
        if type(value) is Accessor
        else {"value": value, "writable": bool(attributes & WRITABLE)}
    )
    fields["enumerable"] = bool(attributes & ENUMERABLE)
    fields["configurable"] = bool(attributes & CONFIGURABLE)
    return realm.new_object(fields)


def write_partial(realm: Realm, descriptor: Descriptor) -> JSObject:
    """The object with just those fields that a descriptor has."""
    fields = {"value": descriptor.value, "get": descriptor.getter, "set": descriptor.setter}
    fields = {name: value for name, value in fields.items() if value is not MISSING}
    for name, bit in _ATTRIBUTES:
        if descriptor.known & bit:
            fields[name] = bool(descriptor.attributes & bit)
    return realm.new_object(fields)


def own_property(realm: Realm, target: JSObject, key: str | Symbol) -> Any:
    """The descriptor of an own property as an object, or UNDEFINED."""
    value = target.own(key)
    return UNDEFINED if value is MISSING else write(realm, value, target.attributes_of(key))


def apply(target: JSObject, key: str | Symbol, descriptor: Descriptor) -> bool:
    """Make or change an own property; whether that was allowed. Spec: 10.1.6.3."""
    if target.has_own_rules:
        return bool(target.define_as(key, descriptor))  # type: ignore[attr-defined]  # only proxies have them
    old = target.own(key)
    attributes = 0 if old is MISSING else target.attributes_of(key)
    if (descriptor.is_data and type(old) is Accessor) or descriptor.is_accessor:
        attributes &= ~WRITABLE
    attributes = attributes & ~descriptor.known | descriptor.attributes
    value: Any
    if descriptor.is_accessor:
        before = old if type(old) is Accessor else Accessor()
        value = Accessor(
            before.getter if descriptor.getter is MISSING else descriptor.getter,
            before.setter if descriptor.setter is MISSING else descriptor.setter,
        )
    elif descriptor.value is not MISSING:
        value = descriptor.value
    else:
        value = UNDEFINED if old is MISSING or (descriptor.is_data and type(old) is Accessor) else old
    return target.define(key, value, attributes)
