"""Assignment to patterns: destructuring. Spec: ECMA-262, 8.6.2 and 13.15.5."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from wazero_gojs.builtins.wrappers import to_object
from wazero_gojs.model.object import ENUMERABLE, MISSING, JSObject
from wazero_gojs.model.values import UNDEFINED, JSError, Symbol, describe, throw_type_error, to_key

from . import nodes
from .access import NESTED, get, iterator, put, source_of
from .compiler import Closure, Compiler, Writer
from .lexer import fail
from .scope import Frame

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_ItemWriter = Callable[[Frame, Any], None]


def binder(compiler: Compiler, pattern: Any, *, is_initial: bool, source: Any = None) -> Writer:
    """What assigns a value to a pattern; the value comes from the expression `source`."""
    if isinstance(pattern, nodes.Name):
        return compiler.writer(pattern.name, is_initial=is_initial)
    if isinstance(pattern, nodes.Default):
        return _default(compiler, pattern, is_initial)
    if isinstance(pattern, nodes.ArrayPattern):
        return _array(compiler, pattern, is_initial, source)
    if isinstance(pattern, nodes.ObjectPattern):
        return _object(compiler, pattern, is_initial, source)
    return _member(compiler, pattern)


def named(compiler: Compiler, node: Any, name: str) -> Closure:
    """The closure of an expression; a function without a name gets this one."""
    if isinstance(node, nodes.Function) and not node.name:
        return compiler.compile(node._replace(name=name))
    if isinstance(node, nodes.Class) and not node.name:
        from .class_code import class_definition

        return class_definition(compiler, node, name)
    return compiler.compile(node)


def name_for(target: Any) -> str:
    """The name that a function gets when it is assigned to this."""
    return target.name if isinstance(target, nodes.Name) else ""


def _default(compiler: Compiler, pattern: nodes.Default, is_initial: bool) -> Writer:
    write = binder(compiler, pattern.target, is_initial=is_initial, source=NESTED)
    otherwise = named(compiler, pattern.value, name_for(pattern.target))
    return lambda frame, value: write(frame, otherwise(frame) if value is UNDEFINED else value)


def _member(compiler: Compiler, pattern: nodes.Member) -> Writer:
    realm, is_strict = compiler.realm, compiler.is_strict
    if isinstance(pattern.base, nodes.Super):
        fail("super is not supported in patterns")
    base, key = compiler.compile(pattern.base), compiler.compile(pattern.key)
    return lambda frame, value: put(realm, base(frame), key(frame), value, is_strict)


def _array(compiler: Compiler, pattern: nodes.ArrayPattern, is_initial: bool, source: Any) -> Writer:
    realm = compiler.realm
    writers: list[_ItemWriter] = []
    rest: _ItemWriter | None = None
    for item in pattern.items:
        if isinstance(item, nodes.Rest):
            rest = binder(compiler, item.target, is_initial=is_initial)
        else:
            writers.append(_skip if item is None else binder(compiler, item, is_initial=is_initial, source=NESTED))

    def write(frame: Frame, value: Any) -> None:
        record = iterator(realm, value, source)
        try:
            for write_item in writers:
                item = record.step()
                write_item(frame, UNDEFINED if item is MISSING else item)
            if rest is not None:
                items = []
                while (item := record.step()) is not MISSING:
                    realm.poll()
                    items.append(item)
                rest(frame, realm.new_array(items))
        except JSError:
            record.close_quietly()
            raise
        record.close()

    return write


def _skip(frame: Frame, value: Any) -> None:
    pass


def _object(compiler: Compiler, pattern: nodes.ObjectPattern, is_initial: bool, source: Any) -> Writer:
    realm = compiler.realm
    pairs = [
        (compiler.compile(key), binder(compiler, target, is_initial=is_initial, source=NESTED))
        for key, target in pattern.properties
    ]
    rest = None if pattern.rest is None else binder(compiler, pattern.rest, is_initial=is_initial)

    def write(frame: Frame, value: Any) -> None:
        is_nothing = value is UNDEFINED or value is None
        if is_nothing and not (source is NESTED and pairs):
            _throw_nothing(pattern, value, source)
        taken: set[str | Symbol] = set()
        for key, write_item in pairs:
            name = key(frame)
            if rest is not None:
                name = to_key(name)
                taken.add(name)
            write_item(frame, get(realm, value, name))
        if rest is not None:
            made = realm.new_object()
            copy_properties(realm, made, value, taken)
            rest(frame, made)

    return write


def _throw_nothing(pattern: nodes.ObjectPattern, value: Any, source: Any) -> None:
    shown = describe(value) if source in (None, NESTED) else source_of(source)
    key = pattern.properties[0][0] if pattern.properties else None
    if isinstance(key, nodes.Literal):
        throw_type_error(f"Cannot destructure property '{key.value}' of '{shown}' as it is {describe(value)}.")
    throw_type_error(f"Cannot destructure '{shown}' as it is {describe(value)}.")


def copy_properties(realm: Realm, made: JSObject, source: Any, excluded: Collection[str | Symbol] = ()) -> None:
    """Copy own enumerable properties, as ... does in an object. Spec: 7.3.26."""
    if source is UNDEFINED or source is None:
        return
    source = to_object(realm, source)
    for key in source.own_keys():
        if key not in excluded and source.own(key) is not MISSING and source.attributes_of(key) & ENUMERABLE:
            made.define(key, source.get(key))
