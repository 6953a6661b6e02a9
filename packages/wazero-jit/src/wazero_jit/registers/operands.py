"""Operand ids: how translation names where a value is, on every ISA.

=================  ===============================================================
0 to 31            a general register
32 to 63           a floating-point register, `FLOAT` + its number
from 64            a frame slot of 8 bytes, `SLOT` + its number from the stack pointer
a bytes object     a constant: its instruction, such as ``i32.const 5``, as a token
=================  ===============================================================

A register or slot that holds an i32 has zeros in the upper 32 bits; one with an f32 has it in the lower 32 bits.
"""

from __future__ import annotations

from typing import Final

FLOAT: Final = 32
SLOT: Final = 64
SLOT_BYTES: Final = 8

Operand = int | bytes


def slot_offset(operand: int) -> int:
    """Bytes from the stack pointer to a slot."""
    return (operand - SLOT) * SLOT_BYTES


def is_general(operand: Operand) -> bool:
    """Whether it is a general register."""
    return isinstance(operand, int) and operand < FLOAT


def is_float(operand: Operand) -> bool:
    """Whether it is a floating-point register."""
    return isinstance(operand, int) and FLOAT <= operand < SLOT


def is_slot(operand: Operand) -> bool:
    """Whether it is in the frame."""
    return isinstance(operand, int) and operand >= SLOT
