"""What the outside is for one instance: arguments, environment, open files, clocks, random bytes.

No ABI is known here: WASI and GOOS=js stand on the same context, so that a file descriptor means one thing to both.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from wazero_api.system import FS, Clock, FileType, OpenFlags, RandomSource, Sleep

from .clocks import fake_nanotime, fake_sleep, fake_walltime, no_yield, system_sleep
from .descriptors import FileEntry, FileTable
from .files import MAX_OPEN_FILES, fail
from .mounts import Mount
from .randomness import DeterministicRandom
from .stdio import input_file, output_file
from .waiting import READ, SAFE_WRITE, WRITE, Waiter, is_open_for

STDIN, STDOUT, STDERR, FIRST_MOUNT = range(4)


@final
class SystemContext:
    """The system side of one module instance. Without arguments, a closed box: no input, no files, fake time.

    Opening mounts and listeners may raise OSError (no such directory, address in use); what was opened until then is
    closed again.
    """

    __slots__ = ("args", "environ", "files", "listed", "nanotime", "osyield", "random", "sleep", "waiter", "walltime")

    def __init__(
        self,
        *,
        args: Sequence[bytes] = (),
        environ: Mapping[bytes, bytes] | None = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        mounts: Sequence[Mount] = (),
        listeners: Sequence[Any] = (),
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
        self.waiter = Waiter()
        """How to wait for anything; ends with the instance that owns this."""
        self.sleep: Sleep = self.waiter.sleep if sleep is system_sleep else sleep
        self.osyield = osyield
        self.random: RandomSource = random or DeterministicRandom()
        self.listed = 0
        """Directory entries that hosts have kept of what they listed, for those that bound that."""
        self.files = FileTable(max_open_files)
        self.files.insert(FileEntry(input_file(stdin), is_owned=False))
        for target in (stdout, stderr):
            self.files.insert(FileEntry(output_file(target), flags=OpenFlags.WRITE_ONLY, is_owned=False))
        try:
            for mount in mounts:
                self.open_mount(mount)
            for listener in listeners:
                self.open_listener(listener)
        except BaseException:
            self.close()
            raise

    def open_mount(self, mount: Mount) -> int:
        """Open the root of a mount, under its guest path; the number of the file."""
        fd = self.open_file(mount.fs, ".", OpenFlags.DIRECTORY)
        self.files[fd].name = mount.guest_path
        return fd

    def open_listener(self, listener: Any) -> int:
        """Listen at a `TcpAddress`, or by a socket of the caller's that listens already; the number of the file.

        Raises OSError if the system refuses.
        """
        from .sockets import listen  # few guests are servers

        file, is_owned = listen(listener)
        try:
            return self.files.insert(FileEntry(file, is_owned=is_owned))
        except BaseException:
            if is_owned:
                file.close()
            raise

    def open_file(self, fs: FS, path: str, flags: OpenFlags, permissions: int = 0o644) -> int:
        """Open `path` of `fs` and enter it into the table; its number. Raises OSError, EMFILE before anything is made."""
        self.files.check_room()
        file = fs.open_file(path, flags, permissions)
        try:
            file_type = getattr(file, "file_type", None) or file.stat().file_type
            entry = FileEntry(file, flags=flags, file_type=file_type)
            if file_type is FileType.DIRECTORY:
                from .views import tree_of  # few guests have files

                entry.tree = tree_of(file, fs, path)
            return self.files.insert(entry)
        except BaseException:
            file.close()
            raise

    def read(self, entry: FileEntry, count: int) -> bytes:
        """Read as the file does, waiting where the file would wait, so that the wait can be ended.

        Raises OSError, EAGAIN for a file with NON_BLOCK that has nothing now; DeadlineExceededError, ExitError.
        """
        if entry.can_wait and count and not hasattr(entry.file, "accept"):
            self.wait_for(entry, READ)
        return entry.file.read(count)

    def write(self, entry: FileEntry, data: memoryview | bytes) -> int:
        """Write as the file does, and else like `read`."""
        if not entry.can_wait or not len(data) or hasattr(entry.file, "accept"):
            return entry.file.write(data)
        if len(data) <= SAFE_WRITE:
            self.wait_for(entry, WRITE)
            return entry.file.write(data)
        return self._write_in_parts(entry, memoryview(data))

    def _write_in_parts(self, entry: FileEntry, data: memoryview) -> int:
        """A pipe that says it can be written to takes a few kilobytes, and makes wait for the rest."""
        done = 0
        while done < len(data):
            try:
                self.wait_for(entry, WRITE)
                part = data[done : done + SAFE_WRITE]
                count = entry.file.write(part)
            except OSError:
                if done:  # the guest hears of it when it writes on
                    break
                raise
            done += count
            if count < len(part):
                break
        return done

    def wait_for(self, entry: FileEntry, mask: int) -> None:
        """Wait until the file can be read (`READ`) or written (`WRITE`), or has failed, which doing so tells.

        Raises as `read` does.
        """
        file = entry.file
        if mask == READ and getattr(file, "has_buffered", bool)():
            return
        fd = file.fileno()
        if fd is None:
            return
        interests = ((fd, mask),)
        if self.waiter.wait(interests, 0) or not is_open_for(fd, mask):
            return
        if entry.flags & OpenFlags.NON_BLOCK:
            fail(errno.EAGAIN)
        self.waiter.wait(interests, None)

    def close(self) -> None:
        """Close all files but those the caller gave, and end all waits. May be called again."""
        self.waiter.close()
        self.files.close_all()
