"""How a module is instantiated, and what of the outside its instance gets: `ModuleConfig`."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from wazero_api.record import record, replace
from wazero_api.system import FS, Clock, RandomSource, Sleep
from wazero_core.system.clocks import (
    FAKE_MONOTONIC_RESOLUTION,
    FAKE_WALL_RESOLUTION,
    FunctionClock,
    fake_sleep,
    no_yield,
    system_nanotime,
    system_sleep,
    system_walltime,
)
from wazero_core.system.files import MAX_OPEN_FILES
from wazero_core.system.mounts import FSConfig

if TYPE_CHECKING:
    from wazero_core.system.context import SystemContext

_T = TypeVar("_T")

_MAX_PORT: Final = 65535
_MIN_OPEN_FILES: Final = 3
"""The standard streams are always there."""


@final
@record
class ModuleConfig:
    """Immutable: each ``with_…`` returns a changed copy, so one config can serve any number of instances.

    By default an instance gets nothing from outside: no arguments, environment or files, empty stdin, discarded output,
    clocks that move only when they are read, sleep that returns at once, and the same random bytes in each run.
    """

    name: str | None = None
    """Under which imports find the instance: None for the name that the module gives itself, "" for no name at all."""
    start_functions: tuple[str, ...] = ("_start",)
    """Exports to call after instantiation, in order; those that do not exist are skipped."""
    args: tuple[bytes, ...] = ()
    env: tuple[tuple[bytes, bytes], ...] = ()
    fs_config: FSConfig = FSConfig()
    stdin: Any = None
    stdout: Any = None
    stderr: Any = None
    walltime: Clock | None = None
    nanotime: Clock | None = None
    nanosleep: Sleep = fake_sleep
    osyield: Callable[[], None] = no_yield
    rand_source: RandomSource | None = None
    listeners: tuple[Any, ...] = ()
    max_open_files: int = MAX_OPEN_FILES
    import_resolver: Callable[[str], Any] | None = None

    def with_name(self, name: str) -> ModuleConfig:
        """Name the instance; "" makes it anonymous, so that a module can be instantiated many times over."""
        if not isinstance(name, str):
            raise TypeError(f"the name of a module must be a str, not {type(name).__name__}")
        return replace(self, name=name)

    def with_start_functions(self, *names: str) -> ModuleConfig:
        """Call these exports after instantiation instead of ``_start``; without names, none."""
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"the name of a start function must be a str, not {type(name).__name__}")
        return replace(self, start_functions=names)

    def with_args(self, *args: str | bytes) -> ModuleConfig:
        """Set the arguments; by convention the first is the program's name. Raises ValueError for one with a NUL."""
        return replace(self, args=tuple(_encode("an argument", arg) for arg in args))

    def with_env(self, key: str | bytes, value: str | bytes) -> ModuleConfig:
        """Set a variable of the environment, in the place of an earlier one with that key.

        Raises ValueError for a NUL, an empty key, or "=" in the key.
        """
        raw_key, raw_value = _encode("an environment key", key), _encode("an environment value", value)
        if not raw_key:
            raise ValueError("an environment key must not be empty")
        if b"=" in raw_key:
            raise ValueError(f"an environment key must not contain '=': {key!r}")
        return replace(self, env=tuple({**dict(self.env), raw_key: raw_value}.items()))

    def with_fs_config(self, config: FSConfig) -> ModuleConfig:
        """Give the instance these mounts and no others."""
        if not isinstance(config, FSConfig):
            raise TypeError(f"with_fs_config wants an FSConfig, not {type(config).__name__}")
        return replace(self, fs_config=config)

    def with_fs(self, fs: FS | None) -> ModuleConfig:
        """Give the instance this file system as its root and no other; None for no files."""
        return replace(self, fs_config=FSConfig() if fs is None else FSConfig().with_fs_mount(fs, "/"))

    def with_stdin(self, source: Any) -> ModuleConfig:
        """Let the guest read bytes, a binary or text stream, or a descriptor; None for an empty input.

        Streams are never closed. Raises TypeError for what cannot be read.
        """
        from wazero_core.system.stdio import input_file

        input_file(source)
        return replace(self, stdin=source)

    def with_stdout(self, target: Any) -> ModuleConfig:
        """Let the guest write to a stream, descriptor, bytearray or function of bytes; None to discard.

        Each write is passed on at once; streams are never closed. Raises TypeError for what cannot be written.
        """
        _check_output(target)
        return replace(self, stdout=target)

    def with_stderr(self, target: Any) -> ModuleConfig:
        """Like `with_stdout`."""
        _check_output(target)
        return replace(self, stderr=target)

    def with_walltime(self, clock: Callable[[], int], resolution: int | None = None) -> ModuleConfig:
        """Ask `clock` for the time: nanoseconds since the Unix epoch.

        `resolution`, in nanoseconds, is what the guest is told; 1 µs unless the clock has one.
        """
        return replace(self, walltime=_clock(clock, resolution, FAKE_WALL_RESOLUTION))

    def with_sys_walltime(self) -> ModuleConfig:
        """Let the guest see the machine's wall clock."""
        return replace(self, walltime=system_walltime())

    def with_nanotime(self, clock: Callable[[], int], resolution: int | None = None) -> ModuleConfig:
        """Ask `clock` for the monotonic time: nanoseconds since any fixed moment.

        `resolution`, in nanoseconds, is what the guest is told; 1 ns unless the clock has one.
        """
        return replace(self, nanotime=_clock(clock, resolution, FAKE_MONOTONIC_RESOLUTION))

    def with_sys_nanotime(self) -> ModuleConfig:
        """Let the guest see the machine's monotonic clock."""
        return replace(self, nanotime=system_nanotime())

    def with_nanosleep(self, sleep: Sleep) -> ModuleConfig:
        """Call `sleep` with nanoseconds when the guest sleeps."""
        return replace(self, nanosleep=_function("sleep", sleep))

    def with_sys_nanosleep(self) -> ModuleConfig:
        """Let the guest really sleep."""
        return replace(self, nanosleep=system_sleep)

    def with_osyield(self, osyield: Callable[[], None]) -> ModuleConfig:
        """Call `osyield` when the guest yields its turn."""
        return replace(self, osyield=_function("osyield", osyield))

    def with_rand_source(self, source: Any) -> ModuleConfig:
        """Take random bytes from a function of their count, such as `os.urandom`, or from a binary stream."""
        if not callable(source):
            if not callable(getattr(source, "read", None)):
                raise TypeError(f"a source of random bytes must be a function or stream, not {type(source).__name__}")
            from wazero_core.system.randomness import StreamRandom

            source = StreamRandom(source)
        return replace(self, rand_source=source)

    def with_tcp_listener(self, host: str, port: int) -> ModuleConfig:
        """Let the guest accept connections to this address: a file after its mounts, in the order of these calls.

        "" as host is every address of the machine, 0 as port any that is free. It is listened to from instantiation on,
        which raises OSError if the system refuses. Raises ValueError for a port beyond 65535.
        """
        from wazero_core.system.sockets import TcpAddress

        if not isinstance(port, int) or not 0 <= port <= _MAX_PORT:  # type: ignore[redundant-expr]  # if types are checked
            raise ValueError(f"the port of a listener must be from 0 to {_MAX_PORT}, not {port!r}")
        return replace(self, listeners=(*self.listeners, TcpAddress(host, port)))

    def with_listener(self, socket: Any) -> ModuleConfig:
        """Like `with_tcp_listener`, by a Python socket that listens already. It stays yours to close."""
        if not callable(getattr(socket, "accept", None)) or not callable(getattr(socket, "fileno", None)):
            raise TypeError(f"a listener must be a socket that listens, not {type(socket).__name__}")
        return replace(self, listeners=(*self.listeners, socket))

    def with_max_open_files(self, limit: int) -> ModuleConfig:
        """Refuse the guest more open files than this, standard streams and mounts included."""
        if limit < _MIN_OPEN_FILES:
            raise ValueError(f"an instance needs its {_MIN_OPEN_FILES} standard streams, so {limit} open files are few")
        return replace(self, max_open_files=limit)

    def with_import_resolver(self, resolver: Callable[[str], Any]) -> ModuleConfig:
        """Ask `resolver` for the instance behind each module name imported; where it gives None, names count as ever."""
        return replace(self, import_resolver=_function("an import resolver", resolver))

    def new_system_context(self) -> SystemContext:
        """The system side of a new instance. Raises OSError if a mount cannot be opened."""
        from wazero_core.system.context import SystemContext

        return SystemContext(
            args=self.args,
            environ=dict(self.env),
            stdin=self.stdin,
            stdout=self.stdout,
            stderr=self.stderr,
            mounts=self.fs_config.mounts,
            listeners=self.listeners,
            walltime=self.walltime,
            nanotime=self.nanotime,
            sleep=self.nanosleep,
            osyield=self.osyield,
            random=self.rand_source,
            max_open_files=self.max_open_files,
        )


