"""Mounts: their guest paths, and which of two for the same path counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wazero_core.system import DirFS, FSConfig, ReadOnlyFS
from wazero_core.system.mounts import clean_guest_path


@pytest.mark.parametrize(
    ("path", "cleaned"),
    [
        ("", ""),
        ("/", ""),
        (".", ""),
        ("./", ""),
        ("//", ""),
        ("/./", ""),
        ("a", "a"),
        ("/a", "a"),
        ("./a/", "a"),
        ("a/b", "a/b"),
        ("/a/b//", "a/b"),
        (".hidden", ".hidden"),
        ("..", ".."),
    ],
)
def test_which_paths_are_the_same(path: str, cleaned: str) -> None:
    assert clean_guest_path(path) == cleaned


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("", "/"),
        ("/", "/"),
        (".", "/"),
        ("./", "/"),
        ("/a", "/a"),
        ("a", "a"),
        ("./a", "./a"),
        ("a.dir", "a.dir"),
        ("/a//", "/a"),
    ],
)
def test_what_the_guest_sees(given: str, seen: str) -> None:
    assert FSConfig().with_dir_mount("/tmp", given).mounts[0].guest_path == seen


def test_a_later_mount_replaces_one_at_the_same_path_and_keeps_its_place() -> None:
    first, second, third = DirFS("/1"), DirFS("/2"), DirFS("/3")
    config = FSConfig().with_fs_mount(first, "/").with_fs_mount(second, "/a").with_fs_mount(third, ".")
    assert [(mount.fs, mount.guest_path) for mount in config.mounts] == [(third, "/"), (second, "/a")]
    assert config.with_fs_mount(first, "a/").mounts[1].guest_path == "a"


def test_a_config_is_not_changed_by_its_copies(tmp_path: Path) -> None:
    empty = FSConfig()
    one = empty.with_read_only_dir_mount(tmp_path, "/")
    assert empty.mounts == ()
    assert len(one.mounts) == 1
    assert isinstance(one.mounts[0].fs, ReadOnlyFS)


@pytest.mark.parametrize(("path", "error"), [("a\0", ValueError), (b"a", TypeError), (None, TypeError)])
def test_bad_guest_paths_are_refused(path: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="guest path"):
        FSConfig().with_dir_mount("/tmp", path)
