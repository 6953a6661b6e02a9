"""The 46 functions of preview 1: names, parameters, results. What a guest may import and what logs print comes from here.

Spec: WASI preview 1, "Functions"; a pointer and its length are two parameters, an out parameter is called ``result.…``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wazero_api.types import FunctionType, ValueType


class Signature(NamedTuple):
    """A row: a function's name, its type and the names of its parameters and results."""

    name: str
    type: FunctionType
    param_names: tuple[str, ...]
    result_names: tuple[str, ...]


_ERRNO: Final = "errno"


def _row(name: str, params: str = "", result: str | None = _ERRNO) -> Signature:
    """`params` are names separated by spaces; those with ``:64`` are i64, the others i32."""
    names: list[str] = []
    types: list[ValueType] = []
    for param in params.split():
        base, _, width = param.partition(":")
        names.append(base)
        types.append(ValueType.I64 if width else ValueType.I32)
    results = (ValueType.I32,) if result else ()
    return Signature(name, FunctionType(tuple(types), results), tuple(names), (result,) if result else ())


# fmt: off
TABLE: Final = (
    _row("args_get", "argv argv_buf"),
    _row("args_sizes_get", "result.argc result.argv_len"),
    _row("environ_get", "environ environ_buf"),
    _row("environ_sizes_get", "result.environc result.environv_len"),
    _row("clock_res_get", "id result.resolution"),
    _row("clock_time_get", "id precision:64 result.timestamp"),
    _row("fd_advise", "fd offset:64 len:64 advice"),
    _row("fd_allocate", "fd offset:64 len:64"),
    _row("fd_close", "fd"),
    _row("fd_datasync", "fd"),
    _row("fd_fdstat_get", "fd result.stat"),
    _row("fd_fdstat_set_flags", "fd flags"),
    _row("fd_fdstat_set_rights", "fd fs_rights_base:64 fs_rights_inheriting:64"),
    _row("fd_filestat_get", "fd result.filestat"),
    _row("fd_filestat_set_size", "fd size:64"),
    _row("fd_filestat_set_times", "fd atim:64 mtim:64 fst_flags"),
    _row("fd_pread", "fd iovs iovs_len offset:64 result.nread"),
    _row("fd_prestat_get", "fd result.prestat"),
    _row("fd_prestat_dir_name", "fd result.path result.path_len"),
    _row("fd_pwrite", "fd iovs iovs_len offset:64 result.nwritten"),
    _row("fd_read", "fd iovs iovs_len result.nread"),
    _row("fd_readdir", "fd buf buf_len cookie:64 result.bufused"),
    _row("fd_renumber", "fd to"),
    _row("fd_seek", "fd offset:64 whence result.newoffset"),
    _row("fd_sync", "fd"),
    _row("fd_tell", "fd result.offset"),
    _row("fd_write", "fd iovs iovs_len result.nwritten"),
    _row("path_create_directory", "fd path path_len"),
    _row("path_filestat_get", "fd flags path path_len result.filestat"),
    _row("path_filestat_set_times", "fd flags path path_len atim:64 mtim:64 fst_flags"),
    _row("path_link", "old_fd old_flags old_path old_path_len new_fd new_path new_path_len"),
    _row("path_open", "fd dirflags path path_len oflags fs_rights_base:64 fs_rights_inheriting:64 fdflags result.opened_fd"),
    _row("path_readlink", "fd path path_len buf buf_len result.bufused"),
    _row("path_remove_directory", "fd path path_len"),
    _row("path_rename", "fd old_path old_path_len new_fd new_path new_path_len"),
    _row("path_symlink", "old_path old_path_len fd new_path new_path_len"),
    _row("path_unlink_file", "fd path path_len"),
    _row("poll_oneoff", "in out nsubscriptions result.nevents"),
    _row("proc_exit", "rval", result=None),
    _row("proc_raise", "sig"),
    _row("sched_yield"),
    _row("random_get", "buf buf_len"),
    _row("sock_accept", "fd flags result.fd"),
    _row("sock_recv", "fd ri_data ri_data_len ri_flags result.ro_datalen result.ro_flags"),
    _row("sock_send", "fd si_data si_data_len si_flags result.so_datalen"),
    _row("sock_shutdown", "fd how"),
)
# fmt: on
