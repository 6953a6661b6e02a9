"""Rights that a guest gives up: what each function needs of them, that they stay lost, and that opened files lose them too."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wazero_core.runtime.module_config import ModuleConfig
from wazero_core.system import FSConfig
from wazero_wasi import rights, signatures
from wazero_wasi.errnos import ENOTCAPABLE
from wazero_wasi.rights import Rights

ALL = (1 << 64) - 1
ROOT = 3


def fdstat(guest: Any, fd: int) -> tuple[int, int]:
    """Rights, and those of files opened through it."""
    result = guest.alloc(24)
    assert guest.call("fd_fdstat_get", fd, result) == "ESUCCESS"
    return guest.u64(result + 8), guest.u64(result + 16)


def drop(guest: Any, fd: int, base: int, inheriting: int = 0) -> None:
    """Give up rights and keep all others."""
    mine, passed_on = fdstat(guest, fd)
    assert guest.call("fd_fdstat_set_rights", fd, mine & ~base, passed_on & ~inheriting) == "ESUCCESS"


def keep(guest: Any, fd: int, base: int) -> None:
    """Give up all other rights."""
    assert guest.call("fd_fdstat_set_rights", fd, base, 0) == "ESUCCESS"


class World:
    """A guest with one open file of each kind, whose rights are whole, and another directory, "dir"."""

    def __init__(self, guest: Any) -> None:
        self.guest = guest
        accepted = guest.alloc(4)
        self.fds = {"directory": ROOT, "listener": 4}
        assert guest.call("sock_accept", 4, 0, accepted) == "ESUCCESS"
        self.fds["connection"] = guest.u32(accepted)
        self.fds["file"] = guest.open("file", rights=Rights.FD_READ | Rights.FD_WRITE)
        self.other = guest.open("dir", oflags=2, rights=0)

    def text(self, text: str) -> tuple[int, int]:
        pair: tuple[int, int] = self.guest.text(text)
        return pair

    def room(self) -> tuple[int, int, int]:
        """A vector with one buffer of 4 bytes, and where the result goes."""
        return (*self.guest.iovecs((self.guest.alloc(4), 4)), self.guest.alloc(8))


@pytest.fixture
def world(new_guest: Any, tmp_path: Path) -> Iterator[World]:
    """The connection has something to read, and the listener another connection."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as client, socket.create_connection(address):
            client.sendall(b"hello")
            fs = FSConfig().with_dir_mount(tmp_path, "/")
            yield World(new_guest(ModuleConfig().with_fs_config(fs).with_listener(listener)))


class Need(NamedTuple):
    """One way to call a function: the kind of file it gets, the rights that this file needs, and the arguments."""

    name: str
    kind: str
    rights: Rights
    arguments: Callable[[World, int], tuple[int, ...]]
    way: str = ""


def poll(world: World, fd: int, tag: int) -> str:
    """The errno of the one event."""
    guest = world.guest
    events = guest.alloc(32)
    subscription = guest.put(struct.pack("<QB7xI28x", 1, tag, fd))
    assert guest.call("poll_oneoff", subscription, events, 1, guest.alloc(4)) == "ESUCCESS"
    return "ENOTCAPABLE" if guest.data(events + 8, 2)[0] == ENOTCAPABLE else "ESUCCESS"


