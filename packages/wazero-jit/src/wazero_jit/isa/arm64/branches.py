"""Filling in the targets of branches."""

from __future__ import annotations

from typing import Final

from wazero_api import UnsupportedError

from .encoding import B_COND, CBNZ, CBZ, B, Number

_BRANCHES: Final = (B, B_COND, CBZ, CBNZ)


def _fields() -> dict[int, Number]:
    """The field of the distance, by the word's highest byte, which tells what branch it is."""
    fields = {}
    for row in _BRANCHES:
        field = row.format.fields[-1]
        assert isinstance(field, Number)
        fields.update(
            {byte: field for byte in range(256) if not (byte << 24 ^ row.bits) & ~row.format.mask & 0xFF << 24}
        )
    return fields


_FIELDS: Final = _fields()


def patch_branch(code: bytearray, end: int, target: int) -> None:
    """See `isa.interface.Isa`. Raises UnsupportedError if the target is too far away."""
    start = end - 4
    word = int.from_bytes(code[start:end], "little")
    field = _FIELDS[word >> 24]
    distance = target - start
    if not field.fits(distance):
        reach = (1 << field.bits - 1) * field.unit
        raise UnsupportedError(
            f"a branch over {distance} bytes: on arm64 this one reaches {reach}, the function is too large"
        )
    code[start:end] = (word & ~field.mask | field.pack(distance)).to_bytes(4, "little")
