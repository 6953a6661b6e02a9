"""Bodies of generators and async functions, which stop in the middle and go on later.

What has no yield or await inside is compiled as everywhere else. A statement with one becomes a Python generator. An
expression with one is taken apart, so that only a step of its own stops:

    f(a, yield b)   =>   %1 = f;  %2 = a;  %3 = yield b;  %1(%2, %3)
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

from wazero_gojs.builtins.iteration import IteratorRecord, open_iterator
from wazero_gojs.model.object import MISSING, is_callable
from wazero_gojs.model.values import UNDEFINED, JSError, is_object, throw_type_error, to_boolean

from . import nodes
from .binding import binder
from .compiler import Compiler, Target
from .expression_code import FINAL
from .lexer import fail
from .scope import Frame
from .statement_code import (
    LOOPS,
    SWITCH,
    THROWN,
    add_label,
    cases,
    catch_binder,
    each_turn,
    for_start,
    items_for,
    labelled_target,
    open_loop,
    thrown,
)

Suspending = Callable[[Frame], Generator[Any, Any, Any]]
Steps = list[tuple[bool, Any]]
"""Whether each is `Suspending`, else a `Closure`."""


class Returning(Exception):  # noqa: N818  # no error
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


def suspending_body(compiler: Compiler, body: nodes.Nodes) -> Suspending:
    """The body of a function; a return statement is its result."""
    return run_steps([_step(compiler, node) for node in body])


def run_steps(steps: Steps) -> Suspending:
    """Statements, one after the other."""

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        for is_suspending, step in steps:
            signal = (yield from step(frame)) if is_suspending else step(frame)
            if signal is not None:
                return signal
        return None

    return run


def _step(compiler: Compiler, node: Any) -> tuple[bool, Any]:
    if not suspends(node):
        return False, compiler.compile(node)
    return True, _STATEMENTS[type(node)](compiler, node)


def _statement(compiler: Compiler, node: Any) -> Suspending:
    return run_steps([] if node is None else [_step(compiler, node)])


# --- Expressions -----------------------------------------------------------------------------------------------------


def _value(compiler: Compiler, node: Any) -> Suspending:
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
    first, *others = [_value(compiler, part) for part in node if isinstance(part, tuple)]
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


# --- Statements ------------------------------------------------------------------------------------------------------


def _expression_statement(compiler: Compiler, node: nodes.ExpressionStatement) -> Suspending:
    value = _value(compiler, node.expression)

    def run(frame: Frame) -> Generator[Any, Any, None]:
        yield from value(frame)

    return run


def _declaration(compiler: Compiler, node: nodes.Declaration) -> Suspending:
    steps: Steps = []
    for target, value in node.pairs:
        if suspends(target):
            fail("yield and await are not supported here")
        steps.append((True, _declared(compiler, node.kind, target, value)))
    return run_steps(steps)


def _declared(compiler: Compiler, kind: str, target: Any, value: Any) -> Suspending:
    read = _value(compiler, value)
    write = binder(compiler, target, is_initial=kind != "var", source=value)
    is_left_out = value is None and kind == "var"

    def run(frame: Frame) -> Generator[Any, Any, None]:
        found = yield from read(frame)
        if not is_left_out:
            write(frame, found)

    return run


def _return(compiler: Compiler, node: nodes.Return) -> Suspending:
    value = _value(compiler, node.value)

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        return ((yield from value(frame)),)

    return run


def _throw(compiler: Compiler, node: nodes.Throw) -> Suspending:
    value = _value(compiler, node.value)

    def run(frame: Frame) -> Generator[Any, Any, None]:
        raise JSError((yield from value(frame)))

    return run


def _if(compiler: Compiler, node: nodes.If) -> Suspending:
    test = _value(compiler, node.test)
    yes, no = _statement(compiler, node.yes), _statement(compiler, node.no)

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        found = yield from test(frame)
        return (yield from (yes if to_boolean(found) else no)(frame))

    return run


def _stopping(body: Suspending, target: Target | None) -> Suspending:
    if target is None:
        return body

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        signal = yield from body(frame)
        return None if signal is target.break_ else signal

    return run


def _block(compiler: Compiler, node: nodes.Block) -> Suspending:
    body, enter = compiler.block(node.body, node.has_functions, lambda body: suspending_body(compiler, body))
    return body if enter is None else lambda frame: body(enter(frame))


def _labelled(compiler: Compiler, node: nodes.Labelled) -> Suspending:
    before = compiler.labels
    add_label(compiler, node)
    if isinstance(node.body, (*LOOPS, nodes.Labelled)):
        found = _statement(compiler, node.body)
    else:
        target = labelled_target(compiler, None)
        found = _stopping(_statement(compiler, node.body), target)
        compiler.targets.pop()
    compiler.labels = before
    return found


def _loop(compiler: Compiler, node: Any, update: Any, *, is_test_first: bool, copies: bool = False) -> Suspending:
    realm = compiler.realm
    target = open_loop(compiler)
    test = _value(compiler, nodes.Literal(True) if node.test is None else node.test)
    do = _statement(compiler, node.body)
    move_on = _value(compiler, update)
    compiler.targets.pop()

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        is_tested = is_test_first
        while not is_tested or to_boolean((yield from test(frame))):
            is_tested = True
            realm.poll()
            signal = yield from do(frame)
            if signal is not None and signal is not target.continue_:
                return None if signal is target.break_ else signal
            if copies:
                frame = frame.copy()
            yield from move_on(frame)
        return None

    return run


def _while(compiler: Compiler, node: nodes.While) -> Suspending:
    return _loop(compiler, node, None, is_test_first=True)


def _do_while(compiler: Compiler, node: nodes.DoWhile) -> Suspending:
    return _loop(compiler, node, None, is_test_first=False)


def _for(compiler: Compiler, node: nodes.For) -> Suspending:
    before = compiler.scope
    is_plain = not suspends(node.start)
    enter, start = for_start(compiler, node if is_plain else node._replace(start=_without_values(node.start)))
    late = _statement(compiler, None if is_plain else _as_statement(node.start))
    copies = enter is not None and node.has_functions
    loop = _loop(compiler, node, node.update, is_test_first=True, copies=copies)
    compiler.scope = before

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        if enter is not None:
            frame = enter(frame)
        start(frame)
        yield from late(frame)
        return (yield from loop(frame.copy() if copies else frame))

    return run


def _as_statement(start: Any) -> Any:
    return start if isinstance(start, nodes.Declaration) else nodes.ExpressionStatement(start)


def _without_values(start: Any) -> Any:
    """What declares the variables of a loop, and no more."""
    if not isinstance(start, nodes.Declaration):
        return None
    return nodes.Declaration(start.kind, tuple((target, nodes.Array(())) for target, _ in start.pairs))


def _for_each(compiler: Compiler, node: nodes.ForEach) -> Suspending:
    realm = compiler.realm
    if suspends(node.target):
        fail("yield and await are not supported here")
    value = _value(compiler, node.value)
    before = compiler.scope
    turn, target, do = each_turn(compiler, node, lambda body: _statement(compiler, body))
    compiler.scope = before

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        record = items_for(compiler, node, (yield from value(frame)))
        try:
            while (item := record.step()) is not MISSING:
                realm.poll()
                signal = yield from do(turn(frame, item))
                if signal is not None and signal is not target.continue_:
                    break
            else:
                return None
        except THROWN:
            record.close_quietly()
            raise
        except Returning:
            record.close()
            raise
        record.close()
        return None if signal is target.break_ else signal

    return run


def _try(compiler: Compiler, node: nodes.Try) -> Suspending:
    body = _statement(compiler, node.block)
    if node.handler is not None:
        before = compiler.scope
        bind = catch_binder(compiler, node)
        body = _catching(compiler, body, bind, _statement(compiler, node.handler))
        compiler.scope = before
    return body if node.finalizer is None else _finishing(body, _statement(compiler, node.finalizer))


def _catching(compiler: Compiler, body: Suspending, bind: Any, handle: Suspending) -> Suspending:
    def run(frame: Frame) -> Generator[Any, Any, Any]:
        try:
            return (yield from body(frame))
        except THROWN as error:
            value = thrown(compiler, error)
        return (yield from handle(bind(frame, value)))

    return run


def _finishing(body: Suspending, finish: Suspending) -> Suspending:
    def run(frame: Frame) -> Generator[Any, Any, Any]:
        try:
            signal = yield from body(frame)
        except (*THROWN, Returning):
            # Not Python's finally: a generator that nobody needs any more must not run.
            over = yield from finish(frame)
            if over is not None:
                return over
            raise
        over = yield from finish(frame)
        return signal if over is None else over

    return run


def _switch(compiler: Compiler, node: nodes.Switch) -> Suspending:
    if any(suspends(test) for test, _ in node.cases):
        fail("yield and await are not supported here")
    value = _value(compiler, node.value)
    target = labelled_target(compiler, SWITCH)
    body = [statement for _, part in node.cases for statement in part]
    (find, parts), enter = compiler.block(body, node.has_functions, lambda _: cases(compiler, node, suspending_body))
    compiler.targets.pop()

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        found = yield from value(frame)
        if enter is not None:
            frame = enter(frame)
        return (yield from run_steps([(True, part) for part in parts[find(frame, found) :]])(frame))

    return _stopping(run, target)


_STATEMENTS: Final[dict[type, Callable[[Compiler, Any], Suspending]]] = {
    nodes.ExpressionStatement: _expression_statement,
    nodes.Declaration: _declaration,
    nodes.Return: _return,
    nodes.Throw: _throw,
    nodes.If: _if,
    nodes.Block: _block,
    nodes.Labelled: _labelled,
    nodes.While: _while,
    nodes.DoWhile: _do_while,
    nodes.For: _for,
    nodes.ForEach: _for_each,
    nodes.Try: _try,
    nodes.Switch: _switch,
}
