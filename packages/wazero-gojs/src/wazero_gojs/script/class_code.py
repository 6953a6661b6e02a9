"""How classes are compiled. Spec: ECMA-262, 15.7."""

from __future__ import annotations

from typing import Any

from wazero_gojs.model.object import HIDDEN, JSFunction, JSObject
from wazero_gojs.model.values import ThrownByName, describe, is_object, throw_type_error, to_key

from . import nodes
from .compiler import Closure, Compiler, compiles
from .functions import ScriptConstructor, ScriptFunction, compile_function, function_maker
from .member_code import arguments
from .object_code import property_step
from .scope import TDZ, Frame

_ARGS = "args"


@compiles(nodes.Class)
def class_(compiler: Compiler, node: nodes.Class) -> Closure:
    """A class expression."""
    return class_definition(compiler, node, node.name)


@compiles(nodes.ClassDeclaration)
def class_declaration(compiler: Compiler, node: nodes.ClassDeclaration) -> Closure:
    """A class that is a variable."""
    value = class_definition(compiler, node.definition, node.definition.name)
    write = compiler.writer(node.definition.name, is_initial=True)
    return lambda frame: write(frame, value(frame))


def class_definition(compiler: Compiler, node: nodes.Class, name: str) -> Closure:
    """What makes the class. `name` may be that of the variable it is assigned to."""
    realm = compiler.realm
    outer_scope, was_strict = compiler.scope, compiler.is_strict
    compiler.is_strict = True
    scope = compiler.open_block([(node.name, "const")] if node.name else [], has_functions=True)
    enter = compiler.entry(scope)
    heritage = None if node.parent is None else compiler.compile(node.parent)
    code = compile_function(compiler, _constructor(node, name))
    members = [_member(compiler, member) for member in node.members]
    write_name = compiler.writer(node.name, is_initial=True) if node.name else None
    compiler.scope, compiler.is_strict = outer_scope, was_strict

    def run(outer: Frame) -> Any:
        frame = enter(outer)
        prototype_parent: Any = realm.object_prototype
        parent: Any = realm.function_prototype
        if heritage is not None:
            prototype_parent, parent = _parents(heritage(frame), parent)
        prototype = JSObject(prototype_parent)
        made = ScriptConstructor(realm, code, frame, prototype)
        made.prototype = parent
        made.properties["prototype"] = prototype
        made.attributes["prototype"] = 0
        prototype.define("constructor", made, HIDDEN)
        late = [add(frame, made, prototype) for add in members]
        if write_name is not None:
            write_name(frame, made)
        for key, function in filter(None, late):
            made.define(key, function.call(made, ()))
        return made

    return run


def _constructor(node: nodes.Class, name: str) -> nodes.Function:
    """The constructor, which is as good as written if it is not."""
    kind = "constructor" if node.parent is None else "derived"
    if node.constructor is not None:
        return node.constructor._replace(name=name, source=node.source)
    if node.parent is None:
        return nodes.Function(name, (), (), kind, node.source, True)
    pass_on = nodes.Call(nodes.Super(), (nodes.Spread(nodes.Name(_ARGS)),))
    body = (nodes.ExpressionStatement(pass_on),)
    return nodes.Function(name, (nodes.Rest(nodes.Name(_ARGS)),), body, kind, node.source, True)


def _parents(parent: Any, function_prototype: Any) -> tuple[Any, Any]:
    """What prototype and constructor of a class inherit from."""
    if parent is None:
        return None, function_prototype
    if not getattr(parent, "is_constructor", False):
        shown = parent.source_text() if isinstance(parent, JSFunction) else describe(parent)
        throw_type_error(f"Class extends value {shown} is not a constructor or null")
    prototype = parent.get("prototype")
    if prototype is not None and not is_object(prototype):
        throw_type_error(f"Class extends value does not have valid prototype property {describe(prototype)}")
    return prototype, parent


def _member(compiler: Compiler, node: nodes.Property) -> Any:
    """What adds a member to a class and its prototype; the result of a static field is what to do in the end."""
    is_static = node.is_static
    if node.kind != "field":
        add = property_step(compiler, node, 0)

        def add_method(frame: Frame, made: JSObject, prototype: JSObject) -> None:
            add(frame, made if is_static else prototype)

        return add_method
    key = compiler.compile(node.key)
    name = str(node.key.value) if isinstance(node.key, nodes.Literal) else ""
    make = function_maker(compiler, _with_named_value(node.value, name))

    def add_field(frame: Frame, made: ScriptFunction, prototype: JSObject) -> Any:
        field = to_key(key(frame)), make(frame, made if is_static else prototype)
        if is_static:
            return field
        made.fields.append(field)
        return None

    return add_field


def _with_named_value(function: nodes.Function, name: str) -> nodes.Function:
    value = function.body[0].value
    if isinstance(value, (nodes.Function, nodes.Class)) and not value.name:
        return function._replace(body=(nodes.Return(value._replace(name=name)),))
    return function


def super_call(compiler: Compiler, node: nodes.Call) -> Closure:
    """super(…). Spec: 13.3.7.1."""
    function = compiler.reader("%function")
    new_target = compiler.reader("new.target")
    args = arguments(compiler, node.arguments)
    write = compiler.writer("this", is_initial=True)
    place = compiler.scope.find("this")
    assert place is not None  # the parser lets super only into such constructors

    def run(frame: Frame) -> Any:
        active = function(frame)
        parent = active.prototype
        values = args(frame)
        if not isinstance(parent, JSFunction) or not parent.is_constructor:
            shown = "null" if parent is active.realm.function_prototype else describe(parent)
            owner = active.properties.get("name") or "anonymous class"
            throw_type_error(f"Super constructor {shown} of {owner} is not a constructor")
        made = parent.construct(values, new_target(frame))
        holder = frame
        for _ in range(place.hops):
            holder = holder[0]
        if holder[place.slot] is not TDZ:
            raise ThrownByName("ReferenceError", "Super constructor may only be called once")
        write(frame, made)
        active.initialize_fields(made)
        return made

    return run
