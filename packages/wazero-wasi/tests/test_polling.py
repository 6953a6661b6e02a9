"""poll_oneoff: clocks of both kinds, files that are ready and files that are not, and layouts byte by byte."""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from typing import Any

import pytest

from wazero_core.runtime.module_config import ModuleConfig

SIZE = 1 << 16
MS = 1_000_000
CLOCK, FD_READ, FD_WRITE = range(3)

needs_poll = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")


def clock(userdata: int, timeout: int, *, clock_id: int = 1, absolute: bool = False) -> bytes:
    return struct.pack("<QB7xI4xQQH6x", userdata, CLOCK, clock_id, timeout, 0, absolute)


def file(userdata: int, fd: int, tag: int = FD_READ) -> bytes:
    return struct.pack("<QB7xI28x", userdata, tag, fd)


def poll(guest: Any, *subscriptions: bytes) -> list[tuple[int, int, int, int, int]]:
    """(userdata, errno, tag, bytes, flags) of each event."""
    assert all(len(subscription) == 48 for subscription in subscriptions)
    count = len(subscriptions)
    events, result = guest.put(b"\xaa" * (32 * count + 8)), guest.alloc(4)
    assert guest.call("poll_oneoff", guest.put(b"".join(subscriptions)), events, count, result) == "ESUCCESS"
    happened = guest.u32(result)
    assert 0 < happened <= count
    assert guest.data(events + 32 * happened, 8) == b"\xaa" * 8
    return [struct.unpack("<QHB5xQH6x", guest.data(events + 32 * i, 32)) for i in range(happened)]


@pytest.fixture
def sleeping(new_guest: Any) -> tuple[Any, list[int]]:
    """A guest, and how long it slept each time."""
    slept: list[int] = []
    return new_guest(ModuleConfig().with_nanosleep(slept.append)), slept


@pytest.mark.parametrize(
    ("subscriptions", "happened", "slept"),
    [
        ([clock(7, 5 * MS)], [7], [5 * MS]),
        ([clock(7, 5 * MS, clock_id=0)], [7], [5 * MS]),
        ([clock(7, 0)], [7], []),
        ([clock(1, 9 * MS), clock(2, 5 * MS)], [2], [5 * MS]),
        ([clock(1, 5 * MS), clock(2, 5 * MS)], [1, 2], [5 * MS]),
        ([clock(1, 5 * MS), clock(2, 0)], [2], []),
        # the fake monotonic clock says 0 when it is first read
        ([clock(3, 5 * MS, absolute=True)], [3], [5 * MS]),
        ([clock(3, 0, absolute=True)], [3], []),
        ([clock(3, 1_640_995_200_000 * MS + 7, clock_id=0, absolute=True)], [3], [7]),
        ([clock(3, 1, clock_id=0, absolute=True)], [3], []),
        ([clock(3, (1 << 64) - 1)], [3], [(1 << 64) - 1]),
    ],
)
def test_clocks(
    sleeping: tuple[Any, list[int]], subscriptions: list[bytes], happened: list[int], slept: list[int]
) -> None:
    guest, calls = sleeping
    assert poll(guest, *subscriptions) == [(userdata, 0, CLOCK, 0, 0) for userdata in happened]
    assert calls == slept


def test_a_clock_that_does_not_exist(sleeping: tuple[Any, list[int]]) -> None:
    guest, slept = sleeping
    assert poll(guest, clock(1, 5 * MS), clock(2, 5, clock_id=9)) == [(2, 28, CLOCK, 0, 0)]
    assert slept == []


def test_files_that_are_always_ready(guest: Any) -> None:
    fd = guest.open("file")
    guest.read(fd, 3)
    assert poll(guest, file(1, fd), file(2, fd, FD_WRITE), clock(3, 10**12), file(4, 99)) == [
        (1, 0, FD_READ, 4, 0),
        (2, 0, FD_WRITE, 0, 0),
        (4, 8, FD_READ, 0, 0),
    ]


def test_standard_streams_without_a_descriptor_are_ready(new_guest: Any) -> None:
    guest = new_guest(ModuleConfig().with_stdin(b"x").with_stdout(bytearray()))
    assert [event[0] for event in poll(guest, file(1, 0), file(2, 1, FD_WRITE), clock(3, 10**12))] == [1, 2]


@pytest.fixture
def piped(new_guest: Any) -> Any:
    """A guest whose standard input is a pipe; the other end is `guest.writer`."""
    reader, writer = os.pipe()
    guest = new_guest(ModuleConfig().with_stdin(reader).with_sys_nanotime().with_sys_nanosleep())
    guest.writer = writer
    yield guest
    os.close(reader)
    os.close(writer)


