"""``host[:guest][:ro]`` is divided as wazero does, and with drives as Windows users write them."""

from __future__ import annotations

import pytest

from wazero_core.cli.mounts import MountFlag, parse_mount


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data", MountFlag("/data", "/data", False)),
        (".", MountFlag(".", ".", False)),
        ("/data:ro", MountFlag("/data", "/data", True)),
        ("/data:/", MountFlag("/data", "/", False)),
        ("/data:/in:ro", MountFlag("/data", "/in", True)),
        ("fs-tests.dir:fs-tests.dir", MountFlag("fs-tests.dir", "fs-tests.dir", False)),
        ("/a:b:/in", MountFlag("/a:b", "/in", False)),
        ("/data:", MountFlag("/data", "", False)),
        ("ro", MountFlag("ro", "ro", False)),
        ("a:/in", MountFlag("a", "/in", False)),
    ],
)
def test_mounts(text: str, expected: MountFlag) -> None:
    assert parse_mount(text, has_drives=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("c:\\data", MountFlag("c:\\data", "c:\\data", False)),
        ("c:\\data:ro", MountFlag("c:\\data", "c:\\data", True)),
        ("c:\\:/", MountFlag("c:\\", "/", False)),
        ("C:/data:/in:ro", MountFlag("C:/data", "/in", True)),
        ("c:/", MountFlag("c:/", "c:/", False)),
        (".\\c:/in", MountFlag(".\\c", "/in", False)),
        ("c:in", MountFlag("c", "in", False)),
        ("data:/in", MountFlag("data", "/in", False)),
    ],
)
def test_drives(text: str, expected: MountFlag) -> None:
    assert parse_mount(text, has_drives=True) == expected


@pytest.mark.parametrize("text", ["", ":ro", ":", ":/in", ":/in:ro"])
@pytest.mark.parametrize("has_drives", [False, True])
def test_no_mount(text: str, has_drives: bool) -> None:
    with pytest.raises(ValueError, match="empty string" if not text else "no host path"):
        parse_mount(text, has_drives=has_drives)
