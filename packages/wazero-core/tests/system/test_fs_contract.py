"""All file systems answer alike: the same operations have the same results and errors as in a directory of Linux.

What is expected is not written down here: every case runs on a `DirFS` too, and the answers are compared. So are those to
random sequences of operations.
"""

from __future__ import annotations

import errno
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wazero_api.system import FS, Directory, DirectoryEntry, File, FileType, OpenFlags, Stat
from wazero_core.system import DirFS, MemFS, OverlayFS, QuotaFS, ReadOnlyFS, ResourceFS, SubtreeFS, ZipFS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the answers compared with are those of Linux")

READ, WRITE, BOTH = OpenFlags.READ_ONLY, OpenFlags.WRITE_ONLY, OpenFlags.READ_WRITE
CREATE, EXCLUSIVE, TRUNCATE = OpenFlags.CREATE, OpenFlags.EXCLUSIVE, OpenFlags.TRUNCATE
DIRECTORY, NO_FOLLOW, APPEND = OpenFlags.DIRECTORY, OpenFlags.NO_FOLLOW, OpenFlags.APPEND

Step = tuple[Any, ...]
"""("method", arguments …) of a file system, or of the file in the slot that "@name" says, or of that directory's tree."""

CONTENT: dict[str, bytes | str | None] = {
    "dir": None,
    "dir/inner": None,
    "dir/inner/deep.txt": b"deep",
    "empty": None,
    "file.txt": b"content",
    "other.txt": b"other",
    "dir/back": "../file.txt",
    "dir/up": "..",
    "to_file": "file.txt",
    "to_dir": "dir",
    "to_dir_slash": "dir/",
    "to_inner": "dir/inner",
    "dangling": "missing",
    "loop_a": "loop_b",
    "loop_b": "loop_a",
    "self": "self",
    "far": "dir/up/dir/up/dir/inner/../back",
}
"""What is there at first: directories, files and links."""


def fill(fs: FS, only: Callable[[str], bool] = lambda path: True) -> None:
    for path, content in CONTENT.items():
        if not only(path):
            continue
        if content is None:
            fs.mkdir(path)
        elif isinstance(content, str):
            fs.symlink(content, path)
        else:
            file = fs.open_file(path, WRITE | CREATE)
            file.write(content)
            file.close()


def filled(fs: FS) -> FS:
    fill(fs)
    return fs


def new_directory(tmp_path: Path, name: str) -> DirFS:
    (tmp_path / name).mkdir()
    return DirFS(tmp_path / name)


def mixed_overlay(tmp_path: Path) -> FS:
    """Links above and what they lead to below, and the other way round."""
    lower, upper = MemFS(), MemFS()
    below = {"dir", "dir/inner", "file.txt", "to_dir", "to_file", "loop_a", "self"}
    fill(lower, lambda path: path in below)
    fill(upper, lambda path: path not in below or path in {"dir", "dir/inner"})
    return OverlayFS(lower, upper)


def changed_overlay(tmp_path: Path) -> FS:
    """Everything below was different, and has been removed or replaced."""
    lower = MemFS.from_mapping({path + "/under/x": b"old" for path in CONTENT if "/" not in path})
    fs = OverlayFS(lower)
    for path in CONTENT:
        if "/" not in path:
            fs.unlink(f"{path}/under/x")
            fs.rmdir(f"{path}/under")
            fs.rmdir(path)
    return filled(fs)


def tree_of_a_directory(tmp_path: Path) -> FS:
    fs = MemFS()
    fs.mkdir("below")
    directory = fs.open_file("below", DIRECTORY)
    assert isinstance(directory, Directory)
    fs.rename("below", "moved")
    return filled(directory.tree())


WRITABLE: dict[str, Callable[[Path], FS]] = {
    "memory": lambda tmp_path: filled(MemFS()),
    "overlay, all above": lambda tmp_path: filled(OverlayFS(MemFS(), MemFS())),
    "overlay, all below": lambda tmp_path: OverlayFS(filled(MemFS()), MemFS()),
    "overlay, mixed": mixed_overlay,
    "overlay, changed": changed_overlay,
    "overlay of a directory": lambda tmp_path: OverlayFS(filled(new_directory(tmp_path, "lower")), MemFS()),
    "overlay over directories": lambda tmp_path: OverlayFS(
        filled(new_directory(tmp_path, "lower")), new_directory(tmp_path, "upper")
    ),
    "overlay of an overlay": lambda tmp_path: OverlayFS(OverlayFS(filled(MemFS()))),
    "quota of memory": lambda tmp_path: filled(QuotaFS(MemFS(), max_bytes=1 << 20)),
    "quota of a directory": lambda tmp_path: filled(QuotaFS(new_directory(tmp_path, "limited"), max_bytes=1 << 20)),
    "subtree": lambda tmp_path: filled(SubtreeFS(MemFS(), ".")),
    "tree of a directory": tree_of_a_directory,
}


