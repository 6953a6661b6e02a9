"""How statements but loops are compiled. Spec: ECMA-262, 14."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from wazero_gojs.model.values import JSError, strict_equals

from . import nodes
from .binding import binder, name_for, named
from .compiler import COMPLETION, Closure, Compiler, Target, compiles
from .depth import throw_overflow
from .lexer import fail
from .patterns import names_of
from .scope import Frame

LOOPS: Final = (nodes.For, nodes.ForEach, nodes.While, nodes.DoWhile)
THROWN: Final = (JSError, RecursionError)
"""What scripts can catch."""


class Stop:
    """What a statement returns that was left by break or continue: an object of its own for each target."""

    __slots__ = ()


def thrown(compiler: Compiler, error: Exception) -> Any:
    """The value that a script gets to see."""
    if not isinstance(error, JSError):
        try:
            throw_overflow()
        except JSError as overflow:
            error = overflow
    return compiler.realm.thrown(error)


@compiles(nodes.ExpressionStatement)
def expression_statement(compiler: Compiler, node: nodes.ExpressionStatement) -> Closure:
    """In a script, its value may be the script's."""
    value = compiler.compile(node.expression)
    if compiler.has_completion:
        write = compiler.writer(COMPLETION)
        return lambda frame: write(frame, value(frame))

    def run(frame: Frame) -> None:
        value(frame)

    return run


@compiles(nodes.Declaration)
def declaration(compiler: Compiler, node: nodes.Declaration) -> Closure:
    """var, let, const."""
    steps = []
    is_initial = node.kind != "var"
    for target, value in node.pairs:
        if value is None and node.kind == "var":
            continue
        read = compiler.optional(None) if value is None else named(compiler, value, name_for(target))
        steps.append((binder(compiler, target, is_initial=is_initial, source=value), read))

    def run(frame: Frame) -> None:
        for write, read in steps:
            write(frame, read(frame))

    return run


@compiles(nodes.FunctionDeclaration)
def function_declaration(compiler: Compiler, node: nodes.FunctionDeclaration) -> Closure:
    """It is there already, but the function around may have to see it, too. Spec: B.3.2."""
    name = node.function.name
    if compiler.scope is compiler.function_scope or name not in compiler.block_functions:
        return lambda frame: None
    read = compiler.reader(name)
    write = compiler.writer(name, is_initial=True, only=compiler.function_scope)
    return lambda frame: write(frame, read(frame))


@compiles(nodes.Block)
def block(compiler: Compiler, node: nodes.Block) -> Closure:
    """{…}."""
    targets, compiler.targets = compiler.targets, [*compiler.targets]
    target = labelled_target(compiler, None)
    body, enter = compiler.block(node.body, node.has_functions, lambda body: statements(compiler, body))
    compiler.targets = targets
    if enter is not None:
        inner = body
        body = lambda frame: inner(enter(frame))  # noqa: E731  # the closure of inner
    return stopping(body, target)


def statements(compiler: Compiler, body: Sequence[Any]) -> Closure:
    """The closure of several statements in the present scope."""
    return compiler.sequence([compiler.compile(node) for node in body])


def labelled_target(compiler: Compiler, continue_: object | None) -> Target | None:
    """The target that the next statement is, if it has labels or is a loop; break finds it from now on."""
    labels, compiler.labels = compiler.labels, frozenset()
    if not labels and continue_ is None:
        return None
    target = Target(labels, Stop(), continue_)
    compiler.targets.append(target)
    return target


def stopping(body: Closure, target: Target | None) -> Closure:
    """A statement that break ends."""
    if target is None:
        return body

    def run(frame: Frame) -> Any:
        signal = body(frame)
        return None if signal is target.break_ else signal

    return run


@compiles(nodes.Labelled)
def labelled(compiler: Compiler, node: nodes.Labelled) -> Closure:
    """label: body."""
    before = compiler.labels
    add_label(compiler, node)
    is_loop = isinstance(node.body, (*LOOPS, nodes.Labelled))
    if is_loop:
        found = compiler.compile(node.body)
    else:
        target = labelled_target(compiler, None)
        found = stopping(compiler.compile(node.body), target)
        compiler.targets.pop()
    compiler.labels = before
    return found


def add_label(compiler: Compiler, node: nodes.Labelled) -> None:
    """Remember a label for the statement that comes next."""
    if any(node.label in target.labels for target in compiler.targets) or node.label in compiler.labels:
        fail(f"Label '{node.label}' has already been declared")
    compiler.labels |= {node.label}


@compiles(nodes.Jump)
def jump(compiler: Compiler, node: nodes.Jump) -> Closure:
    """break, continue."""
    signal = _signal(compiler, node)
    return lambda frame: signal


def _signal(compiler: Compiler, node: nodes.Jump) -> object:  # noqa: RET503  # fail does not return
    is_break = node.word == "break"
    for target in reversed(compiler.targets):
        if node.label is None:
            # Blocks are left only by their labels; so they are no targets here, but switch is, of break.
            if target.continue_ is not None and (is_break or target.continue_ is not SWITCH):
                return target.break_ if is_break else target.continue_
        elif node.label in target.labels:
            if is_break:
                return target.break_
            if target.continue_ is None or target.continue_ is SWITCH:
                fail(f"Illegal continue statement: '{node.label}' does not denote an iteration statement")
            return target.continue_
    if node.label is not None:
        fail(f"Undefined label '{node.label}'")
    fail("Illegal break statement" if is_break else "Illegal continue statement: no surrounding iteration statement")


