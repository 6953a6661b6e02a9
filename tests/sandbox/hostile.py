"""Guests that want too much. Each runs in a process of its own, which then says how much memory it has come to use.

run("nests_directories", "jit", "/tmp/somewhere")  =>  prints how many MiB the peak has grown by
"""

# `os` and not `pathlib`: what is limited is the system's calls.
# ruff: noqa: PTH208

from __future__ import annotations

import itertools
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from sandbox.forwarder import CREATE, DIRECTORY, MOUNT, READ, WRITE, Guest, Refused, guest_on
from wazero_core import ModuleConfig
from wazero_core.system import FSConfig
from wazero_wasi.errnos import NUMBERS

TOO_MUCH: Final = (1 << 32) - 1
PAGE: Final = 1 << 16
_MIB: Final = 1 << 20
_STANDARD: Final = 3


def expect(errno: str, guest: Guest, function: str, *args: int) -> None:
    """Call a function that must say no, and say it with one of these errnos."""
    found = guest.errno(function, *args)
    assert found in errno.split(), f"{function}{args} gave {found}, not {errno}"


def until_refused(opens: Iterable[Callable[[], object]]) -> tuple[int, str]:
    """How many succeeded before the first that did not, and its errno."""
    for count, attempt in enumerate(opens):
        try:
            attempt()
        except Refused as refused:
            return count, refused.errno
    return sys.maxsize, ""


@contextmanager
def guest_in(engine: str, directory: Path, config: ModuleConfig | None = None, pages: int = 1) -> Iterator[Guest]:
    mounts = FSConfig().with_dir_mount(directory, "/")
    with guest_on(engine, (config or ModuleConfig()).with_fs_config(mounts), pages) as guest:
        yield guest


def opens_too_many_files(engine: str, directory: Path, attempts: int = 20_000) -> None:
    """As many as the config allows; all further attempts fail, make nothing, and then things go on as before."""
    limit = 2_000
    with guest_in(engine, directory, ModuleConfig().with_max_open_files(limit)) as guest:
        guest.store("file")
        count, errno = until_refused(itertools.repeat(lambda: guest.open("file")))
        assert (count, errno) == (limit - _STANDARD - 1, "EMFILE")
        result = guest.alloc(4)
        args = (MOUNT, 0, *guest.put("file"), 0, READ, 0, 0, result)
        path_open = guest.module.exported_function("path_open")
        emfile = NUMBERS["EMFILE"]
        # The exported function itself: laying out the same arguments over and over shows nothing.
        assert all(path_open(*args) == emfile for _ in range(attempts))
        for path in ("file", "new"):
            expect("EMFILE", guest, "path_open", MOUNT, 0, *guest.put(path), CREATE, WRITE, 0, 0, guest.alloc(4))
        assert os.listdir(directory) == ["file"]
        guest.close(limit - 1)
        assert guest.open("file") == limit - 1


def opens_a_million_files(engine: str, directory: Path) -> None:
    """The same, a million times."""
    opens_too_many_files(engine, directory, 1_000_000)


