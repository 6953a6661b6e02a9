"""Object: its constructor and functions, and what all objects inherit. Spec: ECMA-262, 20.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.model.object import (
    CONFIGURABLE,
    ENUMERABLE,
    MISSING,
    WRITABLE,
    Accessor,
    Args,
    JSObject,
    NativeConstructor,
    argument,
)
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table, fill
from wazero_gojs.model.values import (
    UNDEFINED,
    Symbol,
    describe,
    is_object,
    same_value,
    throw_type_error,
    to_key,
)

from . import descriptors
from .iteration import entries_of, iterate
from .object_prototype import PROTOTYPE
from .operations import callback, put, require_object, require_value, throw_not_definable
from .wrappers import to_object

__all__ = ["PROTOTYPE", "STATICS", "make"]

STATICS: Final = Table()


def make(realm: Realm, name: str) -> Any:
    """The global Object."""
    constructor = NativeConstructor(realm, name, 1, _call, _create, realm.object_prototype)
    fill(realm, constructor, STATICS)
    return constructor


def _call(realm: Realm, this: Any, args: Args) -> Any:
    return _create(realm, realm.object_prototype, args)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    value = argument(args, 0)
    if prototype is not realm.object_prototype or value is UNDEFINED or value is None:
        return JSObject(prototype)
    return to_object(realm, value)


# --- Keys, values, entries -------------------------------------------------------------------------------------------


def _enumerable_own(realm: Realm, args: Args, make_item: Callable[[str, Any], Any]) -> Any:
    target = to_object(realm, argument(args, 0))
    return realm.new_array(
        make_item(key, target.get(key))
        for key in target.own_keys()
        # A getter may have removed the next property, or hidden it.
        if isinstance(key, str) and target.own(key) is not MISSING and target.attributes_of(key) & ENUMERABLE
    )


@STATICS.method("keys", 1)
def keys(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.19."""
    return realm.new_array(to_object(realm, argument(args, 0)).enumerable_keys())


