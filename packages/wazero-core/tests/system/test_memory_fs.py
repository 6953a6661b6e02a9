"""A tree in memory: its limits, what it keeps and gives back, and its host's side. What guests see is in test_fs_contract."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count

import pytest

from wazero_api.system import FS, Directory, FileType, OpenFlags
from wazero_core.system import MemFS
from wazero_core.system.memory_fs import MAX_DEPTH

READ, WRITE, BOTH = OpenFlags.READ_ONLY, OpenFlags.WRITE_ONLY, OpenFlags.READ_WRITE
CREATE, DIRECTORY = OpenFlags.CREATE, OpenFlags.DIRECTORY


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


def tree_of(fs: FS, path: str) -> FS:
    directory = fs.open_file(path, DIRECTORY)
    assert isinstance(directory, Directory)
    return directory.tree()


def test_what_the_host_puts_in_it_reads_back() -> None:
    fs = MemFS.from_mapping({"a/b/c.txt": b"deep", "a/d": b"", "e": b"top"})
    fs.write_bytes("a/b/new", b"new")
    fs.write_bytes("e", b"changed")
    fs.symlink("b/c.txt", "a/link")
    assert fs.read_bytes("a/link") == b"deep"
    assert {path: fs.read_bytes(path) for path, stat in fs.walk() if stat.file_type is FileType.REGULAR} == {
        "a/b/c.txt": b"deep",
        "a/b/new": b"new",
        "a/d": b"",
        "e": b"changed",
    }
    assert [path for path, _ in fs.walk()] == ["a", "e", "a/b", "a/d", "a/link", "a/b/c.txt", "a/b/new"]


@pytest.mark.parametrize(
    ("path", "number"),
    [("", "ENOENT"), ("/a", "EPERM"), ("../a", "EPERM"), ("a/../../b", "EPERM"), ("a/", "EISDIR"), ("f/x", "ENOTDIR")],
)
def test_paths_that_the_host_cannot_put_in(path: str, number: str) -> None:
    fs = MemFS.from_mapping({"f": b""})
    assert number_of(lambda: fs.write_bytes(path, b"x")) == number
    assert fs.read_bytes("f") == b""


@pytest.mark.parametrize(("max_bytes", "max_entries"), [(-1, 1), (1, -1)])
def test_limits_below_zero_are_refused(max_bytes: int, max_entries: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        MemFS(max_bytes, max_entries)


def used_bytes(fs: MemFS, limit: int) -> int:
    """What is not free, found by trying."""
    fs.open_file("probe", WRITE | CREATE).close()
    probe = fs.open_file("probe", WRITE)
    free = 0
    try:
        while True:
            free += probe.write(bytes(7))
    except OSError:
        return limit - free
    finally:
        probe.close()
        fs.unlink("probe")


def test_bytes_are_counted_and_given_back() -> None:
    fs = MemFS(max_bytes=100)
    file = fs.open_file("f", BOTH | CREATE)
    second = fs.open_file("f", READ)
    steps: list[tuple[Callable[[], object], int]] = [
        (lambda: file.write(b"x" * 10), 10),
        (lambda: file.pwrite(b"y", 29), 30),
        (lambda: file.pwrite(b"z" * 5, 0), 30),
        (lambda: file.truncate(12), 12),
        (lambda: file.truncate(50), 50),
        (lambda: fs.symlink("t" * 20, "link"), 70),
        (lambda: fs.link("link", "link2"), 70),
        (lambda: fs.unlink("link"), 70),
        (lambda: fs.unlink("link2"), 50),
        (lambda: fs.link("f", "g"), 50),
        (lambda: fs.unlink("f"), 50),
        (lambda: fs.unlink("g"), 50),
        (file.close, 50),
        (second.close, 0),
        (lambda: fs.write_bytes("h", b"x" * 20), 20),
        (lambda: fs.write_bytes("i", b"x" * 30), 50),
        (lambda: fs.rename("h", "i"), 20),
        (lambda: fs.open_file("i", WRITE | OpenFlags.TRUNCATE).close(), 0),
    ]
    for step, expected in steps:
        step()
        assert used_bytes(fs, 100) == expected


def test_what_does_not_fit_is_short_or_refused_and_nothing_is_taken() -> None:
    fs = MemFS(max_bytes=100)
    file = fs.open_file("f", BOTH | CREATE)
    assert file.write(b"x" * 150) == 100
    refused: list[Callable[[], object]] = [
        lambda: file.write(b"x"),
        lambda: file.pwrite(b"x", 100),
        lambda: file.pwrite(b"x", 1 << 40),
        lambda: file.truncate(101),
        lambda: file.truncate(1 << 62),
        lambda: fs.symlink("t", "link"),
        lambda: fs.write_bytes("g", b"x"),
    ]
    for operation in refused:
        assert number_of(operation) == "ENOSPC"
    assert file.stat().size == 100
    assert file.pwrite(b"yy", 99) == 1
    assert file.pwrite(b"zz", 0) == 2
    assert number_of(lambda: file.pwrite(b"x", (1 << 63) - 1)) == "EFBIG"
    file.close()


def test_a_guest_that_writes_without_end_ends() -> None:
    fs = MemFS(max_bytes=1 << 20)
    file = fs.open_file("f", WRITE | CREATE | OpenFlags.APPEND)
    while fs.stat("f").size < 1 << 20:
        assert 0 < file.write(bytes(1000)) <= 1000
    assert number_of(lambda: file.write(bytes(1000))) == "ENOSPC"
    assert fs.stat("f").size == 1 << 20
    file.close()


def test_names_are_counted_and_given_back() -> None:
    fs = MemFS(max_entries=4)
    fs.mkdir("d")
    fs.symlink("x", "d/link")
    fs.write_bytes("d/f", b"")
    fs.link("d/f", "g")
    makers: list[Callable[[], object]] = [
        lambda: fs.mkdir("new"),
        lambda: fs.symlink("x", "new"),
        lambda: fs.link("g", "new"),
        lambda: fs.open_file("new", WRITE | CREATE),
    ]
    for operation in makers:
        assert number_of(operation) == "ENOSPC"
    fs.rename("g", "h")
    fs.open_file("h", WRITE | CREATE).close()
    file = fs.open_file("h", READ)
    fs.unlink("d/f")
    fs.mkdir("new")
    fs.unlink("h")
    assert number_of(lambda: fs.mkdir("e")) == "ENOSPC"  # the file is still open
    file.close()
    fs.mkdir("e")
    directory = fs.open_file("e", DIRECTORY)
    fs.rmdir("e")
    assert number_of(lambda: fs.mkdir("e")) == "ENOSPC"
    directory.close()
    directory.close()
    fs.mkdir("e")
    assert number_of(lambda: fs.mkdir("f")) == "ENOSPC"


def test_directories_nest_only_so_deep() -> None:
    """By paths nobody gets deeper either; but each directory is reached from the one above it here."""
    fs = MemFS()
    here: FS = fs
    for _ in range(MAX_DEPTH):
        here.mkdir("d")
        here = tree_of(here, "d")
    assert number_of(lambda: here.mkdir("d")) == "ENAMETOOLONG"
    here.open_file("file", WRITE | CREATE).close()
    fs.mkdir("top")
    fs.mkdir("top/inner")
    assert number_of(lambda: fs.rename("top", "new", here)) == "ENAMETOOLONG"
    assert number_of(lambda: fs.rename("d", "top/d")) == "ENAMETOOLONG"
    assert number_of(lambda: fs.rename("d", "loop", here)) == "EINVAL"
    assert fs.stat("top/inner").file_type is FileType.DIRECTORY
    assert sum(1 for _ in fs.walk()) == MAX_DEPTH + 3


def test_a_deep_tree_goes_away_without_recursion() -> None:
    """In a process of its own, with little stack: a crash there would be a crash of the host."""
    code = """
