"""Moves, references, globals and tables."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

from wazero_api import TrapKind
from wazero_jit.link.records import TableRecord
from wazero_jit.registers.constants import Const

from .encoding import (
    CMP_MI,
    CMP_MI8,
    CMP_RM,
    LEA,
    MOV_MI,
    MOV_MR,
    MOV_RM,
    MOVD_MR,
    MOVD_RM,
    MOVSD_MR,
    RAX,
    RCX,
    RDX,
    Mem,
    fits,
)
from .places import Place, Target, Xmm, finish, in_register, load, load_float, work_register
from .registers import CONTEXT
from .traps import trap_unless

_ELEMENT_BYTES: Final = ctypes.sizeof(ctypes.c_uint64)


def move(source: Place, dst: Target, scratch: int = RAX) -> bytes:
    """A copy of all 64 bits between any two places. Keeps the flags; may change `scratch`, and for a constant rax."""
    if isinstance(dst, Xmm):
        if isinstance(source, int) and not isinstance(source, Xmm):
            return MOVD_RM(64, dst, source)
        width = 32 if isinstance(source, Const) and source.bits < 1 << 32 else 64
        return load_float(width, dst, source)
    if isinstance(source, Xmm):
        return MOVSD_MR(32, dst, source) if isinstance(dst, Mem) else MOVD_MR(64, dst, source)
    if isinstance(dst, int):
        return load(64, dst, source)
    if source == dst:
        return b""
    if isinstance(source, Const) and fits(source.signed(64), 32):
        return MOV_MI(64, dst, source.signed(64))
    code, register = in_register(64, source, scratch)
    return code + MOV_MR(64, dst, register)


# References


def ref_func(kind: str, offset: int) -> Callable[[Target], bytes]:
    """The address of a function record: of an "own" one in the context, or of one whose address is there ("import")."""
    row = {"own": LEA, "import": MOV_RM}[kind]

    def lower(dst: Target) -> bytes:
        register = work_register(dst)
        return row(64, register, Mem(CONTEXT, offset)) + finish(64, register, dst)

    return lower


# Records whose addresses are in the context


def read_field(word: int, field: int, dst: Target) -> bytes:
    """Of the record whose address is in a context word."""
    register = work_register(dst)
    code = MOV_RM(64, RAX, Mem(CONTEXT, word)) + MOV_RM(64, register, Mem(RAX, field))
    return code + finish(64, register, dst)


def table_size(word: int) -> Callable[[Target], bytes]:
    """``table.size``, in elements."""
    return lambda dst: read_field(word, TableRecord.length.offset, dst)


def global_get(word: int) -> Callable[[Target], bytes]:
    """``global.get``, from the cell of 8 bytes whose address is in a context word."""
    return lambda dst: MOV_RM(64, RAX, Mem(CONTEXT, word)) + move(Mem(RAX), dst)


def global_set(word: int) -> Callable[[Place], bytes]:
    """``global.set``, to such a cell."""
    return lambda value: MOV_RM(64, RCX, Mem(CONTEXT, word)) + move(value, Mem(RCX))


def table_get(word: int) -> Callable[[Place, Target], bytes]:
    """``table.get``, of the table whose record's address is in a context word."""

    def lower(index: Place, dst: Target) -> bytes:
        code, element = _element(word, index)
        return code + move(element, dst)

    return lower


def table_set(word: int) -> Callable[[Place, Place], bytes]:
    """``table.set``."""

    def lower(index: Place, value: Place) -> bytes:
        code, element = _element(word, index)
        return code + move(value, element)

    return lower


def _element(word: int, index: Place) -> tuple[bytes, Mem]:
    """Check the bounds; the element's address is in rcx and perhaps rdx or the index's register."""
    code = MOV_RM(64, RCX, Mem(CONTEXT, word))
    length = Mem(RCX, TableRecord.length.offset)
    if isinstance(index, Const) and fits(index.bits * _ELEMENT_BYTES, 32):
        compare = CMP_MI8 if fits(index.bits, 8) else CMP_MI
        code += compare(64, length, index.bits) + trap_unless("a", TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)
        element = Mem(RCX, index.bits * _ELEMENT_BYTES)
    else:
        prepare, register = in_register(32, index, RDX)
        code += prepare + CMP_RM(64, register, length) + trap_unless("b", TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS)
        element = Mem(RCX, 0, register, _ELEMENT_BYTES)
    return code + MOV_RM(64, RCX, Mem(RCX, TableRecord.base.offset)), element
