"""Where the threads are that run wasm, seen from any of them: Python shows the frames of all."""

from __future__ import annotations

import sys
from threading import get_ident
from types import FrameType
from typing import Final

from wazero_api import Frame, StackTaker

from .faults import INTERNAL_MARK

_MAX_FRAMES: Final = 256
"""Of a stack that recursion made deep, so many of the innermost are told."""


def take_stacks(take: StackTaker, *, only_caller: bool) -> None:
    """See `wazero_api.Engine.take_stacks`. Engines of this kind are not told apart."""
    # Both are documented, for this very purpose.
    stacks = {get_ident(): sys._getframe()} if only_caller else sys._current_frames()
    for thread, frame in stacks.items():
        frames, is_in_host = _wasm_frames(frame)
        if frames:
            take(thread, frames, is_in_host)


def _wasm_frames(frame: FrameType | None) -> tuple[tuple[Frame, ...], bool]:
    """The wasm frames from `frame` outwards, and whether frames of the host lie below the innermost."""
    found: list[Frame] = []
    is_in_host = False
    while frame is not None and len(found) < _MAX_FRAMES:
        instance = frame.f_globals.get("__instance__")
        if instance is not None:
            found.append(instance.frame(frame.f_code.co_name, frame.f_lineno))
        elif not found and INTERNAL_MARK not in frame.f_globals:
            is_in_host = True
        frame = frame.f_back
    return tuple(found), is_in_host
