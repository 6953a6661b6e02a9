"""Fakes are the same in every run; real clocks are the machine's."""

from __future__ import annotations

import time
from typing import Any

import pytest

from wazero_core.system import clocks


def test_fake_walltime_starts_in_2022_and_moves_a_millisecond_with_each_reading() -> None:
    clock = clocks.fake_walltime()
    start = 1_640_995_200_000_000_000
    assert [clock() for _ in range(3)] == [start, start + 1_000_000, start + 2_000_000]
    assert clock.resolution == 1_000


def test_fake_nanotime_starts_at_zero() -> None:
    clock = clocks.fake_nanotime()
    assert [clock() for _ in range(3)] == [0, 1_000_000, 2_000_000]
    assert clock.resolution == 1


def test_each_fake_clock_runs_alone() -> None:
    first, second = clocks.fake_nanotime(), clocks.fake_nanotime()
    first()
    first()
    assert second() == 0


def test_real_clocks_tell_the_machines_time() -> None:
    before = time.time_ns()
    assert before <= clocks.system_walltime()() <= time.time_ns()
    before = time.monotonic_ns()
    assert before <= clocks.system_nanotime()() <= time.monotonic_ns()


@pytest.mark.parametrize("clock", [clocks.system_walltime(), clocks.system_nanotime()])
def test_real_clocks_have_a_sensible_resolution(clock: clocks.FunctionClock) -> None:
    assert 1 <= clock.resolution <= 100_000_000


@pytest.mark.parametrize("resolution", [0, -1, clocks.MAX_RESOLUTION])
def test_a_clock_with_a_senseless_resolution_is_refused(resolution: int) -> None:
    with pytest.raises(ValueError, match="resolution"):
        clocks.FunctionClock(time.time_ns, resolution)


@pytest.mark.parametrize("now", [1.5, "1", None])
def test_a_clock_that_gives_no_nanoseconds(now: Any) -> None:
    clock = clocks.FunctionClock(lambda: now, 1)
    with pytest.raises(TypeError, match=f"nanoseconds, as time.time_ns does, not a {type(now).__name__}"):
        clock()


def test_fake_sleep_returns_at_once() -> None:
    before = time.monotonic()
    clocks.fake_sleep(10**12)
    assert time.monotonic() - before < 1


def test_real_sleep_takes_its_time() -> None:
    before = time.monotonic_ns()
    clocks.system_sleep(20_000_000)
    assert time.monotonic_ns() - before >= 20_000_000


def test_real_sleep_goes_in_pieces_that_the_system_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """584 years are more than `time.sleep` takes at once."""
    slept: list[float] = []
    now = [0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += 1 << 62

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic_ns", lambda: now[0])
    clocks.system_sleep((1 << 64) - 1)
    assert slept == [86_400.0] * 4


def test_yielding_returns() -> None:
    clocks.no_yield()
    clocks.system_yield()
