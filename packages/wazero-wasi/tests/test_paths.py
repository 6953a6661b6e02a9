"""Files by path: what is done, what is refused, and that nothing leads out of the mount."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from wazero_core.runtime.module_config import ModuleConfig
from wazero_core.system import FSConfig

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these cases state what POSIX systems answer")

SIZE = 1 << 16
CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE = 1, 2, 4, 8
READ, WRITE = 1 << 1, 1 << 6


@pytest.mark.parametrize("path", ["file", "./file", "dir/../file", "to_file", "to_dir/../file"])
def test_opening_and_reading(guest: Any, path: str) -> None:
    fd = guest.open(path, rights=READ)
    assert fd == 4
    assert guest.read(fd, 100) == ("ESUCCESS", b"content")


def test_opening_relative_to_an_open_directory(guest: Any) -> None:
    fd = guest.open("dir", oflags=DIRECTORY, rights=READ)
    assert guest.read(guest.open("inner", fd=fd), 100) == ("ESUCCESS", b"inner")
    assert guest.open("../file", fd=fd) == "EPERM"


def test_an_open_directory_keeps_its_files_when_it_is_renamed(guest: Any) -> None:
    fd = guest.open("dir", oflags=DIRECTORY, rights=READ)
    assert guest.call("path_rename", 3, *guest.text("dir"), 3, *guest.text("moved")) == "ESUCCESS"
    assert guest.read(guest.open("inner", fd=fd), 100) == ("ESUCCESS", b"inner")


@pytest.mark.parametrize(
    ("path", "arguments", "expected"),
    [
        ("missing", {}, "ENOENT"),
        ("", {}, "ENOENT"),
        ("missing/", {"oflags": CREATE}, "EISDIR"),
        ("file", {"oflags": CREATE | EXCLUSIVE}, "EEXIST"),
        ("file", {"oflags": DIRECTORY}, "ENOTDIR"),
        ("file/", {}, "ENOTDIR"),
        ("file/x", {}, "ENOTDIR"),
        ("dir", {"rights": READ | WRITE}, "EISDIR"),
        ("dir", {"oflags": DIRECTORY | CREATE}, "EINVAL"),
        ("to_file", {"follow": 0}, "ELOOP"),
        ("file", {"follow": 2}, "EINVAL"),
        ("file", {"oflags": 16}, "EINVAL"),
        ("file", {"fdflags": 32}, "EINVAL"),
        ("a\0b", {}, "EINVAL"),
        ("x" * 5000, {}, "ENAMETOOLONG"),
        ("file", {"fd": 0}, "ENOTDIR"),
        ("file", {"fd": 9}, "EBADF"),
        ("..", {}, "EPERM"),
        ("../file", {}, "EPERM"),
        ("dir/../../x", {}, "EPERM"),
        ("/", {}, "EPERM"),
        ("/etc/passwd", {}, "EPERM"),
        ("out", {"rights": 0}, "EPERM"),
        ("out/x", {"oflags": CREATE}, "EPERM"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_opening_what_cannot_be_opened(guest: Any, path: str, arguments: dict[str, int], expected: str) -> None:
    assert guest.open(path, **arguments) == expected
    assert guest.system.files.numbers() == (0, 1, 2, 3)


def test_creating_and_truncating(guest: Any, tmp_path: Path) -> None:
    guest.write(guest.open("new", oflags=CREATE | EXCLUSIVE), b"abc")
    guest.open("file", oflags=TRUNCATE)
    guest.write(guest.open("file", rights=WRITE, fdflags=1), b"xyz")
    assert (tmp_path / "new").read_bytes() == b"abc"
    assert (tmp_path / "file").read_bytes() == b"xyz"


def test_rights_tell_how_a_file_is_opened(guest: Any) -> None:
    read_only, write_only = guest.open("file", rights=READ), guest.open("file", rights=WRITE)
    assert guest.write(read_only, b"x")[0] == "EBADF"
    assert guest.read(write_only, 1)[0] == "EBADF"


def test_a_descriptor_that_cannot_be_stored_is_not_opened(guest: Any, tmp_path: Path) -> None:
    for result in (SIZE - 3, 0xFFFFFFFF):
        assert guest.call("path_open", 3, 0, *guest.text("new"), CREATE, READ | WRITE, 0, 0, result) == "EFAULT"
    assert guest.system.files.numbers() == (0, 1, 2, 3)
    assert not (tmp_path / "new").exists()


def test_too_many_open_files(new_guest: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    config = ModuleConfig().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/")).with_max_open_files(10)
    guest = new_guest(config)
    opened = [guest.open("file") for _ in range(8)]
    assert opened == [4, 5, 6, 7, 8, 9, "EMFILE", "EMFILE"]
    assert guest.open("new", oflags=CREATE) == "EMFILE"
    assert not (tmp_path / "new").exists()


def test_directories(guest: Any, tmp_path: Path) -> None:
    assert guest.call("path_create_directory", 3, *guest.text("new")) == "ESUCCESS"
    assert guest.call("path_create_directory", 3, *guest.text("new/deeper/")) == "ESUCCESS"
    assert (tmp_path / "new" / "deeper").is_dir()
    assert guest.call("path_create_directory", 3, *guest.text("new")) == "EEXIST"
    assert guest.call("path_remove_directory", 3, *guest.text("new")) == "ENOTEMPTY"
    assert guest.call("path_remove_directory", 3, *guest.text("new/deeper")) == "ESUCCESS"
    assert guest.call("path_remove_directory", 3, *guest.text("file")) == "ENOTDIR"
    assert guest.call("path_unlink_file", 3, *guest.text("new")) == "EISDIR"
    assert guest.call("path_unlink_file", 3, *guest.text("to_dir")) == "ESUCCESS"
    assert guest.call("path_unlink_file", 3, *guest.text("to_dir")) == "ENOENT"


def test_renaming_and_linking(guest: Any, tmp_path: Path) -> None:
    directory = guest.open("dir", oflags=DIRECTORY, rights=READ)
    assert guest.call("path_rename", 3, *guest.text("file"), directory, *guest.text("moved")) == "ESUCCESS"
    assert (tmp_path / "dir" / "moved").read_bytes() == b"content"
    assert guest.call("path_link", directory, 0, *guest.text("moved"), 3, *guest.text("hard")) == "ESUCCESS"
    assert (tmp_path / "hard").samefile(tmp_path / "dir" / "moved")
    assert guest.call("path_link", 3, 1, *guest.text("hard"), 3, *guest.text("hard2")) == "EINVAL"
    assert guest.call("path_link", 3, 0, *guest.text("dir"), 3, *guest.text("dir2")) == "EPERM"
    assert guest.call("path_rename", 3, *guest.text("hard"), 3, *guest.text("../stolen")) == "EPERM"
    assert guest.call("path_rename", 3, *guest.text("hard"), 0, *guest.text("x")) == "ENOTDIR"


def test_links(guest: Any, tmp_path: Path) -> None:
    assert guest.call("path_symlink", *guest.text("dir/inner"), 3, *guest.text("link")) == "ESUCCESS"
    assert guest.read(guest.open("link"), 9) == ("ESUCCESS", b"inner")
    buf, used = guest.put(b"\xaa" * 16), guest.alloc(4)
    for size, expected in ((16, b"dir/inner"), (9, b"dir/inner"), (3, b"dir"), (0, b"")):
        guest.memory.buffer[buf : buf + 16] = b"\xaa" * 16
        assert guest.call("path_readlink", 3, *guest.text("link"), buf, size, used) == "ESUCCESS"
        assert guest.data(buf, len(expected) + 1) == expected + b"\xaa"
        assert guest.u32(used) == len(expected)
    assert guest.call("path_readlink", 3, *guest.text("file"), buf, 16, used) == "EINVAL"
    assert guest.call("path_readlink", 3, *guest.text("link"), SIZE - 1, 2, used) == "EFAULT"
    assert guest.call("path_readlink", 3, *guest.text("link"), buf, 16, SIZE - 3) == "EFAULT"
    assert guest.call("path_symlink", *guest.text("/etc"), 3, *guest.text("absolute")) == "EPERM"
    assert guest.call("path_symlink", 0, 0, 3, *guest.text("empty")) == "ENOENT"
    assert guest.call("path_symlink", *guest.text("../.."), 3, *guest.text("up")) == "ESUCCESS"
    assert guest.open("up/x", oflags=CREATE) == "EPERM"


def test_names_that_are_no_utf8(guest: Any, tmp_path: Path) -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS refuses such names")
    guest.write(guest.open(b"caf\xe9", oflags=CREATE), b"latin")
    assert (tmp_path / os.fsdecode(b"caf\xe9")).read_bytes() == b"latin"
    buf, used = guest.alloc(1000), guest.alloc(4)
    assert guest.call("fd_readdir", 3, buf, 1000, 0, used) == "ESUCCESS"
    assert b"caf\xe9" in guest.data(buf, guest.u32(used))


@pytest.mark.parametrize(
    ("path", "flags", "kind", "size"),
    [
        ("file", 0, 4, 7),
        ("to_file", 1, 4, 7),
        ("to_file", 0, 7, 4),
        ("dir", 0, 3, None),
        (".", 1, 3, None),
        ("out", 0, 7, 2),
    ],
)
def test_what_is_known_of_a_path(guest: Any, path: str, flags: int, kind: int, size: int | None) -> None:
    result = guest.put(b"\xaa" * 72)
    assert guest.call("path_filestat_get", 3, flags, *guest.text(path), result) == "ESUCCESS"
    raw = guest.data(result, 72)
    assert raw[64:] == b"\xaa" * 8
    assert raw[16] == kind
    if size is not None:
        assert struct.unpack_from("<Q", raw, 32)[0] == size


@pytest.mark.parametrize(
    ("path", "flags", "expected"),
    [("missing", 1, "ENOENT"), ("out", 1, "EPERM"), ("/", 1, "EPERM"), ("file", 2, "EINVAL"), ("file/", 0, "ENOTDIR")],
)
def test_what_is_not_known_of_a_path(guest: Any, path: str, flags: int, expected: str) -> None:
    assert guest.call("path_filestat_get", 3, flags, *guest.text(path), guest.alloc(64)) == expected


PATH_FUNCTIONS: dict[str, Any] = {
    "path_create_directory": lambda p, n: (3, p, n),
    "path_filestat_get": lambda p, n: (3, 0, p, n, 0),
    "path_filestat_set_times": lambda p, n: (3, 0, p, n, 0, 0, 0),
    "path_link": lambda p, n: (3, 0, p, n, 3, p, n),
    "path_open": lambda p, n: (3, 0, p, n, 0, 0, 0, 0, 0),
    "path_readlink": lambda p, n: (3, p, n, 0, 8, 0),
    "path_remove_directory": lambda p, n: (3, p, n),
    "path_rename": lambda p, n: (3, p, n, 3, p, n),
    "path_symlink": lambda p, n: (p, n, 3, p, n),
    "path_unlink_file": lambda p, n: (3, p, n),
}


@pytest.mark.parametrize("name", PATH_FUNCTIONS)
@pytest.mark.parametrize(
    ("pointer", "length"), [(SIZE - 1, 2), (SIZE, 1), (0xFFFFFFFF, 1), (0, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF)]
)
def test_paths_outside_memory(guest: Any, name: str, pointer: int, length: int) -> None:
    before = bytes(guest.memory.buffer)
    assert guest.call(name, *PATH_FUNCTIONS[name](pointer, length)) == "EFAULT"
    assert bytes(guest.memory.buffer) == before


@pytest.mark.parametrize("name", PATH_FUNCTIONS)
def test_a_read_only_mount_stays_as_it_is(new_guest: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"content")
    guest = new_guest(ModuleConfig().with_fs_config(FSConfig().with_read_only_dir_mount(tmp_path, "/")))
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    pointer, length = guest.text("file")
    expected = {"path_open": "ESUCCESS", "path_filestat_get": "ESUCCESS", "path_readlink": "EINVAL"}
    assert guest.call(name, *PATH_FUNCTIONS[name](pointer, length)) == expected.get(name, "EROFS")
    assert guest.open("file", rights=READ | WRITE) == "EROFS"
    assert guest.open("new", oflags=CREATE) == "EROFS"
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