def opens_more_than_the_process_has(engine: str, directory: Path) -> None:
    """With the default limit, which is above the system's: the guest gets EMFILE, and the host still works."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with guest_in(engine, directory) as guest:
        guest.store("file")
        guest.mkdir("dir")
        flags = itertools.cycle((0, DIRECTORY))
        paths = itertools.cycle(("file", "dir"))
        count, errno = until_refused(lambda: guest.open(next(paths), oflags=next(flags)) for _ in itertools.count())
        assert 100 < count < 256
        assert errno == "EMFILE"
        kept = [os.open(directory, os.O_RDONLY) for _ in range(32)]
        pairs = [socket.socketpair() for _ in range(8)]
        for fd in kept:
            os.close(fd)
        for pair in pairs:
            for end in pair:
                end.close()
        subprocess.run([sys.executable, "-c", ""], check=True)
        for fd in range(MOUNT + 1, MOUNT + 4):
            guest.close(fd)
        with guest_in(engine, directory) as second:  # the limit is the process's, so that others' files count, too
            assert second.content("file") == b"guest"


def writes_without_end(engine: str, directory: Path) -> None:
    """Up to the size that the system lets files have; then it is EFBIG and no signal."""
    limit = 8 * _MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    with guest_in(engine, directory, pages=32) as guest:
        fd = guest.open("file", oflags=CREATE, rights=WRITE)
        count, errno = until_refused(itertools.repeat(lambda: guest.write(fd, bytes(_MIB))))
        assert (count, errno) == (8, "EFBIG")
        expect("EFBIG", guest, "fd_filestat_set_size", fd, 1 << 62)
        expect("EFBIG", guest, "fd_allocate", fd, 0, 1 << 62)
        expect("EFBIG EINVAL", guest, "fd_pwrite", fd, *guest.iovecs(guest.put(b"x")), (1 << 63) - 1, guest.alloc(4))
    assert (directory / "file").stat().st_size == limit


def nests_directories(engine: str, directory: Path) -> None:
    """10^4 deep, each made relative to the one above; then by paths; then all of it goes away again."""
    depth = 10_000
    with guest_in(engine, directory) as guest:
        fd = guest.open(".", oflags=DIRECTORY)
        for _ in range(depth):
            guest.mkdir("d", fd)
            below = guest.open("d", fd, oflags=DIRECTORY)
            guest.close(fd)
            fd = below
        guest.store("bottom", fd)
        assert guest.content("bottom", fd) == b"guest"
        expect("EPERM", guest, "path_remove_directory", fd, *guest.put("../d"))
        guest.unlink("bottom", fd)
        guest.close(fd)
        assert guest.stat("d/" * 2_000).file_type == 3
        assert guest.stat("d/" * 2_047 + ".").file_type == 3
        expect("ENAMETOOLONG", guest, "path_create_directory", MOUNT, *guest.put("d/" * 2_048 + "d"))
        expect("ELOOP", guest, "path_filestat_get", MOUNT, 1, *guest.put("d/" * 700 + "../" * 700), guest.alloc(64))
        # Going up and down over and over: each step up starts at the root again.
        expect("ELOOP", guest, "path_filestat_get", MOUNT, 1, *guest.put("d/" * 500 + "../d/" * 500), guest.alloc(64))
        for _ in range(depth - 1):
            guest.rename("d/d", "e")
            guest.rmdir("d")
            guest.rename("e", "d")
        guest.rmdir("d")
    assert not os.listdir(directory)


def keeps_deep_directories_open(engine: str, directory: Path) -> None:
    """Each with a longer path than the one above: what the host keeps of them must not grow with that."""
    depth = 800
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    name = "d" * 250
    with guest_in(engine, directory) as guest:
        fds = [MOUNT]
        for _ in range(depth):
            guest.mkdir(name, fds[-1])
            fds.append(guest.open(name, fds[-1], oflags=DIRECTORY))
        for fd in reversed(fds[:-1]):
            guest.rmdir(name, fd)
    assert not os.listdir(directory)


def names_huge_buffers(engine: str, directory: Path) -> None:
    """1024 buffers that are all of the memory each, 4 GiB together, and arrays of buffers that do not exist."""
    pages = 64
    size = pages * PAGE
    with guest_in(engine, directory, pages=pages) as guest:
        fd = guest.open("file", oflags=CREATE, rights=READ | WRITE)
        for function in ("fd_write", "fd_read"):
            vector = guest.iovecs(*((0, size) for _ in range(1_024)))
            result = guest.alloc(4)
            expect("ESUCCESS", guest, function, fd, *vector, result)
            assert guest.u32(result) <= size
            guest.call("fd_seek", fd, 0, 0, 1024)
            expect("EINVAL", guest, function, fd, 1024, TOO_MUCH, 0)
            expect("EFAULT", guest, function, fd, *guest.iovecs((0, TOO_MUCH)), 0)
            expect("EFAULT", guest, function, fd, *guest.iovecs((TOO_MUCH, TOO_MUCH)), 0)
        for function in ("fd_pwrite", "fd_pread"):
            vector = guest.iovecs(*((0, size) for _ in range(1_024)))
            expect("ESUCCESS", guest, function, fd, *vector, 0, guest.alloc(4))
            expect("EINVAL", guest, function, fd, 1024, TOO_MUCH, 0, 0)
        for count in (1_025, 1 << 16, 1 << 29, 1 << 31):
            expect("EINVAL", guest, "fd_write", fd, 0, count, 0)
        assert (directory / "file").stat().st_size <= size


def lists_a_large_directory(engine: str, directory: Path) -> None:
    """10^5 entries: by buffers of a megabyte, by small ones, and again by further descriptors."""
    count = 100_000
    for number in range(count):
        os.mknod(f"{directory}/{number:06}")
    try:
        with guest_in(engine, directory, pages=32) as guest:
            fd = guest.open(".", oflags=DIRECTORY)
            assert len(guest.readdir(fd, _MIB)) == count + 2
            assert len(guest.readdir(fd, 2_048)) == count + 2
            expect("EFAULT", guest, "fd_readdir", fd, 0, TOO_MUCH, 0, 0)
            expect("EFAULT", guest, "fd_readdir", fd, 0, PAGE, 0, TOO_MUCH)
            expect("ESUCCESS", guest, "fd_readdir", fd, 1024, PAGE, (1 << 64) - 1, 0)
    finally:
        for name in os.listdir(directory):
            os.unlink(f"{directory}/{name}")  # noqa: PTH108


def waits_for_too_much(engine: str, directory: Path) -> None:
    """As many subscriptions as can be counted, and as many as are allowed."""
    with guest_in(engine, directory, pages=128) as guest:
        expect("EINVAL", guest, "poll_oneoff", 0, 0, TOO_MUCH, 0)
        expect("EFAULT EINVAL", guest, "poll_oneoff", 0, 0, 1 << 17, 0)
        expect("EFAULT", guest, "poll_oneoff", TOO_MUCH, 0, 1, 0)
        many = 1 << 16
        # All zeros is the wall clock, 0 ns from now.
        guest.call("poll_oneoff", 1 << 22, 1 << 16, many, 1024)
        assert guest.u32(1024) == many


def wants_random_bytes(engine: str, directory: Path) -> None:
    """4 GiB of them, and as many as there is memory."""
    pages = 1_024
    with guest_in(engine, directory, pages=pages) as guest:
        expect("EFAULT", guest, "random_get", 0, TOO_MUCH)
        expect("EFAULT", guest, "random_get", 1, pages * PAGE)
        guest.call("random_get", 0, pages * PAGE)
        assert bytes(guest.memory[-16:]) != bytes(16)


class Scenario(NamedTuple):
    """A row: what is done, and how many MiB the process may grow by meanwhile."""

    act: Callable[[str, Path], None]
    growth_mib: int


SCENARIOS: Final = {
    scenario.act.__name__: scenario
    for scenario in (
        Scenario(opens_too_many_files, 24),
        Scenario(opens_a_million_files, 24),
        Scenario(opens_more_than_the_process_has, 24),
        Scenario(writes_without_end, 24),
        Scenario(nests_directories, 24),
        Scenario(keeps_deep_directories_open, 24),
        Scenario(names_huge_buffers, 32),
        Scenario(lists_a_large_directory, 64),
        Scenario(waits_for_too_much, 48),
        Scenario(wants_random_bytes, 96),
    )
}
"""Engines and guests' own memory (64 MiB in the last case) are in it."""


def peak_mib() -> float:
    """The most memory that this process has ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MIB if sys.platform == "darwin" else 1_024)


def run(name: str, engine: str, directory: str) -> None:
    """Run a scenario in this process and print by how many MiB its memory has grown."""
    before = peak_mib()
    SCENARIOS[name].act(engine, Path(directory))
    print(round(peak_mib() - before, 1))
