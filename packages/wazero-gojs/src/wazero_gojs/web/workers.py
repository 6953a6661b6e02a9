"""Threads that wait for the network while a program goes on. They end with the program."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread, current_thread
from typing import Final, final

Work = Callable[[], object]

_IDLE_SECONDS: Final = 10.0
"""After which a thread without work ends."""


@final
class Workers:
    """At most `limit` threads, each started when there is work and nobody else to do it."""

    __slots__ = ("_changed", "_idle", "_is_closed", "_limit", "_queue", "_threads")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = Condition()
        self._queue: deque[Work] = deque()
        self._threads: set[Thread] = set()
        self._idle = 0
        self._is_closed = False

    def submit(self, work: Work) -> None:
        """Have it done, which must not raise; forgotten if this is closed."""
        with self._changed:
            if self._is_closed:
                return
            self._queue.append(work)
            if len(self._queue) <= self._idle:
                self._changed.notify()
            elif len(self._threads) < self._limit:
                # No thread outlives `close`, unless it waits in the system where nothing wakes it.
                thread = Thread(target=self._work, name="wazero-gojs-fetch", daemon=True)
                self._threads.add(thread)
                thread.start()

    def close(self, seconds: float) -> None:
        """Begin nothing new, and wait at most that long for what is being done."""
        with self._changed:
            self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        end = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0.0))

    def _work(self) -> None:
        while (work := self._next()) is not None:
            work()
            del work  # it holds what its request needed

    def _next(self) -> Work | None:
        """What to do next; None for the thread to end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._queue or self._is_closed, _IDLE_SECONDS)
            self._idle -= 1
            if self._queue:
                return self._queue.popleft()
            self._threads.discard(current_thread())
            return None
