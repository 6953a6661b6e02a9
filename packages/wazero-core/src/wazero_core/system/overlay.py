"""One tree made of two: what is read may come from below, what is written goes above.

A place in the merged tree has the same path in both layers, as long as the lower one is seen there: a directory that is
there below cannot be moved (EXDEV, and guests then copy). What was removed or replaced is in `_hidden`, by its path below,
with all that is under it. A directory that is only above is left to the upper file system, which knows where it is.

    below  a/x a/y    above  a/y a/z    hidden  a/x    =>    a/{y (above), z (above)}
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Final, final

from wazero_api.record import record, replace
from wazero_api.system import FS, DirectoryEntry, File, FileType, OpenFlags, Stat

from .files import BaseFile, check_fs, fail, offered
from .nodes import NodeFS
from .views import ReadOnlyFS, tree_of
from .volume import WRITING, Volume

_COPY_BYTES: Final = 1 << 20
"""What is copied at once."""

_OPENING: Final = OpenFlags.CREATE | OpenFlags.EXCLUSIVE
_MISSING: Final = (FileNotFoundError, NotADirectoryError)


@final
@record
class _Place:
    """A file, directory or link of the merged tree, as it was found."""

    fs: FS
    """The upper file system, or the tree of an open directory of it."""
    path: str
    """In `fs`; and in the lower one, if that is seen here."""
    stat: Stat
    is_above: bool
    """Whether it is in the upper layer; if not, it is in the lower one alone."""
    is_below: bool
    """Whether it is seen in the lower layer: for a directory above, whether both are merged."""
    file: File | None = None
    """For the root of the tree of an open directory, which is only above: that directory."""

    @property
    def file_type(self) -> FileType:
        return self.stat.file_type

    def join(self, name: str) -> str:
        """The path of a name in this directory."""
        return name if self.path == "." else f"{self.path}/{name}"


def _lstat(fs: FS, path: str) -> Stat | None:
    try:
        return fs.lstat(path)
    except _MISSING:
        return None


@final
class _OverlayVolume(Volume[_Place]):
    """Both layers. `_hidden` holds paths that are there below, so it is never larger than what is below."""

    __slots__ = ("_hidden", "_lower", "_upper")

    def __init__(self, lower: FS, upper: FS) -> None:
        super().__init__()
        self._lower = ReadOnlyFS(lower)
        self._upper = upper
        self._hidden: set[str] = set()

    def root(self) -> _Place:
        return self._at(".")

    def _at(self, path: str) -> _Place:
        """The directory at a path that both layers have, or the lower one."""
        place = self._merge(self._upper, path, _lstat(self._upper, path), self._below(path))
        if place is None:
            fail(errno.ENOENT)
        return place

    def _below(self, path: str) -> Stat | None:
        """What is seen below at a path whose directory is seen."""
        return None if path in self._hidden else _lstat(self._lower, path)

    def _merge(self, fs: FS, path: str, above: Stat | None, below: Stat | None) -> _Place | None:
        if above is None:
            return None if below is None else _Place(fs, path, below, is_above=False, is_below=True)
        if below is None or not above.file_type is below.file_type is FileType.DIRECTORY:
            return _Place(fs, path, above, is_above=True, is_below=False)
        # A directory keeps its number when it is copied up.
        stat = replace(above, device=below.device, inode=below.inode)
        return _Place(fs, path, stat, is_above=True, is_below=True)

    def child(self, directory: _Place, name: str) -> _Place | None:
        path = directory.join(name)
        above = _lstat(directory.fs, path) if directory.is_above else None
        if above is not None and above.file_type is not FileType.DIRECTORY:
            return self._merge(directory.fs, path, above, None)
        return self._merge(directory.fs, path, above, self._below(path) if directory.is_below else None)

    def stat(self, node: _Place) -> Stat:
        return node.stat

    def target(self, node: _Place) -> str:
        return (node.fs if node.is_above else self._lower).readlink(node.path)

    def entries(self, directory: _Place) -> Sequence[DirectoryEntry]:
        found: dict[str, DirectoryEntry] = {}
        if directory.is_below:
            for entry in _list(self._lower, directory.path):
                if directory.join(entry.name) not in self._hidden:
                    found[entry.name] = entry
        if directory.is_above:
            for entry in _list(directory.fs, directory.path):
                below = found.get(entry.name)
                if below is None or not below.file_type is entry.file_type is FileType.DIRECTORY:
                    found[entry.name] = entry
        return list(found.values())

    def is_same(self, first: _Place, second: _Place) -> bool:
        if first.fs is second.fs and first.path == second.path:
            return True
        numbers = [(place.stat.device, place.stat.inode, place.is_above) for place in (first, second)]
        return numbers[0] == numbers[1] and first.stat.inode != 0

    def is_within(self, inner: _Place, outer: _Place) -> bool:
        # Whether what is only above is within itself, the upper file system knows.
        return inner.fs is outer.fs and f"{inner.path}/".startswith(f"{outer.path}/")

    def hold(self, directory: _Place) -> _Place:
        if directory.is_below:
            return directory
        file = directory.fs.open_file(directory.path, OpenFlags.DIRECTORY | OpenFlags.NO_FOLLOW)
        return _Place(tree_of(file, directory.fs, directory.path), ".", directory.stat, True, False, file)

    def current(self, held: _Place) -> _Place:
        if held.file is not None:
            return replace(held, stat=held.file.stat())
        if held.path in self._hidden:  # removed; what has its name now is another
            return replace(held, is_above=False, is_below=False)
        return self._at(held.path)

    def release(self, held: _Place) -> None:
        if held.file is not None:
            held.file.close()

    def open(self, node: _Place, flags: OpenFlags) -> File:
        flags = flags & ~_OPENING | OpenFlags.NO_FOLLOW
        if not flags & WRITING and not node.is_above:
            return _LowerFile(self, node, self._lower.open_file(node.path, flags & ~OpenFlags.APPEND))
        self.copy_up(node, is_emptied=bool(flags & OpenFlags.TRUNCATE))
        return node.fs.open_file(node.path, flags)

    def create(self, directory: _Place, name: str, flags: OpenFlags, permissions: int) -> File:
        self.copy_up(directory)
        return directory.fs.open_file(directory.join(name), flags | OpenFlags.EXCLUSIVE, permissions)

    def make_directory(self, directory: _Place, name: str, permissions: int) -> None:
        self.copy_up(directory)
        directory.fs.mkdir(directory.join(name), permissions)

    def make_link(self, directory: _Place, name: str, target: str) -> None:
        self.copy_up(directory)
        directory.fs.symlink(target, directory.join(name))

    def add_name(self, node: _Place, directory: _Place, name: str) -> None:
        self.copy_up(node)
        self.copy_up(directory)
        node.fs.link(node.path, directory.join(name), None if node.fs is directory.fs else directory.fs)

    def remove(self, directory: _Place, name: str, node: _Place) -> None:
        if node.is_above:
            (node.fs.rmdir if node.file_type is FileType.DIRECTORY else node.fs.unlink)(node.path)
        self._hide(directory, name)

    def move(self, source: _Place, old: str, node: _Place, target: _Place, new: str, replaced: _Place | None) -> None:
        if node.is_below and node.file_type is FileType.DIRECTORY:
            fail(errno.EXDEV)
        self.copy_up(node)
        self.copy_up(target)
        node.fs.rename(node.path, target.join(new), None if node.fs is target.fs else target.fs)
        self._hide(source, old)
        self._hide(target, new)

    def set_times(self, node: _Place, access_time: int | None, modification_time: int | None) -> None:
        if node.file is not None:
            node.file.set_times(access_time, modification_time)
            return
        self.copy_up(node)
        node.fs.set_times(node.path, access_time, modification_time, follow=False)

    def set_permissions(self, node: _Place, permissions: int) -> None:
        if node.file is not None:
            offered(node.file, "set_permissions")(permissions)
            return
        self.copy_up(node)
        offered(node.fs, "set_permissions")(node.path, permissions)

    def _hide(self, directory: _Place, name: str) -> None:
        """What a directory had under a name below is seen no more."""
        path = directory.join(name)
        if directory.is_below and self._below(path) is not None:
            self._hidden.add(path)

    def copy_up(self, node: _Place, *, is_emptied: bool = False) -> None:
        """See to it that something is above, without its content if that is not wanted.

        Raises OSError: EROFS for what is neither file nor directory nor link, and what the upper layer says (ENOSPC).
        """
        if node.is_above:
            return
        if not node.is_below:  # an open directory that has been removed
            fail(errno.ENOENT)
        path = node.path
        for index, letter in enumerate(path):
            if letter == "/" and _lstat(self._upper, path[:index]) is None:
                self._copy_directory(path[:index])
        if node.file_type is FileType.DIRECTORY:
            if _lstat(self._upper, path) is None:
                self._copy_directory(path)
        elif node.file_type is FileType.SYMBOLIC_LINK:
            self._upper.symlink(self._lower.readlink(path), path)
        elif node.file_type is FileType.REGULAR:
            self._copy_file(path, node.stat, is_emptied=is_emptied)
        else:
            fail(errno.EROFS)

    def _copy_directory(self, path: str) -> None:
        stat = self._lower.lstat(path)
        self._upper.mkdir(path, stat.permissions)
        self._keep_times(path, stat)

    def _copy_file(self, path: str, stat: Stat, *, is_emptied: bool) -> None:
        flags = OpenFlags.WRITE_ONLY | OpenFlags.CREATE | OpenFlags.EXCLUSIVE
        target = self._upper.open_file(path, flags, stat.permissions)
        try:
            try:
                if not is_emptied:
                    self._copy_content(path, target)
            finally:
                target.close()
        except BaseException:
            self._upper.unlink(path)
            raise
        self._keep_times(path, stat)

    def _copy_content(self, path: str, target: File) -> None:
        source = self._lower.open_file(path, OpenFlags.NO_FOLLOW)
        try:
            while data := source.read(_COPY_BYTES):
                left = memoryview(data)
                while left:
                    count = target.write(left)
                    if count == 0:
                        fail(errno.EIO)
                    left = left[count:]
        finally:
            source.close()

    def _keep_times(self, path: str, stat: Stat) -> None:
        try:
            self._upper.set_times(path, stat.access_time, stat.modification_time, follow=False)
        except OSError:  # an upper layer without times
            pass

    def set_times_of_lower(self, node: _Place, access_time: int | None, modification_time: int | None) -> None:
        """Set times of a file that was opened below; EROFS if its name has since become another file's."""
        if node.path in self._hidden:
            fail(errno.EROFS)
        above = _lstat(self._upper, node.path)
        if above is None:
            self.copy_up(node)
        elif above.file_type is not FileType.REGULAR:
            fail(errno.EROFS)
        self._upper.set_times(node.path, access_time, modification_time, follow=False)


