"""Types in the binary format (spec 5.3)."""

from __future__ import annotations

from wazero_api import (
    HEAP_TYPE_NAMES,
    FunctionType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
    ValueType,
)

from .reader import Reader

NUMBER_TYPES = {
    type.code: type for type in (ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64, ValueType.V128)
}
REFERENCE_TYPES = {heap & 0x7F: ValueType.ref(heap) for heap in HEAP_TYPE_NAMES}
"""The one-byte shorthands: ``funcref`` is 0x70, and so on."""
_ONE_BYTE_TYPES = NUMBER_TYPES | REFERENCE_TYPES
_REF_CODES = (0x63, 0x64)
_FUNCTION = 0x60


def read_value_type(reader: Reader) -> ValueType:
    """A value type."""
    code = reader.byte()
    known = _ONE_BYTE_TYPES.get(code)
    if known is not None:
        return known
    if code in _REF_CODES:
        return ValueType(code, read_heap_type(reader))
    raise reader.fail(f"malformed value type {code:#04x}", reader.position - 1)


def read_reference_type(reader: Reader) -> ValueType:
    """A value type that must be a reference."""
    start = reader.position
    if reader.position < reader.end and reader.data[start] in NUMBER_TYPES:
        raise reader.fail("malformed reference type", start)
    return read_value_type(reader)


def read_heap_type(reader: Reader) -> int:
    """A heap type: a type index, or the negative number of an abstract one."""
    start = reader.position
    heap = reader.signed(33)
    if heap < 0 and heap not in HEAP_TYPE_NAMES:
        raise reader.fail(f"malformed heap type {heap}", start)
    return heap


def read_function_type(reader: Reader) -> FunctionType:
    """A function type with its leading 0x60."""
    form = reader.byte()
    if form != _FUNCTION:
        raise reader.fail(f"malformed type form {form:#04x}", reader.position - 1)
    params = tuple([read_value_type(reader) for _ in range(reader.count())])
    results = tuple([read_value_type(reader) for _ in range(reader.count())])
    return FunctionType(params, results)


def _read_limits(reader: Reader, flags: int) -> Limits:
    """Numbers of up to 64 bits, whatever the address type: too large a size is for validation to find."""
    minimum = reader.unsigned(64)
    return Limits(minimum, reader.unsigned(64) if flags & 1 else None)


def _read_limit_flags(reader: Reader, allowed: int, what: str) -> int:
    flags = reader.byte()
    if flags > 0x7F:
        raise reader.fail("integer representation too long", reader.position - 1)
    if flags & ~allowed:
        raise reader.fail(f"malformed limits flags {flags:#04x} of a {what}", reader.position - 1)
    return flags


def read_table_type(reader: Reader) -> TableType:
    """A table type."""
    element = read_reference_type(reader)
    flags = _read_limit_flags(reader, 0b101, "table")
    is_64 = bool(flags & 4)
    return TableType(element, _read_limits(reader, flags), is_64)


def read_memory_type(reader: Reader) -> MemoryType:
    """A memory type. Flag bits: 0 has a maximum, 1 shared (threads), 2 64-bit addresses (memory64)."""
    flags = _read_limit_flags(reader, 0b111, "memory")
    is_64 = bool(flags & 4)
    return MemoryType(_read_limits(reader, flags), bool(flags & 2), is_64)


def read_global_type(reader: Reader) -> GlobalType:
    """A global type."""
    value = read_value_type(reader)
    mutability = reader.byte()
    if mutability > 1:
        raise reader.fail("malformed mutability", reader.position - 1)
    return GlobalType(value, mutability == 1)
