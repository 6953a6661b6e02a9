"""Standard streams from anything at hand: what is read and written, and that nothing is closed."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import File, FileType, OpenFlags
from wazero_core.system import DirFS, HostFile, NullFile, input_file, output_file


def read_all(file: File, count: int = 4) -> bytes:
    parts = []
    while part := file.read(count):
        assert len(part) <= count
        parts.append(part)
    return b"".join(parts)


INPUTS: dict[str, tuple[Callable[[], Any], bytes]] = {
    "none": (lambda: None, b""),
    "bytes": (lambda: b"hello world", b"hello world"),
    "bytearray": (lambda: bytearray(b"hello"), b"hello"),
    "memoryview": (lambda: memoryview(b"hello"), b"hello"),
    "binary stream": (lambda: io.BytesIO(b"hello"), b"hello"),
    "buffered stream": (lambda: io.BufferedReader(io.BytesIO(b"hello world")), b"hello world"),
    "text over binary": (lambda: io.TextIOWrapper(io.BytesIO("café".encode())), "café".encode()),
    "text alone": (lambda: io.StringIO("café über alles"), "café über alles".encode()),
}


@pytest.mark.parametrize("name", INPUTS)
def test_input_gives_the_bytes_of_its_source(name: str) -> None:
    make, expected = INPUTS[name]
    assert read_all(input_file(make())) == expected


@pytest.mark.parametrize("source", ["text", 1.5, True, object(), [b"x"]])
def test_what_cannot_be_read_is_a_type_error(source: object) -> None:
    with pytest.raises(TypeError, match="stdin must be"):
        input_file(source)


@pytest.mark.parametrize("target", ["text", b"bytes", 1.5, True, object()])
def test_what_cannot_be_written_is_a_type_error(target: object) -> None:
    with pytest.raises(TypeError, match="stdout and stderr must be"):
        output_file(target)


def test_output_reaches_each_kind_of_target() -> None:
    array, binary, text, calls = bytearray(), io.BytesIO(), io.StringIO(), list[bytes]()
    for target in (array, binary, text, calls.append, None):
        file = output_file(target)
        assert file.write(b"one ") == 4
        assert file.write(memoryview(b"two")) == 3
        file.close()
    assert array == b"one two"
    assert binary.getvalue() == b"one two"
    assert text.getvalue() == "one two"
    assert calls == [b"one ", b"two"]


def test_a_function_gets_bytes_that_it_may_keep() -> None:
    """The guest's memory changes after the call; what was written does not."""
    calls: list[bytes] = []
    memory = bytearray(b"before")
    output_file(calls.append).write(memoryview(memory))
    memory[:] = b"after!"
    assert calls == [b"before"]
    assert type(calls[0]) is bytes


def test_a_character_in_two_writes_arrives_whole() -> None:
    text = io.StringIO()
    file = output_file(text)
    file.write(b"caf\xc3")
    file.write(b"\xa9\xff")
    assert text.getvalue() == "café\ufffd"


def test_a_descriptor_is_used_as_it_is_and_stays_open() -> None:
    reader, writer = os.pipe()
    try:
        out, into = output_file(writer), input_file(reader)
        assert out.write(b"through") == 7
        assert into.fileno() == reader
        assert into.read(100) == b"through"
        out.close()
        into.close()
        os.write(writer, b"still open")
        assert os.read(reader, 100) == b"still open"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_write_is_passed_on_at_once_and_after_the_text_before_it(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as stream:
        file = output_file(stream)
        stream.write("host, ")
        file.write(b"guest, ")
        assert path.read_bytes() == b"host, guest, "
        stream.write("host")
        file.close()
    assert path.read_bytes() == b"host, guest, host"


def test_streams_are_not_closed() -> None:
    stream = io.BytesIO(b"x")
    for file in (input_file(stream), output_file(stream)):
        file.close()
    assert not stream.closed


def test_reading_does_not_wait_for_more_than_is_there() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        os.write(writer, b"line\n")
        assert input_file(stream).read(1000) == b"line\n"
        os.close(writer)


def test_a_raw_stream_that_would_block_is_eagain() -> None:
    class Empty(io.RawIOBase):
        def read(self, size: int = -1) -> bytes | None:
            return None

    with pytest.raises(BlockingIOError):
        input_file(Empty()).read(1)


@pytest.mark.parametrize(
    ("make", "file_type"),
    [
        (lambda: input_file(None), FileType.CHARACTER_DEVICE),
        (lambda: input_file(b""), FileType.FIFO),
        (lambda: output_file(print), FileType.FIFO),
        (lambda: output_file(io.StringIO()), FileType.FIFO),
        (lambda: output_file(io.BytesIO()), FileType.FIFO),
    ],
)
def test_what_streams_say_they_are(make: Callable[[], File], file_type: FileType) -> None:
    assert make().stat().file_type is file_type


def test_a_stream_over_a_descriptor_is_what_the_descriptor_is(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    with path.open("rb") as stream:
        file = input_file(stream)
        assert file.stat().file_type is FileType.REGULAR
        assert file.stat().size == 5
        assert file.fileno() == stream.fileno()


def test_a_file_of_the_protocol_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    file = DirFS(tmp_path).open_file("f", OpenFlags.READ_WRITE)
    assert input_file(file) is file
    assert output_file(file) is file
    file.close()


def test_the_null_file_reads_nothing_and_forgets_everything() -> None:
    file = NullFile()
    assert (file.read(9), file.pread(9, 9), file.write(b"abc"), file.pwrite(b"ab", 9), file.seek(5, 0)) == (
        b"",
        b"",
        3,
        2,
        0,
    )


@pytest.mark.parametrize(
    ("operation", "number"),
    [
        (lambda f: f.pread(1, 0), errno.ESPIPE),
        (lambda f: f.pwrite(b"", 0), errno.ESPIPE),
        (lambda f: f.seek(0, 0), errno.ESPIPE),
        (lambda f: f.write(b"x"), errno.EBADF),
        (lambda f: f.truncate(0), errno.EINVAL),
        (lambda f: f.set_times(0, 0), errno.ENOTSUP),
        (lambda f: f.read_directory(), errno.ENOTDIR),
    ],
)
def test_what_a_stream_cannot_do(operation: Callable[[File], object], number: int) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation(input_file(b"data"))
    assert caught.value.errno == number


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such error")
def test_a_closed_pipe_is_an_error_of_the_system() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with pytest.raises(BrokenPipeError):
            HostFile(writer, is_owned=False).write(b"x")
    finally:
        os.close(writer)