@needs_poll
def test_input_that_is_there(piped: Any) -> None:
    os.write(piped.writer, b"x")
    start = time.monotonic()
    assert poll(piped, clock(1, 10**10), file(2, 0)) == [(2, 0, FD_READ, 1, 0)]
    assert time.monotonic() - start < 5


@needs_poll
def test_input_that_does_not_come(piped: Any) -> None:
    start = time.monotonic()
    assert poll(piped, file(2, 0), clock(1, 20 * MS)) == [(1, 0, CLOCK, 0, 0)]
    assert time.monotonic() - start >= 0.02


@needs_poll
def test_input_that_comes_while_waiting(piped: Any) -> None:
    timer = threading.Timer(0.02, os.write, (piped.writer, b"x"))
    timer.start()
    assert poll(piped, file(2, 0), clock(1, 10**11))[0][0] == 2
    timer.join()
    os.write(piped.writer, b"yz")
    assert poll(piped, file(2, 0)) == [(2, 0, FD_READ, 3, 0)]


@needs_poll
def test_waiting_takes_no_processor_time(piped: Any) -> None:
    before = time.process_time()
    poll(piped, file(2, 0), clock(1, 100 * MS))
    poll(piped, clock(1, 100 * MS))
    assert time.process_time() - before < 0.05


@needs_poll
def test_the_end_of_input_is_a_hangup(new_guest: Any) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    guest = new_guest(ModuleConfig().with_stdin(reader))
    assert poll(guest, file(1, 0)) == [(1, 0, FD_READ, 0, 1)]
    os.close(reader)


@needs_poll
def test_one_descriptor_for_both(new_guest: Any) -> None:
    reader, writer = os.pipe()
    guest = new_guest(ModuleConfig().with_stdin(reader).with_stdout(writer).with_stderr(writer))
    assert poll(guest, file(1, 0), file(2, 1, FD_WRITE), file(3, 2, FD_WRITE)) == [
        (2, 0, FD_WRITE, 0, 0),
        (3, 0, FD_WRITE, 0, 0),
    ]
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("subscriptions", "events", "count", "result", "expected"),
    [
        (0, 0, 0, 0, "EINVAL"),
        (0, 0, 0xFFFFFFFF, 0, "EINVAL"),
        (0, 0, (1 << 16) + 1, 0, "EINVAL"),
        (SIZE - 47, 0, 1, 0, "EFAULT"),
        (0, SIZE - 31, 1, 0, "EFAULT"),
        (0, 0, 1, SIZE - 3, "EFAULT"),
        (0, 0, SIZE // 48 + 1, 0, "EFAULT"),
        (0xFFFFFFFF, 0xFFFFFFFF, 1, 0xFFFFFFFF, "EFAULT"),
    ],
)
def test_hostile_arguments(
    sleeping: tuple[Any, list[int]], subscriptions: int, events: int, count: int, result: int, expected: str
) -> None:
    guest, slept = sleeping
    start = time.monotonic()
    assert guest.call("poll_oneoff", subscriptions, events, count, result) == expected
    assert time.monotonic() - start < 1
    assert slept == []


def test_a_tag_that_does_not_exist(sleeping: tuple[Any, list[int]]) -> None:
    guest, _ = sleeping
    assert guest.call("poll_oneoff", guest.put(struct.pack("<QB39x", 1, 3)), guest.alloc(32), 1, 0) == "EINVAL"


def test_events_may_lie_where_the_subscriptions_were(sleeping: tuple[Any, list[int]]) -> None:
    guest, _ = sleeping
    array = guest.put(clock(1, MS) + clock(2, MS) + clock(3, MS))
    assert guest.call("poll_oneoff", array, array, 3, guest.alloc(4)) == "ESUCCESS"
    assert [guest.u64(array + 32 * index) for index in range(3)] == [1, 2, 3]


def test_the_layout_of_subscriptions_was_another(new_guest: Any) -> None:
    slept: list[int] = []
    guest = new_guest(ModuleConfig().with_nanosleep(slept.append), "wasi_unstable")
    subscription = struct.pack("<QB7xQI4xQQH6x", 5, CLOCK, 99, 1, 7 * MS, 0, 0)
    assert len(subscription) == 56
    events = guest.alloc(64)
    assert guest.call("poll_oneoff", guest.put(subscription), events, 1, guest.alloc(4)) == "ESUCCESS"
    assert (guest.u64(events), slept) == (5, [7 * MS])
    both = struct.pack("<QB7xI36x", 6, FD_WRITE, 1) + subscription
    assert guest.call("poll_oneoff", guest.put(both), events, 2, guest.alloc(4)) == "ESUCCESS"
    assert guest.u64(events) == 6
