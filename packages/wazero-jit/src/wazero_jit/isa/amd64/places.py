"""Operands as instructions take them, and the moves that bring one to where an instruction wants it.

Lowering functions work on a `Place`: a register number (general, or an `Xmm`), a `Mem`, or a `Const`. Nothing here
changes the flags.
"""

from __future__ import annotations

from functools import cache
from typing import Final, final

from wazero_jit.registers.constants import Const, constant
from wazero_jit.registers.operands import FLOAT, SLOT, Operand, slot_offset

from .encoding import (
    MOV_MI,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVAPS,
    MOVD_MR,
    MOVD_RM,
    MOVSD_MR,
    MOVSD_RM,
    MOVSS_RM,
    RAX,
    RSP,
    XORPS,
    Mem,
    Rm,
    fits,
)


@final
class Xmm(int):
    """A floating-point register's number: the type tells it from a general register's."""

    __slots__ = ()


Place = int | Mem | Const
Target = int | Mem
"""Where a result can go."""

XMM14: Final = Xmm(14)
XMM15: Final = Xmm(15)

_MASK32: Final = (1 << 32) - 1


def decode(operand: Operand) -> Place:
    """What an operand id stands for."""
    return constant(operand) if isinstance(operand, bytes) else _register_or_slot(operand)


@cache
def _register_or_slot(operand: int) -> Place:
    if operand >= SLOT:
        return Mem(RSP, slot_offset(operand))
    return Xmm(operand - FLOAT) if operand >= FLOAT else operand


# General values


def load_bits(register: int, bits: int) -> bytes:
    """Put an unsigned 64-bit number into a general register."""
    if bits <= _MASK32:
        return MOV_OI(32, register, bits)
    signed = Const(bits).signed(64)
    return MOV_MI(64, register, signed) if fits(signed, 32) else MOV_OI(64, register, bits)


def load(width: int, register: int, place: Place) -> bytes:
    """Bring a general value into a general register."""
    if isinstance(place, Const):
        return load_bits(register, place.bits)
    return b"" if place == register else MOV_RM(width, register, place)


def in_register(width: int, place: Place, scratch: int) -> tuple[bytes, int]:
    """(code, register): a general value's own register, or `scratch`."""
    if isinstance(place, int):
        return b"", place
    return load(width, scratch, place), scratch


def in_rm(width: int, place: Place, scratch: int) -> tuple[bytes, Rm]:
    """(code, register or memory); a constant goes to `scratch`."""
    if isinstance(place, Const):
        return load(width, scratch, place), scratch
    return b"", place


def work_register(dst: Target) -> int:
    """Where to compute a general result: its own register if it has one, else rax."""
    return dst if isinstance(dst, int) else RAX


def finish(width: int, register: int, dst: Target) -> bytes:
    """Bring a general result, zero-extended if it is an i32, from `register` to its destination."""
    if isinstance(dst, Mem):
        return MOV_MR(64, dst, register)
    return b"" if dst == register else MOV_RM(width, dst, register)


# Floating-point values


def load_float(width: int, xmm: Xmm, place: Place) -> bytes:
    """Bring a floating-point value into a floating-point register; a constant may change rax."""
    if isinstance(place, Const):
        return XORPS(32, xmm, xmm) if place.bits == 0 else load_bits(RAX, place.bits) + MOVD_RM(width, xmm, RAX)
    if isinstance(place, Mem):
        return (MOVSS_RM if width == 32 else MOVSD_RM)(32, xmm, place)
    return b"" if place == xmm else MOVAPS(32, xmm, place)


def in_xmm(width: int, place: Place, scratch: Xmm) -> tuple[bytes, Xmm]:
    """(code, register): a floating-point value's own register, or `scratch`; a constant may change rax."""
    if isinstance(place, Xmm):
        return b"", place
    return load_float(width, scratch, place), scratch


def in_xmm_or_memory(width: int, place: Place, scratch: Xmm) -> tuple[bytes, Rm]:
    """(code, register or memory); a constant goes to `scratch` through rax."""
    if isinstance(place, Const):
        return load_float(width, scratch, place), scratch
    return b"", place


def finish_float(xmm: Xmm, dst: Target) -> bytes:
    """Bring a floating-point result to its destination; 64 bits, so that any later read is of what one store wrote."""
    if isinstance(dst, Mem):
        return MOVSD_MR(32, dst, xmm)
    return b"" if dst == xmm else MOVAPS(32, dst, xmm)


def float_bits(width: int, register: int, place: Place) -> bytes:
    """Bring a floating-point value's bits, zero-extended, into a general register."""
    if isinstance(place, Xmm):
        return MOVD_MR(width, register, place)
    return load(width, register, place)