def _list(fs: FS, path: str) -> Sequence[DirectoryEntry]:
    directory = fs.open_file(path, OpenFlags.DIRECTORY | OpenFlags.NO_FOLLOW)
    try:
        return directory.read_directory()
    finally:
        directory.close()


@final
class _LowerFile(BaseFile):
    """A file of the lower layer, open for reading. It stays what it is when the file is copied up."""

    __slots__ = ("_file", "_place", "_volume")

    def __init__(self, volume: _OverlayVolume, place: _Place, file: File) -> None:
        self._volume = volume
        self._place = place
        self._file = file

    def stat(self) -> Stat:
        return self._file.stat()

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def pread(self, count: int, offset: int) -> bytes:
        return self._file.pread(count, offset)

    def seek(self, offset: int, whence: int) -> int:
        return self._file.seek(offset, whence)

    def pwrite(self, data: memoryview | bytes, offset: int) -> int:
        fail(errno.EBADF)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        self._file.stat()  # EBADF once it is closed
        with self._volume.lock:
            self._volume.set_times_of_lower(self._place, access_time, modification_time)

    def fileno(self) -> int | None:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@final
class OverlayFS(NodeFS[_Place]):
    """`lower` as it would be with the changes in `upper`, which is where all changes go; `lower` is never written.

    A file that is only below is copied up when it is opened to be written, when its times are set, and when it is moved
    or gets a second name; whoever has it open from before goes on reading the old content, and it gets another inode.
    Names that were removed are remembered here and not in `upper`, so they are back in another OverlayFS of the two. A
    directory that is there below cannot be renamed, which is EXDEV as on Linux: guests then copy it. Of a file with
    several names below, the one that is copied up goes its own way. Links are followed through both layers and lead out
    of neither. Permissions are copied, not checked. ENOSPC and the like come from `upper`.

    `lower` must not change meanwhile, nor `upper` but by this. Without `upper`, changes are kept in a `MemFS`.
    """

    __slots__ = ("_layers",)

    def __init__(self, lower: FS, upper: FS | None = None) -> None:
        if upper is None:
            from .memory_fs import MemFS

            upper = MemFS()
        check_fs(lower)
        check_fs(upper)
        self._layers = (lower, upper)
        super().__init__(_OverlayVolume(lower, upper))

    def __repr__(self) -> str:
        return f"OverlayFS({self._layers[0]!r}, {self._layers[1]!r})"
