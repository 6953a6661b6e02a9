"""The poll routine: what a prologue or loop header calls when the stack pointer is below `Execution.limit`.

That is so when the stack is used up, and when the ticker fired. In the second case, in this order: an error if Python's
signal handlers raise one, or if `attend` does because a module was closed or a deadline passed; else the GIL is released,
so that a call which takes long enough to see a tick runs beside Python threads. Once it is released, polls take it again
only for a reason: each time could cost a switch interval (5 ms) where another thread is busy in Python.
"""

from __future__ import annotations

import ctypes
import time
from typing import Final

from wazero_api import TrapKind
from wazero_jit.link.c_library import c_address
from wazero_jit.link.interrupts import Check
from wazero_jit.link.python_api import API
from wazero_jit.link.records import TRAPS, Execution

from .assembler import Assembler, Label
from .c_calls import acquire_gil, field, jump_address
from .encoding import (
    ADD_MI,
    ADD_RM,
    AND_MI8,
    CALL_M,
    CMP_MI8,
    CMP_RM,
    IMUL_RMI,
    IMUL_RMI8,
    INC,
    JMP_M,
    LEA,
    MOV_MI,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVUPS_MR,
    MOVUPS_RM,
    POP,
    PUSH,
    R8,
    R9,
    R10,
    R11,
    R12,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RET,
    RSI,
    RSP,
    SUB_MI,
    SUB_RM,
    TEST_MR,
    XCHG_MR,
    XOR_RM,
    Mem,
    cmov,
    jmp_short,
)
from .registers import CONTEXT, EXECUTION

_SIGNALS_NANOSECONDS: Final = 20_000_000
"""The main thread takes the GIL to look for signals after so long, and `_WAIT_FACTOR` times what it took last time."""
_WAIT_FACTOR: Final = 12
"""So it loses 5 % to waiting where another thread is busy in Python, which hands the GIL over after 5 ms."""
_SIGNALS_MAX_NANOSECONDS: Final = 80_000_000
"""But after so long in any case: Ctrl-C has to work within 0.2 s."""

_SAVED: Final = (RAX, RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R11, R12)
"""With rbp, which holds the frame, all that wasm code may use, except for the registers that C code keeps as well."""
_NOW: Final = RBX
"""The time at the start; C code keeps the register."""
_XMM_COUNT: Final = 16
_XMM_BYTES: Final = 16
_WORD: Final = 8


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_int64))


_TIME_BYTES: Final = ctypes.sizeof(_Timespec)
_FORMAT: Final = b"KKK\0"
"""PyObject_CallFunction: three arguments, each a C unsigned long long."""


def poll_routine(attend: Check, host_error: int) -> bytes:
    """The routine's code; `attend` must live as long as it.

    An error jumps to `host_error` with the exception set, the GIL held, and the return address into wasm code at the
    stack pointer. Registers then hold anything, except for those of the context, memory 0 and the execution.
    """
    a = Assembler()
    done, error = Label(), Label()
    _trap_on_overflow(a)
    _save(a)
    _reset_limit(a)
    _read_clock(a)
    a(MOV_RM(64, _NOW, RAX))
    _note_deadline(a)
    _leave_without_reason(a, done)
    acquire_gil(a)
    a.call_address(API.PyErr_CheckSignals)
    a(TEST_MR(32, RAX, RAX))
    a.jump(error, "ne")
    _call_attend(a, attend, error)
    _plan_signals(a)
    a.call_address(API.PyEval_SaveThread)
    a(MOV_MR(64, field(EXECUTION, Execution.thread_state), RAX), MOV_MI(32, field(EXECUTION, Execution.ticks), 0))
    a.bind(done)
    _restore(a)
    a.bind(error)
    a(MOV_RM(64, RSP, RBP), POP(64, RBP))
    jump_address(a, host_error)
    return a.finish()


def _trap_on_overflow(a: Assembler) -> None:
    """As if the poll's caller had called the trap routine."""
    enough = Label()
    a(PUSH(64, RAX), LEA(64, RAX, Mem(RSP, 2 * _WORD)), CMP_RM(64, RAX, field(EXECUTION, Execution.stack_limit)))
    a(POP(64, RAX))
    a.jump(enough, "ae")
    trap = Execution.traps.offset + _WORD * TRAPS.index(TrapKind.CALL_STACK_EXHAUSTED)
    a(JMP_M(32, Mem(EXECUTION, trap)))
    a.bind(enough)


