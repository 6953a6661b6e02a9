"""The table of files that an instance has open, by number."""

from __future__ import annotations

import errno
from heapq import heappop, heappush
from threading import Lock
from typing import Any, final

from wazero_api.system import FS, File, FileType, OpenFlags

from .files import MAX_OPEN_FILES, fail
from .waiting import WAITABLE


@final
class FileEntry:
    """An open file of an instance. Mutable: what the guest changes of it, it changes here."""

    __slots__ = ("can_wait", "extra", "file", "flags", "is_owned", "name", "tree")

    def __init__(
        self,
        file: File,
        tree: FS | None = None,
        name: str | None = None,
        flags: OpenFlags = OpenFlags.READ_ONLY,
        is_owned: bool = True,
        file_type: FileType | None = None,
    ) -> None:
        self.file = file
        self.can_wait = file.fileno() is not None and (file_type or file.stat().file_type) in WAITABLE
        """Whether reading or writing may have to wait for somebody; then `SystemContext.read` and `write` do it."""
        self.tree = tree
        """For a directory, the file system below it."""
        self.name = name
        """For a mount, its guest path."""
        self.flags = flags
        """How it was opened, and what was changed of that since."""
        self.is_owned = is_owned
        """Whether closing the entry closes the file."""
        self.extra: Any = None
        """What an ABI wants to remember of it."""

    def close(self) -> None:
        """Close the file if it is owned."""
        if self.is_owned:
            self.file.close()


@final
class FileTable:
    """Open files by number. A new one gets the lowest number that is free, as POSIX has it.

    Raises OSError: EBADF for numbers that are not open, EMFILE when `limit` files are.
    """

    __slots__ = ("_entries", "_free", "_lock", "get", "limit")

    def __init__(self, limit: int = MAX_OPEN_FILES) -> None:
        self.limit = limit
        self._entries: dict[int, FileEntry] = {}
        self._free: list[int] = []  # a heap of the numbers below the highest that are not in use
        self._lock = Lock()
        self.get = self._entries.get
        """The entry of a number, or None. Bound once, for hosts' hot paths."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, fd: object) -> bool:
        return fd in self._entries

    def __getitem__(self, fd: int) -> FileEntry:
        entry = self._entries.get(fd)
        if entry is None:
            fail(errno.EBADF)
        return entry

    def numbers(self) -> tuple[int, ...]:
        """The numbers in use, ascending."""
        return tuple(sorted(self._entries))

    def check_room(self) -> None:
        """Raise EMFILE if no file can be added: to be asked before a file is created that nobody could use."""
        if len(self._entries) >= self.limit:
            fail(errno.EMFILE)

    def insert(self, entry: FileEntry) -> int:
        """Add a file and return its number. If the table is full, the file stays the caller's."""
        with self._lock:
            self.check_room()
            fd = heappop(self._free) if self._free else len(self._entries)
            self._entries[fd] = entry
            return fd

    def take(self, fd: int) -> FileEntry:
        """Take a file out, open as it is: it is the caller's now."""
        return self._remove(fd)

    def close(self, fd: int) -> None:
        """Close a file and free its number, also if closing fails."""
        self._remove(fd).close()

    def renumber(self, source: int, target: int) -> None:
        """Give the file `source` the number of the file `target`, which is closed."""
        with self._lock:
            entry, replaced = self[source], self[target]
            if source == target:
                return
            self._entries[target] = entry
            del self._entries[source]
            heappush(self._free, source)
        replaced.close()

    def close_all(self) -> None:
        """Close all files. Files whose closing fails are gone too; the first such error is raised at the end."""
        first: OSError | None = None
        for fd in self.numbers():
            try:
                self.close(fd)
            except OSError as error:
                first = first or error
        if first is not None:
            raise first

    def _remove(self, fd: int) -> FileEntry:
        with self._lock:
            entry = self[fd]
            del self._entries[fd]
            heappush(self._free, fd)
            return entry
