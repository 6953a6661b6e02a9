"""What guests reach of the outside: files, streams, clocks, sleep, random bytes. Imports nothing but `wazero_api`."""

TYPE_CHECKING = False  # see wazero_core/__init__.py
if TYPE_CHECKING:
    from .clocks import (
        FAKE_EPOCH,
        FAKE_STEP,
        FakeClock,
        FunctionClock,
        fake_nanotime,
        fake_sleep,
        fake_walltime,
        no_yield,
        system_nanotime,
        system_sleep,
        system_walltime,
        system_yield,
    )
    from .context import FIRST_MOUNT, STDERR, STDIN, STDOUT, SystemContext
    from .descriptors import FileEntry, FileTable
    from .directory import DirFS
    from .files import MAX_OPEN_FILES, BaseFile
    from .host_file import HostFile
    from .mounts import FSConfig, Mount
    from .randomness import DETERMINISTIC_SEED, DeterministicRandom, StreamRandom, system_random
    from .stdio import NullFile, input_file, output_file
    from .views import ReadOnlyFS, SubtreeFS, tree_of

_MODULES = {
    "BaseFile": "files",
    "DETERMINISTIC_SEED": "randomness",
    "DeterministicRandom": "randomness",
    "DirFS": "directory",
    "FAKE_EPOCH": "clocks",
    "FAKE_STEP": "clocks",
    "FIRST_MOUNT": "context",
    "FSConfig": "mounts",
    "FakeClock": "clocks",
    "FileEntry": "descriptors",
    "FileTable": "descriptors",
    "FunctionClock": "clocks",
    "HostFile": "host_file",
    "MAX_OPEN_FILES": "files",
    "Mount": "mounts",
    "NullFile": "stdio",
    "ReadOnlyFS": "views",
    "STDERR": "context",
    "STDIN": "context",
    "STDOUT": "context",
    "StreamRandom": "randomness",
    "SubtreeFS": "views",
    "SystemContext": "context",
    "fake_nanotime": "clocks",
    "fake_sleep": "clocks",
    "fake_walltime": "clocks",
    "input_file": "stdio",
    "no_yield": "clocks",
    "output_file": "stdio",
    "system_nanotime": "clocks",
    "system_random": "randomness",
    "system_sleep": "clocks",
    "system_walltime": "clocks",
    "system_yield": "clocks",
    "tree_of": "views",
}
"""Where each name lives. Guests without a system, such as plugins that only compute, need not wait for one."""


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


__all__ = [
    "BaseFile",
    "DETERMINISTIC_SEED",
    "DeterministicRandom",
    "DirFS",
    "FAKE_EPOCH",
    "FAKE_STEP",
    "FIRST_MOUNT",
    "FSConfig",
    "FakeClock",
    "FileEntry",
    "FileTable",
    "FunctionClock",
    "HostFile",
    "MAX_OPEN_FILES",
    "Mount",
    "NullFile",
    "ReadOnlyFS",
    "STDERR",
    "STDIN",
    "STDOUT",
    "StreamRandom",
    "SubtreeFS",
    "SystemContext",
    "fake_nanotime",
    "fake_sleep",
    "fake_walltime",
    "input_file",
    "no_yield",
    "output_file",
    "system_nanotime",
    "system_random",
    "system_sleep",
    "system_walltime",
    "system_yield",
    "tree_of",
]