SAMPLED = {"overlay over directories", "overlay of a directory", "overlay, changed", "quota of a directory"}
"""Those that take long to make: of the short cases they get every fourth."""


def zip_of(tmp_path: Path) -> Path:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in CONTENT.items():
            info = zipfile.ZipInfo(name + "/" if content is None else name)
            if isinstance(content, str):
                info.external_attr = 0o120777 << 16
            archive.writestr(info, content or b"")
    return path


def resources_of(tmp_path: Path) -> FS:
    filled(new_directory(tmp_path, "package"))
    return ResourceFS(tmp_path / "package")


READABLE: dict[str, Callable[[Path], FS]] = {
    "read-only view": lambda tmp_path: ReadOnlyFS(filled(MemFS())),
    "zip": lambda tmp_path: ZipFS(zip_of(tmp_path)),
    "zip, streamed": lambda tmp_path: ZipFS(zip_of(tmp_path), max_cached_bytes=0),
    "resources": resources_of,
    "resources in a zip": lambda tmp_path: ResourceFS(zipfile.Path(zip_of(tmp_path))),
    "overlay over a zip": lambda tmp_path: OverlayFS(ZipFS(zip_of(tmp_path))),
}


class Session:
    """One who works with a file system: it has open files by name, and notes answers in a form that can be compared."""

    def __init__(self, fs: FS) -> None:
        self.fs = fs
        self.files: dict[str, File] = {}

    def close(self) -> None:
        for file in self.files.values():
            file.close()

    def answer(self, step: Step) -> object:
        try:
            value = comparable(self.perform(step))
            # How many names an open file has left, an overlay does not know once the file was copied.
            return value[:2] if isinstance(value, tuple) and step[0].startswith("@") else value
        except OSError as error:
            return errno.errorcode[error.errno or 0]

    def perform(self, step: Step) -> object:
        method, *arguments = step
        if method == "open":
            name, path, flags, *tree = arguments
            file = self.tree(*tree).open_file(path, flags)
            self.drop(name)
            self.files[name] = file
            return file.stat()
        if method.startswith("@"):
            name, _, method = method[1:].partition(".")
            if name not in self.files:
                return "not open"
            return getattr(self.files[name], method)(*arguments)
        if method in {"rename", "link"}:
            old, new, *trees = arguments
            source, target = (self.tree(*trees[:1]), self.tree(*trees[1:]))
            return getattr(source, method)(old, new, None if source is target else target)
        if method == "set_times" and arguments[-1] == NO_FOLLOW:
            self.fs.set_times(*arguments[:-1], follow=False)
            return None
        count = {"symlink": 2, "set_times": 3}.get(method, 1)
        return getattr(self.tree(*arguments[count:]), method)(*arguments[:count])

    def drop(self, name: str) -> None:
        file = self.files.pop(name, None)
        if file is not None:
            file.close()

    def tree(self, name: str | None = None) -> FS:
        if name is None or name not in self.files:
            return self.fs
        file = self.files[name]
        return file.tree() if isinstance(file, Directory) else self.fs


def comparable(value: object) -> object:
    if isinstance(value, Stat):
        if value.file_type is FileType.DIRECTORY:
            return value.file_type
        return value.file_type, value.size, value.links if value.file_type is FileType.REGULAR else 1
    if isinstance(value, list | tuple):
        return sorted((entry.name, entry.file_type.name) for entry in value if isinstance(entry, DirectoryEntry))
    return value


def content_of(fs: FS, path: str = ".") -> dict[str, object]:
    """All that is in a tree. Entries of directories and `lstat` must agree."""
    found: dict[str, object] = {}
    waiting = [path]
    while waiting:
        here = waiting.pop()
        directory = fs.open_file(here, DIRECTORY)
        for entry in directory.read_directory():
            name = entry.name if here == "." else f"{here}/{entry.name}"
            stat = fs.lstat(name)
            assert (stat.file_type, stat.inode) == (entry.file_type, entry.inode), name
            if stat.file_type is FileType.DIRECTORY:
                found[name] = None
                waiting.append(name)
            elif stat.file_type is FileType.SYMBOLIC_LINK:
                found[name] = fs.readlink(name)
            else:
                file = fs.open_file(name, READ)
                found[name] = file.read(1 << 20)
                assert file.stat().size == stat.size, name
                file.close()
        directory.close()
    return found


