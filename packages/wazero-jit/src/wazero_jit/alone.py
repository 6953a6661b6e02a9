"""Modules that a program makes itself, as native functions, without a runtime: `JitModule`.

Does what wazero-core does for modules from elsewhere, except for validation: the program vouches for its modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

from wazero_api import (
    MAX_MEMORY_PAGES,
    BodySource,
    Expression,
    ExternKind,
    FunctionType,
    HostFunction,
    Import,
    InvalidModuleError,
    LinkError,
    MemoryType,
    Module,
    ModuleInstance,
    SegmentMode,
    TableType,
    Trap,
    TrapKind,
    UnsupportedError,
    decode_f32,
    decode_f64,
)

from .bodies import UncheckedBodies
from .engine import JitEngine
from .translate.immediates import instruction_at

Imports = Mapping[str, Mapping[str, Any]]
"""By module and name."""

_MAX_ELEMENTS: Final = 10_000_000
"""That a table may grow to where its type says nothing."""

_ENGINE: Final = JitEngine()
"""One for all, so that functions, memories, tables and globals can be shared."""


@final
class JitModule:
    """An instance of a module that this program made; its functions are compiled when they are first called.

    **Bodies are not validated, and an invalid one is undefined behaviour**: operands that are missing or of the wrong type
    can crash the process, or let code read and write anywhere in it. Never load what others made: that is for wazero-core,
    which validates. A valid body does no harm: what goes wrong while it runs (an access out of bounds, a division by zero,
    endless recursion, …) raises `Trap`. While you develop, have bodies checked by giving `bodies`, a source that does:
    ``wazero_core.validation.ModuleValidator(module, JitEngine.features)``.

    `imports` has for each import a Python callable, which gets and returns ints and floats as the import's type says, or
    a `HostFunction`, or what another JitModule exports.

    Raises LinkError if an import is missing or does not fit, Trap if a segment does not fit or the start function traps,
    UnsupportedError where the engine does not work (`JitEngine.probe` says why), MemoryError.
    """

    def __init__(self, module: Module, imports: Imports | None = None, bodies: BodySource | None = None) -> None:
        if len(module.functions) != len(module.bodies):
            raise InvalidModuleError(f"{len(module.bodies)} bodies were given for {len(module.functions)} functions")
        self.name = module.names.module or ""
        """What traces call the module: `Names.module`."""
        self._code = _ENGINE.compile(module, bodies or UncheckedBodies(module, _ENGINE.features))
        self._spaces = spaces = _IndexSpaces(module, self)
        spaces.resolve(imports or {})
        instance = _ENGINE.link(self._code, spaces)
        spaces.allocate()
        instance.bind(spaces)
        spaces.copy_segments()
        self.exports: dict[str, Any] = {item.name: spaces.export(item.kind, item.index) for item in module.exports}
        """By name: functions, which are builtin callables; memories, tables and globals, as in `wazero_api`.

        Each keeps alive what it needs, the code above all: nothing has to be closed.
        """
        if module.start is not None:
            spaces.functions[module.start]()

    @property
    def memory(self) -> Any:
        """The first memory, a `wazero_api.Memory`, or None. numpy and the like can look at its `buffer` without a copy."""
        return self._spaces.memories[0] if self._spaces.memories else None

    def compile_all(self) -> None:
        """Compile what was not called yet. Raises ModuleError if a body is visibly wrong."""
        self._code.compile_all()


@final
class _IndexSpaces:
    """The `wazero_api.LinkTarget` of a JitModule."""

    def __init__(self, module: Module, instance: ModuleInstance) -> None:
        self.module = module
        self.name = instance.name
        self.instance: ModuleInstance = instance
        self.functions: list[Any] = []
        self.tables: list[Any] = []
        self.memories: list[Any] = []
        self.globals: list[Any] = []
        self.elements: list[Any] = []
        self.data: list[Any] = []
        self._by_kind = {
            ExternKind.FUNCTION: self.functions,
            ExternKind.TABLE: self.tables,
            ExternKind.MEMORY: self.memories,
            ExternKind.GLOBAL: self.globals,
        }

    def resolve(self, imports: Imports) -> None:
        """Put the imports where they belong. Raises LinkError."""
        for wanted in self.module.imports:
            where = f"{wanted.module}.{wanted.name}"
            value = imports.get(wanted.module, {}).get(wanted.name)
            if value is None:
                raise LinkError(f"unknown import: nothing is given for {where}")
            type: Any = wanted.type
            if wanted.kind is ExternKind.FUNCTION:
                type = self.module.types[wanted.type_index]
                value = self._function(wanted, type, value)
            if not _fits(value, type):
                raise LinkError(f"incompatible import type: {where} is {getattr(value, 'type', value)}, not {type}")
            self._by_kind[wanted.kind].append(value)

    def _function(self, wanted: Import, type: FunctionType, value: Any) -> Any:
        from .link.builtin import EntryTarget

        target = getattr(value, "__self__", None)
        if isinstance(target, EntryTarget):
            return target.function
        host = value if isinstance(value, HostFunction) else HostFunction(wanted.name, type, value)
        return _ENGINE.new_host_function(host, self.instance)

    def allocate(self) -> None:
        """Make what the module defines besides functions."""
        module = self.module
        for item in module.globals:
            self.globals.append(_ENGINE.new_global(item.type, self._evaluate(item.init)))
        for table in module.tables:
            init = None if table.init is None else self._evaluate(table.init)
            self.tables.append(_ENGINE.new_table(table.type, init, max(_MAX_ELEMENTS, table.type.limits.minimum)))
        for memory in module.memories:
            maximum = memory.limits.maximum
            self.memories.append(_ENGINE.new_memory(memory, MAX_MEMORY_PAGES if maximum is None else maximum))

    def copy_segments(self) -> None:
        """Spec 4.5.4: the active ones, in order."""
        for segment in self.module.elements:
            references = [self.functions[index] for index in segment.functions] or [
                self._evaluate(expression) for expression in segment.expressions
            ]
            if segment.offset is not None:
                table = self.tables[segment.table_index]
                start = self._start(segment.offset, references, table, TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)
                for index, reference in enumerate(references, start):
                    table[index] = reference
            self.elements.append(tuple(references) if segment.mode is SegmentMode.PASSIVE else ())
        for data in self.module.data:
            if data.offset is not None:
                view = self.memories[data.memory_index].buffer
                start = self._start(data.offset, data.data, view, TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
                view[start : start + len(data.data)] = data.data
            self.data.append(b"" if data.offset else data.data)

    def _start(self, offset: Expression, content: Any, place: Any, kind: TrapKind) -> int:
        start: int = self._evaluate(offset) & 0xFFFFFFFF
        if start + len(content) > len(place):
            raise Trap(kind, (), "by a segment")
        return start

    def _evaluate(self, expression: Expression) -> Any:
        (opcode, immediates), end = instruction_at(expression.code, 0)
        match opcode.name if len(expression.code) == end + 1 else "":
            case "i32.const" | "i64.const":
                return immediates[0]
            case "f32.const":
                return decode_f32(int.from_bytes(immediates[0], "little"))
            case "f64.const":
                return decode_f64(int.from_bytes(immediates[0], "little"))
            case "ref.null":
                return None
            case "ref.func":
                return self.functions[immediates[0]]
            case "global.get":
                return self.globals[immediates[0]].get()
        raise UnsupportedError(f"an initialiser must be one constant instruction, not {opcode.name} with what follows")

    def export(self, kind: ExternKind, index: int) -> Any:
        """What a name stands for."""
        value = self._by_kind[kind][index]
        return value.entry if kind is ExternKind.FUNCTION else value


def _fits(value: Any, wanted: Any) -> bool:
    """Does it match? (spec 3.6)"""
    type: Any = getattr(value, "type", None)
    if not isinstance(wanted, MemoryType | TableType):
        return bool(type == wanted)
    elements = [getattr(side, "element", None) for side in (type, wanted)]
    if type.__class__ is not wanted.__class__ or elements[0] != elements[1]:
        return False
    size = value.pages if isinstance(wanted, MemoryType) else len(value)
    maximum, bound = type.limits.maximum, wanted.limits.maximum
    return bool(size >= wanted.limits.minimum and (bound is None or (maximum is not None and maximum <= bound)))
