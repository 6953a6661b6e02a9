"""Registers of arm64 and what each is for in wasm code.

Operand ids are those of `registers.operands`: general register n is id n, floating-point register n is id ``FLOAT + n``.
"""

from __future__ import annotations

from typing import Final

from wazero_jit.registers.operands import FLOAT
from wazero_jit.registers.plan import RegisterPlan

from .encoding import (
    X0,
    X1,
    X2,
    X3,
    X4,
    X5,
    X6,
    X7,
    X8,
    X9,
    X10,
    X11,
    X12,
    X13,
    X14,
    X15,
    X16,
    X17,
    X18,
    X19,
    X20,
    X21,
    X22,
    X23,
    X24,
    X25,
    X26,
    X27,
    X28,
    X29,
    X30,
)

CONTEXT: Final = X28
"""The running instance's `InstanceContext`."""
MEMORY: Final = X27
"""Byte 0 of its first memory."""
EXECUTION: Final = X26
"""The thread's `Execution`."""
FRAME_POINTER: Final = X29
LINK: Final = X30

PLAN: Final = RegisterPlan(
    scratch=(X15, X16, X17),
    float_scratch=(FLOAT + 16, FLOAT + 17),
    temporaries=(X0, X1, X2, X3, X4, X5, X6, X7),
    float_temporaries=tuple(range(FLOAT, FLOAT + 8)),
    pins=(X19, X20, X21, X22, X23, X24, X25),
    float_pins=tuple(range(FLOAT + 8, FLOAT + 16)),
    frame_unit=2,
)
"""C code keeps the pins, too, of float pins the 64 bits that are used."""

_UNUSED: Final = "C code changes it, and there are temporaries enough: left for a later tier"
RESERVED: Final = {
    **dict.fromkeys((X8, X9, X10, X11, X12, X13, X14), _UNUSED),
    X18: "the platform's: macOS and Windows may change it at any time, Android keeps a shadow call stack in it",
    EXECUTION: "the thread's Execution",
    MEMORY: "byte 0 of the instance's first memory",
    CONTEXT: "the instance's context",
    FRAME_POINTER: "C code's frame record, left as it was so that profilers can unwind past wasm code",
    LINK: "the return address; changed by each call, poll and trap",
    **dict.fromkeys(range(FLOAT + 18, FLOAT + 32), _UNUSED),
}
"""Why registers are not in the plan, by operand id."""

C_SAVED: Final = (X19, X20, X21, X22, X23, X24, X25, X26, X27, X28, X29, X30)
"""What C code keeps, and so must entries (AAPCS64, 6.1.1); in pairs, as they are saved."""
C_SAVED_FLOATS: Final = (8, 9, 10, 11, 12, 13, 14, 15)
"""Of these the lower 64 bits (6.1.2)."""
