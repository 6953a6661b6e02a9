"""Where guests spend their time: their stacks, looked at a hundred times a second while they run."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock, Thread, get_ident
from types import TracebackType
from typing import Any, Final, final

from wazero_api import Engine, Frame, HostModule
from wazero_api.record import replace

from .pprof import Profile, ValueType, note

_PERIOD_NANOSECONDS: Final = 10_000_000
_SECOND: Final = 1_000_000_000

_SAMPLES: Final = ValueType("samples", "count")
_WALL: Final = ValueType("wall", "nanoseconds")


@final
class CpuProfiler:
    """Samples what runs on `engine` for as long as the ``with`` block lasts. Time is that of the clock on the wall.

    A thread in a function of the host counts as well, under that function's name if `watched` was made of its module. Where
    the engine cannot tell then where the guest is, the name is all that is known.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._profile = Profile(_SAMPLES, _WALL)
        self._lock = Lock()
        self._over = Event()
        self._in_host: dict[int, str] = {}
        """By thread the innermost function of the host that runs."""
        self._unseen: dict[int, str] = {}
        """The same when stacks were last asked for, of threads that have not told theirs since."""
        self._elapsed = 0
        """Nanoseconds between the last two rounds: what one sample stands for."""
        self._begin = self._end = 0
        self._began_at = 0

    def __enter__(self) -> CpuProfiler:
        self._began_at, self._begin = time.time_ns(), time.monotonic_ns()
        self._thread = Thread(target=self._sample, name="wazero-profiler", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._end = time.monotonic_ns()

    def encode(self, wasm_path: str) -> bytes:
        """The profile, as a file. To be called after the ``with`` block."""
        with self._lock:
            return self._profile.encode(
                wasm_path, begin=self._began_at, duration=self._end - self._begin, period=_PERIOD_NANOSECONDS
            )

    def watched(self, host: HostModule) -> HostModule:
        """The same module with functions that say when they run."""
        functions = [
            replace(function, callable=self._watched(f"{host.name}.{function.name}", function.callable))
            for function in host.functions
        ]
        return replace(host, functions=tuple(functions))

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        in_host = self._in_host

        def call(*args: Any) -> Any:
            thread = get_ident()
            outer = in_host.get(thread)
            in_host[thread] = name
            try:
                return function(*args)
            finally:
                if outer is None:
                    in_host.pop(thread, None)
                else:
                    in_host[thread] = outer

        return call

    def _sample(self) -> None:
        """A round each period, until it is over."""
        before = time.monotonic_ns()
        while not self._over.wait(_PERIOD_NANOSECONDS / _SECOND):
            now = time.monotonic_ns()
            self._round(now - before)
            before = now

    def _round(self, elapsed: int) -> None:
        with self._lock:
            self._elapsed = elapsed
            for thread, name in self._unseen.items():
                # A guest tells its stack long before a period is over. This one was in the host all the time.
                if self._in_host.get(thread) == name:
                    self._profile.add((note(name),), (1, elapsed))
            self._unseen = self._in_host.copy()
        self._engine.take_stacks(self._take)

    def _take(self, thread: int, frames: tuple[Frame, ...], is_in_host: bool) -> None:
        with self._lock:
            if self._over.is_set():
                return
            self._unseen.pop(thread, None)
            name = self._in_host.get(thread) if is_in_host else None
            stack = frames if name is None else (note(name), *frames)
            self._profile.add(stack, (1, self._elapsed))
