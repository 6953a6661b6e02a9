"""A directory of the host as a file system that no path leads out of."""

# `pathlib` has no calls by descriptor, and paths here are text on purpose.
# ruff: noqa: PTH100, PTH101

from __future__ import annotations

import errno
import os
import stat as mode_bits
from functools import cache
from typing import TYPE_CHECKING, Final, final

from wazero_api.system import FS, File, FileType, OpenFlags, Stat

from . import walk as walking
from .files import fail
from .host_file import (
    HostDirectory,
    HostFile,
    PathDirectory,
    file_type_of,
    keep_some_for_host,
    merge_times,
    stat_of,
)

if TYPE_CHECKING:
    from .walk import Root, Walk

_OPEN_FLAGS: Final = {
    OpenFlags.APPEND: os.O_APPEND,
    OpenFlags.CREATE: os.O_CREAT,
    OpenFlags.EXCLUSIVE: os.O_EXCL,
    OpenFlags.TRUNCATE: os.O_TRUNC,
    OpenFlags.DIRECTORY: getattr(os, "O_DIRECTORY", 0),
    OpenFlags.SYNC: getattr(os, "O_SYNC", 0),
    OpenFlags.DATA_SYNC: getattr(os, "O_DSYNC", 0),
}

_ALWAYS: Final = (
    getattr(os, "O_NOFOLLOW", 0)  # links are followed by the walk, beneath the root
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe must not wait for its other end, nor a device for its line
    | getattr(os, "O_NOCTTY", 0)  # opening a terminal must not make it the host's
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)

_WRITING: Final = OpenFlags.WRITE_ONLY | OpenFlags.READ_WRITE | OpenFlags.TRUNCATE

_ROOT_FLAGS: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)

_UTIME_KNOWS_LINKS: Final = os.utime in os.supports_follow_symlinks


@cache
def _native_flags(flags: OpenFlags) -> int:
    """The flags of `os.open` for these. Cached, since arithmetic of enums takes longer than opening a file."""
    native = _ALWAYS
    if flags & OpenFlags.READ_WRITE:
        native |= os.O_RDWR
    elif flags & OpenFlags.WRITE_ONLY:
        native |= os.O_WRONLY
    for flag, value in _OPEN_FLAGS.items():
        if flags & flag:
            native |= value
    return native


