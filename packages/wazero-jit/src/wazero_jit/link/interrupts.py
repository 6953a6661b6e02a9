"""Stopping wasm code that runs: deadlines, and whatever else has to be done at a poll."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, final

from wazero_api import DeadlineExceededError

from .records import Execution
from .threads import Executions

_ALL_ONES: Final = (1 << 64) - 1
_NANOSECONDS: Final = 1_000_000_000
_FOREVER_SECONDS: Final = 1e9
"""Far less than what overflows 64 bits of nanoseconds."""


Check = Callable[[int, int, int], object]
"""Called with (pc, sp, context) as `Callbacks.raise_trap` is, on the thread that runs wasm code there; may raise."""


def interrupt(execution: Execution) -> None:
    """Let `Interrupts.attend` be called soon on its thread, if that is in wasm code, or when it comes back to it."""
    execution.attention = 1
    execution.limit = _ALL_ONES


@final
class Interrupts:
    """One per process."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self.checks: list[Check] = []
        """What threads do that are asked to attend: one raises for a module that is closed."""

    def attend(self, pc: int, sp: int, context: int) -> None:
        """A `Check`, called by the poll routine. Raises what one of `checks` raises, or DeadlineExceededError."""
        execution = self._executions.current()
        execution.attention = 0  # first, so that what comes from now on is seen at the next poll
        for check in self.checks:
            check(pc, sp, context)
        if 0 < execution.deadline <= time.monotonic_ns():
            raise DeadlineExceededError("the call ran past its timeout")

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """See `wazero_api.Engine.deadline`. Inside another, the earlier one counts."""
        execution = self._executions.current()
        before = execution.deadline
        end = time.monotonic_ns() + int(min(max(seconds, 0), _FOREVER_SECONDS) * _NANOSECONDS)
        try:
            execution.deadline = min(before, end) if before else end
            if seconds <= 0:
                execution.limit = _ALL_ONES
            yield
        finally:
            execution.deadline = before

    def remaining(self) -> float | None:
        """See `wazero_api.Engine.remaining`."""
        deadline = self._executions.current().deadline
        return (deadline - time.monotonic_ns()) / _NANOSECONDS if deadline else None

    def interrupt_all(self) -> None:
        """Let `attend` be called soon on every thread that is in wasm code, or comes back to it."""
        for execution in self._executions.active():
            interrupt(execution)

    def is_entering(self) -> bool:
        """Whether no wasm code runs, given that the caller is asked by an entry that is about to call some."""
        return [execution.depth for execution in self._executions.active()] == [1]

    def is_idle(self) -> bool:
        """Whether no thread is in wasm code, nor in host code that it called."""
        return next(self._executions.active(), None) is None
