"""Clocks, sleep and yield: real ones, and deterministic fakes, which are what guests get unless told otherwise.

All times are nanoseconds. Must not import anything of the project but `wazero_api`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Final, final

FAKE_EPOCH: Final = 1_640_995_200_000_000_000
"""What a fake wall clock says first: midnight UTC, 1 January 2022, in nanoseconds since the epoch."""

FAKE_STEP: Final = 1_000_000
"""How far a fake clock moves with each reading: a millisecond, so that a guest that waits for time to pass does not spin."""

FAKE_WALL_RESOLUTION: Final = 1_000
FAKE_MONOTONIC_RESOLUTION: Final = 1

MAX_RESOLUTION: Final = 3_600_000_000_000
"""An hour: a clock that is coarser is a mistake."""

_SLEEP_AT_MOST: Final = 86_400.0  # seconds; `time.sleep` refuses what its C type cannot hold, so long waits go in days
_SECOND: Final = 1_000_000_000


@final
class FakeClock:
    """A clock that says `start` at first and `step` nanoseconds more each time. Safe to read from several threads."""

    __slots__ = ("_readings", "resolution")

    def __init__(self, start: int = 0, step: int = FAKE_STEP, resolution: int = FAKE_MONOTONIC_RESOLUTION) -> None:
        self.resolution = resolution
        self._readings = count(start, step)

    def __call__(self) -> int:
        return next(self._readings)


@final
class FunctionClock:
    """A clock that asks `function` for the time in nanoseconds.

    Raises ValueError unless `resolution` is from 1 ns up to below an hour. Read, it raises TypeError for what is no int.
    """

    __slots__ = ("function", "resolution")

    def __init__(self, function: Callable[[], int], resolution: int) -> None:
        if not 0 < resolution < MAX_RESOLUTION:
            raise ValueError(f"the resolution of a clock must be from 1 ns to an hour, not {resolution} ns")
        self.function = function
        self.resolution = resolution

    def __call__(self) -> int:
        now: object = self.function()
        if not isinstance(now, int):
            raise TypeError(f"a clock must give nanoseconds, as time.time_ns does, not a {type(now).__name__}")
        return now


def fake_walltime() -> FakeClock:
    """A new fake wall clock, starting at `FAKE_EPOCH`."""
    return FakeClock(FAKE_EPOCH, FAKE_STEP, FAKE_WALL_RESOLUTION)


def fake_nanotime() -> FakeClock:
    """A new fake monotonic clock, starting at 0."""
    return FakeClock(0, FAKE_STEP, FAKE_MONOTONIC_RESOLUTION)


def system_walltime() -> FunctionClock:
    """The machine's wall clock."""
    return FunctionClock(time.time_ns, _resolution_of("time"))


def system_nanotime() -> FunctionClock:
    """The machine's monotonic clock."""
    return FunctionClock(time.monotonic_ns, _resolution_of("monotonic"))


def _resolution_of(name: str) -> int:
    """In nanoseconds, as the system states it for the clock of that name in `time`."""
    seconds = time.get_clock_info(name).resolution  # type: ignore[arg-type]  # the stub wants a Literal
    return min(max(1, round(seconds * _SECOND)), MAX_RESOLUTION - 1)


def fake_sleep(nanoseconds: int) -> None:
    """Return at once: time that only moves when it is read cannot be waited for."""


def system_sleep(nanoseconds: int) -> None:
    """Sleep that long at least; Ctrl-C ends it."""
    deadline = time.monotonic_ns() + nanoseconds
    remaining = nanoseconds
    while remaining > 0:
        time.sleep(min(remaining / _SECOND, _SLEEP_AT_MOST))
        remaining = deadline - time.monotonic_ns()


def no_yield() -> None:
    """Do nothing when the guest yields its turn."""


def system_yield() -> None:
    """Let another thread run."""
    time.sleep(0)
