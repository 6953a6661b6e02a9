"""Runs WebAssembly on the arm64 engine, in a Python for arm64: a job comes as JSON by standard input, the answer goes out.

Stands in for `wazero_jit.process` and `wazero_jit.instance`, which need what the slice does not have yet: all functions
are compiled at once, there is no ticker, and no function of the host can be called. All else is the real thing.

A job is ``{"modules": [[name, hex], …], "calls": [[module, export, arguments, interrupt], …]}``. The answer has a result
per call: ``["value", value]``, ``["trap", kind, functions]`` or ``["error", type, text]``, and, for an interrupted call,
the functions that ran when it was asked for attention; ``interrupt`` is "note", or "raise" to stop it there.
"""

from __future__ import annotations

import ctypes
import json
import sys
from array import array
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from wazero_api import ExternKind, Trap, UnsupportedError, WazeroError
from wazero_core.binary import decode_module
from wazero_core.runtime.config import DEFAULT_FEATURES
from wazero_core.store import External
from wazero_core.store.instantiation import Instantiation
from wazero_core.validation import ModuleValidator
from wazero_jit.code import JitCode
from wazero_jit.isa.arm64.machine import Arm64
from wazero_jit.isa.arm64.poll import poll_routine
from wazero_jit.isa.arm64.trampolines import WRITERS
from wazero_jit.link.builtin import Function, wrong_count
from wazero_jit.link.callbacks import Callbacks, SharedWords
from wazero_jit.link.code_map import CodeMap
from wazero_jit.link.conversions import Conversions, ReferenceKeeper, unpack
from wazero_jit.link.frames import StackWalker
from wazero_jit.link.interrupts import Interrupts
from wazero_jit.link.layout import RECORD, WORD
from wazero_jit.link.records import TRAPS, ContextHeader, FunctionRecord, InstanceContext
from wazero_jit.link.threads import Executions
from wazero_jit.link.trampolines import Trampolines
from wazero_jit.link.variables import JitGlobal, JitTable
from wazero_jit.memory.executable import CodeBlock, ExecutableSpace
from wazero_jit.memory.linear import NativeMemory

MEMORY_LIMIT_PAGES = 256


class FlushedBlock:
    """A `CodeBlock` after whose writing the instruction cache knows of it."""

    def __init__(self, block: CodeBlock) -> None:
        self._block = block
        self.address, self.size = block.address, block.size
        self._clear_cache = ctypes.CDLL("libgcc_s.so.1")["__clear_cache"]
        self._clear_cache.argtypes = (ctypes.c_void_p, ctypes.c_void_p)

    def write(self, offset: int, data: bytes) -> None:
        self._block.write(offset, data)
        start = self.address + offset
        self._clear_cache(start, start + len(data))


class FlushedSpace:
    """An `ExecutableSpace` of such blocks."""

    def __init__(self) -> None:
        self._space = ExecutableSpace(64 << 20)

    def allocate(self, size: int, align: int = 64) -> FlushedBlock:
        return FlushedBlock(self._space.allocate(size, align))


class SliceProcess:
    """What `Process` gives to `JitCode`, and what functions need to run."""

    def __init__(self) -> None:
        self.functions_space = FlushedSpace()
        self.code_map = CodeMap()
        self.owners: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self.walker = StackWalker(self.code_map, self.owners)
        self.executions = Executions()
        self.interrupts = Interrupts(self.executions)
        self._attend = self.interrupts.attend
        self.conversions = Conversions(self._no_function, ReferenceKeeper())
        self._asleep = ctypes.c_uint32()
        words = SharedWords(self.executions.cells, ctypes.addressof(self._asleep))
        self.trampolines = Trampolines(self.functions_space, WRITERS, self._callbacks(), words)
        poll = poll_routine(self._attend, self.trampolines.routines.host_error)
        self._poll = self.functions_space.allocate(len(poll))
        self._poll.write(0, poll)
        self.executions.install(self._poll.address, self.trampolines.routines.traps)
        self._type_ids: dict[Any, int] = {}

    def _callbacks(self) -> Callbacks:
        return Callbacks(
            to_native=self.conversions.to_native,
            from_native=self.conversions.from_native,
            unpack=unpack,
            wrong_count=wrong_count,
            too_deep=self._unreachable,
            enter_thread=self.executions.enter_thread,
            wake=self._unreachable,
            raise_trap=self._raise_trap,
            annotate=lambda error, pc, sp, context: None,
            raise_closed=self._unreachable,
        )

    def isa(self, guarded: bool) -> Arm64:
        return Arm64(guarded)

    def type_id(self, type: Any) -> int:
        return self._type_ids.setdefault(type, len(self._type_ids) + 1)

    def _no_function(self, record: int) -> NoReturn:
        raise AssertionError("no reference crosses the boundary")

    def _unreachable(self, *_: Any) -> NoReturn:
        raise AssertionError("never asked for here")

    def _raise_trap(self, position: int, pc: int, sp: int, context: int) -> NoReturn:
        raise Trap(TRAPS[position], self.walker.frames(pc, sp, context))


