"""Attempts to get out of a mount, through WASI as guests call it: none reads, finds, makes, changes or removes anything.

Whatever an attempt returned, three things are looked at: that all that lies outside is as it was, that nothing of it is
in the guest's memory, and the errno.
"""

# `os` and not `pathlib`: what is tested is a layer over `os`.
# ruff: noqa: PTH208

from __future__ import annotations

import functools
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from integration.runtimes import NAMED_ENGINES
from sandbox.forwarder import (
    APPEND,
    BOTH,
    CREATE,
    DIRECTORY,
    EXCLUSIVE,
    MOUNT,
    NON_BLOCK,
    TRUNCATE,
    WRITE,
    Guest,
    Refused,
    guest_on,
)
from sandbox.place import SECRET, UNGUESSED, Place, snapshot
from wazero_core import ModuleConfig
from wazero_core.system import FSConfig

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")

OTHER, SAFE = MOUNT + 1, MOUNT + 2
"""A second mount, and one that is read-only."""


class Attempt(NamedTuple):
    """A row: what is tried, and the errno that it must end in, or one of several."""

    action: Callable[[Guest, Place], Any]
    errno: str


PATHS_OUT: Final = {
    "dots": "../outside",
    "dots after a name": "dir/../../outside",
    "dots after dots": "./.././outside",
    "dots after all names": "dir/inner/../../../outside",
    "dots after too many names": "dir/../dir/../dir/../../outside",
    "dots with slashes": "..//outside//",
    "a slash in front and dots": "dir//..//..//outside",
    "the mount's real name": "../mount/../outside",
    "dots through a link": "to_dir/../../outside",
    "dots through a link inside and outside": "to_dir/inner/../../../outside",
    "a link with an absolute target": "absolute",
    "a link": "out",
    "a link and a slash": "out/",
    "a link and a dot": "out/.",
    "a link to a link": "twice",
    "a chain of links": "chain0",
    "a link through a link": "through",
    "a link to the parent": "parent/outside",
    "a link of dots": "dots",
    "into a link and back": "out/../outside",
    "into a link and back by the mount's name": "out/../mount/out",
    "a link to the root": "root",
    "a link to the process's root": "proc_root",
    "a link to the process's directory": "proc_cwd",
    "a link to a descriptor of the process": "proc_directory",
}
"""Paths that lead to the directory outside, by what they try."""

UNDER_A_DIRECTORY: Final[dict[str, Callable[[Guest, str], Any]]] = {
    "read": lambda guest, out: guest.content(out + "/secret"),
    "read, links not followed": lambda guest, out: guest.content(out + "/secret", follow=False),
    "write": lambda guest, out: guest.store(out + "/secret", oflags=0),
    "truncate": lambda guest, out: guest.open(out + "/secret", oflags=TRUNCATE, rights=WRITE),
    "truncate to read": lambda guest, out: guest.open(out + "/secret", oflags=TRUNCATE),
    "create": lambda guest, out: guest.store(out + "/planted"),
    "create alone": lambda guest, out: guest.store(out + "/planted", oflags=CREATE | EXCLUSIVE),
    "list": lambda guest, out: guest.readdir(guest.open(out, oflags=DIRECTORY)),
    "look": lambda guest, out: guest.stat(out + "/secret"),
    "look at the link": lambda guest, out: guest.stat(out + "/link", follow=False),
    "look at the directory": lambda guest, out: guest.stat(out + "/.", follow=False),
    "read a link": lambda guest, out: guest.readlink(out + "/link"),
    "set times": lambda guest, out: guest.set_times(out + "/secret"),
    "set times of a link": lambda guest, out: guest.set_times(out + "/link", follow=False),
    "make a directory": lambda guest, out: guest.mkdir(out + "/planted"),
    "remove a directory": lambda guest, out: guest.rmdir(out + "/sub"),
    "remove a file": lambda guest, out: guest.unlink(out + "/secret"),
    "move out": lambda guest, out: guest.rename("file", out + "/planted"),
    "move a directory out": lambda guest, out: guest.rename("dir", out + "/planted"),
    "move in": lambda guest, out: guest.rename(out + "/secret", "stolen"),
    "link out": lambda guest, out: guest.link("file", out + "/planted"),
    "link in": lambda guest, out: guest.link(out + "/secret", "stolen"),
    "make a link": lambda guest, out: guest.symlink("x", out + "/planted"),
}


