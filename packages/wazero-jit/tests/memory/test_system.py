"""The few calls to the operating system."""

from __future__ import annotations

import errno
import gc
import os
import weakref
from collections.abc import Callable

import pytest

from wazero_jit.memory import system

PAGE = 4096


def test_reserved_committed_and_decommitted_pages(access: Callable[[int], str]) -> None:
    address = system.reserve(4 * PAGE)
    assert access(address) == "---p"
    system.commit(address, 2 * PAGE)
    assert (access(address), access(address + 2 * PAGE)) == ("rw-p", "---p")
    view = system.view(address, 2 * PAGE)
    view[:] = b"x" * len(view)
    system.decommit(address, 4 * PAGE)
    assert access(address) == "---p"
    system.commit(address, PAGE)
    assert bytes(view[:PAGE]) == bytes(PAGE)
    system.release(address, 4 * PAGE)
    assert access(address) == ""


def test_a_view_has_an_object_that_lives_as_long_as_its_slices() -> None:
    address = system.reserve(PAGE)
    view = system.view(address, PAGE)
    assert (view.format, view.nbytes, view.readonly, view.c_contiguous) == ("B", PAGE, False, True)
    whole = weakref.ref(view.obj)
    part = view[5:9].cast("I")
    del view
    gc.collect()
    assert whole() is not None
    del part
    assert whole() is None
    system.release(address, PAGE)


def test_failure_carries_the_reason() -> None:
    with pytest.raises(system.RefusedError, match=os.strerror(errno.ENOMEM)) as caught:
        system.reserve(1 << 60)
    assert caught.value.errno == errno.ENOMEM
    with pytest.raises(system.RefusedError, match=os.strerror(errno.EINVAL)):
        system.commit(1, PAGE)


@pytest.mark.parametrize("refused", ["memfd_create", "ftruncate"])
def test_shared_pages_that_are_refused(
    refused: str, monkeypatch: pytest.MonkeyPatch, open_files: Callable[[], int]
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    before = open_files()
    monkeypatch.setattr(os, refused, refuse)
    with pytest.raises(system.RefusedError, match="Too many open files"):
        system.shared_pages(PAGE)
    assert open_files() == before


def test_shared_pages_are_made_on_old_systems_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    original = os.memfd_create

    def create(name: str, flags: int) -> int:
        asked.append(flags)
        if flags & system._MFD_NOEXEC_SEAL:
            raise OSError(errno.EINVAL, "before Linux 6.3")
        return original(name, flags)

    monkeypatch.setattr(os, "memfd_create", create)
    fd = system.shared_pages(2 * PAGE)
    assert os.fstat(fd).st_size == 2 * PAGE
    assert not os.get_inheritable(fd)
    os.close(fd)
    assert asked == [9, 1]
