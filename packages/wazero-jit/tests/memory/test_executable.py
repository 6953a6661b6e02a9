"""Executable memory: code runs, no page is writable and executable, and nothing grows."""

from __future__ import annotations

import ctypes
import errno
import gc
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from wazero_jit.memory import CodeBlock, ExecutableSpace, forks, probe, system

SEGMENT = 1 << 16
Mappings = Callable[[], list[Any]]


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
    """Sixteen segments."""
    return ExecutableSpace(16 * SEGMENT, SEGMENT)


# --- Code runs ---


def test_code_runs_where_the_block_says(space: ExecutableSpace) -> None:
    blocks = [block_with(space, number) for number in range(500)]
    assert [call(block) for block in blocks] == list(range(500))
    assert all(space.low <= block.address and block.address + block.size <= space.high for block in blocks)


def test_code_can_be_written_anew(space: ExecutableSpace) -> None:
    block = block_with(space, 1)
    assert call(block) == 1
    block.write(1, b"\2")
    assert call(block) == 2


@pytest.mark.parametrize("data", [bytearray(returning(7)), memoryview(returning(7))], ids=["bytearray", "memoryview"])
def test_any_bytes_can_be_written(space: ExecutableSpace, data: bytearray | memoryview) -> None:
    block = space.allocate(6)
    block.write(0, data)
    assert call(block) == 7


@pytest.mark.parametrize(("offset", "size"), [(0, 101), (95, 6), (100, 1), (101, 1), (-1, 1), (-8, 4), (1 << 40, 1)])
def test_writing_outside_the_block_is_refused(space: ExecutableSpace, offset: int, size: int) -> None:
    blocks = [space.allocate(100) for _ in range(3)]
    for block in blocks:
        block.write(0, bytes(100))
    with pytest.raises(ValueError, match=r"lvalue and rvalue have different structures|negative offset"):
        blocks[1].write(offset, b"x" * size)
    assert all(ctypes.string_at(block.address, 100) == bytes(100) for block in blocks)


@pytest.mark.parametrize("align", [1, 16, 64, 128, 4096, SEGMENT])
def test_alignment(space: ExecutableSpace, align: int) -> None:
    blocks = []
    for number in range(6):
        blocks += [block_with(space, number, 70), space.allocate(100, align)]
        assert blocks[-1].address % max(align, 64) == 0
    assert [call(block) for block in blocks[::2]] == list(range(6))
    ends = sorted((block.address, block.address + block.size) for block in blocks)
    assert all(one[1] <= other[0] for one, other in pairwise(ends))


