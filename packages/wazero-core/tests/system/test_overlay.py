"""Two layers as one tree: what goes where, and that the lower one stays as it is. What guests see is in test_fs_contract."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import FS, Directory, FileType, OpenFlags
from wazero_core.system import DirFS, MemFS, OverlayFS, ReadOnlyFS

READ, WRITE, BOTH = OpenFlags.READ_ONLY, OpenFlags.WRITE_ONLY, OpenFlags.READ_WRITE
CREATE, TRUNCATE, DIRECTORY = OpenFlags.CREATE, OpenFlags.TRUNCATE, OpenFlags.DIRECTORY

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


def below() -> MemFS:
    fs = MemFS.from_mapping({"a/x": b"ax", "a/y": b"ay", "a/b/z": b"abz", "f": b"content"})
    fs.mkdir("e", 0o751)
    fs.symlink("a/x", "link")
    fs.symlink("f", "a/late")
    for path, _ in list(fs.walk()):
        fs.set_times(path, 11, 22, follow=False)
    return fs


def names(fs: FS, path: str = ".") -> set[str]:
    directory = fs.open_file(path, DIRECTORY)
    try:
        entries = [entry.name for entry in directory.read_directory()]
    finally:
        directory.close()
    assert len(entries) == len(set(entries))
    return set(entries)


def content(fs: FS, path: str) -> bytes:
    file = fs.open_file(path, READ)
    try:
        return file.read(1 << 20)
    finally:
        file.close()


def paths(fs: MemFS) -> list[str]:
    return sorted(path for path, _ in fs.walk())


def state(fs: MemFS) -> object:
    return [
        (path, stat, fs.readlink(path) if stat.file_type is FileType.SYMBOLIC_LINK else b"") for path, stat in fs.walk()
    ]


def write(fs: FS, path: str, data: bytes, flags: OpenFlags = WRITE | CREATE) -> None:
    file = fs.open_file(path, flags)
    try:
        file.write(data)
    finally:
        file.close()


STEPS: dict[str, tuple[Callable[[OverlayFS], object], list[str]]] = {
    # what is done, and what is above afterwards
    "read": (lambda fs: (content(fs, "a/b/z"), names(fs, "a"), fs.stat("link"), fs.readlink("link")), []),
    "write": (lambda fs: write(fs, "a/b/z", b"X"), ["a", "a/b", "a/b/z"]),
    "append": (lambda fs: write(fs, "f", b"+", WRITE | OpenFlags.APPEND), ["f"]),
    "truncate": (lambda fs: fs.open_file("f", TRUNCATE), ["f"]),
    "open to write": (lambda fs: fs.open_file("f", BOTH), ["f"]),
    "open to append, reading": (lambda fs: fs.open_file("f", READ | OpenFlags.APPEND), []),
    "create what is there, to read": (lambda fs: fs.open_file("f", CREATE), []),
    "write through a link": (lambda fs: write(fs, "link", b"X"), ["a", "a/x"]),
    "create": (lambda fs: write(fs, "a/b/new", b""), ["a", "a/b", "a/b/new"]),
    "mkdir": (lambda fs: fs.mkdir("a/new"), ["a", "a/new"]),
    "symlink": (lambda fs: fs.symlink("x", "a/new"), ["a", "a/new"]),
    "link": (lambda fs: fs.link("f", "a/new"), ["a", "a/new", "f"]),
    "link a link": (lambda fs: fs.link("link", "new"), ["link", "new"]),
    "times": (lambda fs: fs.set_times("a/b/z", 1, 2), ["a", "a/b", "a/b/z"]),
    "times of a directory": (lambda fs: fs.set_times("a/b", 1, 2), ["a", "a/b"]),
    "times of a link": (lambda fs: fs.set_times("link", 1, 2, follow=False), ["link"]),
    "rename": (lambda fs: fs.rename("a/x", "a/b/moved"), ["a", "a/b", "a/b/moved"]),
    "rename over": (lambda fs: fs.rename("f", "a/x"), ["a", "a/x"]),
    "rename a link": (lambda fs: fs.rename("link", "new"), ["new"]),
    "unlink": (lambda fs: fs.unlink("a/x"), []),
    "rmdir": (lambda fs: fs.rmdir("e"), []),
    "rmdir and mkdir": (lambda fs: [fs.rmdir("e"), fs.mkdir("e")], ["e"]),  # type: ignore[func-returns-value]
    "rename back": (lambda fs: [fs.rename("f", "g"), fs.rename("g", "f")], ["f"]),  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("name", STEPS)
def test_what_goes_up(name: str) -> None:
    lower, upper = below(), MemFS()
    before = state(lower)
    operation, expected = STEPS[name]
    operation(OverlayFS(lower, upper))
    assert paths(upper) == expected
    assert state(lower) == before


def test_what_is_copied_keeps_content_times_and_permissions() -> None:
    lower, upper = below(), MemFS()
    big = bytes(range(256)) * 10_000
    lower.write_bytes("a/big", big)
    lower.set_times("a/big", 33, 44)
    fs = OverlayFS(lower, upper)
    fs.open_file("a/big", BOTH).close()
    fs.set_times("e", 1, None)
    assert upper.read_bytes("a/big") == big
    assert (upper.stat("a/big").access_time, upper.stat("a/big").modification_time) == (33, 44)
    assert (upper.stat("e").permissions, upper.stat("e").access_time) == (0o751, 1)


def test_who_reads_from_below_goes_on_reading_that() -> None:
    fs = OverlayFS(below())
    before = fs.open_file("f", READ)
    assert before.read(3) == b"con"
    write(fs, "f", b"CHANGED")
    after = fs.open_file("f", READ)
    assert (before.read(9), after.read(9)) == (b"tent", b"CHANGED")
    assert before.stat() != after.stat()
    fs.unlink("f")
    assert (before.pread(9, 0), after.pread(9, 0)) == (b"content", b"CHANGED")
    before.close()
    after.close()


def test_times_of_a_file_that_is_open_for_reading() -> None:
    lower, upper = below(), MemFS()
    fs = OverlayFS(lower, upper)
    file = fs.open_file("f", READ)
    file.set_times(1, 2)
    assert (fs.stat("f").modification_time, lower.stat("f").modification_time) == (2, 22)
    file.set_times(3, 4)
    assert upper.stat("f").modification_time == 4
    fs.unlink("f")
    assert number_of(lambda: file.set_times(5, 6)) == "EROFS"
    fs.mkdir("f")
    assert number_of(lambda: file.set_times(5, 6)) == "EROFS"
    file.close()


def test_removed_names_stay_removed_and_new_directories_are_empty() -> None:
    lower = below()
    fs = OverlayFS(lower)
    fs.unlink("a/b/z")
    fs.rmdir("a/b")
    assert names(fs, "a") == {"x", "y", "late"}
    fs.mkdir("a/b")
    assert names(fs, "a/b") == set()
    write(fs, "a/b/new", b"")
    assert names(fs, "a/b") == {"new"}
    assert number_of(lambda: fs.stat("a/b/z")) == "ENOENT"
    fs.rename("a/b", "moved")
    assert names(fs, "moved") == {"new"}
    fs.mkdir("a/b")
    assert names(fs, "a/b") == set()
    assert content(lower, "a/b/z") == b"abz"


def test_a_file_in_the_place_of_a_directory_hides_it() -> None:
    fs = OverlayFS(below())
    fs.unlink("a/b/z")
    fs.rmdir("a/b")
    write(fs, "a/b", b"file")
    assert number_of(lambda: fs.stat("a/b/z")) == "ENOTDIR"
    fs.unlink("a/b")
    assert number_of(lambda: fs.stat("a/b")) == "ENOENT"
    fs.mkdir("a/b")
    assert names(fs, "a/b") == set()


def test_an_upper_layer_that_has_something_already() -> None:
    upper = MemFS.from_mapping({"a/x": b"AX", "a/new": b"new", "e": b"file", "link/inside": b"inside"})
    fs = OverlayFS(below(), upper)
    assert names(fs) == {"a", "f", "e", "link"}
    assert names(fs, "a") == {"x", "y", "b", "late", "new"}
    assert (content(fs, "a/x"), content(fs, "e"), content(fs, "link/inside")) == (b"AX", b"file", b"inside")
    fs.unlink("a/x")
    assert number_of(lambda: fs.stat("a/x")) == "ENOENT"
    fs.unlink("e")
    fs.mkdir("e")
    assert names(fs) == {"a", "f", "e", "link"}


def test_links_lead_from_one_layer_into_the_other() -> None:
    lower, upper = below(), MemFS()
    upper.symlink("a/b", "up_to_down")
    upper.mkdir("a")
    upper.symlink("../up_to_down/z", "a/twice")
    lower.symlink("a/only_above", "down_to_up")
    upper.write_bytes("a/only_above", b"above")
    fs = OverlayFS(lower, upper)
    assert content(fs, "up_to_down/z") == b"abz"
    assert content(fs, "a/twice") == b"abz"
    assert content(fs, "down_to_up") == b"above"
    write(fs, "a/twice", b"X")
    assert content(fs, "a/b/z") == b"Xbz"
    assert content(lower, "a/b/z") == b"abz"


def test_directories_that_are_below_cannot_be_renamed() -> None:
    fs = OverlayFS(below())
    for old, new in [("a", "new"), ("e", "new"), ("a/b", "e")]:
        assert number_of(lambda old=old, new=new: fs.rename(old, new)) == "EXDEV"  # type: ignore[misc]
    fs.mkdir("own")
    fs.mkdir("own/inner")
    fs.rename("own", "e")
    assert names(fs, "e") == {"inner"}
    fs.rmdir("e/inner")
    fs.rmdir("e")
    assert "e" not in names(fs)


def test_open_directories_stay_themselves() -> None:
    fs = OverlayFS(below())
    fs.mkdir("own")
    own, both = fs.open_file("own", DIRECTORY), fs.open_file("e", DIRECTORY)
    assert isinstance(own, Directory)
    assert isinstance(both, Directory)
    number = both.stat().inode
    fs.rename("own", "moved")
    own.tree().mkdir("inside")
    assert names(fs, "moved") == {"inside"}
    write(both.tree(), "new", b"")
    assert names(fs, "e") == {"new"}
    assert both.stat().inode == fs.stat("e").inode == number
    fs.unlink("e/new")
    fs.rmdir("e")
    fs.mkdir("e")
    assert number_of(lambda: both.tree().mkdir("late")) == "ENOENT"
    assert list(both.read_directory()) == []
    assert both.stat().inode == number != fs.stat("e").inode
    for directory in (own, both):
        directory.close()
        directory.close()
        assert number_of(directory.read_directory) == "EBADF"
        assert number_of(lambda directory=directory: directory.tree().stat(".")) == "EBADF"  # type: ignore[misc]


def test_an_upper_layer_that_is_full_changes_nothing() -> None:
    lower, upper = below(), MemFS(max_bytes=3, max_entries=2)
    fs = OverlayFS(lower, upper)
    assert number_of(lambda: fs.open_file("f", BOTH)) == "ENOSPC"
    assert paths(upper) == []
    assert content(fs, "f") == b"content"
    assert number_of(lambda: fs.rename("f", "new")) == "ENOSPC"
    assert "new" not in names(fs)
    fs.open_file("f", BOTH | TRUNCATE).close()
    assert number_of(lambda: fs.open_file("a/b/z", BOTH)) == "ENOSPC"
    assert content(fs, "a/b/z") == b"abz"
    fs.unlink("a/b/z")  # takes no room
    fs.rmdir("a/b")
    assert names(fs, "a") == {"x", "y", "late"}


def test_an_upper_layer_that_cannot_be_written() -> None:
    fs = OverlayFS(below(), ReadOnlyFS(MemFS()))
    for operation in (lambda: fs.open_file("f", BOTH), lambda: fs.mkdir("new"), lambda: fs.rename("f", "new")):
        assert number_of(operation) == "EROFS"
    assert names(fs) == {"a", "e", "f", "link"}


def test_without_an_upper_layer_changes_are_in_memory(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    fs = OverlayFS(DirFS(tmp_path))
    write(fs, "f", b"CON")
    write(fs, "new", b"new")
    assert (content(fs, "f"), content(fs, "new")) == (b"CONtent", b"new")
    assert (tmp_path / "f").read_bytes() == b"content"
    assert not (tmp_path / "new").exists()


def test_files_of_both_layers_are_different_ones() -> None:
    fs = OverlayFS(MemFS.from_mapping({"below": b""}), MemFS.from_mapping({"above": b""}))
    stats = [fs.stat(path) for path in ("below", "above")]
    assert len({(stat.device, stat.inode) for stat in stats}) == 2


@needs_links
@pytest.mark.parametrize("layer", ["below", "above"])
@pytest.mark.parametrize("end", ["", "/", "/secret", "/..", "/../root/f"])
@pytest.mark.parametrize(
    "target",
    ["/", "/etc", "{outside}", "..", "../outside", "dir/../../outside", "to_dir/../../outside", "dir/up/outside"],
)
def test_no_link_leads_out(tmp_path: Path, target: str, end: str, layer: str) -> None:
    """Links of the host, so absolute ones too, in either layer."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    layers = {"below": tmp_path / "below", "above": tmp_path / "above"}
    for layer_path in layers.values():
        (layer_path / "dir").mkdir(parents=True)
    (layers["below"] / "to_dir").symlink_to("dir")
    (layers["above"] / "dir" / "up").symlink_to("../..")
    (layers["below"] / "f").write_bytes(b"inside")
    (layers[layer] / "link").symlink_to(target.format(outside=outside))
    fs = OverlayFS(DirFS(layers["below"]), DirFS(layers["above"]))
    path = f"link{end}"
    attacks: list[Callable[[], object]] = [
        lambda: fs.stat(path),
        lambda: fs.open_file(path, READ),
        lambda: fs.open_file(path, BOTH | CREATE),
        lambda: fs.set_times(path, 0, 0),
        lambda: fs.mkdir(f"{path}/new"),
        lambda: fs.unlink(f"{path}/secret"),
        lambda: fs.rename(f"{path}/secret", "stolen"),
        lambda: fs.rename("f", f"{path}/planted"),
        lambda: fs.link("f", f"{path}/planted"),
    ]
    for attack in attacks:
        assert number_of(attack) == "EPERM"
    assert [entry.name for entry in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


@needs_links
def test_a_lower_link_that_is_swapped_for_a_directory_above_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "above" / "d").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tmp_path / "below" / "d").symlink_to("../outside")
    fs = OverlayFS(DirFS(tmp_path / "below"), DirFS(tmp_path / "above"))
    assert number_of(lambda: fs.stat("d/secret")) == "ENOENT"
    write(fs, "d/secret", b"mine")
    fs.unlink("d/secret")
    fs.rmdir("d")
    assert number_of(lambda: fs.stat("d")) == "ENOENT"
    assert (tmp_path / "outside" / "secret").read_bytes() == b"secret"


class Vanishing:
    """A file system in which somebody removes every link right after it was looked at."""

    def __init__(self, fs: MemFS) -> None:
        self._fs = fs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    def readlink(self, path: str) -> str:
        raise FileNotFoundError(errno.ENOENT, "gone")


@pytest.mark.parametrize("path", ["link", "link/", "link/x", "a/late"])
def test_links_that_vanish_are_not_waited_for(path: str) -> None:
    lower: Any = Vanishing(below())
    fs = OverlayFS(lower)
    assert number_of(lambda: fs.stat(path)) == "ENOENT"
    assert number_of(lambda: fs.open_file(path, READ)) == "ENOENT"
    assert fs.lstat("link").file_type is FileType.SYMBOLIC_LINK