def test_the_reference_and_the_table_agree(tmp_path: Path) -> None:
    fs = filled(new_directory(tmp_path, "reference"))
    assert content_of(fs) == CONTENT


@pytest.mark.parametrize("kind", [*WRITABLE, *READABLE])
def test_what_is_put_in_is_in_it(kind: str, tmp_path: Path) -> None:
    assert content_of((WRITABLE | READABLE)[kind](tmp_path)) == CONTENT


PATHS = [
    *CONTENT,
    *(f"{path}/" for path in CONTENT),
    *(f"{path}/." for path in ("dir", "to_dir", "file.txt", "to_file", "dangling")),
    *("", ".", "./", "..", "/", "//", "/etc", "../x", "dir/..", "dir/../..", "to_dir/..", "dir/up/..", "dir/up/up"),
    *(
        "missing",
        "missing/x",
        "file.txt/x",
        "file.txt/..",
        "to_file/x",
        "loop_a/x",
        "dangling/x",
        "dir//inner/./deep.txt",
    ),
    *(
        "to_dir/inner/deep.txt",
        "to_dir_slash/inner/deep.txt",
        "to_inner/deep.txt",
        "to_inner/../file.txt",
        "dir/up/file.txt",
    ),
    *(
        "x" * 255,
        "x" * 256,
        "é" * 128,
        "dir/" + "x" * 300 + "/y",
        "dir/../" * 900 + "file.txt",
        "\udcff",
        "\ud800",
        "a\0b",
    ),
    "dir/inner/../inner/../../dir/inner/deep.txt",
]

OPENINGS = [
    READ,
    READ | DIRECTORY,
    READ | NO_FOLLOW,
    READ | DIRECTORY | NO_FOLLOW,
    READ | EXCLUSIVE,
]

WRITING_OPENINGS = [
    WRITE,
    BOTH,
    BOTH | TRUNCATE,
    READ | TRUNCATE,
    WRITE | APPEND,
    READ | APPEND,
    BOTH | DIRECTORY,
    BOTH | NO_FOLLOW,
    READ | CREATE,
    BOTH | CREATE,
    BOTH | CREATE | TRUNCATE,
    BOTH | CREATE | EXCLUSIVE,
    BOTH | CREATE | NO_FOLLOW,
    READ | CREATE | EXCLUSIVE | NO_FOLLOW,
]

LOOKING: list[list[Step]] = [
    *([[(method, path)] for path in PATHS for method in ("stat", "lstat", "readlink")]),
    *([[("open", "f", path, flags), ("@f.read", 100), ("@f.read_directory",)] for path in PATHS for flags in OPENINGS]),
    [
        ("open", "d", "dir", DIRECTORY),
        *[("stat", path, "d") for path in ("..", "inner", "back", "up", "inner/../back")],
    ],
    [("open", "d", "dir/inner", READ), ("open", "e", ".", READ, "d"), ("stat", "deep.txt", "e"), ("stat", "..", "e")],
    [("open", "d", "dir", READ), ("@d.close",), ("stat", "inner", "d"), ("@d.read_directory",), ("@d.close",)],
    [
        ("open", "f", "file.txt", READ),
        ("@f.read", 3),
        ("@f.pread", 3, 1),
        ("@f.read", 100),
        ("@f.read", 1),
        ("@f.seek", -2, 2),
        ("@f.read", 0),
        ("@f.read", 9),
        ("@f.seek", 100, 0),
        ("@f.read", 9),
        ("@f.pread", 9, 100),
        ("@f.seek", -1, 0),
        ("@f.seek", -101, 1),
        ("@f.seek", 0, 9),
        ("@f.read", -1),
        ("@f.pread", 1, -1),
        ("@f.write", b"x"),
        ("@f.pwrite", b"x", 0),
        ("@f.sync",),
        ("@f.close",),
        ("@f.read", 1),
        ("@f.pread", 1, 0),
        ("@f.seek", 0, 0),
        ("@f.stat",),
        ("@f.close",),
    ],
]

NAMES = ["file.txt", "other.txt", "dir", "dir/inner", "empty", "to_dir", "dangling", "missing", "new"]
SPELLED = ["file.txt/", "dir/", "to_dir/", "new/", ".", "dir/.", "dir/..", "..", "dir/inner/x"]

