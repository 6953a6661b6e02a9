"""How loops are compiled. Spec: ECMA-262, 14.7."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wazero_gojs.model.object import MISSING

from . import nodes
from .access import iterator, keys_in
from .binding import binder
from .compiler import Closure, Compiler, Target, compiles
from .patterns import names_of
from .scope import Frame
from .statement_code import THROWN, Stop, labelled_target, resetting


def open_loop(compiler: Compiler) -> Target:
    """The target that a loop is; the caller takes it off `targets` after its body."""
    target = labelled_target(compiler, Stop())
    assert target is not None  # since it is a loop
    return target


@compiles(nodes.While)
def while_(compiler: Compiler, node: nodes.While) -> Closure:
    """While."""
    return _loop(compiler, node.test, node.body, None, is_test_first=True)


@compiles(nodes.DoWhile)
def do_while(compiler: Compiler, node: nodes.DoWhile) -> Closure:
    """Do while."""
    return _loop(compiler, node.test, node.body, None, is_test_first=False)


def _loop(
    compiler: Compiler, test: Any, body: Any, update: Any, *, is_test_first: bool, copies: bool = False
) -> Closure:
    """A loop; with `copies`, each turn has a frame of its own, which starts as that of the turn before it."""
    realm = compiler.realm
    target = open_loop(compiler)
    should_go_on = (lambda frame: True) if test is None else compiler.condition(test)
    do = compiler.compile(body)
    move_on = None if update is None else compiler.compile(update)
    compiler.targets.pop()

    def run(frame: Frame) -> Any:
        is_tested = is_test_first
        while not is_tested or should_go_on(frame):
            is_tested = True
            realm.poll()
            signal = do(frame)
            if signal is not None and signal is not target.continue_:
                return None if signal is target.break_ else signal
            if copies:
                frame = frame.copy()
            if move_on is not None:
                move_on(frame)
        return None

    return resetting(compiler, run)


@compiles(nodes.For)
def for_(compiler: Compiler, node: nodes.For) -> Closure:
    """For (;;)."""
    before = compiler.scope
    enter, start = for_start(compiler, node)
    copies = enter is not None and node.has_functions
    loop = _loop(compiler, node.test, node.body, node.update, is_test_first=True, copies=copies)
    compiler.scope = before

    def run(frame: Frame) -> Any:
        if enter is not None:
            frame = enter(frame)
        start(frame)
        if copies:
            frame = frame.copy()
        return loop(frame)

    return run


def for_start(compiler: Compiler, node: nodes.For) -> tuple[Closure | None, Closure]:
    """What enters the scope of a loop's variables, if it has any, and its first part. Leaves the compiler in there."""
    start = node.start
    enter = None
    if isinstance(start, nodes.Declaration) and start.kind != "var":
        names = [(name, start.kind) for target, _ in start.pairs for name in names_of(target)]
        compiler.check_conflicts(names, (node.body,))
        enter = compiler.entry(compiler.open_block(names, node.has_functions))
    return enter, compiler.optional(start)


@compiles(nodes.ForEach)
def for_each(compiler: Compiler, node: nodes.ForEach) -> Closure:
    """For of, for in."""
    realm = compiler.realm
    value = compiler.compile(node.value)
    before = compiler.scope
    turn, target, do = each_turn(compiler, node)
    compiler.scope = before

    def run(frame: Frame) -> Any:
        record = items_for(compiler, node, value(frame))
        try:
            while (item := record.step()) is not MISSING:
                realm.poll()
                signal = do(turn(frame, item))
                if signal is not None and signal is not target.continue_:
                    break
            else:
                return None
        except THROWN:
            record.close_quietly()
            raise
        record.close()
        return None if signal is target.break_ else signal

    return resetting(compiler, run)


def each_turn(compiler: Compiler, node: nodes.ForEach, compile_body: Any = None) -> tuple[Any, Target, Any]:
    """What gives the frame of a turn, given the item; the loop's target; the body. Leaves the compiler in its scope."""
    enter = None
    if node.kind in {"let", "const"}:
        names = [(name, node.kind) for name in names_of(node.target)]
        compiler.check_conflicts(names, (node.body,))
        enter = compiler.entry(compiler.open_block(names, node.has_functions))
    bind = binder(compiler, node.target, is_initial=enter is not None)
    target = open_loop(compiler)
    do = (compile_body or compiler.compile)(node.body)
    compiler.targets.pop()

    def turn(frame: Frame, item: Any) -> Frame:
        if enter is not None:
            frame = enter(frame)
        bind(frame, item)
        return frame

    return turn, target, do


class _Keys:
    """An iterator record for for-in."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterator[str]) -> None:
        self._keys = keys

    def step(self) -> Any:
        """See `IteratorRecord.step`."""
        return next(self._keys, MISSING)

    def close(self) -> None:
        """Nothing is to be closed."""

    close_quietly = close


def items_for(compiler: Compiler, node: nodes.ForEach, value: Any) -> Any:
    """The iterator record of what a loop goes through."""
    if node.word == "in":
        return _Keys(keys_in(compiler.realm, value))
    return iterator(compiler.realm, value, node.value)
