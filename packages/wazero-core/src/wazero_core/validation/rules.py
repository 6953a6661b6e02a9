"""The typing rule of each instruction (spec 3.4): from the opcode table where operands are the same everywhere, else by
a short function below. Control instructions have no rule here; they are in `body`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_api import (
    BY_NAME,
    AddressOperand,
    CoreFeatures,
    Immediate,
    InvalidModuleError,
    MalformedModuleError,
    MemoryType,
    Opcode,
    Operand,
    TableType,
    ValueType,
)
from wazero_core.binary.instructions import Instruction, MemArg

from .context import ModuleContext
from .operands import OperandType, State

_I32: Final = ValueType.I32

Effect = tuple[tuple[OperandType, ...], tuple[OperandType, ...]]
"""What an instruction pops and what it pushes, bottom of the stack first."""
Rule = Effect | Callable[[State], State]
"""A rule that depends on the operands themselves is a function."""


def rule_of(context: ModuleContext, instruction: Instruction) -> Rule:
    """The rule of an instruction that is no control instruction, its immediates checked.

    Raises InvalidModuleError if a feature is off or an immediate breaks a rule.
    """
    opcode, immediates = instruction
    context.require(opcode.feature, opcode.name)
    for kind, value in zip(opcode.immediates, immediates, strict=True):
        check = _IMMEDIATE_CHECKS.get(kind)
        if check is not None:
            check(context, opcode, value)
    special = _SPECIAL.get(opcode.name)
    if special is not None:
        return special(context, *immediates)
    if opcode.params is None or opcode.results is None:
        raise InvalidModuleError(f"{opcode.name} is not supported by this version")
    address = _address_type(context, instruction)
    return (
        tuple([_operand(type, address) for type in opcode.params]),
        tuple([_operand(type, address) for type in opcode.results]),
    )


def _operand(type: Operand, address: ValueType) -> ValueType:
    return address if isinstance(type, AddressOperand) else type


def _address_type(context: ModuleContext, instruction: Instruction) -> ValueType:
    """Of the memory or table that the immediates name; i32 when they name none."""
    named: MemoryType | TableType | None = None
    for kind, value in zip(instruction.opcode.immediates, instruction.immediates, strict=True):
        match kind:
            case Immediate.MEMARG:
                named = context.memories[value.memory]
            case Immediate.MEMORY:
                named = context.memories[value]
            case Immediate.TABLE:
                named = context.tables[value]
    return ValueType.I64 if named is not None and named.is_64 else _I32


# Immediates


def _check_memarg(context: ModuleContext, opcode: Opcode, memarg: MemArg) -> None:
    context.check_index("memory", memarg.memory, len(context.memories))
    if memarg.align > opcode.natural_alignment:
        raise InvalidModuleError(f"{opcode.name}: alignment must not be larger than natural")
    if memarg.offset >> 32 and not context.memories[memarg.memory].is_64:
        raise InvalidModuleError(f"{opcode.name}: offset out of range")


def _check_data(context: ModuleContext, opcode: Opcode, index: int) -> None:
    if context.data_count is None:
        raise MalformedModuleError(f"{opcode.name}: data count section required")
    context.check_index("data segment", index, context.data_count)


def _check_function_reference(context: ModuleContext, opcode: Opcode, index: int) -> None:
    context.check_index("function", index, len(context.functions))
    if opcode is _REF_FUNC and index not in context.declared_functions:
        raise InvalidModuleError(f"undeclared function reference {index}")


def _check_heap(context: ModuleContext, opcode: Opcode, heap: int) -> None:
    context.check_value_type(ValueType.ref(heap))


_REF_FUNC: Final = BY_NAME["ref.func"]
_IMMEDIATE_CHECKS: Final[dict[Immediate, Callable[[ModuleContext, Opcode, Any], None]]] = {
    Immediate.MEMARG: _check_memarg,
    Immediate.DATA: _check_data,
    Immediate.FUNC: _check_function_reference,
    Immediate.HEAP_TYPE: _check_heap,
    Immediate.TYPE: lambda context, _, index: context.check_index("type", index, len(context.types)),
    Immediate.TABLE: lambda context, _, index: context.check_index("table", index, len(context.tables)),
    Immediate.MEMORY: lambda context, _, index: context.check_index("memory", index, len(context.memories)),
    Immediate.GLOBAL: lambda context, _, index: context.check_index("global", index, len(context.globals)),
    Immediate.ELEM: lambda context, _, index: context.check_index("elem segment", index, len(context.elements)),
}


# Instructions whose operands are open in the table


def _drop(context: ModuleContext) -> Rule:
    return lambda state: state.take(None)


def _select(context: ModuleContext) -> Rule:
    """Both operands of one number or vector type; which one is only known from the stack (spec 3.4.4)."""

    def rule(state: State) -> State:
        second = state.take(_I32)
        first = second.take(None)
        below = first.take(None)
        types = {state.top for state in (first, second) if state.top is not None}
        if len(types) > 1 or any(type.is_ref for type in types):
            raise InvalidModuleError("type mismatch: select without a type needs two numbers of one type")
        return below.push(next(iter(types), None))

    return rule


def _typed_select(context: ModuleContext, types: tuple[ValueType, ...]) -> Rule:
    if len(types) != 1:
        raise InvalidModuleError("invalid result arity: select takes one type")
    context.check_value_type(types[0])
    return (types[0], types[0], _I32), types


def _call(context: ModuleContext, index: int) -> Rule:
    type = context.functions[index]
    return type.params, type.results


def _call_indirect(context: ModuleContext, type_index: int, table_index: int) -> Rule:
    table = context.tables[table_index]
    if table.element != ValueType.FUNCREF:
        raise InvalidModuleError(f"type mismatch: call_indirect through a table of {table.element.name}")
    if table_index:
        context.require(CoreFeatures.REFERENCE_TYPES, "call_indirect with a table index")
    type = context.types[type_index]
    return (*type.params, _index_type(table)), type.results


def _index_type(table: TableType) -> ValueType:
    return ValueType.I64 if table.is_64 else _I32


def _global_get(context: ModuleContext, index: int) -> Rule:
    return (), (context.globals[index].value,)


def _global_set(context: ModuleContext, index: int) -> Rule:
    type = context.globals[index]
    if not type.is_mutable:
        raise InvalidModuleError(f"global {index} is immutable")
    return (type.value,), ()


def _table_get(context: ModuleContext, index: int) -> Rule:
    table = context.tables[index]
    return (_index_type(table),), (table.element,)


def _table_set(context: ModuleContext, index: int) -> Rule:
    table = context.tables[index]
    return (_index_type(table), table.element), ()


def _table_grow(context: ModuleContext, index: int) -> Rule:
    table = context.tables[index]
    return (table.element, _index_type(table)), (_index_type(table),)


def _table_fill(context: ModuleContext, index: int) -> Rule:
    table = context.tables[index]
    return (_index_type(table), table.element, _index_type(table)), ()


def _table_copy(context: ModuleContext, target: int, source: int) -> Rule:
    to, from_ = context.tables[target], context.tables[source]
    if to.element != from_.element:
        raise InvalidModuleError(f"type mismatch: table.copy from {from_.element.name} to {to.element.name}")
    return (_index_type(to), _index_type(from_), _shorter(_index_type(to), _index_type(from_))), ()


def _table_init(context: ModuleContext, element: int, table_index: int) -> Rule:
    table = context.tables[table_index]
    if context.elements[element] != table.element:
        raise InvalidModuleError(
            f"type mismatch: table.init of {context.elements[element].name} into a table of {table.element.name}"
        )
    return (_index_type(table), _I32, _I32), ()


def _memory_copy(context: ModuleContext, target: int, source: int) -> Rule:
    to, from_ = (ValueType.I64 if context.memories[i].is_64 else _I32 for i in (target, source))
    return (to, from_, _shorter(to, from_)), ()


def _shorter(first: ValueType, second: ValueType) -> ValueType:
    return ValueType.I64 if first == second == ValueType.I64 else _I32


def _ref_null(context: ModuleContext, heap: int) -> Rule:
    return (), (ValueType.ref(heap),)


def _ref_is_null(context: ModuleContext) -> Rule:
    def rule(state: State) -> State:
        below = state.take(None)
        if state.top is not None and not state.top.is_ref:
            raise InvalidModuleError(f"type mismatch: expected a reference, but found {state.top.name}")
        return below.push(_I32)

    return rule


def _ref_func(context: ModuleContext, index: int) -> Rule:
    return (), (ValueType.FUNCREF,)


_SPECIAL: Final[dict[str, Callable[..., Rule]]] = {
    "drop": _drop,
    "select": _select,
    "select t*": _typed_select,
    "call": _call,
    "call_indirect": _call_indirect,
    "global.get": _global_get,
    "global.set": _global_set,
    "table.get": _table_get,
    "table.set": _table_set,
    "table.grow": _table_grow,
    "table.fill": _table_fill,
    "table.copy": _table_copy,
    "table.init": _table_init,
    "memory.copy": _memory_copy,
    "ref.null": _ref_null,
    "ref.is_null": _ref_is_null,
    "ref.func": _ref_func,
}
"""By name, since only these few are open; a test checks that every supported open instruction is here or in `body`."""
