"""What guests reach of the outside: files, streams, clocks, sleep, random bytes. Imports nothing but `wazero_api`."""

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
from .descriptors import MAX_OPEN_FILES, FileEntry, FileTable
from .directory import DirFS
from .files import BaseFile
from .host_file import HostFile
from .mounts import FSConfig, Mount
from .randomness import DETERMINISTIC_SEED, DeterministicRandom, StreamRandom, system_random
from .stdio import NullFile, input_file, output_file
from .views import ReadOnlyFS, SubtreeFS, tree_of

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
