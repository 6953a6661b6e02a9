"""What all objects inherit. Spec: ECMA-262, 20.1.3 and B.2.2."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import (
    CONFIGURABLE,
    ENUMERABLE,
    MISSING,
    Accessor,
    Args,
    JSObject,
    argument,
    inherits,
    is_callable,
    prototypes_of,
)
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG, UNDEFINED, is_object, throw_type_error, to_key

from . import descriptors
from .operations import require_value, throw_not_definable
from .primitives import call_member
from .wrappers import to_object

PROTOTYPE: Final = Table()
PROTOTYPE.made("constructor", lambda realm: realm.intrinsic("Object"))


@PROTOTYPE.method("hasOwnProperty", 1)
def has_own_property(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.2."""
    key = to_key(argument(args, 0))
    return to_object(realm, this).own(key) is not MISSING


@PROTOTYPE.method("isPrototypeOf", 1)
def is_prototype_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.3."""
    value = argument(args, 0)
    return is_object(value) and inherits(value, to_object(realm, this))


@PROTOTYPE.method("propertyIsEnumerable", 1)
def property_is_enumerable(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.4."""
    key = to_key(argument(args, 0))
    target = to_object(realm, this)
    return target.own(key) is not MISSING and bool(target.attributes_of(key) & ENUMERABLE)


@PROTOTYPE.method("toString", 0)
def to_string(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.6."""
    if this is UNDEFINED:
        return "[object Undefined]"
    if this is None:
        return "[object Null]"
    target = to_object(realm, this)
    tag = target.get(SYMBOL_TO_STRING_TAG)
    return f"[object {tag if isinstance(tag, str) else target.class_name}]"


@PROTOTYPE.method("toLocaleString", 0)
def to_locale_string(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.5."""
    require_value(this, "Object.prototype.toLocaleString")
    return call_member(realm, this, "toString")


@PROTOTYPE.method("valueOf", 0)
def value_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.7."""
    return to_object(realm, this)


# --- What browsers had before there was Object.defineProperty --------------------------------------------------------


def _set_proto(realm: Realm, this: Any, args: Args) -> Any:
    from .objects import change_prototype

    require_value(this, "Object.prototype.__proto__")
    prototype = argument(args, 0)
    if is_object(this) and (prototype is None or is_object(prototype)):
        change_prototype(realm, this, prototype)
    return UNDEFINED


@PROTOTYPE.getter("__proto__", _set_proto)
def get_proto(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.8."""
    return to_object(realm, this).prototype


@PROTOTYPE.method("__defineGetter__", 2)
def define_getter(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.9.1."""
    return _define(to_object(realm, this), args, getter=_function(args, "Getter"))


@PROTOTYPE.method("__defineSetter__", 2)
def define_setter(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.9.2."""
    return _define(to_object(realm, this), args, setter=_function(args, "Setter"))


def _function(args: Args, kind: str) -> Any:
    function = argument(args, 1)
    if not is_callable(function):
        throw_type_error(f"Object.prototype.__define{kind}__: Expecting function")
    return function


def _define(target: JSObject, args: Args, getter: Any = MISSING, setter: Any = MISSING) -> Any:
    key = to_key(argument(args, 0))
    attributes = ENUMERABLE | CONFIGURABLE
    if not descriptors.apply(target, key, descriptors.Descriptor(MISSING, getter, setter, attributes, attributes)):
        throw_not_definable(target, key)
    return UNDEFINED


@PROTOTYPE.method("__lookupGetter__", 1)
def lookup_getter(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.9.3."""
    found = _lookup(to_object(realm, this), args)
    return UNDEFINED if found is None else found.getter


@PROTOTYPE.method("__lookupSetter__", 1)
def lookup_setter(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.3.9.4."""
    found = _lookup(to_object(realm, this), args)
    return UNDEFINED if found is None else found.setter


def _lookup(target: JSObject, args: Args) -> Accessor | None:
    key = to_key(argument(args, 0))
    for holder in (target, *prototypes_of(target)):
        value = holder.own(key)
        if value is not MISSING:
            return value if type(value) is Accessor else None
    return None
