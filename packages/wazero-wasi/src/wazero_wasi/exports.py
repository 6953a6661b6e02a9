"""WASI as a host module: the signature table, joined with the functions that implement it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from wazero_api.host import Convention, HostFunction, HostModule

from . import clocks, descriptors, directories, paths, polling, process, signatures, stats, streams
from .dialect import DIALECTS, PREVIEW1, Dialect
from .errnos import ENOMEM, ENOSYS, ESUCCESS, errno_of
from .guest import Caller

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
        process.random_get,
        process.sched_yield,
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
        except MemoryError:
            return ENOMEM
        return ESUCCESS

    return call


def _not_here(module: Caller, *args: int) -> int:
    """Stand in for a function that this version does not have."""
    return ENOSYS


def _implementation(name: str, dialect: Dialect) -> _Function:
    if name in _COMPLETE:
        return _COMPLETE[name]
    if name in _RAISING:
        return _returning_errno(_RAISING[name])
    if name in _MADE:
        return _returning_errno(_MADE[name](dialect))
    return _not_here


@functools.cache
def host_module(name: str = MODULE_NAME) -> HostModule:
    """WASI under one of the names it goes by: `wasi_snapshot_preview1`, or `wasi_unstable` for old binaries.

    Raises ValueError for another name.
    """
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
            )
            for row in signatures.TABLE
        ),
    )


def instantiate(runtime: Any) -> Any:
    """Make WASI preview 1 importable for the modules of a `wazero_core.Runtime`; the host module's instance."""
    return runtime.instantiate_host_module(host_module())
