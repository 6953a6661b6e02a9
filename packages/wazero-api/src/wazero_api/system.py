"""The seam between guests and the outside: file systems, files, clocks and random bytes, as Protocols.

Names follow wazero's `experimental/sys`. Every failing method raises `OSError` with an `errno` of Python's `errno`
module; hosts (WASI, gojs) map that to their own numbers. Paths are POSIX text relative to the root of the file system,
never absolute, "." for the root itself. Times are nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, IntFlag
from typing import Protocol, final, runtime_checkable

from .record import record


class OpenFlags(IntFlag):
    """How `FS.open_file` opens; one of the first three, the rest as wanted."""

    READ_ONLY = 0
    WRITE_ONLY = 1 << 0
    READ_WRITE = 1 << 1
    APPEND = 1 << 2
    CREATE = 1 << 3
    EXCLUSIVE = 1 << 4
    TRUNCATE = 1 << 5
    DIRECTORY = 1 << 6
    NO_FOLLOW = 1 << 7
    NON_BLOCK = 1 << 8
    SYNC = 1 << 9
    DATA_SYNC = 1 << 10


class FileType(Enum):
    """What a directory entry is."""

    UNKNOWN = 0
    BLOCK_DEVICE = 1
    CHARACTER_DEVICE = 2
    DIRECTORY = 3
    REGULAR = 4
    SOCKET = 5
    SYMBOLIC_LINK = 6
    FIFO = 7


@final
@record
class Stat:
    """What is known of a file. Sizes are bytes, times nanoseconds since the epoch."""

    file_type: FileType
    size: int = 0
    device: int = 0
    inode: int = 0
    links: int = 1
    permissions: int = 0o644
    access_time: int = 0
    modification_time: int = 0
    change_time: int = 0
    user: int = 0
    group: int = 0


@final
@record
class DirectoryEntry:
    """One name in a directory, without "." and ".."."""

    name: str
    file_type: FileType
    inode: int = 0


class File(Protocol):
    """An open file or directory. Read and write may do less than asked; 0 bytes read means end of file."""

    def stat(self) -> Stat: ...

    def read(self, count: int) -> bytes:
        """At most `count` bytes from the current position, which moves."""
        ...

    def pread(self, count: int, offset: int) -> bytes:
        """At most `count` bytes from `offset`; the position stays."""
        ...

    def write(self, data: memoryview | bytes) -> int:
        """Write at the current position (the end when appending); how many bytes were taken."""
        ...

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        """Write at `offset`; the position stays."""
        ...

    def seek(self, offset: int, whence: int) -> int:
        """Move (whence as `os.SEEK_*`) and return the new position."""
        ...

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None: ...

    def datasync(self) -> None: ...

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        """Set both times in nanoseconds; None leaves one as it is."""
        ...

    def set_append(self, enable: bool) -> None: ...

    def read_directory(self) -> Sequence[DirectoryEntry]:
        """All entries; ENOTDIR if this is no directory."""
        ...

    def fileno(self) -> int | None:
        """A real descriptor that `select` understands, or None."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Directory(Protocol):
    """What an open directory may offer besides `File`.

    Without it, hosts reach what is in the directory by joining paths, which goes wrong once the directory is renamed.
    """

    def tree(self) -> FS:
        """The file system whose root is this very directory, under whatever name. It ends when the file is closed."""
        ...


@runtime_checkable
class Listener(Protocol):
    """What a file offers besides `File` that waits for connections. Its `fileno` tells when one is there."""

    def accept(self) -> File:
        """The next connection, a `Connection`."""
        ...


@runtime_checkable
class Connection(Protocol):
    """What a file offers besides `File` that is one end of a stream of bytes, such as a socket."""

    def receive(self, count: int, *, peek: bool = False) -> bytes:
        """Like `File.read`; with `peek`, what is read stays to be read again."""
        ...

    def shutdown(self, *, reading: bool, writing: bool) -> None:
        """End one direction or both; the other end sees the end of the stream."""
        ...


class FS(Protocol):
    """A tree of files. No path given to it may reach outside its root, links included.

    One that knows permissions and owners also has ``set_permissions(path, permissions)``, links followed, and
    ``set_owner(path, user, group, *, follow=True)``, where -1 leaves one; its files have the same without a path.
    """

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> File: ...

    def stat(self, path: str) -> Stat:
        """Of the file that `path` names, links followed."""
        ...

    def lstat(self, path: str) -> Stat:
        """Like `stat`, but of a link itself."""
        ...

    def mkdir(self, path: str, permissions: int = 0o777) -> None: ...

    def rmdir(self, path: str) -> None: ...

    def unlink(self, path: str) -> None: ...

    def rename(self, old: str, new: str, to: FS | None = None) -> None:
        """Move `old` of this tree to `new` of the tree `to` (None: this one). EXDEV if `to` is of another kind."""
        ...

    def link(self, old: str, new: str, to: FS | None = None) -> None:
        """Give the file `old`, links not followed, a second name; `to` as for `rename`."""
        ...

    def symlink(self, target: str, path: str) -> None: ...

    def readlink(self, path: str) -> str: ...

    def set_times(
        self, path: str, access_time: int | None, modification_time: int | None, *, follow: bool = True
    ) -> None: ...


class Clock(Protocol):
    """One source of time. Called whenever the guest asks for it."""

    resolution: int
    """Nanoseconds between two readings that can differ, at best."""

    def __call__(self) -> int:
        """The time in nanoseconds: since the epoch for a wall clock, since any fixed moment for a monotonic one."""
        ...


class RandomSource(Protocol):
    """Where guests get random bytes."""

    def __call__(self, count: int, /) -> bytes:
        """Exactly `count` bytes."""
        ...


class Sleep(Protocol):
    """Called when the guest sleeps."""

    def __call__(self, nanoseconds: int, /) -> None: ...