OPENED = [
    "file.txt",
    "dir/inner/deep.txt",
    "dir",
    "to_file",
    "to_dir",
    "dangling",
    "self",
    "far",
    "dir/back",
    "new",
    "dir/new",
]
OPENED += [
    "file.txt/",
    "dir/",
    "to_dir/",
    "dangling/",
    "new/",
    ".",
    "dir/..",
    "..",
    "file.txt/x",
    "missing/x",
    "x" * 256,
]
TARGETS = [
    "",
    ".",
    "..",
    "/",
    "/etc",
    "file.txt",
    "dir/",
    "dir/../..",
    "new",
    "x" * 4095,
    "x" * 4096,
    "y/" * 2048,
    "\udcff",
    "a\0b",
]

CHANGING: list[list[Step]] = [
    *(
        [
            [("open", "f", path, flags), ("@f.write", b"XY"), ("@f.pread", 9, 0)]
            for path in OPENED
            for flags in WRITING_OPENINGS
        ]
    ),
    *([[(method, path)] for path in PATHS for method in ("mkdir", "rmdir", "unlink")]),
    *([[("set_times", path, 1, 2)] for path in PATHS]),
    *([[("symlink", "x", path), ("readlink", path)] for path in PATHS]),
    *([[("symlink", target, "new"), ("lstat", "new"), ("stat", "new")] for target in TARGETS]),
    *([[("rename", old, new)] for old in NAMES + SPELLED for new in NAMES + SPELLED]),
    *([[("link", old, new), ("lstat", new)] for old in NAMES + SPELLED for new in NAMES + SPELLED]),
    [
        ("link", "file.txt", "hard"),
        ("rename", "file.txt", "hard"),
        ("stat", "hard"),
        ("unlink", "hard"),
        ("stat", "file.txt"),
    ],
    [("link", "file.txt", "hard"), ("open", "f", "hard", BOTH), ("@f.write", b"CON"), ("stat", "file.txt")],
    [("link", "dangling", "hard"), ("readlink", "hard"), ("unlink", "dangling"), ("readlink", "hard")],
    [("rename", "dir/inner/deep.txt", "dir"), ("rename", "dir/inner", "dir"), ("rename", "dir/back", "dir/inner")],
    [("set_times", "to_file", 5, 7, NO_FOLLOW), ("set_times", "missing", 5, 7, NO_FOLLOW)],
    [("open", "f", "file.txt", READ), ("unlink", "file.txt"), ("@f.read", 99), ("@f.stat",), ("stat", "file.txt")],
    [("open", "f", "file.txt", BOTH), ("unlink", "file.txt"), ("@f.truncate", 2), ("@f.pread", 9, 0), ("@f.stat",)],
    [("open", "f", "file.txt", BOTH), ("rename", "other.txt", "file.txt"), ("@f.write", b"!"), ("@f.stat",)],
    [
        ("open", "f", "file.txt", BOTH),
        ("@f.pwrite", b"end", 10),
        ("@f.pread", 99, 0),
        ("@f.write", b""),
        ("@f.seek", 20, 0),
        ("@f.write", b""),
        ("@f.stat",),
        ("@f.write", b"far"),
        ("@f.pread", 99, 0),
        ("@f.truncate", 4),
        ("@f.read", 1),
        ("@f.truncate", 8),
        ("@f.pread", 99, 0),
        ("@f.truncate", -1),
        ("@f.pwrite", b"x", -1),
        ("@f.set_times", 1, 2),
        ("@f.datasync",),
        ("@f.close",),
        ("@f.write", b"x"),
        ("@f.truncate", 0),
    ],
    [
        ("open", "f", "file.txt", BOTH | APPEND),
        ("@f.write", b"+1"),
        ("@f.pwrite", b"C", 0),
        ("@f.write", b"+2"),
        ("@f.seek", 0, 1),
        ("@f.set_append", False),
        ("@f.seek", 1, 0),
        ("@f.write", b"O"),
        ("@f.set_append", True),
        ("@f.write", b"+3"),
        ("@f.pread", 99, 0),
    ],
    [("open", "f", "file.txt", WRITE), ("@f.read", 1), ("@f.pread", 1, 0), ("@f.write", b"x")],
    [("open", "f", "file.txt", READ), ("@f.truncate", 0), ("@f.write", b"")],
    [("open", "d", "dir", READ), ("@d.write", b"x"), ("@d.truncate", 0), ("@d.pread", 1, 0), ("@d.set_times", 1, 2)],
    [
        ("mkdir", "a"),
        ("mkdir", "a/b/"),
        ("rename", "a", "c"),
        ("stat", "c/b"),
        ("rmdir", "c"),
        ("rmdir", "c/b"),
        ("rmdir", "c"),
    ],
    [
        ("mkdir", "a"),
        ("mkdir", "a/b"),
        ("rename", "a/b", "a"),
        ("rename", "a", "a/b/c"),
        ("rename", "a", "empty"),
        ("stat", "empty/b"),
    ],
    [
        ("mkdir", "a"),
        ("open", "d", "a", READ),
        ("rename", "a", "z"),
        ("mkdir", "a"),
        ("mkdir", "inside", "d"),
        ("stat", "z/inside"),
        ("stat", "a/inside"),
        ("@d.read_directory",),
        ("rename", "inside", "out", "d", "nothing"),
        ("rename", "z", "deep", None, "d"),
        ("link", "file.txt", "linked", None, "d"),
        ("stat", "z/linked"),
    ],
    [
        ("mkdir", "a"),
        ("open", "d", "a", READ),
        ("rmdir", "a"),
        ("mkdir", "a"),
        ("open", "f", "new", BOTH | CREATE, "d"),
        ("mkdir", "new", "d"),
        ("symlink", "x", "new", "d"),
        ("rename", "file.txt", "new", None, "d"),
        ("link", "file.txt", "new", None, "d"),
        ("stat", "x", "d"),
        ("@d.read_directory",),
        ("open", "e", ".", READ, "d"),
    ],
    [
        ("open", "d", "empty", READ),
        ("rmdir", "empty"),
        ("mkdir", "empty"),
        ("open", "f", "empty/new", BOTH | CREATE),
        ("@d.read_directory",),
        ("stat", "new", "d"),
        ("mkdir", "x", "d"),
    ],
    [
        ("open", "d", "empty", READ),
        ("open", "f", "empty/new", BOTH | CREATE),
        ("@d.read_directory",),
        ("stat", "new", "d"),
    ],
    [("unlink", "dir/inner/deep.txt"), ("rmdir", "dir/inner"), ("mkdir", "dir/inner"), ("stat", "dir/inner/deep.txt")],
    [("unlink", "file.txt"), ("stat", "to_file"), ("open", "f", "to_file", BOTH | CREATE), ("stat", "file.txt")],
    [("unlink", "to_dir"), ("mkdir", "to_dir"), ("stat", "to_dir/inner"), ("rmdir", "to_dir"), ("stat", "to_dir")],
    [("unlink", "to_dir"), ("symlink", "empty", "to_dir"), ("mkdir", "to_dir/x"), ("stat", "empty/x")],
    [
        ("rename", "file.txt", "dir/inner/deep.txt"),
        ("stat", "dir/back"),
        ("stat", "dir/inner/deep.txt"),
        ("mkdir", "file.txt"),
    ],
    [("rename", "to_file", "dir/moved"), ("readlink", "dir/moved"), ("stat", "dir/moved"), ("stat", "to_file")],
]


