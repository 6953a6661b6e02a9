"""Properties of any value, as if it were an object. Spec: ECMA-262, 7.3.3 and 13.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wazero_gojs.model.object import MISSING, Args, JSObject, is_callable
from wazero_gojs.model.values import UNDEFINED, Symbol, describe, is_object, throw_type_error, type_of

from .operations import name_of
from .wrappers import CLASSES, string_property

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm


def get_member(realm: Realm, value: Any, key: str | Symbol | int) -> Any:
    """The value of a property; an int is the key that its decimal digits are. TypeError for undefined and null."""
    if isinstance(value, JSObject):
        return value.get_index(key) if isinstance(key, int) else value.get(key)
    name = str(key) if isinstance(key, int) else key
    if isinstance(value, str):
        found = string_property(value, name)
        if found is not MISSING:
            return found
    return prototype_for(realm, value, f"Cannot read properties of {{}} (reading '{name}')").get(name, value)


def set_member(realm: Realm, value: Any, key: str | Symbol | int, new: Any) -> bool:
    """Assign to a property; False if that is not allowed. TypeError for undefined and null."""
    if isinstance(value, JSObject):
        return value.set_index(key, new) if isinstance(key, int) else value.set(key, new)
    name = str(key) if isinstance(key, int) else key
    prototype = prototype_for(realm, value, f"Cannot set properties of {{}} (setting '{name}')")
    if isinstance(value, str) and string_property(value, name) is not MISSING:
        return False
    return prototype.set_for(name, new, value)


def get_method(realm: Realm, value: Any, key: str | Symbol) -> Any:
    """The function that a property is, UNDEFINED if there is none. TypeError if it is anything else. Spec: 7.3.11."""
    method = get_member(realm, value, key)
    if method is UNDEFINED or method is None:
        return UNDEFINED
    if not is_callable(method):
        throw_type_error(
            f"'{describe(method)}' returned for property '{name_of(key)}' of object '{describe(value)}' is not a function"
        )
    return method


def call_member(realm: Realm, value: Any, key: str | Symbol | int, args: Args = ()) -> Any:
    """Call the method of a value. TypeError if there is none."""
    method = get_member(realm, value, key)
    if not is_callable(method):
        owner = "(intermediate value)" if is_object(value) else describe(value)
        throw_type_error(f"{owner}.{key} is not a function")
    return method.call(value, args)


def prototype_for(realm: Realm, value: Any, message: str) -> JSObject:
    """Where a primitive value inherits from. TypeError with this message for undefined and null, put in for {}."""
    kind = CLASSES.get(type_of(value))
    if kind is None:
        throw_type_error(message.replace("{}", describe(value), 1))
    return realm.prototype_of(kind)
