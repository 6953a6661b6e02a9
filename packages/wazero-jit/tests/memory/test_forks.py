"""Forks: parent and child have the same code at the same addresses, and neither sees what the other does to it."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from wazero_api import Limits, MemoryType
from wazero_jit.memory import CodeBlock, ExecutableSpace, NativeMemory, forks, system

SEGMENT = 1 << 16
InChild = Callable[[Callable[[], object]], str]


def returning(value: int) -> bytes:
    """Machine code that returns a number: `mov eax, value; ret`."""
    return b"\xb8" + value.to_bytes(4, "little") + b"\xc3"


def call(block: CodeBlock) -> int:
    result: int = ctypes.CFUNCTYPE(ctypes.c_uint32)(block.address)()
    return result


def block_with(space: ExecutableSpace, value: int, size: int = 6) -> CodeBlock:
    block = space.allocate(size)
    block.write(0, returning(value))
    return block


@pytest.fixture
def space() -> ExecutableSpace:
    return ExecutableSpace(64 * SEGMENT, SEGMENT)


class Waiting:
    """Lets a child go on when the parent says so."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def wait(self) -> None:
        os.close(self.writer)
        os.read(self.reader, 1)

    def go(self) -> None:
        os.close(self.writer)
        os.close(self.reader)


def test_the_childs_code_stays_when_the_parent_rewrites_and_reuses_it(space: ExecutableSpace) -> None:
    blocks = [block_with(space, number, SEGMENT // 2) for number in range(8)]
    waiting = Waiting()
    pid = os.fork()
    if pid == 0:
        waiting.wait()
        right = [call(block) for block in blocks] == list(range(8))
        blocks[7].write(0, returning(200))
        os._exit(0 if right and call(blocks[7]) == 200 else 1)
    blocks[0].write(0, returning(100))
    del blocks[1:4]
    others = [block_with(space, 300 + number, SEGMENT // 2) for number in range(5)]
    waiting.go()
    assert os.waitpid(pid, 0)[1] == 0
    assert [call(block) for block in blocks] == [100, 4, 5, 6, 7]
    assert [call(block) for block in others] == list(range(300, 305))


def test_the_child_allocates_and_frees_on_its_own(space: ExecutableSpace, in_child: InChild) -> None:
    blocks = [block_with(space, number, 1000) for number in range(100)]

    def body() -> object:
        del blocks[::2]
        more = [block_with(space, 1000 + number, 1000) for number in range(200)]
        wrong = [call(block) for block in blocks] != list(range(1, 100, 2))
        wrong |= [call(block) for block in more] != list(range(1000, 1200))
        blocks.clear()
        del more
        space.collect()
        return wrong, space.mapped_bytes

    assert in_child(body) == str((False, SEGMENT))
    assert [call(block) for block in blocks] == list(range(100))


def test_a_grandchild_has_the_code_too(space: ExecutableSpace, in_child: InChild) -> None:
    block = block_with(space, 1)

    def child() -> object:
        block.write(0, returning(2))
        grandchild = in_child(lambda: (call(block), block.write(0, returning(3)), call(block)))
        return grandchild, call(block)

    assert in_child(child) == str(("(2, None, 3)", 2))
    assert call(block) == 1


def test_a_child_has_no_writable_code_either(space: ExecutableSpace, in_child: InChild) -> None:
    block = block_with(space, 1)

    def body() -> object:
        lines = Path("/proc/self/maps").read_text().splitlines()
        accesses = sorted(line.split()[1] for line in lines if "wazero-code" in line)
        return call(block), [access for access in accesses if "w" in access and "x" in access], "r-xs" in accesses

    assert in_child(body) == str((1, [], True))


def test_forks_leave_no_files_and_no_mappings(
    space: ExecutableSpace, in_child: InChild, open_files: Callable[[], int], mappings: Callable[[], list[object]]
) -> None:
    blocks = [block_with(space, number, SEGMENT) for number in range(3)]
    assert in_child(open_files) == in_child(open_files)
    before = open_files(), len(mappings())
    for _ in range(8):
        assert in_child(lambda: call(blocks[2])) == "2"
    assert open_files() == before[0]
    assert len(mappings()) < before[1] + 5


def test_several_spaces(space: ExecutableSpace, in_child: InChild) -> None:
    other = ExecutableSpace(SEGMENT, SEGMENT)
    blocks = [block_with(space, 1), block_with(other, 2)]
    assert in_child(lambda: [call(block) for block in blocks]) == "[1, 2]"


def test_what_cannot_be_copied_cannot_be_run(
    space: ExecutableSpace,
    in_child: InChild,
    monkeypatch: pytest.MonkeyPatch,
    access: Callable[[int], str],
    open_files: Callable[[], int],
) -> None:
    """The system refuses files: the fork goes on, and the child meets a closed address, not the parent's new code."""
    block = block_with(space, 1)
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_value))

    def refuse(size: int) -> int:
        raise system.RefusedError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(system, "shared_pages", refuse)
        before = open_files()
        assert in_child(lambda: access(block.address)) == "---p"
        assert open_files() == before
    assert "Too many open files" in str(told)
    assert call(block) == 1
    assert in_child(lambda: call(block)) == "1"


def test_a_copy_that_breaks_off_is_no_copy(
    space: ExecutableSpace, in_child: InChild, monkeypatch: pytest.MonkeyPatch, access: Callable[[int], str]
) -> None:
    block = block_with(space, 1)
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    original = os.write

    def refuse(fd: int, data: bytes) -> int:
        if len(data) == 64:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return original(fd, data)

    monkeypatch.setattr(os, "write", refuse)
    assert in_child(lambda: access(block.address)) == "---p"


def test_blocks_can_go_during_a_fork(
    space: ExecutableSpace, in_child: InChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [block_with(space, number, SEGMENT) for number in range(4)]
    original = system.shared_pages

    def collecting(size: int) -> int:
        del blocks[2:]
        return original(size)

    monkeypatch.setattr(system, "shared_pages", collecting)
    assert in_child(lambda: (call(blocks[0]), call(blocks[1]))) == "(0, 1)"
    space.collect()
    assert space.mapped_bytes == 3 * SEGMENT


def test_forking_while_other_threads_allocate(space: ExecutableSpace, in_child: InChild) -> None:
    """No lock stays locked, and what this thread wrote is in the child."""
    stop = threading.Event()
    wrong: list[object] = []

    def work(thread: int) -> None:
        chance, live = random.Random(thread), list[CodeBlock]()
        try:
            while not stop.is_set():
                live.append(block_with(space, thread, chance.randint(6, 5000)))
                if len(live) > 20:
                    block = live.pop(chance.randrange(20))
                    if call(block) != thread:
                        wrong.append(thread)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks with several threads
            for number in range(20):
                block = block_with(space, number)
                body = lambda: (call(block), call(block_with(space, 7)))  # noqa: B023, E731
                assert in_child(body) == str((number, 7))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_the_lock_is_free_in_parent_and_child(in_child: InChild) -> None:
    def is_free() -> bool:
        taken: list[bool] = []
        thread = threading.Thread(target=lambda: taken.append(forks.lock.acquire(blocking=False)))
        thread.start()
        thread.join()
        return taken == [True]

    assert in_child(is_free) == "True"
    with forks.lock:
        pass
    assert in_child(lambda: forks.lock.acquire(blocking=False)) == "True"


def test_a_memory_in_the_child_is_a_copy(in_child: InChild) -> None:
    memory = NativeMemory(MemoryType(Limits(1)), 10, guarded=True)
    memory.buffer[0] = 1

    def body() -> object:
        old = memory.buffer[0]
        memory.buffer[0] = 2
        return old, memory.grow(3), memory.pages, memory.buffer[-1]

    assert in_child(body) == str((1, 1, 4, 0))
    assert (memory.buffer[0], memory.pages) == (1, 1)