def name_of(case: list[Step]) -> str:
    return " ".join(repr(part)[:20] for part in case[0]) if len(case) < 4 else f"{case[0][0]}-{len(case)}-{case[2][0]}"


Answers = tuple[list[object], dict[str, object] | None]
"""To the steps of a case, and what the tree is afterwards; None if everything was refused."""


def is_refused(answers: list[object]) -> bool:
    return all(answer in errno.errorcode.values() for answer in answers)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Answers]:
    """What a real directory says to all cases of `CHANGING`."""
    found: list[Answers] = []
    fs: FS | None = None
    for case in CHANGING:
        fs = fs or filled(DirFS(tmp_path_factory.mktemp("reference")))
        session = Session(fs)
        answers = [session.answer(step) for step in case]
        session.close()
        if is_refused(answers):
            found.append((answers, None))
        else:
            found.append((answers, content_of(fs)))
            fs = None
    return found


def may_differ(kind: str, step: Step, answer: object) -> bool:
    """An overlay may refuse to rename a directory that is there below, as Linux does.

    And what looks like a tree of its own, a subtree, is another one than the trees of its directories.
    """
    return step[0] in {"rename", "link"} and answer == "EXDEV" and kind.startswith(("overlay", "subtree"))


def check(kind: str, case: list[Step], answers: list[object], tested: FS) -> bool:
    """Compare answers; False if they end early, with one that may differ."""
    session = Session(tested)
    try:
        for step, answer in zip(case, answers, strict=True):
            ours = session.answer(step)
            if ours != answer and may_differ(kind, step, ours):
                return False
            assert ours == answer, (name_of(case), step, "ours, then that of DirFS")
    finally:
        session.close()
    return True


