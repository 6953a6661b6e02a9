"""Resolving paths beneath a directory, one component at a time, so that none leads out of it.

A walk stands in a directory and consumes a path. It enters directories without following links; a link it reads and
puts its target in the link's place; ".." goes back the way it came, never to wherever the system thinks the parent is. So
a position is always a chain of real names from the root, and no race can change what it is beneath: not links swapped
while the path is being resolved, not directories moved out of the tree.

    a/link/../f       with link -> b/c
    [a] link  =>  [a, b, c] ..  =>  [a, b] f      names entered, and what is left
"""

# `pathlib` has no calls by descriptor, and paths here are text on purpose.
# ruff: noqa: PTH112, PTH115, PTH116, PTH118

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Protocol, Self, final

from .files import fail

MAX_LINKS: Final = 40
"""Links followed in one path before it is ELOOP, as on Linux."""

MAX_STEPS: Final = 20_000
"""Directories entered for one path before it is ELOOP: going back repeats steps, and a guest must not make that costly."""

MAX_PATH: Final = 4_096
"""Bytes of a path, or of what links make of it, as on Linux: ENAMETOOLONG beyond."""

IS_WINDOWS: Final = os.name == "nt"

HAS_DESCRIPTORS: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether paths can be resolved relative to descriptors here. If not (Windows), they are by path, and a change by someone
else between a check and its use is not noticed."""

_ENTER_FLAGS: Final = (
    # O_PATH needs only the permission to pass through a directory, as resolving a path does.
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


_WINDOWS_RESERVED: Final = frozenset('"*:<>?\\|').union(map(chr, range(32)))
_WINDOWS_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {port + digit for port in ("com", "lpt") for digit in "0123456789¹²³"}
)


class Root(Protocol):
    """The directory that walks start in."""

    def borrow(self) -> int:
        """A descriptor of it, which stays open until `give_back`."""
        ...

    def give_back(self, fd: int) -> None:
        """Take back what `borrow` gave."""
        ...


class Walk(ABC):
    """One path being resolved, all but its last component once it is made. Use as a context manager.

    `directory` and `name` say where the last component is, as `dir_fd` and path arguments of the functions in `os`; the
    name may be that of a link. `follow` goes on to where that link leads.
    Raises OSError: EPERM for a path that would leave the root, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EILSEQ for a name
    that the encoding of the host's file names cannot express, and what else the system says.
    """

    __slots__ = ("_links", "_names", "_steps", "_todo", "component", "directory", "must_be_directory")

    def __init__(self, path: str, directory: int | None) -> None:
        self.directory = directory
        """The `dir_fd` that `name` is relative to."""
        self._names: list[str] = []  # directories entered, from the root
        self._todo: list[str] = []  # components left, the next one last
        self._links = 0
        self._steps = 0
        self.component = "."
        """The last component, "." if the path ends in a directory that has been entered."""
        self.must_be_directory = False
        """Whether the path ended in a slash or in "." or ".."."""
        try:
            check_text(path)
            self._put(path)
            self._find()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """What to pass to the system for the last component."""
        return self.component

    @abstractmethod
    def close(self) -> None:
        """Release what the walk holds."""

    def is_system_root(self) -> bool:
        """Whether the walk's root is that of the whole system, so that absolute targets of links do not lead out of it."""
        return False

    @abstractmethod
    def _enter(self, name: str) -> bool:
        """Stand in the directory `name` of this directory; False if it is a link or no directory."""

    @abstractmethod
    def _restart(self) -> None:
        """Stand in the root again."""

    @abstractmethod
    def _read_link(self, name: str) -> str:
        """The target of the link `name` in this directory; OSError (EINVAL) if it is none."""

    def _find(self) -> None:
        """Enter all directories but the last component."""
        todo = self._todo
        while todo:
            name = todo.pop()
            if name == "..":
                self._go_back()
            elif not todo:
                self.component = name
                return
            elif self._step_into(name):
                self._names.append(name)
            else:
                self._expand(name)
        self.component = "."
        self.must_be_directory = True

    def follow(self) -> bool:
        """If the last component is a link, go on to where it leads and return True."""
        if self.component == ".":
            return False
        try:
            target = self._read_link(self.component)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return False
            raise
        self._replace(target)
        self._find()
        return True

    def _put(self, path: str) -> None:
        """Make `path` the next to be resolved."""
        if path.startswith("/"):
            if not self._links or not self.is_system_root():
                fail(errno.EPERM)
            self._names.clear()
            self._restart()
        components = [part for part in path.split("/") if part not in ("", ".")]
        if IS_WINDOWS:
            _check_windows_names(components)
        if not self._todo and (path in (".", "..") or path.endswith(("/", "/.", "/.."))):
            self.must_be_directory = True
        components.reverse()
        self._todo += components
        if self._links and sum(map(len, self._todo)) + len(self._todo) > MAX_PATH:
            fail(errno.ENAMETOOLONG)

    def _expand(self, name: str) -> None:
        """Put the target of the link `name` in its place."""
        try:
            target = self._read_link(name)
        except OSError as error:
            if error.errno == errno.EINVAL:
                fail(errno.ENOTDIR)
            raise
        self._replace(target)

    def _replace(self, target: str) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            fail(errno.ELOOP)
        self._put(target)

    def _step_into(self, name: str) -> bool:
        self._steps += 1
        if self._steps > MAX_STEPS:
            fail(errno.ELOOP)
        return self._enter(name)

    def _go_back(self) -> None:
        """Stand where the walk was before it entered this directory."""
        if not self._names:
            fail(errno.EPERM)
        self._names.pop()
        self._restart()
        for name in self._names:
            if not self._step_into(name):
                fail(errno.ENOTDIR)