R = Rights
PATH_OPEN = R.PATH_OPEN
# fmt: off
NEEDS = (
    Need("fd_advise", "file", R.FD_ADVISE, lambda w, fd: (fd, 0, 0, 0)),
    Need("fd_allocate", "file", R.FD_ALLOCATE, lambda w, fd: (fd, 0, 1)),
    Need("fd_datasync", "file", R.FD_DATASYNC, lambda w, fd: (fd,)),
    Need("fd_fdstat_set_flags", "file", R.FD_FDSTAT_SET_FLAGS, lambda w, fd: (fd, 0)),
    Need("fd_filestat_get", "file", R.FD_FILESTAT_GET, lambda w, fd: (fd, w.guest.alloc(64))),
    Need("fd_filestat_set_size", "file", R.FD_FILESTAT_SET_SIZE, lambda w, fd: (fd, 7)),
    Need("fd_filestat_set_times", "file", R.FD_FILESTAT_SET_TIMES, lambda w, fd: (fd, 1, 1, 5)),
    Need("fd_pread", "file", R.FD_READ | R.FD_SEEK, lambda w, fd: (fd, *w.room()[:2], 0, w.guest.alloc(4))),
    Need("fd_pwrite", "file", R.FD_WRITE | R.FD_SEEK, lambda w, fd: (fd, *w.room()[:2], 0, w.guest.alloc(4))),
    Need("fd_read", "file", R.FD_READ, lambda w, fd: (fd, *w.room())),
    Need("fd_read", "connection", R.FD_READ, lambda w, fd: (fd, *w.room()), "connection"),
    Need("fd_readdir", "directory", R.FD_READDIR, lambda w, fd: (fd, w.guest.alloc(64), 64, 0, w.guest.alloc(4))),
    Need("fd_seek", "file", R.FD_SEEK, lambda w, fd: (fd, 1, 0, w.guest.alloc(8))),
    Need("fd_seek", "file", R.FD_SEEK, lambda w, fd: (fd, 0, 2, w.guest.alloc(8)), "to the end"),
    Need("fd_seek", "file", R.FD_TELL, lambda w, fd: (fd, 0, 1, w.guest.alloc(8)), "nowhere"),
    Need("fd_sync", "file", R.FD_SYNC, lambda w, fd: (fd,)),
    Need("fd_tell", "file", R.FD_TELL, lambda w, fd: (fd, w.guest.alloc(8))),
    Need("fd_write", "file", R.FD_WRITE, lambda w, fd: (fd, *w.room())),
    Need("fd_write", "connection", R.FD_WRITE, lambda w, fd: (fd, *w.room()), "connection"),
    Need("path_create_directory", "directory", R.PATH_CREATE_DIRECTORY, lambda w, fd: (fd, *w.text("new"))),
    Need("path_filestat_get", "directory", R.PATH_FILESTAT_GET, lambda w, fd: (fd, 1, *w.text("file"), w.guest.alloc(64))),
    Need("path_filestat_set_times", "directory", R.PATH_FILESTAT_SET_TIMES, lambda w, fd: (fd, 1, *w.text("file"), 1, 1, 5)),
    Need("path_link", "directory", R.PATH_LINK_SOURCE, lambda w, fd: (fd, 0, *w.text("file"), w.other, *w.text("name")), "source"),
    Need("path_link", "directory", R.PATH_LINK_TARGET, lambda w, fd: (ROOT, 0, *w.text("file"), fd, *w.text("name")), "target"),
    Need("path_open", "directory", PATH_OPEN, lambda w, fd: (fd, 1, *w.text("file"), 0, 0, 0, 0, w.guest.alloc(4))),
    Need("path_open", "directory", PATH_OPEN | R.PATH_CREATE_FILE, lambda w, fd: (fd, 1, *w.text("new"), 1, 0, 0, 0, w.guest.alloc(4)), "create"),
    Need("path_open", "directory", PATH_OPEN | R.PATH_FILESTAT_SET_SIZE, lambda w, fd: (fd, 1, *w.text("file"), 8, 0, 0, 0, w.guest.alloc(4)), "truncate"),
    Need("path_readlink", "directory", R.PATH_READLINK, lambda w, fd: (fd, *w.text("link"), w.guest.alloc(8), 8, w.guest.alloc(4))),
    Need("path_remove_directory", "directory", R.PATH_REMOVE_DIRECTORY, lambda w, fd: (fd, *w.text("dir"))),
    Need("path_rename", "directory", R.PATH_RENAME_SOURCE, lambda w, fd: (fd, *w.text("file"), w.other, *w.text("name")), "source"),
    Need("path_rename", "directory", R.PATH_RENAME_TARGET, lambda w, fd: (ROOT, *w.text("file"), fd, *w.text("name")), "target"),
    Need("path_symlink", "directory", R.PATH_SYMLINK, lambda w, fd: (*w.text("target"), fd, *w.text("new"))),
    Need("path_unlink_file", "directory", R.PATH_UNLINK_FILE, lambda w, fd: (fd, *w.text("file"))),
    Need("poll_oneoff", "file", R.POLL_FD_READWRITE | R.FD_READ, lambda w, fd: (fd, 1), "read"),
    Need("poll_oneoff", "file", R.POLL_FD_READWRITE | R.FD_WRITE, lambda w, fd: (fd, 2), "write"),
    Need("poll_oneoff", "connection", R.POLL_FD_READWRITE | R.FD_READ, lambda w, fd: (fd, 1), "connection"),
    Need("sock_accept", "listener", R.SOCK_ACCEPT, lambda w, fd: (fd, 0, w.guest.alloc(4))),
    Need("sock_recv", "connection", R.FD_READ, lambda w, fd: (fd, *w.room()[:2], 0, w.guest.alloc(4), w.guest.alloc(4))),
    Need("sock_send", "connection", R.FD_WRITE, lambda w, fd: (fd, *w.room()[:2], 0, w.guest.alloc(4))),
    Need("sock_shutdown", "connection", R.SOCK_SHUTDOWN, lambda w, fd: (fd, 2)),
)
# fmt: on

