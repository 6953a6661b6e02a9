"""How array and object literals are compiled. Spec: ECMA-262, 13.2.4 and 13.2.5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import CONFIGURABLE, ENUMERABLE, WRITABLE, Accessor, JSObject
from wazero_gojs.model.values import (
    UNDEFINED,
    is_object,
    to_key,
)

from . import nodes
from .binding import copy_properties, named
from .compiler import Closure, Compiler, compiles
from .functions import function_maker
from .member_code import items_maker
from .scope import Frame


@compiles(nodes.Array)
def array(compiler: Compiler, node: nodes.Array) -> Closure:
    """Spec: 13.2.4."""
    realm = compiler.realm
    items = items_maker(compiler, node.items, MAX_LENGTH, "Invalid array length")
    return lambda frame: realm.new_array(items(frame))


@compiles(nodes.Object)
def object_(compiler: Compiler, node: nodes.Object) -> Closure:
    """Spec: 13.2.5."""
    realm = compiler.realm
    steps = [property_step(compiler, item, ENUMERABLE) for item in node.properties]

    def run(frame: Frame) -> JSObject:
        made = realm.new_object()
        for add in steps:
            add(frame, made)
        return made

    return run


def property_step(compiler: Compiler, node: Any, enumerable: int) -> Callable[[Frame, JSObject], object]:
    """What adds a property, method, accessor or spread to an object."""
    realm = compiler.realm
    if isinstance(node, nodes.Spread):
        source = compiler.compile(node.value)
        return lambda frame, made: copy_properties(realm, made, source(frame))
    if isinstance(node, nodes.CoverDefault):
        compiler.compile(node)
    if node.kind in {"get", "set", "method"}:
        return _method_step(compiler, node, enumerable)
    if node.key == nodes.Literal("__proto__") and node.value != nodes.Name("__proto__"):
        value = compiler.compile(node.value)
        return lambda frame, made: _set_prototype(made, value(frame))
    if isinstance(node.key, nodes.Literal):
        name = node.key.value
        value = named(compiler, node.value, name)
        return lambda frame, made: made.define(name, value(frame))
    key = compiler.compile(node.key)
    value = compiler.compile(node.value)
    is_anonymous = isinstance(node.value, (nodes.Function, nodes.Class)) and not node.value.name

    def add(frame: Frame, made: JSObject) -> None:
        found = to_key(key(frame))
        content = value(frame)
        if is_anonymous and content.own("name") == "":
            content.properties["name"] = name_of_key(found)
        made.define(found, content)

    return add


def _set_prototype(made: JSObject, value: Any) -> None:
    if value is None or is_object(value):
        made.prototype = value


def name_of_key(key: Any) -> str:
    """What a method with such a key is called."""
    return key if isinstance(key, str) else f"[{key.description}]" if key.description is not None else ""


def _method_step(compiler: Compiler, node: nodes.Property, enumerable: int) -> Callable[[Frame, JSObject], object]:
    key = compiler.compile(node.key)
    make = function_maker(compiler, node.value)
    is_computed = not isinstance(node.key, nodes.Literal)
    kind = node.kind

    def add(frame: Frame, owner: JSObject) -> None:
        found = to_key(key(frame))
        function = make(frame, owner)
        if is_computed:
            function.properties["name"] = f"{kind} {name_of_key(found)}" if kind != "method" else name_of_key(found)
        if kind == "method":
            owner.define(found, function, enumerable | WRITABLE | CONFIGURABLE)
            return
        old = owner.own(found)
        getter, setter = (old.getter, old.setter) if type(old) is Accessor else (UNDEFINED, UNDEFINED)
        new = Accessor(function, setter) if kind == "get" else Accessor(getter, function)
        owner.define(found, new, enumerable | CONFIGURABLE)

    return add