@pytest.mark.parametrize("kind", [*WRITABLE, *READABLE])
def test_looking(kind: str, tmp_path: Path) -> None:
    tested, reference = (WRITABLE | READABLE)[kind](tmp_path), filled(new_directory(tmp_path, "reference"))
    for case in LOOKING:
        session = Session(reference)
        answers = [session.answer(step) for step in case]
        session.close()
        check(kind, case, answers, tested)
    assert content_of(tested) == CONTENT


@pytest.mark.parametrize("kind", WRITABLE)
def test_changing(kind: str, tmp_path: Path, expected: list[Answers]) -> None:
    fs: FS | None = None
    for number, (case, (answers, content)) in enumerate(zip(CHANGING, expected, strict=True)):
        if kind in SAMPLED and len(case) < 4 and number % 4:
            continue
        if fs is None:
            here = tmp_path / str(number)
            here.mkdir()
            fs = WRITABLE[kind](here)
        is_whole = check(kind, case, answers, fs)
        if content is not None:
            assert not is_whole or content_of(fs) == content, name_of(case)
            fs = None


NAME = st.sampled_from(["a", "b", "c"])
PATH = st.lists(st.sampled_from(["a", "b", "c", "a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join)
SPELLING = st.builds(lambda path, end: path + end, PATH, st.sampled_from(["", "", "", "/"]))
TREE = st.sampled_from([None, None, "d", "e"])
FLAGS = st.sampled_from(OPENINGS + WRITING_OPENINGS + [BOTH | CREATE] * 6)
SLOT = st.sampled_from(["f", "g"])
SMALL = st.integers(0, 20)

STEP: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("open"), SLOT, SPELLING, FLAGS, TREE),
    st.tuples(st.just("open"), st.sampled_from(["d", "e"]), SPELLING, st.just(DIRECTORY), TREE),
    st.tuples(st.sampled_from(["mkdir", "mkdir", "rmdir", "unlink", "stat", "lstat", "readlink"]), SPELLING, TREE),
    st.tuples(st.sampled_from(["rename", "rename", "link"]), SPELLING, SPELLING, TREE, TREE),
    st.tuples(st.just("symlink"), SPELLING, SPELLING, TREE),
    st.tuples(st.just("set_times"), SPELLING, SMALL, SMALL),
    st.tuples(st.sampled_from(["@f.write", "@g.write"]), st.binary(max_size=5)),
    st.tuples(st.sampled_from(["@f.pwrite", "@g.pwrite"]), st.binary(max_size=5), SMALL),
    st.tuples(st.sampled_from(["@f.read", "@g.read", "@f.truncate", "@g.truncate"]), SMALL),
    st.tuples(st.just("@f.seek"), st.integers(-3, 20), st.integers(0, 2)),
    st.tuples(st.sampled_from(["@f.stat", "@g.stat", "@d.read_directory", "@e.read_directory", "@f.close"])),
)

RANDOM: dict[str, Callable[[], FS]] = {
    "memory": lambda: started(MemFS()),
    "overlay": lambda: OverlayFS(started(MemFS())),
    "quota": lambda: QuotaFS(started(MemFS()), max_bytes=1 << 20),
}


def started(fs: FS) -> FS:
    """So that random names often hit something."""
    for path in ("a", "a/b", "b"):
        fs.mkdir(path)
    for path in ("c", "a/c", "a/b/c"):
        file = fs.open_file(path, WRITE | CREATE)
        file.write(path.encode())
        file.close()
    fs.symlink("../a/b", "b/b")
    fs.symlink("../c", "b/a")
    return fs


@pytest.mark.parametrize("kind", RANDOM)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(steps=st.lists(STEP, min_size=1, max_size=25))
def test_random_operations(kind: str, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        fs = RANDOM[kind]()
        ours, theirs = Session(fs), Session(started(DirFS(directory)))
        try:
            for step in steps:
                answers = ours.answer(step), theirs.answer(step)
                if answers[0] != answers[1] and may_differ(kind, step, answers[0]):
                    return
                assert answers[0] == answers[1], step
            assert content_of(fs) == content_of(theirs.fs)
        finally:
            ours.close()
            theirs.close()
