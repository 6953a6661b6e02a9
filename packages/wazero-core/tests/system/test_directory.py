"""A directory of the host as a file system: what it does, and what it says when it cannot."""

# `os` and not `pathlib`: what is tested is a layer over `os`.
# ruff: noqa: PTH115, PTH208

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import Directory, FileType, OpenFlags
from wazero_core.system import DirFS, host_file, walk
from wazero_core.system.host_file import HostDirectory

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these cases state what POSIX systems answer")

READ, WRITE, BOTH = OpenFlags.READ_ONLY, OpenFlags.WRITE_ONLY, OpenFlags.READ_WRITE
CREATE = OpenFlags.CREATE | OpenFlags.READ_WRITE


@pytest.fixture(params=["descriptors", "paths"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case runs with both ways of resolving paths; the one by paths is what Windows has."""
    monkeypatch.setattr(walk, "HAS_DESCRIPTORS", request.param == "descriptors" and walk.HAS_DESCRIPTORS)


@pytest.fixture(autouse=True)
def _no_descriptor_leaks(_way: None) -> Iterator[None]:
    listing = Path("/proc/self/fd")
    if not listing.exists():
        yield
        return
    before = set(os.listdir(listing))
    yield
    assert set(os.listdir(listing)) == before


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """dir/{inner/deep.txt, back -> ../file.txt}, file.txt, to_file, to_dir, dangling, loops."""
    root = tmp_path / "root"
    (root / "dir" / "inner").mkdir(parents=True)
    (root / "dir" / "inner" / "deep.txt").write_bytes(b"deep")
    (root / "file.txt").write_bytes(b"content")
    for name, target in {
        "to_file": "file.txt",
        "to_dir": "dir",
        "to_dir_slash": "dir/",
        "dir/back": "../file.txt",
        "dir/up": "..",
        "dangling": "missing",
        "loop_a": "loop_b",
        "loop_b": "loop_a",
        "self": "self",
    }.items():
        (root / name).symlink_to(target)
    return root


@pytest.fixture
def fs(root: Path) -> DirFS:
    return DirFS(root)


def content(fs: DirFS, path: str) -> bytes:
    file = fs.open_file(path, READ)
    try:
        return file.read(100)
    finally:
        file.close()


def put(fs: DirFS, path: str, flags: OpenFlags, data: bytes = b"") -> None:
    file = fs.open_file(path, flags)
    try:
        file.write(data)
    finally:
        file.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("file.txt", b"content"),
        ("./file.txt", b"content"),
        ("dir/../file.txt", b"content"),
        ("dir//inner/./deep.txt", b"deep"),
        ("to_file", b"content"),
        ("to_dir/inner/deep.txt", b"deep"),
        ("to_dir_slash/inner/deep.txt", b"deep"),
        ("to_dir/back", b"content"),
        ("dir/up/file.txt", b"content"),
        ("dir/up/dir/up/to_file", b"content"),
        ("to_dir/../file.txt", b"content"),
        ("dir/inner/../inner/../../dir/inner/deep.txt", b"deep"),
    ],
)
def test_reading(fs: DirFS, path: str, expected: bytes) -> None:
    assert content(fs, path) == expected


OPEN_ERRORS: list[tuple[str, OpenFlags, int]] = [
    ("missing", READ, errno.ENOENT),
    ("", READ, errno.ENOENT),
    ("missing/x", READ, errno.ENOENT),
    ("dangling", READ, errno.ENOENT),
    ("file.txt/x", READ, errno.ENOTDIR),
    ("file.txt/", READ, errno.ENOTDIR),
    ("file.txt/..", READ, errno.ENOTDIR),
    ("to_file/", READ, errno.ENOTDIR),
    ("file.txt", READ | OpenFlags.DIRECTORY, errno.ENOTDIR),
    ("to_file", READ | OpenFlags.DIRECTORY, errno.ENOTDIR),
    ("dir", BOTH, errno.EISDIR),
    ("dir", WRITE, errno.EISDIR),
    ("file.txt", CREATE | OpenFlags.EXCLUSIVE, errno.EEXIST),
    ("dangling", CREATE | OpenFlags.EXCLUSIVE, errno.EEXIST),
    ("new/", CREATE, errno.EISDIR),
    ("loop_a", READ, errno.ELOOP),
    ("loop_a/x", READ, errno.ELOOP),
    ("self", CREATE, errno.ELOOP),
    ("to_file", READ | OpenFlags.NO_FOLLOW, errno.ELOOP),
    ("a\0b", READ, errno.EINVAL),
    ("x" * 300, READ, errno.ENAMETOOLONG),
    ("dir/../" * 1000 + "file.txt", READ, errno.ENAMETOOLONG),
]


@pytest.mark.parametrize(("path", "flags", "number"), OPEN_ERRORS, ids=lambda value: repr(value)[:40])
def test_opening_what_cannot_be_opened(fs: DirFS, root: Path, path: str, flags: OpenFlags, number: int) -> None:
    before = sorted(os.listdir(root))
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        fs.open_file(path, flags)
    assert errno.errorcode[caught.value.errno or 0] == errno.errorcode[number]
    assert sorted(os.listdir(root)) == before


@pytest.mark.parametrize(
    ("path", "flags", "data", "name", "expected"),
    [
        ("new", CREATE, b"abc", "new", b"abc"),
        ("dir/new", CREATE | OpenFlags.EXCLUSIVE, b"abc", "dir/new", b"abc"),
        ("dangling", CREATE, b"abc", "missing", b"abc"),
        ("file.txt", WRITE, b"CON", "file.txt", b"CONtent"),
        ("file.txt", BOTH | OpenFlags.TRUNCATE, b"abc", "file.txt", b"abc"),
        ("to_file", WRITE | OpenFlags.APPEND, b"abc", "file.txt", b"contentabc"),
        ("file.txt", CREATE, b"", "file.txt", b"content"),
    ],
)
def test_writing(fs: DirFS, root: Path, path: str, flags: OpenFlags, data: bytes, name: str, expected: bytes) -> None:
    put(fs, path, flags, data)
    assert (root / name).read_bytes() == expected


@pytest.mark.parametrize("path", [".", "./", "dir", "dir/", "to_dir", "to_dir/", "dir/..", "dir/up", "dir/inner/."])
@pytest.mark.parametrize("flags", [READ, OpenFlags.DIRECTORY])
def test_directories_open_for_reading(fs: DirFS, path: str, flags: OpenFlags) -> None:
    directory = fs.open_file(path, flags)
    assert directory.stat().file_type is FileType.DIRECTORY
    assert isinstance(directory, Directory)
    with pytest.raises(IsADirectoryError):
        directory.read(1)
    directory.close()


def test_listing_a_directory(fs: DirFS, root: Path) -> None:
    directory = fs.open_file(".", OpenFlags.DIRECTORY)
    for _ in range(2):
        found = {entry.name: (entry.file_type, entry.inode) for entry in directory.read_directory()}
        assert set(found) == set(os.listdir(root))
        assert found["dir"] == (FileType.DIRECTORY, (root / "dir").stat().st_ino)
        assert found["file.txt"] == (FileType.REGULAR, (root / "file.txt").stat().st_ino)
        assert found["to_dir"] == (FileType.SYMBOLIC_LINK, (root / "to_dir").lstat().st_ino)
    directory.close()


def test_the_tree_of_an_open_directory_is_what_is_below_it(fs: DirFS) -> None:
    directory = fs.open_file("dir", OpenFlags.DIRECTORY)
    assert isinstance(directory, Directory)
    tree = directory.tree()
    assert tree.stat("inner/deep.txt").size == 4
    for path in ("..", "../file.txt", "back", "up/file.txt"):
        with pytest.raises(PermissionError):
            tree.stat(path)
    directory.close()


def test_the_tree_of_an_open_directory_follows_it(fs: DirFS, root: Path) -> None:
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("known by its path alone")
    directory = fs.open_file("dir", OpenFlags.DIRECTORY)
    assert isinstance(directory, Directory)
    tree = directory.tree()
    (root / "dir").rename(root / "moved")
    (root / "dir").mkdir()
    assert tree.stat("inner/deep.txt").size == 4
    directory.close()
    with pytest.raises(OSError, match="descriptor"):
        tree.stat("inner")


def test_a_directory_closed_meanwhile_stays_until_the_walk_is_over(fs: DirFS, root: Path) -> None:
    """Else its number could be given to a file elsewhere, and the walk would go on from there."""
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("known by its path alone")
    directory = fs.open_file("dir", OpenFlags.DIRECTORY)
    assert isinstance(directory, HostDirectory)
    first, second = directory.borrow(), directory.borrow()
    directory.close()
    directory.close()
    with pytest.raises(OSError, match="descriptor"):
        directory.borrow()
    elsewhere = os.open(root, os.O_RDONLY)
    assert elsewhere != first
    os.close(elsewhere)
    directory.give_back(first)
    assert "inner" in os.listdir(second)
    directory.give_back(second)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(second)


def test_trees_do_not_remember_the_way_to_them(fs: DirFS) -> None:
    """A guest decides how deep it goes, so a tree must not be larger the deeper it lies."""
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("known by its path alone")
    directory = fs.open_file("dir/inner", OpenFlags.DIRECTORY)
    assert isinstance(directory, Directory)
    assert repr(directory.tree()) == f"<a directory below {fs!r}>"
    directory.close()


def test_pipes_open_without_waiting(fs: DirFS, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(OSError, match="No such device") as caught:
        fs.open_file("pipe", WRITE)
    assert caught.value.errno == errno.ENXIO
    reader = fs.open_file("pipe", READ)
    writer = fs.open_file("pipe", WRITE)
    with pytest.raises(BlockingIOError):
        reader.read(1)
    writer.write(b"x")
    assert reader.read(10) == b"x"
    writer.close()
    assert reader.read(10) == b""
    reader.close()


def test_some_descriptors_are_kept_for_the_host(fs: DirFS, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[Any] = []
    monkeypatch.setattr(host_file, "_descriptor_limit", lambda: 200)

    def open_without_end() -> None:
        while True:
            files.append(fs.open_file("file.txt", READ))

    with pytest.raises(OSError, match="Too many") as caught:
        open_without_end()
    assert caught.value.errno == errno.EMFILE
    assert max(file.fileno() for file in files) == 200 - 200 // 4 - 1
    monkeypatch.setattr(host_file, "_descriptor_limit", lambda: 4_096)
    files.append(fs.open_file("file.txt", READ))
    for file in files:
        file.close()


def test_stat_and_lstat(fs: DirFS, root: Path) -> None:
    expected = (root / "file.txt").stat()
    for stat in (fs.stat("to_file"), fs.stat("file.txt"), fs.lstat("file.txt"), fs.stat("dir/back")):
        assert stat.file_type is FileType.REGULAR
        assert (stat.inode, stat.device, stat.size) == (expected.st_ino, expected.st_dev, 7)
        assert stat.modification_time == expected.st_mtime_ns
    assert fs.lstat("to_file").file_type is FileType.SYMBOLIC_LINK
    assert fs.lstat("to_dir/").file_type is FileType.DIRECTORY
    assert fs.stat(".").inode == root.stat().st_ino
    assert fs.lstat("dangling").file_type is FileType.SYMBOLIC_LINK


def test_making_and_removing(fs: DirFS, root: Path) -> None:
    fs.mkdir("new")
    fs.mkdir("new/inner/")
    assert (root / "new" / "inner").is_dir()
    fs.rmdir("new/inner/")
    fs.rmdir("new")
    fs.unlink("to_file")
    fs.unlink("dangling")
    fs.unlink("file.txt")
    assert not {"new", "to_file", "dangling", "file.txt"} & set(os.listdir(root))


def test_renaming(fs: DirFS, root: Path) -> None:
    fs.rename("file.txt", "dir/moved")
    assert (root / "dir" / "moved").read_bytes() == b"content"
    fs.rename("dir/", "renamed/")
    fs.rename("to_dir", "link")
    assert os.readlink(root / "link") == "dir"
    put(fs, "a", CREATE, b"a")
    fs.rename("a", "renamed/moved")
    assert (root / "renamed" / "moved").read_bytes() == b"a"


def test_renaming_and_linking_between_open_directories(fs: DirFS, root: Path) -> None:
    directory = fs.open_file("dir", OpenFlags.DIRECTORY)
    assert isinstance(directory, Directory)
    tree = directory.tree()
    fs.link("file.txt", "second", tree)
    tree.rename("inner/deep.txt", "risen", fs)
    assert (root / "dir" / "second").samefile(root / "file.txt")
    assert (root / "risen").read_bytes() == b"deep"
    directory.close()


def test_links(fs: DirFS, root: Path) -> None:
    fs.symlink("dir/inner", "short")
    assert fs.readlink("short") == "dir/inner"
    assert content(fs, "short/deep.txt") == b"deep"
    fs.link("file.txt", "hard")
    assert fs.stat("hard").links == 2
    fs.link("dangling", "dangling2")  # the link itself, which leads nowhere
    assert fs.readlink("dangling2") == "missing"


def test_setting_times(fs: DirFS, root: Path) -> None:
    fs.set_times("to_file", 1_000_000_001, 2_000_000_002)
    stat = (root / "file.txt").stat()
    assert (stat.st_atime_ns, stat.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    fs.set_times("file.txt", None, 5)
    stat = (root / "file.txt").stat()
    assert (stat.st_atime_ns, stat.st_mtime_ns) == (1_000_000_001, 5)
    fs.set_times("file.txt", None, None)
    fs.set_times("to_file", 7, 8, follow=False)
    assert (root / "to_file").lstat().st_mtime_ns == 8
    assert (root / "file.txt").stat().st_mtime_ns == 5
    fs.set_times("file.txt", -1_000_000_000, -1)
    assert (root / "file.txt").stat().st_mtime_ns == -1


ERRORS: list[tuple[str, tuple[Any, ...], int]] = [
    ("stat", ("missing",), errno.ENOENT),
    ("stat", ("dangling",), errno.ENOENT),
    ("stat", ("file.txt/",), errno.ENOTDIR),
    ("stat", ("loop_a",), errno.ELOOP),
    ("lstat", ("to_file/",), errno.ENOTDIR),
    ("mkdir", ("dir",), errno.EEXIST),
    ("mkdir", ("dangling",), errno.EEXIST),
    ("mkdir", (".",), errno.EEXIST),
    ("mkdir", ("missing/new",), errno.ENOENT),
    ("rmdir", ("dir",), errno.ENOTEMPTY),
    ("rmdir", ("file.txt",), errno.ENOTDIR),
    ("rmdir", ("to_dir",), errno.ENOTDIR),
    ("rmdir", ("missing",), errno.ENOENT),
    ("unlink", ("dir",), errno.EISDIR),
    ("unlink", ("file.txt/",), errno.ENOTDIR),
    ("unlink", ("to_file/",), errno.ENOTDIR),
    ("unlink", ("missing",), errno.ENOENT),
    ("rename", ("missing", "x"), errno.ENOENT),
    ("rename", ("file.txt", "dir"), errno.EISDIR),
    ("rename", ("dir", "file.txt"), errno.ENOTDIR),
    ("rename", ("file.txt", "x/"), errno.ENOTDIR),
    ("rename", ("file.txt/", "x"), errno.ENOTDIR),
    ("rename", ("dir", "dir/inner/x"), errno.EINVAL),
    ("link", ("missing", "x"), errno.ENOENT),
    ("link", ("file.txt", "to_file"), errno.EEXIST),
    ("link", ("dir", "x"), errno.EPERM),
    ("link", ("file.txt", "x/"), errno.ENOENT),
    ("symlink", ("x", "file.txt"), errno.EEXIST),
    ("symlink", ("x", "dir/"), errno.EEXIST),
    ("symlink", ("x", "file.txt/"), errno.ENOTDIR),
    ("symlink", ("x", "new/"), errno.ENOENT),
    ("symlink", ("a\0b", "new"), errno.EINVAL),
    ("readlink", ("file.txt",), errno.EINVAL),
    ("readlink", ("dir",), errno.EINVAL),
    ("readlink", ("to_dir/",), errno.EINVAL),
    ("readlink", ("missing",), errno.ENOENT),
    ("set_times", ("missing", 0, 0), errno.ENOENT),
]


@pytest.mark.parametrize(("method", "args", "number"), ERRORS, ids=lambda value: repr(value)[:40])
def test_what_cannot_be_done(fs: DirFS, method: str, args: tuple[Any, ...], number: int) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        getattr(fs, method)(*args)
    assert errno.errorcode[caught.value.errno or 0] == errno.errorcode[number]


def test_names_that_are_no_utf8_survive(fs: DirFS, root: Path) -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS refuses such names")
    name = os.fsdecode(b"caf\xe9")
    put(fs, name, CREATE, b"x")
    directory = fs.open_file(".", OpenFlags.DIRECTORY)
    assert name in {entry.name for entry in directory.read_directory()}
    directory.close()


def test_positions(fs: DirFS) -> None:
    file = fs.open_file("file.txt", BOTH)
    steps: list[tuple[Callable[[], object], object]] = [
        (lambda: file.pread(3, 4), b"ent"),
        (lambda: file.read(3), b"con"),
        (lambda: file.pwrite(b"XY", 5), 2),
        (lambda: file.read(10), b"teXY"),
        (lambda: file.seek(-2, os.SEEK_END), 5),
        (lambda: file.write(b"!!!"), 3),
        (lambda: file.seek(0, os.SEEK_CUR), 8),
        (lambda: file.truncate(2), None),
        (lambda: file.stat().size, 2),
        (lambda: file.pread(10, 0), b"co"),
        (file.sync, None),
        (file.datasync, None),
        (lambda: file.set_times(1, 2), None),
        (lambda: (file.stat().access_time, file.stat().modification_time), (1, 2)),
    ]
    for step, expected in steps:
        assert step() == expected
    file.close()
    with pytest.raises(OSError, match="descriptor"):
        file.read(1)
    file.close()  # a second time does nothing


def test_appending_goes_to_the_end_but_positioned_writes_do_not(fs: DirFS, root: Path) -> None:
    file = fs.open_file("file.txt", BOTH | OpenFlags.APPEND)
    file.write(b"+1")
    file.pwrite(b"C", 0)
    file.write(b"+2")
    file.set_append(False)
    file.seek(1, os.SEEK_SET)
    file.write(b"O")
    file.set_append(True)
    file.write(b"+3")
    file.close()
    assert (root / "file.txt").read_bytes() == b"COntent+1+2+3"


def test_nothing_is_opened_before_it_is_used(tmp_path: Path) -> None:
    fs = DirFS(tmp_path / "later")
    with pytest.raises(FileNotFoundError):
        fs.stat(".")
    (tmp_path / "later").mkdir()
    assert fs.stat(".").file_type is FileType.DIRECTORY


def test_a_relative_path_means_the_directory_it_meant_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mark").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    fs = DirFS(".")
    monkeypatch.chdir("/")
    assert fs.stat("mark").size == 0


def test_below_the_root_of_the_system_absolute_targets_stay_inside(tmp_path: Path) -> None:
    if not walk.HAS_DESCRIPTORS:
        pytest.skip("known by its path alone")
    (tmp_path / "file").write_bytes(b"content")
    whole = DirFS("/")
    link = str(tmp_path / "link").lstrip("/")
    whole.symlink(str(tmp_path / "file"), link)
    assert whole.stat(link).size == 7
    with pytest.raises(PermissionError):
        DirFS(tmp_path).stat("link")
    with pytest.raises(PermissionError):
        DirFS(tmp_path).symlink("/etc", "other")