import gc, threading
from wazero_api.system import OpenFlags
from wazero_core.system import MemFS

def work():
    fs = MemFS()
    here = fs
    for depth in range(2000):
        here.mkdir("d")
        here = here.open_file("d", OpenFlags.DIRECTORY).tree()
    held = here
    del fs, here
    gc.collect()
    held.mkdir("x")
    del held
    gc.collect()
    print("gone")

threading.stack_size(256 << 10)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "gone\n", "")


def test_numbers_are_unique_and_stay() -> None:
    fs = MemFS.from_mapping({"a": b"", "b": b"", "d/c": b""})
    before = {stat.inode for _, stat in fs.walk()}
    assert len(before) == 4
    inode = fs.stat("a").inode
    fs.rename("a", "d/a")
    assert fs.stat("d/a").inode == inode
    fs.unlink("b")
    fs.write_bytes("b", b"")
    assert fs.stat("b").inode not in before
    assert fs.stat(".").inode not in before
    assert fs.stat(".").device != MemFS().stat(".").device


def test_links_count_names() -> None:
    fs = MemFS.from_mapping({"a": b"", "d/e/f": b""})
    fs.link("a", "d/b")
    fs.mkdir("d/g")
    assert [fs.stat(path).links for path in ("a", "d/b", "d", "d/e", ".")] == [2, 2, 4, 2, 3]
    file = fs.open_file("a", READ)
    fs.unlink("a")
    fs.rename("d/g", "g")
    assert [fs.stat(path).links for path in ("d/b", "d", ".")] == [1, 3, 4]
    fs.unlink("d/b")
    assert file.stat().links == 0
    file.close()


def test_times_come_from_the_clock_that_is_given() -> None:
    ticks = count(100)
    fs = MemFS(clock=lambda: next(ticks))

    def times(path: str) -> tuple[int, int, int]:
        stat = fs.lstat(path)
        return stat.access_time, stat.modification_time, stat.change_time

    fs.mkdir("d")
    assert times("d") == (101, 101, 101)
    assert times(".") == (100, 102, 102)
    fs.write_bytes("d/f", b"x")
    made, changed, status = times("d/f")
    assert made < changed == status
    fs.read_bytes("d/f")
    assert times("d/f") == (made, changed, status)
    fs.set_times("d/f", -5, None)
    assert times("d/f")[:2] == (-5, changed)
    fs.set_times("d/f", None, 7)
    assert times("d/f")[:2] == (-5, 7)
    before = times("d")
    fs.link("d/f", "d/g")
    assert times("d") > before
    assert times("d/f")[2] > status
    assert MemFS().stat(".").modification_time > 1_600_000_000_000_000_000


