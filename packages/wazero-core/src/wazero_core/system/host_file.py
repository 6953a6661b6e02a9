"""Files and directories of the host, by descriptor."""

# `pathlib` has no calls by descriptor, and paths here are text on purpose.
# ruff: noqa: PTH116

from __future__ import annotations

import errno
import os
import stat as mode_bits
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final, final

from wazero_api.system import FS, DirectoryEntry, FileType, Stat

from .files import BaseFile, fail

if sys.platform != "win32":
    import fcntl

_TYPE_OF_MODE: Final = {
    mode_bits.S_IFREG: FileType.REGULAR,
    mode_bits.S_IFDIR: FileType.DIRECTORY,
    mode_bits.S_IFLNK: FileType.SYMBOLIC_LINK,
    mode_bits.S_IFCHR: FileType.CHARACTER_DEVICE,
    mode_bits.S_IFBLK: FileType.BLOCK_DEVICE,
    mode_bits.S_IFSOCK: FileType.SOCKET,
    mode_bits.S_IFIFO: FileType.FIFO,
}

KEPT_FOR_HOST: Final = 64
"""Descriptors of the process that guests leave to the host."""

_SURELY_LOW: Final = 24
"""Below this, descriptors are not compared with the limit, which costs a system call."""

_HAS_POSITIONED_IO: Final = hasattr(os, "pread")
_CAN_SET_TIMES_BY_DESCRIPTOR: Final = os.utime in os.supports_fd


def file_type_of(mode: int) -> FileType:
    """What the bits of an `os.stat` mode say."""
    return _TYPE_OF_MODE.get(mode_bits.S_IFMT(mode), FileType.UNKNOWN)


def stat_of(result: os.stat_result) -> Stat:
    """The same facts as `os.stat` gave."""
    mode = result.st_mode
    return Stat(
        _TYPE_OF_MODE.get(mode_bits.S_IFMT(mode), FileType.UNKNOWN),
        result.st_size,
        result.st_dev,
        result.st_ino,
        result.st_nlink,
        mode_bits.S_IMODE(mode),
        result.st_atime_ns,
        result.st_mtime_ns,
        result.st_ctime_ns,
        result.st_uid,
        result.st_gid,
    )


