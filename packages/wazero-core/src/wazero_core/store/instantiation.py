"""Making an instance of a module (spec 4.5.4): allocate, link, initialise, start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, final

from wazero_api import (
    MAX_MEMORY_PAGES,
    Code,
    DataSegment,
    ElementSegment,
    Engine,
    Expression,
    ExternKind,
    LinkedInstance,
    LinkError,
    Module,
    ModuleInstance,
    SegmentMode,
    Trap,
    TrapKind,
)
from wazero_core.binary.data_section import DataSection

from .constant import evaluate
from .linking import External, check_import

_MAX_ELEMENTS: Final = 10_000_000
"""That all tables of a module may have together, 80 MB on the portable engine; each may grow to its even share."""

Resolver = Callable[[str, str], External | None]
"""From module and name of an import to what it stands for."""

_SPACES: Final = {
    ExternKind.FUNCTION: "functions",
    ExternKind.TABLE: "tables",
    ExternKind.MEMORY: "memories",
    ExternKind.GLOBAL: "globals",
}


@final
class Instantiation:
    """The state of one instance: a `wazero_api.LinkTarget`. Make one with `link`, then call `initialise`."""

    __slots__ = (
        "_linked",
        "_owned_memories",
        "data",
        "elements",
        "functions",
        "globals",
        "instance",
        "memories",
        "module",
        "name",
        "tables",
    )

    def __init__(self, module: Module, name: str, instance: ModuleInstance) -> None:
        self.module = module
        self.name = name
        self.instance = instance
        self.functions: list[Any] = []
        self.tables: list[Any] = []
        self.memories: list[Any] = []
        self.globals: list[Any] = []
        self.elements: list[Any] = []
        self.data: list[Any] = []
        self._owned_memories: list[Any] = []
        self._linked: LinkedInstance | None = None

    def link(self, engine: Engine, code: Code, resolve: Resolver, memory_limit_pages: int) -> None:
        """Resolve the imports and allocate what the module defines.

        Raises LinkError if an import does not fit, or a memory or table is larger than allowed or to be had.
        """
        for wanted in self.module.imports:
            value = check_import(self.module, wanted, resolve(wanted.module, wanted.name))
            getattr(self, _SPACES[wanted.kind]).append(value)
        self._linked = engine.link(code, self)
        for item in self.module.globals:
            self.globals.append(engine.new_global(item.type, self._evaluate(item.init)))
        self._allocate_tables(engine)
        self._allocate_memories(engine, min(memory_limit_pages, MAX_MEMORY_PAGES))
        self._linked.bind(self)

    def _allocate_tables(self, engine: Engine) -> None:
        elements = sum(table.type.limits.minimum for table in self.module.tables)
        if elements > _MAX_ELEMENTS:
            raise LinkError(f"tables of {elements} elements: the limit is {_MAX_ELEMENTS}")
        share = _MAX_ELEMENTS // max(1, len(self.module.tables))
        for table in self.module.tables:
            initial = None if table.init is None else self._evaluate(table.init)
            self.tables.append(engine.new_table(table.type, initial, max(share, table.type.limits.minimum)))

    def _allocate_memories(self, engine: Engine, limit: int) -> None:
        for type in self.module.memories:
            if type.limits.minimum > limit:
                raise LinkError(f"memory of {type.limits.minimum} pages: the limit is {limit}")
            maximum = limit if type.limits.maximum is None else min(limit, type.limits.maximum)
            try:
                memory = engine.new_memory(type, maximum)
            except MemoryError as error:
                raise LinkError(str(error)) from error
            self.memories.append(memory)
            self._owned_memories.append(memory)

    def initialise(self) -> None:
        """Copy active segments, in order. Raises Trap where one does not fit; those before it stay copied."""
        self.elements.extend([self._references(segment) for segment in self.module.elements])
        try:
            for index, segment in enumerate(self.module.elements):
                if segment.mode is SegmentMode.ACTIVE:
                    self._copy_elements(segment, self.elements[index])
                if segment.mode is not SegmentMode.PASSIVE:
                    self.elements[index] = ()
            self._copy_data()
        except Trap:
            # Functions that a table already holds can still use the segments that were not reached.
            self.data.extend([segment.data for segment in self.module.data[len(self.data) :]])
            raise

    def export(self, kind: ExternKind, index: int) -> External:
        """What an export of the module gives to others."""
        value = getattr(self, _SPACES[kind])[index]
        if value in self._owned_memories:
            self._owned_memories.remove(value)
        return External(kind, value)

    def close(self, exit_code: int) -> None:
        """Stop the code and give the memories back that the instance made."""
        if self._linked is not None:
            self._linked.close(exit_code)

    def release(self) -> None:
        """Give back the memories that the instance made and never exported to another one, unless code still runs.

        In that case another call does it later, or the garbage collector.
        """
        if self._linked is not None and not self._linked.is_idle():
            return
        for memory in self._owned_memories:
            memory.close()
        self._owned_memories.clear()

    def _evaluate(self, expression: Expression) -> Any:
        return evaluate(expression, self.functions, self.globals)

    def _references(self, segment: ElementSegment) -> tuple[Any, ...]:
        if segment.expressions:
            return tuple([self._evaluate(expression) for expression in segment.expressions])
        return tuple([self.functions[index] for index in segment.functions])

    def _copy_elements(self, segment: ElementSegment, references: tuple[Any, ...]) -> None:
        assert segment.offset is not None
        table = self.tables[segment.table_index]
        start = self._evaluate(segment.offset) & 0xFFFFFFFF
        if start + len(references) > len(table):
            raise Trap(TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS, (), "by an element segment")
        for index, reference in enumerate(references, start):
            table[index] = reference

    def _copy_data(self) -> None:
        data = self.module.data
        chunks = data.constant_chunks() if isinstance(data, DataSection) else data
        binary = data.binary if isinstance(data, DataSection) else b""
        for chunk in chunks:
            if isinstance(chunk, DataSegment):
                self._copy_segment(chunk)
            else:
                self._copy_ordinary(chunk, binary)

    def _copy_ordinary(self, segments: Iterable[tuple[int, int, int]], binary: bytes) -> None:
        """Copy what `DataSection.constant_chunks` gives: tens of thousands in a module by Go, so every line counts."""
        view, dropped = self.memories[0].buffer, self.data.append
        limit = len(view)
        for address, start, stop in segments:
            end = address + stop - start
            if end > limit:
                raise _out_of_bounds()
            view[address:end] = binary[start:stop]
            dropped(b"")

    def _copy_segment(self, segment: DataSegment) -> None:
        if segment.offset is None:
            self.data.append(segment.data)
            return
        address = self._evaluate(segment.offset) & 0xFFFFFFFF
        view = self.memories[segment.memory_index].buffer
        if address + len(segment.data) > len(view):
            raise _out_of_bounds()
        view[address : address + len(segment.data)] = segment.data
        self.data.append(b"")


def _out_of_bounds() -> Trap:
    return Trap(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS, (), "by a data segment")