@pytest.mark.parametrize(("size", "align"), [(0, 64), (-1, 64), (1, 0), (1, -64), (1, 48)])
def test_senseless_requests(space: ExecutableSpace, size: int, align: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes aligned to {align}"):
        space.allocate(size, align)


# --- Writable or executable ---


def test_no_page_is_writable_and_executable(
    space: ExecutableSpace, mappings: Mappings, access: Callable[[int], str]
) -> None:
    block = block_with(space, 3)
    assert access(block.address) == "r-xs"
    written_at = ctypes.addressof(ctypes.c_ubyte.from_buffer(block._view))
    assert access(written_at) == "rw-s"
    assert not space.low <= written_at < space.high
    inside = [found for found in mappings() if space.low <= found.start < space.high]
    assert sorted({found.access for found in inside}) == ["---p", "r-xs"]
    assert [found.end - found.start for found in inside if "x" in found.access] == [SEGMENT]


def test_segments_that_are_given_back_are_closed(space: ExecutableSpace, access: Callable[[int], str]) -> None:
    blocks = [space.allocate(SEGMENT) for _ in range(3)]
    addresses = [block.address for block in blocks]
    for block in blocks:
        space.free(block)
    assert sorted(access(address) for address in addresses) == ["---p", "---p", "r-xs"]


# --- Blocks come and go ---


def test_a_block_that_is_gone_is_used_again(space: ExecutableSpace) -> None:
    first, second = space.allocate(100), space.allocate(100)
    address = first.address
    del first
    third = space.allocate(100)
    assert third.address == address
    assert second.address not in range(address, address + 128)


def test_freeing_twice_or_letting_go_after_freeing_changes_nothing(space: ExecutableSpace) -> None:
    block = space.allocate(100)
    space.free(block)
    space.free(block)
    first = space.allocate(100)
    del block
    gc.collect()
    assert space.allocate(100).address != first.address


def test_a_freed_block_cannot_be_written(space: ExecutableSpace) -> None:
    block = space.allocate(100)
    space.free(block)
    with pytest.raises(ValueError, match="released"):
        block.write(0, b"x")


def test_blocks_in_cycles_are_freed_by_the_collector(space: ExecutableSpace) -> None:
    loop: list[Any] = [space.allocate(SEGMENT * 16)]
    loop.append(loop)
    del loop
    gc.collect()
    assert space.mapped_bytes == 16 * SEGMENT
    space.collect()
    assert space.mapped_bytes == 0


def test_free_neighbours_become_one(space: ExecutableSpace) -> None:
    blocks = [space.allocate(1024) for _ in range(16 * SEGMENT // 1024)]
    assert space.mapped_bytes == 16 * SEGMENT
    random.Random(1).shuffle(blocks)
    while blocks:
        space.free(blocks.pop())
    assert space.mapped_bytes == SEGMENT, "one is kept for the next block"
    assert space.allocate(SEGMENT).size == SEGMENT
    assert space.allocate(15 * SEGMENT).size == 15 * SEGMENT


def test_a_full_space_says_so_and_stays_usable(space: ExecutableSpace) -> None:
    blocks = [block_with(space, number, SEGMENT) for number in range(16)]
    with pytest.raises(MemoryError, match="no 1 bytes left in 1048576 bytes"):
        space.allocate(1)
    with pytest.raises(MemoryError):
        space.allocate(1 << 50)
    del blocks[3:6]
    with pytest.raises(MemoryError):
        space.allocate(4 * SEGMENT)
    large = block_with(space, 77, 3 * SEGMENT)
    assert call(large) == 77
    assert [call(block) for block in blocks] == [0, 1, 2, *range(6, 16)]


def test_a_large_block_gets_a_segment_of_its_size(space: ExecutableSpace) -> None:
    block = block_with(space, 5, 2 * SEGMENT + 1)
    assert space.mapped_bytes == 3 * SEGMENT
    block.write(block.size - 1, b"\xc3")
    assert call(block) == 5
    space.free(block)
    assert space.mapped_bytes == 0, "only segments of the usual size are kept"


def test_thousands_of_modules_leave_nothing(
    mappings: Mappings, resident_bytes: Callable[[], int], open_files: Callable[[], int]
) -> None:
    space = ExecutableSpace(1 << 28, 1 << 18)
    chance = random.Random(2)
    permanent = block_with(space, 42)

    def module() -> None:
        blocks = [space.allocate(chance.randint(1, 1 << chance.randint(4, 15))) for _ in range(20)]
        for block in blocks:
            block.write(0, b"\xcc" * block.size)

    before: tuple[int, ...] = ()
    for turn in range(3000):
        module()
        if turn == 100:
            before = len(mappings()), resident_bytes(), open_files(), space.mapped_bytes
    after = len(mappings()), resident_bytes(), open_files(), space.mapped_bytes
    assert after[0] <= before[0] + 5
    assert after[1] <= before[1] + (2 << 20)
    assert after[2] == before[2]
    assert after[3] <= 2 << 18
    assert call(permanent) == 42


def test_a_space_that_is_gone_leaves_nothing(mappings: Mappings) -> None:
    before = len(mappings())
    for _ in range(20):
        space = ExecutableSpace(1 << 30)
        block = block_with(space, 9)
        assert len(mappings()) > before
        del space
        gc.collect()
        assert call(block) == 9, "a block keeps its space"
        del block
    assert len(mappings()) <= before + 2


# --- Interruptions ---


def test_blocks_can_go_at_any_time(space: ExecutableSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Destructors run in the middle of anything, also of this."""
    victims = [space.allocate(SEGMENT)]
    original = system.shared_pages

    def collecting(size: int) -> int:
        victims.clear()
        space.collect()
        return original(size)

    monkeypatch.setattr(system, "shared_pages", collecting)
    block = block_with(space, 4, SEGMENT)
    space.collect()
    assert (call(block), space.mapped_bytes) == (4, 2 * SEGMENT)
    assert space.allocate(SEGMENT).address != block.address
    assert space.mapped_bytes == 2 * SEGMENT


def test_blocks_can_go_while_another_thread_has_the_lock(space: ExecutableSpace) -> None:
    blocks = [space.allocate(SEGMENT) for _ in range(4)]
    thread = threading.Thread(target=blocks.clear)
    with forks.lock:
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    space.collect()
    assert space.mapped_bytes == SEGMENT


def test_a_signal_handler_cannot_allocate_in_the_middle_of_an_allocation(
    space: ExecutableSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = system.shared_pages

    def interrupted(size: int) -> int:
        with pytest.raises(RuntimeError, match="signal handler"):
            space.allocate(1)
        seen.append(size)
        return original(size)

    monkeypatch.setattr(system, "shared_pages", interrupted)
    assert call(block_with(space, 8)) == 8
    assert seen == [SEGMENT]


def test_interrupts_may_lose_space_but_nothing_is_handed_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    space = ExecutableSpace(1 << 28, SEGMENT)
    chance = random.Random(3)
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)  # interrupts in destructors do not come through

    armed, count = False, 0

    def interrupt(*_: object) -> None:
        if armed:
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    live: list[CodeBlock] = []
    end = time.monotonic() + 20
    try:
        while count < 500 and time.monotonic() < end:
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(2e-5, 2e-4))
                for _ in range(500):
                    live.append(space.allocate(chance.randint(1, SEGMENT // 8)))
                    if len(live) > 50:
                        live.pop(chance.randrange(50))
                armed = False
            except KeyboardInterrupt:
                armed, count = False, count + 1
                assert not space._busy
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    thread = threading.Thread(
        target=lambda: live.extend(space.allocate(chance.randint(1, SEGMENT // 8)) for _ in range(300)), daemon=True
    )
    thread.start()
    thread.join(10)
    assert count > 0
    assert not thread.is_alive(), "the lock stayed locked"
    ends = sorted((block.address, block.address + block.size) for block in live)
    assert all(one[1] <= other[0] for one, other in pairwise(ends))
    for number, block in enumerate(live):
        block.write(0, returning(number)[: block.size])
    assert [call(block) for block in live if block.size >= 6] == [n for n, b in enumerate(live) if b.size >= 6]


# --- Refusals ---


def refuse(*_: object) -> int:
    raise system.RefusedError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("refused", ["shared_pages", "map_writable", "map_executable"])
def test_a_refusal_is_a_memory_error_and_leaves_nothing(
    space: ExecutableSpace,
    refused: str,
    monkeypatch: pytest.MonkeyPatch,
    mappings: Mappings,
    open_files: Callable[[], int],
) -> None:
    before = len(mappings()), open_files()
    with monkeypatch.context() as patch:
        patch.setattr(system, refused, refuse)
        for _ in range(20):
            with pytest.raises(MemoryError, match="refuses executable memory: Permission denied"):
                space.allocate(1)
        assert len(mappings()) < before[0] + 5
        assert open_files() == before[1]
    assert call(block_with(space, 6)) == 6


def test_less_address_space_is_enough(in_child: Callable[[Callable[[], object]], str]) -> None:
    def body() -> object:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), used + (100 << 20)))
        space = ExecutableSpace()
        return space.high - space.low, call(block_with(space, 12))

    assert in_child(body) == str((64 << 20, 12))


def test_no_address_space_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "reserve", refuse)
    with pytest.raises(MemoryError, match="cannot reserve address space for code: Permission denied"):
        ExecutableSpace()


def test_the_probe_runs_code_and_leaves_nothing(mappings: Mappings, open_files: Callable[[], int]) -> None:
    assert probe() is None
    before = len(mappings()), open_files()
    for _ in range(50):
        assert probe() is None
    assert len(mappings()) < before[0] + 5
    assert open_files() == before[1]


@pytest.mark.parametrize("refused", ["reserve", "shared_pages", "map_writable", "map_executable"])
def test_the_probe_says_what_is_refused(refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, refused, refuse)
    assert "Permission denied (SELinux, seccomp or a limit may forbid it)." in str(probe())


def test_the_probe_knows_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wazero_jit.memory.executable._ANSWER", {})
    assert probe() == "there is no machine code for x86_64."
    monkeypatch.setattr(system, "_C", None)
    assert probe() == "native memory is implemented for Linux only, and this is linux."


def test_the_probe_looks_at_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wazero_jit.memory.executable._ANSWER", {"x86_64": returning(43)})
    assert probe() == "machine code that should return 42 returned 43."


# --- Threads ---


def test_threads_get_blocks_of_their_own(space: ExecutableSpace) -> None:
    """Each thread's code returns its own numbers, whatever the others allocate, write and free meanwhile."""
    wrong: list[object] = []
    end = time.monotonic() + 1

    def work(thread: int) -> None:
        chance, live, turn = random.Random(thread), dict[int, CodeBlock](), thread << 24
        try:
            while time.monotonic() < end:
                turn += 1
                live[turn] = block_with(space, turn, chance.randint(6, 3000))
                if len(live) > 30:
                    number = chance.choice(list(live))
                    block = live.pop(number)
                    if call(block) != number:
                        wrong.append((thread, number))
                    if chance.random() < 0.5:
                        space.free(block)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    gc.collect()
    space.collect()
    assert space.mapped_bytes == SEGMENT
    assert space.allocate(16 * SEGMENT).size == 16 * SEGMENT, "all was given back"
