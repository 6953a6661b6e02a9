"""Expressions that turn out to be what is assigned to. Spec: ECMA-262, 13.15.5 and 14.3.3.

Parameters, declarations and assignments are all read as expressions first, as only what follows says which they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from . import nodes
from .lexer import fail

_BAD: Final = "Invalid destructuring assignment target"


def to_pattern(node: Any, is_binding: bool, is_strict: bool) -> Any:
    """The pattern that an expression is. A binding declares variables, so it has nothing but names."""
    if isinstance(node, nodes.Name):
        if is_strict and node.name in {"eval", "arguments"}:
            fail("Unexpected eval or arguments in strict mode")
        if node.name in {"this", "new.target"}:
            fail(_BAD)
        return node
    if isinstance(node, nodes.Member) and not is_binding and not node.is_optional:
        return node
    if isinstance(node, (nodes.Array, nodes.ArrayPattern)):
        return nodes.ArrayPattern(to_patterns(node.items, is_binding, is_strict, "Rest element must be last element"))
    if isinstance(node, nodes.Object):
        return _object_pattern(node, is_binding, is_strict)
    if isinstance(node, nodes.ObjectPattern):
        pairs = tuple((key, to_pattern(target, is_binding, is_strict)) for key, target in node.properties)
        return nodes.ObjectPattern(pairs, node.rest and to_pattern(node.rest, is_binding, is_strict))
    if not isinstance(node, (nodes.Default, nodes.Assign)) or (isinstance(node, nodes.Assign) and node.operator):
        fail(_BAD)
    return nodes.Default(to_pattern(node.target, is_binding, is_strict), node.value)


def to_patterns(items: Any, is_binding: bool, is_strict: bool, not_last: str) -> tuple[Any, ...]:
    """The patterns that several expressions are, of which the last may be a rest."""
    found: list[Any] = []
    for item in items:
        if found and isinstance(found[-1], nodes.Rest):
            fail(not_last)
        if isinstance(item, (nodes.Spread, nodes.Rest)):
            target = item.value if isinstance(item, nodes.Spread) else item.target
            if isinstance(target, nodes.Assign):
                fail("Rest parameter may not have a default initializer")
            found.append(nodes.Rest(to_pattern(target, is_binding, is_strict)))
        else:
            found.append(item and to_pattern(item, is_binding, is_strict))
    return tuple(found)


def _object_pattern(node: nodes.Object, is_binding: bool, is_strict: bool) -> nodes.ObjectPattern:
    pairs: list[tuple[Any, Any]] = []
    rest = None
    for item in node.properties:
        if rest is not None:
            fail("Rest element must be last element")
        if isinstance(item, nodes.Spread):
            if not isinstance(item.value, nodes.Name) and (is_binding or not isinstance(item.value, nodes.Member)):
                kind = "an identifier in declaration" if is_binding else "an assignable reference in assignment"
                fail(f"`...` must be followed by {kind} contexts")
            rest = to_pattern(item.value, is_binding, is_strict)
        elif isinstance(item, nodes.CoverDefault):
            name = to_pattern(item.name, is_binding, is_strict)
            pairs.append((nodes.Literal(name.name), nodes.Default(name, item.value)))
        elif item.kind != "value":
            fail(_BAD)
        else:
            pairs.append((item.key, to_pattern(item.value, is_binding, is_strict)))
    return nodes.ObjectPattern(tuple(pairs), rest)


def names_of(pattern: Any) -> Iterator[str]:
    """The variables that a pattern assigns to."""
    if isinstance(pattern, nodes.Name):
        yield pattern.name
    elif isinstance(pattern, (nodes.Default, nodes.Rest)):
        yield from names_of(pattern.target)
    elif isinstance(pattern, nodes.ArrayPattern):
        for item in pattern.items:
            yield from names_of(item)
    elif isinstance(pattern, nodes.ObjectPattern):
        for _, target in pattern.properties:
            yield from names_of(target)
        yield from names_of(pattern.rest)
