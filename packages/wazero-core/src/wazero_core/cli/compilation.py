"""What ``wazero compile`` does."""

from __future__ import annotations

import sys

from wazero_api import WazeroBug, WazeroError

from .errors import CommandError
from .garbage import resume_collection
from .modules import new_runtime, read_binary
from .progress import Progress


def compile_file(path: str, cache_directory: str, processes: int, *, is_interpreted: bool) -> None:
    """Compile all functions, into the cache if there is a directory. Raises CommandError."""
    wasm = read_binary(path)
    with new_runtime(cache_directory, is_interpreted=is_interpreted) as runtime:
        try:
            with runtime.compile_module(wasm) as compiled, Progress(sys.stderr) as progress:
                resume_collection()
                compiled.compile_all(progress.show if progress.is_visible else None, processes)
        except WazeroBug:
            raise  # a traceback is what its report needs
        except (WazeroError, OSError, RuntimeError) as error:  # the latter two of processes that cannot start, or die
            raise CommandError(f"error compiling wasm binary: {error}") from error
        except MemoryError:
            raise CommandError("error compiling wasm binary: out of memory") from None
