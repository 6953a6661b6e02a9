"""What users make, and runtimes ask: `CompilationCache`."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final, final

from wazero_api import Code
from wazero_core.validation import ModuleValidator

from .entry import KEY_BYTES
from .records import Record, save_orphans, save_records
from .stores import DirectoryStore, MemoryStore, Store

try:  # two milliseconds faster than hashlib, which is the same behind OpenSSL; see the standard library's random.py
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

_MAX_BYTES: Final = 1 << 30


@final
class CompilationCache:
    """Keeps what engines compile, in `directory` or, without one, in this process; for any number of runtimes.

    Entries are found by the module's content, its enabled features, this version, the engine, and what the engine's code
    depends on; others are never used. Together they take at most `max_bytes`: those go that were not used for longest.
    A directory is made if it is not there, readable by its owner only, and may be shared by processes.

    The directory must be trusted: entries are code, and whoever can write them can do all that this process can.
    Raises NotADirectoryError if `directory` is a file, OSError if it cannot be made.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None, *, max_bytes: int = _MAX_BYTES) -> None:
        if max_bytes < 0:
            raise ValueError(f"a cache must have at least 0 bytes, not {max_bytes}")
        self.max_bytes = max_bytes
        self.directory: str | None = None
        self._store: Store = MemoryStore(max_bytes)
        if directory is not None:
            self.directory = _made(os.path.abspath(directory))
            self._store = DirectoryStore(self.directory, max_bytes)

    def __enter__(self) -> CompilationCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, wasm: bytes, environment: str, code: Code, validator: ModuleValidator) -> Record:
        """For runtimes: let a module that was just decoded have what is known of it; `Record.follow` it from then on.

        `environment` says all that its code and validity depend on besides the module.
        """
        save_orphans()
        if self.directory is None:
            self.close()  # what other runtimes have compiled so far is meant to be shared at once
        digest = blake2b(environment.encode() + b"\0", digest_size=KEY_BYTES)
        digest.update(wasm)
        record = Record(self._store, digest.digest(), code, validator)
        record.take_over_entry()
        return record

    def close(self) -> None:
        """Write what is not written yet. Runtimes do that when they close, too, and the interpreter when it ends."""
        save_records(self._store)


def _made(directory: str) -> str:
    """The directory, which is there now."""
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise NotADirectoryError(f"{directory} is a file, and a compilation cache needs a directory")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    return directory