_SYSTEM_SIDE: Final = attrgetter(
    "args",
    "env",
    "fs_config",
    "stdin",
    "stdout",
    "stderr",
    "walltime",
    "nanotime",
    "nanosleep",
    "osyield",
    "rand_source",
    "listeners",
    "max_open_files",
)
_NOTHING: Final = _SYSTEM_SIDE(ModuleConfig())


def asks_for_nothing(config: ModuleConfig) -> bool:
    """Whether an instance gets nothing from outside, so that its system side can wait until somebody wants it."""
    return all(mine is default for mine, default in zip(_SYSTEM_SIDE(config), _NOTHING, strict=True))


def _check_output(target: Any) -> None:
    from wazero_core.system.stdio import output_file

    output_file(target)


def _encode(what: str, text: str | bytes) -> bytes:
    """As UTF-8; what Python decoded with surrogates, as it does with arguments, becomes the same bytes again."""
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogateescape")
    elif not isinstance(text, bytes):
        raise TypeError(f"{what} must be str or bytes, not {type(text).__name__}")
    if b"\0" in text:
        raise ValueError(f"{what} must not contain a NUL: {text!r}")
    return text


def _function(what: str, value: _T) -> _T:
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {type(value).__name__}")
    return value


def _clock(clock: Callable[[], int], resolution: int | None, default: int) -> Clock:
    _function("a clock", clock)
    if resolution is None:
        resolution = getattr(clock, "resolution", default)
    return FunctionClock(clock, resolution)
