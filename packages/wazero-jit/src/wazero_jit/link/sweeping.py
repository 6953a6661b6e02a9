"""Letting go of Python objects that wasm code no longer refers to.

Machine code does not count references. What it was given stays alive until a sweep, and a sweep can only be made while
no wasm code runs, whose frames nobody searches for references: when an entry is given an external reference and no
other is active.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from .conversions import ReferenceKeeper
from .weak import WeakRegistry

_FIRST_SWEEP: Final = 1024
"""New objects from which on a sweep is worth its while; or as many as the last one has found in tables and globals, since
looking through these is what it costs.
"""


@final
class Sweeper:
    """One per process."""

    def __init__(self, keeper: ReferenceKeeper, is_entering: Callable[[], bool]) -> None:
        self._keeper = keeper
        self._is_entering = is_entering
        self._holders: WeakRegistry[Any] = WeakRegistry()
        """Tables and globals, by anything that tells them apart."""
        keeper.ask_after(_FIRST_SWEEP, self._sweep)

    def add_holder(self, holder: Any) -> None:
        """A table or global of references."""
        self._holders[id(holder)] = holder

    def _sweep(self) -> None:
        if not self._is_entering():
            return
        live: set[int] = set()
        for holder in self._holders.values():
            live.update(holder.references(self._keeper))
        self._keeper.sweep(live)
        self._keeper.ask_after(max(_FIRST_SWEEP, len(live)), self._sweep)
