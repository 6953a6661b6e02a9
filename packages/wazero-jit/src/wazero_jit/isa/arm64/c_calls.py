"""Pieces of machine code that call C, for entries and routines. All change what C functions may change."""

from __future__ import annotations

from ctypes import sizeof
from typing import Any, Final

from wazero_jit.link.python_api import API, ARGUMENTS_OFFSET
from wazero_jit.link.records import CELL_SHIFT, CELLS, Execution, ExecutionCell

from .assembler import Assembler, Label
from .encoding import (
    ADD,
    ADD_IMM,
    CBZ,
    MOVZ,
    SP,
    SUBS,
    UBFM,
    X0,
    X1,
    X2,
    X3,
    X16,
    X17,
    ZR,
    load_bits,
)
from .places import Mem, load, store
from .registers import EXECUTION

WORD: Final = 8


def field(register: int, descriptor: Any) -> Mem:
    """The field of a structure that the register points to: ``field(EXECUTION, Execution.depth)``."""
    return Mem(register, descriptor.offset)


def acquire_gil(a: Assembler) -> None:
    """Take the GIL if late release gave it away."""
    held = Label()
    a(load(X0, field(EXECUTION, Execution.thread_state)))
    a.branch(CBZ(64, X0, 0), held)
    a.call_address(API.PyEval_RestoreThread)
    a(store(field(EXECUTION, Execution.thread_state), ZR))
    a.bind(held)


def call_python(a: Assembler, count: int, target: object, first: int = WORD) -> None:
    """Call a Python callable with `count` arguments, which are at ``[sp + first]``; x0 is the result or 0.

    The word before the first argument is overwritten.
    """
    a(load_bits(X0, id(target)), ADD_IMM(64, X1, SP, first, 0))
    a(load_bits(X2, count | ARGUMENTS_OFFSET), MOVZ(64, X3, 0, 0))
    a.call_address(API.PyObject_Vectorcall)


def release(a: Assembler, place: Mem) -> None:
    """Drop the reference that is in a word; 0 is none."""
    a(load(X0, place))
    a.call_address(API.Py_DecRef)


def find_cell(a: Assembler, cells: int) -> None:
    """Let x16 be the address of the `ExecutionCell` for this thread, and the flags say whether it is filled ("eq")."""
    a.call_address(API.PyThreadState_Get)
    scale = sizeof(ExecutionCell).bit_length() - 1
    a(UBFM(64, X17, X0, CELL_SHIFT, CELL_SHIFT + CELLS.bit_length() - 2), UBFM(64, X17, X17, -scale % 64, 63 - scale))
    a(load_bits(X16, cells), ADD(64, X16, X16, X17), load(X17, field(X16, ExecutionCell.thread_state)))
    a(SUBS(64, ZR, X0, X17))
