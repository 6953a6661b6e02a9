"""Pieces of machine code that call C, for entries, host calls and routines.

All expect the stack pointer to be a multiple of 16, and change what C functions may change.
"""

from __future__ import annotations

from ctypes import sizeof
from typing import Any, Final

from wazero_jit.link.python_api import API, ARGUMENTS_OFFSET
from wazero_jit.link.records import CELL_SHIFT, CELLS, Execution, ExecutionCell

from .assembler import Assembler, Label
from .encoding import (
    ADD_RM,
    AND_MI,
    CMP_MI8,
    CMP_RM,
    JMP_M,
    LEA,
    MOV_MI,
    MOV_OI,
    MOV_RM,
    RAX,
    RCX,
    RDI,
    RDX,
    RSI,
    RSP,
    SHL_MI8,
    SHR_MI8,
    XOR_RM,
    Mem,
)
from .registers import EXECUTION

WORD: Final = 8


def field(register: int, descriptor: Any) -> Mem:
    """The field of a structure that the register points to: ``field(EXECUTION, Execution.depth)``."""
    return Mem(register, descriptor.offset)


def jump_address(a: Assembler, address: int) -> None:
    """Go on at an address; changes rax."""
    a(MOV_OI(64, RAX, address), JMP_M(32, RAX))


def acquire_gil(a: Assembler) -> None:
    """Take the GIL if late release gave it away."""
    held = Label()
    a(CMP_MI8(64, field(EXECUTION, Execution.thread_state), 0))
    a.jump(held, "e")
    a(MOV_RM(64, RDI, field(EXECUTION, Execution.thread_state)))
    a.call_address(API.PyEval_RestoreThread)
    a(MOV_MI(64, field(EXECUTION, Execution.thread_state), 0))
    a.bind(held)


def call_python(a: Assembler, count: int, first: int = WORD, target: object = None) -> None:
    """Call a Python callable with `count` arguments, which are at ``[rsp + first]``; rax is the result or 0.

    The word before the first argument is overwritten. `target` None: rdi holds it.
    """
    if target is not None:
        a(MOV_OI(64, RDI, id(target)))
    a(LEA(64, RSI, Mem(RSP, first)), MOV_OI(64, RDX, count | ARGUMENTS_OFFSET), XOR_RM(32, RCX, RCX))
    a.call_address(API.PyObject_Vectorcall)


def release(a: Assembler, place: Mem) -> None:
    """Drop the reference that is in a word; 0 is none."""
    a(MOV_RM(64, RDI, place))
    a.call_address(API.Py_DecRef)


def find_cell(a: Assembler, cells: int) -> None:
    """Let rcx be the address of the `ExecutionCell` for this thread, and the flags say whether it is filled ("e")."""
    a.call_address(API.PyThreadState_Get)
    scale = sizeof(ExecutionCell).bit_length() - 1
    a(MOV_RM(64, RCX, RAX), SHR_MI8(64, RCX, CELL_SHIFT), AND_MI(32, RCX, CELLS - 1), SHL_MI8(32, RCX, scale))
    a(MOV_OI(64, RDX, cells), ADD_RM(64, RCX, RDX))
    a(CMP_RM(64, RAX, field(RCX, ExecutionCell.thread_state)))
