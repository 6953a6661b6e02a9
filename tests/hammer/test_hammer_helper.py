"""The hammer helper itself: it must start threads together, report everything, and never wait for ever."""

from __future__ import annotations

import sys
import threading

import pytest

from hammer.hammer import HammerTimeoutError, hammer


def test_runs_every_loop_of_every_thread() -> None:
    seen: list[tuple[int, int]] = []
    hammer(lambda p, n: seen.append((p, n)), p=4, n=50)
    assert sorted(seen) == [(p, n) for p in range(4) for n in range(50)]


def test_threads_start_together() -> None:
    """When the first body runs, all threads exist; and all of them can be inside the body at one time."""
    launched: list[int] = []
    meeting = threading.Barrier(6)

    def body(_p: int, _n: int) -> None:
        launched.append(sum(thread.name.startswith("hammer-") for thread in threading.enumerate()))
        meeting.wait(timeout=30)

    hammer(body, p=6, n=1)
    assert launched[0] == 6


def test_a_failing_body_is_reported_with_thread_and_loop() -> None:
    def body(p: int, n: int) -> None:
        if (p, n) == (2, 7):
            raise ValueError("boom")

    with pytest.raises(ExceptionGroup, match="1 failures in 4 threads of 10 loops") as caught:
        hammer(body, p=4, n=10)
    (failure,) = caught.value.exceptions
    assert isinstance(failure, ValueError)
    assert failure.__notes__ == ["in hammer thread 2, loop 7"]


def test_all_failures_are_collected_and_the_other_threads_go_on() -> None:
    done: list[tuple[int, int]] = []

    def body(p: int, n: int) -> None:
        if p % 2 and n == p:
            raise ValueError(p)
        done.append((p, n))

    with pytest.raises(ExceptionGroup) as caught:
        hammer(body, p=6, n=20)
    assert sorted(failure.args[0] for failure in caught.value.exceptions) == [1, 3, 5]
    assert sorted(done) == [(p, n) for p in range(6) for n in range(20) if p % 2 == 0 or n < p]


@pytest.mark.parametrize("leave", [lambda: pytest.fail("no"), sys.exit], ids=["pytest.fail", "sys.exit"])
def test_what_is_not_an_exception_fails_too(leave: object) -> None:
    def body(p: int, _n: int) -> None:
        if p == 1:
            leave()  # type: ignore[operator]

    with pytest.raises(ExceptionGroup) as caught:
        hammer(body, p=3, n=5)
    (failure,) = caught.value.exceptions
    assert "in hammer thread 1, loop 0" in str(failure)


def test_a_hang_times_out_and_says_where() -> None:
    release = threading.Event()

    def body(p: int, n: int) -> None:
        if p == 1 and n == 3:
            release.wait(60)
        if p == 0:
            raise ValueError("another failure is not lost")

    with pytest.raises(ExceptionGroup) as caught:
        hammer(body, p=3, n=10, timeout_s=0.5)
    release.set()
    other, hang = caught.value.exceptions
    assert isinstance(other, ValueError)
    assert isinstance(hang, HammerTimeoutError)
    assert "1 threads did not end within 0.5 s" in str(hang)
    assert "thread 1 is in loop 3" in str(hang)
    assert "release.wait(60)" in str(hang)


def test_a_hung_thread_stops_when_it_can() -> None:
    release = threading.Event()
    loops: list[int] = []

    def body(_p: int, n: int) -> None:
        loops.append(n)
        release.wait(60)

    with pytest.raises(ExceptionGroup):
        hammer(body, p=1, n=10, timeout_s=0.2)
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "hammer-0")
    release.set()
    thread.join(30)
    assert not thread.is_alive()
    assert loops == [0]


def test_the_switch_interval_is_restored() -> None:
    before = sys.getswitchinterval()
    inside: list[float] = []
    hammer(lambda _p, _n: inside.append(sys.getswitchinterval()), p=2, n=2)
    assert max(inside) < before
    assert sys.getswitchinterval() == before
