"""Zip archives and resources as file systems, hostile ones too. What guests see of well-made ones is in test_fs_contract."""

from __future__ import annotations

import errno
import io
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from wazero_api.system import FS, FileType, OpenFlags
from wazero_core.system import ResourceFS, ZipFS

READ, BOTH, CREATE, DIRECTORY = OpenFlags.READ_ONLY, OpenFlags.READ_WRITE, OpenFlags.CREATE, OpenFlags.DIRECTORY

Entry = tuple[str, bytes] | tuple[str, bytes, int]
"""Name, content, Unix mode."""

LINK = 0o120777


def number_of(operation: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared
        operation()
    return errno.errorcode[caught.value.errno or 0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def archive_of(*entries: Entry, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content, *mode in entries:
            info = zipfile.ZipInfo("x" * len(name), (2020, 2, 3, 4, 5, 6))
            info.filename = name  # as it is, whatever it is
            info.compress_type = method
            info.external_attr = (mode[0] if mode else 0o100644) << 16
            archive.writestr(info, content)
    return stream


def content(fs: FS, path: str) -> bytes:
    file = fs.open_file(path, READ)
    try:
        parts = []
        while part := file.read(1 << 16):
            parts.append(part)
        return b"".join(parts)
    finally:
        file.close()


def everything(fs: FS) -> dict[str, bytes | str | None]:
    found: dict[str, bytes | str | None] = {}
    waiting = [""]
    while waiting:
        here = waiting.pop()
        directory = fs.open_file(here or ".", DIRECTORY)
        for entry in directory.read_directory():
            path = here + entry.name
            if entry.file_type is FileType.DIRECTORY:
                found[path] = None
                waiting.append(path + "/")
            elif entry.file_type is FileType.SYMBOLIC_LINK:
                found[path] = fs.readlink(path)
            else:
                found[path] = content(fs, path)
        directory.close()
    return found


HOSTILE: dict[str, tuple[list[Entry], dict[str, bytes | str | None]]] = {
    "climbing": ([("../x", b"1"), ("a/../../x", b"2"), ("..", b"3"), ("ok", b"4")], {"ok": b"4"}),
    "inner climbing": ([("a/../x", b"1"), ("b/..", b"2")], {}),
    "absolute": ([("/x", b"1"), ("//x", b"2"), ("/", b"")], {}),
    "backslashes": ([("a\\b", b"1"), ("..\\x", b"2"), ("C:\\x", b"3"), ("\\\\host\\x", b"4")], {}),
    "dots and slashes": ([("./a", b"1"), ("b//c", b"2"), ("./", b""), (".", b"")], {"a": b"1", "b": None, "b/c": b"2"}),
    "duplicates": ([("a", b"old"), ("./a", b"new")], {"a": b"new"}),
    "a file that is a directory": ([("a", b"1"), ("a/b", b"2")], {"a": None, "a/b": b"2"}),
    "a directory that is a file": ([("a/b", b"2"), ("a", b"1")], {"a": None, "a/b": b"2"}),
    "under a link": ([("a", b"/etc", LINK), ("a/passwd", b"mine")], {"a": None, "a/passwd": b"mine"}),
    "link last": ([("a/passwd", b"mine"), ("a", b"/etc", LINK)], {"a": None, "a/passwd": b"mine"}),
    "devices": ([("null", b"", 0o020666), ("pipe", b"", 0o010666), ("socket", b"", 0o140666)], {}),
    "long names": ([("x" * 256, b"1"), ("y" * 255, b"2"), ("d/" * 3000 + "f", b"3")], {"y" * 255: b"2"}),
    "directories without a slash": ([("d", b"", 0o040755), ("d/f", b"1")], {"d": None, "d/f": b"1"}),
    "implied": ([("a/b/c/d", b"1")], {"a": None, "a/b": None, "a/b/c": None, "a/b/c/d": b"1"}),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_could_confuse(name: str) -> None:
    entries, expected = HOSTILE[name]
    assert everything(ZipFS(archive_of(*entries))) == expected


TARGETS = [
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "d/../..",
    "d/../../x",
    "to_d/../../x",
    "./..",
    "../../../../etc",
    "d/deep/../../..",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", ["link", "link/", "link/x", "twice", "d/back", "d/../link/x"])
def test_no_link_leads_out(target: str, path: str) -> None:
    fs = ZipFS(
        archive_of(
            ("link", target.encode(), LINK),
            ("twice", b"link", LINK),
            ("d/back", b"../link", LINK),
            ("to_d", b"d", LINK),
            ("d/deep/f", b""),
        )
    )
    assert fs.readlink("link") == target
    for operation in (
        lambda: fs.stat(path),
        lambda: fs.open_file(path, READ),
        lambda: fs.open_file(path, BOTH | CREATE),
        lambda: fs.mkdir(f"{path}/x"),
        lambda: fs.rename("d/deep/f", f"{path}/x"),
    ):
        assert number_of(operation) == "EPERM"


@pytest.mark.parametrize("target", [b"", b"a\0b", b"x" * 4096, b"x" * 100_000])
def test_links_that_cannot_be_one(target: bytes) -> None:
    fs = ZipFS(archive_of(("link", target, LINK)))
    assert fs.lstat("link").file_type is FileType.SYMBOLIC_LINK
    assert number_of(lambda: fs.readlink("link")) == "EIO"
    assert number_of(lambda: fs.stat("link")) == "EIO"


def test_links_are_followed_inside() -> None:
    fs = ZipFS(archive_of(("a/link", b"../b/c", LINK), ("b/c", b"content"), ("loop", b"loop", LINK)))
    assert content(fs, "a/link") == b"content"
    assert number_of(lambda: fs.stat("loop")) == "ELOOP"


def test_what_is_known_of_files() -> None:
    fs = ZipFS(archive_of(("d/f", b"12345", 0o100755), ("d/", b"")))
    stat = fs.stat("d/f")
    assert (stat.size, stat.permissions, stat.modification_time) == (5, 0o555, 1_580_702_706_000_000_000)
    assert fs.stat("d").modification_time == stat.modification_time
    assert len({fs.stat(path).inode for path in (".", "d", "d/f")}) == 3
    assert fs.stat(".").modification_time == 0


CHANGES: dict[str, tuple[Callable[[FS], object], str]] = {
    "write": (lambda fs: fs.open_file("d/f", BOTH), "EROFS"),
    "truncate": (lambda fs: fs.open_file("d/f", OpenFlags.TRUNCATE), "EROFS"),
    "create": (lambda fs: fs.open_file("new", BOTH | CREATE), "EROFS"),
    "create what is there": (lambda fs: fs.open_file("d/f", CREATE | OpenFlags.EXCLUSIVE), "EEXIST"),
    "mkdir": (lambda fs: fs.mkdir("new"), "EROFS"),
    "mkdir what is there": (lambda fs: fs.mkdir("d"), "EEXIST"),
    "rmdir": (lambda fs: fs.rmdir("e"), "EROFS"),
    "unlink": (lambda fs: fs.unlink("d/f"), "EROFS"),
    "rename": (lambda fs: fs.rename("d/f", "new"), "EROFS"),
    "rename a directory": (lambda fs: fs.rename("d", "e"), "EROFS"),
    "link": (lambda fs: fs.link("d/f", "new"), "EROFS"),
    "symlink": (lambda fs: fs.symlink("d", "new"), "EROFS"),
    "set_times": (lambda fs: fs.set_times("d/f", 0, 0), "EROFS"),
    "file: times": (lambda fs: fs.open_file("d/f", READ).set_times(0, 0), "EROFS"),
    "file: write": (lambda fs: fs.open_file("d/f", READ).write(b"x"), "EBADF"),
    "directory: times": (lambda fs: fs.open_file("d", READ).set_times(0, 0), "EROFS"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_can_be_changed(name: str) -> None:
    stream = archive_of(("d/f", b"content"), ("e/", b""))
    before = stream.getvalue()
    operation, number = CHANGES[name]
    assert number_of(lambda: operation(ZipFS(stream))) == number
    assert stream.getvalue() == before


def damaged(
    change: Callable[[bytearray], None], data: bytes = b"content" * 100, method: int = zipfile.ZIP_DEFLATED
) -> io.BytesIO:
    archive = bytearray(archive_of(("f", data), method=method).getvalue())
    change(archive)
    return io.BytesIO(archive)


def put(offset: int, layout: str, value: int) -> Callable[[bytearray], None]:
    """Write a field of the entry in the archive's directory."""
    return lambda archive: struct.pack_into(layout, archive, archive.rindex(b"PK\x01\x02") + offset, value)


DAMAGED: dict[str, tuple[io.BytesIO, str]] = {
    "checksum": (damaged(put(16, "<I", 12345)), "EIO"),
    "checksum, stored": (damaged(put(16, "<I", 12345), method=zipfile.ZIP_STORED), "EIO"),
    "shorter than announced": (damaged(put(24, "<I", 1000)), "EIO"),
    "longer than announced": (damaged(put(24, "<I", 10)), "EIO"),
    "stored, cut": (damaged(put(20, "<I", 10), method=zipfile.ZIP_STORED), "EIO"),
    "compressed data cut": (damaged(put(20, "<I", 3)), "EIO"),
    "garbage": (damaged(lambda archive: archive.__setitem__(slice(31, 36), b"\xff" * 5)), "EIO"),
    "another local name": (damaged(lambda archive: archive.__setitem__(30, 65)), "EIO"),
    "data beyond the end": (damaged(put(42, "<I", 5000)), "EIO"),
    "encrypted": (damaged(put(8, "<H", 1)), "ENOTSUP"),
    "unknown method": (damaged(put(10, "<H", 99)), "ENOTSUP"),
    "bzip2": (damaged(lambda archive: None, method=zipfile.ZIP_BZIP2), "ENOTSUP"),
    "lzma": (damaged(lambda archive: None, method=zipfile.ZIP_LZMA), "ENOTSUP"),
    "much announced": (damaged(put(24, "<I", 0xFFFF_FFF0)), "EFBIG"),
}


@pytest.mark.parametrize("cached", [0, 1 << 20])
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_and_forged_archives(name: str, cached: int) -> None:
    stream, number = DAMAGED[name]
    fs = ZipFS(stream, max_cached_bytes=cached)
    assert fs.stat("f").file_type is FileType.REGULAR
    assert number_of(lambda: content(fs, "f")) == number


def test_a_bomb_takes_no_memory() -> None:
    """A file of 64 MB that is 64 KB in the archive, read from its end, where no more than 1 MB may be kept."""
    import tracemalloc

    fs = ZipFS(archive_of(("bomb", bytes(64 << 20))), max_cached_bytes=1 << 20)
    file = fs.open_file("bomb", READ)
    tracemalloc.start()
    try:
        assert file.pread(10, (64 << 20) - 5) == bytes(5)
        assert len(file.read(64 << 20)) <= 1 << 20
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    file.close()
    assert number_of(lambda: ZipFS(archive_of(("f", bytes(11))), max_file_bytes=10).open_file("f", READ)) == "EFBIG"


def test_contents_that_are_kept_stay_within_the_limit() -> None:
    names = [f"f{number}" for number in range(20)]
    fs = ZipFS(archive_of(*((name, name.encode() * 100) for name in names)), max_cached_bytes=1000)
    files = [fs.open_file(name, READ) for name in names]
    for _ in range(2):
        for name, file in zip(names, files, strict=True):
            file.seek(0, 0)
            assert file.read(1000) == name.encode() * 100
    for file in files:
        file.close()


def test_reading_a_stream_back_and_forth() -> None:
    data = b"".join(struct.pack("<I", number) for number in range(50_000))
    fs = ZipFS(archive_of(("a", data), ("b", data[::-1])), max_cached_bytes=100)
    first, second = fs.open_file("a", READ), fs.open_file("b", READ)
    for offset in (0, 100_000, 4, 199_990, 0, 65_536, 131_071):
        assert first.pread(50, offset) == data[offset : offset + 50]
        assert second.pread(50, offset) == data[::-1][offset : offset + 50]
    assert first.read(4) == data[:4]
    assert content(fs, "a") == data


def test_who_closes_what(tmp_path: Path) -> None:
    stream = archive_of(("f", b"x" * 10))
    path = tmp_path / "a.zip"
    path.write_bytes(stream.getvalue())
    fs = ZipFS(path)
    file = fs.open_file("f", READ)
    fs.close()
    fs.close()
    assert number_of(lambda: file.read(1)) == "EIO"
    with zipfile.ZipFile(stream) as archive:
        ZipFS(archive).close()
        assert archive.read("f") == b"x" * 10
    ZipFS(stream).close()
    assert not stream.closed


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ZipFS(io.BytesIO(b"no archive")), ValueError, "no zip archive"),
        (lambda: ZipFS("/missing.zip"), FileNotFoundError, "missing"),
        (lambda: ZipFS(zipfile.ZipFile(io.BytesIO(), "w")), ValueError, "open for reading"),
        (lambda: ZipFS(archive_of(("a/b/c/d/e", b"")), max_entries=4), ValueError, "more than 4 entries"),
        (lambda: ZipFS(archive_of(), max_file_bytes=-1), ValueError, "must not be negative"),
        (lambda: ZipFS(b"PK"), TypeError, "path, a stream or a ZipFile, not bytes"),  # type: ignore[arg-type]
        (lambda: ResourceFS("text"), TypeError, "importlib.resources"),
        (lambda: ResourceFS(Path(__file__)), TypeError, "importlib.resources"),
    ],
)
def test_what_is_no_tree(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


class Fake:
    """A `Traversable` that is nothing else."""

    def __init__(self, name: str, content: bytes | list[Fake]) -> None:
        self.name = name
        self.content = content
        self.opened = 0

    def is_dir(self) -> bool:
        return isinstance(self.content, list)

    def is_file(self) -> bool:
        return not self.is_dir()

    def iterdir(self) -> list[Fake]:
        assert isinstance(self.content, list)
        return self.content

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> io.BytesIO:
        assert mode == "rb"
        assert isinstance(self.content, bytes)
        self.opened += 1
        return io.BytesIO(self.content)


def test_any_traversable_is_a_tree() -> None:
    leaf = Fake("f", b"content")
    hostile = [Fake(name, b"") for name in ("..", ".", "", "a/b", "a\\b", "a\0", "x" * 256)]
    fs = ResourceFS(Fake("root", [Fake("d", [leaf]), *hostile]))
    assert everything(fs) == {"d": None, "d/f": b"content"}
    assert fs.stat("d/f").size == 7
    assert leaf.opened == 2  # once for its size, once for its content
    assert number_of(lambda: fs.readlink("d/f")) == "EINVAL"
    assert number_of(lambda: fs.mkdir("new")) == "EROFS"
    assert number_of(lambda: fs.open_file("d/f", BOTH)) == "EROFS"
    big = ResourceFS(Fake("root", [Fake("f", bytes(100))]), max_file_bytes=99)
    assert number_of(lambda: big.open_file("f", READ)) == "EFBIG"


def test_a_package_in_a_folder() -> None:
    fs = ResourceFS(resources.files("email"))
    source = Path(str(resources.files("email"))) / "mime" / "text.py"
    assert content(fs, "mime/text.py") == source.read_bytes()
    assert fs.stat("mime/text.py").modification_time == source.stat().st_mtime_ns
    file = fs.open_file("mime/text.py", READ)
    assert file.stat() == fs.stat("mime/text.py")
    assert number_of(lambda: file.set_times(0, 0)) == "EROFS"
    assert number_of(lambda: fs.unlink("mime/text.py")) == "EROFS"
    file.close()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("path", ["up/secret", "absolute", "file", "up", "d/../up/secret", "d/up2/secret"])
def test_links_in_a_package_do_not_lead_out(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    package = tmp_path / "package"
    (package / "d").mkdir(parents=True)
    for name, target in {
        "up": "..",
        "absolute": str(tmp_path / "secret"),
        "file": "../secret",
        "d/up2": "../..",
    }.items():
        (package / name).symlink_to(target)
    fs = ResourceFS(package)
    assert number_of(lambda: fs.open_file(path, READ)) == "EPERM"
    assert number_of(lambda: fs.stat(path)) == "EPERM"


def test_a_package_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "packed.zip"
    path.write_bytes(archive_of(("packed_here/__init__.py", b""), ("packed_here/data/f.txt", b"content")).getvalue())
    monkeypatch.syspath_prepend(str(path))
    fs = ResourceFS(resources.files("packed_here"))
    assert content(fs, "data/f.txt") == b"content"
    assert fs.stat("data/f.txt").modification_time == 1_580_702_706_000_000_000
    assert number_of(lambda: fs.stat("../packed_here/data")) == "EPERM"
    sys.modules.pop("packed_here")


def test_a_namespace_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "spread_out" / name).mkdir(parents=True)
        (tmp_path / name / "spread_out" / name / "f").write_bytes(name.encode())
        (tmp_path / name / "spread_out" / f"{name}.txt").write_bytes(name.encode())
        monkeypatch.syspath_prepend(str(tmp_path / name))
    fs = ResourceFS(resources.files("spread_out"))
    assert {path: data for path, data in everything(fs).items() if data} == {
        "one/f": b"one",
        "two/f": b"two",
        "one.txt": b"one",
        "two.txt": b"two",
    }
    sys.modules.pop("spread_out")


def test_many_open_files_hold_nothing() -> None:
    fs = ZipFS(archive_of(("f", b"x" * 1000)))
    start = time.monotonic()
    files = [fs.open_file("f", READ) for _ in range(10_000)]
    assert all(file.pread(2, 998) == b"xx" for file in files[::100])
    assert time.monotonic() - start < 30
    for file in files:
        file.close()
    assert number_of(lambda: files[0].read(1)) == "EBADF"
