"""Statements of generators and async functions. Those with a yield or await inside become Python generators."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from wazero_gojs.model.object import MISSING
from wazero_gojs.model.values import JSError, to_boolean

from . import nodes
from .binding import binder
from .compiler import Compiler, Target
from .lexer import fail
from .loop_code import each_turn, for_start, items_for, open_loop
from .scope import Frame
from .statement_code import LOOPS, SWITCH, THROWN, add_label, cases, catch_binder, labelled_target, thrown
from .suspension import Returning, Steps, Suspending, suspending_value, suspends


def suspending_body(compiler: Compiler, body: Sequence[Any]) -> Suspending:
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


def _expression_statement(compiler: Compiler, node: nodes.ExpressionStatement) -> Suspending:
    value = suspending_value(compiler, node.expression)

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
    read = suspending_value(compiler, value)
    write = binder(compiler, target, is_initial=kind != "var", source=value)
    is_left_out = value is None and kind == "var"

    def run(frame: Frame) -> Generator[Any, Any, None]:
        found = yield from read(frame)
        if not is_left_out:
            write(frame, found)

    return run


def _return(compiler: Compiler, node: nodes.Return) -> Suspending:
    value = suspending_value(compiler, node.value)

    def run(frame: Frame) -> Generator[Any, Any, Any]:
        return ((yield from value(frame)),)

    return run


def _throw(compiler: Compiler, node: nodes.Throw) -> Suspending:
    value = suspending_value(compiler, node.value)

    def run(frame: Frame) -> Generator[Any, Any, None]:
        raise JSError((yield from value(frame)))

    return run


def _if(compiler: Compiler, node: nodes.If) -> Suspending:
    test = suspending_value(compiler, node.test)
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
    test = suspending_value(compiler, nodes.Literal(True) if node.test is None else node.test)
    do = _statement(compiler, node.body)
    move_on = suspending_value(compiler, update)
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
    value = suspending_value(compiler, node.value)
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
    value = suspending_value(compiler, node.value)
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
