"""Machine code with labels, for the routines and trampolines that are written by hand."""

from __future__ import annotations

from typing import final

from wazero_jit.isa.labels import Label, LabelledCode

from .branches import patch_branch
from .encoding import B_COND, BLR, BR, X16, B, load_bits

__all__ = ["Assembler", "Label"]


@final
class Assembler(LabelledCode):
    """Collects instructions: ``a(LDR(X0, SP, 8), RET(X30))``."""

    def __init__(self) -> None:
        super().__init__(patch_branch)

    def jump(self, label: Label, condition: str | None = None) -> None:
        """Jump there, always or on a condition."""
        self.branch(B(0) if condition is None else B_COND(condition, 0), label)

    def call_address(self, address: int) -> None:
        """Call a C function; changes x16 and x30."""
        self(load_bits(X16, address), BLR(X16))

    def jump_address(self, address: int) -> None:
        """Go on at an address; changes x16."""
        self(load_bits(X16, address), BR(X16))
