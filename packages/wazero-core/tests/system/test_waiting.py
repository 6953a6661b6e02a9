"""Waits end when something happened, in time, and early when the deadline passes or the owner is closed; none spins."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from wazero_api.errors import DeadlineExceededError, ExitError
from wazero_core.system import READ, WRITE, Bell, Waiter, waiting
from wazero_core.system.waiting import HANGUP, INVALID, is_open_for

MS = 1_000_000
SECOND = 1_000_000_000

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")


class Owner:
    """What a module is to its waiter."""

    def __init__(self) -> None:
        self.end: float | None = None
        self.is_closed = False

    def remaining(self) -> float | None:
        return None if self.end is None else self.end - time.monotonic()

    def check_open(self) -> None:
        if self.is_closed:
            raise ExitError(7)


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def waiter(owner: Owner) -> Iterator[Waiter]:
    made = Waiter()
    made.owner = owner
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """An empty one: its ends for reading and writing."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@contextmanager
def later(action: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread while the block waits."""
    timer = threading.Timer(0.03, action)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@contextmanager
def without_spinning() -> Iterator[None]:
    before = time.thread_time()
    yield
    assert time.thread_time() - before < 0.05


def fill(writer: int) -> None:
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(1 << 16))
    except BlockingIOError:
        os.set_blocking(writer, True)


Wait = Callable[[Waiter, tuple[int, int]], object]
WAITS: dict[str, Wait] = {
    "sleep": lambda waiter, pipe: waiter.sleep(100 * SECOND),
    "sleep for ages": lambda waiter, pipe: waiter.sleep((1 << 64) - 1),
    "file": lambda waiter, pipe: waiter.wait([(pipe[0], READ)], None),
    "file with timeout": lambda waiter, pipe: waiter.wait([(pipe[0], READ)], 100 * SECOND),
    "file with timeout of ages": lambda waiter, pipe: waiter.wait([(pipe[0], READ)], (1 << 64) - 1),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_ends_when_the_owner_is_closed(owner: Owner, waiter: Waiter, pipe: tuple[int, int], name: str) -> None:
    def close() -> None:
        owner.is_closed = True
        waiter.close()

    with later(close), without_spinning(), pytest.raises(ExitError):
        WAITS[name](waiter, pipe)


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_ends_at_the_deadline(owner: Owner, waiter: Waiter, pipe: tuple[int, int], name: str) -> None:
    owner.end = time.monotonic() + 0.05
    with without_spinning(), pytest.raises(DeadlineExceededError):
        WAITS[name](waiter, pipe)
    assert time.monotonic() >= owner.end
    owner.end = time.monotonic() - 1
    with pytest.raises(DeadlineExceededError):
        WAITS[name](waiter, pipe)


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("has_owner", [True, False])
def test_without_an_owner_that_says_so_a_closed_wait_is_cancelled(
    waiter: Waiter, pipe: tuple[int, int], name: str, has_owner: bool
) -> None:
    """As of a module whose start failed: it is not closed, and must not spin."""
    if not has_owner:
        waiter.owner = None
    with later(waiter.close), without_spinning(), pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        WAITS[name](waiter, pipe)
    assert caught.value.errno == errno.ECANCELED


@pytest.mark.parametrize("name", WAITS)
def test_waits_that_come_after_closing_end_at_once(
    owner: Owner, waiter: Waiter, pipe: tuple[int, int], name: str
) -> None:
    waiter.close()
    waiter.close()
    owner.is_closed = True
    with pytest.raises(ExitError):
        WAITS[name](waiter, pipe)


def test_what_is_ready_in_a_closed_module_is_not_told(owner: Owner, waiter: Waiter, pipe: tuple[int, int]) -> None:
    """The guest's files are closed, or about to be: it would hear of an error that is none."""
    waiter.close()
    owner.is_closed = True
    os.write(pipe[1], b"x")
    for timeout in (0, MS, None):
        with pytest.raises(ExitError):
            waiter.wait([(pipe[0], READ), (-1, READ)], timeout)


def test_closing_a_file_while_it_is_waited_for(owner: Owner, waiter: Waiter) -> None:
    """As closing the module does, which sets the exit code first."""
    reader, writer = os.pipe()

    def close() -> None:
        owner.is_closed = True
        waiter.close()
        os.close(reader)

    with later(close), pytest.raises(ExitError):
        waiter.wait([(reader, READ)], None)
    os.close(writer)


def test_many_threads_are_woken_by_one_close(owner: Owner, waiter: Waiter, pipe: tuple[int, int]) -> None:
    ends: list[str] = []

    def run(name: str) -> None:
        try:
            WAITS[name](waiter, pipe)
        except ExitError:
            ends.append(name)

    threads = [threading.Thread(target=run, args=(name,)) for name in WAITS for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.03)
    owner.is_closed = True
    waiter.close()
    for thread in threads:
        thread.join(10)
    assert sorted(ends) == sorted([*WAITS] * 4)


@pytest.mark.parametrize("nanoseconds", [0, 1, 1_000, 300_000, MS, 5 * MS])
def test_no_sleep_and_no_timeout_is_over_early(waiter: Waiter, pipe: tuple[int, int], nanoseconds: int) -> None:
    for wait in (waiter.sleep, lambda timeout: waiter.wait([(pipe[0], READ)], timeout)):
        for _ in range(5):
            start = time.monotonic_ns()
            assert not wait(nanoseconds)
            assert time.monotonic_ns() - start >= nanoseconds


def test_what_is_there_already(waiter: Waiter, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    assert waiter.wait([(reader, READ)], 0) == {}
    assert waiter.wait([(reader, READ), (writer, WRITE)], None) == {writer: WRITE}
    os.write(writer, b"x")
    assert waiter.wait([(reader, READ), (writer, WRITE)], None) == {reader: READ, writer: WRITE}


def test_what_comes_while_waiting(waiter: Waiter, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with later(lambda: os.write(writer, b"x")), without_spinning():
        assert waiter.wait([(reader, READ)], None) == {reader: READ}


def test_room_that_comes_while_waiting(waiter: Waiter, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    fill(writer)
    assert waiter.wait([(writer, WRITE)], MS) == {}
    with later(lambda: os.read(reader, 1 << 20)), without_spinning():
        assert waiter.wait([(writer, WRITE)], None) == {writer: WRITE}


def test_one_descriptor_for_two_interests(waiter: Waiter, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"x")
    assert waiter.wait([(reader, READ), (reader, WRITE)], None) == {reader: READ}


def test_the_other_end_is_gone(waiter: Waiter) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    assert waiter.wait([(reader, READ)], None) == {reader: HANGUP}
    os.close(reader)


@pytest.mark.parametrize("fd", [-1, 10**6])
def test_a_descriptor_that_is_closed(waiter: Waiter, pipe: tuple[int, int], fd: int) -> None:
    """As when another thread of the guest closed the file meanwhile; -1 is what closed files say."""
    assert waiter.wait([(pipe[0], READ), (fd, READ)], None) == {fd: INVALID}


def test_ready_ones_among_many(waiter: Waiter) -> None:
    pipes = [os.pipe() for _ in range(100)]
    for _, writer in pipes[7::40]:
        os.write(writer, b"x")
    found = waiter.wait([(reader, READ) for reader, _ in pipes], None)
    assert found == {reader: READ for reader, _ in pipes[7::40]}
    for end in (end for pipe in pipes for end in pipe):
        os.close(end)


def open_descriptors() -> int:
    return sum(1 for fd in range(256) if _is_open(fd))


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_nothing_is_left_open(owner: Owner, pipe: tuple[int, int]) -> None:
    before = open_descriptors()
    for round_ in range(50):
        waiter = Waiter()
        waiter.owner = owner
        waiter.wait([(pipe[0], READ)], 1_000)
        waiter.wait([(pipe[0], READ)], 1_000)
        if round_ % 2:
            waiter.close()
    assert open_descriptors() <= before + 2  # of the last one, which is not closed
    del waiter
    assert open_descriptors() == before


def test_no_descriptor_is_made_for_what_is_ready(waiter: Waiter, pipe: tuple[int, int]) -> None:
    before = open_descriptors()
    os.write(pipe[1], b"x")
    waiter.wait([(pipe[0], READ)], None)
    waiter.wait([(pipe[1], READ)], 0)
    waiter.sleep(MS)
    assert open_descriptors() == before


def test_running_out_of_descriptors_is_an_error_like_others(
    waiter: Waiter, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, "too many")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", fail)
        with pytest.raises(OSError, match="too many"):
            waiter.wait([(pipe[0], READ)], None)
    assert waiter.wait([(pipe[0], READ)], MS) == {}


def test_what_a_descriptor_is_open_for(pipe: tuple[int, int]) -> None:
    both = os.open(os.devnull, os.O_RDWR)
    assert [is_open_for(fd, READ) for fd in (*pipe, both)] == [True, False, True]
    assert [is_open_for(fd, WRITE) for fd in (*pipe, both)] == [False, True, True]
    os.close(both)


# Bells


@pytest.fixture(params=["poll", "select"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the system can wait: "select" is for sockets only, as on Windows."""
    monkeypatch.setattr(waiting, "CAN_POLL", request.param == "poll")
    name: str = request.param
    return name


def test_a_bell_is_heard_until_it_is_silenced(kind: str, waiter: Waiter) -> None:
    bell = Bell()
    wanted = [(bell.fileno, READ)]
    bell.silence()
    assert waiter.wait(wanted, 0) == {}
    for _ in range(2):
        bell.ring()
        bell.ring()
        assert waiter.wait(wanted, None) == {bell.fileno: READ}
        assert waiter.wait(wanted, None) == {bell.fileno: READ}
        bell.silence()
        assert waiter.wait(wanted, 0) == {}
    bell.close()
    bell.close()


def test_a_bell_that_nobody_hears_makes_nobody_wait(kind: str, waiter: Waiter) -> None:
    bell = Bell()
    for _ in range(200_000):
        bell.ring()
    assert waiter.wait([(bell.fileno, READ)], None) == {bell.fileno: READ}
    while waiter.wait([(bell.fileno, READ)], 0):
        bell.silence()
    bell.close()


def test_a_bell_of_another_thread_ends_a_wait(kind: str, waiter: Waiter) -> None:
    bell = Bell()
    thread = threading.Timer(0.02, bell.ring)
    thread.start()
    assert waiter.wait([(bell.fileno, READ)], 30 * SECOND) == {bell.fileno: READ}
    thread.join()
    bell.close()


def test_closing_is_heard_either_way(kind: str, owner: Owner, waiter: Waiter) -> None:
    bell = Bell()

    def close() -> None:
        owner.is_closed = True
        waiter.close()

    thread = threading.Timer(0.02, close)
    thread.start()
    with pytest.raises(ExitError):
        waiter.wait([(bell.fileno, READ)], 30 * SECOND)
    thread.join()
    bell.close()
