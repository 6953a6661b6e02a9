"""From nodes to closures. A closure gets the frame of variables; that of an expression returns its value, that of a
statement how it ended: None, or a jump's own object, or (value,) for a return.

The modules `expression_code`, `statement_code`, `class_code` and `suspension` say how for each class of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from wazero_gojs.model.object import MISSING, Accessor
from wazero_gojs.model.values import UNDEFINED, ThrownByName, throw_type_error, to_boolean

from . import nodes
from .lexer import fail
from .operators import COMPARISONS
from .scope import TDZ, Frame, FunctionScope, Place, Scope, functions_of, lexical_names, var_names

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

Closure = Callable[[Frame], Any]
Writer = Callable[[Frame, Any], None]
_Rule = Callable[["Compiler", Any], Closure]

RULES: Final[dict[type, _Rule]] = {}
"""How to compile each class of nodes."""
COMPLETION: Final = "%completion"
"""The variable for a script's result."""
_MISPLACED: Final[dict[type, str]] = {
    nodes.CoverDefault: "Invalid shorthand property initializer",
    nodes.Yield: "Yield expression not allowed in formal parameter",
    nodes.Await: "Illegal await-expression in formal parameters of async function",
}
"""Nodes without a rule: what is wrong where one is compiled."""
_CONSTANTS: Final = {"undefined": UNDEFINED, "NaN": float("nan"), "Infinity": float("inf")}


def compiles(*types: type) -> Callable[[_Rule], _Rule]:
    """Decorator: this compiles nodes of these classes."""

    def add(rule: _Rule) -> _Rule:
        RULES.update(dict.fromkeys(types, rule))
        return rule

    return add


class Target(NamedTuple):
    """A statement that break and continue may mean, and the objects by which its closures know."""

    labels: frozenset[str]
    break_: object
    continue_: object | None


