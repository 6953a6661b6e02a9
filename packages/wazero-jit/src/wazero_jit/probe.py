"""Whether machine code can run here."""

from __future__ import annotations

import ctypes
from functools import cache

from wazero_api import Limits, MemoryType

from .isa.native import native_isa
from .link.stack import stack_limit
from .link.threads import refuse_subinterpreter
from .memory.executable import ExecutableSpace
from .memory.executable import probe as probe_executable_memory
from .memory.linear import NativeMemory


@cache
def probe() -> str | None:
    """None, or one sentence that says why not."""
    return refuse_subinterpreter() or probe_executable_memory() or _probe_processor() or _probe_stack()


def _probe_processor() -> str | None:
    space = ExecutableSpace(1 << 20, 1 << 16)

    def run(code: bytes) -> int:
        block = space.allocate(len(code))
        block.write(0, code)
        return int(ctypes.CFUNCTYPE(ctypes.c_uint32)(block.address)())

    missing = native_isa().missing_feature(run)
    return None if missing is None else f"the processor lacks {missing}"


def _probe_stack() -> str | None:
    try:
        stack_limit()
    except OSError as error:
        return f"the system does not tell where a thread's stack ends: {error.strerror}"
    return None


@cache
def can_guard() -> bool:
    """Whether there is address space for memories that need no checks."""
    try:
        NativeMemory(MemoryType(Limits(0, 0)), 0, guarded=True).close()
    except MemoryError:
        return False
    return True
