"""Compiled modules that a cache follows: engines compile while code runs, so what is to be kept is known only later.

A `Record` writes what is new when somebody closes the module, its runtime or the cache, when the interpreter ends, and,
once nobody can use the module any more, at the next of these or the next compilation. Not at the very moment the module
is collected: finalizers run anywhere, even inside an engine that holds the lock that `Code.dump` wants.
"""

from __future__ import annotations

import atexit
from threading import Lock
from typing import Any, final
from weakref import ref

from wazero_api import Code
from wazero_core.validation import ModuleValidator

from .entry import Entry, header_of
from .stores import Store

_records: set[Record] = set()
"""Of all caches, so that those are saved, too, whose cache is gone. Changed by single operations only, which are atomic."""


@final
class Record:
    """Knows what of one compiled module the store has, and what of it is new."""

    def __init__(self, store: Store, key: bytes, code: Code, validator: ModuleValidator) -> None:
        self.store = store
        self._key = key
        self._code = code
        self._validator = validator
        self._owner: Any = None
        self._lock = Lock()
        self._header: bytes | None = None
        """Of the entry that `code` has all of."""
        self._saved = (0, False)

    def follow(self, owner: object) -> None:
        """From now on save what is compiled, as long as `owner` lives and once more when it is gone."""
        self._owner = ref(owner)
        _records.add(self)

    @property
    def is_orphaned(self) -> bool:
        """Whether nothing can be compiled any more."""
        return self._owner() is None

    def forget(self) -> None:
        """Follow no longer."""
        _records.discard(self)

    def take_over_entry(self) -> None:
        """Let the module have what the store has of it. An entry that its engine cannot read is as good as none."""
        entry = self.store.read(self._key)
        if entry is None:
            return
        before = self._code.compiled_count
        if entry.is_validated:
            self._validator.trust_bodies()
        try:
            self._code.load(entry.code)
        except Exception:  # noqa: BLE001 - engines may raise what they like for bytes that are not theirs
            return
        self._header = header_of(self._key, entry)
        if not before:  # else some of what is there is not in the entry
            self._saved = self._progress()

    def save(self) -> None:
        """Write the entry anew if there is more than it holds, with what other processes added to it meanwhile."""
        if not self._lock.acquire(blocking=False):  # somebody is at it, perhaps a thread that a fork left behind
            return
        try:
            if self._progress() <= self._saved:
                return
            header = self.store.header(self._key)
            if header is not None and header != self._header:
                self.take_over_entry()
            progress = self._progress()
            entry = Entry(self._code.dump(), progress[1])
            self.store.write(self._key, entry)
            self._header, self._saved = header_of(self._key, entry), progress
        finally:
            self._lock.release()

    def _progress(self) -> tuple[int, bool]:
        """Grows with all that is worth an entry."""
        return self._code.compiled_count, self._validator.has_checked_bodies


def save_orphans() -> None:
    """Save and forget the modules that nobody uses any more, of all caches."""
    for record in list(_records):
        if record.is_orphaned:
            record.forget()
            record.save()


def save_records(store: Store | None = None) -> None:
    """Save what is new of all modules, or of those in one store."""
    for record in list(_records):
        if store is None or record.store is store:
            record.save()
    save_orphans()


atexit.register(save_records)
