"""WASI as a host module: the signature table, joined with the functions that implement it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from wazero_api import Module
from wazero_api.host import CallDescriber, Convention, HostFunction, HostModule, LogScope

from . import clocks, descriptors, directories, paths, polling, process, signatures, sockets, stats, streams
from .dialect import DIALECTS, PREVIEW1, Dialect
from .errnos import ENOMEM, ENOTCAPABLE, ESUCCESS, errno_of
from .guest import Caller
from .rights import NotCapableError

MODULE_NAME: Final = PREVIEW1.module_name
"""The name that guests import preview 1 from."""

_Function = Callable[..., Any]

# They return the errno, or nothing at all, themselves.
_COMPLETE: Final[dict[str, _Function]] = {"fd_write": streams.fd_write, "proc_exit": process.proc_exit}

# They raise OSError for a failure and return nothing.
_RAISING: Final[dict[str, _Function]] = {
    function.__name__: function
    for function in (
        clocks.clock_res_get,
        clocks.clock_time_get,
        descriptors.fd_advise,
        descriptors.fd_allocate,
        descriptors.fd_close,
        descriptors.fd_datasync,
        descriptors.fd_fdstat_get,
        descriptors.fd_fdstat_set_flags,
        descriptors.fd_fdstat_set_rights,
        descriptors.fd_prestat_dir_name,
        descriptors.fd_prestat_get,
        descriptors.fd_renumber,
        descriptors.fd_sync,
        directories.fd_readdir,
        paths.path_create_directory,
        paths.path_link,
        paths.path_open,
        paths.path_readlink,
        paths.path_remove_directory,
        paths.path_rename,
        paths.path_symlink,
        paths.path_unlink_file,
        process.args_get,
        process.args_sizes_get,
        process.environ_get,
        process.environ_sizes_get,
        process.proc_raise,
        process.random_get,
        process.sched_yield,
        sockets.sock_accept,
        sockets.sock_recv,
        sockets.sock_send,
        sockets.sock_shutdown,
        stats.fd_filestat_set_size,
        stats.fd_filestat_set_times,
        stats.path_filestat_set_times,
        streams.fd_pread,
        streams.fd_pwrite,
        streams.fd_read,
        streams.fd_tell,
    )
}

# Likewise, made for a dialect.
_MADE: Final[dict[str, Callable[[Dialect], _Function]]] = {
    "fd_filestat_get": stats.make_fd_filestat_get,
    "fd_seek": streams.make_fd_seek,
    "path_filestat_get": stats.make_path_filestat_get,
    "poll_oneoff": polling.make_poll_oneoff,
}


def _returning_errno(function: _Function) -> _Function:
    """The function with its failures as numbers. What is not the guest's or the system's fault passes through."""

    @functools.wraps(function)
    def call(module: Caller, *args: int) -> int:
        try:
            function(module, *args)
        except OSError as error:
            return errno_of(error)
        except NotCapableError:
            return ENOTCAPABLE
        except MemoryError:
            return ENOMEM
        return ESUCCESS

    return call


def _implementation(name: str, dialect: Dialect) -> _Function:
    if name in _COMPLETE:
        return _COMPLETE[name]
    if name in _RAISING:
        return _returning_errno(_RAISING[name])
    return _returning_errno(_MADE[name](dialect))


def _describing(row: signatures.Signature, dialect: Dialect) -> Callable[[LogScope], CallDescriber]:
    """Make what shows the calls of a function in logs. Its code is loaded when there is one."""

    def describe(scopes: LogScope) -> CallDescriber:
        from .logging import WasiDescriber

        return WasiDescriber(row, dialect)

    return describe


def host_module(name: str = MODULE_NAME, guest: Module | None = None) -> HostModule:
    """WASI under one of the names it goes by: `wasi_snapshot_preview1`, or `wasi_unstable` for old binaries.

    `guest`, which hosts of a `wazero.hostmodules` entry point get, makes no difference. Raises ValueError for another name.
    """
    return _host_module(name)


@functools.cache
def _host_module(name: str) -> HostModule:
    dialect = DIALECTS.get(name)
    if dialect is None:
        raise ValueError(f"WASI is imported as {' or '.join(DIALECTS)}, not as {name!r}")
    return HostModule(
        name,
        tuple(
            HostFunction(
                row.name,
                row.type,
                _implementation(row.name, dialect),
                Convention.RAW,
                wants_module=True,
                param_names=row.param_names,
                result_names=row.result_names,
                scope=row.scope,
                describe=_describing(row, dialect),
            )
            for row in signatures.TABLE
        ),
    )


def instantiate(runtime: Any, name: str = MODULE_NAME) -> Any:
    """Make WASI importable for the modules of a `wazero_core.Runtime`; the host module's instance.

    Raises LinkError if the runtime has a module of that name, and what `host_module` raises.
    """
    return runtime.instantiate_host_module(host_module(name))


def export_functions(builder: Any, name: str = MODULE_NAME) -> Any:
    """Add all functions of WASI to a `wazero_core.HostModuleBuilder`, and return it.

    What is exported there afterwards replaces the function of that name: so one can be overridden, say `random_get`, and
    the others kept. wazero: `NewFunctionExporter().ExportFunctions`.
    """
    for function in host_module(name).functions:
        builder.add(function)
    return builder
