"""Expressions that stop in the middle and go on later: those with a yield or await inside.

Such an expression is taken apart, so that only a step of its own stops:

    f(a, yield b)   =>   %1 = f;  %2 = a;  %3 = yield b;  %1(%2, %3)
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

from wazero_gojs.builtins.iteration import IteratorRecord, open_iterator
from wazero_gojs.model.object import is_callable
from wazero_gojs.model.values import UNDEFINED, JSError, is_object, throw_type_error, to_boolean

from . import nodes
from .compiler import Compiler
from .expression_code import FINAL
from .lexer import fail
from .scope import Frame

Suspending = Callable[[Frame], Generator[Any, Any, Any]]
Steps = list[tuple[bool, Any]]
"""Whether each is `Suspending`, else a `Closure`."""


class Returning(Exception):  # no error
    """What a generator's method `return` raises at the yield: only finally blocks are run."""

    def __init__(self, value: Any) -> None:
        self.value = value


def suspends(part: Any) -> bool:
    """Whether there is a yield or await in a node, functions inside of it left out."""
    left = [part]
    while left:
        node = left.pop()
        if isinstance(node, (nodes.Yield, nodes.Await)):
            return True
        if isinstance(node, tuple) and not isinstance(node, nodes.Function):
            left.extend(node)
    return False


# --- Expressions -----------------------------------------------------------------------------------------------------


def suspending_value(compiler: Compiler, node: Any) -> Suspending:
    """The value of an expression, which may be None for undefined."""
    steps: Steps = []
    value = compiler.optional(_lowered(compiler, node, steps))

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        for is_suspending, step in steps:
            if is_suspending:
                yield from step(frame)
            else:
                step(frame)
        return value(frame)

    return run


def _lowered(compiler: Compiler, node: Any, steps: Steps) -> Any:
    """An expression that never stops, once `steps` have been run, which get what is to be done before."""
    if not suspends(node):
        return node
    if isinstance(node, (nodes.Yield, nodes.Await)):
        return _lowered_yield(compiler, node, steps)
    if isinstance(node, (nodes.Conditional, nodes.Logical)):
        return _lowered_choice(compiler, node, steps)
    if isinstance(node, nodes.Assign):
        return _lowered_assignment(compiler, node, steps)
    if isinstance(node, nodes.Chain):
        return nodes.Chain(_lowered_chain(compiler, node.expression, steps))
    if isinstance(node, nodes.Class):
        fail("yield and await are not supported in classes")
    return _lowered_parts(compiler, node, steps)


def _variable(compiler: Compiler) -> nodes.Name:
    """A new variable for a value in between."""
    scope = compiler.function_scope
    name = f"%{len(scope.template)}"
    scope.add(name, "var")
    return nodes.Name(name)


def _stored(compiler: Compiler, node: Any, steps: Steps) -> Any:
    """A variable that gets the value of an expression."""
    variable = _variable(compiler)
    value = compiler.compile(node)
    write = compiler.writer(variable.name)
    steps.append((False, lambda frame: write(frame, value(frame))))
    return variable


def _lowered_yield(compiler: Compiler, node: nodes.Yield | nodes.Await, steps: Steps) -> nodes.Name:
    realm = compiler.realm
    value = compiler.optional(_lowered(compiler, node.value, steps))
    variable = _variable(compiler)
    write = compiler.writer(variable.name)

    def stop(frame: Frame) -> Generator[Any, Any, Any]:
        write(frame, (yield value(frame)))

    def delegate(frame: Frame) -> Generator[Any, Any, Any]:
        write(frame, (yield from _delegated(open_iterator(realm, value(frame)))))

    is_delegate = isinstance(node, nodes.Yield) and node.is_delegate
    steps.append((True, delegate if is_delegate else stop))
    return variable


