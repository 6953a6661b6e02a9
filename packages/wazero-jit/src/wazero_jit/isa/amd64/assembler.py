"""Machine code with labels, for the routines and trampolines that are written by hand."""

from __future__ import annotations

from typing import final

from wazero_jit.isa.labels import Label, LabelledCode

from .encoding import CALL_M, JMP, MOV_OI, RAX, jcc, signed

__all__ = ["Assembler", "Label"]


def patch_branch(code: bytearray, end: int, target: int) -> None:
    """See `isa.interface.Isa`."""
    code[end - 4 : end] = signed(target - end, 32)


@final
class Assembler(LabelledCode):
    """Collects instructions: ``a(MOV_RM(64, RAX, RBX), RET(32))``."""

    def __init__(self) -> None:
        super().__init__(patch_branch)

    def jump(self, label: Label, condition: str | None = None) -> None:
        """Jump there, always or on a condition."""
        self.branch(JMP(32, 0) if condition is None else jcc(condition), label)

    def call_address(self, address: int) -> None:
        """Call a C function; changes rax."""
        self(MOV_OI(64, RAX, address), CALL_M(32, RAX))
