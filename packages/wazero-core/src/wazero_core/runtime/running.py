"""Running a whole program in one call: `run`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Final, final

from wazero_api import DeadlineExceededError, ExitError, Trap
from wazero_api.record import record
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED
from wazero_core.system import FSConfig, system_random, system_sleep, system_yield
from wazero_core.system.stdio import CaptureFile

from .config import RuntimeConfig
from .hosting import run_program
from .module_config import ModuleConfig
from .runtime import Runtime

OUTPUT_LIMIT: Final = 1 << 26
"""Bytes of output and of errors that `run` keeps, unless told otherwise: 64 MiB each."""

_TRAPPED: Final = 1
"""The exit code of a program that trapped."""


@final
@record
class RunResult:
    """How a program ended, and what it wrote."""

    exit_code: int
    """What the program exited with, 0 if it just returned. Where `error` is set: 1 for a trap, `EXIT_CODE_DEADLINE_EXCEEDED`
    for too long a run."""
    stdout: bytes
    stderr: bytes
    error: Trap | DeadlineExceededError | None = None
    """What ended the program instead of itself."""

    def check(self) -> RunResult:
        """This result, if the program ended well. Raises `error`, or ExitError for an exit code that is not 0."""
        if self.error is not None:
            raise self.error
        if self.exit_code:
            raise ExitError(self.exit_code)
        return self


def run(
    wasm: bytes | bytearray | memoryview | str | os.PathLike[str],
    args: Sequence[str | bytes] = (),
    *,
    env: Mapping[str, str] | None = None,
    stdin: Any = None,
    mounts: Mapping[str, Any] | FSConfig | None = None,
    timeout: float | None = None,
    config: ModuleConfig | None = None,
    runtime_config: RuntimeConfig | None = None,
    output_limit: int = OUTPUT_LIMIT,
) -> RunResult:
    """Run a command, say one made for WASI, in a runtime of its own, to its end.

    `wasm` is a binary or the path of one, `args` what comes after the program's name, `env` its whole environment. `stdin`
    is what `ModuleConfig.with_stdin` takes, or text. `mounts` has a directory or a file system by guest path, as
    ``{"/data": "some/folder", "/": MemFS()}``, or is an `FSConfig`. Without `config` the program gets the clocks, sleep
    and random bytes of the machine and nothing else; with one, what that says, and the other arguments on top of it.

    Output is collected, `output_limit` bytes of each stream; writing more is ENOSPC to the program. What the program
    does to itself is in the result, also a trap and running for longer than `timeout` seconds. Raises ModuleError for a
    bad binary, LinkError for imports that nobody offers, OSError for a path or mount that cannot be opened.
    """
    _check(args, env, mounts)
    binary, name = _read(wasm)
    stdout, stderr = CaptureFile(output_limit), CaptureFile(output_limit)
    config = _configured(config, name, args, env or {}, mounts)
    config = config.with_stdout(stdout).with_stderr(stderr)
    if stdin is not None:
        config = config.with_stdin(stdin.encode() if isinstance(stdin, str) else stdin)
    exit_code = 0
    error: Trap | DeadlineExceededError | None = None
    with Runtime(runtime_config or RuntimeConfig().with_lazy_validation(True)) as runtime:
        compiled = runtime.compile_module(binary)
        try:
            run_program(runtime, compiled, config, timeout=timeout)
        except ExitError as exit_error:
            exit_code = exit_error.exit_code
        except Trap as trap:
            exit_code, error = _TRAPPED, trap
        except DeadlineExceededError as too_late:
            exit_code, error = EXIT_CODE_DEADLINE_EXCEEDED, too_late
    return RunResult(exit_code, bytes(stdout.content), bytes(stderr.content), error)


def _check(args: object, env: object, mounts: object) -> None:
    """Of what could be taken for something else, or gives an error that says nothing. Raises TypeError."""
    if isinstance(args, (str, bytes)):
        raise TypeError(f"args must be a list of arguments, not one {type(args).__name__}: write [{args!r}]")
    if not isinstance(env, (Mapping, NoneType)):
        raise TypeError(f"env must be a mapping of names to values, not {type(env).__name__}")
    if not isinstance(mounts, (Mapping, FSConfig, NoneType)):
        raise TypeError(f"mounts must be a mapping of guest paths or an FSConfig, not {type(mounts).__name__}")


def _read(wasm: bytes | bytearray | memoryview | str | os.PathLike[str]) -> tuple[bytes, str]:
    """The binary, and what to call the program."""
    if isinstance(wasm, (bytes, bytearray, memoryview)):
        return bytes(wasm), "main.wasm"
    path = os.fspath(wasm)
    with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib takes longer than the rest of a small program
        return file.read(), os.path.split(path)[1]


def _configured(
    config: ModuleConfig | None,
    name: str,
    args: Sequence[str | bytes],
    env: Mapping[str, str],
    mounts: Mapping[str, Any] | FSConfig | None,
) -> ModuleConfig:
    if config is None:
        config = (
            ModuleConfig()
            .with_sys_walltime()
            .with_sys_nanotime()
            .with_nanosleep(system_sleep)
            .with_osyield(system_yield)
            .with_rand_source(system_random)
        )
    if args or not config.args:
        config = config.with_args(*(config.args[:1] or (name,)), *args)
    for key, value in env.items():
        config = config.with_env(key, value)
    if mounts is None:
        return config
    if isinstance(mounts, FSConfig):
        return config.with_fs_config(mounts)
    fs = config.fs_config
    for guest_path, source in mounts.items():
        is_path = isinstance(source, (str, os.PathLike))
        fs = fs.with_dir_mount(source, guest_path) if is_path else fs.with_fs_mount(source, guest_path)
    return config.with_fs_config(fs)