class SliceInstance:
    """See `wazero_jit.instance.Instance`."""

    def __init__(self, code: JitCode, target: Instantiation, process: SliceProcess) -> None:
        self.name = target.name
        self.code = code
        self._layout = layout = code.layout
        self._words = words = array("Q", bytes(layout.size))
        self.address = words.buffer_info()[0]
        process.owners[self.address] = self
        words[InstanceContext.records.offset // WORD] = self.address + layout.record(0)
        for index, type in enumerate(code.module.types):
            words[layout.type_id(index) // WORD] = process.type_id(type)
        for index, function in enumerate(target.functions):
            words[layout.imported(index) // WORD] = function.record
        for index in range(len(code.module.functions)):
            self._define(index, code, target, process)

    def _define(self, index: int, code: JitCode, target: Instantiation, process: SliceProcess) -> None:
        first = self._layout.import_count
        type = code.function_types[first + index]
        offset = self._layout.record(first + index)
        record = FunctionRecord.from_buffer(self._words, offset)
        record.code = code.address(index)
        record.context = self.address
        record.type_id = process.type_id(type)
        record.index = first + index
        name = code.module.names.functions.get(first + index, "")
        address = self.address + offset
        assert ctypes.sizeof(record) == RECORD
        target.functions.append(Function(type, name, first + index, address, self, process.trampolines))

    def bind(self, target: Instantiation) -> None:
        layout, words = self._layout, self._words
        for index, memory in enumerate(target.memories):
            words[layout.memory(index) // WORD] = memory.record_address
        if target.memories:
            words[ContextHeader.memory_base.offset // WORD] = target.memories[0].base_address
        for index, table in enumerate(target.tables):
            words[layout.table(index) // WORD] = table.record_address
        for index, variable in enumerate(target.globals):
            words[layout.variable(index) // WORD] = variable.address


class SliceEngine:
    """What `Instantiation` asks of an engine."""

    def __init__(self) -> None:
        self.process = SliceProcess()

    def compile(self, module: Any, bodies: Any) -> JitCode:
        return JitCode(module, bodies, self.process, guarded=False)

    def new_memory(self, type: Any, maximum_pages: int) -> NativeMemory:
        return NativeMemory(type, maximum_pages, guarded=False)

    def new_table(self, type: Any, init: Any, maximum_elements: int) -> JitTable:
        return JitTable(type, init, maximum_elements, self.process.conversions)

    def new_global(self, type: Any, value: Any) -> JitGlobal:
        return JitGlobal(type, value, self.process.conversions)

    def link(self, code: JitCode, target: Instantiation) -> SliceInstance:
        return SliceInstance(code, target, self.process)


class Session:
    """Modules by name, and calls of their functions."""

    def __init__(self) -> None:
        self.engine = SliceEngine()
        self.exports: dict[tuple[str, str], External] = {}
        self.instances: list[Instantiation] = []
        self.noted: list[str] = []
        self._error: Exception | None = None
        self.engine.process.interrupts.checks.append(self._note)

    def add(self, name: str, wasm: bytes) -> None:
        module = decode_module(wasm)
        bodies = ModuleValidator(module, DEFAULT_FEATURES)
        bodies.check_module()
        instance = Instantiation(module, name, None)
        code = self.engine.compile(module, bodies)
        instance.link(self.engine, code, lambda *wanted: self.exports.get(wanted), MEMORY_LIMIT_PAGES)
        instance.initialise()
        self.instances.append(instance)
        for export in module.exports:
            self.exports[name, export.name] = instance.export(export.kind, export.index)

    def _note(self, pc: int, sp: int, context: int) -> None:
        frames = self.engine.process.walker.frames(pc, sp, context)
        self.noted = [frame.function_name for frame in frames]
        if self._error is not None:
            raise self._error

    def call(self, module: str, name: str, arguments: list[Any], interrupt: str | None) -> list[Any]:
        external = self.exports[module, name]
        assert external.kind is ExternKind.FUNCTION
        self.noted = []
        self._error = KeyError("stopped") if interrupt == "raise" else None
        if interrupt:
            execution = self.engine.process.executions.current()
            execution.attention = 1
            execution.limit = (1 << 64) - 1
        try:
            result: list[Any] = ["value", external.value(*arguments)]
        except Trap as trap:
            result = ["trap", trap.kind.name, [frame.function_name for frame in trap.frames]]
        except Exception as error:
            result = ["error", type(error).__name__, str(error)]
        return [*result, self.noted] if interrupt else result


def main() -> None:
    job = json.load(sys.stdin)
    session = Session()
    try:
        for name, wasm in job["modules"]:
            session.add(name, bytes.fromhex(wasm))
    except (UnsupportedError, WazeroError) as error:
        json.dump([["error", type(error).__name__, str(error)]], sys.stdout)
        return
    json.dump([session.call(*call) for call in job["calls"]], sys.stdout)


if __name__ == "__main__":
    main()
