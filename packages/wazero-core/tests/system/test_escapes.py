"""Nothing leads out of a directory that a guest was given, whatever it makes of its links and whoever swaps them."""

# `os` and not `pathlib`: what is tested is a layer over `os`.
# ruff: noqa: PTH104, PTH208

from __future__ import annotations

import errno
import ntpath
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import Directory, OpenFlags
from wazero_core.system import DirFS, walk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")

SECRET = b"outside"


@pytest.fixture(params=["descriptors", "paths"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "HAS_DESCRIPTORS", request.param == "descriptors" and walk.HAS_DESCRIPTORS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with every kind of link that leads to `outside`, which is next to it."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "sub").mkdir(parents=True)
    (outside / "secret").write_bytes(SECRET)
    (root / "dir" / "inner").mkdir(parents=True)
    (root / "inside").write_bytes(b"inside")
    for name, target in {
        "absolute": str(outside),
        "absolute_file": str(outside / "secret"),
        "absolute_inside": str(root / "inside"),
        "relative": "../outside",
        "relative_file": "../outside/secret",
        "twice": "relative",
        "thrice": "dir/to_twice",
        "dir/to_twice": "../twice",
        "parent": "..",
        "dir/parents": "../..",
        "dir/inner/parents": "../../../outside",
        "winding": "dir/../dir/inner/../../../outside",
        "slash": "/",
        "same_prefix": "../root2",
    }.items():
        (root / name).symlink_to(target)
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "secret").write_bytes(SECRET)
    return root


OUTWARD_DIRECTORIES = [
    "..",
    "../outside",
    "dir/../..",
    "dir/inner/../../..",
    "./../outside",
    "dir/../../root/../outside",
    "absolute",
    "relative",
    "relative/",
    "relative/.",
    "relative/sub/..",
    "twice",
    "thrice",
    "parent",
    "parent/outside",
    "dir/parents/outside",
    "dir/inner/parents",
    "winding",
    "slash",
    "slash/tmp",
    "same_prefix",
    "../root2",
    "/",
    "//",
    "/etc",
]

OUTWARD_FILES = [
    "../outside/secret",
    "absolute/secret",
    "absolute_file",
    "absolute_inside",
    "relative/secret",
    "relative_file",
    "twice/secret",
    "thrice/secret",
    "parent/outside/secret",
    "dir/parents/outside/secret",
    "dir/inner/parents/secret",
    "winding/secret",
    "same_prefix/secret",
    "../root/../outside/secret",
    "relative/../root/../outside/secret",
    "/etc/passwd",
    "slash/etc/passwd",
]

FOLLOWING: dict[str, Callable[[DirFS, str], Any]] = {
    "open": lambda fs, path: fs.open_file(path, OpenFlags.READ_ONLY),
    "write": lambda fs, path: fs.open_file(path, OpenFlags.WRITE_ONLY | OpenFlags.TRUNCATE),
    "create": lambda fs, path: fs.open_file(path, OpenFlags.READ_WRITE | OpenFlags.CREATE),
    "stat": lambda fs, path: fs.stat(path),
    "set_times": lambda fs, path: fs.set_times(path, 0, 0),
}

UNDER: dict[str, Callable[[DirFS, str], Any]] = {
    "open": lambda fs, path: fs.open_file(f"{path}/secret", OpenFlags.READ_ONLY),
    "create": lambda fs, path: fs.open_file(f"{path}/new", OpenFlags.READ_WRITE | OpenFlags.CREATE),
    "no follow": lambda fs, path: fs.open_file(f"{path}/secret", OpenFlags.NO_FOLLOW),
    "lstat": lambda fs, path: fs.lstat(f"{path}/secret"),
    "mkdir": lambda fs, path: fs.mkdir(f"{path}/new"),
    "rmdir": lambda fs, path: fs.rmdir(f"{path}/sub"),
    "unlink": lambda fs, path: fs.unlink(f"{path}/secret"),
    "rename from": lambda fs, path: fs.rename(f"{path}/secret", "stolen"),
    "rename to": lambda fs, path: fs.rename("inside", f"{path}/planted"),
    "link from": lambda fs, path: fs.link(f"{path}/secret", "stolen"),
    "link to": lambda fs, path: fs.link("inside", f"{path}/planted"),
    "symlink": lambda fs, path: fs.symlink("x", f"{path}/planted"),
    "readlink": lambda fs, path: fs.readlink(f"{path}/link"),
    "set_times": lambda fs, path: fs.set_times(f"{path}/secret", 0, 0, follow=False),
}


def snapshot(directory: Path) -> dict[str, object]:
    return {
        str(path.relative_to(directory)): (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns)
        for path in sorted(directory.rglob("*"))
    }


@pytest.mark.parametrize("operation", FOLLOWING)
@pytest.mark.parametrize("path", OUTWARD_FILES + OUTWARD_DIRECTORIES)
def test_no_path_leads_out(root: Path, operation: str, path: str) -> None:
    outside = root.parent / "outside"
    before = snapshot(outside)
    with pytest.raises(PermissionError) as caught:
        FOLLOWING[operation](DirFS(root), path)
    assert caught.value.errno == errno.EPERM
    assert snapshot(outside) == before


@pytest.mark.parametrize("operation", UNDER)
@pytest.mark.parametrize("path", OUTWARD_DIRECTORIES)
def test_nothing_can_be_done_under_a_directory_outside(root: Path, operation: str, path: str) -> None:
    outside = root.parent / "outside"
    before, inside = snapshot(outside), sorted(os.listdir(root))
    with pytest.raises(PermissionError) as caught:
        UNDER[operation](DirFS(root), path)
    assert caught.value.errno == errno.EPERM
    assert snapshot(outside) == before
    assert sorted(os.listdir(root)) == inside


@pytest.mark.parametrize("operation", FOLLOWING)
@pytest.mark.parametrize("path", ["..", "../inside", "parents", "inner/parents", "to_twice", "/", "inner/../.."])
def test_nor_out_of_an_open_directory(root: Path, operation: str, path: str) -> None:
    directory = DirFS(root).open_file("dir", OpenFlags.DIRECTORY)
    assert isinstance(directory, Directory)
    tree = directory.tree()
    assert isinstance(tree, DirFS)
    with pytest.raises(PermissionError):
        FOLLOWING[operation](tree, path)
    directory.close()


@pytest.mark.parametrize("target", ["/", "/etc/passwd", "//etc"])
def test_links_with_an_absolute_target_cannot_be_made(root: Path, target: str) -> None:
    with pytest.raises(PermissionError):
        DirFS(root).symlink(target, "new")
    assert not os.path.lexists(root / "new")


def test_a_link_that_is_made_first_and_leads_out_later_is_stopped(root: Path) -> None:
    """The target is inside when the link is made; moving the link to another depth makes it lead out."""
    fs = DirFS(root)
    fs.symlink("../../outside/secret", "dir/inner/link")
    with pytest.raises(FileNotFoundError):
        fs.stat("dir/inner/link")
    fs.rename("dir/inner/link", "dir/link")
    with pytest.raises(PermissionError):
        fs.stat("dir/link")


def test_a_directory_that_is_moved_out_is_no_way_out(root: Path) -> None:
    """Going up from an open directory that someone else moved is still refused."""
    directory = DirFS(root).open_file("dir", OpenFlags.DIRECTORY)
    assert isinstance(directory, Directory)
    tree = directory.tree()
    (root / "dir").rename(root.parent / "outside" / "dir")
    for path in ("..", "../secret", "inner/../../secret", "parents"):
        with pytest.raises(OSError) as caught:  # noqa: PT011  # by path, the directory is simply gone
            tree.stat(path)
        assert caught.value.errno in {errno.EPERM, errno.ENOENT}
    directory.close()


def test_long_chains_and_costly_paths_end(root: Path) -> None:
    fs = DirFS(root)
    for index in range(walk.MAX_LINKS + 1):
        (root / f"chain{index}").symlink_to(f"chain{index + 1}" if index < walk.MAX_LINKS else "inside")
    with pytest.raises(OSError, match="symbolic links"):
        fs.stat("chain0")
    assert fs.stat("chain1").size == 6
    (root / "wide").symlink_to("dir/../" * 500 + "wide2")
    (root / "wide2").symlink_to("dir/../" * 500 + "wide")
    with pytest.raises(OSError, match="symbolic links") as caught:
        fs.stat("wide")
    assert caught.value.errno == errno.ELOOP


WINDOWS_NAMES = [
    "C:",
    "C:\\Windows\\win.ini",
    "C:file",
    "c:/Windows/win.ini",
    "\\Windows",
    "\\\\server\\share\\file",
    "\\\\?\\C:\\Windows",
    "\\??\\C:\\Windows",
    "\\\\.\\PhysicalDrive0",
    "..\\outside\\secret",
    "dir\\..\\..\\outside\\secret",
    "dir/..\\../outside/secret",
    "inside::$DATA",
    "inside:stream",
    "dir:$I30:$INDEX_ALLOCATION/inner",
    "NUL",
    "nul",
    "dir/con",
    "AUX.txt",
    "dir/inner/COM1",
    "lpt9.tar.gz",
    "COM\xb9",
    "CONIN$",
    "nul .txt",
    "prn/inner",
    "...",
    ".. /outside",
    "... /outside",
    "dir/.. ",
    ".. .",
    "inside.",
    "inside ",
    "dir./inner",
    "in?ide",
    "*",
    "<",
    'in"side',
    "in|side",
    "in\x1fside",
]


@pytest.mark.parametrize("path", WINDOWS_NAMES)
def test_what_windows_takes_for_more_than_a_name_is_none(
    root: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Refused before the system sees it, so that this can be shown on every system."""
    monkeypatch.setattr(walk, "IS_WINDOWS", True)
    before = snapshot(root.parent)
    for attempt in (path, f"dir/{path}", f"{path}/x", f"./{path}/"):
        with pytest.raises(OSError, match="Invalid argument"):
            walk.PathWalk(str(root), attempt)
    assert snapshot(root.parent) == before


@pytest.mark.parametrize("target", ["..\\outside", "C:\\Windows", "\\\\?\\C:\\Windows", "\\Windows", "dir\\NUL"])
def test_links_of_windows_lead_no_further(root: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setattr(walk, "IS_WINDOWS", True)
    monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)
    (root / "link").symlink_to(target)
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        walk.PathWalk(str(root), "link/secret")
    assert caught.value.errno in {errno.EPERM, errno.EINVAL}


@pytest.mark.parametrize(
    "path",
    ["inside", "dir/inner", "dir/../inside", "nulls", "com", "console", "com10", "a.nul", ".hidden", "a b", "~1"],
)
def test_ordinary_names_are_names_on_windows(root: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(walk, "IS_WINDOWS", True)
    with walk.PathWalk(str(root), path) as found:
        assert found.name == os.path.normpath(root / path)


def race(root: Path, swap: Callable[[], None], attack: Callable[[], bytes], rounds: int) -> list[bytes]:
    """What `attack` got, over and over, while a thread swaps things."""
    stop = threading.Event()

    def swapping() -> None:
        while not stop.is_set():
            swap()

    thread = threading.Thread(target=swapping)
    thread.start()
    try:
        results = []
        for _ in range(rounds):
            try:
                results.append(attack())
            except OSError:
                continue
        return results
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("path", ["door/secret", "door/../door/secret", "deep/link/secret"])
def test_links_that_are_swapped_meanwhile_lead_nowhere(root: Path, path: str) -> None:
    """A name is a directory one moment and a link to the outside the next."""
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("this is what paths alone cannot promise")
    fs = DirFS(root)
    (root / "real").mkdir()
    (root / "real" / "secret").write_bytes(b"inside")
    (root / "deep").mkdir()
    (root / "deep" / "link").symlink_to("../door")
    (root / "out").symlink_to("../outside")
    door = root / "door"

    def swap() -> None:
        os.rename(root / "real", door)
        os.rename(door, root / "real")
        os.rename(root / "out", door)
        os.rename(door, root / "out")

    def attack() -> bytes:
        file = fs.open_file(path, OpenFlags.READ_ONLY)
        try:
            return file.read(100)
        finally:
            file.close()

    assert SECRET not in race(root, swap, attack, 2_000)


def test_a_file_that_is_swapped_for_a_link_is_not_opened_through_it(root: Path) -> None:
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("this is what paths alone cannot promise")
    fs = DirFS(root)
    target = root / "target"
    (root / "out").symlink_to("../outside/secret")

    def swap() -> None:
        os.rename(root / "inside", target)
        os.rename(target, root / "inside")
        os.rename(root / "out", target)
        os.rename(target, root / "out")

    def attack() -> bytes:
        file = fs.open_file("target", OpenFlags.READ_ONLY)
        try:
            return file.read(100)
        finally:
            file.close()

    assert SECRET not in race(root, swap, attack, 2_000)


def test_directories_moved_out_meanwhile_do_not_lead_out(root: Path) -> None:
    """The walk goes up from a directory that is moved out of the tree at that moment."""
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("this is what paths alone cannot promise")
    fs = DirFS(root)
    (root / "dir" / "secret").write_bytes(b"inside")
    moved = root.parent / "outside" / "moved"

    def swap() -> None:
        os.rename(root / "dir" / "inner", moved)
        os.rename(moved, root / "dir" / "inner")

    def attack() -> bytes:
        file = fs.open_file("dir/inner/../secret", OpenFlags.READ_ONLY)
        try:
            return file.read(100)
        finally:
            file.close()

    assert SECRET not in race(root, swap, attack, 2_000)
