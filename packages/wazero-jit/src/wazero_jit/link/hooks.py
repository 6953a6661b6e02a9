"""Forks and the end of the process: the child of a fork has one thread, and no ticker."""

from __future__ import annotations

import atexit
import os
from typing import final

from .threads import Executions
from .ticker import Ticker


@final
class ProcessHooks:
    """Registers the hooks, which stay for ever."""

    def __init__(self, executions: Executions, ticker: Ticker) -> None:
        self._executions = executions
        self._ticker = ticker
        atexit.register(ticker.stop)
        # Stopped before a fork, the ticker does not count as a thread that the child would lack, of which CPython warns.
        os.register_at_fork(
            before=ticker.stop, after_in_parent=self._wake_if_needed, after_in_child=self._after_in_child
        )

    def _after_in_child(self) -> None:
        self._ticker.forget()
        self._executions.keep_only_current()
        self._wake_if_needed()

    def _wake_if_needed(self) -> None:
        """Entries wake the ticker, but wasm code may be running already: this thread's, if a host function forks."""
        if any(self._executions.active()):
            self._ticker.wake()
