"""Open files as such: flags, rights, mounts, closing, renumbering, sizes, times, listings."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest

from wazero_core.runtime.module_config import ModuleConfig
from wazero_core.system import FSConfig

SIZE = 1 << 16
READ, WRITE, SEEK, TELL, PATH_OPEN = 1 << 1, 1 << 6, 1 << 2, 1 << 5, 1 << 13


def fdstat(guest: Any, fd: int) -> tuple[int, int, int, int]:
    """Kind, flags, rights, rights of files opened through it."""
    result = guest.put(b"\xaa" * 32)
    assert guest.call("fd_fdstat_get", fd, result) == "ESUCCESS"
    raw = guest.data(result, 32)
    assert raw[24:] == b"\xaa" * 8
    kind, flags, base, inheriting = struct.unpack("<BxH4xQQ", raw[:24])
    return kind, flags, base, inheriting


def filestat(guest: Any, fd: int, size: int = 64) -> bytes:
    result = guest.put(b"\xaa" * 72)
    assert guest.call("fd_filestat_get", fd, result) == "ESUCCESS"
    assert guest.data(result + size, 72 - size) == b"\xaa" * (72 - size)
    return bytes(guest.data(result, size))


def test_the_layout_of_fdstat(guest: Any) -> None:
    kind, flags, base, inheriting = fdstat(guest, 3)
    assert (kind, flags) == (3, 0)
    assert base & PATH_OPEN
    assert not base & (READ | WRITE | SEEK)
    assert inheriting & (READ | WRITE | SEEK | PATH_OPEN) == READ | WRITE | SEEK | PATH_OPEN


@pytest.mark.parametrize(
    ("rights", "fdflags", "expected"),
    [
        (READ, 0, READ),
        (WRITE, 0, WRITE),
        (READ | WRITE, 1, READ | WRITE),
        (0, 4, READ),
        (READ | WRITE, 16, READ | WRITE),
    ],
)
def test_what_can_be_done_with_a_file(guest: Any, rights: int, fdflags: int, expected: int) -> None:
    kind, flags, base, inheriting = fdstat(guest, guest.open("file", rights=rights, fdflags=fdflags))
    assert (kind, flags, inheriting) == (4, fdflags, 0)
    assert base & (READ | WRITE) == expected
    assert base & (SEEK | TELL) == SEEK | TELL


def test_standard_streams(new_guest: Any) -> None:
    guest = new_guest(ModuleConfig().with_stdin(b"").with_stdout(bytearray()))
    for fd, kind, rights in ((0, 0, READ), (1, 0, WRITE)):
        found, _, base, _ = fdstat(guest, fd)
        assert found == kind
        assert base & (READ | WRITE | SEEK | TELL) == rights
    # Nothing configured is the null device: a character device, yet no terminal, since it can seek.
    kind, _, base, _ = fdstat(guest, 2)
    assert kind == 2
    assert base & (SEEK | TELL)


def test_flags_can_be_changed(guest: Any, tmp_path: Path) -> None:
    fd = guest.open("file")
    assert guest.call("fd_fdstat_set_flags", fd, 1 | 4) == "ESUCCESS"
    assert fdstat(guest, fd)[1] == 5
    guest.write(fd, b"+")
    assert guest.call("fd_fdstat_set_flags", fd, 0) == "ESUCCESS"
    guest.call("fd_seek", fd, 0, 0, 0)
    guest.write(fd, b"C")
    assert (tmp_path / "file").read_bytes() == b"Content+"
    assert guest.call("fd_fdstat_set_flags", fd, 2) == "ENOTSUP"
    assert guest.call("fd_fdstat_set_flags", fd, 32) == "EINVAL"
    assert guest.call("fd_fdstat_set_flags", 9, 0) == "EBADF"


def test_mounts_are_found_by_their_names(new_guest: Any, tmp_path: Path) -> None:
    config = FSConfig().with_dir_mount(tmp_path, "/").with_dir_mount(tmp_path, "/café")
    guest = new_guest(ModuleConfig().with_fs_config(config))
    result, buf = guest.alloc(8), guest.put(b"\xaa" * 16)
    for fd, name in ((3, b"/"), (4, "/café".encode())):
        assert guest.call("fd_prestat_get", fd, result) == "ESUCCESS"
        assert guest.data(result, 8) == struct.pack("<II", 0, len(name))
        assert guest.call("fd_prestat_dir_name", fd, buf, len(name)) == "ESUCCESS"
        assert guest.data(buf, len(name) + 1) == name + b"\xaa"
    assert guest.call("fd_prestat_dir_name", 4, buf, 16) == "ESUCCESS"
    assert guest.call("fd_prestat_dir_name", 4, buf, 5) == "ENAMETOOLONG"
    assert guest.call("fd_prestat_dir_name", 4, SIZE - 5, 6) == "EFAULT"
    for fd in (0, 5, 0xFFFFFFFF):
        assert guest.call("fd_prestat_get", fd, result) == "EBADF"
        assert guest.call("fd_prestat_dir_name", fd, buf, 1) == "EBADF"
    assert guest.call("fd_prestat_get", 3, SIZE - 7) == "EFAULT"


def test_what_is_opened_is_no_mount(guest: Any) -> None:
    assert guest.call("fd_prestat_get", guest.open("dir", oflags=2, rights=0), 0) == "EBADF"


def test_closing(guest: Any) -> None:
    fd = guest.open("file")
    assert guest.call("fd_close", fd) == "ESUCCESS"
    assert guest.call("fd_close", fd) == "EBADF"
    assert guest.read(fd, 1)[0] == "EBADF"
    assert guest.open("file") == fd
    assert guest.call("fd_close", 3) == "ESUCCESS"
    assert guest.open("file") == "EBADF"
    assert guest.call("fd_close", 0xFFFFFFFF) == "EBADF"


def test_renumbering(guest: Any) -> None:
    first, second = guest.open("file"), guest.open("dir/inner")
    assert guest.call("fd_renumber", second, first) == "ESUCCESS"
    assert guest.read(first, 9) == ("ESUCCESS", b"inner")
    assert guest.read(second, 9)[0] == "EBADF"
    assert guest.call("fd_renumber", first, 99) == "EBADF"
    assert guest.call("fd_renumber", 99, first) == "EBADF"
    assert guest.call("fd_renumber", first, first) == "ESUCCESS"


def test_the_layout_of_filestat(guest: Any, tmp_path: Path) -> None:
    os.utime(tmp_path / "file", ns=(1_000_000_001, 2_000_000_002))
    stat = (tmp_path / "file").stat()
    raw = filestat(guest, guest.open("file"))
    assert struct.unpack("<QQB7xQQQQQ", raw) == (
        stat.st_dev,
        stat.st_ino,
        4,
        1,
        7,
        1_000_000_001,
        2_000_000_002,
        stat.st_ctime_ns,
    )
    assert filestat(guest, 3)[16] == 3


def test_the_layout_of_filestat_was_another(new_guest: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    os.utime(tmp_path / "file", ns=(1, 2))
    config = ModuleConfig().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/"))
    guest = new_guest(config, "wasi_unstable")
    stat = (tmp_path / "file").stat()
    raw = filestat(guest, guest.open("file"), 56)
    assert struct.unpack("<QQB3xIQQQQ", raw) == (stat.st_dev, stat.st_ino, 4, 1, 7, 1, 2, stat.st_ctime_ns)


@pytest.mark.parametrize(("whence", "expected"), [(0, 5), (1, 9), (2, 2)])
def test_where_to_count_from_was_numbered_otherwise(new_guest: Any, tmp_path: Path, whence: int, expected: int) -> None:
    (tmp_path / "file").write_bytes(b"content")
    guest = new_guest(ModuleConfig().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/")), "wasi_unstable")
    fd = guest.open("file")
    guest.read(fd, 3)
    position = guest.alloc(8)
    assert guest.call("fd_seek", fd, 2, whence, position) == "ESUCCESS"
    assert guest.u64(position) == expected


def test_sizes(guest: Any, tmp_path: Path) -> None:
    fd = guest.open("file")
    assert guest.call("fd_filestat_set_size", fd, 3) == "ESUCCESS"
    assert guest.call("fd_allocate", fd, 2, 3) == "ESUCCESS"
    assert (tmp_path / "file").read_bytes() == b"con\0\0"
    assert guest.call("fd_allocate", fd, 0, 1) == "ESUCCESS"
    assert (tmp_path / "file").stat().st_size == 5
    assert guest.call("fd_allocate", fd, 0, 0) == "EINVAL"
    assert guest.call("fd_allocate", fd, 1 << 63, 1) == "EINVAL"
    assert guest.call("fd_allocate", fd, (1 << 63) - 1, 1) == "EFBIG"
    assert guest.call("fd_filestat_set_size", fd, 1 << 63) == "EINVAL"
    assert guest.call("fd_filestat_set_size", fd, (1 << 63) - 1) in {"EFBIG", "EINVAL"}
    assert guest.call("fd_filestat_set_size", guest.open("file", rights=READ), 0) in {"EINVAL", "EBADF"}


TIMES = [
    # flags, seconds expected of access and modification; 0 = as before, -1 = now
    (0, 0, 0),
    (1, 11, 0),
    (4, 0, 22),
    (1 | 4, 11, 22),
    (2, -1, 0),
    (8, 0, -1),
    (1 | 8, 11, -1),
]


@pytest.mark.parametrize(("flags", "accessed", "modified"), TIMES)
@pytest.mark.parametrize("way", ["descriptor", "path", "link"])
def test_times(guest: Any, tmp_path: Path, flags: int, accessed: int, modified: int, way: str) -> None:
    os.utime(tmp_path / "file", (5, 6))
    times = (11 * 10**9, 22 * 10**9, flags)
    if way == "descriptor":
        assert guest.call("fd_filestat_set_times", guest.open("file"), *times) == "ESUCCESS"
    else:
        path = guest.text("file" if way == "path" else "to_file")
        assert guest.call("path_filestat_set_times", 3, 1, *path, *times) == "ESUCCESS"
    stat, now = (tmp_path / "file").stat(), 1_640_995_200  # what the fake clock says
    assert stat.st_atime == {0: 5, -1: now}.get(accessed, accessed)
    assert stat.st_mtime == {0: 6, -1: now}.get(modified, modified)


@pytest.mark.parametrize("flags", [3, 12, 15, 16, 0xFFFF])
def test_times_that_contradict_each_other(guest: Any, flags: int) -> None:
    assert guest.call("fd_filestat_set_times", guest.open("file"), 0, 0, flags) == "EINVAL"
    assert guest.call("path_filestat_set_times", 3, 1, *guest.text("file"), 0, 0, flags) == "EINVAL"


@pytest.mark.parametrize("name", ["fd_sync", "fd_datasync"])
def test_syncing(guest: Any, name: str) -> None:
    assert guest.call(name, guest.open("file")) == "ESUCCESS"
    assert guest.call(name, 3) == "ESUCCESS"
    assert guest.call(name, 9) == "EBADF"


@pytest.mark.parametrize(
    ("fd", "offset", "length", "advice", "expected"),
    [
        (4, 0, 0, 0, "ESUCCESS"),
        (4, 5, 100, 5, "ESUCCESS"),
        (4, 0, 0, 6, "EINVAL"),
        (4, 1 << 63, 0, 0, "EINVAL"),
        (4, 1, (1 << 63) - 1, 0, "EINVAL"),
        (3, 0, 0, 0, "EBADF"),
        (9, 0, 0, 0, "EBADF"),
    ],
)
def test_advice(guest: Any, fd: int, offset: int, length: int, advice: int, expected: str) -> None:
    assert guest.open("file") == 4
    assert guest.call("fd_advise", fd, offset, length, advice) == expected


def entries(raw: bytes) -> list[tuple[int, int, int, bytes]]:
    """(next cookie, inode, kind, name) of each entry that is whole."""
    found = []
    while len(raw) >= 24:
        cookie, inode, size, kind = struct.unpack("<QQIB3x", raw[:24])
        if len(raw) < 24 + size:
            break
        found.append((cookie, inode, kind, raw[24 : 24 + size]))
        raw = raw[24 + size :]
    return found


def readdir(guest: Any, fd: int, size: int, cookie: int) -> bytes:
    buf, used = guest.alloc(size), guest.alloc(4)
    assert guest.call("fd_readdir", fd, buf, size, cookie, used) == "ESUCCESS"
    assert guest.u32(used) <= size
    return bytes(guest.data(buf, guest.u32(used)))


def test_listing(guest: Any, tmp_path: Path) -> None:
    found = entries(readdir(guest, 3, 4096, 0))
    assert [cookie for cookie, *_ in found] == list(range(1, len(found) + 1))
    assert found[0][1:] == (tmp_path.stat().st_ino, 3, b".")
    assert found[1][2:] == (3, b"..")
    assert {(name, kind, inode) for _, inode, kind, name in found[2:]} == {
        (path.name.encode(), 7 if path.is_symlink() else 3 if path.is_dir() else 4, path.lstat().st_ino)
        for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize("size", [32, 40, 64, 100, 1000])
def test_listing_in_pieces(guest: Any, tmp_path: Path, size: int) -> None:
    """As wasi-libc does: a full buffer means that there is more, from the last whole entry on."""
    names: list[bytes] = []
    cookie = 0
    while True:
        raw = readdir(guest, 3, size, cookie)
        found = entries(raw)
        names += [name for *_, name in found]
        cookie = found[-1][0] if found else cookie
        if len(raw) < size:
            break
    assert sorted(names) == sorted([b".", b"..", *(os.fsencode(path.name) for path in tmp_path.iterdir())])


def test_cookies_stay_true_while_the_directory_changes(guest: Any, tmp_path: Path) -> None:
    first = entries(readdir(guest, 3, 4096, 0))
    (tmp_path / "new").write_bytes(b"")
    (tmp_path / "file").unlink()
    assert entries(readdir(guest, 3, 4096, 3)) == first[3:]
    again = {name for *_, name in entries(readdir(guest, 3, 4096, 0))}
    assert b"new" in again
    assert b"file" not in again


def test_the_end_of_a_listing(guest: Any) -> None:
    count = len(entries(readdir(guest, 3, 4096, 0)))
    for cookie in (count, count + 1, (1 << 64) - 1):
        assert readdir(guest, 3, 4096, cookie) == b""
    assert readdir(guest, 3, 0, 0) == b""


def test_listing_what_cannot_be_listed(guest: Any) -> None:
    assert guest.call("fd_readdir", guest.open("file"), 0, 8, 0, 0) == "ENOTDIR"
    assert guest.call("fd_readdir", 9, 0, 8, 0, 0) == "EBADF"
    assert guest.call("fd_readdir", 3, SIZE - 8, 9, 0, 0) == "EFAULT"
    assert guest.call("fd_readdir", 3, 0, 8, 0, SIZE - 3) == "EFAULT"
    assert guest.call("fd_readdir", 3, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0) == "EFAULT"


@pytest.mark.parametrize("name", ["fd_fdstat_get", "fd_filestat_get"])
def test_results_outside_memory(guest: Any, name: str) -> None:
    assert guest.call(name, 3, SIZE - 8) == "EFAULT"
    assert guest.call(name, 3, 0xFFFFFFFF) == "EFAULT"
    assert guest.call(name, 9, 0) == "EBADF"
