"""Which proposals a module makes use of: from its sections, its types and its instructions.

The rules are those of `wazero_core.validation`, which refuses a module that uses what is not enabled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wazero_api import (
    BY_NAME,
    CoreFeatures,
    DataSegment,
    Expression,
    ExternKind,
    GlobalType,
    Immediate,
    MalformedModuleError,
    Module,
    SegmentMode,
    ValueType,
)
from wazero_core.binary.data_section import DataSection
from wazero_core.binary.instructions import Instruction, decode_instruction, tokenize

_NONE: Final = CoreFeatures(0)
_SHORTHANDS: Final = frozenset({ValueType.FUNCREF, ValueType.EXTERNREF})
_CALL_INDIRECT: Final = BY_NAME["call_indirect"]
_CONSTANT_ARITHMETIC: Final = frozenset({"i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul"})


def features_needed(module: Module) -> CoreFeatures:
    """All that must be enabled for the module to be valid. Bodies are decoded, not checked.

    Raises MalformedModuleError for an instruction that does not exist, with its byte offset.
    """
    return _of_declarations(module) | _of_initialisers(module) | _of_bodies(module)


# Declarations


def _of_declarations(module: Module) -> CoreFeatures:
    found = _NONE
    for needed, is_used in _uses(module):
        if is_used:
            found |= needed
    for type in set(_value_types(module)):
        found |= _of_value_type(type)
    return found


def _uses(module: Module) -> Iterator[tuple[CoreFeatures, bool]]:
    tables, memories = module.table_types(), module.memory_types()
    yield CoreFeatures.MULTI_VALUE, any(len(type.results) > 1 for type in module.types)
    yield CoreFeatures.MUTABLE_GLOBAL, _shares_mutable_global(module)
    yield CoreFeatures.REFERENCE_TYPES, len(tables) > 1
    yield CoreFeatures.MULTI_MEMORY, len(memories) > 1
    yield CoreFeatures.MEMORY64, any(type.is_64 for type in tables) or any(type.is_64 for type in memories)
    yield CoreFeatures.THREADS, any(type.is_shared for type in memories)
    yield CoreFeatures.TYPED_FUNCTION_REFERENCES, any(table.init is not None for table in module.tables)
    modes = [*(segment.mode for segment in module.elements), *(segment.mode for segment in _unusual_data(module))]
    yield CoreFeatures.BULK_MEMORY_OPERATIONS, any(mode is not SegmentMode.ACTIVE for mode in modes)


def _shares_mutable_global(module: Module) -> bool:
    types = module.global_types()
    imported = [item.type for item in module.imports if isinstance(item.type, GlobalType)]
    exported = [item.index for item in module.exports if item.kind is ExternKind.GLOBAL]
    shared = [*imported, *(types[index] for index in exported if index < len(types))]
    return any(type.is_mutable for type in shared)


def _value_types(module: Module) -> Iterator[ValueType]:
    for type in module.types:
        yield from type.params
        yield from type.results
    yield from (type.value for type in module.global_types())
    yield from (type.element for type in module.table_types() if type.element != ValueType.FUNCREF)
    yield from (segment.type for segment in module.elements if segment.type != ValueType.FUNCREF)
    for body in module.bodies:
        yield from (type for _, type in body.locals)


def _of_value_type(type: ValueType) -> CoreFeatures:
    if type == ValueType.V128:
        return CoreFeatures.SIMD
    if not type.is_ref:
        return _NONE
    if type in _SHORTHANDS:
        return CoreFeatures.REFERENCE_TYPES
    more = CoreFeatures.TYPED_FUNCTION_REFERENCES if type.heap >= 0 else CoreFeatures.GC
    return CoreFeatures.REFERENCE_TYPES | more


def _unusual_data(module: Module) -> Sequence[DataSegment]:
    """Data segments but the ordinary ones of WebAssembly 1.0, of which there can be a hundred thousand."""
    if not isinstance(module.data, DataSection):
        return module.data
    return [chunk for chunk in module.data.constant_chunks() if isinstance(chunk, DataSegment)]


# Instructions


def _of_initialisers(module: Module) -> CoreFeatures:
    found = _NONE
    for expression in _expressions(module):
        instructions = list(_instructions(tokenize(expression.code), expression.offset))
        found |= _of_instructions(instructions)
        if any(instruction.opcode.name in _CONSTANT_ARITHMETIC for instruction in instructions):
            found |= CoreFeatures.EXTENDED_CONST
    return found


def _expressions(module: Module) -> Iterator[Expression]:
    yield from (item.init for item in module.globals)
    yield from (table.init for table in module.tables if table.init is not None)
    for segment in module.elements:
        yield from segment.expressions
    offsets = [*(segment.offset for segment in module.elements), *(data.offset for data in _unusual_data(module))]
    yield from (offset for offset in offsets if offset is not None)


def _of_bodies(module: Module) -> CoreFeatures:
    """Each token is looked at once: few of a module are distinct."""
    seen: set[bytes] = set()
    found = _NONE
    for body in module.bodies:
        tokens = tokenize(body.code)
        fresh = set(tokens) - seen
        if fresh:
            seen |= fresh
            try:
                found |= _of_instructions(map(decode_instruction, fresh))
            except MalformedModuleError:
                list(_instructions(tokens, body.offset))  # raises for the first of them, and says where
                raise
    return found


def _instructions(tokens: Iterable[bytes], offset: int) -> Iterator[Instruction]:
    """Decoded; `offset` is that of the first in the binary."""
    for token in tokens:
        yield decode_instruction(token, offset)
        offset += len(token)


def _of_instructions(instructions: Iterable[Instruction]) -> CoreFeatures:
    found = _NONE
    for opcode, values in instructions:
        found |= opcode.feature
        for kind, value in zip(opcode.immediates, values, strict=True):
            if kind is Immediate.BLOCK_TYPE and value is not None:
                found |= _of_block_type(value)
            elif kind is Immediate.VALUE_TYPES:
                for type in value:
                    found |= _of_value_type(type)
            elif kind is Immediate.TABLE and opcode is _CALL_INDIRECT and value:
                found |= CoreFeatures.REFERENCE_TYPES
    return found


def _of_block_type(value: ValueType | int) -> CoreFeatures:
    if isinstance(value, int):
        return CoreFeatures.MULTI_VALUE
    return _of_value_type(value)
