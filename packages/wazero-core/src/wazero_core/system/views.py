"""File systems made from others: a view that cannot write, and the part below one directory."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any, Final, final

from wazero_api.system import FS, DirectoryEntry, File, FileType, OpenFlags, Stat

from .files import BaseFile, check_fs, fail, offered
from .walk import MAX_PATH

_WRITING: Final = OpenFlags.WRITE_ONLY | OpenFlags.READ_WRITE | OpenFlags.CREATE | OpenFlags.TRUNCATE | OpenFlags.APPEND


@final
class ReadOnlyFS:
    """Another file system without a way to change it: every attempt is EROFS."""

    __slots__ = ("_fs",)

    def __init__(self, fs: FS) -> None:
        check_fs(fs)
        self._fs = fs

    def __repr__(self) -> str:
        return f"ReadOnlyFS({self._fs!r})"

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> File:
        """Open for reading."""
        if flags & _WRITING:
            self._refuse_to_write(path, flags)
        file = self._fs.open_file(path, flags & ~_WRITING, permissions)
        return _ReadOnlyDirectory(file) if hasattr(file, "tree") else _ReadOnlyFile(file)

    def _refuse_to_write(self, path: str, flags: OpenFlags) -> None:
        """EROFS, unless there is a better reason. To "create" what exists, for reading, is allowed."""
        writes = flags & ~OpenFlags.CREATE & _WRITING
        try:
            found = self._fs.lstat(path)
        except FileNotFoundError:
            fail(errno.EROFS if flags & OpenFlags.CREATE else errno.ENOENT)
        if flags & OpenFlags.CREATE and flags & OpenFlags.EXCLUSIVE:
            fail(errno.EEXIST)
        if writes:
            fail(errno.EISDIR if found.file_type is FileType.DIRECTORY else errno.EROFS)

    def stat(self, path: str) -> Stat:
        """As below."""
        return self._fs.stat(path)

    def lstat(self, path: str) -> Stat:
        """As below."""
        return self._fs.lstat(path)

    def readlink(self, path: str) -> str:
        """As below."""
        return self._fs.readlink(path)

    def mkdir(self, path: str, permissions: int = 0o777) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def rmdir(self, path: str) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def unlink(self, path: str) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def rename(self, old: str, new: str, to: FS | None = None) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def link(self, old: str, new: str, to: FS | None = None) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def symlink(self, target: str, path: str) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def set_times(
        self, path: str, access_time: int | None, modification_time: int | None, *, follow: bool = True
    ) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def set_permissions(self, path: str, permissions: int) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def set_owner(self, path: str, user: int, group: int, *, follow: bool = True) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)


class _ReadOnlyFile(BaseFile):
    """A file that was opened for reading, without the changes that its descriptor would still allow (times)."""

    __slots__ = ("_file",)

    def __init__(self, file: File) -> None:
        self._file = file

    def stat(self) -> Stat:
        return self._file.stat()

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def pread(self, count: int, offset: int) -> bytes:
        return self._file.pread(count, offset)

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        fail(errno.EBADF)

    def seek(self, offset: int, whence: int) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int) -> None:
        fail(errno.EROFS)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        fail(errno.EROFS)

    def set_permissions(self, permissions: int) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def set_owner(self, user: int, group: int) -> None:
        """Refuse with EROFS."""
        fail(errno.EROFS)

    def read_directory(self) -> Sequence[DirectoryEntry]:
        return self._file.read_directory()

    def fileno(self) -> int | None:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@final
class _ReadOnlyDirectory(_ReadOnlyFile):
    """Like `_ReadOnlyFile`, for a directory that knows its tree."""

    __slots__ = ()

    def tree(self) -> FS:
        """The tree below, read-only too."""
        directory: Any = self._file
        return ReadOnlyFS(directory.tree())


@final
class SubtreeFS:
    """The part of a file system below the directory `prefix`, by joining paths.

    What a directory becomes if its own file has no `tree`. A path that climbs above the directory, as far as its text
    tells, is EPERM; where links lead is the business of the file system below. A directory with a path of more than
    4096 characters is ENAMETOOLONG.
    """

    __slots__ = ("_fs", "_prefix")

    _fs: FS
    _prefix: str

    def __init__(self, fs: FS, prefix: str) -> None:
        prefix = prefix.rstrip("/")
        if isinstance(fs, SubtreeFS):  # one level for any depth, as guests decide how deep they go
            prefix = fs._join(prefix)
            fs = fs._fs
        if len(prefix) > MAX_PATH:
            fail(errno.ENAMETOOLONG)
        self._fs = fs
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"SubtreeFS({self._fs!r}, {self._prefix!r})"

    def _join(self, path: str) -> str:
        if not path:
            fail(errno.ENOENT)
        depth = 0
        for part in path.split("/"):
            depth += -1 if part == ".." else part not in {"", "."}
            if depth < 0:
                fail(errno.EPERM)
        if path.startswith("/"):
            fail(errno.EPERM)
        return path if self._prefix in {"", "."} else self._prefix if path == "." else f"{self._prefix}/{path}"

    def _join_in(self, to: FS | None, path: str) -> tuple[str, FS | None]:
        """Where `path` of the tree `to` is, as seen by the file system below."""
        if to is None:
            return self._join(path), None
        if isinstance(to, SubtreeFS):
            return to._join(path), None if to._fs is self._fs else to._fs
        return path, to

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> File:
        """As below."""
        return self._fs.open_file(self._join(path), flags, permissions)

    def stat(self, path: str) -> Stat:
        """As below."""
        return self._fs.stat(self._join(path))

    def lstat(self, path: str) -> Stat:
        """As below."""
        return self._fs.lstat(self._join(path))

    def mkdir(self, path: str, permissions: int = 0o777) -> None:
        """As below."""
        self._fs.mkdir(self._join(path), permissions)

    def rmdir(self, path: str) -> None:
        """As below."""
        self._fs.rmdir(self._join(path))

    def unlink(self, path: str) -> None:
        """As below."""
        self._fs.unlink(self._join(path))

    def rename(self, old: str, new: str, to: FS | None = None) -> None:
        """As below."""
        path, tree = self._join_in(to, new)
        self._fs.rename(self._join(old), path, tree)

    def link(self, old: str, new: str, to: FS | None = None) -> None:
        """As below."""
        path, tree = self._join_in(to, new)
        self._fs.link(self._join(old), path, tree)

    def symlink(self, target: str, path: str) -> None:
        """As below."""
        self._fs.symlink(target, self._join(path))

    def readlink(self, path: str) -> str:
        """As below."""
        return self._fs.readlink(self._join(path))

    def set_times(
        self, path: str, access_time: int | None, modification_time: int | None, *, follow: bool = True
    ) -> None:
        """As below."""
        self._fs.set_times(self._join(path), access_time, modification_time, follow=follow)

    def set_permissions(self, path: str, permissions: int) -> None:
        """As below."""
        offered(self._fs, "set_permissions")(self._join(path), permissions)

    def set_owner(self, path: str, user: int, group: int, *, follow: bool = True) -> None:
        """As below."""
        offered(self._fs, "set_owner")(self._join(path), user, group, follow=follow)


def tree_of(file: File, fs: FS, path: str) -> FS:
    """The file system below the directory `file`, which was opened as `path` in `fs`."""
    make_tree = getattr(file, "tree", None)  # in a small part of the time of `isinstance` with a protocol
    return SubtreeFS(fs, path) if make_tree is None else make_tree()
