"""The syntax tree. Spec: ECMA-262, 13 to 15. Every node is a tuple whose fields are nodes, tuples of nodes, or plain data."""

from __future__ import annotations

from typing import Any, NamedTuple

Node = Any
"""One of the classes below."""
Nodes = tuple[Node, ...]

# --- Expressions -----------------------------------------------------------------------------------------------------


class Literal(NamedTuple):
    """A value that is no object."""

    value: Any


class Name(NamedTuple):
    """A variable. Besides what scripts can write, "this", "new.target" and what starts with "%" are variables, too."""

    name: str


class RegExp(NamedTuple):
    """/source/flags."""

    source: str
    flags: str


class Template(NamedTuple):
    """`text${value}text`: one text more than values."""

    texts: tuple[str, ...]
    values: Nodes


class TaggedTemplate(NamedTuple):
    """tag`text${value}text`. A text with a bad escape is None."""

    tag: Node
    texts: tuple[str | None, ...]
    raw_texts: tuple[str, ...]
    values: Nodes


class Array(NamedTuple):
    """[a, , ...b]; a hole is None."""

    items: Nodes


class Property(NamedTuple):
    """Of an object or a class. `kind` is "value", "method", "get", "set", or "field"."""

    kind: str
    key: Node
    value: Node
    is_static: bool = False


class CoverDefault(NamedTuple):
    """{name = value}, which is only right if it turns out to be a pattern."""

    name: Name
    value: Node


class Object(NamedTuple):
    """{…}: of `Property`, `Spread` and `CoverDefault`."""

    properties: Nodes


class Function(NamedTuple):
    """A function. `kind` is "function", "arrow", "method", "constructor" or "derived"."""

    name: str
    parameters: Nodes
    body: Nodes
    kind: str
    source: str
    is_strict: bool
    is_generator: bool = False
    is_async: bool = False
    is_expression: bool = False
    """Whether it sees itself by its name."""


class Class(NamedTuple):
    """A class; `constructor` is None if none is written."""

    name: str
    parent: Node
    constructor: Function | None
    members: tuple[Property, ...]
    source: str


class Member(NamedTuple):
    """base.key and base[key]; ?. if it is optional. The base may be `Super`."""

    base: Node
    key: Node
    is_optional: bool = False


class Super(NamedTuple):
    """The word super, as a base or a callee."""


class Call(NamedTuple):
    """callee(arguments); callee?.(arguments)."""

    callee: Node
    arguments: Nodes
    is_optional: bool = False


class Chain(NamedTuple):
    """Around what a ?. inside may cut short."""

    expression: Node


class New(NamedTuple):
    """new callee(arguments)."""

    callee: Node
    arguments: Nodes


class Unary(NamedTuple):
    """- + ! ~ typeof void delete."""

    operator: str
    operand: Node


class Update(NamedTuple):
    """++ and --."""

    operator: str
    is_prefix: bool
    target: Node


class Binary(NamedTuple):
    """An operator that evaluates both sides."""

    operator: str
    left: Node
    right: Node


class Logical(NamedTuple):
    """&& || ??."""

    operator: str
    left: Node
    right: Node


class Conditional(NamedTuple):
    """test ? yes : no."""

    test: Node
    yes: Node
    no: Node


class Assign(NamedTuple):
    """target operator value; `operator` is "" for =, "+" for += and so on. A target is a variable, member or pattern."""

    operator: str
    target: Node
    value: Node


class Sequence(NamedTuple):
    """a, b."""

    items: Nodes


class Spread(NamedTuple):
    """...value, in arrays, objects and arguments."""

    value: Node


class Group(NamedTuple):
    """(expression): only while parsing, since (a) => a and ({a}) = b depend on it. `items` may end in `Rest`."""

    items: Nodes


class Yield(NamedTuple):
    """yield value, yield* value."""

    value: Node
    is_delegate: bool


class Await(NamedTuple):
    """await value."""

    value: Node


# --- Patterns --------------------------------------------------------------------------------------------------------


class ArrayPattern(NamedTuple):
    """[a, , ...b]."""

    items: Nodes


class ObjectPattern(NamedTuple):
    """{a: b, ...c}: of pairs (key, target), and what takes the rest."""

    properties: tuple[tuple[Node, Node], ...]
    rest: Node


class Default(NamedTuple):
    """target = value, inside of a pattern."""

    target: Node
    value: Node


class Rest(NamedTuple):
    """...target, at the end of parameters or an array pattern."""

    target: Node


# --- Statements. `has_functions`: whether a closure inside may outlive its variables. ---------------------------------


class ExpressionStatement(NamedTuple):
    """expression;."""

    expression: Node


class Declaration(NamedTuple):
    """var, let or const, with pairs (target, value)."""

    kind: str
    pairs: tuple[tuple[Node, Node], ...]


class FunctionDeclaration(NamedTuple):
    """function name() {}."""

    function: Function


class ClassDeclaration(NamedTuple):
    """class name {}."""

    definition: Class


class Block(NamedTuple):
    """{…}."""

    body: Nodes
    has_functions: bool


class If(NamedTuple):
    """if (test) yes else no."""

    test: Node
    yes: Node
    no: Node


class For(NamedTuple):
    """for (start; test; update) body."""

    start: Node
    test: Node
    update: Node
    body: Node
    has_functions: bool


class ForEach(NamedTuple):
    """for (kind target in value) and "of"; kind is "" if the target is assigned to."""

    word: str
    kind: str
    target: Node
    value: Node
    body: Node
    has_functions: bool


class While(NamedTuple):
    """while (test) body."""

    test: Node
    body: Node


class DoWhile(NamedTuple):
    """do body while (test)."""

    body: Node
    test: Node


class Labelled(NamedTuple):
    """label: body."""

    label: str
    body: Node


class Jump(NamedTuple):
    """break and continue."""

    word: str
    label: str | None


class Return(NamedTuple):
    """return value."""

    value: Node


class Throw(NamedTuple):
    """throw value."""

    value: Node


class Try(NamedTuple):
    """try block catch (parameter) handler finally finalizer."""

    block: Block
    parameter: Node
    handler: Block | None
    finalizer: Block | None


class Switch(NamedTuple):
    """switch (value): cases are pairs (test, body), test None for default."""

    value: Node
    cases: tuple[tuple[Node, Nodes], ...]
    has_functions: bool


class Script(NamedTuple):
    """A whole source."""

    body: Nodes
    is_strict: bool


THIS = Name("this")
UNDEFINED_NAME = "undefined"
