"""A tree of files, without paths: what `NodeFS` needs to know of one, and the file that has a position.

A volume only has to say how it is read; changes that it does not override are EROFS.
"""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count as counting
from threading import RLock
from typing import Final, Generic, Protocol, TypeVar

from wazero_api.system import DirectoryEntry, File, FileType, OpenFlags, Stat

from .files import BaseFile, fail

MAX_NAME: Final = 255
"""Bytes of one name in a directory, as on Linux: ENAMETOOLONG beyond."""

MAX_OFFSET: Final = (1 << 63) - 1
"""The last position in a file that systems can express."""

WRITING: Final = OpenFlags.WRITE_ONLY | OpenFlags.READ_WRITE | OpenFlags.TRUNCATE
"""Flags that a directory cannot be opened with."""

_devices: Final = counting(1 << 48)


def new_device() -> int:
    """A device number that no host has: with the inode it tells guests which files are one."""
    return next(_devices)


class Node(Protocol):
    """A file, directory or link of a volume."""

    @property
    def file_type(self) -> FileType: ...


N = TypeVar("N", bound=Node)


class Volume(ABC, Generic[N]):
    """A tree of nodes. Whoever calls a method holds `lock`."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = RLock()

    @abstractmethod
    def root(self) -> N:
        """The directory at the top."""

    @abstractmethod
    def child(self, directory: N, name: str) -> N | None:
        """What has this name in a directory."""

    @abstractmethod
    def stat(self, node: N) -> Stat:
        """What is known of a node, links not followed."""

    @abstractmethod
    def target(self, node: N) -> str:
        """Where a link leads."""

    @abstractmethod
    def entries(self, directory: N) -> Sequence[DirectoryEntry]:
        """What is in a directory."""

    @abstractmethod
    def open(self, node: N, flags: OpenFlags) -> File:
        """Open what is neither directory nor link."""

    def hold(self, directory: N) -> N:
        """Open a directory: the node that stands for it until `release`, wherever it is moved."""
        return directory

    def current(self, held: N) -> N:
        """The open directory as it is now."""
        return held

    def release(self, held: N) -> None:
        """Close a directory that was opened."""

    def is_same(self, first: N, second: N) -> bool:
        """Whether both are one file."""
        return first is second

    def is_within(self, inner: N, outer: N) -> bool:
        """Whether the directory `inner` is `outer` or below it. Only volumes that can move need to know."""
        return False

    def create(self, directory: N, name: str, flags: OpenFlags, permissions: int) -> File:
        """Make a file under a name that is free, and open it."""
        fail(errno.EROFS)

    def make_directory(self, directory: N, name: str, permissions: int) -> None:
        """Make a directory under a name that is free."""
        fail(errno.EROFS)

    def make_link(self, directory: N, name: str, target: str) -> None:
        """Make a symbolic link under a name that is free."""
        fail(errno.EROFS)

    def add_name(self, node: N, directory: N, name: str) -> None:
        """Give what is no directory another name, which is free."""
        fail(errno.EROFS)

    def remove(self, directory: N, name: str, node: N) -> None:
        """Take away a name; a directory is empty."""
        fail(errno.EROFS)

    def move(self, source: N, old: str, node: N, target: N, new: str, replaced: N | None) -> None:
        """Give `node` a name in the directory `target` for that in `source`. What is replaced may be."""
        fail(errno.EROFS)

    def set_times(self, node: N, access_time: int | None, modification_time: int | None) -> None:
        """Set times in nanoseconds since the epoch; None leaves one as it is."""
        fail(errno.EROFS)

    def set_permissions(self, node: N, permissions: int) -> None:
        """Set the bits of the mode."""
        fail(errno.EROFS)


def check_name(name: str) -> None:
    """Raise what systems say of a name that cannot be one: ENAMETOOLONG, or EILSEQ for what no bytes stand for."""
    try:
        length = len(name) if name.isascii() else len(name.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        fail(errno.EILSEQ)
    if length > MAX_NAME:
        fail(errno.ENAMETOOLONG)


class PositionedFile(BaseFile, ABC):
    """A file with a content that is read by position. `lock` also keeps the position in order."""

    __slots__ = ("_lock", "_position")

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._position = 0

    @abstractmethod
    def _size(self) -> int:
        """Bytes of the content; EBADF once the file is closed."""

    @abstractmethod
    def _read_at(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset` on; both are 0 or more."""

    def read(self, count: int) -> bytes:
        with self._lock:
            data = self.pread(count, self._position)
            self._position += len(data)
            return data

    def pread(self, count: int, offset: int) -> bytes:
        if count < 0 or offset < 0:
            fail(errno.EINVAL)
        with self._lock:
            return self._read_at(offset, count)

    def seek(self, offset: int, whence: int) -> int:
        with self._lock:
            size = self._size()
            if whence == os.SEEK_CUR:
                offset += self._position
            elif whence == os.SEEK_END:
                offset += size
            elif whence != os.SEEK_SET:
                fail(errno.EINVAL)
            if not 0 <= offset <= MAX_OFFSET:
                fail(errno.EINVAL)
            self._position = offset
            return offset
