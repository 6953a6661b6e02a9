"""A file system in memory, with a limit to what it may take."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count as counting
from typing import Any, Final, final

from wazero_api.system import DirectoryEntry, File, FileType, OpenFlags, Stat

from .files import fail
from .nodes import NodeFS
from .volume import MAX_OFFSET, PositionedFile, Volume, new_device
from .walk import MAX_PATH

DEFAULT_MAX_BYTES: Final = 64 << 20
DEFAULT_MAX_ENTRIES: Final = 1 << 16

MAX_DEPTH: Final = MAX_PATH // 2
"""Directories in one another: no path could name what is deeper. ENAMETOOLONG beyond."""


@final
class _Node:
    """A file, directory or link. `content` is what it holds: bytes, names, or the target."""

    __slots__ = (
        "access_time",
        "change_time",
        "content",
        "file_type",
        "inode",
        "links",
        "modification_time",
        "opens",
        "parent",
        "permissions",
    )

    def __init__(self, file_type: FileType, content: Any, inode: int, permissions: int, now: int) -> None:
        self.file_type = file_type
        self.content: Any = content  # bytearray, dict[str, _Node] or bytes; the type is told by `file_type`
        self.inode = inode
        self.permissions = permissions
        self.links = 0
        """Names; 0 for what has been removed. A directory has two more than it has directories in it."""
        self.opens = 0
        """Open files and directories that still need it."""
        self.parent: _Node | None = None
        """Of a directory; None for the root."""
        self.access_time = self.modification_time = self.change_time = now


@final
class _MemoryVolume(Volume[_Node]):
    """The tree, and what is counted of it: bytes of contents and link targets; names, and files open without one."""

    __slots__ = ("_clock", "_entries", "_inodes", "_max_bytes", "_max_entries", "_root", "_used", "device")

    def __init__(self, max_bytes: int, max_entries: int, clock: Callable[[], int]) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._clock = clock
        self._used = 0
        self._entries = 0
        self._inodes = counting(1)
        self.device = new_device()
        self._root = self._new(FileType.DIRECTORY, {}, 0o777)
        self._root.links = 2

    def root(self) -> _Node:
        return self._root

    def child(self, directory: _Node, name: str) -> _Node | None:
        node: _Node | None = directory.content.get(name)
        return node

    def target(self, node: _Node) -> str:
        target: bytes = node.content
        return target.decode("utf-8", "surrogateescape")

    def stat(self, node: _Node) -> Stat:
        return Stat(
            file_type=node.file_type,
            size=0 if node.file_type is FileType.DIRECTORY else len(node.content),
            device=self.device,
            inode=node.inode,
            links=node.links,
            permissions=node.permissions,
            access_time=node.access_time,
            modification_time=node.modification_time,
            change_time=node.change_time,
        )

    def entries(self, directory: _Node) -> Sequence[DirectoryEntry]:
        children: dict[str, _Node] = directory.content
        return [DirectoryEntry(name, node.file_type, node.inode) for name, node in children.items()]

    def open(self, node: _Node, flags: OpenFlags) -> File:
        if flags & OpenFlags.TRUNCATE:
            self.resize(node, 0)
        return _MemoryFile(self, node, flags)

    def create(self, directory: _Node, name: str, flags: OpenFlags, permissions: int) -> File:
        node = self._new(FileType.REGULAR, bytearray(), permissions & 0o777)
        self._insert(directory, name, node)
        return _MemoryFile(self, node, flags)

    def make_directory(self, directory: _Node, name: str, permissions: int) -> None:
        if _depth(directory) >= MAX_DEPTH:
            fail(errno.ENAMETOOLONG)
        self._insert(directory, name, self._new(FileType.DIRECTORY, {}, permissions & 0o777))

    def make_link(self, directory: _Node, name: str, target: str) -> None:
        content = target.encode("utf-8", "surrogateescape")
        if len(content) >= MAX_PATH:
            fail(errno.ENAMETOOLONG)
        if len(content) > self._room():
            fail(errno.ENOSPC)
        self._insert(directory, name, self._new(FileType.SYMBOLIC_LINK, content, 0o777))
        self._used += len(content)

    def add_name(self, node: _Node, directory: _Node, name: str) -> None:
        if node.links == 0:
            fail(errno.ENOENT)
        self._insert(directory, name, node)
        node.change_time = self._clock()

    def remove(self, directory: _Node, name: str, node: _Node) -> None:
        self._detach(directory, name, node)
        self._forget_name(node)

    def move(self, source: _Node, old: str, node: _Node, target: _Node, new: str, replaced: _Node | None) -> None:
        if target.links == 0:
            fail(errno.ENOENT)
        if node.file_type is FileType.DIRECTORY and _depth(target) > _depth(source):
            self._check_depth(node, target)
        if replaced is not None:
            self.remove(target, new, replaced)
        self._detach(source, old, node)
        self._attach(target, new, node)
        node.change_time = self._clock()

    def set_times(self, node: _Node, access_time: int | None, modification_time: int | None) -> None:
        if access_time is not None:
            node.access_time = access_time
        if modification_time is not None:
            node.modification_time = modification_time
        node.change_time = self._clock()

    def set_permissions(self, node: _Node, permissions: int) -> None:
        node.permissions = permissions
        node.change_time = self._clock()

    def is_within(self, inner: _Node, outer: _Node) -> bool:
        node: _Node | None = inner
        while node is not None:
            if node is outer:
                return True
            node = node.parent
        return False

    def hold(self, directory: _Node) -> _Node:
        directory.opens += 1
        return directory

    def release(self, held: _Node) -> None:
        held.opens -= 1
        self._forget_unused(held)

    def write(self, node: _Node, data: memoryview | bytes, start: int) -> int:
        """Write as much as there is room for; how many bytes. ENOSPC for none."""
        length = len(data)
        if length == 0:
            return 0
        content: bytearray = node.content
        size, end = len(content), start + length
        if end > MAX_OFFSET:
            fail(errno.EFBIG)
        end = min(end, size + self._room()) if end > size else end
        if end <= start:
            fail(errno.ENOSPC)
        if start > size:
            self._extend(content, start - size)
        try:
            content[start:end] = data if end - start == length else data[: end - start]
        except MemoryError:
            fail(errno.ENOSPC)
        finally:
            self._used += len(content) - size
        node.modification_time = node.change_time = self._clock()
        return end - start

    def resize(self, node: _Node, size: int) -> None:
        """Cut a file or lengthen it with zeros."""
        content: bytearray = node.content
        before = len(content)
        if size - before > self._room():
            fail(errno.ENOSPC)
        if size > before:
            self._extend(content, size - before)
        else:
            del content[size:]
        self._used += size - before
        node.modification_time = node.change_time = self._clock()

    def _extend(self, content: bytearray, count: int) -> None:
        try:
            content += bytes(count)
        except MemoryError:  # limits that are larger than what the host has
            fail(errno.ENOSPC)

    def _room(self) -> int:
        return self._max_bytes - self._used

    def _new(self, file_type: FileType, content: object, permissions: int) -> _Node:
        return _Node(file_type, content, next(self._inodes), permissions, self._clock())

    def _insert(self, directory: _Node, name: str, node: _Node) -> None:
        """Add a name, which counts."""
        if directory.links == 0:  # open, but removed
            fail(errno.ENOENT)
        if self._entries >= self._max_entries:
            fail(errno.ENOSPC)
        self._entries += 1
        self._attach(directory, name, node)

    def _attach(self, directory: _Node, name: str, node: _Node) -> None:
        directory.content[name] = node
        if node.file_type is FileType.DIRECTORY:
            node.parent = directory
            node.links = max(node.links, 2)
            directory.links += 1
        else:
            node.links += 1
        directory.modification_time = directory.change_time = self._clock()

    def _detach(self, directory: _Node, name: str, node: _Node) -> None:
        del directory.content[name]
        if node.file_type is FileType.DIRECTORY:
            directory.links -= 1
        else:
            node.links -= 1
        directory.modification_time = directory.change_time = self._clock()

    def _forget_name(self, node: _Node) -> None:
        if node.file_type is FileType.DIRECTORY:
            node.links = 0
        node.change_time = self._clock()
        if node.links > 0:
            self._entries -= 1
        else:
            self._forget_unused(node)

    def _forget_unused(self, node: _Node) -> None:
        """Stop counting what has neither a name nor an open file. Until then it counts as if it still had its last name."""
        if node.links == 0 and node.opens == 0:
            self._entries -= 1
            self._used -= len(node.content)

    def _check_depth(self, directory: _Node, target: _Node) -> None:
        """Raise ENAMETOOLONG if a directory with all that is below it is too deep to be put into `target`."""
        depth = _depth(target) + 1
        level = [directory]
        while level:
            if depth > MAX_DEPTH:
                fail(errno.ENAMETOOLONG)
            depth += 1
            level = [
                node for parent in level for node in parent.content.values() if node.file_type is FileType.DIRECTORY
            ]


def _depth(directory: _Node) -> int:
    """How many directories it is in; 0 for the root."""
    depth = 0
    node = directory.parent
    while node is not None:
        depth += 1
        node = node.parent
    return depth


@final
class _MemoryFile(PositionedFile):
    """An open file. It keeps its content when its last name goes."""

    __slots__ = ("_is_append", "_node", "_reads", "_volume", "_writes")

    def __init__(self, volume: _MemoryVolume, node: _Node, flags: OpenFlags) -> None:
        super().__init__(volume.lock)
        volume.hold(node)
        self._volume = volume
        self._node: _Node | None = node
        self._reads = not flags & OpenFlags.WRITE_ONLY
        self._writes = bool(flags & (OpenFlags.WRITE_ONLY | OpenFlags.READ_WRITE))
        self._is_append = bool(flags & OpenFlags.APPEND)

    def _opened(self) -> _Node:
        if self._node is None:
            fail(errno.EBADF)
        return self._node

    def _size(self) -> int:
        return len(self._opened().content)

    def _read_at(self, offset: int, count: int) -> bytes:
        node = self._opened()
        if not self._reads:
            fail(errno.EBADF)
        return bytes(memoryview(node.content)[offset : offset + count])

    def stat(self) -> Stat:
        with self._lock:
            return self._volume.stat(self._opened())

    def write(self, data: memoryview | bytes) -> int:
        with self._lock:
            start = self._size() if self._is_append else self._position
            count = self.pwrite(data, start)
            if count:
                self._position = start + count
            return count

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        with self._lock:
            node = self._opened()
            if not self._writes:
                fail(errno.EBADF)
            if offset < 0:
                fail(errno.EINVAL)
            return self._volume.write(node, data, offset)

    def truncate(self, size: int) -> None:
        with self._lock:
            node = self._opened()
            if size < 0 or not self._writes:
                fail(errno.EINVAL)
            self._volume.resize(node, size)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        with self._lock:
            self._volume.set_times(self._opened(), access_time, modification_time)

    def set_permissions(self, permissions: int) -> None:
        """Set the bits of the mode."""
        with self._lock:
            self._volume.set_permissions(self._opened(), permissions)

    def set_append(self, enable: bool) -> None:
        self._is_append = enable

    def close(self) -> None:
        with self._lock:
            node, self._node = self._node, None
            if node is not None:
                self._volume.release(node)


@final
class MemFS(NodeFS[_Node]):
    """A tree of files in memory, empty at first.

    Contents and link targets together are at most `max_bytes`, of which holes in a file take as much as data; names, and
    files that are open without one, at most `max_entries`, which cost up to 2 KB each on top. What would go beyond is
    ENOSPC before any memory is asked for, or a short write. Directories nest `MAX_DEPTH` deep. `clock` gives the time of
    changes in nanoseconds since the epoch; reading changes no times. Permissions are noted and not enforced. Any number
    of guests and threads may share one.

    Raises ValueError for a limit below zero.
    """

    __slots__ = ()

    def __init__(
        self,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_entries: int = DEFAULT_MAX_ENTRIES,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        if max_bytes < 0 or max_entries < 0:
            raise ValueError(f"the limits of a MemFS must not be negative: {max_bytes} bytes, {max_entries} entries")
        super().__init__(_MemoryVolume(max_bytes, max_entries, clock))

    def __repr__(self) -> str:
        return f"<MemFS at {id(self):#x}>"

    @classmethod
    def from_mapping(
        cls,
        files: Mapping[str, bytes],
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_entries: int = DEFAULT_MAX_ENTRIES,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> MemFS:
        """A tree with these files, by path; directories on the way are made. Raises OSError as `write_bytes` does."""
        fs = cls(max_bytes, max_entries, clock=clock)
        for path, content in files.items():
            fs.write_bytes(path, content)
        return fs

    def write_bytes(self, path: str, content: bytes) -> None:
        """Make this the content of the file `path`; missing directories on the way are made.

        Raises OSError for a path that cannot be one or leads out (EPERM), and ENOSPC, after which the file has a part.
        """
        with self._volume.lock:
            for index, letter in enumerate(path):
                if letter == "/" and index:
                    try:
                        self.mkdir(path[:index])
                    except FileExistsError:
                        continue
            file = self.open_file(path, OpenFlags.WRITE_ONLY | OpenFlags.CREATE | OpenFlags.TRUNCATE)
            try:
                written = file.write(content)
                file.pwrite(memoryview(content)[written:], written)
            finally:
                file.close()

    def read_bytes(self, path: str) -> bytes:
        """The content of the file `path`, links followed. Raises OSError."""
        with self._volume.lock:
            file = self.open_file(path, OpenFlags.READ_ONLY)
            try:
                return file.read(file.stat().size)
            finally:
                file.close()

    def walk(self) -> Iterator[tuple[str, Stat]]:
        """Everything below the root as path and `Stat`, as it is now, a directory before what is in it."""
        with self._volume.lock:
            found: list[tuple[str, Stat]] = []
            waiting = [("", self._root())]
            while waiting:
                prefix, directory = waiting.pop()
                for name, node in sorted(directory.content.items()):
                    found.append((prefix + name, self._volume.stat(node)))
                    if node.file_type is FileType.DIRECTORY:
                        waiting.append((f"{prefix}{name}/", node))
        return iter(found)
