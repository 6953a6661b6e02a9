"""What is known of files, and setting their times and sizes. Spec: "filestat", "fstflags", "fd_filestat_…", "path_filestat_…"."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from wazero_api.system import FileType, Stat
from wazero_core.system import SystemContext

from .dialect import Dialect
from .guest import Caller, buffer_of, check, fail, offset_of, path_at, signed
from .lookup import entry_at, file_at, follows, tree_of
from .rights import Rights

_FILE_TYPES: Final = {
    FileType.UNKNOWN: 0,
    FileType.BLOCK_DEVICE: 1,
    FileType.CHARACTER_DEVICE: 2,
    FileType.DIRECTORY: 3,
    FileType.REGULAR: 4,
    FileType.SOCKET: 6,  # a stream socket; 5 is for datagrams
    FileType.SYMBOLIC_LINK: 7,
    FileType.FIFO: 0,  # WASI has no number for pipes
}

_ATIM, _ATIM_NOW, _MTIM, _MTIM_NOW = 1, 2, 4, 8
_U64: Final = (1 << 64) - 1


def file_type_number(file_type: FileType) -> int:
    """WASI's number for a kind of file."""
    return _FILE_TYPES[file_type]


def _store(dialect: Dialect, buffer: memoryview, result: int, stat: Stat) -> None:
    dialect.filestat.pack_into(
        buffer,
        result,
        stat.device & _U64,
        stat.inode & _U64,
        _FILE_TYPES[stat.file_type],
        min(stat.links, dialect.max_links),
        stat.size & _U64,
        stat.access_time & _U64,
        stat.modification_time & _U64,
        stat.change_time & _U64,
    )


def make_fd_filestat_get(dialect: Dialect) -> Callable[..., None]:
    """`fd_filestat_get` with the dialect's layout."""

    def fd_filestat_get(module: Caller, fd: int, result: int) -> None:
        """Store what is known of an open file."""
        file = entry_at(module, fd, Rights.FD_FILESTAT_GET).file
        buffer = buffer_of(module)
        check(buffer, result, dialect.filestat.size)
        _store(dialect, buffer, result, file.stat())

    return fd_filestat_get


def make_path_filestat_get(dialect: Dialect) -> Callable[..., None]:
    """`path_filestat_get` with the dialect's layout."""

    def path_filestat_get(module: Caller, fd: int, flags: int, path: int, path_len: int, result: int) -> None:
        """Store what is known of the file at a path."""
        tree = tree_of(module, fd, Rights.PATH_FILESTAT_GET)
        buffer = buffer_of(module)
        check(buffer, result, dialect.filestat.size)
        name = path_at(buffer, path, path_len)
        _store(dialect, buffer, result, tree.stat(name) if follows(flags) else tree.lstat(name))

    return path_filestat_get


def fd_filestat_set_size(module: Caller, fd: int, size: int) -> None:
    """Cut an open file or lengthen it with zeros."""
    file_at(module, fd, Rights.FD_FILESTAT_SET_SIZE).truncate(offset_of(size))


def fd_filestat_set_times(module: Caller, fd: int, atim: int, mtim: int, fst_flags: int) -> None:
    """Set times of an open file."""
    file = entry_at(module, fd, Rights.FD_FILESTAT_SET_TIMES).file
    file.set_times(*_times(module.system, atim, mtim, fst_flags))


def path_filestat_set_times(
    module: Caller, fd: int, flags: int, path: int, path_len: int, atim: int, mtim: int, fst_flags: int
) -> None:
    """Set times of the file at a path."""
    tree = tree_of(module, fd, Rights.PATH_FILESTAT_SET_TIMES)
    name = path_at(buffer_of(module), path, path_len)
    access_time, modification_time = _times(module.system, atim, mtim, fst_flags)
    tree.set_times(name, access_time, modification_time, follow=follows(flags))


def _times(system: SystemContext, atim: int, mtim: int, flags: int) -> tuple[int | None, int | None]:
    """The times that the flags ask for; None for one that is to stay. EINVAL for flags that contradict each other."""
    if flags > _ATIM | _ATIM_NOW | _MTIM | _MTIM_NOW:
        fail(errno.EINVAL)
    if (flags & _ATIM and flags & _ATIM_NOW) or (flags & _MTIM and flags & _MTIM_NOW):
        fail(errno.EINVAL)
    now = system.walltime() if flags & (_ATIM_NOW | _MTIM_NOW) else None
    access_time = signed(atim) if flags & _ATIM else now if flags & _ATIM_NOW else None
    modification_time = signed(mtim) if flags & _MTIM else now if flags & _MTIM_NOW else None
    return access_time, modification_time