@final
class Compiler:
    """Of one function or script. Throws SyntaxErrors for what the parser did not know."""

    __slots__ = (
        "block_functions",
        "function_scope",
        "has_completion",
        "is_strict",
        "labels",
        "realm",
        "scope",
        "targets",
    )

    def __init__(self, realm: Realm, scope: FunctionScope, is_strict: bool) -> None:
        self.realm = realm
        self.scope: Scope = scope
        self.function_scope = scope
        self.is_strict = is_strict
        self.has_completion = False
        self.block_functions: frozenset[str] = frozenset()
        """Functions declared in blocks that the whole function sees, too."""
        self.targets: list[Target] = []
        self.labels: frozenset[str] = frozenset()
        """Of the statement that comes next."""

    def compile(self, node: Any) -> Closure:
        """The closure of an expression or statement."""
        self.realm.poll()
        rule = RULES.get(type(node))
        if rule is None:
            fail(_MISPLACED[type(node)])
        return rule(self, node)

    def optional(self, node: Any) -> Closure:
        """The closure of an expression that may be left out."""
        return _undefined if node is None else self.compile(node)

    def condition(self, node: Any) -> Closure:
        """The closure of an expression whose truth alone counts."""
        value = self.compile(node)
        if isinstance(node, nodes.Binary) and node.operator in COMPARISONS:
            return value
        return lambda frame: to_boolean(value(frame))

    def sequence(self, steps: Sequence[Closure]) -> Closure:
        """The closure of statements, one after the other."""
        if len(steps) == 1:
            return steps[0]

        def run(frame: Frame) -> Any:
            for step in steps:
                signal = step(frame)
                if signal is not None:
                    return signal
            return None

        return run if steps else lambda frame: None

    # Scopes

    def open_block(self, names: list[tuple[str, str]], has_functions: bool) -> Scope:
        """Enter a scope with these variables and kinds; undo by setting `scope` back. `entry` enters it when run."""
        scope = Scope(self.scope, None if has_functions else self.scope.template)
        for name, kind in names:
            is_again = kind == "var" and name in scope.variables and scope.variables[name][1] == "var"
            if self.is_strict or not is_again:  # sloppy code may declare a function twice
                scope.declare(name, kind)
        self.scope = scope
        return scope

    def entry(self, scope: Scope) -> Closure:
        """What gives the frame for a scope: a new one, or the one around with fresh variables."""
        template = scope.template
        if scope.parent is not None and scope.parent.template is template:
            slots = [slot for slot, _ in scope.variables.values()]
            if not slots:
                return lambda frame: frame
            first, end = slots[0], slots[-1] + 1
            fresh = [template[slot] for slot in range(first, end)]

            def reset(frame: Frame) -> Frame:
                frame[first:end] = fresh
                return frame

            return reset

        def enter(frame: Frame) -> Frame:
            inner = template.copy()
            inner[0] = frame
            return inner

        return enter

    def block(self, body: Sequence[Any], has_functions: bool, compile_all: Callable[[Sequence[Any]], Any]) -> Any:
        """What `compile_all` makes of statements in a scope of their own, and what enters that; None if it is not needed."""
        names = list(lexical_names(body, is_block=True))
        if not names:
            return compile_all(body), None
        self.check_conflicts(names, body)
        before = self.scope
        scope = self.open_block(names, has_functions)
        hoisted = self.hoisted(body)
        compiled = compile_all(body)
        self.scope = before
        entry = self.entry(scope)
        if not hoisted:
            return compiled, entry

        def enter(frame: Frame) -> Frame:
            inner: Frame = entry(frame)
            for write in hoisted:
                write(inner)
            return inner

        return compiled, enter

    def check_conflicts(self, names: list[tuple[str, str]], body: Sequence[Any]) -> None:
        """SyntaxError if a block has a variable by var, too."""
        both = {name for name, _ in names}.intersection(var_names(body))
        if both:
            fail(f"Identifier '{min(both)}' has already been declared")

    def hoisted(self, body: Sequence[Any]) -> list[Closure]:
        """What makes the functions that are declared here."""
        return [self.declared_function(function) for function in functions_of(body)]

    def declared_function(self, node: nodes.Function) -> Closure:
        """What makes a function and gives it its name."""
        make = self.compile(node)
        write = self.writer(node.name, is_initial=True)
        return lambda frame: write(frame, make(frame))

    # Variables

    def reader(self, name: str) -> Closure:
        """What reads a variable."""
        place = self.scope.find(name)
        if place is None:
            return self._global_reader(name)
        if place.has_dead_zone:
            return _checked_reader(place, name)
        _, slot, _ = place
        if place.hops == 0:
            return lambda frame: frame[slot]
        if place.hops == 1:
            return lambda frame: frame[0][slot]
        return lambda frame: _outer(frame, place.hops)[slot]

    def writer(self, name: str, *, is_initial: bool = False, only: Scope | None = None) -> Writer:
        """What assigns to a variable (of that scope `only`, if given), or gives it its first value."""
        place = self.scope.find(name, only)
        if place is None:
            return self._global_writer(name, is_initial)
        hops, slot, kind = place
        if not is_initial:
            if kind == "self":
                return _write_const if self.is_strict else lambda frame, value: None
            if place.has_dead_zone:
                return _checked_writer(place, name)

        def write(frame: Frame, value: Any) -> None:
            frame[slot] = value

        def write_outer(frame: Frame, value: Any) -> None:
            _outer(frame, hops)[slot] = value

        return write_outer if hops else write

    def _global_reader(self, name: str) -> Closure:
        if name == "new.target":
            fail("new.target expression is not allowed here")
        if name in _CONSTANTS:
            value = _CONSTANTS[name]
            return lambda frame: value
        global_object = self.realm.global_object
        properties = global_object.properties

        def read(frame: Frame) -> Any:
            value = properties.get(name, MISSING)
            if value is not MISSING and type(value) is not Accessor:
                return value
            if not global_object.has(name):
                raise ThrownByName("ReferenceError", f"{name} is not defined")
            return global_object.get(name)

        return read

    def _global_writer(self, name: str, is_initial: bool) -> Writer:
        global_object = self.realm.global_object
        is_strict = self.is_strict and not is_initial

        def write(frame: Frame, value: Any) -> None:
            if is_strict and not global_object.has(name):
                raise ThrownByName("ReferenceError", f"{name} is not defined")
            if not global_object.set(name, value) and is_strict:
                throw_type_error(f"Cannot assign to read only property '{name}' of object '#<Object>'")

        return write


def _undefined(frame: Frame) -> Any:
    return UNDEFINED


def _outer(frame: Frame, hops: int) -> Frame:
    for _ in range(hops):
        frame = frame[0]
    return frame


def _checked_reader(place: Place, name: str) -> Closure:
    hops, slot, _ = place
    if not hops:

        def read(frame: Frame) -> Any:
            value = frame[slot]
            if value is TDZ:
                throw_uninitialized(name)
            return value

        return read

    def read_outer(frame: Frame) -> Any:
        value = _outer(frame, hops)[slot]
        if value is TDZ:
            throw_uninitialized(name)
        return value

    return read_outer


def _checked_writer(place: Place, name: str) -> Writer:
    hops, slot, kind = place

    def write(frame: Frame, value: Any) -> None:
        frame = _outer(frame, hops)
        if frame[slot] is TDZ:
            throw_uninitialized(name)
        if kind == "const":
            _write_const(frame, value)
        frame[slot] = value

    return write


def _write_const(frame: Frame, value: Any) -> None:
    throw_type_error("Assignment to constant variable.")


def throw_uninitialized(name: str) -> None:
    """Throw the ReferenceError for a variable that has no value yet."""
    if name == "this":
        raise ThrownByName(
            "ReferenceError",
            "Must call super constructor in derived class before accessing 'this' or returning from derived constructor",
        )
    raise ThrownByName("ReferenceError", f"Cannot access '{name}' before initialization")
