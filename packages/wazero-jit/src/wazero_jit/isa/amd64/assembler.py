"""Machine code with labels, for the routines and trampolines that are written by hand."""

from __future__ import annotations

from typing import final

from .encoding import CALL_M, JMP, MOV_OI, RAX, jcc


@final
class Label:
    """A place in the code; bound at most once."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position: int | None = None


@final
class Assembler:
    """Collects instructions: ``a(MOV_RM(64, RAX, RBX), RET(32))``."""

    def __init__(self) -> None:
        self._code = bytearray()
        self._fixups: list[tuple[int, Label]] = []

    def __call__(self, *instructions: bytes) -> None:
        for instruction in instructions:
            self._code += instruction

    @property
    def position(self) -> int:
        """Bytes so far."""
        return len(self._code)

    def bind(self, label: Label) -> None:
        """The label is here."""
        label.position = len(self._code)

    def jump(self, label: Label, condition: str | None = None) -> None:
        """Jump there, always or on a condition."""
        self._code += JMP(32, 0) if condition is None else jcc(condition)
        self._fixups.append((len(self._code), label))

    def call_address(self, address: int) -> None:
        """Call a C function; changes rax."""
        self(MOV_OI(64, RAX, address), CALL_M(32, RAX))

    def finish(self) -> bytes:
        """The code, with jumps filled in."""
        for end, label in self._fixups:
            assert label.position is not None, "a label was never bound"
            self._code[end - 4 : end] = (label.position - end).to_bytes(4, "little", signed=True)
        self._fixups.clear()
        return bytes(self._code)