def link_and_read(target: str, path: str = "new") -> Callable[[Guest, Place], Any]:
    """Make a link and read through it."""

    def attempt(guest: Guest, place: Place) -> bytes:
        guest.symlink(target, path)
        return guest.content(path)

    return attempt


def move_up_and_look(guest: Guest, place: Place) -> None:
    """A link that stays inside as long as it is deep, moved up to where it does not."""
    guest.symlink("../../../outside/secret"[3:], "dir/inner/new")
    guest.rename("dir/inner/new", "new")
    guest.content("new")


def climb_from_a_moved_directory(guest: Guest, place: Place) -> None:
    """Open a directory, move its parent to another mount, and go up twice from there."""
    inner = guest.open("dir/inner", oflags=DIRECTORY)
    guest.rename("dir", "moved", to=OTHER)
    assert guest.readdir(inner)
    guest.readdir(guest.open("..", inner, oflags=DIRECTORY))


def climb_from_a_directory_that_the_host_moved(guest: Guest, place: Place) -> None:
    directory = guest.open("dir", oflags=DIRECTORY)
    (place.mount / "dir").rename(place.base / "elsewhere")
    assert guest.content("deep", directory) == b"deeper"
    guest.content("../outside/secret", directory)


def return_to_a_removed_directory(guest: Guest, place: Place) -> None:
    directory = guest.open("dir/inner", oflags=DIRECTORY)
    guest.unlink("dir/inner/chain2")
    guest.rmdir("dir/inner")
    guest.open("..", directory, oflags=DIRECTORY)


def replace_the_mount_by_a_link(guest: Guest, place: Place) -> bytes:
    place.mount.rename(place.base / "mount before")
    place.mount.symlink_to("outside")
    return guest.content("secret")


def replace_a_directory_by_a_link(guest: Guest, place: Place) -> bytes:
    guest.rename("dir", "before")
    guest.symlink("../outside", "dir")
    return guest.content("dir/secret")


def exchange_under_an_open_directory(guest: Guest, place: Place) -> bytes:
    directory = guest.open("dir", oflags=DIRECTORY)
    (place.mount / "dir").rename(place.mount / "before")
    (place.mount / "dir").symlink_to(place.outside)
    return guest.content("secret", directory)


def renumber_a_file_over_the_mount(guest: Guest, place: Place) -> None:
    guest.renumber(guest.open("file"), MOUNT)
    guest.content("../outside/secret")


def renumber_a_directory_over_the_mount(guest: Guest, place: Place) -> None:
    guest.renumber(guest.open("dir/inner", oflags=DIRECTORY), MOUNT)
    guest.content("../../../outside/secret")


def climb_from_a_renumbered_directory(guest: Guest, place: Place) -> None:
    guest.renumber(guest.open("dir", oflags=DIRECTORY), MOUNT)
    guest.content("../file")


def close_the_mount(guest: Guest, place: Place) -> None:
    guest.close(MOUNT)
    guest.content("file")


def close_the_mount_and_take_its_number(guest: Guest, place: Place) -> None:
    directory = guest.open("dir", oflags=DIRECTORY)
    guest.close(MOUNT)
    assert guest.open("deep", directory) == MOUNT
    guest.content("deep", MOUNT)


