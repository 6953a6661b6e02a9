"""From a path of the guest to a file system: the mounts of a program, and its working directory."""

from __future__ import annotations

import errno
import os
import posixpath
from typing import Final, final

from wazero_api.system import FS, FileType
from wazero_core.system import FileEntry, SystemContext

_ROOT: Final = "/"


@final
class Workdir:
    """The mounts, and where relative paths start.

    The mounts leave the table of open files: a program for GOOS=js knows paths only, and its first file is number 3.
    """

    def __init__(self, system: SystemContext, wanted: str | None) -> None:
        self._system = system
        entries = [system.files.take(fd) for fd in system.files.numbers() if system.files[fd].name is not None]
        self._entries: list[FileEntry] = entries
        # The longest first: of two mounts that hold a path, the inner one counts.
        self._mounts = sorted(
            ((_components(entry.name or ""), entry.tree) for entry in entries), key=_depth, reverse=True
        )
        self._root: FS | None = None
        """What there is outside of the mounts, once somebody looked."""
        self.path = _ROOT
        if wanted is not None:
            self._start_in(wanted)
        else:
            self._start_in_environment()

    def _start_in(self, wanted: str) -> None:
        try:
            self.change(wanted)
        except OSError as error:
            advice = "mount it, or choose another"
            raise OSError(
                error.errno, f"the working directory {wanted!r} is no directory of a mount: {advice}"
            ) from None

    def _start_in_environment(self) -> None:
        for variable in self._system.environ:
            if variable.startswith(b"PWD=/"):
                try:
                    self.change(variable[4:].decode("utf-8", "surrogateescape"))
                except OSError:
                    return

    def change(self, path: str) -> None:
        """Start there from now on. Raises OSError: ENOENT, ENOTDIR."""
        target = self.absolute(path)
        if target != _ROOT:
            fs, name = self.find(target)
            if fs.stat(name).file_type is not FileType.DIRECTORY:
                raise NotADirectoryError(errno.ENOTDIR, "not a directory")
        self.path = target

    def absolute(self, path: str) -> str:
        """The path from the root on, without "." and "..", as far as the text tells."""
        clean = posixpath.normpath(posixpath.join(self.path, path))
        return clean[1:] if clean.startswith("//") else clean

    def find(self, path: str) -> tuple[FS, str]:
        """The file system of a path, and the path in it. ENOENT for no path, EINVAL for a NUL."""
        if not path:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory")
        if "\0" in path:
            raise OSError(errno.EINVAL, "a path must not contain a NUL")
        whole = path if path.startswith(_ROOT) else f"{self.path}/{path}"
        for mount, tree in self._mounts:
            rest = _below(mount, whole)
            if rest is not None and tree is not None:
                return tree, rest
        if self._root is None:
            self._root = _way_to([mount for mount, _ in self._mounts])
        return self._root, _below((), whole) or "."

    def find_entry(self, path: str, refused: int) -> tuple[FS, str]:
        """Like `find`, for what is done to a name in a directory: the error `refused` if the path ends in "." or "..".

        What such a path names has other names, which must not be made, moved or removed in its place.
        """
        fs, rest = self.find(path)
        if path.rstrip("/").rpartition("/")[2] in {".", ".."}:
            fs.stat(rest)
            raise OSError(refused, os.strerror(refused))
        return fs, rest

    def find_new(self, path: str) -> tuple[FS, str]:
        """Like `find`, for what is to become a link: EEXIST for a path that ends as only those of directories do."""
        fs, rest = self.find_entry(path, errno.EEXIST)
        if rest.endswith("/"):
            fs.lstat(rest.rstrip("/"))
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        return fs, rest

    def close(self) -> None:
        """Close the mounts."""
        for entry in self._entries:
            entry.close()
        self._entries.clear()


def _way_to(mounts: list[tuple[str, ...]]) -> FS:
    """The root where none is mounted: empty, but for the directories that lead to mounts.

    Programs look through all directories above their own, say for a configuration file.
    """
    from wazero_core.system import MemFS, ReadOnlyFS

    fs = MemFS(clock=lambda: 0)
    made: set[str] = set()
    for mount in mounts:
        for depth in range(1, len(mount) + 1):
            path = "/".join(mount[:depth])
            if path not in made:
                fs.mkdir(path, 0o555)
                made.add(path)
    return ReadOnlyFS(fs)


def _components(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in {"", "."})


def _depth(mount: tuple[tuple[str, ...], FS | None]) -> int:
    return len(mount[0])


def _below(mount: tuple[str, ...], path: str) -> str | None:
    """What is left of an absolute path below a mount; None if it is not below.

    A ".." is left to the file system, which sees links, unless it climbs out of the mount by its text alone.
    """
    parts = list(_components(path))
    depth = 0
    for part in parts:
        depth += -1 if part == ".." else 1
        if depth < len(mount) and part == "..":
            parts = list(_components(posixpath.normpath(path)))
            break
    if tuple(parts[: len(mount)]) != mount:
        return None
    rest = "/".join(parts[len(mount) :]) or "."
    return f"{rest}/" if path.endswith(("/", "/.")) and rest != "." else rest
