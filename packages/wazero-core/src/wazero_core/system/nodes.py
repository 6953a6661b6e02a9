"""Paths in a tree of nodes, and what is refused, in one place for all file systems that are such a tree.

Paths are resolved as in walk.py, and answers are those of `DirFS` on Linux. What a tree is made of, its `Volume` knows.

    NodeFS.rename("a/x", "b")  =>  Volume.move(a, "x", node of x, root, "b", node of b or None)
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Generic, final

from wazero_api.system import FS, DirectoryEntry, File, FileType, OpenFlags, Stat

from .files import BaseFile, fail
from .volume import WRITING, N, Volume, check_name
from .walk import Walk, check_text


@final
class NodeWalk(Walk, Generic[N]):
    """A walk from node to node. `here` is the directory that the last component is in."""

    __slots__ = ("_root", "_volume", "here")

    def __init__(self, volume: Volume[N], root: N, path: str) -> None:
        self._volume = volume
        self._root = self.here = root
        super().__init__(path, None)

    def close(self) -> None:
        pass

    def _enter(self, name: str) -> bool:
        node = self._named(name)
        if node is None:
            fail(errno.ENOENT)
        if node.file_type is not FileType.DIRECTORY:
            return False
        self.here = node
        return True

    def _restart(self) -> None:
        self.here = self._root

    def _read_link(self, name: str) -> str:
        node = self._named(name)
        if node is None:
            fail(errno.ENOENT)
        if node.file_type is not FileType.SYMBOLIC_LINK:
            fail(errno.EINVAL)
        return self._volume.target(node)

    def _named(self, name: str) -> N | None:
        check_name(name)
        return self._volume.child(self.here, name)

    def found(self) -> N | None:
        """What the last component names; it may be a link."""
        return self.here if self.component == "." else self._named(self.component)

    def existing(self) -> N:
        """Like `found`, but ENOENT for nothing."""
        node = self.found()
        if node is None:
            fail(errno.ENOENT)
        return node

    def followed(self) -> N:
        """Go on to what the last component leads to, through all links."""
        while (node := self.existing()).file_type is FileType.SYMBOLIC_LINK:
            self.follow_link()
        self.check_directory(node)
        return node

    def follow_link(self) -> None:
        """Go on to where the link leads that the last component was found to be; ENOENT if it has gone since."""
        if not self.follow():
            fail(errno.ENOENT)

    def check_directory(self, node: N) -> None:
        """ENOTDIR if the path ended in a slash and this is no directory."""
        if self.must_be_directory and node.file_type is not FileType.DIRECTORY:
            fail(errno.ENOTDIR)

    def check_free(self) -> None:
        """EEXIST if the last component names something."""
        if self.found() is not None:
            fail(errno.EEXIST)

    def refuse_directory_name(self) -> None:
        """What is to be made is no directory, so a slash at the end of its name is wrong."""
        if self.must_be_directory:
            fail(errno.EEXIST if self.existing().file_type is FileType.DIRECTORY else errno.ENOTDIR)

    def flags_for_directory(self, flags: OpenFlags) -> OpenFlags:
        """The flags to open what has a slash after its name: it must be a directory, and links to it are followed."""
        if flags & OpenFlags.CREATE:
            node = self.found()
            if (node is None or node.file_type is not FileType.DIRECTORY) and not self.follow():
                fail(errno.EISDIR)  # opening never makes a directory
            if flags & OpenFlags.EXCLUSIVE:
                fail(errno.EEXIST)
        return (flags | OpenFlags.DIRECTORY) & ~(OpenFlags.CREATE | OpenFlags.EXCLUSIVE | OpenFlags.NO_FOLLOW)


class NodeFS(Generic[N]):
    """The paths of a volume, or of the part of it below the directory that `root` gives, which no path leads out of."""

    __slots__ = ("_root", "_volume")

    def __init__(self, volume: Volume[N], root: Callable[[], N] | None = None) -> None:
        self._volume = volume
        self._root = root or volume.root

    def _walk(self, path: str) -> NodeWalk[N]:
        """Resolve all of `path` but its last component."""
        return NodeWalk(self._volume, self._root(), path)

    def _same_volume(self, to: FS | None) -> NodeFS[N]:
        if to is None:
            return self
        if not isinstance(to, NodeFS) or to._volume is not self._volume:
            fail(errno.EXDEV)
        return to

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> File:
        """Open or create. A directory opens for reading only, with or without the flag."""
        with self._volume.lock:
            walk = self._walk(path)
            while True:
                if walk.must_be_directory:
                    flags = walk.flags_for_directory(flags)
                node = walk.found()
                if node is None:
                    return self._create(walk, flags, permissions)
                if flags & OpenFlags.CREATE and flags & OpenFlags.EXCLUSIVE:
                    fail(errno.EEXIST)
                if node.file_type is not FileType.SYMBOLIC_LINK:
                    return self._open(node, flags)
                if flags & OpenFlags.NO_FOLLOW:
                    fail(errno.ENOTDIR if flags & OpenFlags.DIRECTORY else errno.ELOOP)
                walk.follow_link()

    def _create(self, walk: NodeWalk[N], flags: OpenFlags, permissions: int) -> File:
        if not flags & OpenFlags.CREATE:
            fail(errno.ENOENT)
        if flags & OpenFlags.DIRECTORY:
            fail(errno.EINVAL)
        return self._volume.create(walk.here, walk.component, flags, permissions)

    def _open(self, node: N, flags: OpenFlags) -> File:
        if node.file_type is FileType.DIRECTORY:
            if flags & (WRITING | OpenFlags.CREATE):
                fail(errno.EISDIR)
            return NodeDirectory(self._volume, node)
        if flags & OpenFlags.DIRECTORY:
            fail(errno.ENOTDIR)
        return self._volume.open(node, flags)

    def stat(self, path: str) -> Stat:
        """Of the file, links followed."""
        with self._volume.lock:
            return self._volume.stat(self._walk(path).followed())

    def lstat(self, path: str) -> Stat:
        """Of the link itself; a slash at the end follows it, as everywhere."""
        with self._volume.lock:
            walk = self._walk(path)
            return self._volume.stat(walk.followed() if walk.must_be_directory else walk.existing())

    def mkdir(self, path: str, permissions: int = 0o777) -> None:
        """Make a directory."""
        with self._volume.lock:
            walk = self._walk(path)
            walk.check_free()
            self._volume.make_directory(walk.here, walk.component, permissions)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        with self._volume.lock:
            walk = self._walk(path)
            if walk.component == ".":
                fail(errno.EINVAL)
            node = walk.existing()
            if node.file_type is not FileType.DIRECTORY:
                fail(errno.ENOTDIR)
            if self._volume.entries(node):
                fail(errno.ENOTEMPTY)
            self._volume.remove(walk.here, walk.component, node)

    def unlink(self, path: str) -> None:
        """Remove a file or link; EISDIR for a directory, ENOTDIR for a file with a slash after it."""
        with self._volume.lock:
            walk = self._walk(path)
            node = walk.existing()
            walk.check_directory(node)
            if node.file_type is FileType.DIRECTORY:
                fail(errno.EISDIR)
            self._volume.remove(walk.here, walk.component, node)

    def rename(self, old: str, new: str, to: FS | None = None) -> None:
        """Move, replacing what `new` names as POSIX has it. Nothing happens if both are names of one file."""
        tree, volume = self._same_volume(to), self._volume
        with volume.lock:
            source, target = self._walk(old), tree._walk(new)
            node = source.existing()
            is_directory = node.file_type is FileType.DIRECTORY
            if (source.must_be_directory or target.must_be_directory) and not is_directory:
                fail(errno.ENOTDIR)
            if "." in {source.component, target.component}:
                fail(errno.EBUSY)
            replaced = target.found()
            if is_directory and volume.is_within(target.here, node):
                fail(errno.EINVAL)
            if replaced is not None:
                if volume.is_within(source.here, replaced):
                    fail(errno.ENOTEMPTY)
                if volume.is_same(node, replaced):
                    return
                self._check_replaceable(replaced, is_directory=is_directory)
            volume.move(source.here, source.component, node, target.here, target.component, replaced)

    def _check_replaceable(self, replaced: N, *, is_directory: bool) -> None:
        if replaced.file_type is not FileType.DIRECTORY:
            if is_directory:
                fail(errno.ENOTDIR)
        elif not is_directory:
            fail(errno.EISDIR)
        elif self._volume.entries(replaced):
            fail(errno.ENOTEMPTY)

    def link(self, old: str, new: str, to: FS | None = None) -> None:
        """Give a file a second name; a link gets the second name itself and not what it leads to."""
        tree = self._same_volume(to)
        with self._volume.lock:
            source, target = self._walk(old), tree._walk(new)
            if source.must_be_directory:
                source.check_directory(source.existing())
            target.refuse_directory_name()
            node = source.existing()
            target.check_free()
            if node.file_type is FileType.DIRECTORY:
                fail(errno.EPERM)
            self._volume.add_name(node, target.here, target.component)

    def symlink(self, target: str, path: str) -> None:
        """Make a link. EPERM for an absolute target, which could only lead out."""
        if target.startswith("/"):
            fail(errno.EPERM)
        check_text(target)
        with self._volume.lock:
            walk = self._walk(path)
            walk.refuse_directory_name()
            walk.check_free()
            self._volume.make_link(walk.here, walk.component, target)

    def readlink(self, path: str) -> str:
        """The target of a link, as it was given. EINVAL for what is none."""
        with self._volume.lock:
            walk = self._walk(path)
            if walk.must_be_directory:
                walk.followed()
                fail(errno.EINVAL)
            node = walk.existing()
            if node.file_type is not FileType.SYMBOLIC_LINK:
                fail(errno.EINVAL)
            return self._volume.target(node)

    def set_times(
        self, path: str, access_time: int | None, modification_time: int | None, *, follow: bool = True
    ) -> None:
        """Set times in nanoseconds since the epoch; None leaves one as it is."""
        with self._volume.lock:
            walk = self._walk(path)
            node = walk.followed() if follow or walk.must_be_directory else walk.existing()
            if access_time is not None or modification_time is not None:
                self._volume.set_times(node, access_time, modification_time)

    def set_permissions(self, path: str, permissions: int) -> None:
        """Set the bits of the mode, links followed."""
        with self._volume.lock:
            self._volume.set_permissions(self._walk(path).followed(), permissions)


@final
class NodeDirectory(BaseFile, Generic[N]):
    """An open directory of a volume. It stays itself wherever it is moved."""

    __slots__ = ("_held", "_is_closed", "_volume")

    def __init__(self, volume: Volume[N], node: N) -> None:
        self._volume = volume
        self._held = volume.hold(node)
        self._is_closed = False

    def node(self) -> N:
        """The directory; EBADF once it is closed."""
        if self._is_closed:
            fail(errno.EBADF)
        return self._volume.current(self._held)

    def stat(self) -> Stat:
        with self._volume.lock:
            return self._volume.stat(self.node())

    def read(self, count: int) -> bytes:
        fail(errno.EISDIR)

    def pread(self, count: int, offset: int) -> bytes:
        fail(errno.EISDIR)

    def set_times(self, access_time: int | None, modification_time: int | None) -> None:
        with self._volume.lock:
            node = self.node()
            if access_time is not None or modification_time is not None:
                self._volume.set_times(node, access_time, modification_time)

    def set_permissions(self, permissions: int) -> None:
        """Set the bits of the mode."""
        with self._volume.lock:
            self._volume.set_permissions(self.node(), permissions)

    def read_directory(self) -> Sequence[DirectoryEntry]:
        with self._volume.lock:
            return self._volume.entries(self.node())

    def tree(self) -> FS:
        """The file system below, which ends when the directory is closed."""
        return NodeFS(self._volume, self.node)

    def close(self) -> None:
        with self._volume.lock:
            if not self._is_closed:
                self._is_closed = True
                self._volume.release(self._held)