@pytest.mark.parametrize("whence", [os.SEEK_SET, os.SEEK_CUR, os.SEEK_END])
def test_positions_have_an_end(whence: int) -> None:
    fs = MemFS.from_mapping({"f": b"x"})
    file = fs.open_file("f", BOTH)
    assert number_of(lambda: file.seek(1 << 63, whence)) == "EINVAL"
    assert file.seek((1 << 63) - 1, os.SEEK_SET) == (1 << 63) - 1
    assert file.read(1) == b""
    assert number_of(lambda: file.write(b"x")) == "EFBIG"
    assert number_of(lambda: file.seek(1, os.SEEK_CUR)) == "EINVAL"
    file.close()


def test_threads_share_one() -> None:
    fs = MemFS(max_bytes=1 << 20)
    fs.write_bytes("log", b"")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            log = fs.open_file("log", WRITE | OpenFlags.APPEND)
            for round_ in range(200):
                log.write(bytes([number]) * 10)
                fs.mkdir(f"{number}")
                fs.write_bytes(f"{number}/f", bytes(round_))
                fs.rename(f"{number}", f"moved{number}")
                fs.unlink(f"moved{number}/f")
                fs.rmdir(f"moved{number}")
            log.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(fs.read_bytes("log")) == sorted(bytes(range(4)) * 2000)
    assert [path for path, _ in fs.walk()] == ["log"]
    assert used_bytes(fs, 1 << 20) == 8000


def test_another_tree_is_another_device() -> None:
    fs = MemFS.from_mapping({"f": b"", "d/x": b""})
    assert number_of(lambda: fs.rename("f", "f", MemFS())) == "EXDEV"
    assert number_of(lambda: fs.link("f", "f", MemFS())) == "EXDEV"
    fs.rename("f", "f", tree_of(fs, "d"))
    assert [path for path, _ in fs.walk()] == ["d", "d/f", "d/x"]


OUTWARD = {
    "link to the parent": "..",
    "climbing": "../outside",
    "far": "../../../../../../etc/passwd",
    "through a directory": "d/../../outside",
    "through itself": "../root/../outside",
    "through a link": "to_d/../../outside",
    "with a slash": "../",
    "with dots": "./.././",
}


@pytest.mark.parametrize("name", OUTWARD)
@pytest.mark.parametrize("path", ["{}", "{}/", "{}/x", "{}/.", "to_{}", "d/deep_{}", "to_d/deep_{}/x", "d/../{}/x"])
def test_no_link_leads_out(name: str, path: str) -> None:
    fs = MemFS.from_mapping({"d/f": b""})
    fs.symlink("d", "to_d")
    fs.symlink(OUTWARD[name], name)
    fs.symlink(name, f"to_{name}")
    fs.symlink(f"../{OUTWARD[name]}", f"d/deep_{name}")
    before = [path for path, _ in fs.walk()]
    spelled = path.format(name)
    attacks: list[Callable[[], object]] = [
        lambda: fs.stat(spelled),
        lambda: fs.open_file(spelled, READ),
        lambda: fs.open_file(spelled, BOTH | CREATE),
        lambda: fs.set_times(spelled, 0, 0),
        lambda: fs.mkdir(f"{spelled}/new"),
        lambda: fs.rename("d/f", f"{spelled}/new"),
        lambda: fs.link("d/f", f"{spelled}/new"),
        lambda: fs.rename(f"{spelled}/f", "new"),
        lambda: fs.unlink(f"{spelled}/f"),
    ]
    for attack in attacks:
        assert number_of(attack) == "EPERM"
    assert [path for path, _ in fs.walk()] == before


@pytest.mark.parametrize("path", ["..", "../f", "up", "up/f", "inner/../..", "inner/up2/f", "/", "/f"])
def test_nor_out_of_an_open_directory(path: str) -> None:
    fs = MemFS.from_mapping({"f": b"", "d/inner/x": b""})
    fs.symlink("..", "d/up")
    fs.symlink("../..", "d/inner/up2")
    tree = tree_of(fs, "d")
    fs.stat("d/up/f")
    fs.stat("d/inner/up2/f")
    assert number_of(lambda: tree.stat(path)) == "EPERM"
    assert number_of(lambda: tree.open_file(path, READ | CREATE)) == "EPERM"


def test_costly_links_end() -> None:
    fs = MemFS()
    for depth in range(45):
        fs.symlink(f"l{depth + 1}", f"l{depth}")
    fs.write_bytes("l45", b"")
    assert number_of(lambda: fs.stat("l0")) == "ELOOP"
    fs.stat("l5")
    fs.mkdir("d")
    fs.symlink("d/../" * 800 + "two", "one")
    fs.symlink("d/../" * 800 + "one", "two")
    assert number_of(lambda: fs.stat("one")) == "ELOOP"