SWITCH: Final = Stop()
"""In place of what continue returns: a switch can only be left by break."""


@compiles(nodes.Return)
def return_(compiler: Compiler, node: nodes.Return) -> Closure:
    """Return."""
    value = compiler.optional(node.value)
    return lambda frame: (value(frame),)


@compiles(nodes.Throw)
def throw(compiler: Compiler, node: nodes.Throw) -> Closure:
    """Throw."""
    value = compiler.compile(node.value)

    def run(frame: Frame) -> None:
        raise JSError(value(frame))

    return run


@compiles(nodes.If)
def if_(compiler: Compiler, node: nodes.If) -> Closure:
    """if, else."""
    test = compiler.condition(node.test)
    yes = compiler.compile(node.yes)
    no = compiler.sequence(()) if node.no is None else compiler.compile(node.no)
    return resetting(compiler, lambda frame: yes(frame) if test(frame) else no(frame))


def resetting(compiler: Compiler, body: Closure) -> Closure:
    """A statement after which a script's result is never that of what was before."""
    if not compiler.has_completion:
        return body
    write = compiler.writer(COMPLETION)
    nothing = compiler.optional(None)

    def run(frame: Frame) -> Any:
        write(frame, nothing(frame))
        return body(frame)

    return run


# --- try, switch -----------------------------------------------------------------------------------------------------


@compiles(nodes.Try)
def try_(compiler: Compiler, node: nodes.Try) -> Closure:
    """try, catch, finally."""
    body = compiler.compile(node.block)
    if node.handler is not None:
        body = _catching(compiler, body, node)
    if node.finalizer is not None:
        body = _finishing(body, finalizer(compiler, node.finalizer))
    return resetting(compiler, body)


def _catching(compiler: Compiler, body: Closure, node: nodes.Try) -> Closure:
    before = compiler.scope
    bind = catch_binder(compiler, node)
    assert node.handler is not None  # else this is not called
    handle = compiler.compile(node.handler)
    compiler.scope = before

    def run(frame: Frame) -> Any:
        try:
            return body(frame)
        except THROWN as error:
            value = thrown(compiler, error)
        return handle(bind(frame, value))

    return run


def catch_binder(compiler: Compiler, node: nodes.Try) -> Any:
    """What gives the frame for a handler, given what was thrown. Leaves the compiler in its scope."""
    if node.parameter is None:
        return lambda frame, value: frame
    assert node.handler is not None  # since there is a parameter
    names = [(name, "let") for name in names_of(node.parameter)]
    enter = compiler.entry(compiler.open_block(names, node.handler.has_functions))
    write = binder(compiler, node.parameter, is_initial=True)

    def bind(frame: Frame, value: Any) -> Frame:
        inner: Frame = enter(frame)
        write(inner, value)
        return inner

    return bind


def finalizer(compiler: Compiler, node: nodes.Block) -> Closure:
    """The block after finally, which leaves a script's result as it is."""
    had, compiler.has_completion = compiler.has_completion, False
    found = compiler.compile(node)
    compiler.has_completion = had
    return found


def _finishing(body: Closure, finish: Closure) -> Closure:
    def run(frame: Frame) -> Any:
        try:
            signal = body(frame)
        except THROWN:
            # Not Python's finally: what ends the program must not run any more of it.
            over = finish(frame)
            if over is not None:
                return over
            raise
        over = finish(frame)
        return signal if over is None else over

    return run


@compiles(nodes.Switch)
def switch(compiler: Compiler, node: nodes.Switch) -> Closure:
    """Switch."""
    value = compiler.compile(node.value)
    target = labelled_target(compiler, SWITCH)
    body = [statement for _, part in node.cases for statement in part]
    (find, parts), enter = compiler.block(body, node.has_functions, lambda _: cases(compiler, node, statements))
    compiler.targets.pop()

    def run(frame: Frame) -> Any:
        found = value(frame)
        if enter is not None:
            frame = enter(frame)
        for part in parts[find(frame, found) :]:
            signal = part(frame)
            if signal is not None:
                return signal
        return None

    return resetting(compiler, stopping(run, target))


def cases(compiler: Compiler, node: nodes.Switch, compile_all: Any) -> tuple[Any, list[Any]]:
    """What finds the case for a value, and the compiled bodies of all cases."""
    tests = [(index, compiler.compile(test)) for index, (test, _) in enumerate(node.cases) if test is not None]
    default = next((index for index, (test, _) in enumerate(node.cases) if test is None), len(node.cases))
    parts = [compile_all(compiler, part) for _, part in node.cases]

    def find(frame: Frame, value: Any) -> int:
        for index, test in tests:
            if strict_equals(value, test(frame)):
                return index
        return default

    return find, parts
