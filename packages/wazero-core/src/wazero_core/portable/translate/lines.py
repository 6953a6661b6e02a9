"""Lines of Python under construction, each with its depth and the wasm instruction it stems from."""

from __future__ import annotations

from typing import final


@final
class Lines:
    """Append-only, but for the last line. `depth` counts levels of indentation, one space each."""

    __slots__ = ("_positions", "_texts", "depth", "position")

    def __init__(self) -> None:
        self.depth = 1
        self.position = 0
        """Of the instruction being translated, counted from the body's start."""
        self._texts: list[str] = []
        self._positions: list[int] = []

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._texts)

    def add(self, text: str, position: int | None = None) -> None:
        """A line at the present depth, of the present instruction unless another is given: that which may trap."""
        self._texts.append(" " * self.depth + text)
        self._positions.append(self.position if position is None else position)

    def drop_last(self) -> None:
        """Take the last line back. What is put in its place stems from the same instruction."""
        self._texts.pop()
        self.position = self._positions.pop()

    def take(self) -> tuple[list[str], list[int]]:
        """All lines and their positions; starts anew."""
        taken = self._texts, self._positions
        self._texts, self._positions = [], []
        return taken

    def extend(self, texts: list[str], positions: list[int], deeper: int = 0) -> None:
        """Append lines that were taken, indented further by `deeper` levels."""
        self._texts.extend([" " * deeper + text for text in texts] if deeper else texts)
        self._positions.extend(positions)
