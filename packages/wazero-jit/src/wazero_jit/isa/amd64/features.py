"""What the processor must be able to do: x86-64-v2, which all have had since about 2009."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .encoding import CPUID, MOV_OI, MOV_RM, POP, PUSH, RAX, RBX, RCX, RET

_NEEDED: Final = {"SSE4.1": 1 << 19, "POPCNT": 1 << 23}
"""Bits of ecx after cpuid with eax = 1 (SDM volume 2, CPUID)."""


def missing_feature(run: Callable[[bytes], int]) -> str | None:
    """The name of one that is not there. `run` calls a C function, given as position-independent code."""
    code = PUSH(64, RBX) + MOV_OI(32, RAX, 1) + CPUID(32) + MOV_RM(32, RAX, RCX) + POP(64, RBX) + RET(32)
    features = run(code)
    return next((name for name, bit in _NEEDED.items() if not features & bit), None)
