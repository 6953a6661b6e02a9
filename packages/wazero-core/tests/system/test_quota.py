"""A file system that may grow only so far: what is counted, what is given back, and that nothing goes around it."""

from __future__ import annotations

import errno
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from wazero_api.system import FS, Directory, File, FileType, OpenFlags
from wazero_core.system import DirFS, MemFS, QuotaFS, ReadOnlyFS

READ, WRITE, BOTH = OpenFlags.READ_ONLY, OpenFlags.WRITE_ONLY, OpenFlags.READ_WRITE
CREATE, TRUNCATE, APPEND, DIRECTORY = OpenFlags.CREATE, OpenFlags.TRUNCATE, OpenFlags.APPEND, OpenFlags.DIRECTORY


@pytest.fixture(params=["directory", "memory"])
def inner(request: pytest.FixtureRequest, tmp_path: Path) -> FS:
    """Something that has `old` with 50 bytes, `old2` with 50, and a directory."""
    if request.param == "directory" and sys.platform == "win32":
        pytest.skip("files that are open cannot be removed there")
    fs: FS = DirFS(tmp_path) if request.param == "directory" else MemFS()
    for name in ("old", "old2"):
        file = fs.open_file(name, WRITE | CREATE)
        file.write(b"o" * 50)
        file.close()
    fs.mkdir("d")
    return fs


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


def is_full(operation: Callable[[], object]) -> bool:
    try:
        operation()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return True
        raise
    return False


def room(fs: QuotaFS) -> int:
    """Bytes that are left, found by trying; the file that it takes is removed again."""
    file = fs.open_file("probe", WRITE | CREATE)
    while not is_full(lambda: file.write(bytes(9))):
        pass
    found = file.stat().size
    file.close()
    fs.unlink("probe")
    return found


def names_left(fs: QuotaFS) -> int:
    found: list[str] = []
    while not is_full(lambda: fs.mkdir(f"probe{len(found)}")):
        found.append(f"probe{len(found)}")
    for path in found:
        fs.rmdir(path)
    return len(found)


def test_growth_is_counted_and_given_back(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100)
    old, new = fs.open_file("old", BOTH), fs.open_file("new", BOTH | CREATE)
    steps: list[tuple[Callable[[], object], int]] = [
        (lambda: old.pwrite(b"x" * 50, 0), 100),  # no growth
        (lambda: old.pwrite(b"x" * 10, 45), 95),
        (lambda: old.truncate(50), 100),
        (lambda: old.truncate(40), 100),  # never more than was given
        (lambda: old.truncate(50), 90),
        (lambda: new.write(b"x" * 20), 70),
        (lambda: new.pwrite(b"x", 59), 30),
        (lambda: new.write(b"x" * 20), 30),
        (lambda: new.truncate(30), 60),
        (lambda: fs.link("new", "second"), 60),
        (lambda: fs.unlink("new"), 60),
        (lambda: fs.unlink("second"), 60),
        (lambda: new.write(b"x"), 49),  # where it was before the file was cut: ten bytes are a hole
        (new.close, 90),  # the last who had it open
        (new.close, 90),
        (old.close, 90),
        (lambda: fs.open_file("old", BOTH | TRUNCATE).close(), 100),
    ]
    for number, (step, expected) in enumerate(steps):
        step()
        assert room(fs) == expected, number


def test_replacing_by_renaming_gives_back(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100)
    file = fs.open_file("new", WRITE | CREATE)
    file.write(b"x" * 60)
    file.close()
    fs.rename("old", "new")
    assert room(fs) == 100
    file = fs.open_file("new", BOTH)
    file.truncate(80)
    fs.rename("old2", "new")
    assert room(fs) == 70
    file.close()
    assert room(fs) == 100
    fs.link("new", "same")
    fs.rename("new", "same")
    fs.unlink("same")
    assert fs.stat("new").size == 50


