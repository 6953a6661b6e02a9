"""Constants as operands."""

from __future__ import annotations

import pytest

from wazero_jit.registers.constants import Const, constant


@pytest.mark.parametrize(
    ("token", "bits"),
    [
        (b"\x41\x05", 5),
        (b"\x41\x7f", 0xFFFF_FFFF),
        (b"\x41\x80\x80\x80\x80\x78", 0x8000_0000),
        (b"\x41\xff\xff\xff\xff\x07", 0x7FFF_FFFF),
        (b"\x41\x85\x80\x00", 5),
        (b"\x42\x7f", 0xFFFF_FFFF_FFFF_FFFF),
        (b"\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 1 << 63),
        (b"\x43\x00\x00\x80\x3f", 0x3F80_0000),
        (b"\x44" + bytes(7) + b"\x80", 1 << 63),
        (b"\xd0\x70", 0),
        (b"\xd0\x6f", 0),
    ],
)
def test_bits_of_tokens(token: bytes, bits: int) -> None:
    assert constant(token) == Const(bits)


@pytest.mark.parametrize(
    ("bits", "width", "number"),
    [(5, 32, 5), (0xFFFF_FFFF, 32, -1), (0xFFFF_FFFF, 64, 0xFFFF_FFFF), (1 << 63, 64, -(1 << 63))],
)
def test_signed_numbers(bits: int, width: int, number: int) -> None:
    assert Const(bits).signed(width) == number
