"""Where the threads are that run wasm: each can only tell itself, so each is asked to at its next poll."""

from __future__ import annotations

import ctypes
import threading
from typing import Final, final

from wazero_api import StackTaker

from .frames import StackWalker
from .interrupts import interrupt
from .threads import Executions

_MAX_FRAMES: Final = 256
"""Of a stack that recursion made deep, so many of the innermost are told."""


@final
class StackRequests:
    """One per process, made when first needed: `answer` is one of `Interrupts.checks`."""

    def __init__(self, executions: Executions, walker: StackWalker) -> None:
        self._executions = executions
        self._walker = walker
        self._pending: dict[int, dict[StackTaker, None]] = {}
        """By the address of the `Execution`, in order."""

    def add(self, take: StackTaker, *, only_caller: bool) -> None:
        """See `wazero_api.Engine.take_stacks`."""
        asked = [self._executions.current()] if only_caller else list(self._executions.active())
        for execution in asked:
            if execution.depth:
                # First, so that a thread which attends at once finds it.
                self._pending.setdefault(ctypes.addressof(execution), {})[take] = None
                interrupt(execution)

    def answer(self, pc: int, sp: int, context: int) -> None:
        """A `Check`."""
        pending = self._pending.pop(ctypes.addressof(self._executions.current()), None)
        if pending:
            frames = self._walker.functions(pc, sp, context, _MAX_FRAMES)
            for take in list(pending):
                take(threading.get_ident(), frames, False)
