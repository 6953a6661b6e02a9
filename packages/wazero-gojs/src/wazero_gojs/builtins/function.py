"""Function: its constructor, and what all functions inherit. Spec: ECMA-262, 20.2."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import (
    CONFIGURABLE,
    MISSING,
    Args,
    BoundFunction,
    JSFunction,
    JSObject,
    NativeConstructor,
    argument,
    inherits,
    is_callable,
)
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_HAS_INSTANCE,
    UNDEFINED,
    describe,
    is_object,
    number_of,
    throw_range_error,
    throw_type_error,
    to_integer,
    to_string,
)

from .operations import MAX_ARGUMENTS, list_from

PROTOTYPE: Final = Table()
PROTOTYPE.constant("length", 0, CONFIGURABLE)
PROTOTYPE.constant("name", "", CONFIGURABLE)
PROTOTYPE.made("constructor", lambda realm: realm.intrinsic("Function"))


def make(realm: Realm, name: str) -> Any:
    """The global Function."""
    return NativeConstructor(realm, name, 1, _call, _create, realm.function_prototype)


def _call(realm: Realm, this: Any, args: Args) -> Any:
    return _create(realm, realm.function_prototype, args)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    from wazero_gojs.script.evaluate import new_function

    texts = [to_string(arg) for arg in args]
    return new_function(realm, ",".join(texts[:-1]), texts[-1] if texts else "")


@PROTOTYPE.method("call", 1)
def call(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.2.3.3."""
    if not is_callable(this):
        throw_type_error("Function.prototype.call.call is not a function")
    return this.call(argument(args, 0), args[1:])


@PROTOTYPE.method("apply", 2)
def apply(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.2.3.1."""
    if not is_callable(this):
        throw_type_error("Function.prototype.apply.call is not a function")
    values = argument(args, 1)
    return this.call(argument(args, 0), () if values is UNDEFINED or values is None else list_from(values))


@PROTOTYPE.method("bind", 1)
def bind(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.2.3.2."""
    if not is_callable(this):
        throw_type_error("Bind must be called on a function")
    bound = BoundFunction(this, argument(args, 0), args[1:])
    if len(bound.args) > MAX_ARGUMENTS:
        throw_range_error("Maximum call stack size exceeded")
    length = this.get("length") if this.own("length") is not MISSING else 0
    if isinstance(length, (int, float)):
        bound.properties["length"] = number_of(max(to_integer(length) - max(len(args) - 1, 0), 0))
    return bound


@PROTOTYPE.method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.2.3.5."""
    if not is_callable(this):
        throw_type_error("Function.prototype.toString requires that 'this' be a Function")
    return this.source_text() if isinstance(this, JSFunction) else "function () { [native code] }"


@PROTOTYPE.method(SYMBOL_HAS_INSTANCE, 1, 0)
def has_instance(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.2.3.6."""
    value = argument(args, 0)
    if not is_callable(this):
        return False
    if isinstance(this, JSFunction):
        return this.has_instance(value)
    if not is_object(value):
        return False
    prototype = this.get("prototype")
    if not is_object(prototype):
        throw_type_error(f"Function has non-object prototype '{describe(prototype)}' in instanceof check")
    return inherits(value, prototype)
