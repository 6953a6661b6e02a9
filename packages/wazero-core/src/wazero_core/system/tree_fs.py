"""Trees that are only read, as file systems: what a source of files must say, and the trees of `importlib.resources`."""

from __future__ import annotations

import errno
import os
import sys
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count as counting
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from wazero_api.system import FS, DirectoryEntry, File, FileType, OpenFlags, Stat

from .directory import DirFS
from .files import fail
from .nodes import NodeFS
from .views import ReadOnlyFS
from .volume import WRITING, PositionedFile, Volume, check_name, new_device

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEFAULT_MAX_FILE_BYTES: Final = 256 << 20
DEFAULT_MAX_CACHED_BYTES: Final = 64 << 20

_CHUNK: Final = 1 << 16


class Reader(Protocol):
    """A stream of bytes from the beginning of a file on."""

    def read(self, count: int, /) -> bytes: ...

    def close(self) -> None: ...


class TreeNode(ABC):
    """A file, directory or link of a tree that does not change. Raises OSError where it cannot be read."""

    __slots__ = ("file_type", "inode", "modification_time", "permissions")

    def __init__(
        self, file_type: FileType, inode: int, modification_time: int = 0, permissions: int | None = None
    ) -> None:
        self.file_type = file_type
        self.inode = inode
        self.modification_time = modification_time
        """Nanoseconds since the epoch; 0 if it is not known."""
        if permissions is None:
            permissions = 0o555 if file_type is FileType.DIRECTORY else 0o444
        self.permissions = permissions

    @abstractmethod
    def size(self) -> int:
        """Bytes of the content."""

    @abstractmethod
    def children(self) -> Mapping[str, TreeNode]:
        """What is in a directory, by name."""

    @abstractmethod
    def reader(self) -> Reader:
        """The content of a file, from its beginning."""

    @abstractmethod
    def target(self) -> str:
        """Where a link leads."""

    def stat(self, device: int) -> Stat:
        """What is known of it, as part of a file system with this device number."""
        return Stat(
            file_type=self.file_type,
            size=0 if self.file_type is FileType.DIRECTORY else self.size(),
            device=device,
            inode=self.inode,
            permissions=self.permissions,
            access_time=self.modification_time,
            modification_time=self.modification_time,
            change_time=self.modification_time,
        )

    def open(self) -> File | None:
        """The file, if the source has a better way to read it than `reader`."""
        return None


def is_plain_name(name: str) -> bool:
    """Whether this can be the name of an entry of a directory: for a guest, and on any host."""
    try:
        check_name(name)
    except OSError:
        return False
    return name not in {"", ".", ".."} and "/" not in name and "\\" not in name and "\0" not in name