def _save(a: Assembler) -> None:
    """Below the frame pointer: general registers, floating-point registers, a timespec at the aligned stack pointer."""
    a(PUSH(64, RBP), MOV_RM(64, RBP, RSP))
    a(*(PUSH(64, register) for register in _SAVED))
    a(SUB_MI(64, RSP, _XMM_COUNT * _XMM_BYTES + _TIME_BYTES), AND_MI8(64, RSP, -16))
    a(*(MOVUPS_MR(32, _xmm_place(number), number) for number in range(_XMM_COUNT)))


def _restore(a: Assembler) -> None:
    a(*(MOVUPS_RM(32, number, _xmm_place(number)) for number in range(_XMM_COUNT)))
    a(LEA(64, RSP, Mem(RBP, -_WORD * len(_SAVED))))
    a(*(POP(64, register) for register in reversed(_SAVED)))
    a(POP(64, RBP), RET(32))


def _xmm_place(number: int) -> Mem:
    return Mem(RSP, _TIME_BYTES + _XMM_BYTES * number)


def _reset_limit(a: Assembler) -> None:
    """With a fence (`xchg`): who sets `attention` sets the limit next, and one of the two must be seen."""
    a(MOV_RM(64, RAX, field(EXECUTION, Execution.stack_limit)), XCHG_MR(64, field(EXECUTION, Execution.limit), RAX))
    a(INC(32, field(EXECUTION, Execution.ticks)))


def _read_clock(a: Assembler) -> None:
    """Let rax be the time in nanoseconds."""
    a(MOV_OI(32, RDI, time.CLOCK_MONOTONIC), MOV_RM(64, RSI, RSP))
    a.call_address(c_address("clock_gettime"))
    a(
        IMUL_RMI(64, RAX, field(RSP, _Timespec.seconds), 1_000_000_000),
        ADD_RM(64, RAX, field(RSP, _Timespec.nanoseconds)),
    )


def _note_deadline(a: Assembler) -> None:
    """If the deadline is over, that wants attention."""
    none = Label()
    a(CMP_MI8(64, field(EXECUTION, Execution.deadline), 0))
    a.jump(none, "e")
    a(CMP_RM(64, _NOW, field(EXECUTION, Execution.deadline)))
    a.jump(none, "l")
    a(MOV_MI(32, field(EXECUTION, Execution.attention), 1))
    a.bind(none)


def _plan_signals(a: Assembler) -> None:
    """Set `Execution.signals_at`."""
    _read_clock(a)
    a(MOV_RM(64, RCX, RAX), SUB_RM(64, RCX, _NOW), IMUL_RMI8(64, RCX, RCX, _WAIT_FACTOR))
    a(ADD_MI(64, RCX, _SIGNALS_NANOSECONDS), MOV_OI(32, RDX, _SIGNALS_MAX_NANOSECONDS))
    a(CMP_RM(64, RCX, RDX), cmov(64, "g", RCX, RDX))
    a(ADD_RM(64, RCX, RAX), MOV_MR(64, field(EXECUTION, Execution.signals_at), RCX))


def _leave_without_reason(a: Assembler, done: Label) -> None:
    """Go on if the GIL is held, or worth taking for attention or signals."""
    go_on = Label()
    a(CMP_MI8(64, field(EXECUTION, Execution.thread_state), 0))
    a.jump(go_on, "e")
    a(CMP_MI8(32, field(EXECUTION, Execution.attention), 0))
    a.jump(go_on, "ne")
    a(CMP_MI8(32, field(EXECUTION, Execution.is_main), 0))
    a.jump(done, "e")
    a(CMP_RM(64, _NOW, field(EXECUTION, Execution.signals_at)))
    a.jump(done, "l")
    a.bind(go_on)


def _call_attend(a: Assembler, attend: Check, error: Label) -> None:
    """If anything wants attention."""
    none = Label()
    a(CMP_MI8(32, field(EXECUTION, Execution.attention), 0))
    a.jump(none, "e")
    a(MOV_OI(64, RDI, id(attend)))
    over_format = jmp_short(len(_FORMAT))
    a(LEA(64, RSI, Mem(None, len(over_format))), over_format, _FORMAT)
    pc, sp = Mem(RBP, _WORD), 2 * _WORD
    a(MOV_RM(64, RDX, pc), LEA(64, RCX, Mem(RBP, sp)), MOV_RM(64, R8, CONTEXT))
    a(MOV_OI(64, R11, API.PyObject_CallFunction), XOR_RM(32, RAX, RAX), CALL_M(32, R11))
    a(TEST_MR(64, RAX, RAX))
    a.jump(error, "e")
    a(MOV_RM(64, RDI, RAX))
    a.call_address(API.Py_DecRef)
    a.bind(none)
