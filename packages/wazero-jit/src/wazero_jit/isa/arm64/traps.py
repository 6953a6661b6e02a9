"""Traps inside of code pieces: calls that never come back, and the branches around them."""

from __future__ import annotations

import ctypes
from typing import Final

from wazero_api import TrapKind
from wazero_jit.link.records import TRAPS, Execution

from .encoding import B_COND, BLR, LDR, X16
from .registers import EXECUTION

_ROUTINE_BYTES: Final = ctypes.sizeof(ctypes.c_uint64)


def load_trap(kind: TrapKind) -> bytes:
    """Let x16 be the address of the trap routine."""
    return LDR(X16, EXECUTION, Execution.traps.offset + _ROUTINE_BYTES * TRAPS.index(kind))


def trap(kind: TrapKind) -> bytes:
    """Call the trap routine."""
    return load_trap(kind) + BLR(X16)


def skip_if(condition: str, code: bytes) -> bytes:
    """`code`, jumped over on a condition."""
    branch_bytes = 4
    return B_COND(condition, branch_bytes + len(code)) + code


def trap_unless(condition: str, kind: TrapKind) -> bytes:
    """Trap if the flags do not say `condition`."""
    return skip_if(condition, trap(kind))