FREE = {
    "fd_close": (),
    "fd_fdstat_get": (1024,),
    "fd_fdstat_set_rights": (0, 0),
    "fd_prestat_dir_name": (1024, 1),
    "fd_prestat_get": (1024,),
    "fd_renumber": (ROOT,),
}
"""What takes a descriptor and needs no right, with its other arguments."""

WITHOUT_DESCRIPTOR = {"args", "clock", "environ", "proc", "random", "sched"}
"""The first words of the names of functions that no right is about."""


def test_no_function_is_forgotten() -> None:
    about_files = {row.name for row in signatures.TABLE if row.name.partition("_")[0] not in WITHOUT_DESCRIPTOR}
    assert about_files == {need.name for need in NEEDS} | set(FREE)
    assert not {need.name for need in NEEDS} & set(FREE)
    for row in signatures.TABLE:
        has_descriptor = "fd" in row.param_names or "old_fd" in row.param_names
        assert has_descriptor == (row.name in about_files - {"poll_oneoff"}), row.name


def test_no_right_is_forgotten() -> None:
    assert set(Rights) == set(itertools.chain.from_iterable(need.rights for need in NEEDS))


def call(world: World, need: Need, fd: int) -> str:
    arguments = need.arguments(world, fd)
    if need.name == "poll_oneoff":
        return poll(world, *arguments)
    errno: str = world.guest.call(need.name, *arguments)
    return errno


def fd_for(world: World, need: Need) -> int:
    # Of two directories, the one that is tested must not be the one that keeps its rights.
    return world.guest.open(".", oflags=2, rights=0) if need.way == "target" else world.fds[need.kind]


def show(need: Need) -> str:
    return f"{need.name} {need.way}".strip()


@pytest.mark.parametrize("need", NEEDS, ids=show)
def test_a_function_works_with_the_rights_it_needs_alone(world: World, need: Need) -> None:
    fd = fd_for(world, need)
    keep(world.guest, fd, need.rights)
    assert call(world, need, fd) == "ESUCCESS"


@pytest.mark.parametrize(
    ("need", "right"), [pytest.param(n, r, id=f"{show(n)} {r.name}") for n in NEEDS for r in n.rights]
)
def test_a_function_is_refused_without_a_right_it_needs(world: World, need: Need, right: Rights) -> None:
    fd = fd_for(world, need)
    drop(world.guest, fd, right)
    assert call(world, need, fd) == "ENOTCAPABLE"


@pytest.mark.parametrize("name", FREE)
def test_functions_that_need_no_right(world: World, name: str) -> None:
    keep(world.guest, ROOT, 0)
    assert world.guest.call(name, ROOT, *FREE[name]) == "ESUCCESS"


@pytest.mark.parametrize("kind", ["directory", "listener", "connection", "file"])
def test_what_a_file_has_is_what_its_functions_need(world: World, kind: str) -> None:
    base, inheriting = fdstat(world.guest, world.fds[kind])
    for need in NEEDS:
        if need.kind == kind:
            assert need.rights in Rights(base), need.name
    assert bool(inheriting) == (kind in {"directory", "listener"})


@pytest.mark.parametrize("right", list(Rights), ids=lambda right: str(right.name))
def test_rights_cannot_be_taken_back(world: World, right: Rights) -> None:
    """Nor can one be had that the file never had; either way nothing changes."""
    guest = world.guest
    before = fdstat(guest, ROOT)
    drop(guest, ROOT, right, right)
    after = fdstat(guest, ROOT)
    assert after == (before[0] & ~right, before[1] & ~right)
    assert guest.call("fd_fdstat_set_rights", ROOT, after[0] | right, 0) == "ENOTCAPABLE"
    assert guest.call("fd_fdstat_set_rights", ROOT, 0, after[1] | right) == "ENOTCAPABLE"
    assert fdstat(guest, ROOT) == after


@pytest.mark.parametrize(("base", "inheriting"), [(ALL, 0), (0, ALL), (1 << 30, 0), (0, 1 << 30), (1 << 63, 1 << 63)])
def test_rights_that_do_not_exist(guest: Any, base: int, inheriting: int) -> None:
    before = fdstat(guest, ROOT)
    assert guest.call("fd_fdstat_set_rights", ROOT, base, inheriting) == "ENOTCAPABLE"
    assert fdstat(guest, ROOT) == before


def test_setting_what_is_there_changes_nothing(world: World) -> None:
    for fd in world.fds.values():
        before = fdstat(world.guest, fd)
        drop(world.guest, fd, 0)
        assert fdstat(world.guest, fd) == before


def test_rights_of_nothing(guest: Any) -> None:
    assert guest.call("fd_fdstat_set_rights", 9, 0, 0) == "EBADF"


