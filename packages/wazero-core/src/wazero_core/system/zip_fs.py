"""A zip archive as a file system that is only read."""

from __future__ import annotations

import calendar
import errno
import os
import stat as mode_bits
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import count as counting
from typing import IO, Final, final

from wazero_api.system import FileType

from .files import fail
from .nodes import NodeFS
from .tree_fs import (
    DEFAULT_MAX_CACHED_BYTES,
    DEFAULT_MAX_FILE_BYTES,
    Reader,
    TreeNode,
    TreeVolume,
    is_plain_name,
)
from .walk import MAX_PATH

DEFAULT_MAX_ENTRIES: Final = 1 << 18

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Those that `zipfile` decompresses in steps of bounded size. With others, a few bytes could become gigabytes at once."""

_IS_ENCRYPTED: Final = 1

_TYPES: Final = {
    0: FileType.REGULAR,  # written by a program that knows nothing of modes
    mode_bits.S_IFREG: FileType.REGULAR,
    mode_bits.S_IFDIR: FileType.DIRECTORY,
    mode_bits.S_IFLNK: FileType.SYMBOLIC_LINK,
}
"""By the file type of a Unix mode. Devices and the like are left out."""


@final
class _Directory(TreeNode):
    """A directory, which need not have an entry of its own in the archive."""

    __slots__ = ("names",)

    def __init__(self, inode: int) -> None:
        super().__init__(FileType.DIRECTORY, inode)
        self.names: dict[str, TreeNode] = {}

    def size(self) -> int:
        return 0

    def children(self) -> Mapping[str, TreeNode]:
        return self.names

    def reader(self) -> Reader:
        fail(errno.EISDIR)

    def target(self) -> str:
        fail(errno.EINVAL)


@final
class _Member(TreeNode):
    """A file or link."""

    __slots__ = ("_archive", "_info")

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, file_type: FileType, inode: int) -> None:
        super().__init__(file_type, inode, _time_of(info), (info.external_attr >> 16) & 0o555 or 0o444)
        self._archive = archive
        self._info = info

    def size(self) -> int:
        return self._info.file_size

    def children(self) -> Mapping[str, TreeNode]:
        fail(errno.ENOTDIR)

    def reader(self) -> Reader:
        info = self._info
        if info.flag_bits & _IS_ENCRYPTED or info.compress_type not in _METHODS:
            fail(errno.ENOTSUP)
        try:
            return _MemberReader(self._archive.open(info))
        except _BROKEN:
            fail(errno.EIO)

    def target(self) -> str:
        size = self._info.file_size
        if not 0 < size < MAX_PATH:
            fail(errno.EIO)
        reader = self.reader()
        try:
            content = reader.read(size)
            if len(content) != size or reader.read(1):
                fail(errno.EIO)
        finally:
            reader.close()
        if b"\0" in content:
            fail(errno.EIO)
        return content.decode("utf-8", "surrogateescape")


_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What `zipfile` raises for archives that are damaged, forged, closed, or need what it cannot do."""


@final
class _MemberReader:
    """The content of a member, with errors of the archive as OSError. Holds back no more than `zipfile` does."""

    __slots__ = ("_stream",)

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, count: int) -> bytes:
        try:
            return self._stream.read(count)
        except _BROKEN:
            fail(errno.EIO)

    def close(self) -> None:
        self._stream.close()


def _time_of(info: zipfile.ZipInfo) -> int:
    """Nanoseconds since the epoch. Archives do not say in which time zone they were made; it is taken for UTC."""
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0)) * 1_000_000_000
    except ValueError:
        return 0


def _parts_of(info: zipfile.ZipInfo) -> tuple[str, ...] | None:
    """The names on the way to an entry; None if it is not to be shown: one that a guest could not reach, or leads out."""
    name = info.filename
    if name.startswith("/") or len(name) > MAX_PATH:
        return None
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    return parts if parts and all(map(is_plain_name, parts)) else None


def _type_of(info: zipfile.ZipInfo) -> FileType | None:
    if info.filename.endswith("/"):
        return FileType.DIRECTORY
    return _TYPES.get(mode_bits.S_IFMT(info.external_attr >> 16))


