"""The base of files: every operation refused, so that a kind of file states only what it can do."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from wazero_api.system import DirectoryEntry, FileType, Stat

MAX_OPEN_FILES: Final = 1 << 16
"""How many files an instance may have open, unless told otherwise."""


def fail(number: int) -> NoReturn:
    """Raise the OSError (of the subclass that fits) for a number of Python's `errno` module."""
    raise OSError(number, os.strerror(number))


def check_fs(fs: object) -> None:
    """Raise TypeError for what is no file system, among it a class of them."""
    if isinstance(fs, type) or not callable(getattr(fs, "open_file", None)):
        what = f"the class {fs.__name__}" if isinstance(fs, type) else type(fs).__name__
        raise TypeError(f"a file system is needed, such as DirFS(path), not {what}")


def offered(target: object, name: str) -> Callable[..., None]:
    """A method that not all files and file systems have, such as `set_permissions`: ENOSYS from those without."""
    method: Callable[..., None] | None = getattr(target, name, None)
    if method is None:
        fail(errno.ENOSYS)
    return method


class BaseFile:
    """A file that can do nothing but say what it is and be closed. Subclasses override what they support.

    Also a base for files of your own; wazero calls this UnimplementedFile.
    """

    __slots__ = ()

    def stat(self) -> Stat:
        """Of a file of unknown kind; override to say more."""
        return Stat(FileType.UNKNOWN)

    def read(self, count: int) -> bytes:
        """Refuse with EBADF: not open for reading."""
        fail(errno.EBADF)

    def pread(self, count: int, offset: int) -> bytes:
        """Refuse with ESPIPE: no positions here."""
        fail(errno.ESPIPE)

    def write(self, data: memoryview | bytes) -> int:
        """Refuse with EBADF: not open for writing."""
        fail(errno.EBADF)

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        """Refuse with ESPIPE: no positions here."""
        fail(errno.ESPIPE)

    def seek(self, offset: int, whence: int) -> int:
        """Refuse with ESPIPE: no positions here."""
        fail(errno.ESPIPE)

    def truncate(self, size: int) -> None:
        """Refuse with EINVAL, as systems do for what is no regular file."""
        fail(errno.EINVAL)

    def sync(self) -> None:
        """Do nothing: nothing is held back."""

    def datasync(self) -> None:
        """Do nothing: nothing is held back."""

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        """Refuse with ENOTSUP."""
        fail(errno.ENOTSUP)

    def set_append(self, enable: bool) -> None:
        """Do nothing: what has no positions always appends."""

    def read_directory(self) -> Sequence[DirectoryEntry]:
        """Refuse with ENOTDIR."""
        fail(errno.ENOTDIR)

    def fileno(self) -> int | None:
        """There is no descriptor."""
        return None

    def close(self) -> None:
        """There is nothing to release."""
