"""Reflect, and the constructor Proxy. Spec: ECMA-262, 28.1 and 28.2."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import CONFIGURABLE, Args, JSObject, NativeFunction, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    describe,
    is_object,
    throw_type_error,
    to_key,
    type_of,
)

from . import descriptors
from .operations import is_constructor, list_from, require_object
from .proxy import JSProxy

TABLE: Final = Table()
TABLE.constant(SYMBOL_TO_STRING_TAG, "Reflect", CONFIGURABLE)

PROXY_STATICS: Final = Table()


def make(realm: Realm, name: str) -> Any:
    """The global Reflect or Proxy."""
    if name == "Reflect":
        return realm.new_namespace(TABLE)
    constructor = realm.new_class(name, 2, _create_proxy, Table(), statics=PROXY_STATICS)
    del constructor.properties["prototype"]
    return constructor


def _create_proxy(realm: Realm, prototype: Any, args: Args) -> JSProxy:
    """Spec: 10.5.14."""
    target, handler = argument(args, 0), argument(args, 1)
    if not is_object(target) or not is_object(handler):
        throw_type_error("Cannot create proxy with a non-object as target or handler")
    return JSProxy(realm, target, handler)


@PROXY_STATICS.method("revocable", 2)
def revocable(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.2.2.1."""
    proxy = _create_proxy(realm, None, args)

    def revoke(realm: Realm, this: Any, args: Args) -> Any:
        proxy.revoke()
        return UNDEFINED

    return realm.new_object({"proxy": proxy, "revoke": NativeFunction(realm, "", 0, revoke)})


def _target(args: Args, name: str) -> JSObject:
    return require_object(argument(args, 0), f"Reflect.{name}")


@TABLE.method("apply", 3)
def apply(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.1."""
    function = argument(args, 0)
    if not is_callable(function):
        kind = type_of(function)
        shown = f"{'an' if kind == 'object' else 'a'} {kind}"
        throw_type_error(
            f"Function.prototype.apply was called on {describe(function)}, which is {shown} and not a function"
        )
    return function.call(argument(args, 1), list_from(argument(args, 2)))


@TABLE.method("construct", 2)
def construct(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.2."""
    constructor = argument(args, 0)
    new_target = args[2] if len(args) > 2 else constructor
    for value in (constructor, new_target):
        if not is_constructor(value):
            text = value.source_text() if hasattr(value, "source_text") else describe(value)
            throw_type_error(f"{text} is not a constructor")
    return constructor.construct(list_from(argument(args, 1)), new_target)


@TABLE.method("defineProperty", 3)
def define_property(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.3."""
    target = _target(args, "defineProperty")
    key = to_key(argument(args, 1))
    return descriptors.apply(target, key, descriptors.read(argument(args, 2)))


@TABLE.method("deleteProperty", 2)
def delete_property(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.4."""
    return _target(args, "deleteProperty").delete(to_key(argument(args, 1)))


@TABLE.method("get", 2)
def get(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.5."""
    target = _target(args, "get")
    return target.get(to_key(argument(args, 1)), args[2] if len(args) > 2 else target)


@TABLE.method("getOwnPropertyDescriptor", 2)
def get_own_property_descriptor(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.6."""
    target = _target(args, "getOwnPropertyDescriptor")
    return descriptors.own_property(realm, target, to_key(argument(args, 1)))


@TABLE.method("getPrototypeOf", 1)
def get_prototype_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.7."""
    return _target(args, "getPrototypeOf").prototype


@TABLE.method("has", 2)
def has(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.8."""
    return _target(args, "has").has(to_key(argument(args, 1)))


@TABLE.method("isExtensible", 1)
def is_extensible(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.9."""
    return _target(args, "isExtensible").is_extensible


@TABLE.method("ownKeys", 1)
def own_keys(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.10."""
    return realm.new_array(_target(args, "ownKeys").own_keys())


@TABLE.method("preventExtensions", 1)
def prevent_extensions(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.11."""
    return _target(args, "preventExtensions").prevent_extensions()


@TABLE.method("set", 3)
def set_value(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.12."""
    target = _target(args, "set")
    key, value = to_key(argument(args, 1)), argument(args, 2)
    receiver = args[3] if len(args) > 3 else target
    return target.set(key, value) if receiver is target else target.set_for(key, value, receiver)


@TABLE.method("setPrototypeOf", 2)
def set_prototype_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 28.1.13."""
    target = _target(args, "setPrototypeOf")
    prototype = argument(args, 1)
    if prototype is not None and not is_object(prototype):
        throw_type_error(f"Object prototype may only be an Object or null: {describe(prototype)}")
    if target is realm.object_prototype:
        return prototype is None
    return target.set_prototype(prototype)