def test_what_does_not_fit_is_short_or_refused(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100)
    file = fs.open_file("new", BOTH | CREATE)
    assert file.write(b"x" * 150) == 100
    refused: list[Callable[[], object]] = [
        lambda: file.write(b"x"),
        lambda: file.pwrite(b"x", 100),
        lambda: file.pwrite(b"x", 1 << 40),
        lambda: file.truncate(101),
        lambda: file.truncate(1 << 40),
    ]
    for operation in refused:
        assert number_of(operation) == "ENOSPC"
    assert file.pwrite(memoryview(b"yyy"), 99) == 1
    assert file.write(b"") == 0
    assert file.stat().size == 100
    reading = fs.open_file("new", READ)
    assert number_of(lambda: reading.write(b"x")) == "EBADF"
    assert number_of(lambda: reading.pwrite(b"x", 0)) == "EBADF"
    file.close()
    reading.close()


def test_a_guest_that_writes_without_end_ends(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=10_000)
    file = fs.open_file("log", WRITE | CREATE | APPEND)
    while inner.stat("log").size < 10_000:
        assert 0 < file.write(bytes(333)) <= 333
    assert number_of(lambda: file.write(bytes(333))) == "ENOSPC"
    assert inner.stat("log").size == 10_000
    file.close()


def test_appending_is_counted_from_the_end(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=10)
    file = fs.open_file("old", WRITE | APPEND)
    assert file.write(b"x" * 20) == 10
    file.truncate(50)
    file.set_append(False)
    assert file.seek(0, 0) == 0
    assert file.write(b"x" * 50) == 50
    file.set_append(True)
    assert file.write(b"x" * 20) == 10
    file.close()


def test_names_are_counted_and_given_back(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100, max_entries=3)
    fs.mkdir("a")
    fs.symlink("x", "a/link")
    fs.open_file("a/f", WRITE | CREATE).close()
    full: dict[str, Callable[[], object]] = {
        "mkdir": lambda: fs.mkdir("new"),
        "symlink": lambda: fs.symlink("x", "new"),
        "link": lambda: fs.link("old", "new"),
        "create": lambda: fs.open_file("new", WRITE | CREATE),
        "create through a link": lambda: fs.open_file("a/link", WRITE | CREATE),
    }
    for name, operation in full.items():
        assert number_of(operation) == "ENOSPC", name
    assert number_of(lambda: fs.mkdir("d")) == "EEXIST"
    assert number_of(lambda: fs.open_file("new", WRITE | TRUNCATE)) == "ENOENT"
    fs.open_file("a/f", WRITE | CREATE).close()
    fs.rename("a/f", "g")
    assert names_left(fs) == 0
    fs.rename("g", "old")  # one name less
    assert names_left(fs) == 1
    fs.link("old", "hard")
    fs.rename("old", "hard")  # both are one file: nothing happens
    assert names_left(fs) == 0
    for path in ("old", "hard", "a/link", "old2"):
        fs.unlink(path)
    fs.rmdir("a")
    fs.rmdir("d")
    assert names_left(fs) == 3  # not more, though older names went


def test_what_fails_is_not_counted(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100, max_entries=1)
    failing: dict[str, Callable[[], object]] = {
        "EEXIST": lambda: fs.mkdir("d"),
        "ENOENT": lambda: fs.symlink("x", "missing/x"),
        "EPERM": lambda: fs.link("d", "new"),
        "EISDIR": lambda: fs.open_file("new/", WRITE | CREATE),
        "ENOTDIR": lambda: fs.rmdir("old"),
    }
    for number, operation in failing.items():
        assert number_of(operation) == number
    assert names_left(fs) == 1


def tree(fs: FS, path: str) -> FS:
    directory = fs.open_file(path, DIRECTORY)
    assert isinstance(directory, Directory)
    assert directory.read_directory() is not None
    return directory.tree()


def test_trees_of_directories_are_counted_together(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100, max_entries=3)
    below = tree(fs, "d")
    deeper = tree(below, ".")
    file = deeper.open_file("f", WRITE | CREATE)
    file.write(b"x" * 70)
    file.close()
    assert room(fs) == 30
    below.rename("f", "up", fs)
    fs.link("up", "down", below)
    assert names_left(fs) == 1
    other = QuotaFS(inner, max_bytes=1)
    for target in (other, inner):
        assert number_of(lambda target=target: fs.rename("up", "x", target)) == "EXDEV"  # type: ignore[misc]
        assert number_of(lambda target=target: fs.link("up", "x", target)) == "EXDEV"  # type: ignore[misc]


