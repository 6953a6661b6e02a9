"""How members, calls and lists of values are compiled. Spec: ECMA-262, 13.3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from wazero_gojs.builtins.operations import MAX_ARGUMENTS, remove
from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import CONFIGURABLE, MISSING, WRITABLE, JSFunction, JSObject
from wazero_gojs.model.values import (
    UNDEFINED,
    throw_range_error,
    throw_type_error,
    to_key,
)

from . import nodes
from .access import call, construct, get, iterator, put
from .compiler import Closure, Compiler, compiles
from .scope import Frame

_NO_SPREAD: Final = "Spread syntax requires ...iterable[Symbol.iterator] to be a function"


class CutShort(Exception):  # no error
    """What ?. raises to end the chain around it."""


@compiles(nodes.Member)
def member(compiler: Compiler, node: nodes.Member) -> Closure:
    """Spec: 13.3.2."""
    realm = compiler.realm
    if isinstance(node.base, nodes.Super):
        target = _super_member(compiler, node)
        return lambda frame: target(frame)[1]
    base = compiler.compile(node.base)
    if node.is_optional:
        base = _cutting(base)
    if isinstance(node.key, nodes.Literal) and isinstance(node.key.value, str):
        name = node.key.value

        def read(frame: Frame) -> Any:
            value = base(frame)
            return value.get(name) if isinstance(value, JSObject) else get(realm, value, name)

        return read
    key = compiler.compile(node.key)
    return lambda frame: get(realm, base(frame), key(frame))


def _cutting(value: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        found = value(frame)
        if found is UNDEFINED or found is None:
            raise CutShort
        return found

    return run


@compiles(nodes.Chain)
def chain(compiler: Compiler, node: nodes.Chain) -> Closure:
    """Spec: 13.3.9."""
    value = compiler.compile(node.expression)

    def run(frame: Frame) -> Any:
        try:
            return value(frame)
        except CutShort:
            return UNDEFINED

    return run


def _super_base(compiler: Compiler) -> Closure:
    """What finds what comes after the method's home object, and `this`. Spec: 13.3.7."""
    this = compiler.reader("this")
    function = compiler.reader("%function")

    def run(frame: Frame) -> tuple[Any, Any]:
        receiver = this(frame)
        home = function(frame).home
        # Nothing comes after null; an object without properties stands for that.
        return (home and home.prototype) or JSObject(None), receiver

    return run


def _super_member(compiler: Compiler, node: nodes.Member) -> Closure:
    """What finds (this, property) of super."""
    base = _super_base(compiler)
    key = compiler.compile(node.key)

    def run(frame: Frame) -> tuple[Any, Any]:
        prototype, receiver = base(frame)
        return receiver, prototype.get(to_key(key(frame)), receiver)

    return run


def callee(compiler: Compiler, node: Any) -> Closure:
    """What finds (this, function) for a call."""
    if isinstance(node, nodes.Chain):
        target = callee(compiler, node.expression)

        def run(frame: Frame) -> tuple[Any, Any]:
            try:
                found: tuple[Any, Any] = target(frame)
            except CutShort:
                return UNDEFINED, UNDEFINED
            return found

        return run
    if not isinstance(node, nodes.Member):
        function = compiler.compile(node)
        return lambda frame: (UNDEFINED, function(frame))
    if isinstance(node.base, nodes.Super):
        return _super_member(compiler, node)
    realm = compiler.realm
    base = compiler.compile(node.base)
    if node.is_optional:
        base = _cutting(base)
    key = compiler.compile(node.key)

    def find(frame: Frame) -> tuple[Any, Any]:
        this = base(frame)
        return this, get(realm, this, key(frame))

    return find


@compiles(nodes.Call)
def call_(compiler: Compiler, node: nodes.Call) -> Closure:
    """Spec: 13.3.6."""
    if isinstance(node.callee, nodes.Super):
        from .class_code import super_call

        return super_call(compiler, node)
    target = callee(compiler, node.callee)
    args = arguments(compiler, node.arguments)
    is_optional = node.is_optional

    def run(frame: Frame) -> Any:
        this, function = target(frame)
        if is_optional and (function is UNDEFINED or function is None):
            raise CutShort
        values = args(frame)
        return (
            function.call(this, values)
            if isinstance(function, JSFunction)
            else call(function, this, values, node.callee)
        )

    return run


@compiles(nodes.New)
def new(compiler: Compiler, node: nodes.New) -> Closure:
    """Spec: 13.3.5."""
    function = compiler.compile(node.callee)
    args = arguments(compiler, node.arguments)
    return lambda frame: construct(function(frame), args(frame), node.callee)


