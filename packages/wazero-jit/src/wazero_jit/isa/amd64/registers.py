"""Registers of amd64 and what each is for in wasm code.

Operand ids are those of `registers.operands`: general register n is id n, xmm register n is id ``FLOAT + n``.
"""

from __future__ import annotations

from typing import Final

from wazero_jit.registers.operands import FLOAT
from wazero_jit.registers.plan import RegisterPlan

from .encoding import R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI

CONTEXT: Final = R15
"""The running instance's `InstanceContext`."""
MEMORY: Final = R14
"""Byte 0 of its first memory."""
EXECUTION: Final = R13
"""The thread's `Execution`."""

PLAN: Final = RegisterPlan(
    scratch=(RAX, RCX, RDX),
    float_scratch=(FLOAT + 14, FLOAT + 15),
    temporaries=(RSI, RDI, R8, R9),
    float_temporaries=tuple(range(FLOAT, FLOAT + 8)),
    pins=(RBX, RBP, R12, R11, R10),
    float_pins=tuple(range(FLOAT + 8, FLOAT + 14)),
)
"""Pins are kept by callees. C code keeps only rbx, rbp and r12 to r15, so that ways out of wasm code save the rest."""

C_ARGUMENTS: Final = (RDI, RSI, RDX, RCX, R8, R9)
"""System V AMD64 ABI 1.0, 3.2.3; results come in rax and xmm0, float arguments in xmm0 and up."""
C_SAVED: Final = (RBX, RBP, R12, R13, R14, R15)
"""What C code keeps, and so must entries."""
