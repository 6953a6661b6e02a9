"""The event loop by itself, in virtual time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wazero_api import ExitError
from wazero_core.system import READ, SystemContext, waiting
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.loop import EventLoop, UnhandledRejection
from wazero_gojs.model.realm import Realm

MILLISECOND = 1_000_000


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


class Time:
    def __init__(self) -> None:
        self.now = 0
        self.slept: list[int] = []

    def sleep(self, nanoseconds: int) -> None:
        self.slept.append(nanoseconds // MILLISECOND)
        self.now += nanoseconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def realm() -> Realm:
    return Realm(GLOBALS)


@pytest.fixture
def loop(time: Time, realm: Realm) -> Iterator[EventLoop]:
    loop = EventLoop(SystemContext(nanotime=lambda: time.now, sleep=time.sleep), realm.jobs)
    yield loop
    loop.close()


def run(loop: EventLoop) -> None:
    while loop.run_ready() or not loop.is_stuck:
        loop.wait()


def test_order(loop: EventLoop, realm: Realm, time: Time) -> None:
    """Jobs before tasks, tasks of this turn before those they post, timers by time and then by age."""
    seen: list[str] = []

    def say(text: str) -> Any:
        return lambda: seen.append(text)

    def post_more() -> None:
        seen.append("task 1")
        realm.jobs.add(say("job of task 1"))
        loop.post(say("task of task 1"))

    loop.call_later(20, say("timer 20"))
    loop.call_later(10, say("timer 10 a"))
    loop.call_later(10, say("timer 10 b"))
    loop.call_later(-5, say("timer at once"))
    loop.post(post_more)
    loop.post(say("task 2"))
    realm.jobs.add(say("job"))
    run(loop)
    assert seen == [
        "job",
        "task 1",
        "job of task 1",
        "task 2",
        "timer at once",
        "task of task 1",
        "timer 10 a",
        "timer 10 b",
        "timer 20",
    ]
    assert time.slept == [10, 10]


def test_cancelled_timers_are_not_waited_for(loop: EventLoop, time: Time) -> None:
    seen: list[int] = []
    timers = [loop.call_later(1000 + n, lambda n=n: seen.append(n)) for n in range(500)]  # type: ignore[misc]
    for timer in timers[1:]:
        timer.cancel()
    assert not loop.is_stuck
    assert len(loop._timers) < 200, "those that are cancelled are forgotten"
    run(loop)
    assert (seen, time.slept) == ([0], [1000])
    timers[0].cancel()
    assert loop.is_stuck


def test_a_timer_that_another_one_cancels_does_not_run(loop: EventLoop) -> None:
    seen: list[str] = []
    loop.call_later(1, lambda: (seen.append("first"), second.cancel()))
    second = loop.call_later(1, lambda: seen.append("second"))
    run(loop)
    assert seen == ["first"]


def test_timers_that_are_not_referenced_are_not_waited_for(loop: EventLoop, time: Time) -> None:
    seen: list[str] = []
    first, second, third = (loop.call_later(n, lambda n=n: seen.append(f"timer {n}")) for n in (1, 2, 3))  # type: ignore[misc]
    first.is_referenced = third.is_referenced = False
    assert not loop.is_stuck
    run(loop)
    assert (seen, time.slept) == (["timer 1", "timer 2"], [1, 1]), "the third was not waited for"
    assert loop.is_stuck
    third.is_referenced = True
    assert not loop.is_stuck
    third.cancel()
    assert loop.is_stuck
    second.is_referenced = True  # it has run
    assert loop.is_stuck


def test_a_wait_does_not_take_longer_than_an_unreferenced_timer(loop: EventLoop, time: Time) -> None:
    """While another thread works, it runs when its time comes."""
    seen: list[str] = []
    hold = loop.hold()
    loop.call_later(5, lambda: (seen.append("timer"), hold.release())).is_referenced = False
    assert loop.timeout() == 5 * MILLISECOND
    time.now = 5 * MILLISECOND
    run(loop)
    assert seen == ["timer"]


def test_descriptors_are_waited_for_once(loop: EventLoop) -> None:
    reading, writing = os.pipe()
    seen: list[str] = []
    loop.when_ready(reading, READ, lambda: seen.append("read"))
    forget = loop.when_ready(reading, READ, lambda: seen.append("forgotten"))
    forget()
    forget()
    assert not loop.run_ready()
    os.write(writing, b"x")
    run(loop)
    assert seen == ["read"]
    assert loop.is_stuck
    os.close(reading)
    os.close(writing)


@pytest.fixture(params=[True, False], ids=["poll", "select"])
def bell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as on Windows, which can wait for sockets only."""
    if request.param and not waiting.CAN_POLL:
        pytest.skip("nothing but sockets can be waited for here")
    if not request.param:
        monkeypatch.setattr(waiting, "CAN_POLL", False)
        monkeypatch.delattr(os, "pipe")


