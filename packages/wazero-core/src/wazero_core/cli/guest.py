"""What ``wazero run`` does: compile, give the guest what it imports and the real world, and let it run to its end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Final, final

from wazero_api import (
    DeadlineExceededError,
    ExitError,
    ModuleError,
    Trap,
    WazeroBug,
    WazeroError,
    format_frames,
)
from wazero_api.sys import EXIT_CODE_DEADLINE_EXCEEDED
from wazero_core import FSConfig, ModuleConfig
from wazero_core.system import system_random, system_sleep, system_yield

from .duration import format_duration
from .errors import CommandError
from .garbage import resume_collection
from .host_modules import instantiate_host_modules
from .modules import new_runtime, read_binary
from .request import Request
from .stdio import standard_input, standard_output

_SECOND: Final = 1_000_000_000


@final
class _SleptTooLongError(Exception):
    """The time was up while the guest slept. No OSError, as DeadlineExceededError is one, which guests would be told."""


def run_guest(request: Request) -> int:
    """The exit code of the guest, 0 if it just returns. Raises CommandError for what is the guest's or user's fault."""
    wasm = read_binary(request.path)
    try:
        _run(request, wasm)
    except ExitError as error:
        return error.exit_code
    except (DeadlineExceededError, _SleptTooLongError):
        raise CommandError(
            f"error: module closed with context deadline exceeded (timeout {format_duration(request.timeout)})",
            EXIT_CODE_DEADLINE_EXCEEDED,
        ) from None
    except WazeroBug:
        raise  # a traceback is what its report needs
    except ModuleError as error:
        # With lazy validation also out of a call.
        raise _failure("error compiling wasm binary", error) from error
    except (WazeroError, OSError) as error:
        raise _failure("error instantiating wasm binary", error) from error
    except MemoryError:
        raise CommandError("error instantiating wasm binary: out of memory") from None
    return 0


def _failure(what: str, error: Exception) -> CommandError:
    if isinstance(error, Trap) and error.frames:
        return CommandError(f"{what}: {error.kind.value} {error.detail}".rstrip(), details=format_frames(error.frames))
    return CommandError(f"{what}: {error}")


def _run(request: Request, wasm: bytes) -> None:
    deadline = time.monotonic_ns() + request.timeout if request.timeout else None
    with new_runtime(request.cache_directory, is_interpreted=request.is_interpreted) as runtime:
        compiled = runtime.compile_module(wasm)
        instantiate_host_modules(runtime, (import_.module for import_ in compiled.module.imports))
        config = _module_config(request, deadline)
        resume_collection()
        runtime.instantiate_module(compiled, config, timeout=_seconds_until(deadline))


def _module_config(request: Request, deadline: int | None) -> ModuleConfig:
    fs = FSConfig()
    for mount in request.mounts:
        add = fs.with_read_only_dir_mount if mount.is_read_only else fs.with_dir_mount
        fs = add(mount.host, mount.guest)
    config = (
        ModuleConfig()
        .with_stdin(standard_input())
        .with_stdout(standard_output(sys.stdout))
        .with_stderr(standard_output(sys.stderr))
        .with_fs_config(fs)
        .with_sys_walltime()
        .with_sys_nanotime()
        .with_nanosleep(system_sleep if deadline is None else _sleep_until(deadline))
        .with_osyield(system_yield)
        .with_rand_source(system_random)
    )
    try:
        config = config.with_args(os.path.split(request.path)[1], *request.args)
        for key, value in request.env:
            config = config.with_env(key, value)
    except ValueError as error:
        raise CommandError(f"error: {error}") from None
    return config


def _seconds_until(deadline: int | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic_ns(), 0) / _SECOND


def _sleep_until(deadline: int) -> Callable[[int], None]:
    """A sleep that ends at the deadline: no code of the guest runs meanwhile that could be stopped."""

    def sleep(nanoseconds: int) -> None:
        left = deadline - time.monotonic_ns()
        system_sleep(min(nanoseconds, max(left, 0)))
        if nanoseconds >= left:
            raise _SleptTooLongError

    return sleep
