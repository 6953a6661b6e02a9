"""Streams that may have nothing to read or no room: what they say of that, what they hold back, how far output may grow."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import File
from wazero_core.system import FileEntry, input_file, output_file
from wazero_core.system.stdio import CaptureFile

needs_poll = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for pipes")


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


def has_buffered(file: File) -> bool:
    answer: bool = getattr(file, "has_buffered", bool)()
    return answer


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """An empty one: its ends for reading and writing."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


class Custom:
    """A stream of somebody else: over a descriptor, and what it has read ahead nobody knows."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def read(self, size: int) -> bytes:
        return os.read(self._fd, size)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)


# What to wait for

INPUTS: dict[str, tuple[Callable[[int], Any], bool]] = {
    "descriptor": (lambda fd: fd, True),
    "raw": (lambda fd: os.fdopen(fd, "rb", buffering=0, closefd=False), True),
    "buffered": (lambda fd: os.fdopen(fd, "rb", closefd=False), True),
    "text": (lambda fd: os.fdopen(fd, encoding="utf-8", closefd=False), True),
    "custom": (Custom, False),
    "bytes": (lambda fd: b"", False),
    "memory": (lambda fd: io.BytesIO(), False),
    "text in memory": (lambda fd: io.StringIO(), False),
    "nothing": (lambda fd: None, False),
}


@needs_poll
@pytest.mark.parametrize("name", INPUTS)
def test_which_inputs_can_be_waited_for(pipe: tuple[int, int], name: str) -> None:
    make, can_wait = INPUTS[name]
    file = input_file(make(pipe[0]))
    assert FileEntry(file).can_wait is can_wait
    assert file.fileno() == (pipe[0] if can_wait else None)
    assert not has_buffered(file)


OUTPUTS: dict[str, tuple[Callable[[int], Any], bool]] = {
    "descriptor": (lambda fd: fd, True),
    "raw": (lambda fd: os.fdopen(fd, "wb", buffering=0, closefd=False), True),
    "buffered": (lambda fd: os.fdopen(fd, "wb", closefd=False), True),
    "text": (lambda fd: os.fdopen(fd, "w", encoding="utf-8", closefd=False), True),
    "custom": (Custom, True),
    "function": (lambda fd: print, False),
    "array": (lambda fd: bytearray(), False),
    "memory": (lambda fd: io.BytesIO(), False),
    "nothing": (lambda fd: None, False),
}


@needs_poll
@pytest.mark.parametrize("name", OUTPUTS)
def test_which_outputs_can_be_waited_for(pipe: tuple[int, int], name: str) -> None:
    make, can_wait = OUTPUTS[name]
    target = make(pipe[1])
    assert FileEntry(output_file(target)).can_wait is can_wait


@needs_poll
def test_a_text_stream_lives_as_long_as_it_is_read(pipe: tuple[int, int]) -> None:
    """Nobody else may hold it, and as it goes it closes what is below."""
    os.write(pipe[1], b"hello")
    assert input_file(os.fdopen(pipe[0], closefd=False)).read(9) == b"hello"


def test_regular_files_and_closed_streams_are_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("rb") as stream:
        assert not FileEntry(input_file(stream)).can_wait
    assert input_file(stream).fileno() is None
    assert not FileEntry(output_file(stream)).can_wait


# What streams have read ahead


@needs_poll
def test_what_a_stream_has_read_ahead_is_there_whatever_the_descriptor_says(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"first\nsecond\nthird")
    with os.fdopen(reader, "rb", closefd=False) as stream:
        assert stream.readline() == b"first\n"
        file = input_file(stream)
        assert has_buffered(file)
        assert file.read(7) == b"second\n"
        assert has_buffered(file)
        assert file.read(5) == b"third"
        assert not has_buffered(file)
        os.write(writer, b"more")
        assert not has_buffered(file)  # from now on the descriptor knows
        assert file.read(9) == b"more"
        assert os.get_blocking(reader)


@needs_poll
def test_what_comes_before_the_first_look_is_read_ahead(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"hello")
    with os.fdopen(reader, "rb", closefd=False) as stream:
        file = input_file(stream)
        assert has_buffered(file)
        assert [file.read(3), file.read(3)] == [b"hel", b"lo"]
        assert not has_buffered(file)


@needs_poll
@pytest.mark.parametrize("is_blocking", [True, False])
def test_asking_neither_waits_nor_changes_the_descriptor(pipe: tuple[int, int], is_blocking: bool) -> None:
    reader, _ = pipe
    os.set_blocking(reader, is_blocking)
    with os.fdopen(reader, "rb", closefd=False) as stream:
        assert not has_buffered(input_file(stream))
        assert os.get_blocking(reader) is is_blocking


@needs_poll
def test_the_descriptor_becomes_blocking_again_when_peeking_fails(pipe: tuple[int, int]) -> None:
    reader, _ = pipe
    stream = os.fdopen(reader, "rb", closefd=False)
    file = input_file(stream)
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        has_buffered(file)
    assert os.get_blocking(reader)


@needs_poll
def test_the_end_is_not_something_read_ahead() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        file = input_file(stream)
        assert not has_buffered(file)
        assert file.read(1) == b""


# Streams that do not wait


class Raw(io.RawIOBase):
    """Takes as many bytes as there is room for, and says so when there is none."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int | None:
        part = bytes(data)[: self.room]
        self.content += part
        self.room -= len(part)
        return len(part) or None


def test_a_raw_stream_without_room() -> None:
    raw = Raw(3)
    file = output_file(raw)
    assert file.write(b"hello") == 3
    assert number_of(lambda: file.write(b"lo")) == "EAGAIN"
    raw.room = 9
    assert file.write(b"lo") == 2
    assert raw.content == b"hello"


def test_a_buffered_stream_without_room() -> None:
    """Each byte that was taken arrives, once, as soon as there is room."""
    raw = Raw(3)
    stream = io.BufferedWriter(raw, 8)
    file = output_file(stream)
    data, taken = bytes(range(100)), 0
    for _ in range(100):
        try:
            taken += file.write(data[taken:])
        except BlockingIOError as error:
            assert error.errno == errno.EAGAIN  # noqa: PT017  # there is one in some rounds only
            break
    assert 3 < taken < 20
    raw.room = 1000
    stream.flush()
    assert raw.content == data[:taken]
    raw.room = 1000
    stream.close()


@needs_poll
def test_a_full_pipe_that_does_not_wait(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    with os.fdopen(writer, "wb", buffering=0, closefd=False) as stream:
        file = output_file(stream)
        size = file.write(bytes(1 << 20))
        assert size < 1 << 20
        assert number_of(lambda: file.write(b"x")) == "EAGAIN"
    assert len(os.read(reader, 1 << 20)) == size


def test_objects_that_return_nothing_took_everything() -> None:
    class Sink:
        def write(self, data: bytes) -> None:
            pass

    assert output_file(Sink()).write(b"hello") == 5


# Captured output


def test_captured_output_has_a_limit() -> None:
    file = CaptureFile(8)
    assert file.write(b"hello") == 5
    assert file.write(memoryview(b" world")) == 3
    assert number_of(lambda: file.write(b"x")) == "ENOSPC"
    assert file.write(b"") == 0
    assert bytes(file.content) == b"hello wo"


def test_captured_output_of_nothing() -> None:
    assert number_of(lambda: CaptureFile(0).write(b"x")) == "ENOSPC"
