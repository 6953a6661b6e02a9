"""Instances: a context that machine code reads, and the callables that it needs."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, final

from wazero_api import Convention, ExitError, FunctionType, HostFunction, LinkTarget

from .link.builtin import Function
from .link.layout import BUILTINS, RECORD, WORD
from .link.operations import Operations
from .link.records import FunctionRecord, HostContext, InstanceContext

if TYPE_CHECKING:
    from .code import JitCode
    from .process import Process

_RECORD_WORDS: Final = RECORD // WORD


def _word(field: Any, base: int = 0) -> int:
    return (base + int(field.offset)) // WORD


_CODE, _CONTEXT, _TYPE, _INDEX = (
    _word(getattr(FunctionRecord, name)) for name in ("code", "context", "type_id", "index")
)


@final
class HostTarget:
    """A host function as machine code calls it, on behalf of one module."""

    __slots__ = ("__weakref__", "callable", "context", "function", "host", "module")

    def __init__(self, host: HostFunction, module: Any, process: Process) -> None:
        self.host = host
        self.module = module
        self.callable = host.callable
        self.context = context = HostContext()
        context.header.owner = id(self)
        context.callable = id(host.callable)
        context.module = id(module)
        record = context.record
        record.code = process.trampolines.host_call(host.type, host.convention, host.wants_module)
        record.context = ctypes.addressof(context)
        record.type_id = process.type_id(host.type)
        address = record.context + HostContext.record.offset
        self.function = Function(host.type, host.name, 0, address, self, process.trampolines)
        process.owners[record.context] = self

    def function_at(self, record: int) -> Function:
        """The function of the context's only record."""
        return self.function


@final
class Instance:
    """See `wazero_api.LinkedInstance`. Alive as long as any of its functions."""

    __slots__ = (
        "__weakref__",
        "_builtins",
        "_compile",
        "_process",
        "_words",
        "address",
        "code",
        "exit_code",
        "friends",
        "functions",
        "globals",
        "memories",
        "name",
        "tables",
    )

    def __init__(self, code: JitCode, target: LinkTarget, process: Process) -> None:
        self.code = code
        self.name = target.name
        self.exit_code: int | None = None
        """Set once the module is closed."""
        self.friends: set[Any] = set()
        """Owners of functions that this one's code may hold references to."""
        self._process = process
        self._words = array("Q", bytes(code.layout.size))
        self.address = self._words.buffer_info()[0]
        self._compile = self.compile_function
        self.functions = target.functions
        self.tables = target.tables
        self.memories = target.memories
        self.globals = target.globals
        words = self._words
        words[_word(InstanceContext.header) + 1] = id(self)
        words[_word(InstanceContext.compile)] = id(self._compile)
        words[_word(InstanceContext.memory_copy)] = process.memory_copy
        words[_word(InstanceContext.memory_fill)] = process.memory_fill
        words[_word(InstanceContext.records)] = self.address + code.layout.record(0)
        process.owners[self.address] = self
        self._import(target)
        self._define()
        self._builtins = list(self._make_builtins(target))

    def _import(self, target: LinkTarget) -> None:
        layout, words = self.code.layout, self._words
        for index, type in enumerate(self.code.module.types):
            words[layout.type_id(index) // WORD] = self._process.type_id(type)
        for index, function in enumerate(self.functions):
            owner = function.owner
            if isinstance(owner, HostTarget) and owner.host.wants_module:
                function = self.functions[index] = HostTarget(owner.host, target.instance, self._process).function
            elif isinstance(owner, Instance) and _passes_references(function.type):
                owner.friends.add(self)
                self.friends.add(owner)
            words[layout.imported(index) // WORD] = function.record

    def _define(self) -> None:
        """Records of the functions, with stubs for what is not compiled yet, and a `Function` for each."""
        code, layout, process = self.code, self.code.layout, self._process
        first = layout.import_count
        types = code.function_types[first:]
        start, count = layout.record(first) // WORD, len(types)
        stop = start + count * _RECORD_WORDS
        words = self._words
        ids = {type: process.type_id(type) for type in code.module.types}
        words[start + _CODE : stop : _RECORD_WORDS] = process.trampolines.lazy_stubs(first + count)[first:]
        words[start + _CONTEXT : stop : _RECORD_WORDS] = array("Q", (self.address,)) * count
        words[start + _TYPE : stop : _RECORD_WORDS] = array("Q", [ids[type] for type in types])
        words[start + _INDEX : stop : _RECORD_WORDS] = array("Q", range(first, first + count))
        for index, address in code.known_addresses():
            words[start + index * _RECORD_WORDS + _CODE] = address
        names = code.module.names.functions
        trampolines = process.trampolines
        record = self.address + layout.record(first)
        for index, type in enumerate(types, first):
            name = names.get(index) or f"${index}"
            self.functions.append(Function(type, name, index, record, self, trampolines))
            record += RECORD

    def _make_builtins(self, target: LinkTarget) -> Iterator[HostTarget]:
        operations = Operations(
            target.memories, target.tables, target.data, target.elements, self._process.conversions
        ).by_name()
        for name, type in BUILTINS.items():
            host = HostTarget(HostFunction(name, type, operations[name], Convention.RAW), None, self._process)
            self._words[self.code.layout.builtin(name) // WORD] = host.function.record
            yield host

    def bind(self, target: LinkTarget) -> None:
        """See `wazero_api.LinkedInstance.bind`."""
        layout, words = self.code.layout, self._words
        for index, memory in enumerate(target.memories):
            words[layout.memory(index) // WORD] = memory.record_address
        if target.memories:
            words[_word(InstanceContext.header)] = target.memories[0].base_address
        for index, table in enumerate(target.tables):
            words[layout.table(index) // WORD] = table.record_address
            table.owners.add(self)
        for index, variable in enumerate(target.globals):
            words[layout.variable(index) // WORD] = variable.address
            if variable.type.value.is_ref:
                variable.owners.add(self)

    # While it lives

    def compile_function(self, index: int) -> None:
        """Called by the stub of a function: puts its code in the stub's place."""
        self._process.activity.catch_faults()
        address = self.code.address(index - self.code.layout.import_count)
        slot = self.code.layout.record(index) // WORD + _CODE
        self._words[slot] = address
        if self.exit_code is not None:  # closed meanwhile by another thread
            self._words[slot] = self._process.trampolines.routines.closed

    def function_at(self, record: int) -> Function:
        """The function of a record in the context."""
        index = (record - self.address - self.code.layout.record(0)) // RECORD
        function: Function = self.functions[index]
        return function

    def close(self, exit_code: int) -> None:
        """See `wazero_api.LinkedInstance.close`."""
        self.exit_code = exit_code
        layout = self.code.layout
        start = layout.record(layout.import_count) // WORD + _CODE
        count = len(self.code.module.functions)
        closed = self._process.trampolines.routines.closed
        self._words[start::_RECORD_WORDS] = array("Q", (closed,)) * count
        self._process.activity.interrupt_all()

    def is_idle(self) -> bool:
        """See `wazero_api.LinkedInstance.is_idle`."""
        return self._process.activity.is_idle()

    def raise_if_closed(self) -> None:
        """Raises ExitError if the module is closed."""
        if self.exit_code is not None:
            raise ExitError(self.exit_code, self.name)


def _passes_references(type: FunctionType) -> bool:
    return any(value.is_ref for value in (*type.params, *type.results))
