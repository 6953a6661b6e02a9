"""What all commands share that compile a module: reading it, and a runtime for it."""

from __future__ import annotations

from wazero_api import UnsupportedError
from wazero_core import Runtime, RuntimeConfig

from .errors import CommandError


def read_binary(path: str) -> bytes:
    """The file's content. Raises CommandError."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes longer to import than it saves
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"error reading wasm binary: {path}: {reason}") from None


def new_runtime(cache_directory: str, *, is_interpreted: bool, engine: str = "") -> Runtime:
    """With bodies validated when they are compiled, and with a compilation cache unless the directory is "".

    `engine` is the name of one, or "" for the best. Raises CommandError.
    """
    config = RuntimeConfig.interpreter() if is_interpreted else RuntimeConfig(engine=engine or None)
    config = config.with_lazy_validation(True)
    if cache_directory:
        from wazero_core import CompilationCache

        try:
            config = config.with_compilation_cache(CompilationCache(cache_directory))
        except (OSError, ValueError) as error:
            strerror = getattr(error, "strerror", None)
            raise CommandError(f"invalid cachedir: {f'{cache_directory}: {strerror}' if strerror else error}") from None
    try:
        return Runtime(config)
    except UnsupportedError as error:
        raise CommandError(f"error: {error}") from error
