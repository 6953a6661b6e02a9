"""Guests that open, write, nest, list and wait without end get an errno, and the host's memory stays within bounds."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, final

import pytest

from integration.runtimes import NAMED_ENGINES, start_python
from sandbox.forwarder import DIRECTORY, MOUNT, Guest, Refused, guest_on
from wazero_api.system import OpenFlags
from wazero_core import ModuleConfig
from wazero_core.system import DirFS, FSConfig

if sys.platform == "win32":
    pytest.skip("limits and memory are measured by calls of POSIX", allow_module_level=True)

from sandbox.hostile import SCENARIOS, TOO_MUCH

TIMEOUT_S: Final = 120
_IN_MEMORY: Final = Path("/dev/shm")


@pytest.fixture(params=NAMED_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def guest(engine: str, tmp_path: Path) -> Iterator[Guest]:
    config = ModuleConfig().with_args("program", "x" * 5_000).with_env("KEY", "y" * 5_000)
    with guest_on(engine, config.with_fs_config(FSConfig().with_dir_mount(tmp_path, "/"))) as guest:
        yield guest


@pytest.fixture
def quick_directory(tmp_path: Path) -> Iterator[Path]:
    """In memory if the system has such a place: disks take half a minute for ten thousand directories."""
    if not os.access(_IN_MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as directory:
        yield Path(directory)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if "million" in name else name for name in SCENARIOS]
)
def test_the_host_stays_within_its_caps(engine: str, quick_directory: Path, name: str) -> None:
    program = "import sys; from sandbox.hostile import run; run(*sys.argv[1:])"
    process = start_python(program, name, engine, str(quick_directory))
    output, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, errors
    assert float(output) <= SCENARIOS[name].growth_mib


@pytest.mark.parametrize(
    ("function", "before", "after"),
    [
        ("path_create_directory", (MOUNT,), ()),
        ("path_filestat_get", (MOUNT, 0), (0,)),
        ("path_filestat_set_times", (MOUNT, 0), (0, 0, 0)),
        ("path_open", (MOUNT, 0), (0, 0, 0, 0, 0)),
        ("path_readlink", (MOUNT,), (0, 64, 0)),
        ("path_remove_directory", (MOUNT,), ()),
        ("path_unlink_file", (MOUNT,), ()),
        ("path_symlink", (), (MOUNT, 0, 1)),
        ("path_rename", (MOUNT,), (MOUNT, 0, 1)),
        ("path_link", (MOUNT, 0), (MOUNT, 0, 1)),
    ],
)
@pytest.mark.parametrize(("pointer", "length"), [(0, TOO_MUCH), (TOO_MUCH, 1), (TOO_MUCH, TOO_MUCH), (1024, 60_000)])
def test_paths_of_any_length(
    guest: Guest, function: str, before: tuple[int, ...], after: tuple[int, ...], pointer: int, length: int
) -> None:
    guest.memory[1024:] = b"/" * (len(guest.memory) - 1024)
    expected = "ENAMETOOLONG" if length == 60_000 else "EFAULT"
    assert guest.errno(function, *before, pointer, length, *after) == expected


@pytest.mark.parametrize("kind", ["args", "environ"])
def test_strings_that_do_not_fit(guest: Guest, kind: str) -> None:
    size = len(guest.memory)
    before = bytes(guest.memory)
    for pointers, data in ((0, size - 5_000), (size - 4, 0), (TOO_MUCH, 0), (0, TOO_MUCH), (size, size)):
        if kind == "environ" and pointers == size - 4:  # a single variable has a single pointer
            continue
        assert guest.errno(f"{kind}_get", pointers, data) == "EFAULT"
        assert guest.errno(f"{kind}_sizes_get", pointers or TOO_MUCH, size - 2) == "EFAULT"
    assert bytes(guest.memory) == before


def test_links_that_multiply(guest: Guest) -> None:
    """Each link leads through two others: 2^40 steps, if nobody counted."""
    guest.mkdir("l0")
    for level in range(1, 41):
        guest.symlink(f"l{level - 1}/../l{level - 1}", f"l{level}")
    start = time.monotonic()
    assert guest.stat("l5").file_type == 3
    for path in ("l6", "l40", "l40/" * 800, "l5/../" * 600 + "l5"):
        with pytest.raises(Refused, match="ELOOP"):
            guest.stat(path)
    assert time.monotonic() - start < 10


def test_links_in_a_row(guest: Guest) -> None:
    guest.store("c0")
    for level in range(1, 42):
        guest.symlink(f"c{level - 1}", f"c{level}")
    assert guest.content("c40") == b"guest"
    with pytest.raises(Refused, match="ELOOP"):
        guest.content("c41")


def test_targets_that_make_paths_long(guest: Guest) -> None:
    guest.mkdir("d")
    guest.symlink("d/../" * 800 + "d", "long")
    assert guest.stat("long").file_type == 3
    with pytest.raises(Refused, match="ENAMETOOLONG"):
        guest.stat("long/" + "../d/" * 800)
    for target in ("x" * 4_097, "x/" * 3_000):
        with pytest.raises(Refused, match="ENAMETOOLONG"):
            guest.symlink(target, "new")


@final
class WithoutTree:
    """Somebody's file system, or a file of it, that does not know the trees below its directories."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "tree":
            raise AttributeError(name)
        return getattr(self._inner, name)

    def open_file(self, path: str, flags: OpenFlags, permissions: int = 0o644) -> Any:
        return WithoutTree(self._inner.open_file(path, flags, permissions))


def test_directories_known_by_their_path_end_where_paths_do(engine: str, tmp_path: Path) -> None:
    """Level by level they become a `SubtreeFS`, which must neither grow without end nor call itself that often."""
    fs: Any = WithoutTree(DirFS(tmp_path))
    name = "d" * 200
    with guest_on(engine, ModuleConfig().with_fs_config(FSConfig().with_fs_mount(fs, "/"))) as guest:

        def go_down(fd: int = MOUNT) -> None:
            for _ in range(1_500):
                guest.mkdir(name, fd)
                fd = guest.open(name, fd, oflags=DIRECTORY)

        with pytest.raises(Refused, match="ENAMETOOLONG"):
            go_down()
