"""Around every call from Python into wasm: how deep calls nest, and interrupts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, final
from weakref import WeakSet

from wazero_api import DeadlineExceededError, ExhaustionError, ExitError

CALL_DEPTH: Final = 5_000
"""Python frames that wasm may stack up. CPython keeps them on its heap; the bound is for the C stack of what host
functions call, where CPython 3.11 counts both together."""

_MAX_ENTRIES: Final = 150
"""Calls host → wasm → host … inside one another; each may use some kilobytes of C stack."""


class _Depth(threading.local):
    entries = 0


@final
class CallGuard:
    """One per engine. `enter` and `leave` surround a call."""

    def __init__(self) -> None:
        self._depth = _Depth()
        self._lock = threading.Lock()
        self._active = 0
        self._limit_before = 0
        self._instances: WeakSet[Any] = WeakSet()
        self._expired: set[int] = set()
        """Threads whose deadline is over."""

    # Depth

    def enter(self, function: Any) -> None:
        """Raises ExitError if the function's module is closed, ExhaustionError if calls nest too deep."""
        instance = function.instance
        if instance is not None and instance.exit_code is not None:
            raise ExitError(instance.exit_code, instance.name)
        depth = self._depth
        if depth.entries >= _MAX_ENTRIES:
            raise ExhaustionError((), f"(more than {_MAX_ENTRIES} calls between host and guest inside one another)")
        if not depth.entries:
            self._raise_limit()
        depth.entries += 1

    def leave(self) -> None:
        """Undo `enter`."""
        self._depth.entries -= 1
        if not self._depth.entries:
            self._restore_limit()

    def _raise_limit(self) -> None:
        with self._lock:
            self._active += 1
            if self._active == 1:
                self._limit_before = sys.getrecursionlimit()
                if self._limit_before < CALL_DEPTH:
                    sys.setrecursionlimit(CALL_DEPTH)

    def _restore_limit(self) -> None:
        with self._lock:
            self._active -= 1
            if not self._active and self._limit_before < CALL_DEPTH == sys.getrecursionlimit():
                sys.setrecursionlimit(self._limit_before)

    # Interrupts: generated code looks at its global ``stop`` and calls ``poll``

    def watch(self, instance: Any) -> None:
        """From now on `instance` (a `PortableInstance`) hears of interrupts."""
        self._instances.add(instance)
        if self._expired:
            instance.namespace["stop"] = True

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Calls of this thread inside the block end with DeadlineExceededError once the time is up."""
        thread = threading.get_ident()
        timer = threading.Timer(seconds, self._expire, (thread,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._expired.discard(thread)
                self._lower_flags()

    def _expire(self, thread: int) -> None:
        with self._lock:
            self._expired.add(thread)
            for instance in self._instances:
                instance.namespace["stop"] = True

    def _lower_flags(self) -> None:
        if not self._expired:
            for instance in self._instances:
                instance.namespace["stop"] = instance.exit_code is not None

    def poll(self, instance: Any) -> None:
        """Called by generated code of `instance` while its ``stop`` is set; returns if others were meant."""
        if instance.exit_code is not None:
            raise ExitError(instance.exit_code, instance.name)
        if threading.get_ident() in self._expired:
            raise DeadlineExceededError("the call ran past its timeout")
