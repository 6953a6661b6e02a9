"""Traps inside of code pieces: calls that never come back, and the short jumps around them."""

from __future__ import annotations

import ctypes
from typing import Final

from wazero_api import TrapKind
from wazero_jit.link.records import TRAPS, Execution

from .encoding import CALL_M, Mem, jcc_short
from .registers import EXECUTION

_ROUTINE_BYTES: Final = ctypes.sizeof(ctypes.c_uint64)


def trap(kind: TrapKind) -> bytes:
    """Call the trap routine."""
    return CALL_M(32, Mem(EXECUTION, Execution.traps.offset + _ROUTINE_BYTES * TRAPS.index(kind)))


def skip_if(condition: str, code: bytes) -> bytes:
    """`code`, jumped over on a condition."""
    return jcc_short(condition, len(code)) + code


def trap_unless(condition: str, kind: TrapKind) -> bytes:
    """Trap if the flags do not say `condition`."""
    return skip_if(condition, trap(kind))
