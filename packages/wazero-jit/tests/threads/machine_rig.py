"""A small process: the parts under test, with an entry, traps and an error routine that stand in for the real ones."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from wazero_jit.isa.amd64.assembler import Assembler, Label
from wazero_jit.isa.amd64.c_calls import acquire_gil, call_python, field
from wazero_jit.isa.amd64.encoding import (
    ADD_MI8,
    CALL_M,
    CMP_MI8,
    CMP_RM,
    DEC,
    INC,
    JMP_M,
    MOV_MI,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOV8_MI,
    POP,
    PUSH,
    R8,
    R9,
    R13,
    R14,
    R15,
    RAX,
    RBP,
    RBX,
    RDI,
    RDX,
    RET,
    RSI,
    RSP,
    R12,
    SUB_MI8,
    Mem,
)
from wazero_jit.isa.amd64.faults import fault_handler
from wazero_jit.isa.amd64.poll import poll_routine
from wazero_jit.isa.amd64.ticker import stop_routine, ticker_routine, wake_routine
from wazero_jit.link.faults import AddressRange, FaultHandlers, FaultTargets
from wazero_jit.link.hooks import ProcessHooks
from wazero_jit.link.interrupts import Interrupts
from wazero_jit.link.records import TRAPS, Execution
from wazero_jit.link.threads import SLOT_BYTES, Executions
from wazero_jit.link.ticker import TickerControl, Ticker
from wazero_jit.memory.executable import ExecutableSpace

KEPT = (RBP, RBX, R12, R13, R14, R15)
RAISED = -1
TRAPPED = -2


class Rig:
    """See the module. `run` is the entry; wasm code gets its argument in r14 and returns a number in rax."""

    def __init__(self) -> None:
        self.space = ExecutableSpace(1 << 20, 1 << 20)
        self.blocks: list[Any] = []
        self.executions = Executions()
        self.interrupts = Interrupts(self.executions)
        self.trapped = (ctypes.c_uint64 * 3)()
        """Kind, pc and sp of the last trap."""
        self.raised = (ctypes.c_uint64 * 2)()
        """pc and sp of the last error from a poll."""
        self.code = AddressRange()
        self.envelope = AddressRange(low=(1 << 64) - 1, high=0)
        self._attend = self.interrupts.attend
        poll = self.place(poll_routine(self._attend, self.place(self._host_error())))
        self.traps = [self.place(self._trap(kind)) for kind in range(len(TRAPS))]
        self.executions.install(poll, self.traps)
        self.ticker = self._new_ticker()
        self._wake = self.ticker.wake
        self.hooks = ProcessHooks(self.executions, self.ticker)
        self._entry = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
            self.place(self._entry_code())
        )
        self.faults = self._new_faults()

    def place(self, code: bytes) -> int:
        block = self.space.allocate(len(code))
        block.write(0, code)
        self.blocks.append(block)
        return int(block.address)

    def run(self, code: int, argument: int = 0) -> int:
        """Call wasm code on this thread: what it returns, TRAPPED, or the exception that a poll raised."""
        return int(self._entry(ctypes.addressof(self.executions.current()), code, argument))

    def _new_ticker(self) -> Ticker:
        control = ctypes.addressof(self.executions.ticker)
        routine = self.place(ticker_routine(SLOT_BYTES))
        return Ticker(
            self.executions.ticker, self.place(wake_routine(control, routine)), self.place(stop_routine(control))
        )

    def _new_faults(self) -> FaultHandlers:
        out_of_bounds = next(index for index, kind in enumerate(TRAPS) if "memory" in kind.value)
        targets = FaultTargets(
            ctypes.addressof(self.code), ctypes.addressof(self.envelope), self.traps[out_of_bounds]
        )
        return FaultHandlers(lambda previous: fault_handler(previous, targets), self.place)

    # Routines

    def _entry_code(self) -> bytes:
        a = Assembler()
        awake = Label()
        a(*(PUSH(64, register) for register in KEPT))
        a(MOV_RM(64, R13, RDI), MOV_RM(64, R12, RSI), MOV_RM(64, R14, RDX))
        a(PUSH(64, RAX), MOV_RM(64, RAX, field(R13, Execution.entry_stack)), MOV_MR(64, Mem(RSP), RAX))
        a(MOV_MR(64, field(R13, Execution.entry_stack), RSP), INC(64, field(R13, Execution.depth)))
        a(MOV_OI(64, RAX, ctypes.addressof(self.executions.ticker)), CMP_MI8(32, field(RAX, TickerControl.state), 0))
        a.jump(awake, "e")
        a(SUB_MI8(64, RSP, 16))
        call_python(a, 0, target=self._wake_callback())
        a(ADD_MI8(64, RSP, 16))
        a.bind(awake)
        a(CALL_M(32, R12))
        self.leave = a.position
        self._leave(a)
        return a.finish()

    def _wake_callback(self) -> Callable[[], None]:
        # The method does not exist yet when the first routines are written, nor does a bound one stay by itself.
        return self._wake

    def _leave(self, a: Assembler) -> None:
        """Back to C with rax; the stack pointer is that of the entry."""
        a(MOV_RM(64, RBX, RAX), DEC(64, field(R13, Execution.depth)))
        acquire_gil(a)
        a(MOV_RM(64, RAX, RBX), POP(64, RDX), MOV_MR(64, field(R13, Execution.entry_stack), RDX))
        a(*(POP(64, register) for register in reversed(KEPT)), RET(32))

    def _unwind(self, a: Assembler, result: int) -> None:
        a(MOV_RM(64, RSP, field(R13, Execution.entry_stack)), MOV_OI(64, RAX, result))
        self._leave(a)

    def _note(self, a: Assembler, words: Any, first: int) -> None:
        """Store pc and sp."""
        a(MOV_OI(64, RDX, ctypes.addressof(words)), POP(64, RAX))
        a(MOV_MR(64, Mem(RDX, first), RAX), MOV_MR(64, Mem(RDX, first + 8), RSP))

    def _trap(self, kind: int) -> bytes:
        a = Assembler()
        self._note(a, self.trapped, 8)
        a(MOV_MI(64, Mem(RDX), kind))
        self._unwind(a, TRAPPED)
        return a.finish()

    def _host_error(self) -> bytes:
        a = Assembler()
        self._note(a, self.raised, 0)
        self._unwind(a, RAISED)
        return a.finish()

    # Wasm code

    def wasm(self, write: Callable[[Assembler], None]) -> int:
        a = Assembler()
        write(a)
        return self.place(a.finish())

    def poll(self, a: Assembler) -> None:
        enough = Label()
        a(CMP_RM(64, RSP, field(R13, Execution.limit)))
        a.jump(enough, "ae")
        a(CALL_M(32, field(R13, Execution.poll)))
        a.bind(enough)

    def endless_loop(self) -> int:
        """Counts in the word that r14 points to, if it is not 0."""

        def write(a: Assembler) -> None:
            loop = Label()
            a.bind(loop)
            a(INC(64, Mem(R14)))
            self.poll(a)
            a.jump(loop)

        return self.wasm(write)

    def counting_loop(self) -> int:
        """Counts r14 down to 0; 3 instructions a round."""

        def write(a: Assembler) -> None:
            loop = Label()
            a.bind(loop)
            self.poll(a)
            a(DEC(64, R14))
            a.jump(loop, "ne")
            a(MOV_OI(32, RAX, 7), RET(32))

        return self.wasm(write)

    def endless_recursion(self) -> int:
        def write(a: Assembler) -> None:
            a(SUB_MI8(64, RSP, 40))
            self.poll(a)
            a(CALL_M(32, R12))

        return self.wasm(write)

    def calling_python(self, callable: Callable[[], object]) -> int:
        """Calls something between two polls. It must return: there is no check."""

        def write(a: Assembler) -> None:
            a(SUB_MI8(64, RSP, 24))
            self.poll(a)
            acquire_gil(a)
            call_python(a, 0, target=callable)
            self.poll(a)
            a(ADD_MI8(64, RSP, 24), MOV_OI(32, RAX, 7), RET(32))

        return self.wasm(write)

    def store(self) -> int:
        """Writes a byte to the address in r14."""
        return self.wasm(lambda a: a(SUB_MI8(64, RSP, 8), MOV8_MI(32, Mem(R14), 1), ADD_MI8(64, RSP, 8), RET(32)))


__all__ = ["CMP_MI8", "JMP_M", "R8", "R9", "RAISED", "RSI", "Rig", "TRAPPED"]
