"""Programs that import `wasi_unstable`: what was otherwise there is as they expect it, on every engine."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import wazero_wasi
from integration.runtimes import NAMED_ENGINES, new_runtime, wasm
from wazero_core import FSConfig, ModuleConfig, run

OLD: Final = """
(module
  (import "wasi_unstable" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_filestat_get" (func $filestat (param i32 i32) (result i32)))
  (import "wasi_unstable" "path_filestat_get" (func $path_filestat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "file")
  (data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00hello\\n")
  (func (export "open") (result i32)
    (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))
  (func (export "seek") (param i64 i32) (result i32)
    (call $seek (i32.const 4) (local.get 0) (local.get 1) (i32.const 64)))
  (func (export "stat") (result i32) (call $filestat (i32.const 4) (i32.const 64)))
  (func (export "stat_path") (result i32)
    (call $path_filestat (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 64)))
  (func (export "poll") (param i32) (result i32)
    (call $poll (i32.const 1024) (i32.const 2048) (local.get 0) (i32.const 64)))
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 64)))
    (call $exit (i32.const 3))))
"""
RESULT, SUBSCRIPTIONS, EVENTS = 64, 1024, 2048
CLOCK, FD_READ = range(2)


@pytest.fixture(params=NAMED_ENGINES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An instance that has opened a file of 7 bytes as 4, and slept as long as `slept` says."""
    (tmp_path / "file").write_bytes(b"content")
    slept: list[int] = []
    config = ModuleConfig().with_start_functions().with_fs_config(FSConfig().with_dir_mount(tmp_path, "/"))
    with new_runtime(request.param) as runtime:
        wazero_wasi.instantiate(runtime, "wasi_unstable")
        module: Any = runtime.instantiate(wasm(OLD), config.with_nanosleep(slept.append))
        assert module.exports.open() == 0
        assert module.memory.read_uint32_le(RESULT) == 4
        yield module, slept


@pytest.mark.parametrize(
    ("offset", "whence", "errno", "position"),
    [
        # current, end, start: in preview 1 it is start, current, end
        (2, 0, 0, 5),
        (-3, 0, 0, 0),
        (-2, 1, 0, 5),
        (6, 2, 0, 6),
        (-1, 2, 28, None),
        (0, 3, 28, None),
    ],
)
def test_where_to_count_from(old: Any, offset: int, whence: int, errno: int, position: int | None) -> None:
    module, _ = old
    assert module.exports.seek(3, 2) == 0
    assert module.exports.seek(offset, whence) == errno
    assert position is None or module.memory.read_uint64_le(RESULT) == position


@pytest.mark.parametrize("name", ["stat", "stat_path"])
def test_what_is_known_of_a_file(old: Any, tmp_path: Path, name: str) -> None:
    """The number of links has 4 bytes, so that what follows comes 8 bytes earlier, and nothing is stored behind it."""
    module, _ = old
    path = tmp_path / "file"
    os.utime(path, ns=(5, 6))
    module.memory.write(RESULT + 56, b"\xaa" * 8)
    assert module.exports[name]() == 0
    stat = path.stat()
    expected = struct.pack("<QQB3xIQQQQ", stat.st_dev, stat.st_ino, 4, 1, 7, 5, 6, stat.st_ctime_ns)
    assert bytes(module.memory.read(RESULT, 64)) == expected + b"\xaa" * 8


def test_waiting_for_a_clock_and_files(old: Any) -> None:
    """A subscription of a clock has an identifier more, so that all have 56 bytes."""
    module, slept = old
    subscription = struct.pack("<QB7xQI4xQQH6x", 5, CLOCK, 99, 1, 7_000_000, 0, 0)
    files = [struct.pack("<QB7xI36x", 6 + number, FD_READ, fd) for number, fd in enumerate((4, 9))]
    module.memory.write(SUBSCRIPTIONS, subscription)
    assert module.exports.poll(1) == 0
    assert (module.memory.read_uint32_le(RESULT), module.memory.read_uint64_le(EVENTS), slept) == (1, 5, [7_000_000])
    module.memory.write(SUBSCRIPTIONS, subscription + b"".join(files))
    assert module.exports.poll(3) == 0
    events = [struct.unpack("<QHB5xQ8x", module.memory.read(EVENTS + 32 * number, 32)) for number in range(2)]
    assert module.memory.read_uint32_le(RESULT) == 2
    assert events == [(6, 0, FD_READ, 7), (7, 8, FD_READ, 0)]
    assert slept == [7_000_000]


def test_an_old_program_is_run_like_a_new_one() -> None:
    result = run(wasm(OLD))
    assert (result.exit_code, result.stdout) == (3, b"hello\n")


def test_both_versions_in_one_program() -> None:
    text = """(module
      (import "wasi_unstable" "fd_write" (func $old (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $new (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\08\\00\\00\\00\\03\\00\\00\\00one")
      (func (export "_start")
        (drop (call $old (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
        (drop (call $new (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 64)))))"""
    result = run(wasm(text))
    assert (result.stdout, result.stderr) == (b"one", b"one")
