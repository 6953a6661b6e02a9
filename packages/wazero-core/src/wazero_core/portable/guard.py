"""Around every call from Python into wasm: how deep calls nest, and interrupts."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
class _Deadline:
    __slots__ = ("end", "is_over", "thread")

    def __init__(self, thread: int, end: float) -> None:
        self.thread = thread
        self.end = end
        """By the monotonic clock, in seconds."""
        self.is_over = False


@final
class CallGuard:
    """One per engine. `enter` and `leave` surround a call."""

    def __init__(self) -> None:
        self._depth = _Depth()
        self._lock = threading.Lock()
        self._active = 0
        self._limit_before = 0
        self._instances: WeakSet[Any] = WeakSet()
        self._deadlines: set[_Deadline] = set()
        """Of calls that are running."""

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
                with suppress(RecursionError):  # another thread may have recursed deeper by itself in the meantime
                    sys.setrecursionlimit(self._limit_before)

    @property
    def is_idle(self) -> bool:
        """Whether no call of any thread is under way."""
        return not self._active

    # Interrupts: generated code looks at its global ``stop`` and calls ``poll``

    def watch(self, instance: Any) -> None:
        """From now on `instance` (a `PortableInstance`) hears of interrupts."""
        with self._lock:
            self._instances.add(instance)
            if any(deadline.is_over for deadline in self._deadlines):
                instance.namespace["stop"] = True

    def close(self, instance: Any, exit_code: int) -> None:
        """Set the instance's exit code, and let its code see that."""
        with self._lock:
            instance.exit_code = exit_code
            instance.namespace["stop"] = True

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Calls of this thread inside the block end with DeadlineExceededError once the time is up."""
        deadline = _Deadline(threading.get_ident(), time.monotonic() + seconds)
        timer = threading.Timer(seconds, self._expire, (deadline,))
        timer.daemon = True
        with self._lock:
            self._deadlines.add(deadline)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._deadlines.discard(deadline)
                self._lower_flags()

    def remaining(self) -> float | None:
        """See `wazero_api.Engine.remaining`."""
        thread = threading.get_ident()
        with self._lock:
            end = min((deadline.end for deadline in self._deadlines if deadline.thread == thread), default=None)
        return None if end is None else end - time.monotonic()

    def _expire(self, deadline: _Deadline) -> None:
        with self._lock:
            if deadline not in self._deadlines:  # the call ended while the timer went off
                return
            deadline.is_over = True
            for instance in self._instances:
                instance.namespace["stop"] = True

    def _lower_flags(self) -> None:
        if not any(deadline.is_over for deadline in self._deadlines):
            for instance in self._instances:
                instance.namespace["stop"] = instance.exit_code is not None

    def poll(self, instance: Any) -> None:
        """Called by generated code of `instance` while its ``stop`` is set; returns if others were meant."""
        if instance.exit_code is not None:
            raise ExitError(instance.exit_code, instance.name)
        thread = threading.get_ident()
        with self._lock:
            is_over = any(deadline.is_over and deadline.thread == thread for deadline in self._deadlines)
        if is_over:
            raise DeadlineExceededError("the call ran past its timeout")
