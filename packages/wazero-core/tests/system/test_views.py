"""Views of other file systems: one that cannot write, one that is the part below a directory."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import FS, Directory, File, OpenFlags
from wazero_core import MemFS, OverlayFS, QuotaFS
from wazero_core.system import DirFS, ReadOnlyFS, SubtreeFS, tree_of

READ, WRITE, BOTH, CREATE = OpenFlags.READ_ONLY, OpenFlags.WRITE_ONLY, OpenFlags.READ_WRITE, OpenFlags.CREATE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dir" / "inner").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "dir" / "inner" / "deep").write_bytes(b"deep")
    return tmp_path


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


CHANGES: dict[str, Callable[[FS], object]] = {
    "write": lambda fs: fs.open_file("file", WRITE),
    "read and write": lambda fs: fs.open_file("file", BOTH),
    "truncate": lambda fs: fs.open_file("file", OpenFlags.TRUNCATE),
    "append": lambda fs: fs.open_file("file", WRITE | OpenFlags.APPEND),
    "create": lambda fs: fs.open_file("new", BOTH | CREATE),
    "create to read": lambda fs: fs.open_file("new", CREATE),
    "mkdir": lambda fs: fs.mkdir("new"),
    "rmdir": lambda fs: fs.rmdir("dir"),
    "unlink": lambda fs: fs.unlink("file"),
    "rename": lambda fs: fs.rename("file", "new"),
    "link": lambda fs: fs.link("file", "new"),
    "symlink": lambda fs: fs.symlink("file", "new"),
    "set_times": lambda fs: fs.set_times("file", 0, 0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_read_only_view_refuses_every_change(root: Path, name: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert number_of(lambda: CHANGES[name](ReadOnlyFS(DirFS(root)))) == "EROFS"
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_read_only_view_gives_the_better_reason(root: Path) -> None:
    fs = ReadOnlyFS(DirFS(root))
    assert number_of(lambda: fs.open_file("missing", WRITE)) == "ENOENT"
    assert number_of(lambda: fs.open_file("dir", BOTH)) == "EISDIR"
    assert number_of(lambda: fs.open_file("file", CREATE | OpenFlags.EXCLUSIVE)) == "EEXIST"
    assert number_of(lambda: fs.open_file("../x", BOTH)) == "EPERM"


def test_a_read_only_view_reads(root: Path) -> None:
    fs = ReadOnlyFS(DirFS(root))
    file = fs.open_file("file", CREATE)
    assert (file.read(3), file.pread(3, 1), file.seek(0, 2)) == (b"con", b"ont", 7)
    assert file.stat() == fs.stat("file") == fs.lstat("file")
    assert file.fileno() is not None
    file.sync()
    file.datasync()
    file.set_append(True)
    file.close()


FILE_CHANGES: dict[str, tuple[Callable[[File], object], str]] = {
    "write": (lambda file: file.write(b"x"), "EBADF"),
    "pwrite": (lambda file: file.pwrite(b"x", 0), "EBADF"),
    "truncate": (lambda file: file.truncate(0), "EROFS"),
    "set_times": (lambda file: file.set_times(0, 0), "EROFS"),
}


@pytest.mark.parametrize("path", ["file", "dir"])
@pytest.mark.parametrize("name", FILE_CHANGES)
def test_nor_can_an_open_file_be_changed(root: Path, name: str, path: str) -> None:
    file = ReadOnlyFS(DirFS(root)).open_file(path, READ)
    operation, expected = FILE_CHANGES[name]
    assert number_of(lambda: operation(file)) == expected
    file.close()


def test_the_tree_of_a_read_only_directory_is_read_only(root: Path) -> None:
    directory = ReadOnlyFS(DirFS(root)).open_file("dir", READ)
    assert isinstance(directory, Directory)
    tree = directory.tree()
    assert tree.stat("inner/deep").size == 4
    assert number_of(lambda: tree.mkdir("new")) == "EROFS"
    assert [entry.name for entry in directory.read_directory()] == ["inner"]
    directory.close()


def test_a_file_cannot_be_moved_or_linked_into_a_read_only_tree(root: Path) -> None:
    writable, read_only = DirFS(root), ReadOnlyFS(DirFS(root / "dir"))
    assert number_of(lambda: writable.rename("file", "new", read_only)) == "EXDEV"
    assert number_of(lambda: writable.link("file", "new", read_only)) == "EXDEV"
    assert number_of(lambda: read_only.link("inner/deep", "new", writable)) == "EROFS"


@pytest.mark.parametrize(
    "make", [ReadOnlyFS, OverlayFS, lambda fs: QuotaFS(fs, max_bytes=1), lambda fs: OverlayFS(MemFS(), fs)]
)
@pytest.mark.parametrize(("fs", "what"), [("/tmp", "str"), (5, "int"), (MemFS, "the class MemFS")])
def test_a_view_needs_a_file_system(make: Callable[[Any], FS], fs: object, what: str) -> None:
    with pytest.raises(TypeError, match=rf"a file system is needed, such as DirFS\(path\), not {what}$"):
        make(fs)


@pytest.mark.parametrize("path", ["..", "../file", "inner/../../file", "/file", "./.."])
def test_a_subtree_is_not_left_by_climbing(root: Path, path: str) -> None:
    fs = SubtreeFS(DirFS(root), "dir")
    assert number_of(lambda: fs.stat(path)) == "EPERM"


def test_a_subtree_is_the_part_below(root: Path) -> None:
    fs = SubtreeFS(DirFS(root), "dir")
    assert fs.stat(".").inode == (root / "dir").stat().st_ino
    assert fs.stat("inner/../inner/deep").size == 4
    fs.mkdir("new")
    fs.symlink("inner", "link")
    assert fs.readlink("link") == "inner"
    assert fs.lstat("link").inode == (root / "dir" / "link").lstat().st_ino
    fs.set_times("new", 1, 2)
    assert (root / "dir" / "new").stat().st_mtime_ns == 2
    fs.rename("link", "link2")
    fs.link("inner/deep", "hard")
    file = fs.open_file("hard", READ)
    assert file.read(9) == b"deep"
    file.close()
    fs.unlink("link2")
    fs.rmdir("new")
    assert sorted(path.name for path in (root / "dir").iterdir()) == ["hard", "inner"]


def test_moving_between_subtrees_of_one_file_system(root: Path) -> None:
    base = DirFS(root)
    whole, part = SubtreeFS(base, "."), SubtreeFS(base, "dir")
    whole.rename("file", "inner/moved", part)
    part.link("inner/moved", "back", whole)
    assert (root / "back").samefile(root / "dir" / "inner" / "moved")
    part.rename("inner/moved", "third", DirFS(root))
    assert (root / "third").exists()


def test_the_tree_of_a_file_without_one_is_a_subtree(root: Path) -> None:
    base = DirFS(root)
    plain = base.open_file("file", READ)
    assert isinstance(tree_of(plain, base, "dir"), SubtreeFS)
    plain.close()
    directory = base.open_file("dir", READ)
    assert isinstance(tree_of(directory, base, "dir"), DirFS)
    directory.close()
