"""What the outside is for one instance: arguments, environment, open files, clocks, random bytes.

No ABI is known here: WASI and GOOS=js stand on the same context, so that a file descriptor means one thing to both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from wazero_api.system import FS, Clock, FileType, OpenFlags, RandomSource, Sleep

from .clocks import fake_nanotime, fake_sleep, fake_walltime, no_yield
from .descriptors import FileEntry, FileTable
from .files import MAX_OPEN_FILES
from .mounts import Mount
from .randomness import DeterministicRandom
from .stdio import input_file, output_file

STDIN, STDOUT, STDERR, FIRST_MOUNT = range(4)


@final
class SystemContext:
    """The system side of one module instance. Without arguments, a closed box: no input, no files, fake time.

    Opening the mounts may raise OSError (no such directory); what was opened until then is closed again.
    """

    __slots__ = ("args", "environ", "files", "nanotime", "osyield", "random", "sleep", "walltime")

    def __init__(
        self,
        *,
        args: Sequence[bytes] = (),
        environ: Mapping[bytes, bytes] | None = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        mounts: Sequence[Mount] = (),
        walltime: Clock | None = None,
        nanotime: Clock | None = None,
        sleep: Sleep = fake_sleep,
        osyield: Callable[[], None] = no_yield,
        random: RandomSource | None = None,
        max_open_files: int = MAX_OPEN_FILES,
    ) -> None:
        self.args = tuple(args)
        """Arguments, the program's name first."""
        self.environ = tuple(key + b"=" + value for key, value in (environ or {}).items())
        """Environment, as ``KEY=VALUE``."""
        self.walltime: Clock = walltime or fake_walltime()
        self.nanotime: Clock = nanotime or fake_nanotime()
        self.sleep = sleep
        self.osyield = osyield
        self.random: RandomSource = random or DeterministicRandom()
        self.files = FileTable(max_open_files)
        self.files.insert(FileEntry(input_file(stdin), is_owned=False))
        for target in (stdout, stderr):
            self.files.insert(FileEntry(output_file(target), flags=OpenFlags.WRITE_ONLY, is_owned=False))
        try:
            for mount in mounts:
                self.open_mount(mount)
        except BaseException:
            self.close()
            raise

    def open_mount(self, mount: Mount) -> int:
        """Open the root of a mount, under its guest path; the number of the file."""
        fd = self.open_file(mount.fs, ".", OpenFlags.DIRECTORY)
        self.files[fd].name = mount.guest_path
        return fd

    def open_file(self, fs: FS, path: str, flags: OpenFlags, permissions: int = 0o644) -> int:
        """Open `path` of `fs` and enter it into the table; its number. Raises OSError, EMFILE before anything is made."""
        self.files.check_room()
        file = fs.open_file(path, flags, permissions)
        try:
            entry = FileEntry(file, flags=flags)
            if flags & OpenFlags.DIRECTORY or file.stat().file_type is FileType.DIRECTORY:
                from .views import tree_of  # few guests have files

                entry.tree = tree_of(file, fs, path)
            return self.files.insert(entry)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Close all files but those the caller gave. May be called again."""
        self.files.close_all()
