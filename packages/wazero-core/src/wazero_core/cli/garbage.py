"""The garbage collector of a process that is all ours.

What starting and decoding make stays to the end. Looking at these many objects again and again while they become more,
and a last time when Python ends, takes a tenth of a short run.
"""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS: Final = 50_000
"""After so many more objects the young ones are looked at; Python's 700 suit programs that make less that stays than compiling
functions does. A few megabytes."""

_is_paused = False


def pause_collection() -> None:
    """Until `resume_collection`."""
    global _is_paused  # noqa: PLW0603 - there is one collector
    if gc.isenabled():
        _is_paused = True
        gc.disable()


def resume_collection() -> None:
    """Collect again, if that was paused, but never what is there now."""
    global _is_paused  # noqa: PLW0603
    if _is_paused:
        _is_paused = False
        gc.freeze()
        gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
        gc.enable()


def end_collection() -> None:
    """The process ends, and the system takes everything."""
    gc.disable()
    gc.freeze()
