"""Where entries lie: both stores keep to the same rules, and whatever a directory is like, nobody gets an exception."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wazero_core.cache.entry import HEADER_BYTES, KEY_BYTES, Entry
from wazero_core.cache.stores import DirectoryStore, MemoryStore, Store

NewStore = Callable[[int], Store]
KEYS = [bytes([number]) * KEY_BYTES for number in range(6)]


def entry(text: str, size: int = 100) -> Entry:
    return Entry(text.encode().ljust(size), is_validated=False)


@pytest.fixture(params=["directory", "memory"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> NewStore:
    return lambda size: DirectoryStore(str(tmp_path), size) if request.param == "directory" else MemoryStore(size)


def test_what_was_written_is_read(new_store: NewStore) -> None:
    store = new_store(10_000)
    assert store.read(KEYS[0]) is None
    assert store.header(KEYS[0]) is None
    store.write(KEYS[0], entry("a"))
    store.write(KEYS[1], Entry(b"", is_validated=True))
    assert store.read(KEYS[0]) == entry("a")
    assert store.read(KEYS[1]) == Entry(b"", is_validated=True)
    before = store.header(KEYS[0])
    store.write(KEYS[0], entry("b"))
    assert store.read(KEYS[0]) == entry("b")
    assert before != store.header(KEYS[0]) is not None


def test_what_was_not_used_for_longest_goes(new_store: NewStore) -> None:
    store = new_store(4 * (100 + HEADER_BYTES))
    for key in KEYS[:4]:
        store.write(key, entry("old"))
        time.sleep(0.01)
    assert store.read(KEYS[0]) is not None
    time.sleep(0.01)
    store.write(KEYS[4], entry("new", 150))
    assert store.read(KEYS[1]) is None
    assert all(store.read(key) is not None for key in (KEYS[0], KEYS[3], KEYS[4]))


def test_what_can_never_fit_is_not_kept(new_store: NewStore) -> None:
    store = new_store(1000)
    store.write(KEYS[0], entry("small"))
    store.write(KEYS[1], entry("large", 2000))
    assert store.read(KEYS[1]) is None
    assert store.read(KEYS[0]) is not None


def the_file(directory: Path) -> Path:
    (file,) = directory.iterdir()
    return file


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    DirectoryStore(str(tmp_path), 1000).write(KEYS[0], entry("a"))
    file = the_file(tmp_path)
    assert file.name == KEYS[0].hex() + ".wazero-code"
    assert file.stat().st_size == HEADER_BYTES + 100
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("size", [0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 99, HEADER_BYTES + 101])
def test_files_of_another_length_are_none(tmp_path: Path, size: int) -> None:
    store = DirectoryStore(str(tmp_path), 1000)
    store.write(KEYS[0], entry("a"))
    file = the_file(tmp_path)
    file.write_bytes(file.read_bytes().ljust(size)[:size])
    assert store.read(KEYS[0]) is None
    store.write(KEYS[0], entry("b"))
    assert store.read(KEYS[0]) == entry("b")


def test_an_entry_under_another_name_is_none(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path), 1000)
    store.write(KEYS[0], entry("a"))
    the_file(tmp_path).rename(tmp_path / (KEYS[1].hex() + ".wazero-code"))
    assert store.read(KEYS[1]) is None


def test_a_directory_in_the_place_of_an_entry(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path), 1000)
    (tmp_path / (KEYS[0].hex() + ".wazero-code")).mkdir()
    assert store.read(KEYS[0]) is None
    assert store.header(KEYS[0]) is None
    store.write(KEYS[0], entry("a"))
    assert store.read(KEYS[0]) is None
    assert [path.name for path in tmp_path.iterdir()] == [KEYS[0].hex() + ".wazero-code"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_in_the_place_of_an_entry_is_not_waited_for(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path), 1000)
    os.mkfifo(tmp_path / (KEYS[0].hex() + ".wazero-code"))
    assert store.read(KEYS[0]) is None
    assert store.header(KEYS[0]) == b""
    store.write(KEYS[0], entry("a"))
    assert store.read(KEYS[0]) == entry("a")


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path / "gone"), 1000)
    store.write(KEYS[0], entry("a"))
    assert store.read(KEYS[0]) is None


@pytest.mark.skipif(os.name != "posix", reason="a full disk is easiest to have on Linux")
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk is easiest to have on Linux")  # noqa: PTH110
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DirectoryStore(str(tmp_path), 1000)
    store.write(KEYS[0], entry("a"))
    opened = os.open

    def open_full(path: str, flags: int, mode: int = 0o777) -> int:
        os.close(opened(path, flags, mode))
        return opened("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(os, "open", open_full)
    store.write(KEYS[0], entry("b"))
    monkeypatch.undo()
    assert store.read(KEYS[0]) == entry("a")
    assert len(list(tmp_path.iterdir())) == 1


def test_foreign_files_stay_and_forgotten_ones_go(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path), HEADER_BYTES + 100)
    (tmp_path / "thesis.txt").write_bytes(bytes(10_000))
    old, young = tmp_path / "old.wazero-part", tmp_path / "young.wazero-part"
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    for key in KEYS:
        store.write(key, entry("a"))
        time.sleep(0.01)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"thesis.txt", "young.wazero-part", KEYS[-1].hex() + ".wazero-code"}