def check_text(path: str) -> None:
    """Raise the error for what can be no path, nor the target of a link: EINVAL, ENOENT, EILSEQ, ENAMETOOLONG."""
    if "\0" in path:
        fail(errno.EINVAL)
    if not path:
        fail(errno.ENOENT)
    try:
        size = len(os.fsencode(path))
    except UnicodeError:
        fail(errno.EILSEQ)
    if size > MAX_PATH:
        fail(errno.ENAMETOOLONG)


def _check_windows_names(names: list[str]) -> None:
    """Raise EINVAL for what Windows takes for more than a name.

    Drives, streams ("file:stream"), wildcards and separators; spaces and dots at the end, which it drops, so that
    "..." or ".. " could become ".."; devices, which are in every directory, whatever follows after a dot ("NUL.txt").
    """
    for name in names:
        if name == "..":
            continue
        stem = name.partition(".")[0].rstrip(" ").lower()
        if not _WINDOWS_RESERVED.isdisjoint(name) or name.endswith((" ", ".")) or stem in _WINDOWS_DEVICES:
            fail(errno.EINVAL)


@final
class DescriptorWalk(Walk):
    """A walk by descriptors."""

    __slots__ = ("_base", "_root")

    def __init__(self, root: Root, path: str) -> None:
        self._root = root
        self._base = root.borrow()
        super().__init__(path, self._base)

    def close(self) -> None:
        self._restart()
        if self.directory is not None:
            self.directory = None
            self._root.give_back(self._base)

    def is_system_root(self) -> bool:
        return os.path.samestat(os.fstat(self._base), os.stat("/"))

    def _enter(self, name: str) -> bool:
        try:
            fd = os.open(name, _ENTER_FLAGS, dir_fd=self.directory)
        except OSError as error:
            # Systems differ in what they call a link that must not be followed.
            if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.EMLINK):
                return False
            raise
        self._restart()
        self.directory = fd
        return True

    def _restart(self) -> None:
        fd = self.directory
        if fd is not None and fd != self._base:
            self.directory = self._base
            os.close(fd)

    def _read_link(self, name: str) -> str:
        return os.readlink(name, dir_fd=self.directory)


@final
class PathWalk(Walk):
    """A walk by paths, for systems whose calls take no directory descriptors. `root` is a real, absolute path."""

    __slots__ = ("_here", "_root")

    def __init__(self, root: str, path: str) -> None:
        self._root = self._here = root
        super().__init__(path, None)

    @property
    def name(self) -> str:
        # Checks, in the system's own view, what the walk made sure of: it may see links that `os.readlink` does not.
        real = os.path.realpath(self._here)
        if os.path.commonpath((real, self._root)) != self._root:
            fail(errno.EPERM)
        return os.path.join(real, self.component)

    def close(self) -> None:
        pass

    def _enter(self, name: str) -> bool:
        path = os.path.join(self._here, name)
        if self._is_link(path) or not os.path.isdir(path):
            os.lstat(path)  # missing is ENOENT, and not "no directory"
            return False
        self._here = path
        return True

    def _restart(self) -> None:
        self._here = self._root

    def _read_link(self, name: str) -> str:
        target = os.readlink(os.path.join(self._here, name))
        if IS_WINDOWS:
            if os.path.splitdrive(target)[0] or target.startswith("\\"):
                fail(errno.EPERM)
            target = target.replace("\\", "/")
        return target

    @staticmethod
    def _is_link(path: str) -> bool:
        try:
            os.readlink(path)  # knows junctions too, which `os.path.islink` does not
        except OSError:
            return False
        return True