def hard_link_to_a_link_to_the_outside(guest: Guest, place: Place) -> bytes:
    guest.link("out_file", "dir/new")
    assert guest.readlink("dir/new") == b"../outside/secret"
    guest.link("dir/new", "new", to=OTHER)
    return guest.content("new", OTHER)


def link_in_another_mount(guest: Guest, place: Place) -> bytes:
    guest.symlink("../mount/file", "new", OTHER)
    return guest.content("new", OTHER)


def move_a_link_to_another_mount(guest: Guest, place: Place) -> bytes:
    guest.rename("out_file", "new", to=OTHER)
    return guest.content("new", OTHER)


def open_a_fifo(guest: Guest, place: Place, **how: Any) -> bytes:
    os.mkfifo(place.mount / "fifo")
    fd = guest.open("fifo", **how)
    guest.close(fd)
    raise Refused("path_open", "ESUCCESS")


def open_a_socket(guest: Guest, place: Place) -> None:
    here = Path.cwd()
    os.chdir(place.mount)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket")
            guest.open("socket", rights=BOTH)
    finally:
        os.chdir(here)


def set_size_of_a_read_only_file(guest: Guest, place: Place) -> None:
    guest.call("fd_filestat_set_size", guest.open("file", SAFE), 0)


def set_times_of_a_read_only_file(guest: Guest, place: Place) -> None:
    guest.call("fd_filestat_set_times", guest.open("file", SAFE), 0, 0, 5)


def write_to_a_read_only_file(guest: Guest, place: Place) -> None:
    guest.write(guest.open("file", SAFE), b"x")


def allocate_in_a_read_only_file(guest: Guest, place: Place) -> None:
    guest.call("fd_allocate", guest.open("file", SAFE), 0, 1000)


def append_to_a_read_only_file(guest: Guest, place: Place) -> None:
    fd = guest.open("file", SAFE)
    guest.call("fd_fdstat_set_flags", fd, APPEND)
    guest.write(fd, b"x")


def pwrite_to_a_read_only_file(guest: Guest, place: Place) -> None:
    fd = guest.open("file", SAFE)
    result = guest.alloc(4)
    guest.call("fd_pwrite", fd, *guest.iovecs(guest.put(b"x")), 0, result)


def make_below_a_read_only_directory(guest: Guest, place: Place) -> None:
    guest.mkdir("new", guest.open("dir", SAFE, oflags=DIRECTORY))


NOT_OUT = "EPERM ENOTCAPABLE"
REFUSES = "EROFS ENOTCAPABLE EBADF"
LINKS = "ELOOP"

