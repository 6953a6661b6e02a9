"""The rules for everything outside of bodies (spec 3.5), and the one object that answers for a whole module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Final, final

from wazero_api import (
    MAX_MEMORY_PAGES,
    CoreFeatures,
    DataSegment,
    ElementSegment,
    Expression,
    ExternKind,
    FunctionType,
    GlobalType,
    InvalidModuleError,
    Limits,
    MemoryType,
    Module,
    SegmentMode,
    TableType,
    ValidatedBody,
    ValueType,
)
from wazero_core.binary.data_section import DataSection
from wazero_core.binary.instructions import tokenize

from .automaton import Automaton
from .body import BodyChecker, BodyRecorder, LocalTokens
from .constant import check_constant
from .context import ModuleContext

_MAX_TABLE_ELEMENTS: Final = (1 << 32) - 1
_LARGE_AUTOMATON: Final = 250_000
"""Size from which on an automaton is not used for another body: some 40 MB; ordinary modules stay below."""
_MAX_ARITY: Final = 1_000
"""Parameters, and results, of one function; the bound of the JavaScript API, too (spec appendix 7.3 allows one)."""


@final
class ModuleValidator:
    """Validates one module under a set of features; a `BodySource` for engines. Safe to use from several threads."""

    def __init__(self, module: Module, features: CoreFeatures) -> None:
        self.module = module
        self.features = features
        self._context: ModuleContext | None = None
        self._lock = Lock()
        self._local_tokens = LocalTokens()
        self._automaton: Automaton | None = None
        self._is_checked = bytearray(len(module.bodies))
        """Per body 1 if it is known to be valid."""

    def check_module(self) -> None:
        """Check all but the bodies. Raises InvalidModuleError."""
        context = self._module_context()
        _check_types(context)
        _check_imports(context)
        for table in context.tables:
            _check_table_type(context, table)
        if len(context.tables) > 1:
            context.require(CoreFeatures.REFERENCE_TYPES, "multiple tables")
        for memory in context.memories:
            _check_memory_type(context, memory)
        if len(context.memories) > 1:
            context.require(CoreFeatures.MULTI_MEMORY, "multiple memories")
        _check_exports(context)
        _check_start(context)
        self._check_initialisers(context)

    def check_bodies(self) -> None:
        """Check every body. Raises InvalidModuleError or MalformedModuleError for the first bad one."""
        for index in range(len(self.module.bodies)):
            self._check(index)

    def trust_bodies(self) -> None:
        """Take every body for valid: somebody who is trusted has checked this very module under these features."""
        self._is_checked[:] = b"\x01" * len(self._is_checked)

    @property
    def has_checked_bodies(self) -> bool:
        """Whether every body is known to be valid."""
        return 0 not in self._is_checked

    def body(self, defined_index: int) -> ValidatedBody:
        """See `wazero_api.BodySource`."""
        with self._lock:
            recorder = BodyRecorder(self._fresh_automaton(), self._local_tokens)
            recorded = recorder.record(self._type(defined_index), self.module.bodies[defined_index])
            self._is_checked[defined_index] = 1
            return recorded

    def instructions(self, defined_index: int) -> Sequence[bytes]:
        """See `wazero_api.BodySource`."""
        if self._is_checked[defined_index]:
            return tokenize(self.module.bodies[defined_index].code)
        return self._check(defined_index)

    def _check(self, defined_index: int) -> list[bytes]:
        with self._lock:
            checker = BodyChecker(self._fresh_automaton(), self._local_tokens)
            tokens = checker.check(self._type(defined_index), self.module.bodies[defined_index])
            self._is_checked[defined_index] = 1
            return tokens

    def _type(self, defined_index: int) -> FunctionType:
        return self.module.types[self.module.functions[defined_index]]

    def _module_context(self) -> ModuleContext:
        if self._context is None:
            self._context = ModuleContext(self.module, self.features)
        return self._context

    def _fresh_automaton(self) -> Automaton:
        automaton = self._automaton
        if automaton is None or automaton.size > _LARGE_AUTOMATON:
            automaton = self._automaton = Automaton(self._module_context())
        return automaton

    def _check_initialisers(self, context: ModuleContext) -> None:
        checker = BodyChecker(self._fresh_automaton(), self._local_tokens)
        imported = context.imported_global_count

        def constant(expression: Expression, type: ValueType, globals_before: int = len(context.globals)) -> None:
            check_constant(checker, context, expression, type, globals_before)

        for index, item in enumerate(self.module.globals, imported):
            _check_global_type(context, item.type)
            constant(item.init, item.type.value, index if CoreFeatures.GC in context.features else imported)
        for table in self.module.tables:
            if table.init is not None:
                context.require(CoreFeatures.TYPED_FUNCTION_REFERENCES, "table with an initialiser")
                constant(table.init, table.type.element, imported)
        for segment in self.module.elements:
            _check_element(context, segment)
            if segment.offset is not None:
                constant(segment.offset, _address_type(context.tables[segment.table_index]))
            for expression in segment.expressions:
                constant(expression, segment.type)
        for data in _unusual_segments(context):
            if data.offset is None:
                context.require(CoreFeatures.BULK_MEMORY_OPERATIONS, "passive data segment")
            else:
                context.check_index("memory", data.memory_index, len(context.memories))
                constant(data.offset, _address_type(context.memories[data.memory_index]))


def _unusual_segments(context: ModuleContext) -> Iterable[DataSegment]:
    """Data segments whose offset has to be looked at: all but the ordinary ones, which only need a memory."""
    data = context.module.data
    if not isinstance(data, DataSection):
        return data
    unusual = []
    for chunk in data.constant_chunks():
        if isinstance(chunk, DataSegment):
            unusual.append(chunk)
        elif not context.memories or context.memories[0].is_64:
            raise InvalidModuleError("unknown memory 0: a data segment needs a memory with 32-bit addresses")
    return unusual


def _address_type(type: MemoryType | TableType) -> ValueType:
    return ValueType.I64 if type.is_64 else ValueType.I32


def _check_types(context: ModuleContext) -> None:
    for type in context.types:
        if max(len(type.params), len(type.results)) > _MAX_ARITY:
            raise InvalidModuleError(f"function type with more than {_MAX_ARITY} parameters or results")
        for value in (*type.params, *type.results):
            context.check_value_type(value)
        if len(type.results) > 1:
            context.require(CoreFeatures.MULTI_VALUE, "function type with multiple results")
    for body in context.module.bodies:
        for _, value in body.locals:
            context.check_value_type(value)


def _check_imports(context: ModuleContext) -> None:
    for item in context.module.imports:
        if isinstance(item.type, GlobalType):
            _check_global_type(context, item.type)
            if item.type.is_mutable:
                context.require(CoreFeatures.MUTABLE_GLOBAL, "import of a mutable global")


def _check_limits(limits: Limits, bound: int, what: str) -> None:
    if limits.minimum > bound or (limits.maximum is not None and limits.maximum > bound):
        raise InvalidModuleError(f"{what} size must be at most {bound}")
    if limits.maximum is not None and limits.minimum > limits.maximum:
        raise InvalidModuleError(f"size minimum must not be greater than maximum: {what} of {limits.minimum}")


def _check_table_type(context: ModuleContext, type: TableType) -> None:
    if type.is_64:
        context.require(CoreFeatures.MEMORY64, "table with 64-bit addresses")
    if type.element != ValueType.FUNCREF:
        context.check_value_type(type.element)
    _check_limits(type.limits, _MAX_TABLE_ELEMENTS, "table")


def _check_memory_type(context: ModuleContext, type: MemoryType) -> None:
    if type.is_shared:
        context.require(CoreFeatures.THREADS, "shared memory")
    if type.is_64:
        context.require(CoreFeatures.MEMORY64, "memory with 64-bit addresses")
    _check_limits(type.limits, MAX_MEMORY_PAGES, "memory")


def _check_global_type(context: ModuleContext, type: GlobalType) -> None:
    context.check_value_type(type.value)


def _check_exports(context: ModuleContext) -> None:
    spaces = {
        ExternKind.FUNCTION: len(context.functions),
        ExternKind.TABLE: len(context.tables),
        ExternKind.MEMORY: len(context.memories),
        ExternKind.GLOBAL: len(context.globals),
    }
    names: set[str] = set()
    for export in context.module.exports:
        context.check_index(export.kind.name.lower(), export.index, spaces[export.kind])
        if export.name in names:
            raise InvalidModuleError(f"duplicate export name {export.name!r}")
        names.add(export.name)
        if export.kind is ExternKind.GLOBAL and context.globals[export.index].is_mutable:
            context.require(CoreFeatures.MUTABLE_GLOBAL, "export of a mutable global")


def _check_start(context: ModuleContext) -> None:
    index = context.module.start
    if index is None:
        return
    context.check_index("function", index, len(context.functions))
    type = context.functions[index]
    if type.params or type.results:
        raise InvalidModuleError(f"start function must take and give nothing, but is {type}")


def _check_element(context: ModuleContext, segment: ElementSegment) -> None:
    context_type = segment.type
    if context_type != ValueType.FUNCREF:
        context.check_value_type(context_type)
    for index in segment.functions:
        context.check_index("function", index, len(context.functions))
    if segment.mode is not SegmentMode.ACTIVE:
        context.require(CoreFeatures.BULK_MEMORY_OPERATIONS, f"{segment.mode.value} element segment")
        return
    context.check_index("table", segment.table_index, len(context.tables))
    table = context.tables[segment.table_index]
    if table.element != context_type:
        raise InvalidModuleError(
            f"type mismatch: element segment of {context_type.name} for a table of {table.element.name}"
        )
