"""A view of a file system that lets it grow only so far.

What is counted is growth: bytes by which files became longer through the view, holes included, and names that were made.
It goes down again when a file gets shorter, when its last name goes and no one has it open through the view, and when a
name goes; never below zero, so that removing what was there before gives no room for more than has been removed. In
between, a file's length is looked at and not remembered, as others may change it too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Final, final

from wazero_api.system import FS, DirectoryEntry, File, FileType, OpenFlags, Stat

from .files import BaseFile, check_fs, fail
from .views import tree_of

DEFAULT_MAX_ENTRIES: Final = 1 << 16

_CREATING: Final = OpenFlags.CREATE | OpenFlags.TRUNCATE


@final
class _Account:
    """What all trees and files of a view have taken together. Whoever changes or asks it holds `lock`."""

    __slots__ = ("_bytes", "_entries", "_max_bytes", "_max_entries", "_opens", "lock")

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self.lock = RLock()
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._bytes = 0
        self._entries = 0
        self._opens: dict[tuple[int, int], int] = {}  # by device and inode

    def room(self) -> int:
        """Bytes by which files may still grow."""
        return self._max_bytes - self._bytes

    def count_bytes(self, growth: int) -> None:
        """A file has become longer, or shorter."""
        self._bytes = max(0, self._bytes + growth)

    @contextmanager
    def new_entry(self, is_there: Callable[[str], Stat], path: str) -> Iterator[None]:
        """Around making a name: ENOSPC if there may be no more, EEXIST if it is there. It counts if it was made."""
        if self._entries >= self._max_entries:
            try:
                is_there(path)
            except FileNotFoundError:
                fail(errno.ENOSPC)
            fail(errno.EEXIST)
        yield
        self._entries += 1

    def count_removed(self, stat: Stat | None) -> None:
        """A name has gone, of a file about which this was known before."""
        if stat is None:
            return
        self._entries = max(0, self._entries - 1)
        if stat.file_type is FileType.REGULAR and stat.links == 1 and _key(stat) not in self._opens:
            self.count_bytes(-stat.size)

    def count_opened(self, stat: Stat) -> None:
        """A regular file has been opened, and needs its bytes until it is closed."""
        key = _key(stat)
        self._opens[key] = self._opens.get(key, 0) + 1

    def count_closed(self, opened: Stat, last: Stat | None) -> None:
        """The file is closed; `last` is what was known of it then. If it has no name any more, its bytes are free."""
        key = _key(opened)
        self._opens[key] -= 1
        if self._opens[key] == 0:
            del self._opens[key]
            if last is not None and last.links == 0:
                self.count_bytes(-last.size)


def _ask(stat: Callable[[str], Stat], path: str) -> Stat | None:
    """What is known of a file, or None: what is wrong with the path, the operation will say better."""
    try:
        return stat(path)
    except OSError:
        return None


def _key(stat: Stat) -> tuple[int, int]:
    return stat.device, stat.inode


@final
class QuotaFS:
    """Another file system, as long as it does not grow too much: by `max_bytes` in its files, by `max_entries` names.

    Beyond that, whatever would make it grow is ENOSPC, or a short write. Counted is what is done through this view and
    the trees of its directories, with lengths of files and not the blocks they take: a hole counts as data, a link as a
    name. Room that was taken is there again when a file is cut, or has neither a name nor an open file any more. Files
    and links move between the trees of one view, not to another view, which is EXDEV. To limit what an `OverlayFS` takes,
    put this around its upper layer, where files are copied to.

    Raises ValueError for a limit below zero.
    """

    __slots__ = ("_account", "_fs")

    _account: _Account
    _fs: FS

    def __init__(self, fs: FS, *, max_bytes: int, max_entries: int = DEFAULT_MAX_ENTRIES) -> None:
        check_fs(fs)
        if max_bytes < 0 or max_entries < 0:
            raise ValueError(f"the limits of a QuotaFS must not be negative: {max_bytes} bytes, {max_entries} entries")
        self._fs = fs
        self._account = _Account(max_bytes, max_entries)

    def __repr__(self) -> str:
        return f"QuotaFS({self._fs!r})"

    def _below(self, tree: FS) -> QuotaFS:
        """Another tree of the same file system, counted together with this."""
        view = QuotaFS.__new__(QuotaFS)
        view._fs = tree
        view._account = self._account
        return view

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> File:
        """As below, and ENOSPC for a file that would be one too many."""
        account = self._account
        with account.lock:
            before = _ask(self._fs.stat, path) if flags & _CREATING else None
            if before is None and flags & OpenFlags.CREATE:
                # A link that leads nowhere is there only for who must not follow it.
                with account.new_entry(self.lstat if flags & OpenFlags.EXCLUSIVE else self.stat, path):
                    file = self._fs.open_file(path, flags, permissions)
            else:
                file = self._fs.open_file(path, flags, permissions)
                if before is not None and flags & OpenFlags.TRUNCATE:
                    account.count_bytes(-before.size)
            return self._wrap(file, path, flags)

    def _wrap(self, file: File, path: str, flags: OpenFlags) -> File:
        try:
            stat = file.stat()
            if stat.file_type is FileType.DIRECTORY:
                return _QuotaDirectory(file, self._below(tree_of(file, self._fs, path)))
            if stat.file_type is not FileType.REGULAR:
                return file  # a pipe or device does not grow
            return _QuotaFile(file, stat, self._account, is_append=bool(flags & OpenFlags.APPEND))
        except BaseException:
            file.close()
            raise

    def stat(self, path: str) -> Stat:
        """As below."""
        return self._fs.stat(path)

    def lstat(self, path: str) -> Stat:
        """As below."""
        return self._fs.lstat(path)

    def readlink(self, path: str) -> str:
        """As below."""
        return self._fs.readlink(path)

    def set_times(
        self, path: str, access_time: int | None, modification_time: int | None, *, follow: bool = True
    ) -> None:
        """As below."""
        self._fs.set_times(path, access_time, modification_time, follow=follow)

    def mkdir(self, path: str, permissions: int = 0o777) -> None:
        """As below, counted."""
        with self._account.lock, self._account.new_entry(self.lstat, path):
            self._fs.mkdir(path, permissions)

    def symlink(self, target: str, path: str) -> None:
        """As below, counted."""
        with self._account.lock, self._account.new_entry(self.lstat, path):
            self._fs.symlink(target, path)

    def rmdir(self, path: str) -> None:
        """As below, counted."""
        with self._account.lock:
            stat = _ask(self._fs.lstat, path)
            self._fs.rmdir(path)
            self._account.count_removed(stat)

    def unlink(self, path: str) -> None:
        """As below, counted."""
        with self._account.lock:
            stat = _ask(self._fs.lstat, path)
            self._fs.unlink(path)
            self._account.count_removed(stat)

    def link(self, old: str, new: str, to: FS | None = None) -> None:
        """As below, counted; EXDEV if `to` is no tree of this view."""
        tree = self._tree_below(to)
        with self._account.lock, self._account.new_entry((tree or self._fs).lstat, new):
            self._fs.link(old, new, tree)

    def rename(self, old: str, new: str, to: FS | None = None) -> None:
        """As below; what is replaced goes, which counts. EXDEV if `to` is no tree of this view."""
        tree = self._tree_below(to)
        with self._account.lock:
            moved, replaced = _ask(self._fs.lstat, old), _ask((tree or self._fs).lstat, new)
            self._fs.rename(old, new, tree)
            if moved is not None and replaced is not None and _key(replaced) != _key(moved):
                self._account.count_removed(replaced)

    def _tree_below(self, to: FS | None) -> FS | None:
        if to is None:
            return None
        if not isinstance(to, QuotaFS) or to._account is not self._account:
            fail(errno.EXDEV)
        return to._fs


class _Wrapped(BaseFile):
    """What is the same for files and directories: as below."""

    __slots__ = ("_file",)

    def __init__(self, file: File) -> None:
        self._file = file

    def stat(self) -> Stat:
        return self._file.stat()

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def pread(self, count: int, offset: int) -> bytes:
        return self._file.pread(count, offset)

    def seek(self, offset: int, whence: int) -> int:
        return self._file.seek(offset, whence)

    def sync(self) -> None:
        self._file.sync()

    def datasync(self) -> None:
        self._file.datasync()

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        self._file.set_times(access_time, modification_time)

    def read_directory(self) -> Sequence[DirectoryEntry]:
        return self._file.read_directory()

    def close(self) -> None:
        self._file.close()


@final
class _QuotaDirectory(_Wrapped):
    """An open directory."""

    __slots__ = ("_tree",)

    def __init__(self, file: File, tree: QuotaFS) -> None:
        super().__init__(file)
        self._tree = tree

    def tree(self) -> FS:
        """The file system below, counted too."""
        return self._tree


@final
class _QuotaFile(_Wrapped):
    """An open regular file. It offers no descriptor: what is written there would not be counted."""

    __slots__ = ("_account", "_is_append", "_is_closed", "_opened")

    def __init__(self, file: File, stat: Stat, account: _Account, *, is_append: bool) -> None:
        super().__init__(file)
        self._account = account
        self._is_append = is_append
        self._is_closed = False
        self._opened = stat
        account.count_opened(stat)

    def write(self, data: memoryview | bytes) -> int:
        with self._account.lock:
            size = self._file.stat().size
            start = size if self._is_append else self._file.seek(0, os.SEEK_CUR)
            count = self._file.write(self._allowed(data, start, size))
            self._account.count_bytes(max(0, start + count - size))
            return count

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        with self._account.lock:
            size = self._file.stat().size
            count = self._file.pwrite(self._allowed(data, offset, size), offset)
            self._account.count_bytes(max(0, offset + count - size))
            return count

    def _allowed(self, data: memoryview | bytes, start: int, size: int) -> memoryview | bytes:
        """As much of it as may be written to a file of this size. ENOSPC for nothing."""
        limit = size + self._account.room()
        if start + len(data) <= max(size, limit) or not data:
            return data
        if start >= limit:
            self._file.write(b"")  # EBADF for a file that is not open for writing
            fail(errno.ENOSPC)
        return data[: limit - start]

    def truncate(self, size: int) -> None:
        with self._account.lock:
            before = self._file.stat().size
            if size - before > self._account.room():
                fail(errno.ENOSPC)
            self._file.truncate(size)
            self._account.count_bytes(size - before)

    def set_append(self, enable: bool) -> None:
        self._file.set_append(enable)
        self._is_append = enable

    def close(self) -> None:
        with self._account.lock:
            if self._is_closed:
                return
            self._is_closed = True
            try:
                last: Stat | None = self._file.stat()
            except OSError:
                last = None
            try:
                self._file.close()
            finally:
                self._account.count_closed(self._opened, last)