def test_directories_are_themselves_after_a_move(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=100)
    below = tree(fs, "d")
    fs.rename("d", "moved")
    below.mkdir("inner")
    assert fs.stat("moved/inner").file_type is FileType.DIRECTORY


def test_no_descriptor_goes_around_it(tmp_path: Path) -> None:
    file = QuotaFS(DirFS(tmp_path), max_bytes=1).open_file("f", WRITE | CREATE)
    assert file.fileno() is None
    file.sync()
    file.datasync()
    file.close()


def test_a_read_only_file_system_stays_one(inner: FS) -> None:
    fs = QuotaFS(ReadOnlyFS(inner), max_bytes=100)
    assert number_of(lambda: fs.mkdir("new")) == "EROFS"
    assert number_of(lambda: fs.open_file("old", BOTH)) == "EROFS"
    file = fs.open_file("old", READ)
    assert (file.read(2), file.pread(2, 48), file.seek(0, 2)) == (b"oo", b"oo", 50)
    file.close()
    assert number_of(lambda: fs.readlink("old")) == "EINVAL"


@pytest.mark.parametrize("limits", [{"max_bytes": -1}, {"max_bytes": 1, "max_entries": -1}])
def test_limits_below_zero_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        QuotaFS(MemFS(), **limits)


def measure(fs: FS) -> tuple[int, int]:
    """Bytes of all files, each counted once, and names."""
    sizes: dict[int, int] = {}
    names, waiting = 0, ["."]
    while waiting:
        here = waiting.pop()
        directory = fs.open_file(here, DIRECTORY)
        for entry in directory.read_directory():
            names += 1
            path = f"{here}/{entry.name}"
            stat = fs.lstat(path)
            if stat.file_type is FileType.DIRECTORY:
                waiting.append(path)
            elif stat.file_type is FileType.REGULAR:
                sizes[stat.inode] = stat.size
        directory.close()
    return sum(sizes.values()), names


def do_something(fs: QuotaFS, files: list[File], rng: random.Random) -> None:
    """One operation of a guest, with names and files that often exist."""
    paths = ["old", "old2", "d", "d/a", "d/b", "a", "b", "c", "e", "f"]
    path, other, file = rng.choice(paths), rng.choice(paths), rng.choice(files)
    openings = [BOTH, BOTH | TRUNCATE, BOTH | CREATE, BOTH | CREATE | TRUNCATE, BOTH | CREATE | APPEND]
    operations: list[Callable[[], object]] = [
        *[lambda: files.append(fs.open_file(path, rng.choice(openings)))] * 3,
        lambda: file.write(bytes(rng.randrange(60))),
        lambda: file.pwrite(bytes(rng.randrange(60)), rng.randrange(120)),
        lambda: file.truncate(rng.randrange(120)),
        lambda: fs.unlink(path),
        lambda: fs.rename(path, other),
        lambda: fs.link(path, other),
        lambda: fs.mkdir(path),
        lambda: fs.rmdir(path),
    ]
    rng.choice(operations)()
    if len(files) > rng.randrange(3, 10):
        files.remove(file)
        file.close()


def test_whatever_a_guest_does_it_grows_no_further(inner: FS) -> None:
    """Random operations; then what is there is compared with what was there before."""
    rng = random.Random(4)
    bytes_before, names_before = measure(inner)
    fs = QuotaFS(inner, max_bytes=100, max_entries=5)
    files = [fs.open_file("old", BOTH)]
    refused = 0
    for _ in range(3000):
        try:
            do_something(fs, files, rng)
        except OSError as error:
            refused += error.errno == errno.ENOSPC
        total, names = measure(inner)
        assert total <= bytes_before + 100
        assert names <= names_before + 5
    assert refused > 50
    for file in files:
        file.close()


def test_threads_do_not_get_more(inner: FS) -> None:
    fs = QuotaFS(inner, max_bytes=5_000)

    def work(number: int) -> None:
        file = fs.open_file(f"t{number}", WRITE | CREATE)
        try:
            while True:
                file.write(b"x" * 7)
        except OSError:
            file.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(inner.stat(f"t{number}").size for number in range(4)) == 5_000
