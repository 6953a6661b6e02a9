"""Letting go of Python objects that wasm code no longer refers to.

Machine code does not count references. What it was given stays alive until a sweep, and a sweep can only be made while
no wasm code runs, whose frames nobody searches for references: when an entry is given an external reference and no
other is active.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final
from weakref import WeakSet

from .conversions import ReferenceKeeper

_FIRST_SWEEP: Final = 1024
"""Kept objects from which on a sweep is worth its while; later, twice what the last one left."""


@final
class Sweeper:
    """One per process."""

    def __init__(self, keeper: ReferenceKeeper, is_entering: Callable[[], bool]) -> None:
        self._keeper = keeper
        self._is_entering = is_entering
        self.holders: WeakSet[Any] = WeakSet()
        """Tables and globals of references."""
        keeper.ask_after(_FIRST_SWEEP, self._sweep)

    def _sweep(self) -> None:
        if not self._is_entering():
            return
        live: set[int] = set()
        for holder in list(self.holders):
            live.update(holder.references())
        self._keeper.sweep(live)
        self._keeper.ask_after(max(_FIRST_SWEEP, len(self._keeper)), self._sweep)
