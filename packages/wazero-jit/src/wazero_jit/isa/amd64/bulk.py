"""``memory.copy`` and ``memory.fill`` within an instance's first memory: the C library's, after a bounds check.

Called like wasm functions with their three operands, and with the address of the `MemoryRecord` in rcx.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from wazero_api import TrapKind
from wazero_jit.link.records import TRAPS, Execution
from wazero_jit.memory.linear import MemoryRecord
from wazero_jit.registers.operands import FLOAT

from .assembler import Assembler, Label
from .c_calls import WORD, field
from .encoding import (
    ADD_RM,
    AND_MI8,
    CMP_RM,
    JMP_M,
    LEA,
    MOV_MR,
    MOV_RM,
    MOVUPS_MR,
    MOVUPS_RM,
    POP,
    PUSH,
    R8,
    RAX,
    RBP,
    RCX,
    RDI,
    RDX,
    RET,
    RSI,
    RSP,
    SUB_MI,
    XCHG_MR,
    Mem,
    cmov,
)
from .registers import C_SAVED, EXECUTION, MEMORY, PLAN

_GENERAL = tuple(register for register in PLAN.pins if register not in C_SAVED)
_FLOATS = tuple(register - FLOAT for register in PLAN.float_pins)
_XMM_WORDS = 2


def memory_copy() -> bytes:
    """(target, source, count); position-independent."""

    def reach(a: Assembler) -> None:
        a(LEA(64, RAX, Mem(RSI, 0, R8)), LEA(64, RDX, Mem(RDI, 0, R8)))
        a(CMP_RM(64, RDX, RAX), cmov(64, "a", RAX, RDX))

    def arguments(a: Assembler) -> None:
        a(XCHG_MR(64, RSI, RDI), ADD_RM(64, RDI, MEMORY), ADD_RM(64, RSI, MEMORY), MOV_RM(64, RDX, R8))

    return _operation("memmove", reach, arguments)


def memory_fill() -> bytes:
    """(target, byte, count); position-independent."""

    def reach(a: Assembler) -> None:
        a(LEA(64, RAX, Mem(RSI, 0, R8)))

    def arguments(a: Assembler) -> None:
        a(XCHG_MR(64, RSI, RDI), ADD_RM(64, RDI, MEMORY), MOV_RM(64, RDX, R8))

    return _operation("memset", reach, arguments)


def _operation(function: str, reach: Callable[[Assembler], None], arguments: Callable[[Assembler], None]) -> bytes:
    """`reach` lets rax be the end of what is accessed; `arguments` makes C's arguments of wasm's."""
    a, outside = Assembler(), Label()
    reach(a)
    a(CMP_RM(64, RAX, field(RCX, MemoryRecord.bytes)))
    a.jump(outside, "a")
    words = len(_GENERAL) + _XMM_WORDS * len(_FLOATS)
    a(PUSH(64, RBP), MOV_RM(64, RBP, RSP), SUB_MI(64, RSP, WORD * words), AND_MI8(64, RSP, -16))
    general = [(register, Mem(RSP, WORD * index)) for index, register in enumerate(_GENERAL)]
    start = len(_GENERAL)
    floats = [(register, Mem(RSP, WORD * (start + _XMM_WORDS * index))) for index, register in enumerate(_FLOATS)]
    a(*[MOV_MR(64, place, register) for register, place in general])
    a(*[MOVUPS_MR(32, place, register) for register, place in floats])
    arguments(a)
    address = ctypes.cast(ctypes.pythonapi[function], ctypes.c_void_p).value
    assert address is not None
    a.call_address(address)
    a(*[MOV_RM(64, register, place) for register, place in general])
    a(*[MOVUPS_RM(32, register, place) for register, place in floats])
    a(MOV_RM(64, RSP, RBP), POP(64, RBP), RET(32))
    a.bind(outside)
    kind = TRAPS.index(TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
    a(JMP_M(32, Mem(EXECUTION, Execution.traps.offset + WORD * kind)))
    return a.finish()
