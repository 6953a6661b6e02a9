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
    from .memory_fs import MemFS
    from .mounts import FSConfig, Mount
    from .overlay import OverlayFS
    from .quota import QuotaFS
    from .randomness import DETERMINISTIC_SEED, DeterministicRandom, StreamRandom, system_random
    from .sockets import ConnectionFile, ListenerFile, TcpAddress
    from .stdio import NullFile, input_file, output_file
    from .tree_fs import ResourceFS
    from .views import ReadOnlyFS, SubtreeFS, tree_of
    from .waiting import ERROR, HANGUP, INVALID, READ, WRITE, Bell, Waiter
    from .zip_fs import ZipFS

_MODULES = {
    "BaseFile": "files",
    "Bell": "waiting",
    "ConnectionFile": "sockets",
    "DETERMINISTIC_SEED": "randomness",
    "DeterministicRandom": "randomness",
    "DirFS": "directory",
    "ERROR": "waiting",
    "FAKE_EPOCH": "clocks",
    "FAKE_STEP": "clocks",
    "FIRST_MOUNT": "context",
    "FSConfig": "mounts",
    "FakeClock": "clocks",
    "FileEntry": "descriptors",
    "FileTable": "descriptors",
    "FunctionClock": "clocks",
    "HANGUP": "waiting",
    "HostFile": "host_file",
    "INVALID": "waiting",
    "ListenerFile": "sockets",
    "MAX_OPEN_FILES": "files",
    "MemFS": "memory_fs",
    "Mount": "mounts",
    "NullFile": "stdio",
    "OverlayFS": "overlay",
    "QuotaFS": "quota",
    "READ": "waiting",
    "ReadOnlyFS": "views",
    "ResourceFS": "tree_fs",
    "STDERR": "context",
    "STDIN": "context",
    "STDOUT": "context",
    "StreamRandom": "randomness",
    "SubtreeFS": "views",
    "SystemContext": "context",
    "TcpAddress": "sockets",
    "WRITE": "waiting",
    "Waiter": "waiting",
    "ZipFS": "zip_fs",
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
    "Bell",
    "ConnectionFile",
    "DETERMINISTIC_SEED",
    "DeterministicRandom",
    "DirFS",
    "ERROR",
    "FAKE_EPOCH",
    "FAKE_STEP",
    "FIRST_MOUNT",
    "FSConfig",
    "FakeClock",
    "FileEntry",
    "FileTable",
    "FunctionClock",
    "HANGUP",
    "HostFile",
    "INVALID",
    "ListenerFile",
    "MAX_OPEN_FILES",
    "MemFS",
    "Mount",
    "NullFile",
    "OverlayFS",
    "QuotaFS",
    "READ",
    "ReadOnlyFS",
    "ResourceFS",
    "STDERR",
    "STDIN",
    "STDOUT",
    "StreamRandom",
    "SubtreeFS",
    "SystemContext",
    "TcpAddress",
    "WRITE",
    "Waiter",
    "ZipFS",
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
