"""One reader a section, and the table of them (spec 5.5.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from wazero_api import (
    ElementSegment,
    Export,
    Expression,
    ExternKind,
    FunctionBody,
    FunctionType,
    GlobalDefinition,
    GlobalType,
    Import,
    MemoryType,
    SegmentMode,
    TableDefinition,
    TableType,
    ValueType,
)
from wazero_api.record import record

from .data_section import read_data_section, read_expression
from .reader import Reader
from .types import (
    read_function_type,
    read_global_type,
    read_memory_type,
    read_reference_type,
    read_table_type,
    read_value_type,
)

MAX_LOCALS: Final = 50_000
"""Locals of one function, the bound of every major implementation (spec appendix 7.3 allows one)."""

_FUNCTION_KIND: Final = 0


def _vector(reader: Reader, read: Callable[[Reader], Any], element_bytes: int = 1) -> tuple[Any, ...]:
    return tuple([read(reader) for _ in range(reader.count(element_bytes))])


def _read_types(reader: Reader) -> tuple[FunctionType, ...]:
    return _vector(reader, read_function_type, 3)


class _Extern(NamedTuple):
    kind: ExternKind
    type: TableType | MemoryType | GlobalType | None = None
    type_index: int = 0


def _read_extern_type(reader: Reader) -> _Extern:
    byte = reader.byte()
    match byte:
        case 0:
            return _Extern(ExternKind.FUNCTION, None, reader.u32())
        case 1:
            return _Extern(ExternKind.TABLE, read_table_type(reader))
        case 2:
            return _Extern(ExternKind.MEMORY, read_memory_type(reader))
        case 3:
            return _Extern(ExternKind.GLOBAL, read_global_type(reader))
    raise reader.fail(f"malformed import kind {byte:#04x}", reader.position - 1)


def _read_import(reader: Reader) -> Import:
    module, name = reader.name(), reader.name()
    extern = _read_extern_type(reader)
    return Import(module, name, extern.kind, extern.type, extern.type_index)


def _read_imports(reader: Reader) -> tuple[Import, ...]:
    return _vector(reader, _read_import, 4)


def _read_indices(reader: Reader) -> tuple[int, ...]:
    return _vector(reader, Reader.u32)


_TABLE_WITH_INIT: Final = 0x40


def _read_table(reader: Reader) -> TableDefinition:
    if reader.position < reader.end and reader.data[reader.position] == _TABLE_WITH_INIT:
        reader.position += 1
        if reader.byte() != 0:
            raise reader.fail("zero byte expected", reader.position - 1)
        return TableDefinition(read_table_type(reader), read_expression(reader))
    return TableDefinition(read_table_type(reader))


def _read_tables(reader: Reader) -> tuple[TableDefinition, ...]:
    return _vector(reader, _read_table, 3)


def _read_memories(reader: Reader) -> tuple[MemoryType, ...]:
    return _vector(reader, read_memory_type, 2)


def _read_global(reader: Reader) -> GlobalDefinition:
    return GlobalDefinition(read_global_type(reader), read_expression(reader))


def _read_globals(reader: Reader) -> tuple[GlobalDefinition, ...]:
    return _vector(reader, _read_global, 3)


def _read_export(reader: Reader) -> Export:
    name = reader.name()
    kind = reader.byte()
    if kind > ExternKind.GLOBAL.value:
        raise reader.fail(f"malformed export kind {kind:#04x}", reader.position - 1)
    return Export(name, ExternKind(kind), reader.u32())


def _read_exports(reader: Reader) -> tuple[Export, ...]:
    return _vector(reader, _read_export, 3)


def _read_element_type(reader: Reader, *, expressions: bool) -> ValueType:
    if expressions:
        return read_reference_type(reader)
    if reader.byte() != _FUNCTION_KIND:
        raise reader.fail("malformed element kind", reader.position - 1)
    return ValueType.FUNCREF


def _read_element(reader: Reader) -> ElementSegment:
    """Flag bits: 0 not active, 1 declarative or an explicit table, 2 expressions instead of indices (spec 5.5.12)."""
    flags = reader.u32()
    if flags > 7:
        raise reader.fail(f"malformed elements segment kind {flags}", reader.position - 1)
    table_index, offset = 0, None
    mode = SegmentMode.ACTIVE
    if flags & 1:
        mode = SegmentMode.DECLARATIVE if flags & 2 else SegmentMode.PASSIVE
    else:
        if flags & 2:
            table_index = reader.u32()
        offset = read_expression(reader)
    by_expression = bool(flags & 4)
    type = _read_element_type(reader, expressions=by_expression) if flags & 3 else ValueType.FUNCREF
    functions: tuple[int, ...] = ()
    expressions: tuple[Expression, ...] = ()
    if by_expression:
        expressions = _vector(reader, read_expression)
    else:
        functions = _read_indices(reader)
    return ElementSegment(mode, type, functions, expressions, table_index, offset)


def _read_elements(reader: Reader) -> tuple[ElementSegment, ...]:
    return _vector(reader, _read_element, 2)


def _read_body(reader: Reader) -> FunctionBody:
    size = reader.u32()
    end = reader.position + size
    if end > reader.end:
        raise reader.fail("unexpected end of section or function: a body runs past the section's end")
    body = Reader(reader.data, reader.position, end)
    reader.position = end
    runs = []
    total = 0
    for _ in range(body.count(2)):
        start = body.position
        count = body.u32()
        total += count
        if total > MAX_LOCALS:
            raise body.fail(f"too many locals: more than {MAX_LOCALS}", start)
        runs.append((count, read_value_type(body)))
    if body.position == end:
        raise body.fail("unexpected end: a body has no instructions")
    return FunctionBody(tuple(runs), body.data[body.position : end], body.position)


def _read_bodies(reader: Reader) -> tuple[FunctionBody, ...]:
    return _vector(reader, _read_body, 3)


@record
class Section:
    """A row of the table: which field of `Module` the section fills, where it stands among the others, how to read it."""

    name: str
    field: str
    order: int
    read: Callable[[Reader], Any]


CUSTOM: Final = Section("custom", "", 0, lambda reader: None)

# fmt: off
SECTIONS: Final = {
    # id         name          field of Module  order  reader
    0:  CUSTOM,
    1:  Section("type",       "types",         1,     _read_types),
    2:  Section("import",     "imports",       2,     _read_imports),
    3:  Section("function",   "functions",     3,     _read_indices),
    4:  Section("table",      "tables",        4,     _read_tables),
    5:  Section("memory",     "memories",      5,     _read_memories),
    6:  Section("global",     "globals",       7,     _read_globals),
    7:  Section("export",     "exports",       8,     _read_exports),
    8:  Section("start",      "start",         9,     Reader.u32),
    9:  Section("element",    "elements",      10,    _read_elements),
    10: Section("code",       "bodies",        12,    _read_bodies),
    11: Section("data",       "data",          13,    read_data_section),
    12: Section("data count", "data_count",    11,    Reader.u32),
}
# fmt: on
"""Sections by id. The order differs from the ids: data count (and later tag, 6) came after the rest."""
