"""The 46 functions of preview 1: names, parameters, results. What a guest may import and what logs print comes from here.

Spec: WASI preview 1, "Functions" and "Types"; a string's pointer and length are two parameters, and an out parameter,
which points to where the result goes, is called ``result.…``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wazero_api.host import LogScope
from wazero_api.types import FunctionType, ValueType


class Signature(NamedTuple):
    """A row: a function's name, its type, the names of its parameters and results, and what logs want to know."""

    name: str
    type: FunctionType
    param_names: tuple[str, ...]
    param_types: tuple[str, ...]
    """WASI's names of their types, of an out parameter that of what it points to; "" where it is of no interest."""
    result_names: tuple[str, ...]
    scope: LogScope


_ERRNO: Final = "errno"

OUT: Final = "result."
"""How the name of an out parameter begins."""

_64_BITS: Final = frozenset({"dircookie", "filedelta", "filesize", "rights", "timestamp"})
"""Types of parameters that are i64; the others, and all pointers, are i32."""

_SCOPES: Final = {
    "clock": LogScope.CLOCK,
    "fd": LogScope.FILESYSTEM,
    "path": LogScope.FILESYSTEM,
    "poll": LogScope.POLL,
    "proc": LogScope.PROC,
    "random": LogScope.RANDOM,
    "sock": LogScope.SOCK,
}
"""By the first word of a function's name."""


def _row(name: str, params: str = "", result: str | None = _ERRNO) -> Signature:
    """`params` are names separated by spaces, most with their type after a colon."""
    names: list[str] = []
    types: list[str] = []
    values: list[ValueType] = []
    for param in params.split():
        base, _, type = param.partition(":")
        names.append(base)
        types.append(type)
        values.append(ValueType.I64 if type in _64_BITS and not base.startswith(OUT) else ValueType.I32)
    return Signature(
        name,
        FunctionType(tuple(values), (ValueType.I32,) if result else ()),
        tuple(names),
        tuple(types),
        (result,) if result else (),
        _SCOPES.get(name.partition("_")[0], LogScope.NONE),
    )


# fmt: off
TABLE: Final = (
    _row("args_get", "argv argv_buf"),
    _row("args_sizes_get", "result.argc:size result.argv_len:size"),
    _row("environ_get", "environ environ_buf"),
    _row("environ_sizes_get", "result.environc:size result.environv_len:size"),
    _row("clock_res_get", "id:clockid result.resolution:timestamp"),
    _row("clock_time_get", "id:clockid precision:timestamp result.timestamp:timestamp"),
    _row("fd_advise", "fd offset:filesize len:filesize advice"),
    _row("fd_allocate", "fd offset:filesize len:filesize"),
    _row("fd_close", "fd"),
    _row("fd_datasync", "fd"),
    _row("fd_fdstat_get", "fd result.stat:fdstat"),
    _row("fd_fdstat_set_flags", "fd flags:fdflags"),
    _row("fd_fdstat_set_rights", "fd fs_rights_base:rights fs_rights_inheriting:rights"),
    _row("fd_filestat_get", "fd result.filestat:filestat"),
    _row("fd_filestat_set_size", "fd size:filesize"),
    _row("fd_filestat_set_times", "fd atim:timestamp mtim:timestamp fst_flags:fstflags"),
    _row("fd_pread", "fd iovs iovs_len offset:filesize result.nread:size"),
    _row("fd_prestat_get", "fd result.prestat:prestat"),
    _row("fd_prestat_dir_name", "fd result.path:string result.path_len"),
    _row("fd_pwrite", "fd iovs iovs_len offset:filesize result.nwritten:size"),
    _row("fd_read", "fd iovs iovs_len result.nread:size"),
    _row("fd_readdir", "fd buf buf_len cookie:dircookie result.bufused:size"),
    _row("fd_renumber", "fd to"),
    _row("fd_seek", "fd offset:filedelta whence result.newoffset:filesize"),
    _row("fd_sync", "fd"),
    _row("fd_tell", "fd result.offset:filesize"),
    _row("fd_write", "fd iovs iovs_len result.nwritten:size"),
    _row("path_create_directory", "fd path:string path_len"),
    _row("path_filestat_get", "fd flags:lookupflags path:string path_len result.filestat:filestat"),
    _row("path_filestat_set_times", "fd flags:lookupflags path:string path_len atim:timestamp mtim:timestamp fst_flags:fstflags"),
    _row("path_link", "old_fd old_flags:lookupflags old_path:string old_path_len new_fd new_path:string new_path_len"),
    _row("path_open", "fd dirflags:lookupflags path:string path_len oflags:oflags fs_rights_base:rights fs_rights_inheriting:rights fdflags:fdflags result.opened_fd:fd"),
    _row("path_readlink", "fd path:string path_len buf buf_len result.bufused:size"),
    _row("path_remove_directory", "fd path:string path_len"),
    _row("path_rename", "fd old_path:string old_path_len new_fd new_path:string new_path_len"),
    _row("path_symlink", "old_path:string old_path_len fd new_path:string new_path_len"),
    _row("path_unlink_file", "fd path:string path_len"),
    _row("poll_oneoff", "in out nsubscriptions result.nevents:size"),
    _row("proc_exit", "rval", result=None),
    _row("proc_raise", "sig"),
    _row("sched_yield"),
    _row("random_get", "buf buf_len"),
    _row("sock_accept", "fd flags:fdflags result.fd:fd"),
    _row("sock_recv", "fd ri_data ri_data_len ri_flags:riflags result.ro_datalen:size result.ro_flags:roflags"),
    _row("sock_send", "fd si_data si_data_len si_flags:siflags result.so_datalen:size"),
    _row("sock_shutdown", "fd how:sdflags"),
)
# fmt: on
