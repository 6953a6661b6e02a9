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

_HAS_POSITIONED_IO: Final = hasattr(os, "pread")
_CAN_SET_TIMES_BY_DESCRIPTOR: Final = os.utime in os.supports_fd


def file_type_of(mode: int) -> FileType:
    """What the bits of an `os.stat` mode say."""
    return _TYPE_OF_MODE.get(mode_bits.S_IFMT(mode), FileType.UNKNOWN)


def stat_of(result: os.stat_result) -> Stat:
    """The same facts as `os.stat` gave."""
    return Stat(
        file_type=file_type_of(result.st_mode),
        size=result.st_size,
        device=result.st_dev,
        inode=result.st_ino,
        links=result.st_nlink,
        permissions=mode_bits.S_IMODE(result.st_mode),
        access_time=result.st_atime_ns,
        modification_time=result.st_mtime_ns,
        change_time=result.st_ctime_ns,
    )


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
    """What files and directories of the host share: a descriptor, closed once if it is owned."""

    __slots__ = ("_fd", "_is_owned")

    def __init__(self, fd: int, *, is_owned: bool = True) -> None:
        self._fd = fd
        self._is_owned = is_owned

    def stat(self) -> Stat:
        return stat_of(os.fstat(self._fd))

    def sync(self) -> None:
        os.fsync(self._fd)

    def datasync(self) -> None:
        # macOS and Windows have no fdatasync; fsync does more than was asked.
        getattr(os, "fdatasync", os.fsync)(self._fd)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        times = merge_times(lambda: os.fstat(self._fd), access_time, modification_time)
        if times is None:
            return
        if not _CAN_SET_TIMES_BY_DESCRIPTOR:
            fail(errno.ENOTSUP)
        os.utime(self._fd, ns=times)

    def fileno(self) -> int | None:
        return self._fd

    def close(self) -> None:
        # A number that is closed may be given out again at once, so it must not be used a second time.
        fd, self._fd = self._fd, -1
        if self._is_owned and fd >= 0:
            os.close(fd)


@final
class HostFile(_Descriptor):
    """An open file, pipe or device of the host; `is_append` if it was opened with O_APPEND.

    Reads and writes go straight to the system, so what a guest writes is in order with what others write.
    """

    __slots__ = ("_is_append", "_lock")

    def __init__(self, fd: int, *, is_owned: bool = True, is_append: bool = False) -> None:
        super().__init__(fd, is_owned=is_owned)
        self._is_append = is_append
        self._lock = Lock()

    def read(self, count: int) -> bytes:
        return os.read(self._fd, count)

    def write(self, data: memoryview | bytes) -> int:
        if sys.platform == "win32" and self._is_append:
            os.lseek(self._fd, 0, os.SEEK_END)
        return os.write(self._fd, data)

    def pread(self, count: int, offset: int) -> bytes:
        if _HAS_POSITIONED_IO:
            return os.pread(self._fd, count, offset)
        with self._lock, self._moved_to(offset):
            return os.read(self._fd, count)

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        if not _HAS_POSITIONED_IO:
            with self._lock, self._moved_to(offset):
                return os.write(self._fd, data)
        if not (self._is_append and self._is_owned):
            return os.pwrite(self._fd, data, offset)
        # Linux sends positioned writes to the end of a file that was opened to append; POSIX and WASI say otherwise.
        with self._lock:
            self._set_append_flag(enable=False)
            try:
                return os.pwrite(self._fd, data, offset)
            finally:
                self._set_append_flag(enable=True)

    def seek(self, offset: int, whence: int) -> int:
        return os.lseek(self._fd, offset, whence)

    def truncate(self, size: int) -> None:
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
    """An open directory of the host. `make_tree` gives the file system below a descriptor of it."""

    __slots__ = ("_make_tree",)

    def __init__(self, fd: int, make_tree: Callable[[Callable[[], int]], FS]) -> None:
        super().__init__(fd)
        self._make_tree = make_tree

    def read(self, count: int) -> bytes:
        fail(errno.EISDIR)

    def pread(self, count: int, offset: int) -> bytes:
        fail(errno.EISDIR)

    def read_directory(self) -> Sequence[DirectoryEntry]:
        return scan(self._fd)

    def tree(self) -> FS:
        """The file system below, which follows the directory wherever it is moved."""
        return self._make_tree(self._duplicate)

    def _duplicate(self) -> int:
        return os.dup(self._fd)


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
