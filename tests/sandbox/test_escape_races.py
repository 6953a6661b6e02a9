"""The host changes a tree while a guest uses it: whatever a name is at which moment, none leads the guest out.

One thread exchanges things without end while the guest, in another, does everything that it can with their names.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hammer.hammer import SHORT, hammer
from integration.runtimes import NAMED_ENGINES
from sandbox.forwarder import BOTH, CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE, WRITE, Guest, Refused, guest_on
from sandbox.place import SECRET, UNGUESSED, Place, snapshot
from wazero_core import ModuleConfig
from wazero_core.system import FSConfig, walk

pytestmark = pytest.mark.skipif(not walk.HAS_DESCRIPTORS, reason="this is what paths alone cannot promise")

ROUNDS: Final = 100 if SHORT else 600


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    (place.mount / "real").mkdir()
    (place.mount / "real" / "secret").write_bytes(b"inside")
    (place.mount / "deep").mkdir()
    (place.mount / "deep" / "to_door").symlink_to("../door")
    return place


@pytest.fixture(params=NAMED_ENGINES)
def guest(request: pytest.FixtureRequest, place: Place) -> Iterator[Guest]:
    config = ModuleConfig().with_fs_config(FSConfig().with_dir_mount(place.mount, "/"))
    with guest_on(request.param, config) as guest:
        yield guest


def turns(first: Path, second: Path, name: Path) -> Callable[[], None]:
    """Let `name` be the one and then the other, each for a moment."""

    def turn() -> None:
        for path in (first, second):
            path.rename(name)
            name.rename(path)

    return turn


def race(exchange: Callable[[], None], attack: Callable[[int], list[Any]]) -> list[Any]:
    """All that the attacks gave, while things are exchanged from before the first attack until after the last one."""
    results: list[Any] = []
    has_begun, is_over = threading.Event(), threading.Event()

    def body(thread: int, loop: int) -> None:
        if thread == 0:
            has_begun.wait()
            results.extend(attack(loop))
            if loop == ROUNDS - 1:
                is_over.set()
        elif not is_over.is_set():
            exchange()
            has_begun.set()
            while loop == ROUNDS - 1 and not is_over.is_set():
                exchange()

    hammer(body, p=2, n=ROUNDS)
    return results


def each(*actions: Callable[[], Any]) -> list[Any]:
    """What the actions gave, those left out that were refused."""
    results = []
    for action in actions:
        try:
            results.append(action())
        except Refused:
            continue
    return results


def assert_all_inside(results: list[Any]) -> None:
    assert results
    for result in results:
        if isinstance(result, bytes):
            assert result not in {SECRET[:4096], b"secret"}
        elif isinstance(result, list):
            assert UNGUESSED.encode() not in result
        elif result is not None and not isinstance(result, int):
            assert result.size != len(SECRET)


def listed(guest: Guest, path: str) -> list[bytes]:
    fd = guest.open(path, oflags=DIRECTORY)
    try:
        return guest.readdir(fd)
    finally:
        guest.close(fd)


@pytest.mark.parametrize("door", ["door", "deep/to_door", "door/../door", "deep/../door/."])
def test_directory_and_link_exchanged_hammer(guest: Guest, place: Place, door: str) -> None:
    """The name is a directory one moment, and a link to the outside the next."""
    before = snapshot(place.outside)

    def attack(loop: int) -> list[Any]:
        new = f"{door}/new{loop % 7}"
        return each(
            lambda: guest.content(f"{door}/secret"),
            lambda: guest.stat(f"{door}/secret"),
            lambda: guest.stat(f"{door}/link", follow=False),
            lambda: guest.readlink(f"{door}/link"),
            lambda: listed(guest, door),
            lambda: guest.store(new),
            lambda: guest.rename(new, f"{door}/moved"),
            lambda: guest.link(f"{door}/moved", new),
            lambda: guest.set_times(new),
            lambda: guest.unlink(f"{door}/moved"),
            lambda: guest.unlink(new),
            lambda: guest.mkdir(f"{door}/planted"),
            lambda: guest.symlink("x", f"{door}/planted_link"),
            lambda: guest.unlink(f"{door}/planted_link"),
            lambda: guest.rmdir(f"{door}/planted"),
            lambda: guest.rmdir(f"{door}/sub"),
        )

    assert_all_inside(race(turns(place.mount / "real", place.mount / "out", place.mount / "door"), attack))
    assert snapshot(place.outside) == before


def test_file_and_link_exchanged_hammer(guest: Guest, place: Place) -> None:
    """The last component is a file one moment, and a link to a file outside the next."""
    before = snapshot(place.outside)

    def attack(loop: int) -> list[Any]:
        return each(
            lambda: guest.content("target"),
            lambda: guest.content("target", follow=False),
            lambda: guest.stat("target"),
            lambda: guest.store("target", oflags=0, data=b"inside"),
            lambda: guest.store("target", oflags=TRUNCATE, data=b"inside"),
            lambda: guest.close(guest.open("target", oflags=CREATE | EXCLUSIVE, rights=WRITE)),
            lambda: guest.close(guest.open("target", rights=BOTH)),
            lambda: guest.set_times("target", time=loop),
            lambda: guest.link("target", "second"),
            lambda: guest.content("second"),
            lambda: guest.unlink("second"),
        )

    def turn() -> None:
        # The guest may have made a file of that name meanwhile, so that of a link one may become a file.
        (place.mount / "file").replace(place.mount / "target")
        (place.mount / "target").replace(place.mount / "file")
        os.replace(place.mount / "out_file", place.mount / "target")  # noqa: PTH105  # of the link itself
        os.replace(place.mount / "target", place.mount / "out_file")  # noqa: PTH105

    assert_all_inside(race(turn, attack))
    assert snapshot(place.outside) == before


def test_directory_moved_out_and_in_hammer(guest: Guest, place: Place) -> None:
    """A directory that a path goes through, and back up from, is outside the mount the next moment."""
    before = snapshot(place.outside)
    (place.mount / "dir" / "secret").write_bytes(b"inside")
    away = place.outside.parent / "away"
    away.mkdir()
    (away / "secret").write_bytes(SECRET)
    inner = guest.open("dir/inner", oflags=DIRECTORY)

    def exchange() -> None:
        (place.mount / "dir" / "inner").rename(away / "inner")
        (away / "inner").rename(place.mount / "dir" / "inner")

    def attack(loop: int) -> list[Any]:
        return each(
            lambda: guest.content("dir/inner/../secret"),
            lambda: guest.content("dir/inner/../../outside/secret"),
            lambda: guest.content("../secret", inner),
            lambda: guest.stat("dir/inner/../secret"),
            lambda: listed(guest, "dir/inner/.."),
            lambda: guest.store("dir/inner/../new"),
            lambda: guest.rename("dir/inner/../new", "dir/inner/../moved"),
            lambda: guest.unlink("dir/inner/../moved"),
            lambda: guest.mkdir("dir/inner/../planted"),
            lambda: guest.rmdir("dir/inner/../planted"),
            lambda: guest.unlink("../secret", inner),
            lambda: guest.store("../planted", inner),
        )

    assert_all_inside(race(exchange, attack))
    assert snapshot(place.outside) == before
    assert sorted(path.name for path in away.iterdir()) == ["secret"]


def test_the_guest_itself_exchanges_hammer(place: Place) -> None:
    """Two guests with one mount: one makes and swaps links, as a program with two processes could."""
    before = snapshot(place.outside)
    config = ModuleConfig().with_fs_config(FSConfig().with_dir_mount(place.mount, "/"))
    with guest_on(NAMED_ENGINES[0], config) as swapper, guest_on(NAMED_ENGINES[-1], config) as reader:

        def exchange() -> None:
            each(
                lambda: swapper.rename("real", "door"),
                lambda: swapper.rename("door", "real"),
                lambda: swapper.symlink("../outside", "door"),
                lambda: swapper.unlink("door"),
            )

        def attack(loop: int) -> list[Any]:
            return each(
                lambda: reader.content("door/secret"),
                lambda: reader.store("door/planted"),
                lambda: listed(reader, "door/"),
                lambda: reader.unlink("door/planted"),
            )

        results = next(filter(None, (race(exchange, attack) for _ in range(50))), [])
    assert_all_inside(results)
    assert snapshot(place.outside) == before


def test_that_the_races_are_seen(place: Place) -> None:
    """Names followed by path alone do get out here, so the exchanges are fast enough to matter."""
    exchange = turns(place.mount / "real", place.mount / "out", place.mount / "door")

    def attack(loop: int) -> list[Any]:
        try:
            return [(place.mount / "door" / "secret").read_bytes()]
        except OSError:
            return []

    assert any(SECRET in race(exchange, attack) for _ in range(50))
