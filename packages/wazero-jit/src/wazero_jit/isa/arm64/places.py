"""Operands as instructions take them, and the moves that bring one to where an instruction wants it.

Lowering functions work on a `Place`: a general register's number, a `Mem`, or a `Const`. All moves are of 64 bits: the
upper half of an i32 is 0. Nothing here changes the flags.
"""

from __future__ import annotations

from typing import NamedTuple, final

from wazero_api import UnsupportedError
from wazero_jit.registers.constants import Const, constant
from wazero_jit.registers.operands import FLOAT, SLOT, Operand, slot_offset

from .encoding import LDR, LDR_REG, OFFSET_64, ORR, SP, STR, STR_REG, X15, X16, ZR, load_bits


@final
class Mem(NamedTuple):
    """A word of 8 bytes in memory; the offset is a multiple of 8 and not negative."""

    base: int
    offset: int = 0

    @property
    def is_near(self) -> bool:
        """Whether one instruction reaches it."""
        return OFFSET_64.fits(self.offset)


Place = int | Mem | Const
Target = int | Mem
"""Where a result can go."""


def decode(operand: Operand) -> Place:
    """What an operand id stands for. Raises UnsupportedError for floating-point registers."""
    if isinstance(operand, bytes):
        return constant(operand)
    if operand >= SLOT:
        return Mem(SP, slot_offset(operand))
    if operand >= FLOAT:
        raise UnsupportedError("the arm64 engine cannot move floating-point values yet")
    return operand


def load(register: int, place: Place) -> bytes:
    """Bring a value into a register. A far word's base is another register."""
    if isinstance(place, Const):
        return load_bits(register, place.bits)
    if isinstance(place, int):
        return b"" if place == register else ORR(64, register, ZR, place)
    if place.is_near:
        return LDR(register, *place)
    return load_bits(register, place.offset) + LDR_REG(register, place.base, register)


def store(place: Mem, register: int) -> bytes:
    """The other way round. For a far word, x15 changes."""
    if place.is_near:
        return STR(register, *place)
    return load_bits(X15, place.offset) + STR_REG(register, place.base, X15)


def in_register(place: Place, scratch: int) -> tuple[bytes, int]:
    """(code, register): a value's own register, or `scratch`."""
    if isinstance(place, int):
        return b"", place
    return load(scratch, place), scratch


def work_register(dst: Target) -> int:
    """Where to compute a result: its own register if it has one, else x16."""
    return dst if isinstance(dst, int) else X16


def finish(register: int, dst: Target) -> bytes:
    """Bring a result from its `work_register` to its destination."""
    return store(dst, register) if isinstance(dst, Mem) else b""
