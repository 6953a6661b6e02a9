"""The handler for SIGSEGV and SIGBUS: a fault of our code in a memory's guard becomes a trap, all else is passed on.

It is machine code because any thread can fault at any time, with or without the GIL.
"""

from __future__ import annotations

import ctypes
from typing import Final, final

from wazero_jit.link.faults import SIG_DFL, SIG_IGN, AddressRange, FaultTargets

from .assembler import Assembler, Label
from .c_calls import field, jump_address
from .encoding import (
    ADD_MI8,
    CMP_MI8,
    CMP_RM,
    INC,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    POP,
    PUSH,
    R8,
    RAX,
    RCX,
    RDI,
    RDX,
    RET,
    RSI,
    RSP,
    SUB_MI8,
    XOR_RM,
    Mem,
)

_WORD: Final = 8
_SIGNAL: Final = RDI
_INFO: Final = RSI
_CONTEXT: Final = RDX


@final
class _SignalInfo(ctypes.Structure):
    """Start of Linux's siginfo_t for faults."""

    _fields_ = (
        ("signal", ctypes.c_int),
        ("error", ctypes.c_int),
        ("code", ctypes.c_int),
        # Above 0 if the signal comes from the kernel.
        ("address", ctypes.c_uint64),
    )


@final
class _UserContext(ctypes.Structure):
    """Start of Linux's ucontext_t on x86-64: arch/x86/include/uapi/asm/sigcontext.h, struct sigcontext_64."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("link", ctypes.c_uint64),
        ("stack", ctypes.c_uint64 * 3),
        ("r8_to_r15", ctypes.c_uint64 * 8),
        ("rdi_rsi_rbp_rbx_rdx_rax_rcx", ctypes.c_uint64 * 7),
        ("rsp", ctypes.c_uint64),
        ("rip", ctypes.c_uint64),
    )


def fault_handler(previous: int, targets: FaultTargets) -> bytes:
    """C function ``void (int, siginfo_t *, ucontext_t *)``; `previous` is what the signal would have done before."""
    a = Assembler()
    foreign = Label()
    a(CMP_MI8(32, field(_INFO, _SignalInfo.code), 0))
    a.jump(foreign, "le")
    a(MOV_RM(64, RAX, field(_CONTEXT, _UserContext.rip)))
    _require(a, RAX, targets.code, foreign)
    a(MOV_RM(64, R8, field(_INFO, _SignalInfo.address)))
    _require(a, R8, targets.envelope, foreign)
    # Go on as if the instruction had been a call of the trap routine: what is behind it is told apart from what is before.
    rsp = field(_CONTEXT, _UserContext.rsp)
    a(INC(64, RAX), MOV_RM(64, RCX, rsp), SUB_MI8(64, RCX, _WORD), MOV_MR(64, Mem(RCX), RAX), MOV_MR(64, rsp, RCX))
    a(MOV_OI(64, RAX, targets.trap), MOV_MR(64, field(_CONTEXT, _UserContext.rip), RAX), RET(32))
    a.bind(foreign)
    if previous in (SIG_DFL, SIG_IGN):
        _default_action(a, previous, targets)
    else:
        jump_address(a, previous)
    return a.finish()


def _require(a: Assembler, register: int, range_address: int, otherwise: Label) -> None:
    """Go on if the register is in an `AddressRange`; changes rcx."""
    a(MOV_OI(64, RCX, range_address), CMP_RM(64, register, field(RCX, AddressRange.low)))
    a.jump(otherwise, "b")
    a(CMP_RM(64, register, field(RCX, AddressRange.high)))
    a.jump(otherwise, "ae")


def _default_action(a: Assembler, previous: int, targets: FaultTargets) -> None:
    """Let the process die of the signal as if there were no handler.

    A fault comes again when the handler returns, and then its default action is taken, which the kernel does even to
    processes that ignore the signal. One that somebody sent does not come again: it is raised once more, or ignored.
    """
    done = Label()
    if previous == SIG_IGN:
        a(CMP_MI8(32, field(_INFO, _SignalInfo.code), 0))
        a.jump(done, "le")
    a(PUSH(64, _SIGNAL), PUSH(64, _INFO), SUB_MI8(64, RSP, _WORD))
    a(MOV_OI(64, RSI, targets.default_action), XOR_RM(32, RDX, RDX))
    a.call_address(targets.sigaction)
    a(ADD_MI8(64, RSP, _WORD), POP(64, _INFO), POP(64, _SIGNAL))
    a(CMP_MI8(32, field(_INFO, _SignalInfo.code), 0))
    a.jump(done, "g")
    jump_address(a, targets.raise_signal)
    a.bind(done)
    a(RET(32))
