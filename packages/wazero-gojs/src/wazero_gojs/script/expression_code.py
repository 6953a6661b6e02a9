"""How values, operators and assignments are compiled. Spec: ECMA-262, 13."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import JSObject
from wazero_gojs.model.values import (
    UNDEFINED,
    to_boolean,
    to_string,
    type_of,
)

from . import nodes
from .access import key_of
from .binding import binder, name_for, named
from .compiler import Closure, Compiler, compiles
from .member_code import delete_closure, place_of
from .operators import OPERATORS, UNARY, step, to_numeric
from .scope import Frame

_PATTERNS: Final = (nodes.ArrayPattern, nodes.ObjectPattern)


@compiles(nodes.Literal)
def literal(compiler: Compiler, node: nodes.Literal) -> Closure:
    """A value."""
    value = node.value
    return lambda frame: value


@compiles(nodes.Name)
def name(compiler: Compiler, node: nodes.Name) -> Closure:
    """A variable."""
    return compiler.reader(node.name)


@compiles(nodes.RegExp)
def regexp(compiler: Compiler, node: nodes.RegExp) -> Closure:
    """A new object each time. What is wrong with it is known at once."""
    constructor = compiler.realm.intrinsic("RegExp")
    constructor.construct((node.source, node.flags))
    return lambda frame: constructor.construct((node.source, node.flags))


@compiles(nodes.Template)
def template(compiler: Compiler, node: nodes.Template) -> Closure:
    """Spec: 13.2.8."""
    first, *texts = node.texts
    pairs = list(zip([compiler.compile(value) for value in node.values], texts, strict=True))

    def run(frame: Frame) -> str:
        parts = [first]
        for value, text in pairs:
            parts += to_string(value(frame)), text
        return utf16.concat_all(parts)

    return run


@compiles(nodes.Sequence)
def sequence(compiler: Compiler, node: nodes.Sequence) -> Closure:
    """a, b."""
    *first, last = [compiler.compile(item) for item in node.items]

    def run(frame: Frame) -> Any:
        for item in first:
            item(frame)
        return last(frame)

    return run


# --- Operators -------------------------------------------------------------------------------------------------------


@compiles(nodes.Unary)
def unary(compiler: Compiler, node: nodes.Unary) -> Closure:
    """Spec: 13.5."""
    if node.operator == "delete":
        return delete_closure(compiler, node.operand)
    if node.operator == "typeof" and isinstance(node.operand, nodes.Name):
        return _typeof_name(compiler, node.operand)
    value = compiler.compile(node.operand)
    operate = UNARY[node.operator]
    return lambda frame: operate(value(frame))


def _typeof_name(compiler: Compiler, node: nodes.Name) -> Closure:
    value = compiler.compile(node)
    if compiler.scope.find(node.name) is not None:
        return lambda frame: type_of(value(frame))
    global_object = compiler.realm.global_object
    return lambda frame: type_of(value(frame)) if global_object.has(node.name) else "undefined"


@compiles(nodes.Binary)
def binary(compiler: Compiler, node: nodes.Binary) -> Closure:
    """Spec: 13.6 to 13.12."""
    operate = OPERATORS[node.operator]
    left = compiler.compile(node.left)
    right = compiler.compile(node.right)
    return lambda frame: operate(left(frame), right(frame))


@compiles(nodes.Logical)
def logical(compiler: Compiler, node: nodes.Logical) -> Closure:
    """Spec: 13.13."""
    left = compiler.compile(node.left)
    right = compiler.compile(node.right)
    is_final = FINAL[node.operator]

    def run(frame: Frame) -> Any:
        value = left(frame)
        return value if is_final(value) else right(frame)

    return run


FINAL: Final[dict[str, Callable[[Any], bool]]] = {
    "&&": lambda value: not to_boolean(value),
    "||": to_boolean,
    "??": lambda value: value is not UNDEFINED and value is not None,
}
"""Whether the left side of an operator is the result."""


@compiles(nodes.Conditional)
def conditional(compiler: Compiler, node: nodes.Conditional) -> Closure:
    """Spec: 13.14."""
    test = compiler.condition(node.test)
    yes = compiler.compile(node.yes)
    no = compiler.compile(node.no)
    return lambda frame: yes(frame) if test(frame) else no(frame)


# --- Assignment ------------------------------------------------------------------------------------------------------


@compiles(nodes.Assign)
def assign(compiler: Compiler, node: nodes.Assign) -> Closure:
    """Spec: 13.15."""
    target = node.target
    if isinstance(target, _PATTERNS):
        value = compiler.compile(node.value)
        bind = binder(compiler, target, is_initial=False, source=node.value)

        def run(frame: Frame) -> Any:
            found = value(frame)
            bind(frame, found)
            return found

        return run
    if node.operator in FINAL:
        return _assign_logically(compiler, node)
    if isinstance(target, nodes.Member):
        return _assign_member(compiler, node)
    write = compiler.writer(target.name)
    value = named(compiler, node.value, target.name)
    if node.operator:
        read = compiler.reader(target.name)
        operate = OPERATORS[node.operator]
        right = value
        value = lambda frame: operate(read(frame), right(frame))  # noqa: E731  # the closure of read and right

    def store(frame: Frame) -> Any:
        found = value(frame)
        write(frame, found)
        return found

    return store


def _assign_member(compiler: Compiler, node: nodes.Assign) -> Closure:
    base, key, read, write = place_of(compiler, node.target)
    value = compiler.compile(node.value)
    operate = OPERATORS.get(node.operator)

    def run(frame: Frame) -> Any:
        owner = base(frame)
        name = key(frame)
        if operate is None:
            found = value(frame)
        else:
            name = _stable(owner, name)
            found = operate(read(owner, name), value(frame))
        if not (isinstance(owner, JSObject) and type(name) is str and owner.set(name, found)):
            write(owner, name, found)
        return found

    return run


def _stable(owner: Any, name: Any) -> Any:
    """The key, converted once though it is used twice."""
    return name if owner is UNDEFINED or owner is None else key_of(name)


def _assign_logically(compiler: Compiler, node: nodes.Assign) -> Closure:
    is_final = FINAL[node.operator]
    value = named(compiler, node.value, name_for(node.target))
    if isinstance(node.target, nodes.Name):
        read_name = compiler.reader(node.target.name)
        write = compiler.writer(node.target.name)

        def run_name(frame: Frame) -> Any:
            old = read_name(frame)
            if is_final(old):
                return old
            found = value(frame)
            write(frame, found)
            return found

        return run_name
    base, key, read, write_member = place_of(compiler, node.target)

    def run(frame: Frame) -> Any:
        owner = base(frame)
        name = _stable(owner, key(frame))
        old = read(owner, name)
        if is_final(old):
            return old
        found = value(frame)
        write_member(owner, name, found)
        return found

    return run


@compiles(nodes.Update)
def update(compiler: Compiler, node: nodes.Update) -> Closure:
    """Spec: 13.4."""
    by = 1 if node.operator == "++" else -1
    is_prefix = node.is_prefix
    if isinstance(node.target, nodes.Name):
        read_name = compiler.reader(node.target.name)
        write = compiler.writer(node.target.name)

        def run_name(frame: Frame) -> Any:
            old = to_numeric(read_name(frame))
            changed = step(old, by)
            write(frame, changed)
            return changed if is_prefix else old

        return run_name
    base, key, read, write_member = place_of(compiler, node.target)

    def run(frame: Frame) -> Any:
        owner = base(frame)
        name = _stable(owner, key(frame))
        old = to_numeric(read(owner, name))
        changed = step(old, by)
        write_member(owner, name, changed)
        return changed if is_prefix else old

    return run