@final
class _Tree:
    """The directories of an archive while they are being made."""

    __slots__ = ("_inodes", "_left", "_max_entries", "root")

    def __init__(self, max_entries: int) -> None:
        self._inodes: Iterator[int] = counting(1)
        self._left = self._max_entries = max_entries
        self.root = _Directory(next(self._inodes))

    def number(self) -> int:
        """The inode of a new entry. Raises ValueError if there are too many."""
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"the archive has more than {self._max_entries} entries; raise max_entries if it may")
        return next(self._inodes)

    def directory(self, parts: tuple[str, ...]) -> _Directory:
        """The directory at a path, made if there is none. Only directories have been made so far on the way to it."""
        here = self.root
        for part in parts:
            child = here.names.get(part)
            if not isinstance(child, _Directory):
                child = here.names[part] = _Directory(self.number())
            here = child
        return here


def _tree_of(archive: zipfile.ZipFile, max_entries: int) -> TreeNode:
    """The tree of an archive: first all directories, then files where none has the name. The last of equals counts."""
    tree = _Tree(max_entries)
    members: dict[tuple[str, ...], tuple[zipfile.ZipInfo, FileType]] = {}
    for info in archive.infolist():
        parts, file_type = _parts_of(info), _type_of(info)
        if parts is None or file_type is None:
            continue
        if file_type is FileType.DIRECTORY:
            directory = tree.directory(parts)
            directory.modification_time = _time_of(info)
        else:
            tree.directory(parts[:-1])
            members[parts] = info, file_type
    for parts, (info, file_type) in members.items():
        names = tree.directory(parts[:-1]).names
        if parts[-1] not in names:
            names[parts[-1]] = _Member(archive, info, file_type, tree.number())
    return tree.root


@final
class ZipFS(NodeFS[TreeNode]):
    """The files of a zip archive, to be read only: changes are EROFS.

    `archive` is a path, a binary stream that can seek, or a `zipfile.ZipFile` open for reading; the last two stay the
    caller's to close, and must not be read by others meanwhile. Directories are there for every file that is in one.
    Symbolic links are followed within the archive. Entries with names that could lead elsewhere (absolute, with ".." or a
    backslash) are left out, as are devices; of equal names the last counts, and a directory before a file.

    Contents are decompressed as they are read, and checked: EIO for what is damaged or longer than announced, ENOTSUP for
    what is encrypted or compressed otherwise than "stored" or "deflated". A file of more than `max_file_bytes` cannot be
    opened (EFBIG). At most `max_cached_bytes` of contents are kept; a larger file is decompressed while it is read, from
    the start again each time a guest goes back in it. Times are taken for UTC.

    Raises OSError, ValueError for what is no zip archive or has more than `max_entries` files and directories.
    """

    __slots__ = ("_archive", "_is_owned", "_tree")

    def __init__(
        self,
        archive: str | os.PathLike[str] | IO[bytes] | zipfile.ZipFile,
        *,
        max_file_bytes: int = DEFAULT_MAX_FILE_BYTES,
        max_cached_bytes: int = DEFAULT_MAX_CACHED_BYTES,
        max_entries: int = DEFAULT_MAX_ENTRIES,
    ) -> None:
        self._is_owned = not isinstance(archive, zipfile.ZipFile)
        self._archive = _open_archive(archive)
        try:
            root = _tree_of(self._archive, max_entries)
            self._tree = TreeVolume(root, max_file_bytes, max_cached_bytes)
        except BaseException:
            if self._is_owned:
                self._archive.close()
            raise
        super().__init__(self._tree)

    def __repr__(self) -> str:
        return f"ZipFS({self._archive.filename!r})"

    def close(self) -> None:
        """Close what was opened here; reading from the archive is EIO afterwards. May be called again."""
        with self._tree.lock:
            self._tree.close()
            if self._is_owned:
                self._archive.close()


def _open_archive(archive: str | os.PathLike[str] | IO[bytes] | zipfile.ZipFile) -> zipfile.ZipFile:
    if isinstance(archive, zipfile.ZipFile):
        if archive.mode != "r":
            raise ValueError(
                f"the archive {archive.filename!r} must be open for reading, not with mode {archive.mode!r}"
            )
        return archive
    if not isinstance(archive, (str, os.PathLike)) and not hasattr(archive, "seek"):
        raise TypeError(f"an archive must be a path, a stream or a ZipFile, not {type(archive).__name__}")
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ValueError(
            f"{getattr(archive, 'name', archive)!r} is no zip archive that can be read: {error}"
        ) from error


def node_at(path: zipfile.Path) -> TreeNode:
    """The file or directory of an archive that a `zipfile.Path` names. Raises FileNotFoundError if guests see none."""
    node = _tree_of(path.root, DEFAULT_MAX_ENTRIES)
    for name in path.at.rstrip("/").split("/") if path.at else ():
        child = node.children().get(name)
        if child is None:
            fail(errno.ENOENT)
        node = child
    return node