@final
class DirFS:
    """The directory `path` of the host and what is below it.

    A path given to it is resolved one component at a time, relative to descriptors of the directories passed through;
    links are followed by hand. Whatever would lead out of the directory is EPERM: "..", absolute paths, links with an
    absolute target, links that climb too far. Nor can links be made whose target is absolute. Changes made while a path
    is being resolved (links swapped, directories moved) may make it fail, not lead it out. Hard links and mount points
    that someone else puts below the directory are part of it.

    Nothing is outside of the root of the whole system: there, links with an absolute target are made and followed.

    Where the system has no calls relative to descriptors (Windows), paths are checked component by component and then
    used: that keeps a guest in, but not a guest helped by another process that changes links meanwhile.

    `path` is made absolute here but first used with the first operation, and anew with each: nothing is kept open.

    Files open without waiting, named pipes too: one opened to be read may not have a writer yet, one opened to be
    written without a reader is ENXIO. Pipes and devices then stay non-blocking, EAGAIN if there is nothing to read,
    whatever the flags say: who wants to wait does so with `fileno`. The process keeps some descriptors for the host;
    a guest that would get one of the last gets EMFILE (see `keep_some_for_host`).
    """

    __slots__ = ("_path", "_root")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.abspath(os.fspath(path))
        self._root: Root = _RootByPath(self._path)

    def __repr__(self) -> str:
        if isinstance(self._root, HostDirectory):
            return f"<a directory below DirFS({self._path!r})>"
        return f"DirFS({self._path!r})"

    def _below(self, directory: HostDirectory) -> DirFS:
        """The tree below an open directory. Its path is not kept: a guest could make it longer with each level."""
        tree = DirFS.__new__(DirFS)
        tree._path = self._path
        tree._root = directory
        return tree

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> File:
        """Open or create. A directory opens for reading only, with or without the flag."""
        with self._walk(path) as walk:
            while True:
                if walk.must_be_directory:
                    flags = _flags_for_directory(walk, flags)
                if not walking.HAS_DESCRIPTORS and _settle(walk, flags):
                    return PathDirectory(walk.name, DirFS)
                try:
                    fd = os.open(walk.name, _native_flags(flags), permissions, dir_fd=walk.directory)
                except OSError as error:
                    # Systems differ in what they call a link that must not be followed.
                    is_link = error.errno in {errno.ELOOP, errno.EMLINK, errno.ENOTDIR}
                    if not is_link or flags & OpenFlags.NO_FOLLOW or not walk.follow():
                        raise
                else:
                    return self._file(keep_some_for_host(fd), flags)

    def stat(self, path: str) -> Stat:
        """Of the file, links followed."""
        with self._walk(path) as walk:
            return stat_of(_followed(walk))

    def lstat(self, path: str) -> Stat:
        """Of the link itself; a slash at the end follows it, as everywhere."""
        with self._walk(path) as walk:
            return stat_of(_followed(walk) if walk.must_be_directory else _lstat(walk))

    def mkdir(self, path: str, permissions: int = 0o777) -> None:
        """Make a directory."""
        with self._walk(path) as walk:
            os.mkdir(walk.name, permissions, dir_fd=walk.directory)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        with self._walk(path) as walk:
            os.rmdir(walk.name, dir_fd=walk.directory)

    def unlink(self, path: str) -> None:
        """Remove a file or link; EISDIR for a directory, ENOTDIR for a file with a slash after it."""
        with self._walk(path) as walk:
            if walk.must_be_directory and not mode_bits.S_ISDIR(_lstat(walk).st_mode):
                fail(errno.ENOTDIR)
            try:
                os.unlink(walk.name, dir_fd=walk.directory)
            except PermissionError:
                if mode_bits.S_ISDIR(_lstat(walk).st_mode):  # macOS and Windows forbid, Linux says why
                    fail(errno.EISDIR)
                raise

    def rename(self, old: str, new: str, to: FS | None = None) -> None:
        """Move, replacing what `new` names as POSIX has it."""
        target = self._same_kind(to)
        with self._walk(old) as source, target._walk(new) as destination:
            wants_directory = source.must_be_directory or destination.must_be_directory
            if wants_directory and not mode_bits.S_ISDIR(_lstat(source).st_mode):
                fail(errno.ENOTDIR)
            os.replace(source.name, destination.name, src_dir_fd=source.directory, dst_dir_fd=destination.directory)

    def link(self, old: str, new: str, to: FS | None = None) -> None:
        """Give a file a second name; a link gets the second name itself and not what it leads to."""
        target = self._same_kind(to)
        with self._walk(old) as source, target._walk(new) as destination:
            if source.must_be_directory and not mode_bits.S_ISDIR(_lstat(source).st_mode):
                fail(errno.ENOTDIR)
            _refuse_directory_name(destination)
            if os.link in os.supports_follow_symlinks:
                os.link(
                    source.name,
                    destination.name,
                    src_dir_fd=source.directory,
                    dst_dir_fd=destination.directory,
                    follow_symlinks=False,
                )
            else:
                os.link(source.name, destination.name)

    def symlink(self, target: str, path: str) -> None:
        """Make a link. EPERM for an absolute target below any root but the system's: other programs would follow it out."""
        if walking.IS_WINDOWS and (target.startswith("\\") or ":" in target):
            fail(errno.EPERM)
        walking.check_text(target)
        with self._walk(path) as walk:
            if target.startswith("/") and not walk.is_system_root():
                fail(errno.EPERM)
            _refuse_directory_name(walk)
            os.symlink(target, walk.name, dir_fd=walk.directory)

    def readlink(self, path: str) -> str:
        """The target of a link, as it was given. EINVAL for what is none."""
        with self._walk(path) as walk:
            if walk.must_be_directory:
                _followed(walk)
                fail(errno.EINVAL)
            return os.readlink(walk.name, dir_fd=walk.directory)

    def set_times(
        self, path: str, access_time: int | None, modification_time: int | None, *, follow: bool = True
    ) -> None:
        """Set times in nanoseconds since the epoch; None leaves one as it is."""
        with self._walk(path) as walk:
            if follow or walk.must_be_directory:
                _followed(walk)
            times = merge_times(lambda: _lstat(walk), access_time, modification_time)
            if times is None:
                return
            if _UTIME_KNOWS_LINKS:
                os.utime(walk.name, ns=times, dir_fd=walk.directory, follow_symlinks=False)
            elif mode_bits.S_ISLNK(_lstat(walk).st_mode):
                fail(errno.ENOTSUP)
            else:
                os.utime(walk.name, ns=times)

    def set_permissions(self, path: str, permissions: int) -> None:
        """Set the bits of the mode, links followed. ENOSYS where the system does that by path only."""
        if not walking.HAS_DESCRIPTORS:
            fail(errno.ENOSYS)
        with self._walk(path) as walk:
            _followed(walk)
            # By descriptor: `os.chmod` would follow a link that has come into the file's place meanwhile.
            fd = os.open(walk.name, _ALWAYS | getattr(os, "O_PATH", os.O_RDONLY), dir_fd=walk.directory)
            try:
                if mode_bits.S_ISLNK(os.fstat(fd).st_mode):
                    fail(errno.ELOOP)
                if hasattr(os, "O_PATH"):
                    os.chmod(f"/proc/self/fd/{fd}", permissions)
                else:
                    os.fchmod(fd, permissions)
            finally:
                os.close(fd)

    def set_owner(self, path: str, user: int, group: int, *, follow: bool = True) -> None:
        """Set owner and group, -1 to leave one. ENOSYS where files have none."""
        if not walking.HAS_DESCRIPTORS:
            fail(errno.ENOSYS)
        with self._walk(path) as walk:
            if follow or walk.must_be_directory:
                _followed(walk)
            os.chown(walk.name, user, group, dir_fd=walk.directory, follow_symlinks=False)

    def _walk(self, path: str) -> Walk:
        """Resolve all of `path` but its last component."""
        if walking.HAS_DESCRIPTORS:
            return walking.DescriptorWalk(self._root, path)
        return walking.PathWalk(os.path.realpath(self._path), path)

    def _file(self, fd: int, flags: OpenFlags) -> File:
        """Wrap a descriptor that was just opened; from here on it is closed with the file."""
        try:
            file_type = file_type_of(os.fstat(fd).st_mode)
        except BaseException:
            os.close(fd)
            raise
        if file_type is FileType.DIRECTORY:
            return HostDirectory(fd, self._below)
        return HostFile(fd, is_append=bool(flags & OpenFlags.APPEND), file_type=file_type)

    def _same_kind(self, to: FS | None) -> DirFS:
        if to is None:
            return self
        if not isinstance(to, DirFS):
            fail(errno.EXDEV)
        return to