def items_maker(compiler: Compiler, items: nodes.Nodes, limit: int, message: str) -> Callable[[Frame], list[Any]]:
    """What makes a list of values, spreads included."""
    realm = compiler.realm
    steps = []
    for item in items:
        is_spread = isinstance(item, nodes.Spread)
        value = (lambda frame: MISSING) if item is None else compiler.compile(item.value if is_spread else item)
        steps.append((is_spread, value, item))

    def run(frame: Frame) -> list[Any]:
        found: list[Any] = []
        for is_spread, value, item in steps:
            if not is_spread:
                found.append(value(frame))
                continue
            record = iterator(realm, value(frame), item.value, "" if limit == MAX_LENGTH else _NO_SPREAD)
            while (part := record.step()) is not MISSING:
                realm.poll()
                found.append(part)
                if len(found) > limit:
                    throw_range_error(message)
        return found

    return run


def arguments(compiler: Compiler, items: nodes.Nodes) -> Closure:
    """What makes the arguments of a call."""
    if any(isinstance(item, nodes.Spread) for item in items):
        return items_maker(compiler, items, MAX_ARGUMENTS, "Maximum call stack size exceeded")
    values = tuple(compiler.compile(item) for item in items)
    if not values:
        return lambda frame: ()
    if len(values) == 1:
        (only,) = values
        return lambda frame: (only(frame),)
    if len(values) == 2:
        first, second = values
        return lambda frame: (first(frame), second(frame))
    return lambda frame: [value(frame) for value in values]


@compiles(nodes.TaggedTemplate)
def tagged_template(compiler: Compiler, node: nodes.TaggedTemplate) -> Closure:
    """Spec: 13.3.11. Each place in the source has one array of texts."""
    realm = compiler.realm
    target = callee(compiler, node.tag)
    values = arguments(compiler, node.values)
    made: list[Any] = []

    def texts() -> Any:
        if not made:
            array = realm.new_array([UNDEFINED if text is None else text for text in node.texts])
            raw = realm.new_array(node.raw_texts)
            raw.restrict(WRITABLE | CONFIGURABLE)
            array.define("raw", raw, 0)
            array.restrict(WRITABLE | CONFIGURABLE)
            made.append(array)
        return made[0]

    def run(frame: Frame) -> Any:
        this, function = target(frame)
        return call(function, this, (texts(), *values(frame)), node.tag)

    return run


def delete_closure(compiler: Compiler, node: Any) -> Closure:
    """The operator delete. Spec: 13.5.1."""
    if isinstance(node, nodes.Chain):
        target = delete_closure(compiler, node.expression)

        def run(frame: Frame) -> Any:
            try:
                return target(frame)
            except CutShort:
                return True

        return run
    if isinstance(node, nodes.Name):
        global_object = compiler.realm.global_object
        is_local = compiler.scope.find(node.name) is not None
        return lambda frame: not is_local and global_object.delete(node.name)
    if not isinstance(node, nodes.Member):
        value = compiler.compile(node)
        return lambda frame: (value(frame), True)[1]
    return _delete_member(compiler, node)


def _delete_member(compiler: Compiler, node: nodes.Member) -> Closure:
    if isinstance(node.base, nodes.Super):
        from .lexer import fail

        fail("Unsupported reference to 'super'")
    base = compiler.compile(node.base)
    if node.is_optional:
        base = _cutting(base)
    key = compiler.compile(node.key)
    is_strict = compiler.is_strict

    def run(frame: Frame) -> bool:
        owner = base(frame)
        name = to_key(key(frame))
        if owner is UNDEFINED or owner is None:
            throw_type_error("Cannot convert undefined or null to object")
        if not isinstance(owner, JSObject):
            return True
        if not is_strict:
            return owner.delete(name)
        remove(owner, name)
        return True

    return run


class Place(NamedTuple):
    """A member that is assigned to: what finds its object and key; given those, what reads and writes it."""

    base: Closure
    key: Closure
    read: Callable[[Any, Any], Any]
    write: Callable[[Any, Any, Any], None]


def place_of(compiler: Compiler, target: nodes.Member) -> Place:
    """How to assign to a member."""
    realm, is_strict = compiler.realm, compiler.is_strict
    key = compiler.compile(target.key)
    if not isinstance(target.base, nodes.Super):
        base = compiler.compile(target.base)

        def write(owner: Any, name: Any, value: Any) -> None:
            put(realm, owner, name, value, is_strict)

        return Place(base, key, lambda owner, name: get(realm, owner, name), write)
    # The object is a pair: where super begins, and this.
    return Place(
        _super_base(compiler),
        key,
        lambda owner, name: owner[0].get(to_key(name), owner[1]),
        lambda owner, name, value: owner[0].set_for(to_key(name), value, owner[1]),
    )
