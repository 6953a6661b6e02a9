"""A small process: the parts under test, with an entry, traps and an error routine that stand in for the real ones."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wazero_jit.isa.amd64.activity import WRITERS
from wazero_jit.isa.amd64.assembler import Assembler, Label
from wazero_jit.isa.amd64.c_calls import acquire_gil, call_python, field
from wazero_jit.isa.amd64.encoding import (
    ADD_MI8,
    CALL_M,
    CMP_MI8,
    CMP_RM,
    DEC,
    INC,
    LEA,
    MOV8_MI,
    MOV_MI,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVSD_MR,
    POP,
    PUSH,
    R12,
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
    SUB_MI8,
    Mem,
)
from wazero_jit.isa.amd64.encoding import MOVD_RM as MOVQ
from wazero_jit.link.activity import Activity
from wazero_jit.link.records import TRAPS, Execution
from wazero_jit.link.threads import Executions
from wazero_jit.link.ticker import TickerControl
from wazero_jit.link.trampolines import CodeBlock
from wazero_jit.memory.executable import ExecutableSpace

KEPT = (RBP, RBX, R12, R13, R14, R15)
RAISED = -1
TRAPPED = -2


@dataclass
class RigRoutines:
    """See `link.trampolines.Routines`."""

    host_error: int
    traps: tuple[int, ...]
    unwind: int = 0
    lazy: int = 0
    closed: int = 0


class Rig:
    """See the module. `run` is the entry; wasm code gets its argument in r14 and returns a number in rax."""

    def __init__(self) -> None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # the ticker may be running its code when Python ends
        self.space = ExecutableSpace(1 << 20, 1 << 20)
        self._blocks: list[CodeBlock] = []
        self._hosts: list[Callable[[], object]] = []
        self.activity = Activity(WRITERS)
        self.executions: Executions = self.activity._executions
        self.ticker_control = self.executions.ticker
        self.trapped = (ctypes.c_uint64 * 3)()
        """Kind, pc and sp of the last trap."""
        self.raised = (ctypes.c_uint64 * 2)()
        """pc and sp of the last error from a poll."""
        traps = tuple(self.place(self._trap(kind)) for kind in range(len(TRAPS)))
        self.activity.start(RigRoutines(self.place(self._host_error()), traps), self.space)
        self.ticker = self.activity._ticker
        self._wake = self.activity.wake
        enter = self.place(self._entry_code())
        self._entry = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(enter)
        self.counter = (ctypes.c_uint64 * 1)()
        self.counter_address = ctypes.addressof(self.counter)
        """What `endless_loop` counts in."""

    def place(self, code: bytes) -> int:
        block = self.space.allocate(len(code))
        block.write(0, code)
        self._blocks.append(block)
        return block.address

    def run(self, code: int, argument: int = 0) -> int:
        """Call wasm code on this thread: what it returns, or TRAPPED. Raises what a poll raises."""
        return int(self._entry(ctypes.addressof(self.executions.current()), code, argument))

    def run_forever(self) -> None:
        self.run(self.endless_loop(), ctypes.addressof(self.counter))

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
        call_python(a, 0, target=self._wake)
        a(ADD_MI8(64, RSP, 16))
        a.bind(awake)
        a(CALL_M(32, R12))
        self._leave(a)
        return a.finish()

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
        """Counts in the word that r14 points to."""

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

    def calling_python(self, host: Callable[[], object]) -> int:
        """Calls something between two polls. It must return: there is no check."""
        self._hosts.append(host)

        def write(a: Assembler) -> None:
            a(SUB_MI8(64, RSP, 24))
            self.poll(a)
            acquire_gil(a)
            call_python(a, 0, target=host)
            self.poll(a)
            a(ADD_MI8(64, RSP, 24), MOV_OI(32, RAX, 7), RET(32))

        return self.wasm(write)

    def forking_loop(self, host: Callable[[], object]) -> int:
        """Calls something, then loops for ever."""
        self._hosts.append(host)

        def write(a: Assembler) -> None:
            loop = Label()
            a(SUB_MI8(64, RSP, 24))
            call_python(a, 0, target=host)
            a.bind(loop)
            self.poll(a)
            a.jump(loop)

        return self.wasm(write)

    def store(self) -> int:
        """Writes a byte to the address in r14."""
        return self.wasm(lambda a: a(SUB_MI8(64, RSP, 8), MOV8_MI(32, Mem(R14), 1), ADD_MI8(64, RSP, 8), RET(32)))

    def checking_registers(self) -> int:
        """Fills all registers that wasm code uses, polls, and gives how many have changed."""
        general = [register for register in range(16) if register not in (RSP, R13)]

        def write(a: Assembler) -> None:
            a(*(PUSH(64, register) for register in KEPT), SUB_MI8(64, RSP, 8), MOV_MI(64, Mem(RSP), 0))
            for number in range(16):
                a(MOV_OI(64, RAX, 0x1111 * (number + 1) << 40), MOVQ(64, number, RAX))
            for register in general:
                a(MOV_OI(64, register, 0x123456789 * (register + 1)))
            a(CALL_M(32, field(R13, Execution.poll)))
            for register in general:
                a(PUSH(64, register), PUSH(64, RAX), MOV_OI(64, RAX, 0x123456789 * (register + 1)))
                self._count_difference(a, Mem(RSP, 8), 16)
                a(POP(64, RAX), LEA(64, RSP, Mem(RSP, 8)))
            for number in range(16):
                a(PUSH(64, RAX), MOVSD_MR(32, Mem(RSP), number), MOV_OI(64, RAX, 0x1111 * (number + 1) << 40))
                self._count_difference(a, Mem(RSP), 8)
                a(POP(64, RAX))
            a(
                MOV_RM(64, RAX, Mem(RSP)),
                ADD_MI8(64, RSP, 8),
                *(POP(64, register) for register in reversed(KEPT)),
                RET(32),
            )

        return self.wasm(write)

    def _count_difference(self, a: Assembler, place: Mem, count_offset: int) -> None:
        same = Label()
        a(CMP_RM(64, RAX, place))
        a.jump(same, "e")
        a(INC(64, Mem(RSP, count_offset)))
        a.bind(same)