@final
class _RootByPath:
    """The directory with a path, opened anew for each walk."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def borrow(self) -> int:
        return os.open(self._path, _ROOT_FLAGS)

    def give_back(self, fd: int) -> None:
        os.close(fd)


def _lstat(walk: Walk) -> os.stat_result:
    return os.stat(walk.name, dir_fd=walk.directory, follow_symlinks=False)


def _followed(walk: Walk) -> os.stat_result:
    """Go on to what the last component leads to, through all links, and look at it."""
    while mode_bits.S_ISLNK((result := _lstat(walk)).st_mode):
        if not walk.follow():
            break
    if walk.must_be_directory and not mode_bits.S_ISDIR(result.st_mode):
        fail(errno.ENOTDIR)
    return result


def _is_directory(walk: Walk) -> bool:
    try:
        return mode_bits.S_ISDIR(_lstat(walk).st_mode)
    except FileNotFoundError:
        return False


def _settle(walk: Walk, flags: OpenFlags) -> bool:
    """Do what O_NOFOLLOW and O_DIRECTORY do, where the system has neither; whether a directory is to be opened."""
    if not flags & (OpenFlags.NO_FOLLOW | OpenFlags.EXCLUSIVE):
        while walk.follow():
            pass
    try:
        mode = _lstat(walk).st_mode
    except FileNotFoundError:
        return False
    if flags & OpenFlags.CREATE and flags & OpenFlags.EXCLUSIVE:
        fail(errno.EEXIST)
    if mode_bits.S_ISLNK(mode):
        fail(errno.ELOOP)
    is_directory = mode_bits.S_ISDIR(mode)
    if is_directory and flags & _WRITING:
        fail(errno.EISDIR)
    if not is_directory and flags & OpenFlags.DIRECTORY:
        fail(errno.ENOTDIR)
    return is_directory


def _flags_for_directory(walk: Walk, flags: OpenFlags) -> OpenFlags:
    """The flags to open what has a slash after its name: it must be a directory, and links to it are followed."""
    if flags & OpenFlags.CREATE:
        if not _is_directory(walk) and not walk.follow():
            fail(errno.EISDIR)  # opening never makes a directory
        if flags & OpenFlags.EXCLUSIVE:
            fail(errno.EEXIST)
    return (flags | OpenFlags.DIRECTORY) & ~(OpenFlags.CREATE | OpenFlags.EXCLUSIVE | OpenFlags.NO_FOLLOW)


def _refuse_directory_name(walk: Walk) -> None:
    """A link is no directory, so a slash at the end of its name to be is wrong, however the system puts it."""
    if walk.must_be_directory:
        fail(errno.EEXIST if mode_bits.S_ISDIR(_lstat(walk).st_mode) else errno.ENOTDIR)
