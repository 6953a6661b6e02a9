"""Value types and external types: what functions, tables, memories and globals are made of.

Spec: binary format, "Types" (5.3); structure, "Types" (2.3). Everything here is immutable and hashable. Shapes:
a function type is two tuples of value types; limits count pages (memories) or elements (tables).
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar, Final, final

from .record import record

PAGE_SIZE: Final = 65536
"""Bytes in a page of memory."""

MAX_MEMORY_PAGES: Final = 65536
"""Pages that a 32-bit memory can have at most: 4 GiB."""

_REF_NULL: Final = 0x63
_REF: Final = 0x64

_NUMBER_NAMES: Final = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}

HEAP_TYPE_NAMES: Final = {
    -0x0C: "noexn",
    -0x0D: "nofunc",
    -0x0E: "noextern",
    -0x0F: "none",
    -0x10: "func",
    -0x11: "extern",
    -0x12: "any",
    -0x13: "eq",
    -0x14: "i31",
    -0x15: "struct",
    -0x16: "array",
    -0x17: "exn",
}
"""Abstract heap types by the signed number that encodes them (spec 5.3.3); type indices are the numbers from 0."""


@final
@record
class ValueType:
    """A value type: a number, vector or reference type.

    `code` is the byte that opens its encoding; a reference is always spelled out (0x63 nullable, 0x64 not), and `heap`
    says to what: negative for an abstract heap type (`HEAP_TYPE_NAMES`), otherwise a type index. Numbers have heap 0.
    """

    code: int
    heap: int = 0

    I32: ClassVar[ValueType]
    I64: ClassVar[ValueType]
    F32: ClassVar[ValueType]
    F64: ClassVar[ValueType]
    V128: ClassVar[ValueType]
    FUNCREF: ClassVar[ValueType]
    EXTERNREF: ClassVar[ValueType]

    @staticmethod
    def ref(heap: int, *, nullable: bool = True) -> ValueType:
        """The reference type ``(ref null? heap)``."""
        return ValueType(_REF_NULL if nullable else _REF, heap)

    @property
    def is_ref(self) -> bool:
        """Whether this is a reference type."""
        return self.code in (_REF_NULL, _REF)

    @property
    def is_nullable(self) -> bool:
        """Whether null is a value of this type; false for numbers and vectors."""
        return self.code == _REF_NULL

    @property
    def has_default(self) -> bool:
        """Whether locals and table elements of this type can start as zero or null."""
        return self.code != _REF

    @property
    def name(self) -> str:
        """As the text format spells it: ``i32``, ``funcref``, ``(ref null 3)``."""
        number = _NUMBER_NAMES.get(self.code)
        if number:
            return number
        heap = HEAP_TYPE_NAMES.get(self.heap, str(self.heap))
        if self.is_nullable and heap in ("func", "extern"):
            return f"{heap}ref"
        return f"(ref {'null ' if self.is_nullable else ''}{heap})"

    def __repr__(self) -> str:
        return self.name


ValueType.I32 = ValueType(0x7F)
ValueType.I64 = ValueType(0x7E)
ValueType.F32 = ValueType(0x7D)
ValueType.F64 = ValueType(0x7C)
ValueType.V128 = ValueType(0x7B)
ValueType.FUNCREF = ValueType.ref(-0x10)
ValueType.EXTERNREF = ValueType.ref(-0x11)

i32 = Annotated[int, ValueType.I32]
"""Annotation of a host function's parameter or result: a signed 32-bit integer."""
i64 = Annotated[int, ValueType.I64]
"""Annotation: a signed 64-bit integer."""
f32 = Annotated[float, ValueType.F32]
"""Annotation: a float, rounded to 32 bits at the boundary."""
f64 = Annotated[float, ValueType.F64]
"""Annotation: a float."""
v128 = Annotated[bytes, ValueType.V128]
"""Annotation: 16 bytes, little endian."""
funcref = Annotated[Any, ValueType.FUNCREF]
"""Annotation: a function of some instance, or None."""
externref = Annotated[Any, ValueType.EXTERNREF]
"""Annotation: any Python object; None is null."""


@final
@record
class FunctionType:
    """Parameter and result types, in order."""

    params: tuple[ValueType, ...]
    results: tuple[ValueType, ...]

    def __str__(self) -> str:
        params = " ".join(t.name for t in self.params)
        results = " ".join(t.name for t in self.results)
        return f"({params}) -> ({results})"


@final
@record
class Limits:
    """How many pages or elements: at least `minimum`, at most `maximum` (None: no bound but the implementation's)."""

    minimum: int
    maximum: int | None = None


@final
@record
class TableType:
    """A table of references of one type; sizes count elements."""

    element: ValueType
    limits: Limits
    is_64: bool = False


@final
@record
class MemoryType:
    """A linear memory; sizes count pages of 64 KiB."""

    limits: Limits
    is_shared: bool = False
    is_64: bool = False


@final
@record
class GlobalType:
    """The type of a global, and whether it may be set."""

    value: ValueType
    is_mutable: bool


@final
@record
class TagType:
    """The type of an exception tag: the values that an exception carries are the parameters of `function`."""

    function: FunctionType


class ExternKind(Enum):
    """What an import or export is; the value is its byte in the binary format (spec 5.5.5)."""

    FUNCTION = 0
    TABLE = 1
    MEMORY = 2
    GLOBAL = 3
    TAG = 4

    @property
    def label(self) -> str:
        """As the text format spells it."""
        return "func" if self is ExternKind.FUNCTION else self.name.lower()


ExternType = FunctionType | TableType | MemoryType | GlobalType | TagType