def _delegated(record: IteratorRecord) -> Generator[Any, Any, Any]:
    """yield*: all that another iterator yields; its result. Spec: 15.5.5."""
    iterator = record.iterator
    function, received = record.next, UNDEFINED
    while True:
        if not is_callable(function):
            throw_type_error("The iterator does not provide a 'throw' method")
        result = function.call(iterator, (received,))
        if not is_object(result):
            throw_type_error("Iterator result is not an object")
        if to_boolean(result.get("done")):
            value = result.get("value")
            if function is not record.next and function is iterator.get("return"):
                raise Returning(value)
            return value
        try:
            received = yield result.get("value")
            function = record.next
        except JSError as error:
            function, received = iterator.get("throw"), error.value
        except Returning as end:
            function, received = iterator.get("return"), end.value
            if function is UNDEFINED or function is None:
                raise


def _lowered_choice(compiler: Compiler, node: Any, steps: Steps) -> nodes.Name:
    variable = _variable(compiler)
    write = compiler.writer(variable.name)
    first, *others = [suspending_value(compiler, part) for part in node if isinstance(part, tuple)]
    is_final = FINAL[node.operator] if isinstance(node, nodes.Logical) else None

    def choose(frame: Frame) -> Generator[Any, Any, Any]:
        value = yield from first(frame)
        if is_final is None:
            value = yield from others[not to_boolean(value)](frame)
        elif not is_final(value):
            value = yield from others[0](frame)
        write(frame, value)

    steps.append((True, choose))
    return variable


def _lowered_assignment(compiler: Compiler, node: nodes.Assign, steps: Steps) -> nodes.Assign:
    target = node.target
    if node.operator in FINAL or (suspends(target) and not isinstance(target, nodes.Member)):
        fail("yield and await are not supported here")
    if isinstance(target, nodes.Member):
        target = _lowered_parts(compiler, target, steps, is_kept=True)
    if not node.operator:
        return nodes.Assign("", target, _lowered(compiler, node.value, steps))
    old = _stored(compiler, target, steps)
    value = _lowered(compiler, node.value, steps)
    return nodes.Assign("", target, nodes.Binary(node.operator, old, value))


def _lowered_chain(compiler: Compiler, node: Any, steps: Steps) -> Any:
    """Only what a chain begins with may stop, as it is evaluated whatever follows."""
    if isinstance(node, nodes.Member) and not suspends(node.key):
        return node._replace(base=_lowered_chain(compiler, node.base, steps))
    if isinstance(node, nodes.Call) and not suspends(node.arguments):
        return node._replace(callee=_lowered_chain(compiler, node.callee, steps))
    if isinstance(node, (nodes.Member, nodes.Call)):
        fail("yield and await are not supported in optional chains")
    return _lowered(compiler, node, steps)


_TRANSPARENT: Final = (nodes.Spread, nodes.Property)
"""Parts that are no values themselves."""
_CALLS: Final = (nodes.Call, nodes.TaggedTemplate, nodes.Update, nodes.Unary)
"""Nodes to which a member is more than its value."""


def _lowered_parts(compiler: Compiler, node: Any, steps: Steps, *, is_kept: bool = False) -> Any:
    """A node whose parts are evaluated from left to right; with `is_kept`, all of them now."""
    flat = [part for field in node for part in (field if type(field) is tuple else (field,))]
    last = len(flat) if is_kept else max(index for index, part in enumerate(flat) if suspends(part))
    done = []
    for index, part in enumerate(flat):
        is_callee = isinstance(node, _CALLS) and isinstance(part, nodes.Member) and index < 2
        done.append(_lowered_part(compiler, part, steps, index < last, is_callee) if index <= last else part)
    remaining = iter(done)
    fields = [tuple(next(remaining) for _ in field) if type(field) is tuple else next(remaining) for field in node]
    return type(node)(*fields)


def _lowered_part(compiler: Compiler, part: Any, steps: Steps, is_stored: bool, is_callee: bool) -> Any:
    is_constant = isinstance(part, (nodes.Literal, nodes.Function, nodes.Super))
    if not isinstance(part, tuple) or is_constant or (isinstance(part, nodes.Property) and part.kind != "value"):
        return part
    if is_callee or isinstance(part, _TRANSPARENT):
        return _lowered_parts(compiler, part, steps, is_kept=is_stored or is_callee)
    part = _lowered(compiler, part, steps)
    return _stored(compiler, part, steps) if is_stored else part
