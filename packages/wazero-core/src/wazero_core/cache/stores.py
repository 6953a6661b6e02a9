"""Where entries lie: in a directory, or in this process only. Neither ever raises for what an entry or a disk is like."""

from __future__ import annotations

import os
import time
from threading import Lock
from typing import Final, Protocol, final

from .entry import HEADER_BYTES, Entry, header_of, parse_entry

_BINARY: Final = getattr(os, "O_BINARY", 0)
"""Windows would write line ends as it likes them."""
_NON_BLOCK: Final = getattr(os, "O_NONBLOCK", 0)

_SUFFIX: Final = ".wazero-code"
_UNFINISHED: Final = ".wazero-part"
_FORGOTTEN_S: Final = 3600.0
"""Age in seconds from which on an unfinished file belongs to a process that died."""


class Store(Protocol):
    """Entries by key. Safe to use from several threads."""

    def read(self, key: bytes) -> Entry | None: ...

    def header(self, key: bytes) -> bytes | None:
        """Of the entry that is there now: tells cheaply whether it is still the one that was read or written."""
        ...

    def write(self, key: bytes, entry: Entry) -> None: ...


@final
class DirectoryStore:
    """A file an entry; several processes may share the directory.

    Files appear whole or not at all. When they grow beyond `max_bytes` together, those go that were not used for longest.
    Files with other names than its own are left alone.
    """

    def __init__(self, directory: str, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def read(self, key: bytes) -> Entry | None:
        """The entry, which from now on counts as used."""
        path = self._path(key)
        try:
            with open(path, "rb", buffering=0, opener=_open_at_once) as file:
                header = file.read(HEADER_BYTES)
                code = file.read()
            os.utime(path)
        except OSError:
            return None
        return parse_entry(key, header, code)

    def header(self, key: bytes) -> bytes | None:
        """See `Store.header`."""
        try:
            with open(self._path(key), "rb", buffering=0, opener=_open_at_once) as file:
                return file.read(HEADER_BYTES)
        except OSError:
            return None

    def write(self, key: bytes, entry: Entry) -> None:
        """Put the entry in the place of what was there, and make room. A full disk, say, leaves all as it was."""
        if _size(entry) > self._max_bytes:
            return
        header = header_of(key, entry)
        path = self._path(key)
        unfinished = f"{path}.{os.getpid()}-{os.urandom(6).hex()}{_UNFINISHED}"
        try:
            _write_new(unfinished, header, entry.code)
            os.replace(unfinished, path)
        except OSError:
            _remove(unfinished)
            return
        self._make_room()

    def _path(self, key: bytes) -> str:
        return os.path.join(self._directory, key.hex() + _SUFFIX)

    def _make_room(self) -> None:
        try:
            with os.scandir(self._directory) as files:
                statuses = [(file, _status(file)) for file in files if file.name.endswith((_SUFFIX, _UNFINISHED))]
        except OSError:
            return
        forgotten = (time.time() - _FORGOTTEN_S) * 1e9
        entries = []
        for file, status in statuses:
            if status is None:
                continue
            if file.name.endswith(_SUFFIX):
                entries.append((status.st_mtime_ns, status.st_size, file.path))
            elif status.st_mtime_ns < forgotten:
                _remove(file.path)
        excess = sum(size for _, size, _ in entries) - self._max_bytes
        for _, size, path in sorted(entries):
            if excess <= 0:
                break
            _remove(path)
            excess -= size


def _status(file: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:  # another process has removed it meanwhile
        return None


def _size(entry: Entry) -> int:
    """In bytes, as a file; what an entry takes in memory is hardly less."""
    return HEADER_BYTES + len(entry.code)


def _write_new(path: str, *parts: bytes) -> None:
    """Only the owner may read it: it tells of the module, and a process will run what it says."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb", buffering=0) as file:
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[file.write(view) :]


def _open_at_once(path: str, flags: int) -> int:
    """Not waiting for the other end of a named pipe, should one be there."""
    return os.open(path, flags | _NON_BLOCK)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


@final
class MemoryStore:
    """Entries of this process, the least recently used first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: dict[bytes, Entry] = {}
        self._lock = Lock()

    def read(self, key: bytes) -> Entry | None:
        """The entry, which from now on counts as used."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is not None:
                self._entries[key] = entry
            return entry

    def header(self, key: bytes) -> bytes | None:
        """See `Store.header`."""
        entry = self._entries.get(key)
        return None if entry is None else header_of(key, entry)

    def write(self, key: bytes, entry: Entry) -> None:
        """Put the entry in the place of what was there, and make room."""
        if _size(entry) > self._max_bytes:
            return
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = entry
            excess = sum(map(_size, self._entries.values())) - self._max_bytes
            while excess > 0:
                excess -= _size(self._entries.pop(next(iter(self._entries))))