def test_work_in_other_threads(bell: None, loop: EventLoop) -> None:
    seen: list[int] = []
    main = threading.get_ident()
    holds = [loop.hold() for _ in range(8)]
    assert not loop.is_stuck
    threads = [
        threading.Thread(target=hold.release, args=(lambda: seen.append(threading.get_ident()),)) for hold in holds
    ]
    for thread in threads:
        thread.start()
    run(loop)
    for thread in threads:
        thread.join()
    assert seen == [main] * 8
    holds[0].release(lambda: seen.append(0))  # only the first time counts
    assert loop.is_stuck


def test_threads_are_heard_by_who_waits_in_another_way(loop: EventLoop) -> None:
    seen: list[str] = []
    loop.when_released = lambda: seen.append("released")
    hold = loop.hold()
    assert loop.interests() == []
    assert not loop.is_stuck
    hold.release(lambda: seen.append("task"))
    loop.run_ready()
    assert seen == ["released", "task"]
    assert loop.is_stuck


def test_work_that_ends_with_nothing_to_do(loop: EventLoop) -> None:
    loop.hold().release()
    run(loop)
    assert loop.is_stuck


def test_a_wait_for_nothing_ends(bell: None, loop: EventLoop) -> None:
    """Also once the loop has heard of all that other threads have done for it."""
    seen: list[str] = []
    loop.wait()
    loop.hold().release(lambda: seen.append("done"))
    loop.take_ready(dict(loop.interests()))
    assert loop.run_ready()
    assert seen == ["done"]
    loop.wait()
    assert loop.is_stuck


def test_closing_forgets_all(bell: None, loop: EventLoop, realm: Realm) -> None:
    seen: list[str] = []
    closed: list[str] = []
    before = descriptors()
    hold = loop.hold()
    loop.post(lambda: seen.append("task"))
    loop.call_later(0, lambda: seen.append("timer"))
    loop.when_ready(0, READ, lambda: seen.append("read"))
    loop.on_close(lambda: closed.append("closed"))
    loop.close()
    loop.close()
    hold.release(lambda: seen.append("released"))
    loop.run_ready()
    assert (seen, closed) == ([], ["closed"])
    assert descriptors() == before


def test_an_exception_leaves_the_rest_for_later(loop: EventLoop, realm: Realm) -> None:
    seen: list[str] = []
    loop.post(lambda: 1 // 0)
    loop.post(lambda: seen.append("after"))
    realm.jobs.add(lambda: seen.append("job"))
    with pytest.raises(ZeroDivisionError):
        loop.run_ready()
    assert not loop.is_running
    run(loop)
    assert seen == ["job", "after"]


def test_rejections_that_nobody_handles(loop: EventLoop, realm: Realm) -> None:
    handled, late, lost = (realm.new_promise() for _ in range(3))
    for promise in (handled, late, lost):
        promise.reject("why")
    handled.when_settled(bool, bool)
    realm.jobs.add(lambda: late.when_settled(bool, bool))
    with pytest.raises(UnhandledRejection) as raised:
        loop.run_ready()
    assert raised.value.value == "why"
    run(loop)


def test_what_ends_the_program_ends_jobs_without_end(loop: EventLoop, realm: Realm) -> None:
    polls: list[int] = []

    def again() -> None:
        realm.jobs.add(again)

    def poll() -> None:
        polls.append(1)
        if len(polls) == 3:
            raise ExitError(1)

    realm.jobs.poll = poll
    again()
    with pytest.raises(ExitError):
        loop.run_ready()
    assert len(polls) == 3
