"""The values that scripts pass and receive, and the patterns that results are held against.

Numbers are bit patterns, so that NaNs and signed zeros compare as they are. Patterns are read from S-expressions by
`argument` and `expectation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from conformance.wast.literals import FORMATS, float_bits, integer_bits
from conformance.wast.sexpr import Node, SList

NumberType: TypeAlias = Literal["i32", "i64", "f32", "f64", "v128"]

_NUMBER_TYPES: Final[dict[str, NumberType]] = {"i32": "i32", "i64": "i64", "f32": "f32", "f64": "f64"}
_FLOAT_TYPES: Final[dict[str, Literal["f32", "f64"]]] = {"f32": "f32", "f64": "f64"}
_SHAPES: Final = {
    "i8x16": ("i8", 8),
    "i16x8": ("i16", 16),
    "i32x4": ("i32", 32),
    "i64x2": ("i64", 64),
    "f32x4": ("f32", 32),
    "f64x2": ("f64", 64),
}
_NAN_KINDS: Final = ("nan:canonical", "nan:arithmetic")
_HIERARCHIES: Final = {
    "func": ("func", "nofunc"),
    "extern": ("extern", "noextern"),
    "exn": ("exn", "noexn"),
    "any": ("any", "eq", "i31", "struct", "array", "none"),
}
"""Top types with the heap types below them: nulls of one hierarchy are one value."""

_REFERENCE_KINDS: Final = {
    "func": ("func",),
    "extern": ("extern",),
    "host": ("host",),
    "exn": ("exn",),
    "i31": ("i31",),
    "struct": ("struct",),
    "array": ("array",),
    "eq": ("i31", "struct", "array"),
    "any": ("i31", "struct", "array", "host"),
}
"""What `(ref.<key>)` stands for, as kinds of `Reference`."""


class ValueSyntaxError(ValueError):
    """An S-expression that is no value or no pattern."""


@final
@dataclass(frozen=True, slots=True)
class Number:
    """A number or vector by its unsigned bits; lane 0 of a vector is in the lowest bits."""

    type: NumberType
    bits: int

    def __str__(self) -> str:
        return f"({self.type}.const 0x{self.bits:x})"


@final
@dataclass(frozen=True, slots=True)
class NullReference:
    """A null; `heap_type` is an abstract heap type as the text format spells it, such as "func" or "none"."""

    heap_type: str

    def __str__(self) -> str:
        return f"(ref.null {self.heap_type})"


@final
@dataclass(frozen=True, slots=True)
class Reference:
    """A reference that is not null.

    `kind` is "func", "extern", "host" (a host value seen as anyref), "exn", "i31", "struct" or "array". `number` is
    what the script called a host value by, for "extern" and "host"; None elsewhere.
    """

    kind: str
    number: int | None = None

    def __str__(self) -> str:
        return f"(ref.{self.kind})" if self.number is None else f"(ref.{self.kind} {self.number})"


Value: TypeAlias = Number | NullReference | Reference


@final
@dataclass(frozen=True, slots=True)
class NanPattern:
    """Any NaN of a class: "nan:canonical" has only the quiet bit set, "nan:arithmetic" at least the quiet bit."""

    type: Literal["f32", "f64"]
    kind: str

    def __str__(self) -> str:
        return f"({self.type}.const {self.kind})"


@final
@dataclass(frozen=True, slots=True)
class VectorPattern:
    """A vector of which at least one lane is a NaN of a class; `lanes` are bits or such a class, from lane 0 on."""

    type: Literal["f32", "f64"]
    lanes: tuple[int | NanPattern, ...]


@final
@dataclass(frozen=True, slots=True)
class AnyNull:
    """`(ref.null)`: a null of any type."""


@final
@dataclass(frozen=True, slots=True)
class AnyReference:
    """`(ref.func)`, `(ref.eq)` and so on: any reference of these kinds that is not null."""

    kinds: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Either:
    """One of several patterns."""

    options: tuple[Expectation, ...]


Expectation: TypeAlias = Value | NanPattern | VectorPattern | AnyNull | AnyReference | Either


# --- Reading --------------------------------------------------------------------------------------------------------


def argument(node: Node) -> Value:
    """The value that an S-expression denotes.

    Raises:
        ValueSyntaxError: it is a pattern, or no value at all.
    """
    value = expectation(node)
    if not isinstance(value, Number | NullReference | Reference):
        raise ValueSyntaxError(f"a pattern where a value must be: {node!r}")
    return value


def expectation(node: Node) -> Expectation:
    """The pattern that an S-expression denotes; a plain value is the pattern of itself."""
    if not isinstance(node, SList) or node.head is None:
        raise ValueSyntaxError(f"not a value: {node!r}")
    head, rest = node.head, node.items[1:]
    if head == "either":
        return Either(tuple(expectation(option) for option in rest))
    atoms = [item for item in rest if isinstance(item, str)]
    if len(atoms) != len(rest):
        raise ValueSyntaxError(f"not a value: {node!r}")
    type_name, _, operation = head.partition(".")
    if type_name == "ref":
        return _reference(operation, atoms)
    if operation != "const":
        raise ValueSyntaxError(f"not a value: {node!r}")
    return _vector(atoms) if type_name == "v128" else _number(type_name, atoms)


def _number(type_name: str, atoms: list[str]) -> Number | NanPattern:
    if type_name not in _NUMBER_TYPES or len(atoms) != 1:
        raise ValueSyntaxError(f"not a number: {type_name}.const {atoms}")
    if float_type := _FLOAT_TYPES.get(type_name):
        is_nan_kind = atoms[0] in _NAN_KINDS
        return NanPattern(float_type, atoms[0]) if is_nan_kind else Number(float_type, float_bits(atoms[0], float_type))
    return Number(_NUMBER_TYPES[type_name], integer_bits(atoms[0], int(type_name[1:])))


def _vector(atoms: list[str]) -> Number | VectorPattern:
    shape = atoms[0] if atoms else ""
    if shape not in _SHAPES:
        raise ValueSyntaxError(f"no shape of a vector: {shape}")
    lane_type, lane_bits = _SHAPES[shape]
    if len(atoms) != 1 + 128 // lane_bits:
        raise ValueSyntaxError(f"a wrong number of lanes: {atoms}")
    float_type = _FLOAT_TYPES.get(lane_type)
    if float_type is None:
        return _joined([integer_bits(atom, lane_bits) for atom in atoms[1:]], lane_bits)
    lanes = [NanPattern(float_type, a) if a in _NAN_KINDS else float_bits(a, float_type) for a in atoms[1:]]
    bits = [lane for lane in lanes if isinstance(lane, int)]
    return _joined(bits, lane_bits) if len(bits) == len(lanes) else VectorPattern(float_type, tuple(lanes))


def _joined(lanes: list[int], lane_bits: int) -> Number:
    return Number("v128", sum(lane << (lane_bits * index) for index, lane in enumerate(lanes)))


def _reference(operation: str, atoms: list[str]) -> Expectation:
    if operation == "null":
        return NullReference(atoms[0]) if atoms else AnyNull()
    if operation not in _REFERENCE_KINDS:
        raise ValueSyntaxError(f"no reference: ref.{operation}")
    if atoms and operation in {"extern", "host"}:
        return Reference(operation, integer_bits(atoms[0], 32))
    return AnyReference(_REFERENCE_KINDS[operation])


# --- Matching -------------------------------------------------------------------------------------------------------


def matches(expected: Expectation, actual: Value) -> bool:
    """Whether a result is what the script expects."""
    match expected:
        case Either(options):
            return any(matches(option, actual) for option in options)
        case NanPattern():
            return isinstance(actual, Number) and actual.type == expected.type and is_nan(expected, actual.bits)
        case VectorPattern():
            return isinstance(actual, Number) and actual.type == "v128" and _lanes_match(expected, actual.bits)
        case AnyNull():
            return isinstance(actual, NullReference)
        case NullReference(heap_type):
            return isinstance(actual, NullReference) and _top(heap_type) == _top(actual.heap_type)
        case AnyReference(kinds):
            return isinstance(actual, Reference) and actual.kind in kinds
        case _:
            return expected == actual


def is_nan(pattern: NanPattern, bits: int) -> bool:
    """Whether bits of the pattern's type are a NaN of its class."""
    form = FORMATS[pattern.type]
    least = form.infinity | form.quiet_bit
    magnitude = bits & ~form.sign_bit
    return magnitude == least if pattern.kind == "nan:canonical" else magnitude & least == least


def _lanes_match(expected: VectorPattern, bits: int) -> bool:
    lane_bits = FORMATS[expected.type].bits
    for index, lane in enumerate(expected.lanes):
        actual = bits >> (index * lane_bits) & ((1 << lane_bits) - 1)
        if not (is_nan(lane, actual) if isinstance(lane, NanPattern) else lane == actual):
            return False
    return True


def _top(heap_type: str) -> str:
    """The top of a heap type's hierarchy; a type that has none known is its own."""
    return next((top for top, members in _HIERARCHIES.items() if heap_type in members), heap_type)