def keep_some_for_host(fd: int) -> int:
    """The descriptor, if the process can still open others; else EMFILE, and it is closed.

    A new descriptor is the lowest that is free, so a high one tells that all below it are in use. Of the last
    `KEPT_FOR_HOST` that the process may have, or of the last quarter if that is less, guests get none: they could make
    everything else in the process fail, which has to open files, sockets and pipes too.
    """
    if fd >= _SURELY_LOW:
        limit = _descriptor_limit()
        if fd >= limit - min(KEPT_FOR_HOST, limit // 4):
            os.close(fd)
            fail(errno.EMFILE)
    return fd


def _descriptor_limit() -> int:
    """How many descriptors the process may have now."""
    if sys.platform == "win32":
        return 8_192  # what Microsoft's C library can count
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def merge_times(
    current: Callable[[], os.stat_result], access_time: int | None, modification_time: int | None
) -> tuple[int, int] | None:
    """The pair that `os.utime` wants, asking `current` for a time that is to stay; None if both stay."""
    if access_time is None or modification_time is None:
        if access_time is None and modification_time is None:
            return None
        result = current()
        access_time = result.st_atime_ns if access_time is None else access_time
        modification_time = result.st_mtime_ns if modification_time is None else modification_time
    return access_time, modification_time


class _Descriptor(BaseFile):
    """What files and directories of the host share: a descriptor, closed once if it is owned.

    Whoever closes an instance may do so while another thread is at work on its files. A number that is closed may be given
    out again at once, and would then be read or written in the place of the other: so everything is done under a lock.
    """

    __slots__ = ("_fd", "_is_owned", "_lock")

    def __init__(self, fd: int, *, is_owned: bool = True) -> None:
        self._fd = fd
        self._is_owned = is_owned
        self._lock = Lock()

    def stat(self) -> Stat:
        with self._lock:
            return stat_of(os.fstat(self._fd))

    def sync(self) -> None:
        with self._lock:
            os.fsync(self._fd)

    def datasync(self) -> None:
        # macOS and Windows have no fdatasync; fsync does more than was asked.
        with self._lock:
            getattr(os, "fdatasync", os.fsync)(self._fd)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        with self._lock:
            times = merge_times(lambda: os.fstat(self._fd), access_time, modification_time)
            if times is None:
                return
            if not _CAN_SET_TIMES_BY_DESCRIPTOR:
                fail(errno.ENOTSUP)
            os.utime(self._fd, ns=times)

    def set_permissions(self, permissions: int) -> None:
        """Set the bits of the mode. ENOSYS where the system does that by path only."""
        if sys.platform == "win32":
            fail(errno.ENOSYS)
        with self._lock:
            os.fchmod(self._fd, permissions)

    def set_owner(self, user: int, group: int) -> None:
        """Set owner and group, -1 to leave one. ENOSYS where files have none."""
        if sys.platform == "win32":
            fail(errno.ENOSYS)
        with self._lock:
            os.fchown(self._fd, user, group)

    def fileno(self) -> int | None:
        return self._fd

    def close(self) -> None:
        if not self._is_owned:
            self._fd = -1  # without the lock: a reader of somebody else's terminal may have it for long
            return
        with self._lock:
            self._close_locked()

    def _close_locked(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


@final
class HostFile(_Descriptor):
    """An open file, pipe or device of the host; `is_append` if it was opened with O_APPEND.

    Reads and writes go straight to the system, so what a guest writes is in order with what others write.
    """

    __slots__ = ("_is_append", "file_type")

    def __init__(
        self, fd: int, *, is_owned: bool = True, is_append: bool = False, file_type: FileType | None = None
    ) -> None:
        super().__init__(fd, is_owned=is_owned)
        self._is_append = is_append
        self.file_type = file_type
        """What is known of it without asking the system again."""

    def read(self, count: int) -> bytes:
        with self._lock:
            return os.read(self._fd, count)

    def write(self, data: memoryview | bytes) -> int:
        with self._lock:
            if sys.platform == "win32" and self._is_append:
                os.lseek(self._fd, 0, os.SEEK_END)
            return os.write(self._fd, data)

    def pread(self, count: int, offset: int) -> bytes:
        with self._lock:
            if _HAS_POSITIONED_IO:
                return os.pread(self._fd, count, offset)
            with self._moved_to(offset):
                return os.read(self._fd, count)

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        with self._lock:
            if not _HAS_POSITIONED_IO:
                with self._moved_to(offset):
                    return os.write(self._fd, data)
            if not (self._is_append and self._is_owned):
                return os.pwrite(self._fd, data, offset)
            # Linux sends positioned writes to the end of a file that was opened to append; POSIX and WASI say otherwise.
            self._set_append_flag(enable=False)
            try:
                return os.pwrite(self._fd, data, offset)
            finally:
                self._set_append_flag(enable=True)

    def seek(self, offset: int, whence: int) -> int:
        with self._lock:
            return os.lseek(self._fd, offset, whence)

    def truncate(self, size: int) -> None:
        with self._lock:
            os.ftruncate(self._fd, size)

    def set_append(self, enable: bool) -> None:
        # The flag belongs to the open file, which others may share if we do not own it: then it stays as it is.
        if self._is_owned:
            with self._lock:
                self._set_append_flag(enable=enable)
                self._is_append = enable

    def _set_append_flag(self, *, enable: bool) -> None:
        if sys.platform != "win32":
            flags = fcntl.fcntl(self._fd, fcntl.F_GETFL)
            fcntl.fcntl(self._fd, fcntl.F_SETFL, flags | os.O_APPEND if enable else flags & ~os.O_APPEND)

    @contextmanager
    def _moved_to(self, offset: int) -> Iterator[None]:
        """Stand in for positioned reading and writing where the system has none (Windows)."""
        before = os.lseek(self._fd, 0, os.SEEK_CUR)
        os.lseek(self._fd, offset, os.SEEK_SET)
        try:
            yield
        finally:
            os.lseek(self._fd, before, os.SEEK_SET)


@final
class HostDirectory(_Descriptor):
    """An open directory of the host. `make_tree` gives the file system below it.

    Safe to close while another thread resolves a path below it: the descriptor is closed when the last one is done, for
    a number that is closed may at once stand for something else, and a path relative to that would be anywhere.
    """

    __slots__ = ("_borrowed", "_is_closed", "_make_tree")

    def __init__(self, fd: int, make_tree: Callable[[HostDirectory], FS]) -> None:
        super().__init__(fd)
        self._make_tree = make_tree
        self._borrowed = 0
        self._is_closed = False

    def read(self, count: int) -> bytes:
        fail(errno.EISDIR)

    def pread(self, count: int, offset: int) -> bytes:
        fail(errno.EISDIR)

    def read_directory(self) -> Sequence[DirectoryEntry]:
        fd = self.borrow()
        try:
            return scan(fd)
        finally:
            self.give_back(fd)

    def tree(self) -> FS:
        """The file system below, which follows the directory wherever it is moved."""
        return self._make_tree(self)

    def borrow(self) -> int:
        """The descriptor, to be used until `give_back`. EBADF once the directory is closed."""
        with self._lock:
            if self._is_closed:
                fail(errno.EBADF)
            self._borrowed += 1
            return self._fd

    def give_back(self, fd: int) -> None:
        """Say that a borrowed descriptor is used no more."""
        with self._lock:
            self._borrowed -= 1
            if self._is_closed and not self._borrowed:
                self._close_locked()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if not self._borrowed:
                self._close_locked()


@final
class PathDirectory(BaseFile):
    """An open directory of the host where directories have no descriptors (Windows): known by its path alone."""

    __slots__ = ("_make_tree", "_path")

    def __init__(self, path: str, make_tree: Callable[[str], FS]) -> None:
        self._path = path
        self._make_tree = make_tree

    def stat(self) -> Stat:
        return stat_of(os.stat(self._path))

    def read(self, count: int) -> bytes:
        fail(errno.EISDIR)

    def pread(self, count: int, offset: int) -> bytes:
        fail(errno.EISDIR)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        times = merge_times(lambda: os.stat(self._path), access_time, modification_time)
        if times is not None:
            os.utime(self._path, ns=times)

    def read_directory(self) -> Sequence[DirectoryEntry]:
        return scan(self._path)

    def tree(self) -> FS:
        """The file system below this path."""
        return self._make_tree(self._path)


def scan(directory: int | str) -> list[DirectoryEntry]:
    """The entries of a directory of the host, by descriptor or path, links not followed."""
    with os.scandir(directory) as entries:
        return [DirectoryEntry(entry.name, _type_of_entry(entry), entry.inode()) for entry in entries]


def _type_of_entry(entry: os.DirEntry[str]) -> FileType:
    # These three are known from reading the directory; only the rest costs a system call.
    if entry.is_symlink():
        return FileType.SYMBOLIC_LINK
    if entry.is_dir(follow_symlinks=False):
        return FileType.DIRECTORY
    if entry.is_file(follow_symlinks=False):
        return FileType.REGULAR
    try:
        return file_type_of(entry.stat(follow_symlinks=False).st_mode)
    except OSError:
        return FileType.UNKNOWN
