"""Where guests let their memories grow."""

from __future__ import annotations

import time
from threading import Lock, get_ident
from typing import Any, Final, final

from wazero_api import PAGE_SIZE, Engine, Frame, Memory, MemoryType

from .pprof import Profile, ValueType, note

_CALLS: Final = ValueType("grow_calls", "count")
_SPACE: Final = ValueType("inuse_space", "bytes")

_INSTANTIATION: Final = (note("(instantiation)"),)
_UNKNOWN: Final = (note("(unknown)"),)


@final
class MemoryProfiler:
    """Adds up what the memories made by an engine get, by the stack that asked for it.

    Memories never shrink. What they have from the start counts for ``(instantiation)``. Where the engine can only tell
    at the next loop or function where a guest is, that is what growth counts for; ``(unknown)`` is for what was not told,
    and for growth that the host asked for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._profile = Profile(_CALLS, _SPACE)
        self._lock = Lock()
        self._untold: dict[int, list[int]] = {}
        """By thread what it let grow without having told where: calls and bytes."""
        self._began_at, self._begin = time.time_ns(), time.monotonic_ns()

    def engine(self) -> Engine:
        """The engine as a runtime should use it: with memories that tell when they grow."""
        made: Any = _Engine(self._engine, self)
        engine: Engine = made
        return engine

    def encode(self, wasm_path: str) -> bytes:
        """The profile, as a file."""
        with self._lock:
            for calls, size in self._untold.values():
                self._profile.add(_UNKNOWN, (calls, size))
            self._untold.clear()
            return self._profile.encode(wasm_path, begin=self._began_at, duration=time.monotonic_ns() - self._begin)

    def made(self, pages: int) -> None:
        """A memory starts with so many pages."""
        with self._lock:
            self._profile.add(_INSTANTIATION, (0, pages * PAGE_SIZE))

    def grown(self, pages: int) -> None:
        """A memory got so many pages more."""
        with self._lock:
            untold = self._untold.setdefault(get_ident(), [0, 0])
            untold[0] += 1
            untold[1] += pages * PAGE_SIZE
        self._engine.take_stacks(self._take, only_caller=True)

    def _take(self, thread: int, frames: tuple[Frame, ...], is_in_host: bool) -> None:
        with self._lock:
            untold = self._untold.pop(thread, None)
            if untold is not None:
                self._profile.add(frames, untold)


class _Delegate:
    """All that another object does."""

    def __init__(self, target: Any, profiler: MemoryProfiler) -> None:
        self._target = target
        self._profiler = profiler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


@final
class _Engine(_Delegate):
    """An engine whose memories are profiled."""

    def new_memory(self, type: MemoryType, maximum_pages: int) -> Memory:
        memory = self._target.new_memory(type, maximum_pages)
        self._profiler.made(memory.pages)
        profiled: Any = _Memory(memory, self._profiler)
        made: Memory = profiled
        return made


@final
class _Memory(_Delegate):
    """A memory that tells when it grows."""

    def grow(self, delta_pages: int) -> int:
        before = int(self._target.grow(delta_pages))
        if before >= 0 < delta_pages:
            self._profiler.grown(delta_pages)
        return before
