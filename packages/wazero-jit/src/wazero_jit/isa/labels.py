"""Machine code with labels, for routines and trampolines that are written by hand; what an ISA's assembler builds on."""

from __future__ import annotations

from collections.abc import Callable
from typing import final


@final
class Label:
    """A place in the code; bound at most once."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position: int | None = None


class LabelledCode:
    """Collects instructions: ``a(LDR(X0, SP, 8), RET(X30))``. `patch` is as `isa.interface.Isa.patch_branch`."""

    def __init__(self, patch: Callable[[bytearray, int, int], None]) -> None:
        self._patch = patch
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

    def branch(self, piece: bytes, label: Label) -> None:
        """Append a branch piece that goes there."""
        self._code += piece
        self._fixups.append((len(self._code), label))

    def finish(self) -> bytes:
        """The code, with branches filled in."""
        for end, label in self._fixups:
            assert label.position is not None, "a label was never bound"
            self._patch(self._code, end, label.position)
        self._fixups.clear()
        return bytes(self._code)
