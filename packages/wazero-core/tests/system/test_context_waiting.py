"""Reading and writing for a guest: it waits for what is not there, in a way that can be ended, and never for what cannot be."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wazero_api.errors import ExitError
from wazero_api.system import OpenFlags
from wazero_core.system import READ, WRITE, BaseFile, SystemContext
from wazero_core.system.waiting import SAFE_WRITE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")

BIG = bytes(range(256)) * (1 << 12)
"""1 MiB, more than a pipe holds."""


class Owner:
    """What a module is to its waiter."""

    is_closed = False

    def remaining(self) -> float | None:
        return None

    def check_open(self) -> None:
        if self.is_closed:
            raise ExitError(7)


class Piped:
    """A context whose standard input and output are pipes."""

    def __init__(self) -> None:
        reader, self.writer = os.pipe()
        self.reader, writer = os.pipe()
        self.system = SystemContext(stdin=reader, stdout=writer)
        self.owner = self.system.waiter.owner = Owner()
        self.stdin, self.stdout = self.system.files[0], self.system.files[1]
        self._ends = [reader, self.writer, self.reader, writer]

    def close(self) -> None:
        self.system.close()
        for fd in self._ends:
            assert os.get_blocking(fd)
            os.close(fd)

    def close_in_a_while(self) -> threading.Timer:
        def close() -> None:
            self.owner.is_closed = True
            self.system.close()

        timer = threading.Timer(0.03, close)
        timer.start()
        return timer


@pytest.fixture
def piped() -> Iterator[Piped]:
    made = Piped()
    yield made
    made.close()


def number_of(operation: Callable[[], object]) -> str:
    start = time.monotonic()
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    assert time.monotonic() - start < 5
    return errno.errorcode[caught.value.errno or 0]


def test_reading_waits_for_the_first_bytes_and_not_for_more(piped: Piped) -> None:
    timer = threading.Timer(0.03, os.write, (piped.writer, b"x"))
    timer.start()
    assert piped.system.read(piped.stdin, 100) == b"x"
    timer.join()


def test_reading_that_is_ended(piped: Piped) -> None:
    timer = piped.close_in_a_while()
    with pytest.raises(ExitError):
        piped.system.read(piped.stdin, 100)
    timer.join()


@pytest.mark.parametrize("size", [1, SAFE_WRITE, SAFE_WRITE + 1, len(BIG)])
def test_writing_that_is_ended(piped: Piped, size: int) -> None:
    timer = piped.close_in_a_while()
    data = BIG[:size]
    with pytest.raises(ExitError):
        all(iter(lambda: piped.system.write(piped.stdout, data), 0))
    timer.join()


def test_a_large_write_arrives_whole(piped: Piped) -> None:
    received = bytearray()

    def read() -> None:
        while len(received) < len(BIG):
            received.extend(os.read(piped.reader, 1 << 16))

    thread = threading.Thread(target=read)
    thread.start()
    assert piped.system.write(piped.stdout, memoryview(BIG)) == len(BIG)
    thread.join(10)
    assert received == BIG


def test_a_large_write_that_must_not_wait_is_done_in_part(piped: Piped) -> None:
    piped.stdout.flags |= OpenFlags.NON_BLOCK
    count = piped.system.write(piped.stdout, BIG)
    assert 0 < count < len(BIG)
    assert number_of(lambda: piped.system.write(piped.stdout, BIG)) == "EAGAIN"
    assert number_of(lambda: piped.system.write(piped.stdout, b"x")) == "EAGAIN"
    assert os.read(piped.reader, len(BIG)) == BIG[:count]


def test_reading_that_must_not_wait(piped: Piped) -> None:
    piped.stdin.flags |= OpenFlags.NON_BLOCK
    assert number_of(lambda: piped.system.read(piped.stdin, 1)) == "EAGAIN"
    os.write(piped.writer, b"x")
    assert piped.system.read(piped.stdin, 1) == b"x"


@pytest.mark.parametrize("flags", [OpenFlags.READ_ONLY, OpenFlags.NON_BLOCK])
def test_the_wrong_end_of_a_pipe_is_never_waited_for(piped: Piped, flags: OpenFlags) -> None:
    for entry in (piped.stdin, piped.stdout):
        entry.flags |= flags
    assert number_of(lambda: piped.system.write(piped.stdin, b"x")) == "EBADF"
    assert number_of(lambda: piped.system.write(piped.stdin, BIG)) == "EBADF"
    assert number_of(lambda: piped.system.read(piped.stdout, 1)) == "EBADF"


def test_nothing_is_not_waited_for(piped: Piped) -> None:
    assert piped.system.read(piped.stdin, 0) == b""
    while select_writable(piped):
        piped.system.write(piped.stdout, bytes(SAFE_WRITE))
    assert piped.system.write(piped.stdout, b"") == 0


def select_writable(piped: Piped) -> bool:
    fd = piped.stdout.file.fileno()
    assert fd is not None
    return bool(piped.system.waiter.wait([(fd, WRITE)], 0))


def test_a_reader_that_is_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    system = SystemContext(stdout=writer)
    for data in (b"x", BIG):
        assert number_of(lambda data=data: system.write(system.files[1], data)) == "EPIPE"  # type: ignore[misc]
    os.close(writer)


def test_a_reader_that_goes_in_between_leaves_a_count(piped: Piped) -> None:
    """The guest hears of the rest when it writes on."""
    fd = piped.stdout.file.fileno()

    class Dying(BaseFile):
        writes = 0

        def fileno(self) -> int | None:
            return fd

        def write(self, data: Any) -> int:
            self.writes += 1
            if self.writes > 2:
                raise BrokenPipeError(errno.EPIPE, "gone")
            return len(data)

    piped.stdout.file = Dying()
    assert piped.system.write(piped.stdout, BIG) == 2 * SAFE_WRITE
    assert number_of(lambda: piped.system.write(piped.stdout, BIG)) == "EPIPE"


def test_a_file_without_a_descriptor_any_more_is_left_to_itself(piped: Piped) -> None:
    class Gone(BaseFile):
        def read(self, count: int) -> bytes:
            return b"read"

    piped.stdin.file = Gone()
    piped.system.wait_for(piped.stdin, READ)
    assert piped.system.read(piped.stdin, 4) == b"read"


def test_a_file_that_another_thread_has_closed(piped: Piped) -> None:
    piped.stdin.file.close()
    assert piped.stdin.file.fileno() == -1
    assert number_of(lambda: piped.system.read(piped.stdin, 4)) == "EBADF"


def test_what_a_stream_has_read_ahead_is_read_without_waiting() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"first\nsecond")
    with os.fdopen(reader, "rb") as stream:
        stream.readline()
        system = SystemContext(stdin=stream)
        system.files[0].flags |= OpenFlags.NON_BLOCK
        assert system.read(system.files[0], 3) == b"sec"
        assert system.read(system.files[0], 100) == b"ond"
        assert number_of(lambda: system.read(system.files[0], 1)) == "EAGAIN"
        os.write(writer, b"third")
        assert system.read(system.files[0], 100) == b"third"
        assert os.get_blocking(reader)
    os.close(writer)