@pytest.mark.parametrize(
    ("lost", "asked", "expected"),
    [
        (R.FD_WRITE, R.FD_READ, "opened"),
        (R.FD_WRITE, R.FD_READ | R.FD_WRITE, "ENOTCAPABLE"),
        (R.FD_WRITE, R.FD_WRITE, "ENOTCAPABLE"),
        (R.FD_READ, R.FD_WRITE, "opened"),
        (R.FD_READ, R.FD_READ, "ENOTCAPABLE"),
        (R.FD_READ, R(0), "opened"),
        (R.FD_SEEK, R.FD_READ, "opened"),
        # compilers ask for all that there is; what is not reading or writing is simply not given
        (R.FD_SEEK | R.PATH_OPEN, R((1 << 30) - 1), "opened"),
    ],
)
def test_files_opened_through_a_directory_lack_what_it_does_not_pass_on(
    guest: Any, lost: Rights, asked: Rights, expected: str
) -> None:
    drop(guest, ROOT, 0, lost)
    fd = guest.open("file", rights=asked)
    if expected != "opened":
        assert fd == expected
        return
    assert not fdstat(guest, fd)[0] & lost
    assert (guest.read(fd, 1)[0] == "ESUCCESS") == (R.FD_READ in asked & ~lost)
    assert (guest.write(fd, b"x")[0] == "ESUCCESS") == (R.FD_WRITE in asked & ~lost)
    assert (guest.call("fd_seek", fd, 1, 0, guest.alloc(8)) == "ESUCCESS") == (R.FD_SEEK not in lost)


def test_what_a_directory_does_not_pass_on_is_lost_at_every_depth(guest: Any, tmp_path: Path) -> None:
    (tmp_path / "dir" / "deep").mkdir()
    (tmp_path / "dir" / "deep" / "file").write_bytes(b"content")
    lost = R.FD_WRITE | R.PATH_UNLINK_FILE
    drop(guest, ROOT, 0, lost)
    fd = ROOT
    for name in ("dir", "deep"):
        fd = guest.open(name, fd=fd, oflags=2, rights=0)
        assert fdstat(guest, fd) == (rights.DIRECTORY & ~lost, rights.INHERITED & ~lost)
        assert guest.call("path_unlink_file", fd, *guest.text("file")) == "ENOTCAPABLE"
    assert guest.open("file", fd=fd, rights=R.FD_WRITE) == "ENOTCAPABLE"
    assert guest.write(guest.open("file", fd=fd, rights=0), b"x")[0] == "ENOTCAPABLE"
    assert guest.read(guest.open("file", fd=fd, rights=R.FD_READ), 7) == ("ESUCCESS", b"content")
    assert guest.call("path_unlink_file", ROOT, *guest.text("file")) == "ESUCCESS"  # its own rights are whole


def test_rights_of_a_directory_itself_are_not_those_of_what_is_opened(guest: Any) -> None:
    drop(guest, ROOT, R.PATH_UNLINK_FILE | R.FD_READDIR)
    fd = guest.open("dir", oflags=2, rights=0)
    assert guest.call("path_unlink_file", fd, *guest.text("inner")) == "ESUCCESS"
    assert guest.call("path_unlink_file", ROOT, *guest.text("file")) == "ENOTCAPABLE"


def test_connections_lack_what_their_listener_does_not_pass_on(world: World) -> None:
    drop(world.guest, world.fds["listener"], 0, R.SOCK_SHUTDOWN | R.FD_WRITE)
    accepted = world.guest.alloc(4)
    assert world.guest.call("sock_accept", 4, 0, accepted) == "ESUCCESS"
    fd = world.guest.u32(accepted)
    assert world.guest.call("sock_shutdown", fd, 3) == "ENOTCAPABLE"
    assert world.guest.write(fd, b"x")[0] == "ENOTCAPABLE"
    assert fdstat(world.guest, fd)[0] == (rights.CONNECTION | R.FD_READ) & ~R.SOCK_SHUTDOWN


def test_rights_move_with_the_file_to_another_number(guest: Any) -> None:
    fd, other = guest.open("file"), guest.open("file")
    drop(guest, fd, R.FD_READ)
    mine = fdstat(guest, fd)
    assert guest.call("fd_renumber", fd, other) == "ESUCCESS"
    assert fdstat(guest, other) == mine
    assert guest.read(other, 1)[0] == "ENOTCAPABLE"
    assert guest.open("file") == fd  # the number is free again, and has no memory
    assert guest.read(fd, 1)[0] == "ESUCCESS"


def test_standard_streams_have_rights_too(new_guest: Any) -> None:
    output = bytearray()
    guest = new_guest(ModuleConfig().with_stdout(output))
    drop(guest, 1, R.FD_WRITE)
    assert guest.write(1, b"x") == ("ENOTCAPABLE", 0)
    assert output == b""
