"""How calls of WASI's functions read in logs: a row for each, hostile pointers, and the log of a whole program."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path
from struct import pack
from typing import Any, NamedTuple

import pytest
import wasmtime

from wazero_api import ExitError, HostFunction, HostModule, LogScope
from wazero_api.record import replace
from wazero_core import FSConfig, ModuleConfig, Runtime, RuntimeConfig
from wazero_core.runtime.host_logging import MAX_SHOWN, logged
from wazero_wasi import host_module, signatures
from wazero_wasi.errnos import NAMES, NUMBERS
from wazero_wasi.logging import flags_text

MEMORY_SIZE = 1 << 16
OLD, NEW = (16, 7), (32, 3)
"""Where texts are: "dir/old" and "new"."""
OUT, OUT2 = 64, 256
U32_MAX, U64_MAX = (1 << 32) - 1, (1 << 64) - 1


class Caller:
    """A module with memory, which is all that logs look at."""

    name = "guest"

    def __init__(self) -> None:
        self.memory: Any = self
        self.buffer = memoryview(bytearray(MEMORY_SIZE))
        self.put(OLD[0], b"dir/old")
        self.put(NEW[0], b"new")

    def put(self, pointer: int, data: bytes) -> None:
        self.buffer[pointer : pointer + len(data)] = data


def log_of(
    name: str,
    args: tuple[int, ...],
    *,
    memory: dict[int, bytes] | None = None,
    errno: int = 0,
    caller: Caller | None = None,
    dialect: str = "wasi_snapshot_preview1",
) -> str:
    """The log of a call that puts these bytes into memory and returns this errno."""
    lines: list[str] = []

    def stand_in(module: Any, *given: int) -> int | None:
        assert given == args
        for pointer, data in (memory or {}).items():
            module.put(pointer, data)
        return None if name == "proc_exit" else errno

    (host,) = logged(HostModule(dialect, (_function(name, stand_in, dialect),)), LogScope.ALL, lines.append).functions
    assert host.callable(caller or Caller(), *args) == (None if name == "proc_exit" else errno)
    return "".join(lines)


def _function(name: str, call: Any, dialect: str = "wasi_snapshot_preview1") -> HostFunction:
    (found,) = (function for function in host_module(dialect).functions if function.name == name)
    return replace(found, callable=call)


class Row(NamedTuple):
    name: str
    args: tuple[int, ...]
    params: str
    results: str = "errno=ESUCCESS"
    memory: dict[int, bytes] = {}  # noqa: RUF012 - of a tuple that nobody changes


def u32(value: int) -> bytes:
    return pack("<I", value)


def u64(value: int) -> bytes:
    return pack("<Q", value)


FILESTAT = pack("<QQB7xQQQQQ", 1, 2, 4, 1, 5, 10, 1600000000123456789, 30)
FDSTAT = pack("<BxH4xQQ", 3, 5, 1 << 14 | 1 << 29, 1 << 1 | 1 << 28)

# fmt: off
ROWS = [
    Row("args_get", (22, 16), "argv=22,argv_buf=16"),
    Row("args_sizes_get", (OUT, OUT2), "", "(argc=2,argv_len=5,errno=ESUCCESS)", {OUT: u32(2), OUT2: u32(5)}),
    Row("environ_get", (22, 16), "environ=22,environ_buf=16"),
    Row("environ_sizes_get", (OUT, OUT2), "", "(environc=1,environv_len=9,errno=ESUCCESS)", {OUT: u32(1), OUT2: u32(9)}),
    Row("clock_res_get", (0, OUT), "id=realtime", "(resolution=5000000000,errno=ESUCCESS)", {OUT: u64(5000000000)}),
    Row("clock_time_get", (1, 7, OUT), "id=monotonic,precision=7", "(timestamp=-1,errno=ESUCCESS)", {OUT: u64(U64_MAX)}),
    Row("fd_advise", (4, 1, 2, 3), "fd=4,offset=1,len=2,advice=3"),
    Row("fd_allocate", (4, 1, 2), "fd=4,offset=1,len=2"),
    Row("fd_close", (4,), "fd=4"),
    Row("fd_datasync", (U32_MAX,), "fd=-1"),
    Row("fd_fdstat_get", (4, OUT), "fd=4", "(stat={filetype=DIRECTORY,fdflags=APPEND|NONBLOCK,fs_rights_base=FD_READDIR|SOCK_ACCEPT,fs_rights_inheriting=FD_READ|SOCK_SHUTDOWN},errno=ESUCCESS)", {OUT: FDSTAT}),
    Row("fd_fdstat_set_flags", (4, 1), "fd=4,flags=APPEND"),
    Row("fd_fdstat_set_rights", (4, 2, 1), "fd=4,fs_rights_base=FD_READ,fs_rights_inheriting=FD_DATASYNC"),
    Row("fd_filestat_get", (4, OUT), "fd=4", "(filestat={filetype=REGULAR_FILE,size=5,mtim=1600000000123456789},errno=ESUCCESS)", {OUT: FILESTAT}),
    Row("fd_filestat_set_size", (4, 1 << 40), "fd=4,size=1099511627776"),
    Row("fd_filestat_set_times", (4, 1, 2, 9), "fd=4,atim=1,mtim=2,fst_flags=ATIM|MTIM_NOW"),
    Row("fd_pread", (4, 1024, 2, 8, OUT), "fd=4,iovs=1024,iovs_len=2,offset=8", "(nread=6,errno=ESUCCESS)", {OUT: u32(6)}),
    Row("fd_prestat_get", (3, OUT), "fd=3", "(prestat={pr_name_len=8},errno=ESUCCESS)", {OUT: pack("<B3xI", 0, 8)}),
    Row("fd_prestat_dir_name", (3, OUT, 8), "fd=3", "(path=/animals,errno=ESUCCESS)", {OUT: b"/animals"}),
    Row("fd_pwrite", (4, 1024, 2, 8, OUT), "fd=4,iovs=1024,iovs_len=2,offset=8", "(nwritten=6,errno=ESUCCESS)", {OUT: u32(6)}),
    Row("fd_read", (4, 1024, 1, OUT), "fd=4,iovs=1024,iovs_len=1", "(nread=5,errno=ESUCCESS)", {OUT: u32(5)}),
    Row("fd_readdir", (4, 8, 256, 2, OUT), "fd=4,buf=8,buf_len=256,cookie=2", "(bufused=51,errno=ESUCCESS)", {OUT: u32(51)}),
    Row("fd_renumber", (4, 5), "fd=4,to=5"),
    Row("fd_seek", (4, U64_MAX - 1, 2, OUT), "fd=4,offset=-2,whence=2", "(newoffset=4294967296,errno=ESUCCESS)", {OUT: u64(1 << 32)}),
    Row("fd_sync", (4,), "fd=4"),
    Row("fd_tell", (4, OUT), "fd=4", "(offset=6,errno=ESUCCESS)", {OUT: u64(6)}),
    Row("fd_write", (4, 1024, 1, OUT), "fd=4,iovs=1024,iovs_len=1", "(nwritten=5,errno=ESUCCESS)", {OUT: u32(5)}),
    Row("path_create_directory", (3, *OLD), "fd=3,path=dir/old"),
    Row("path_filestat_get", (3, 1, *OLD, OUT), "fd=3,flags=SYMLINK_FOLLOW,path=dir/old", "(filestat={filetype=REGULAR_FILE,size=5,mtim=1600000000123456789},errno=ESUCCESS)", {OUT: FILESTAT}),
    Row("path_filestat_set_times", (3, 0, *OLD, 1, 2, 6), "fd=3,flags=,path=dir/old,atim=1,mtim=2,fst_flags=ATIM_NOW|MTIM"),
    Row("path_link", (3, 1, *OLD, 4, *NEW), "old_fd=3,old_flags=SYMLINK_FOLLOW,old_path=dir/old,new_fd=4,new_path=new"),
    Row("path_open", (3, 1, *OLD, 9, 2, 1 << 6, 4, OUT), "fd=3,dirflags=SYMLINK_FOLLOW,path=dir/old,oflags=CREAT|TRUNC,fs_rights_base=FD_READ,fs_rights_inheriting=FD_WRITE,fdflags=NONBLOCK", "(opened_fd=4,errno=ESUCCESS)", {OUT: u32(4)}),
    Row("path_readlink", (3, *OLD, 1024, 64, OUT), "fd=3,path=dir/old,buf=1024,buf_len=64", "(bufused=4,errno=ESUCCESS)", {OUT: u32(4)}),
    Row("path_remove_directory", (3, *OLD), "fd=3,path=dir/old"),
    Row("path_rename", (3, *OLD, 4, *NEW), "fd=3,old_path=dir/old,new_fd=4,new_path=new"),
    Row("path_symlink", (*OLD, 3, *NEW), "old_path=dir/old,fd=3,new_path=new"),
    Row("path_unlink_file", (3, 0, 0), "fd=3,path="),
    Row("poll_oneoff", (0, 128, 1, OUT), "in=0,out=128,nsubscriptions=1", "(nevents=1,errno=ESUCCESS)", {OUT: u32(1)}),
    Row("proc_exit", (U32_MAX,), "rval=-1", ""),
    Row("proc_raise", (6,), "sig=6"),
    Row("sched_yield", (), ""),
    Row("random_get", (4, 1000), "buf=4,buf_len=1000"),
    Row("sock_accept", (3, 4, OUT), "fd=3,flags=NONBLOCK", "(fd=4,errno=ESUCCESS)", {OUT: u32(4)}),
    Row("sock_recv", (4, 1, 3, 3, OUT, OUT2), "fd=4,ri_data=1,ri_data_len=3,ri_flags=RECV_PEEK|RECV_WAITALL", "(ro_datalen=6,ro_flags=RECV_DATA_TRUNCATED,errno=ESUCCESS)", {OUT: u32(6), OUT2: b"\1\0"}),
    Row("sock_send", (4, 1, 3, 0, OUT), "fd=4,si_data=1,si_data_len=3,si_flags=", "(so_datalen=6,errno=ESUCCESS)", {OUT: u32(6)}),
    Row("sock_shutdown", (4, 3), "fd=4,how=RD|WR"),
]
# fmt: on

EBADF, ENOSYS = NUMBERS["EBADF"], NUMBERS["ENOSYS"]
OF_FAILURES = {
    "args_sizes_get": "(argc=,argv_len=,errno=EBADF)",
    "environ_sizes_get": "(environc=,environv_len=,errno=EBADF)",
    "clock_res_get": "(resolution=,errno=EBADF)",
    "clock_time_get": "(timestamp=,errno=EBADF)",
    "fd_fdstat_get": "(stat=,errno=EBADF)",
    "fd_filestat_get": "(filestat=,errno=EBADF)",
    "fd_pread": "(nread=,errno=EBADF)",
    "fd_prestat_get": "(prestat=,errno=EBADF)",
    "fd_prestat_dir_name": "(path=,errno=EBADF)",
    "fd_pwrite": "(nwritten=,errno=EBADF)",
    "fd_read": "(nread=,errno=EBADF)",
    "fd_readdir": "(bufused=,errno=EBADF)",
    "fd_seek": "(newoffset=,errno=EBADF)",
    "fd_tell": "(offset=,errno=EBADF)",
    "fd_write": "(nwritten=,errno=EBADF)",
    "path_filestat_get": "(filestat=,errno=EBADF)",
    "path_open": "(opened_fd=,errno=EBADF)",
    "path_readlink": "(bufused=,errno=EBADF)",
    "poll_oneoff": "(nevents=,errno=EBADF)",
    "proc_exit": "",
    "sock_accept": "(fd=,errno=EBADF)",
    "sock_recv": "(ro_datalen=,ro_flags=,errno=EBADF)",
    "sock_send": "(so_datalen=,errno=EBADF)",
}
"""What is logged of those that give more than an errno."""


def lines_of(name: str, params: str, results: str, dialect: str = "wasi_snapshot_preview1") -> str:
    return f"==> {dialect}.{name}({params})\n<=={' ' if results else ''}{results}\n"


def test_every_function_has_a_row() -> None:
    assert [row.name for row in ROWS] == [row.name for row in signatures.TABLE]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_success(row: Row) -> None:
    assert log_of(row.name, row.args, memory=row.memory) == lines_of(row.name, row.params, row.results)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_failure(row: Row) -> None:
    expected = lines_of(row.name, row.params, OF_FAILURES.get(row.name, "errno=EBADF"))
    assert log_of(row.name, row.args, memory=row.memory, errno=EBADF) == expected


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (LogScope.CLOCK, {"clock_res_get", "clock_time_get"}),
        (LogScope.FILESYSTEM, {row.name for row in signatures.TABLE if row.name.startswith(("fd_", "path_"))}),
        (LogScope.MEMORY, set()),
        (LogScope.POLL, {"poll_oneoff"}),
        (LogScope.PROC, {"proc_exit", "proc_raise"}),
        (LogScope.RANDOM, {"random_get"}),
        (LogScope.SOCK, {"sock_accept", "sock_recv", "sock_send", "sock_shutdown"}),
        (LogScope.ALL, {row.name for row in signatures.TABLE}),
    ],
)
@pytest.mark.parametrize("dialect", ["wasi_snapshot_preview1", "wasi_unstable"])
def test_scopes(scope: LogScope, names: set[str], dialect: str) -> None:
    host = host_module(dialect)
    wrapped = logged(host, scope, print).functions
    assert {new.name for new, old in zip(wrapped, host.functions, strict=True) if new is not old} == names


@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
@pytest.mark.parametrize(("fd", "is_logged"), [(0, False), (1, False), (2, False), (3, True), (U32_MAX, True)])
def test_the_standard_streams_are_left_out(name: str, fd: int, is_logged: bool) -> None:
    assert bool(log_of(name, (fd, 0, 0, OUT))) is is_logged


def test_other_calls_for_the_standard_streams_are_not() -> None:
    assert log_of("fd_close", (1,)) == lines_of("fd_close", "fd=1", "errno=ESUCCESS")


@pytest.mark.parametrize(
    ("type", "value", "text"),
    [
        ("fdflags", 0, ""),
        ("fdflags", 0b11111, "APPEND|DSYNC|NONBLOCK|RSYNC|SYNC"),
        ("fdflags", 0b100001, "APPEND|0x20"),
        ("fstflags", 0b1111, "ATIM|ATIM_NOW|MTIM|MTIM_NOW"),
        ("lookupflags", U32_MAX, "SYMLINK_FOLLOW|0xfffffffe"),
        ("oflags", 0b1111, "CREAT|DIRECTORY|EXCL|TRUNC"),
        ("riflags", 4, "0x4"),
        ("rights", 1 << 3, "FD_FDSTAT_SET_FLAGS"),
        ("rights", U64_MAX & -(1 << 28), "SOCK_SHUTDOWN|SOCK_ACCEPT|0xffffffffc0000000"),
        ("siflags", 1, "0x1"),
    ],
)
def test_flags(type: str, value: int, text: str) -> None:
    assert flags_text(type, value) == text


@pytest.mark.parametrize(
    ("clock_id", "text"),
    [(0, "realtime"), (1, "monotonic"), (2, "process_cputime"), (3, "thread_cputime"), (4, "4"), (U32_MAX, "-1")],
)
def test_clocks(clock_id: int, text: str) -> None:
    assert log_of("clock_res_get", (clock_id, OUT), errno=EBADF).startswith(
        f"==> wasi_snapshot_preview1.clock_res_get(id={text})\n"
    )


@pytest.mark.parametrize(
    ("errno", "text"), [*enumerate(NAMES), (77, "errno(77)"), (0xFFFF, "errno(65535)"), (-1, "errno(4294967295)")]
)
def test_errnos(errno: int, text: str) -> None:
    assert log_of("fd_close", (4,), errno=errno) == lines_of("fd_close", "fd=4", f"errno={text}")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "UNKNOWN"), (6, "SOCKET_STREAM"), (7, "SYMBOLIC_LINK"), (8, "filetype(8)"), (255, "filetype(255)")],
)
def test_file_types(number: int, text: str) -> None:
    log = log_of("fd_fdstat_get", (4, OUT), memory={OUT: bytes([number])})
    stat = f"{{filetype={text},fdflags=,fs_rights_base=,fs_rights_inheriting=}}"
    assert log == lines_of("fd_fdstat_get", "fd=4", f"(stat={stat},errno=ESUCCESS)")


def test_the_old_layout_of_filestat() -> None:
    filestat = pack("<QQB3xIQQQQ", 1, 2, 3, 1, 4096, 10, 20, 30)
    expected = "(filestat={filetype=DIRECTORY,size=4096,mtim=20},errno=ESUCCESS)"
    log = log_of("fd_filestat_get", (4, OUT), memory={OUT: filestat}, dialect="wasi_unstable")
    assert log == lines_of("fd_filestat_get", "fd=4", expected, "wasi_unstable")


# Hostile guests


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"a\n==> wasi_snapshot_preview1.proc_exit(rval=0)", "a\\n==> wasi_snapshot_preview1.proc_exit(rval=0)"),
        (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        (b"\r\t\0\x7f", "\\r\\t\\x00\\x7f"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\u202e\u2028\x85".encode(), "\\u202e\\u2028\\x85"),
        (b"x" * 5000, "x" * MAX_SHOWN + "…"),
        ("café".encode(), "café"),
    ],
)
def test_paths_stay_on_their_line(path: bytes, shown: str) -> None:
    caller = Caller()
    caller.put(1024, path)
    log = log_of("path_unlink_file", (3, 1024, len(path)), caller=caller)
    assert log == lines_of("path_unlink_file", f"fd=3,path={shown}", "errno=ESUCCESS")
    log = log_of("fd_prestat_dir_name", (3, 1024, len(path)), caller=caller)
    assert log == lines_of("fd_prestat_dir_name", "fd=3", f"(path={shown},errno=ESUCCESS)")


@pytest.mark.parametrize(
    ("name", "args", "params", "results"),
    [
        ("path_unlink_file", (3, MEMORY_SIZE, 1), "fd=3,path=OOM(65536,1)", "errno=ESUCCESS"),
        ("path_unlink_file", (3, MEMORY_SIZE - 3, 4), "fd=3,path=OOM(65533,4)", "errno=ESUCCESS"),
        ("path_unlink_file", (3, 0, U32_MAX), "fd=3,path=OOM(0,4294967295)", "errno=ESUCCESS"),
        ("path_unlink_file", (3, U32_MAX, U32_MAX), "fd=3,path=OOM(4294967295,4294967295)", "errno=ESUCCESS"),
        ("path_unlink_file", (3, MEMORY_SIZE, 0), "fd=3,path=", "errno=ESUCCESS"),
        ("fd_tell", (4, MEMORY_SIZE - 7), "fd=4", "(offset=OOM(65529,8),errno=ESUCCESS)"),
        ("fd_fdstat_get", (4, U32_MAX), "fd=4", "(stat=OOM(4294967295,24),errno=ESUCCESS)"),
        ("fd_filestat_get", (4, U32_MAX), "fd=4", "(filestat=OOM(4294967295,64),errno=ESUCCESS)"),
        ("fd_prestat_get", (4, U32_MAX), "fd=4", "(prestat=OOM(4294967295,8),errno=ESUCCESS)"),
        ("fd_prestat_dir_name", (4, U32_MAX, 1), "fd=4", "(path=OOM(4294967295,1),errno=ESUCCESS)"),
    ],
)
def test_pointers_outside_of_the_memory(name: str, args: tuple[int, ...], params: str, results: str) -> None:
    assert log_of(name, args) == lines_of(name, params, results)


@pytest.mark.parametrize("row", signatures.TABLE, ids=lambda row: row.name)
def test_no_arguments_make_a_log_fail(row: signatures.Signature) -> None:
    values = random.Random(row.name)
    edges = (0, 1, MEMORY_SIZE - 1, MEMORY_SIZE, 1 << 31, U32_MAX - 7, U32_MAX)
    wide = (*edges, 1 << 63, U64_MAX)
    kinds = [wide if type.name == "i64" else edges for type in row.type.params]
    caller, without_memory = Caller(), Caller()
    caller.put(0, values.randbytes(MEMORY_SIZE))
    without_memory.memory = None
    before = bytes(caller.buffer)
    for _ in range(100):
        args = tuple(values.choice(kind) for kind in kinds)
        for errno, who in itertools.product((0, ENOSYS), (caller, without_memory)):
            log = log_of(row.name, args, errno=errno, caller=who)
            assert log.count("\n") in {0, 2}
            assert "cannot be shown" not in log
            assert log.replace("\n", "").isprintable()
            assert len(log) < 3 * 10 * MAX_SHOWN
    assert bytes(caller.buffer) == before


# A whole program

PROGRAM = """(module
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "pooh.txt")
  (data (i32.const 32) "\\40\\00\\00\\00\\20\\00\\00\\00")
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 256) (i32.const 260)))
    (drop (call $fd_prestat_get (i32.const 3) (i32.const 256)))
    (drop (call $fd_prestat_dir_name (i32.const 3) (i32.const 256) (i32.const 8)))
    (drop (call $fd_prestat_get (i32.const 4) (i32.const 256)))
    (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 16) (i32.const 8) (i32.const 0) (i64.const 2)
      (i64.const 0) (i32.const 0) (i32.const 256)))
    (drop (call $fd_filestat_get (i32.const 4) (i32.const 256)))
    (drop (call $fd_read (i32.const 4) (i32.const 32) (i32.const 1) (i32.const 256)))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 256)))
    (drop (call $fd_read (i32.const 4) (i32.const 65535) (i32.const 1) (i32.const 256)))
    (drop (call $fd_close (i32.const 4)))
    (drop (call $random_get (i32.const 512) (i32.const 4)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 256)))
    (call $proc_exit (i32.const 3))))"""

LOG = """\
==> wasi_snapshot_preview1.args_sizes_get()
<== (argc=2,argv_len=8,errno=ESUCCESS)
==> wasi_snapshot_preview1.fd_prestat_get(fd=3)
<== (prestat={pr_name_len=8},errno=ESUCCESS)
==> wasi_snapshot_preview1.fd_prestat_dir_name(fd=3)
<== (path=/animals,errno=ESUCCESS)
==> wasi_snapshot_preview1.fd_prestat_get(fd=4)
<== (prestat=,errno=EBADF)
==> wasi_snapshot_preview1.path_open(fd=3,dirflags=SYMLINK_FOLLOW,path=pooh.txt,oflags=,fs_rights_base=FD_READ,\
fs_rights_inheriting=,fdflags=)
<== (opened_fd=4,errno=ESUCCESS)
==> wasi_snapshot_preview1.fd_filestat_get(fd=4)
<== (filestat={filetype=REGULAR_FILE,size=5,mtim=1600000000000000000},errno=ESUCCESS)
==> wasi_snapshot_preview1.fd_read(fd=4,iovs=32,iovs_len=1)
<== (nread=5,errno=ESUCCESS)
==> wasi_snapshot_preview1.fd_read(fd=4,iovs=65535,iovs_len=1)
<== (nread=,errno=EFAULT)
==> wasi_snapshot_preview1.fd_close(fd=4)
<== errno=ESUCCESS
==> wasi_snapshot_preview1.random_get(buf=512,buf_len=4)
<== errno=ESUCCESS
==> wasi_snapshot_preview1.clock_time_get(id=realtime,precision=1)
<== (timestamp=1700000000123456789,errno=ESUCCESS)
==> wasi_snapshot_preview1.proc_exit(rval=3)
"""


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (LogScope.ALL, ("",)),
        (LogScope.FILESYSTEM, ("fd_", "path_")),
        (LogScope.PROC | LogScope.CLOCK, ("proc_", "clock_")),
        (LogScope.RANDOM, ("random_get",)),
        (LogScope.NONE, ()),
    ],
)
def test_a_program(scopes: LogScope, words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pooh.txt").write_bytes(b"pooh\n")
    os.utime(tmp_path / "pooh.txt", ns=(0, 1_600_000_000_000_000_000))
    log: list[str] = []
    output: list[bytes] = []

    class Output:
        def write(self, data: bytes) -> int:
            output.append(bytes(data))
            return len(data)

    config = (
        ModuleConfig()
        .with_args("a", "bears")
        .with_fs_config(FSConfig().with_dir_mount(tmp_path, "/animals"))
        .with_stdout(Output())
        .with_walltime(lambda: 1_700_000_000_123_456_789, 1)
        .with_rand_source(lambda count: b"r" * count)
    )
    with Runtime(RuntimeConfig.interpreter()) as runtime:
        runtime.instantiate_host_module(logged(host_module(), scopes, log.append))
        with pytest.raises(ExitError) as caught:
            runtime.instantiate(bytes(wasmtime.wat2wasm(PROGRAM)), config)
    assert (caught.value.exit_code, b"".join(output)[:5]) == (3, b"pooh\n")
    pairs = [f"==> {pair}" for pair in LOG.split("==> ")[1:]]
    wanted = [pair for pair in pairs if any(f"preview1.{word}" in pair for word in words)]
    assert "".join(log) == "".join(wanted)
