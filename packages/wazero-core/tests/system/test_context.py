"""The system side of an instance: closed by default, with what it was given otherwise."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from wazero_api.system import OpenFlags
from wazero_core.system import DirFS, FSConfig, SubtreeFS, SystemContext


def test_by_default_there_is_nothing() -> None:
    system = SystemContext()
    assert (system.args, system.environ, system.files.numbers()) == ((), (), (0, 1, 2))
    assert system.files[0].file.read(10) == b""
    assert system.files[1].file.write(b"lost") == 4
    assert system.walltime() == 1_640_995_200_000_000_000
    assert system.nanotime() == 0
    assert system.random(4) == SystemContext().random(4)
    system.sleep(1 << 63)
    system.osyield()
    system.close()


def test_mounts_follow_the_standard_streams_in_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    config = FSConfig().with_dir_mount(tmp_path, "/").with_read_only_dir_mount(tmp_path / "sub", "/sub")
    system = SystemContext(mounts=config.mounts)
    assert [(fd, system.files[fd].name) for fd in system.files.numbers()[3:]] == [(3, "/"), (4, "/sub")]
    assert system.files[3].tree is not None
    assert system.files[3].tree.stat("sub").inode == (tmp_path / "sub").stat().st_ino
    system.close()


def test_a_mount_that_is_not_there_is_an_error_and_leaves_nothing_open(tmp_path: Path) -> None:
    config = FSConfig().with_dir_mount(tmp_path, "/").with_dir_mount(tmp_path / "missing", "/missing")
    before = os.dup(0)
    os.close(before)
    with pytest.raises(FileNotFoundError):
        SystemContext(mounts=config.mounts)
    after = os.dup(0)
    os.close(after)
    assert before == after


def test_opening_files(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    system = SystemContext()
    fs = DirFS(tmp_path)
    fd = system.open_file(fs, "new", OpenFlags.READ_WRITE | OpenFlags.CREATE)
    assert (fd, system.files[fd].tree, system.files[fd].name) == (3, None, None)
    assert system.open_file(fs, "dir", OpenFlags.READ_ONLY) == 4
    assert isinstance(system.files[4].tree, DirFS)
    assert system.open_file(SubtreeFS(fs, "dir"), ".", OpenFlags.DIRECTORY) == 5
    system.close()
    system.close()


def test_a_full_table_is_noticed_before_a_file_is_made(tmp_path: Path) -> None:
    system = SystemContext(max_open_files=3)
    with pytest.raises(OSError, match="open files") as caught:
        system.open_file(DirFS(tmp_path), "new", OpenFlags.READ_WRITE | OpenFlags.CREATE)
    assert caught.value.errno == errno.EMFILE
    assert list(tmp_path.iterdir()) == []


def test_closing_leaves_the_callers_descriptors_open() -> None:
    reader, writer = os.pipe()
    system = SystemContext(stdin=reader, stdout=writer, stderr=writer)
    system.close()
    os.close(reader)
    os.close(writer)
