"""The decoded module: what the binary says, as frozen data, nothing checked but its form.

Indices follow the specification's index spaces: imports come first, in the order of the import section. Function
bodies and initialiser expressions stay slices of the binary; offsets are bytes from its start.
Spec: binary format, "Modules" (5.5); structure, "Modules" (2.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, final

from .record import record
from .types import ExternKind, FunctionType, GlobalType, MemoryType, TableType, ValueType


@final
@record
class Expression:
    """An initialiser: instruction bytes with the final ``end``, and where they start in the binary."""

    code: bytes
    offset: int


@final
@record
class Import:
    """What the module asks for: a table, memory or global of `type`, or a function of type ``types[type_index]``."""

    module: str
    name: str
    kind: ExternKind
    type: TableType | MemoryType | GlobalType | None = None
    type_index: int = 0


@final
@record
class Export:
    """A name for an item of an index space."""

    name: str
    kind: ExternKind
    index: int


@final
@record
class TableDefinition:
    """A table the module defines; `init` is None for null."""

    type: TableType
    init: Expression | None = None


@final
@record
class GlobalDefinition:
    """A global the module defines."""

    type: GlobalType
    init: Expression


class SegmentMode(Enum):
    """When a segment's content is copied."""

    ACTIVE = "active"
    PASSIVE = "passive"
    DECLARATIVE = "declarative"


@final
@record
class ElementSegment:
    """References for a table. Either function indices or one expression each; the other is empty."""

    mode: SegmentMode
    type: ValueType
    functions: tuple[int, ...] = ()
    expressions: tuple[Expression, ...] = ()
    table_index: int = 0
    offset: Expression | None = None


@final
@record
class DataSegment:
    """Bytes for a memory."""

    mode: SegmentMode
    data: bytes
    memory_index: int = 0
    offset: Expression | None = None


@final
@record
class FunctionBody:
    """Code of a function the module defines. `code` holds the instructions with the final ``end``.

    `locals` are the declared ones, run-length coded as in the binary: (count, type); parameters come before them.
    """

    locals: tuple[tuple[int, ValueType], ...]
    code: bytes
    offset: int
    """Where `code` starts in the binary."""


@final
@record
class CustomSection:
    """A custom section other than the name section."""

    name: str
    data: bytes
    offset: int


_NONE: Final[Mapping[int, Any]] = {}


@final
@record
class Names:
    """The name section (spec appendix 7.4). Names are for people: they say nothing about linking."""

    module: str | None = None
    functions: Mapping[int, str] = _NONE
    locals: Mapping[int, Mapping[int, str]] = _NONE


@final
@record
class Module:
    """A decoded module. Build one by hand to drive an engine without a binary."""

    types: tuple[FunctionType, ...] = ()
    imports: tuple[Import, ...] = ()
    functions: tuple[int, ...] = ()
    """Type index of each function that the module defines."""
    tables: tuple[TableDefinition, ...] = ()
    memories: tuple[MemoryType, ...] = ()
    globals: tuple[GlobalDefinition, ...] = ()
    exports: tuple[Export, ...] = ()
    start: int | None = None
    elements: tuple[ElementSegment, ...] = ()
    data_count: int | None = None
    data: Sequence[DataSegment] = ()
    bodies: tuple[FunctionBody, ...] = ()
    custom_sections: tuple[CustomSection, ...] = ()
    names: Names = Names()

    def imported(self, kind: ExternKind) -> tuple[Import, ...]:
        """The imports of one kind, in index order."""
        return tuple(item for item in self.imports if item.kind is kind)

    def function_types(self) -> list[FunctionType]:
        """The type of every function, imports first."""
        imported = [self.types[item.type_index] for item in self.imported(ExternKind.FUNCTION)]
        return imported + [self.types[index] for index in self.functions]

    def table_types(self) -> list[TableType]:
        """The type of every table, imports first."""
        imported = [item.type for item in self.imports if isinstance(item.type, TableType)]
        return imported + [table.type for table in self.tables]

    def memory_types(self) -> list[MemoryType]:
        """The type of every memory, imports first."""
        imported = [item.type for item in self.imports if isinstance(item.type, MemoryType)]
        return [*imported, *self.memories]

    def global_types(self) -> list[GlobalType]:
        """The type of every global, imports first."""
        imported = [item.type for item in self.imports if isinstance(item.type, GlobalType)]
        return imported + [item.type for item in self.globals]