@final
class _Contents:
    """Contents of files by position, with a limit to what is kept of them.

    What fits is kept whole, the least recently used thrown away first. One file at a time that does not fit is read as a
    stream, which starts anew for every position before the last one.
    """

    __slots__ = ("_kept", "_kept_bytes", "_max_bytes", "_position", "_reader", "_streamed")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[TreeNode, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._streamed: TreeNode | None = None
        self._reader: Reader | None = None
        self._position = 0

    def read(self, node: TreeNode, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset` on."""
        size = node.size()
        if offset >= size or count == 0:
            return b""
        if size > self._max_bytes:
            return self._stream(node, offset, min(count, size - offset))
        content = self._kept.get(node)
        if content is None:
            content = self._load(node, size)
        self._kept.move_to_end(node)
        return content if offset == 0 and count >= size else content[offset : offset + count]

    def _load(self, node: TreeNode, size: int) -> bytes:
        reader = node.reader()
        try:
            content = _read_fully(reader, size)
        finally:
            reader.close()
        if len(content) < size:
            fail(errno.EIO)
        while self._kept_bytes + size > self._max_bytes:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1])
        self._kept[node] = content
        self._kept_bytes += size
        return content

    def _stream(self, node: TreeNode, offset: int, count: int) -> bytes:
        reader = self._reader
        if reader is None or node is not self._streamed or offset < self._position:
            self.stop()
            reader = self._reader = node.reader()
            self._streamed, self._position = node, 0
        try:
            while self._position < offset:
                skipped = len(reader.read(min(_CHUNK, offset - self._position)))
                if not skipped:
                    fail(errno.EIO)
                self._position += skipped
            data = reader.read(min(count, self._max_bytes or _CHUNK))
            if not data:
                fail(errno.EIO)  # there is less than was announced
        except BaseException:
            self.stop()
            raise
        self._position += len(data)
        return data

    def stop(self) -> None:
        """Close the stream."""
        reader, self._reader, self._streamed = self._reader, None, None
        if reader is not None:
            reader.close()


def _read_fully(reader: Reader, size: int) -> bytes:
    """At most `size` bytes, and the check at the end that a reader may do once it finds no more."""
    parts: list[bytes] = []
    while part := reader.read(min(_CHUNK, size) or 1):
        size -= len(part)
        if size < 0:
            fail(errno.EIO)  # there is more than was announced
        parts.append(part)
    return b"".join(parts)


@final
class TreeVolume(Volume[TreeNode]):
    """A tree that does not change. `max_file_bytes` and `max_cached_bytes` are as `ZipFS` says."""

    __slots__ = ("_contents", "_device", "_max_file_bytes", "_root")

    def __init__(self, root: TreeNode, max_file_bytes: int, max_cached_bytes: int) -> None:
        if max_file_bytes < 0 or max_cached_bytes < 0:
            raise ValueError(
                f"limits of files must not be negative: {max_file_bytes} bytes of one, {max_cached_bytes} kept"
            )
        super().__init__()
        self._root = root
        self._max_file_bytes = max_file_bytes
        self._contents = _Contents(max_cached_bytes)
        self._device = new_device()

    def root(self) -> TreeNode:
        return self._root

    def child(self, directory: TreeNode, name: str) -> TreeNode | None:
        return directory.children().get(name)

    def stat(self, node: TreeNode) -> Stat:
        return node.stat(self._device)

    def target(self, node: TreeNode) -> str:
        return node.target()

    def entries(self, directory: TreeNode) -> Sequence[DirectoryEntry]:
        return [DirectoryEntry(name, node.file_type, node.inode) for name, node in directory.children().items()]

    def open(self, node: TreeNode, flags: OpenFlags) -> File:
        if flags & WRITING:
            fail(errno.EROFS)
        file = node.open()
        if file is not None:
            return file
        if node.size() > self._max_file_bytes:
            fail(errno.EFBIG)
        return _TreeFile(self, node)

    def read(self, node: TreeNode, offset: int, count: int) -> bytes:
        """At most `count` bytes of a file from `offset` on."""
        return self._contents.read(node, offset, count)

    def close(self) -> None:
        """Stop reading."""
        self._contents.stop()


@final
class _TreeFile(PositionedFile):
    """An open file: a node and a position. It holds nothing else, so guests may open any number."""

    __slots__ = ("_node", "_volume")

    def __init__(self, volume: TreeVolume, node: TreeNode) -> None:
        super().__init__(volume.lock)
        self._volume = volume
        self._node: TreeNode | None = node

    def _opened(self) -> TreeNode:
        if self._node is None:
            fail(errno.EBADF)
        return self._node

    def _size(self) -> int:
        return self._opened().size()

    def _read_at(self, offset: int, count: int) -> bytes:
        return self._volume.read(self._opened(), offset, count)

    def stat(self) -> Stat:
        with self._lock:
            return self._volume.stat(self._opened())

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        fail(errno.EBADF)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        fail(errno.EROFS)

    def close(self) -> None:
        self._node = None


@final
class _HostNode(TreeNode):
    """What is at a path of a directory of the host. Links are not followed, so what is read is in that directory."""

    __slots__ = ("_children", "_fs", "_path")

    def __init__(self, fs: FS, path: str) -> None:
        stat = fs.lstat(path)
        super().__init__(stat.file_type, stat.inode, stat.modification_time, stat.permissions)
        self._fs = fs
        self._path = path
        self._children: dict[str, TreeNode] | None = None

    def stat(self, device: int) -> Stat:
        return self._fs.lstat(self._path)

    def size(self) -> int:
        return self._fs.lstat(self._path).size

    def children(self) -> Mapping[str, TreeNode]:
        if self._children is None:
            directory = self._fs.open_file(self._path, OpenFlags.DIRECTORY | OpenFlags.NO_FOLLOW)
            try:
                names = [entry.name for entry in directory.read_directory()]
            finally:
                directory.close()
            prefix = "" if self._path == "." else f"{self._path}/"
            self._children = {name: _HostNode(self._fs, prefix + name) for name in sorted(names) if is_plain_name(name)}
        return self._children

    def open(self) -> File:
        return self._fs.open_file(self._path, OpenFlags.NO_FOLLOW)

    def reader(self) -> Reader:
        return self.open()

    def target(self) -> str:
        return self._fs.readlink(self._path)


@final
class _ResourceNode(TreeNode):
    """A file or directory that only its `Traversable` knows. Its size is counted when it is first asked for."""

    __slots__ = ("_children", "_inodes", "_max_file_bytes", "_size", "_traversable")

    def __init__(self, traversable: Traversable, inodes: Iterator[int], max_file_bytes: int) -> None:
        file_type = FileType.DIRECTORY if traversable.is_dir() else FileType.REGULAR
        super().__init__(file_type, next(inodes))
        self._traversable = traversable
        self._inodes = inodes
        self._max_file_bytes = max_file_bytes
        self._children: dict[str, TreeNode] | None = None
        self._size: int | None = None

    def size(self) -> int:
        if self._size is None:
            size = 0
            with self._traversable.open("rb") as stream:
                while size <= self._max_file_bytes and (part := stream.read(_CHUNK)):
                    size += len(part)
            self._size = size
        return self._size

    def children(self) -> Mapping[str, TreeNode]:
        if self._children is None:
            self._children = {
                child.name: _node_of(child, self._inodes, self._max_file_bytes)
                for child in sorted(self._traversable.iterdir(), key=lambda child: child.name)
                if is_plain_name(child.name)
            }
        return self._children

    def reader(self) -> Reader:
        return self._traversable.open("rb")

    def target(self) -> str:
        fail(errno.EINVAL)


def _node_of(traversable: Traversable, inodes: Iterator[int], max_file_bytes: int) -> TreeNode:
    zipfile = sys.modules.get("zipfile")  # a resource in an archive does not come without it
    if zipfile is not None and isinstance(traversable, zipfile.Path):
        from .zip_fs import node_at

        return node_at(traversable)
    if isinstance(traversable, os.PathLike):
        path: str = os.path.abspath(traversable)  # noqa: PTH100 - paths are text here
        if traversable.is_dir():
            return _HostNode(ReadOnlyFS(DirFS(path)), ".")
        directory, name = os.path.split(path)
        return _HostNode(ReadOnlyFS(DirFS(directory)), name)
    return _ResourceNode(traversable, inodes, max_file_bytes)


@final
class ResourceFS(NodeFS[TreeNode]):
    """What `importlib.resources.files("package")` gives, or any `Traversable`, to be read only: changes are EROFS.

    Directories are listed when they are first looked into; that they change later is not noticed. Links in a package's
    folder are links for guests too, and lead out of it no more than those of `DirFS`. Packages in folders and in zip
    archives tell sizes and times; where only a `Traversable` of another kind is known, a file is read once to get its
    size, and has no times. `max_file_bytes` and `max_cached_bytes` are as for `ZipFS`.

    Raises TypeError for what is no directory of resources, ValueError for a limit below zero.
    """

    __slots__ = ()

    def __init__(
        self,
        traversable: Any,
        *,
        max_file_bytes: int = DEFAULT_MAX_FILE_BYTES,
        max_cached_bytes: int = DEFAULT_MAX_CACHED_BYTES,
    ) -> None:
        if not hasattr(traversable, "iterdir") or not traversable.is_dir():
            raise TypeError(
                f"a ResourceFS needs a directory as importlib.resources.files gives it, not {traversable!r}"
            )
        root = _node_of(traversable, counting(1), max_file_bytes)
        super().__init__(TreeVolume(root, max_file_bytes, max_cached_bytes))
