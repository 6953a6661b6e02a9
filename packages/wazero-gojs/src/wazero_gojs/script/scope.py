"""Where variables live. Names are resolved once, when code is compiled; at run time a variable is a slot of a frame.

A frame is a list: the frame around it, then the slots. A function has one per call. A block has one of its own only if
closures may capture its variables; else they are slots of the frame around.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, final

from wazero_gojs.model.values import UNDEFINED

from . import nodes
from .lexer import fail
from .patterns import names_of

Frame = list[Any]


@final
class _Uninitialized:
    __slots__ = ()


TDZ: Final = _Uninitialized()
"""In the slot of a variable whose declaration has not been run: its temporal dead zone. Spec: 9.1.1.1."""

SPECIALS: Final = frozenset(("this", "arguments", "new.target", "%function"))
"""What every function but arrows has as variables of its own. %function is the function itself."""


class Place(NamedTuple):
    """A variable as seen from somewhere: so many frames out, and its slot there."""

    hops: int
    slot: int
    kind: str
    """"var", "let", "const", "parameter" (with a dead zone), "this", or "self" (the name of a function expression)."""

    @property
    def has_dead_zone(self) -> bool:
        """Whether it may be read too early."""
        return self.kind in {"let", "const", "parameter", "this"}


class Scope:
    """The variables of a block, for the compiler."""

    __slots__ = ("parent", "template", "variables")

    def __init__(self, parent: Scope | None, template: Frame | None = None) -> None:
        self.parent = parent
        if template is None:
            template = [None]
        self.template = template
        """A new frame; those of scopes that share a frame are one list."""
        self.variables: dict[str, tuple[int, str]] = {}

    def add(self, name: str, kind: str) -> int:
        """Make a variable; its slot."""
        slot = len(self.template)
        self.template.append(UNDEFINED if kind in {"var", "self"} else TDZ)
        self.variables[name] = (slot, kind)
        return slot

    def declare(self, name: str, kind: str) -> None:
        """Make a variable that must not be there. Throws a SyntaxError."""
        if name in self.variables:
            fail(f"Identifier '{name}' has already been declared")
        self.add(name, kind)

    def lookup(self, name: str) -> tuple[int, str] | None:
        """A variable of this very scope."""
        return self.variables.get(name)

    def find(self, name: str, only: Scope | None = None) -> Place | None:
        """A variable (of that scope `only`, if given); None for what can only be a property of the global object."""
        scope: Scope | None = self
        hops = 0
        while scope is not None:
            found = scope.lookup(name) if only is None or scope is only else None
            if found is not None:
                return Place(hops, *found)
            if scope.parent is not None and scope.parent.template is not scope.template:
                hops += 1
            scope = scope.parent
        return None


@final
class FunctionScope(Scope):
    """The variables of a function or script."""

    __slots__ = ("function", "specials")

    def __init__(self, parent: Scope | None, function: nodes.Function | None) -> None:
        super().__init__(parent)
        self.function = function
        self.specials: list[tuple[int, str]] = []
        """Slots that a call fills, and with what."""

    def lookup(self, name: str) -> tuple[int, str] | None:
        found = self.variables.get(name)
        if found is not None or not self._makes(name):
            return found
        kind = "this" if name == "this" else "var" if name in SPECIALS else "self"
        self.specials.append((self.add(name, kind), name if name in SPECIALS else "%function"))
        return self.variables[name]

    def _makes(self, name: str) -> bool:
        function = self.function
        if function is None:
            return name == "this"
        if name in SPECIALS:
            return function.kind != "arrow"
        return function.is_expression and name == function.name


# --- What statements declare -----------------------------------------------------------------------------------------


def var_names(statements: Iterable[Any]) -> Iterator[str]:
    """Variables that belong to the function around. Spec: 8.2.6."""
    for node in statements:
        if isinstance(node, nodes.Declaration):
            if node.kind == "var":
                for target, _ in node.pairs:
                    yield from names_of(target)
        elif isinstance(node, nodes.Switch):
            for _, body in node.cases:
                yield from var_names(body)
        elif isinstance(node, nodes.ForEach):
            if node.kind == "var":
                yield from names_of(node.target)
            yield from var_names((node.body,))
        elif isinstance(node, nodes.Block):
            yield from var_names(node.body)
        elif isinstance(node, (nodes.If, nodes.For, nodes.While, nodes.DoWhile, nodes.Labelled, nodes.Try)):
            yield from var_names(_parts(node))


def _parts(node: Any) -> tuple[Any, ...]:
    if isinstance(node, nodes.If):
        return node.yes, node.no
    if isinstance(node, nodes.For):
        return node.start, node.body
    if isinstance(node, nodes.Try):
        return node.block, node.handler, node.finalizer
    return (node.body,)


def lexical_names(statements: Iterable[Any], *, is_block: bool) -> Iterator[tuple[str, str]]:
    """Names and kinds of let, const and classes, and in blocks functions. Spec: 8.2.4."""
    for node in statements:
        if isinstance(node, nodes.Declaration) and node.kind != "var":
            for target, _ in node.pairs:
                for name in names_of(target):
                    yield name, node.kind
        elif isinstance(node, nodes.ClassDeclaration):
            yield node.definition.name, "let"
        elif is_block and isinstance(function := _declared(node), nodes.Function):
            yield function.name, "var"


def functions_of(statements: Iterable[Any]) -> list[nodes.Function]:
    """Functions that are declared here; they are there from the start."""
    return [function for node in statements if (function := _declared(node)) is not None]


def _declared(node: Any) -> nodes.Function | None:
    while isinstance(node, nodes.Labelled):
        node = node.body
    return node.function if isinstance(node, nodes.FunctionDeclaration) else None


def block_functions(statements: Iterable[Any]) -> Iterator[str]:
    """Functions in blocks, which sloppy code also sees as variables of the function around. Spec: B.3.2."""
    for node in statements:
        if isinstance(node, nodes.Block):
            yield from (function.name for function in functions_of(node.body))
            yield from block_functions(node.body)
        elif isinstance(node, nodes.Switch):
            for _, body in node.cases:
                yield from (function.name for function in functions_of(body))
                yield from block_functions(body)
        elif isinstance(
            node, (nodes.If, nodes.For, nodes.ForEach, nodes.While, nodes.DoWhile, nodes.Labelled, nodes.Try)
        ):
            yield from block_functions(_parts(node))
