"""What ``wazero run`` does: compile, give the guest what it imports and the real world, and let it run to its end."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

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
from wazero_core.runtime.hosting import instantiate_host_modules, run_program
from wazero_core.system import system_random, system_yield

from .duration import format_duration
from .errors import CommandError
from .garbage import resume_collection
from .modules import new_runtime, read_binary
from .request import Request
from .stdio import standard_input, standard_output

if TYPE_CHECKING:
    from wazero_core import CompiledModule, Runtime

    from .invocation import Invocation
    from .observer import Observer

_SECOND: Final = 1_000_000_000


def run_guest(request: Request) -> int:
    """The exit code of the guest, 0 if it just returns. Raises CommandError for what is the guest's or user's fault."""
    wasm = read_binary(request.path)
    try:
        results = _run(request, wasm)
    except ExitError as error:
        return error.exit_code
    except DeadlineExceededError:
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
    for line in results:  # here, where a closed pipe or full disk is no fault of the guest's
        print(line)
    return 0


def _failure(what: str, error: Exception) -> CommandError:
    if isinstance(error, Trap) and error.frames:
        return CommandError(f"{what}: {error.kind.value} {error.detail}".rstrip(), details=format_frames(error.frames))
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        return CommandError(f"{what}: {error.strerror}")  # without "[Errno 98]"
    return CommandError(f"{what}: {error}")


def _run(request: Request, wasm: bytes) -> list[str]:
    """The results of the function that is to be invoked, as text; none if the program is run as such."""
    deadline = time.monotonic_ns() + request.timeout if request.timeout else None
    with new_runtime(request.cache_directory, is_interpreted=request.is_interpreted) as runtime:
        observer = _observer(request, runtime)
        compiled = runtime.compile_module(wasm)
        invocation = _invocation(request, compiled)
        config = _module_config(request)
        change = observer and observer.change
        resume_collection()
        if invocation is not None:
            instantiate_host_modules(runtime, compiled, change)
        with nullcontext() if observer is None else observer.profiled():
            with nullcontext() if observer is None else observer.called(compiled, config.start_functions[0]):
                if invocation is None:
                    run_program(
                        runtime,
                        compiled,
                        config,
                        timeout=_seconds_until(deadline),
                        change=change,
                        workdir=request.workdir,
                    )
                else:
                    module = runtime.instantiate_module(compiled, config, timeout=_seconds_until(deadline))
            if invocation is not None:
                with nullcontext() if observer is None else observer.called(compiled, invocation.name):
                    return invocation.call(module, _seconds_until(deadline))
    return []


def _observer(request: Request, runtime: Runtime) -> Observer | None:
    """None if nobody wants to know how the guest runs."""
    if not (request.log_scopes or request.cpu_profile or request.memory_profile):
        return None
    from .observer import Observer

    return Observer(request, runtime)


def _invocation(request: Request, compiled: CompiledModule) -> Invocation | None:
    """None if the program is run as such."""
    if request.function is None:
        return None
    from .invocation import Invocation

    return Invocation(compiled, request.function, request.args)


def _module_config(request: Request) -> ModuleConfig:
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
        .with_sys_nanosleep()
        .with_osyield(system_yield)
        .with_rand_source(system_random)
    )
    args = request.args
    if request.function is not None:
        config, args = config.with_start_functions("_initialize"), []  # the arguments are the function's
    try:
        config = config.with_args(os.path.split(request.path)[1], *args)
        for key, value in request.env:
            config = config.with_env(key, value)
    except ValueError as error:
        raise CommandError(f"error: {error}") from None
    for host, port in request.listeners:
        config = config.with_tcp_listener(host, port)
    return config


def _seconds_until(deadline: int | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic_ns(), 0) / _SECOND
