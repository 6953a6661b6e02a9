"""A progress bar, for people: where nobody looks, nothing is printed."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Final, TextIO, final

_REDRAW_S: Final = 0.05
"""Seconds between two drawings: eyes are no faster, and terminals take time."""

_BAR: Final = 30
"""Width in columns."""


@final
class Progress:
    """Shows how much is done, in one line that is gone afterwards. Use it in a ``with`` statement."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_visible = stream is not None and stream.isatty()
        self._drawn_at = time.monotonic()  # so that what is quick shows nothing
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw("")

    def show(self, done: int, total: int) -> None:
        """To be called as often as there is progress."""
        now = time.monotonic()
        if now >= self._drawn_at + _REDRAW_S:
            self._drawn_at = now
            filled = "#" * (_BAR * done // total)
            self._draw(f"[{filled:.<{_BAR}}] {100 * done // total:3}%  {done}/{total} functions")

    def _draw(self, line: str) -> None:
        """In the place of the line before, in as many columns as there are."""
        if self._stream is None or not (line or self._width):
            return
        try:
            line = line[: os.get_terminal_size(self._stream.fileno()).columns - 1]
            self._stream.write(f"\r{line:{self._width}}{'' if line else chr(13)}")
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone, or does not say how wide it is
            self.is_visible = False
        self._width = len(line)