@STATICS.method("values", 1)
def values(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.24."""
    return _enumerable_own(realm, args, lambda key, value: value)


@STATICS.method("entries", 1)
def entries(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.5."""
    return _enumerable_own(realm, args, lambda key, value: realm.new_array((key, value)))


@STATICS.method("fromEntries", 1)
def from_entries(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.7."""
    pairs = argument(args, 0)
    if pairs is UNDEFINED or pairs is None:
        throw_type_error("undefined is not iterable")
    made = realm.new_object()
    for key, value in entries_of(realm, pairs):
        made.define(to_key(key), value)
    return made


@STATICS.method("groupBy", 2)
def group_by(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: ES2024, 20.1.2.13."""
    function = callback(args, 1)
    groups: dict[str | Symbol, list[Any]] = {}
    for index, value in enumerate(iterate(realm, argument(args, 0))):
        groups.setdefault(to_key(function.call(UNDEFINED, (value, index))), []).append(value)
    made = JSObject(None)
    for key, items in groups.items():
        made.properties[key] = realm.new_array(items)
    return made


@STATICS.method("assign", 2)
def assign(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.1."""
    target = to_object(realm, argument(args, 0))
    for value in args[1:]:
        if value is UNDEFINED or value is None:
            continue
        source = to_object(realm, value)
        for key in source.own_keys():
            if source.own(key) is not MISSING and source.attributes_of(key) & ENUMERABLE:
                put(target, key, source.get(key))
    return target


@STATICS.method("getOwnPropertyNames", 1)
def get_own_property_names(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.10."""
    return realm.new_array(key for key in to_object(realm, argument(args, 0)).own_keys() if isinstance(key, str))


@STATICS.method("getOwnPropertySymbols", 1)
def get_own_property_symbols(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.11."""
    return realm.new_array(key for key in to_object(realm, argument(args, 0)).own_keys() if isinstance(key, Symbol))


@STATICS.method("is", 2)
def is_same(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.14."""
    return same_value(argument(args, 0), argument(args, 1))


@STATICS.method("hasOwn", 2)
def has_own(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.13."""
    target = to_object(realm, argument(args, 0))
    return target.own(to_key(argument(args, 1))) is not MISSING


# --- Descriptors -----------------------------------------------------------------------------------------------------


@STATICS.method("getOwnPropertyDescriptor", 2)
def get_own_property_descriptor(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.8."""
    target = to_object(realm, argument(args, 0))
    return descriptors.own_property(realm, target, to_key(argument(args, 1)))


@STATICS.method("getOwnPropertyDescriptors", 1)
def get_own_property_descriptors(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.9."""
    target = to_object(realm, argument(args, 0))
    made = realm.new_object()
    for key in target.own_keys():
        descriptor = descriptors.own_property(realm, target, key)
        if descriptor is not UNDEFINED:
            made.define(key, descriptor)
    return made


@STATICS.method("defineProperty", 3)
def define_property(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.4."""
    target = require_object(argument(args, 0), "Object.defineProperty")
    key = to_key(argument(args, 1))
    _define(target, key, descriptors.read(argument(args, 2)))
    return target


@STATICS.method("defineProperties", 2)
def define_properties(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.3."""
    target = require_object(argument(args, 0), "Object.defineProperties")
    _define_all(realm, target, argument(args, 1))
    return target


def _define_all(realm: Realm, target: JSObject, described: Any) -> None:
    source = to_object(realm, described)
    found = [
        (key, descriptors.read(source.get(key)))
        for key in source.own_keys()
        if source.own(key) is not MISSING and source.attributes_of(key) & ENUMERABLE
    ]
    for key, descriptor in found:
        _define(target, key, descriptor)


def _define(target: JSObject, key: str | Symbol, descriptor: descriptors.Descriptor) -> None:
    if not descriptors.apply(target, key, descriptor):
        throw_not_definable(target, key)


# --- Prototypes ------------------------------------------------------------------------------------------------------


@STATICS.method("create", 2)
def create_object(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.2."""
    made = JSObject(_prototype(argument(args, 0)))
    if argument(args, 1) is not UNDEFINED:
        _define_all(realm, made, args[1])
    return made


@STATICS.method("getPrototypeOf", 1)
def get_prototype_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.12."""
    return to_object(realm, argument(args, 0)).prototype


@STATICS.method("setPrototypeOf", 2)
def set_prototype_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.23."""
    target = argument(args, 0)
    require_value(target, "Object.setPrototypeOf")
    prototype = _prototype(argument(args, 1))
    if is_object(target):
        change_prototype(realm, target, prototype)
    return target


def _prototype(value: Any) -> JSObject | None:
    if value is not None and not is_object(value):
        throw_type_error(f"Object prototype may only be an Object or null: {describe(value)}")
    found: JSObject | None = value
    return found


def change_prototype(realm: Realm, target: JSObject, prototype: JSObject | None) -> None:
    """Have an object inherit from another. TypeError if that is not allowed."""
    if target is realm.object_prototype and prototype is not None:
        throw_type_error("Immutable prototype object 'Object.prototype' cannot have their prototype set")
    if target.set_prototype(prototype):
        return
    if target.has_own_rules:
        throw_type_error("'setPrototypeOf' on proxy: trap returned falsish for property 'undefined'")
    if target.is_extensible:
        throw_type_error("Cyclic __proto__ value")
    throw_type_error(f"{target.describe()} is not extensible")


# --- Integrity -------------------------------------------------------------------------------------------------------


@STATICS.method("preventExtensions", 1)
def prevent_extensions(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.20."""
    target = argument(args, 0)
    if is_object(target) and not target.prevent_extensions():
        throw_type_error("'preventExtensions' on proxy: trap returned falsish")
    return target


@STATICS.method("isExtensible", 1)
def is_extensible(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.16."""
    target = argument(args, 0)
    return is_object(target) and target.is_extensible


@STATICS.method("freeze", 1)
def freeze(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.6."""
    return _restrict(argument(args, 0), CONFIGURABLE | WRITABLE, "freeze")


@STATICS.method("seal", 1)
def seal(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.22."""
    return _restrict(argument(args, 0), CONFIGURABLE, "seal")


def _restrict(target: Any, lost: int, verb: str) -> Any:
    if not is_object(target):
        return target
    from wazero_gojs.model.buffer import JSTypedArray

    if isinstance(target, JSTypedArray):
        if lost & WRITABLE and target.length:
            throw_type_error("Cannot freeze array buffer views with elements")
        target.prevent_extensions()
    elif target.has_own_rules and not target.prevent_extensions():
        throw_type_error("'preventExtensions' on proxy: trap returned falsish")
    elif not target.restrict(lost):
        throw_type_error(f"Cannot {verb}")
    return target


@STATICS.method("isFrozen", 1)
def is_frozen(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.17."""
    return _is_restricted(argument(args, 0), CONFIGURABLE | WRITABLE)


@STATICS.method("isSealed", 1)
def is_sealed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.1.2.18."""
    return _is_restricted(argument(args, 0), CONFIGURABLE)


def _is_restricted(target: Any, lost: int) -> bool:
    if not is_object(target):
        return True
    if target.is_extensible:
        return False
    for key in target.own_keys():
        value = target.own(key)
        mask = lost & ~WRITABLE if type(value) is Accessor else lost
        if value is not MISSING and target.attributes_of(key) & mask:
            return False
    return True
