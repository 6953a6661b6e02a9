"""Reading, writing, positions; and vectors of buffers that are made to hurt."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from wazero_core.runtime.module_config import ModuleConfig

SIZE = 1 << 16


def test_writing_to_standard_output(new_guest: Any) -> None:
    out, err = bytearray(), bytearray()
    guest = new_guest(ModuleConfig().with_stdout(out).with_stderr(err))
    assert guest.write(1, b"one") == ("ESUCCESS", 3)
    assert guest.write(1, b" two", b"", b" three") == ("ESUCCESS", 10)
    assert guest.write(2, b"error") == ("ESUCCESS", 5)
    assert guest.write(1) == ("ESUCCESS", 0)
    assert (bytes(out), bytes(err)) == (b"one two three", b"error")


def test_reading_standard_input(new_guest: Any) -> None:
    guest = new_guest(ModuleConfig().with_stdin(b"hello world"))
    assert guest.read(0, 5) == ("ESUCCESS", b"hello")
    assert guest.read(0, 1, 0, 3) == ("ESUCCESS", b" wor")
    assert guest.read(0, 100) == ("ESUCCESS", b"ld")
    assert guest.read(0, 100) == ("ESUCCESS", b"")


@pytest.mark.parametrize(
    ("fd", "operation"), [(0, "write"), (1, "read"), (99, "read"), (99, "write"), (0xFFFFFFFF, "write")]
)
def test_the_wrong_descriptor(new_guest: Any, fd: int, operation: str) -> None:
    guest = new_guest(ModuleConfig().with_stdin(b"x").with_stdout(bytearray()))
    assert (guest.write(fd, b"x") if operation == "write" else guest.read(fd, 1))[0] == "EBADF"


HOSTILE: dict[str, tuple[list[tuple[int, int]] | None, int, int, int, str]] = {
    # buffers or None, pointer to the vector, its count, pointer to the result
    "vector outside": (None, SIZE - 4, 1, 0, "EFAULT"),
    "vector far outside": (None, 0xFFFFFFFF, 1, 0, "EFAULT"),
    "count of 2^32 - 1": (None, 0, 0xFFFFFFFF, 0, "EINVAL"),
    "count beyond memory": (None, SIZE - 8, 2, 0, "EFAULT"),
    "count beyond the limit": (None, 0, 1025, 0, "EINVAL"),
    "buffer outside": ([(SIZE, 1)], 0, 1, 0, "EFAULT"),
    "buffer over the end": ([(SIZE - 1, 2)], 0, 1, 0, "EFAULT"),
    "buffer that wraps": ([(0xFFFFFFFF, 0xFFFFFFFF)], 0, 1, 0, "EFAULT"),
    "second buffer outside": ([(0, 1), (0, SIZE + 1)], 0, 2, 0, "EFAULT"),
    "result outside": ([(0, 1)], 0, 1, SIZE - 3, "EFAULT"),
    "result far outside": ([(0, 1)], 0, 1, 0xFFFFFFFF, "EFAULT"),
}


@pytest.mark.parametrize("name", ["fd_read", "fd_write", "fd_pread", "fd_pwrite"])
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_vectors_touch_nothing(guest: Any, tmp_path: Path, name: str, case: str) -> None:
    buffers, pointer, count, result, expected = HOSTILE[case]
    fd = guest.open("file")
    if buffers is not None:
        pointer, _ = guest.iovecs(*buffers)
    before, start = bytes(guest.memory.buffer), time.monotonic()
    args = (fd, pointer, count, 0, result) if name.startswith("fd_p") else (fd, pointer, count, result)
    assert guest.call(name, *args) == expected
    assert time.monotonic() - start < 1
    assert bytes(guest.memory.buffer) == before
    assert (tmp_path / "file").read_bytes() == b"content"


def test_buffers_that_overlap_cannot_make_the_host_hold_more_than_the_memory(new_guest: Any) -> None:
    writes: list[bytes] = []
    guest = new_guest(ModuleConfig().with_stdout(writes.append).with_stdin(bytes(10 * SIZE)))
    result = guest.alloc(4)
    vector = guest.iovecs(*[(0, SIZE)] * 1000)
    assert guest.call("fd_write", 1, *vector, result) == "ESUCCESS"
    assert guest.u32(result) == SIZE
    assert list(map(len, writes)) == [SIZE]
    assert guest.call("fd_read", 0, *vector, result) == "ESUCCESS"
    assert guest.u32(result) == SIZE


def test_exceptions_of_the_host_pass_through(new_guest: Any) -> None:
    def broken(data: bytes) -> None:
        raise KeyError("a bug of the embedder")

    with pytest.raises(KeyError, match="embedder"):
        new_guest(ModuleConfig().with_stdout(broken)).write(1, b"x")


def test_errors_of_the_host_become_numbers(new_guest: Any) -> None:
    def full(data: bytes) -> None:
        raise OSError(28, "No space left on device")

    def strange(data: bytes) -> None:
        raise OSError("no number")

    assert new_guest(ModuleConfig().with_stdout(full)).write(1, b"x")[0] == "ENOSPC"
    assert new_guest(ModuleConfig().with_stdout(strange)).write(1, b"x")[0] == "EIO"


def test_files_have_positions(guest: Any, tmp_path: Path) -> None:
    fd = guest.open("file")
    position = guest.alloc(8)

    def seek(offset: int, whence: int) -> tuple[str, int]:
        return guest.call("fd_seek", fd, offset, whence, position), guest.u64(position)

    assert guest.read(fd, 3) == ("ESUCCESS", b"con")
    assert seek(-1, 1) == ("ESUCCESS", 2)
    assert guest.read(fd, 2) == ("ESUCCESS", b"nt")
    assert seek(-3, 2) == ("ESUCCESS", 4)
    assert guest.write(fd, b"E", b"NT") == ("ESUCCESS", 3)
    assert guest.call("fd_tell", fd, position) == "ESUCCESS"
    assert guest.u64(position) == 7
    assert seek(100, 0) == ("ESUCCESS", 100)
    assert (tmp_path / "file").read_bytes() == b"contENT"
    assert seek(-1, 0)[0] == "EINVAL"
    assert seek(0, 3)[0] == "EINVAL"
    assert guest.call("fd_seek", fd, 0, 0, SIZE - 7) == "EFAULT"
    assert guest.call("fd_tell", fd, SIZE) == "EFAULT"


def test_positioned_reading_and_writing(guest: Any, tmp_path: Path) -> None:
    fd = guest.open("file")
    result, buf = guest.alloc(4), guest.alloc(16)
    vector = guest.iovecs((buf, 2), (buf + 2, 2))
    assert guest.call("fd_pread", fd, *vector, 3, result) == "ESUCCESS"
    assert (guest.u32(result), guest.data(buf, 4)) == (4, b"tent")
    assert guest.call("fd_pwrite", fd, *vector, 7, result) == "ESUCCESS"
    assert (tmp_path / "file").read_bytes() == b"contenttent"
    assert guest.read(fd, 3) == ("ESUCCESS", b"con")
    for name in ("fd_pread", "fd_pwrite"):
        assert guest.call(name, fd, *vector, 1 << 63, result) == "EINVAL"
        assert guest.call(name, 3, *vector, 0, result) == "EBADF"
        assert guest.call(name, 0, *vector, 0, result) in {"ESUCCESS", "ESPIPE"}


def test_streams_have_no_position(new_guest: Any) -> None:
    guest = new_guest(ModuleConfig().with_stdin(b"abc").with_stdout(bytearray()))
    vector = guest.iovecs((guest.alloc(8), 8))
    for fd in (0, 1):
        assert guest.call("fd_seek", fd, 0, 0, 0) == "ESPIPE"
        assert guest.call("fd_tell", fd, 0) == "ESPIPE"
    assert guest.call("fd_pread", 0, *vector, 0, 0) == "ESPIPE"
    assert guest.call("fd_pwrite", 1, *vector, 0, 0) == "ESPIPE"


def test_directories_have_no_content(guest: Any) -> None:
    vector = guest.iovecs((guest.alloc(8), 8))
    assert guest.call("fd_read", 3, *vector, 0) in {"EBADF", "EISDIR"}
    assert guest.call("fd_write", 3, *vector, 0) == "EBADF"
    assert guest.call("fd_seek", 3, 0, 0, 0) == "EBADF"
    assert guest.call("fd_tell", 3, 0) == "EBADF"
    assert guest.call("fd_filestat_set_size", 3, 0) == "EBADF"
    assert guest.call("fd_allocate", 3, 0, 1) == "EBADF"


def test_the_order_of_writes_of_guest_and_host(new_guest: Any, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        guest = new_guest(ModuleConfig().with_stdout(stream).with_stderr(stream))
        stream.write("1")
        guest.write(1, b"2")
        guest.write(2, b"3")
        stream.write("4")
        guest.write(1, b"5")
    assert (tmp_path / "out").read_text() == "12345"


def test_a_descriptor_can_be_standard_output(new_guest: Any) -> None:
    reader, writer = os.pipe()
    try:
        assert new_guest(ModuleConfig().with_stdout(writer)).write(1, b"a", b"b") == ("ESUCCESS", 2)
        assert os.read(reader, 10) == b"ab"
    finally:
        os.close(reader)
        os.close(writer)
