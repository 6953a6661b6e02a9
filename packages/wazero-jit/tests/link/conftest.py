"""Trampolines over functions written by hand: all that entries and host calls need, without an engine."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wazero_api import Convention, FunctionType

if sys.platform != "linux" or os.uname().machine != "x86_64":
    collect_ignore_glob = ["test_*.py"]
else:
    from wazero_jit.isa.amd64.assembler import Assembler
    from wazero_jit.isa.amd64.encoding import (
        AND_MI8,
        CALL_M,
        JMP_M,
        MOV_MR,
        MOV_OI,
        MOV_RM,
        POP,
        PUSH,
        R13,
        R15,
        RAX,
        RBP,
        RSP,
        Mem,
    )
    from wazero_jit.isa.amd64.trampolines import WRITERS
    from wazero_jit.link.builtin import Function, wrong_count
    from wazero_jit.link.callbacks import Callbacks, SharedWords
    from wazero_jit.link.conversions import Conversions, ReferenceKeeper, unpack
    from wazero_jit.link.python_api import API
    from wazero_jit.link.records import (
        CELL_SHIFT,
        CELLS,
        Execution,
        ExecutionCell,
        FunctionRecord,
        HostContext,
        InstanceContext,
    )
    from wazero_jit.link.trampolines import Trampolines
    from wazero_jit.memory.executable import ExecutableSpace

    get_thread_state = ctypes.pythonapi["PyThreadState_Get"]
    get_thread_state.restype = ctypes.c_uint64


class Owner:
    """Of contexts: what an `Instance` is in the engine."""

    def __init__(self, context: Any) -> None:
        self.context = context


class Native:
    """Builds functions. Callbacks do what the attributes with their names say, and tell `calls`."""

    def __init__(self) -> None:
        self.space = ExecutableSpace(16 << 20, 1 << 20)
        self.cells = (ExecutionCell * CELLS)()
        self.ticker_asleep = ctypes.c_uint32(0)
        self.executions: dict[int, Any] = {}
        self.keeper = ReferenceKeeper()
        self.functions: dict[int, Any] = {}
        """By the address of the record."""
        self.alive: list[Any] = []
        self.calls: list[tuple[Any, ...]] = []
        self.annotate: Callable[..., Any] = lambda *_: None
        self.conversions = Conversions(self.functions.__getitem__, self.keeper)
        words = SharedWords(ctypes.addressof(self.cells), ctypes.addressof(self.ticker_asleep))
        self.trampolines = Trampolines(self.space, WRITERS, self._callbacks(), words)
        self.routines = self.trampolines.routines

    def _callbacks(self) -> Callbacks:
        return Callbacks(
            to_native=self.conversions.to_native,
            from_native=self.conversions.from_native,
            unpack=unpack,
            wrong_count=wrong_count,
            too_deep=self.too_deep,
            enter_thread=self._late("enter_thread"),
            wake=self._late("wake"),
            raise_trap=self._late("raise_trap"),
            annotate=self._annotate,
            raise_closed=self._late("raise_closed"),
        )

    def _late(self, name: str) -> Callable[..., Any]:
        """A callback that tests can replace."""
        return lambda *arguments: getattr(self, name)(*arguments)  # noqa: PLW0108

    def too_deep(self) -> None:
        raise RecursionError("too deep")

    def enter_thread(self) -> None:
        self.calls.append(("enter_thread",))
        state = get_thread_state()
        if state not in self.executions:
            execution = Execution()
            execution.traps[:] = self.routines.traps
            self.executions[state] = execution
        cell = self.cells[state >> CELL_SHIFT & CELLS - 1]
        cell.thread_state, cell.execution = state, ctypes.addressof(self.executions[state])

    def wake(self) -> None:
        self.calls.append(("wake",))
        self.ticker_asleep.value = 0

    def raise_trap(self, *arguments: int) -> None:
        self.calls.append(("trap", *arguments))
        raise ArithmeticError(arguments[0])

    def _annotate(self, *arguments: Any) -> Any:
        self.calls.append(("annotate", *arguments))
        return self.annotate(*arguments)

    def raise_closed(self, owner: Any) -> None:
        raise ConnectionError(owner)

    @property
    def execution(self) -> Any:
        """Of this thread."""
        return self.executions[get_thread_state()]

    def place(self, code: bytes) -> int:
        """The address of some code."""
        block = self.space.allocate(len(code))
        block.write(0, code)
        self.alive.append(block)
        return block.address

    def function(self, type: FunctionType, code: bytes | int, name: str = "f") -> Any:
        """A function of wasm code, or of what is at an address already."""
        context, record = InstanceContext(), FunctionRecord()
        owner = Owner((context, record))
        context.header.owner = id(owner)
        record.code = code if isinstance(code, int) else self.place(code)
        record.context = ctypes.addressof(context)
        address = ctypes.addressof(record)
        function = Function(type, name, 0, address, owner, self.trampolines)
        self.functions[address] = function
        return function

    def host(
        self,
        type: FunctionType,
        callable: Callable[..., Any],  # noqa: A002
        convention: Convention = Convention.TYPED,
        module: Any = None,
    ) -> Any:
        """A host function; gets `module` if that is not None."""
        context = HostContext()
        owner = Owner((context, callable, module))
        context.header.owner = id(owner)
        context.record.code = self.trampolines.host_call(type, convention, module is not None)
        context.record.context = ctypes.addressof(context)
        context.callable = id(callable)
        context.module = id(module)
        address = ctypes.addressof(context) + HostContext.record.offset
        function = Function(type, "host", 0, address, owner, self.trampolines)
        self.functions[address] = function
        return function

    def through(self, host: Any, type: FunctionType | None = None) -> Any:
        """A function of wasm code that goes over to `host` with all arguments where they are."""
        code = MOV_OI(64, RAX, host.record) + MOV_RM(64, R15, Mem(RAX, FunctionRecord.context.offset))
        function = self.function(type or host.type, code + JMP_M(32, Mem(RAX, FunctionRecord.code.offset)))
        self.alive.append(host)
        return function

    def calling(self, host: Any, before: bytes = b"", after: bytes = b"") -> bytes:
        """Code that calls `host`, which has only parameters that are in registers."""
        a = Assembler()
        a(PUSH(64, R15), before, MOV_OI(64, RAX, host.record))
        a(MOV_RM(64, R15, Mem(RAX, FunctionRecord.context.offset)), CALL_M(32, Mem(RAX, FunctionRecord.code.offset)))
        a(after, POP(64, R15))
        self.alive.append(host)
        return a.finish()

    @staticmethod
    def release_gil() -> bytes:
        """Code that does what a poll may do; loses all that C code does not keep."""
        a = Assembler()
        a(PUSH(64, RBP), MOV_RM(64, RBP, RSP), AND_MI8(64, RSP, -16))
        a.call_address(API.PyEval_SaveThread)
        a(MOV_MR(64, Mem(R13, Execution.thread_state.offset), RAX), MOV_RM(64, RSP, RBP), POP(64, RBP))
        return a.finish()


@pytest.fixture
def native() -> Iterator[Native]:
    """One set of trampolines a test."""
    faulthandler.enable()
    made = Native()
    yield made
    for execution in made.executions.values():
        assert execution.depth == execution.entry_stack == execution.thread_state == 0