SINGLE: Final = {
    # Paths as such.
    "absolute": Attempt(lambda guest, place: guest.content(f"{place.outside}/secret"), NOT_OUT),
    "absolute into the mount": Attempt(lambda guest, place: guest.content(f"{place.mount}/file"), NOT_OUT),
    "two slashes": Attempt(lambda guest, place: guest.content("//etc/passwd"), NOT_OUT),
    "only a slash": Attempt(lambda guest, place: guest.readdir(guest.open("/", oflags=DIRECTORY)), NOT_OUT),
    "only dots": Attempt(lambda guest, place: guest.readdir(guest.open("..", oflags=DIRECTORY)), NOT_OUT),
    "dots and a slash": Attempt(lambda guest, place: guest.stat("../"), NOT_OUT),
    "dots, links not followed": Attempt(lambda guest, place: guest.stat("..", follow=False), NOT_OUT),
    "the mount by its real name": Attempt(lambda guest, place: guest.content("../mount/file"), NOT_OUT),
    "removing the mount": Attempt(lambda guest, place: guest.rmdir("."), "EINVAL EBUSY ENOTEMPTY"),
    "removing the mount from below": Attempt(lambda guest, place: guest.rmdir("dir/.."), "EINVAL EBUSY ENOTEMPTY"),
    "removing the mount from above": Attempt(lambda guest, place: guest.rmdir("../mount"), NOT_OUT),
    "moving the mount": Attempt(lambda guest, place: guest.rename(".", "dir/new"), "EBUSY EINVAL"),
    "moving the mount to another": Attempt(lambda guest, place: guest.rename(".", "new", to=OTHER), "EBUSY EINVAL"),
    "replacing the mount": Attempt(lambda guest, place: guest.rename("dir", "dir/.."), "EBUSY ENOTEMPTY EINVAL EEXIST"),
    "a NUL": Attempt(lambda guest, place: guest.content(b"file\0/../../outside/secret"), "EINVAL EILSEQ"),
    "a NUL in the target of a link": Attempt(lambda guest, place: guest.symlink(b"file\0", "new"), "EINVAL EILSEQ"),
    "no UTF-8": Attempt(lambda guest, place: guest.content(b"\xff\xfe/../../outside/secret"), "ENOENT EILSEQ EPERM"),
    "slashes in two bytes": Attempt(
        lambda guest, place: guest.content(b"..\xc0\xaf..\xc0\xafoutside"), "ENOENT EILSEQ"
    ),
    "dots in two bytes": Attempt(
        lambda guest, place: guest.content(b"\xc0\xae\xc0\xae/outside/secret"), "ENOENT EILSEQ"
    ),
    "dots in full width": Attempt(lambda guest, place: guest.content("\uff0e\uff0e/outside/secret"), "ENOENT"),
    "a percent sign": Attempt(lambda guest, place: guest.content("%2e%2e/outside/secret"), "ENOENT"),
    "a tilde": Attempt(lambda guest, place: guest.content("~/.profile"), "ENOENT"),
    "a long name": Attempt(lambda guest, place: guest.content("a" * 300), "ENAMETOOLONG"),
    "a long name and dots": Attempt(
        lambda guest, place: guest.content("a" * 300 + "/../../outside/secret"), "ENAMETOOLONG"
    ),
    "a long path": Attempt(lambda guest, place: guest.content("./" * 3000 + "../outside/secret"), "ENAMETOOLONG"),
    "a long path of dots": Attempt(lambda guest, place: guest.content("dir/../" * 580 + "../outside"), NOT_OUT),
    "another case": Attempt(lambda guest, place: guest.content("OUT/secret"), "ENOENT EPERM"),
    "backslashes": Attempt(lambda guest, place: guest.content("..\\outside\\secret"), "ENOENT EINVAL"),
    "a drive": Attempt(lambda guest, place: guest.content("C:\\Windows\\win.ini"), "ENOENT EINVAL"),
    "a drive and a slash": Attempt(lambda guest, place: guest.content("C:/Windows/win.ini"), "ENOENT EINVAL"),
    "a share": Attempt(lambda guest, place: guest.content("\\\\?\\C:\\Windows\\win.ini"), "ENOENT EINVAL"),
    "a device": Attempt(lambda guest, place: guest.content("NUL"), "ENOENT EINVAL"),
    "a stream": Attempt(lambda guest, place: guest.content("file::$DATA"), "ENOENT EINVAL"),
    "dots and a space": Attempt(lambda guest, place: guest.content(".. /outside/secret"), "ENOENT EINVAL"),
    "three dots": Attempt(lambda guest, place: guest.content(".../outside/secret"), "ENOENT EINVAL"),
    # Links to files.
    "a link to a file": Attempt(lambda guest, place: guest.content("out_file"), NOT_OUT),
    "a link to a file, by its full path": Attempt(lambda guest, place: guest.content("absolute_file"), NOT_OUT),
    "a link to the mount, by its full path": Attempt(lambda guest, place: guest.content("absolute_self"), NOT_OUT),
    "a link out and in again": Attempt(lambda guest, place: guest.content("returning"), NOT_OUT),
    "a link to standard input": Attempt(lambda guest, place: guest.content("standard_input"), NOT_OUT),
    "creating through a link": Attempt(lambda guest, place: guest.store("out_new"), NOT_OUT),
    "creating alone through a link": Attempt(
        lambda guest, place: guest.store("out_new", oflags=CREATE | EXCLUSIVE), "EEXIST"
    ),
    "creating a directory through a link": Attempt(lambda guest, place: guest.mkdir("out_new"), "EEXIST"),
    "truncating through a link": Attempt(lambda guest, place: guest.store("out_file", oflags=TRUNCATE), NOT_OUT),
    "size through a link": Attempt(lambda guest, place: guest.stat("out_file"), NOT_OUT),
    "size of a link with a slash": Attempt(lambda guest, place: guest.stat("out/", follow=False), NOT_OUT),
    "existence through a link": Attempt(lambda guest, place: guest.stat("out_new"), NOT_OUT),
    "times through a link": Attempt(lambda guest, place: guest.set_times("out_file"), NOT_OUT),
    "a link, not followed": Attempt(lambda guest, place: guest.content("out_file", follow=False), LINKS),
    "a link to a directory, not followed": Attempt(
        lambda guest, place: guest.open("out", oflags=DIRECTORY, follow=False), "ELOOP ENOTDIR"
    ),
    "the mount, links not followed": Attempt(
        lambda guest, place: guest.content("../outside/secret", guest.open(".", oflags=DIRECTORY, follow=False)),
        NOT_OUT,
    ),
    "a hard link through a link": Attempt(
        lambda guest, place: guest.link("out_file", "new", follow=True), "EINVAL EPERM"
    ),
    "a hard link to a link": Attempt(hard_link_to_a_link_to_the_outside, NOT_OUT),
    "a hard link to a directory": Attempt(lambda guest, place: guest.link("out", "new/"), "ENOENT ENOTDIR EPERM"),
    "removing a link with a slash": Attempt(lambda guest, place: guest.rmdir("out/"), "ENOTDIR EPERM"),
    "unlinking a link with a slash": Attempt(lambda guest, place: guest.unlink("out_file/"), "ENOTDIR EPERM"),
    "moving over a link with a slash": Attempt(lambda guest, place: guest.rename("dir", "out/"), "ENOTDIR EPERM"),
    # Links that the guest makes.
    "making an absolute link": Attempt(link_and_read("/etc/passwd"), NOT_OUT),
    "making a link up": Attempt(link_and_read("../outside/secret"), NOT_OUT),
    "making a link up and in again": Attempt(link_and_read("../mount/file"), NOT_OUT),
    "making a link through a link": Attempt(link_and_read("out/secret"), NOT_OUT),
    "making a link that winds": Attempt(link_and_read("dir/../dir/inner/../../../outside/secret"), NOT_OUT),
    "making a link over a slash": Attempt(link_and_read("x", "out/new"), NOT_OUT),
    "making a link to itself": Attempt(link_and_read("new"), LINKS),
    "moving a link up": Attempt(move_up_and_look, NOT_OUT),
    "exchanging a directory for a link": Attempt(replace_a_directory_by_a_link, NOT_OUT),
    # Open directories.
    "up from an open directory": Attempt(
        lambda guest, place: guest.content("../file", guest.open("dir", oflags=DIRECTORY)), NOT_OUT
    ),
    "up from an open directory by a link": Attempt(
        lambda guest, place: guest.content("chain1/secret", guest.open("dir", oflags=DIRECTORY)), NOT_OUT
    ),
    "a file as directory": Attempt(
        lambda guest, place: guest.content("../outside/secret", guest.open("file")), "ENOTDIR EBADF ENOTCAPABLE"
    ),
    "a file as directory in a path": Attempt(
        lambda guest, place: guest.content("file/../../outside/secret"), "ENOTDIR"
    ),
    "standard input as directory": Attempt(
        lambda guest, place: guest.content("../outside/secret", 0), "ENOTDIR EBADF ENOTCAPABLE"
    ),
    "listing a file": Attempt(lambda guest, place: guest.readdir(guest.open("file")), "ENOTDIR EBADF ENOTCAPABLE"),
    "moving a directory to another mount": Attempt(climb_from_a_moved_directory, NOT_OUT + " EXDEV"),
    "a directory that the host moved": Attempt(climb_from_a_directory_that_the_host_moved, NOT_OUT),
    "a directory that is gone": Attempt(return_to_a_removed_directory, NOT_OUT),
    "a directory that became a link": Attempt(exchange_under_an_open_directory, "ENOENT"),
    "the mount that became a link": Attempt(replace_the_mount_by_a_link, "ENOENT"),
    # Descriptors.
    "a file over the mount": Attempt(renumber_a_file_over_the_mount, "ENOTDIR EBADF ENOTSUP ENOTCAPABLE"),
    "a directory over the mount": Attempt(renumber_a_directory_over_the_mount, NOT_OUT + " ENOTSUP"),
    "up from a directory over the mount": Attempt(climb_from_a_renumbered_directory, NOT_OUT + " ENOTSUP"),
    "a closed mount": Attempt(close_the_mount, "EBADF"),
    "a file in the place of a closed mount": Attempt(close_the_mount_and_take_its_number, "ENOTDIR EBADF ENOTCAPABLE"),
    "a descriptor of the host": Attempt(lambda guest, place: guest.content("secret", 100), "EBADF"),
    "a descriptor of the host as file": Attempt(lambda guest, place: guest.read(6), "EBADF"),
    "a renumbered descriptor of the host": Attempt(lambda guest, place: guest.renumber(MOUNT, 6), "EBADF"),
    # What is no file.
    "a pipe without a writer": Attempt(open_a_fifo, "ESUCCESS"),
    "a pipe without a reader": Attempt(lambda guest, place: open_a_fifo(guest, place, rights=WRITE), "ENXIO"),
    "a pipe, not blocking": Attempt(lambda guest, place: open_a_fifo(guest, place, fdflags=NON_BLOCK), "ESUCCESS"),
    "a pipe to truncate": Attempt(lambda guest, place: open_a_fifo(guest, place, oflags=TRUNCATE), "ESUCCESS"),
    "a pipe as directory": Attempt(lambda guest, place: open_a_fifo(guest, place, oflags=DIRECTORY), "ENOTDIR"),
    "a socket": Attempt(open_a_socket, "ENXIO EOPNOTSUPP ENOTSUP"),
    # Between mounts.
    "a link from one mount to another": Attempt(link_in_another_mount, NOT_OUT),
    "moving a link to another mount": Attempt(move_a_link_to_another_mount, NOT_OUT),
    "from one mount to another by name": Attempt(lambda guest, place: guest.content("../other/file"), NOT_OUT),
    "moving a file over another mount": Attempt(
        lambda guest, place: guest.rename("dir", ".", to=OTHER), "EBUSY EINVAL ENOTEMPTY EEXIST EXDEV"
    ),
    # A read-only mount.
    "read-only: writing": Attempt(lambda guest, place: guest.store("file", SAFE, oflags=0), REFUSES),
    "read-only: truncating": Attempt(lambda guest, place: guest.open("file", SAFE, oflags=TRUNCATE), REFUSES),
    "read-only: truncating through a link": Attempt(
        lambda guest, place: guest.open("to_file", SAFE, oflags=TRUNCATE), REFUSES
    ),
    "read-only: appending": Attempt(
        lambda guest, place: guest.open("file", SAFE, rights=WRITE, fdflags=APPEND), REFUSES
    ),
    "read-only: creating": Attempt(lambda guest, place: guest.store("new", SAFE), REFUSES),
    "read-only: creating to read": Attempt(lambda guest, place: guest.open("new", SAFE, oflags=CREATE), REFUSES),
    "read-only: writing to a descriptor": Attempt(write_to_a_read_only_file, REFUSES),
    "read-only: writing at an offset": Attempt(pwrite_to_a_read_only_file, REFUSES),
    "read-only: appending to a descriptor": Attempt(append_to_a_read_only_file, REFUSES),
    "read-only: size of a descriptor": Attempt(set_size_of_a_read_only_file, REFUSES + " EINVAL"),
    "read-only: times of a descriptor": Attempt(set_times_of_a_read_only_file, REFUSES),
    "read-only: allocating": Attempt(allocate_in_a_read_only_file, REFUSES + " ENOTSUP"),
    "read-only: times": Attempt(lambda guest, place: guest.set_times("file", SAFE), REFUSES),
    "read-only: times of a link": Attempt(lambda guest, place: guest.set_times("out", SAFE, follow=False), REFUSES),
    "read-only: making a directory": Attempt(lambda guest, place: guest.mkdir("new", SAFE), REFUSES),
    "read-only: making a directory below": Attempt(make_below_a_read_only_directory, REFUSES),
    "read-only: removing a directory": Attempt(lambda guest, place: guest.rmdir("dir", SAFE), REFUSES),
    "read-only: removing a file": Attempt(lambda guest, place: guest.unlink("file", SAFE), REFUSES),
    "read-only: making a link": Attempt(lambda guest, place: guest.symlink("file", "new", SAFE), REFUSES),
    "read-only: a hard link into": Attempt(lambda guest, place: guest.link("file", "new", to=SAFE), REFUSES + " EXDEV"),
    "read-only: a hard link within": Attempt(lambda guest, place: guest.link("file", "new", SAFE, SAFE), REFUSES),
    "read-only: a hard link out of": Attempt(lambda guest, place: guest.link("file", "new", SAFE), REFUSES + " EXDEV"),
    "read-only: moving within": Attempt(lambda guest, place: guest.rename("file", "new", SAFE, SAFE), REFUSES),
    "read-only: moving into": Attempt(lambda guest, place: guest.rename("file", "new", to=SAFE), REFUSES + " EXDEV"),
    "read-only: moving out of": Attempt(lambda guest, place: guest.rename("file", "new", SAFE), REFUSES + " EXDEV"),
    "read-only: a link to the outside": Attempt(lambda guest, place: guest.content("out/secret", SAFE), NOT_OUT),
    "read-only: dots": Attempt(lambda guest, place: guest.content("../outside/secret", SAFE), NOT_OUT),
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(params=NAMED_ENGINES)
def guest(request: pytest.FixtureRequest, place: Place) -> Iterator[Guest]:
    mounts = FSConfig().with_dir_mount(place.mount, "/").with_dir_mount(place.other, "/other")
    mounts = mounts.with_read_only_dir_mount(place.safe, "/safe")
    with guest_on(request.param, ModuleConfig().with_fs_config(mounts), pages=2) as guest:
        yield guest


def assert_nothing_comes_of(action: Callable[[], Any], guest: Guest, place: Place, errnos: str) -> None:
    before = snapshot(place.outside), snapshot(place.safe)
    with pytest.raises(Refused) as caught:
        action()
    assert caught.value.errno in errnos.split()
    assert (snapshot(place.outside), snapshot(place.safe)) == before
    memory = bytes(guest.memory)
    assert SECRET[:26] not in memory
    assert UNGUESSED.encode() not in memory
    assert len(SECRET).to_bytes(8, "little") not in memory
    for path in (place.outside, *place.outside.iterdir()):
        assert path.lstat().st_ino.to_bytes(8, "little") not in memory, path


@pytest.mark.parametrize("name", SINGLE)
def test_no_single_attempt_gets_out(guest: Guest, place: Place, name: str) -> None:
    attempt = SINGLE[name]
    assert_nothing_comes_of(lambda: attempt.action(guest, place), guest, place, attempt.errno)


@pytest.mark.parametrize("way", PATHS_OUT)
def test_nothing_can_be_done_with_any_path_out(guest: Guest, place: Place, way: str) -> None:
    """Each way out with every function that takes a path."""
    inside = sorted(os.listdir(place.mount))
    for function in UNDER_A_DIRECTORY.values():
        assert_nothing_comes_of(functools.partial(function, guest, PATHS_OUT[way]), guest, place, NOT_OUT)
    assert sorted(os.listdir(place.mount)) == inside


def test_the_attempts_are_many() -> None:
    assert len(SINGLE) + len(PATHS_OUT) * len(UNDER_A_DIRECTORY) >= 600
    assert len(SINGLE) >= 60


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_what_is_inside_can_be_used(engine: str, place: Place) -> None:
    """The same functions work where they may: an attempt does not fail because all calls do."""
    with guest_on(engine, ModuleConfig().with_fs_config(FSConfig().with_dir_mount(place.base, "/"))) as guest:
        size = guest.stat("mount/out_file").size
        assert size == len(SECRET)
        found = guest.readdir(guest.open("mount/out", oflags=DIRECTORY))
        assert UNGUESSED.encode() in found
        for function in UNDER_A_DIRECTORY.values():
            (place.outside / "secret").write_bytes(SECRET)
            (place.base / "file").write_bytes(b"")
            (place.base / "dir").mkdir(exist_ok=True)
            for path in (place.outside / "planted", place.base / "stolen"):
                if path.is_dir():
                    path.rmdir()
                path.unlink(missing_ok=True)
            function(guest, "mount/../outside")


@pytest.mark.parametrize("guest_path", ["/", ".", "", "relative", "./a/b/", "/with/parts", "//", "a/../b", ".."])
@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_the_guest_path_of_a_mount_is_only_a_name(engine: str, place: Place, guest_path: str) -> None:
    with guest_on(engine, ModuleConfig().with_fs_config(FSConfig().with_dir_mount(place.mount, guest_path))) as guest:
        assert guest.content("file") == b"inside"
        for path in ("../outside/secret", "out/secret", f"{place.outside}/secret"):
            with pytest.raises(Refused, match="EPERM"):
                guest.content(path)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_a_directory_moved_between_mounts_is_moved_and_no_view(engine: str, place: Place) -> None:
    """What was opened before the move stays usable as what it is, and neither mount sees the other through it."""
    mounts = FSConfig().with_dir_mount(place.mount, "/").with_dir_mount(place.other, "/other")
    with guest_on(engine, ModuleConfig().with_fs_config(mounts)) as guest:
        inner = guest.open("dir/inner", oflags=DIRECTORY)
        guest.rename("dir", "moved", to=OTHER)
        assert not (place.mount / "dir").exists()
        assert (place.other / "moved" / "deep").read_bytes() == b"deeper"
        guest.store("new", inner)
        assert (place.other / "moved" / "inner" / "new").read_bytes() == b"guest"
        for path in ("..", "../..", "../../file", "../deep"):
            with pytest.raises(Refused, match="EPERM"):
                guest.stat(path, inner)


@pytest.mark.parametrize("engine", NAMED_ENGINES)
def test_devices_are_opened_without_waiting_and_pipes_report_what_they_have(engine: str, place: Place) -> None:
    os.mkfifo(place.mount / "fifo")
    with guest_on(engine, ModuleConfig().with_fs_config(FSConfig().with_dir_mount(place.mount, "/"))) as guest:
        reader = guest.open("fifo", fdflags=NON_BLOCK)
        writer = guest.open("fifo", rights=WRITE, fdflags=NON_BLOCK)
        with pytest.raises(Refused, match="EAGAIN"):
            guest.read(reader)
        assert guest.write(writer, b"through the pipe") == 16
        assert guest.read(reader) == b"through the pipe"
        guest.close(writer)
        assert guest.read(reader) == b""
