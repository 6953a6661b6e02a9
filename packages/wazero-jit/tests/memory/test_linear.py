"""Linear memories: bytes that never move, views that stay, accesses that fault, and nothing that grows."""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import gc
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wazero_api import PAGE_SIZE, Limits, MemoryType, UnsupportedError
from wazero_jit.memory import ENVELOPE, GUARDED_BYTES, MemoryRecord, NativeMemory, linear, live_reservations, system

Access = Callable[[int], str]
InChild = Callable[[Callable[[], object]], str]
MODES = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "checked"])


def new(minimum: int = 1, maximum: int = 10, guarded: bool = True) -> NativeMemory:
    return NativeMemory(MemoryType(Limits(minimum)), maximum, guarded)


def record(memory: NativeMemory) -> tuple[int, int, int]:
    found = MemoryRecord.from_address(memory.record_address)
    return found.base, found.bytes, found.pages


# --- Size ---


@MODES
def test_a_new_memory(guarded: bool, access: Access) -> None:
    memory = new(2, 10, guarded)
    assert (memory.type, memory.guarded, memory.pages) == (MemoryType(Limits(2)), guarded, 2)
    view = memory.buffer
    assert (view.nbytes, view.format, view.readonly, view.ndim) == (2 * PAGE_SIZE, "B", False, 1)
    assert bytes(view) == bytes(2 * PAGE_SIZE)
    assert record(memory) == (memory.base_address, 2 * PAGE_SIZE, 2)
    assert access(memory.base_address) == access(memory.base_address + 2 * PAGE_SIZE - 1) == "rw-p"
    assert access(memory.base_address + 2 * PAGE_SIZE) == "---p"


@MODES
def test_growing(guarded: bool, access: Access) -> None:
    memory = new(1, 10, guarded)
    base, view = memory.base_address, memory.buffer
    view[:] = b"\xff" * len(view)
    assert [memory.grow(delta) for delta in (0, 1, 3, 6, 5, 0, -1)] == [1, 1, 2, -1, 5, 10, -1]
    assert (memory.pages, memory.base_address, len(memory.buffer)) == (10, base, 10 * PAGE_SIZE)
    assert record(memory) == (base, 10 * PAGE_SIZE, 10)
    assert bytes(memory.buffer[PAGE_SIZE:]) == bytes(9 * PAGE_SIZE)
    memory.buffer[0] = 1
    memory.buffer[-1] = 2
    assert view[0] == 1
    assert ctypes.string_at(base + 10 * PAGE_SIZE - 1, 1) == b"\2"
    assert access(base + 10 * PAGE_SIZE - 1) == "rw-p"


@MODES
def test_a_memory_without_pages(guarded: bool) -> None:
    memory = new(0, 1, guarded)
    assert (memory.pages, len(memory.buffer), memory.base_address != 0) == (0, 0, True)
    assert (memory.grow(1), memory.grow(1), len(memory.buffer)) == (0, -1, PAGE_SIZE)
    nothing = new(0, 0, guarded)
    assert (nothing.grow(0), nothing.grow(1), len(nothing.buffer)) == (0, -1, 0)


@MODES
def test_the_largest_memory(guarded: bool) -> None:
    memory = new(0, 1 << 20, guarded)
    assert memory.grow(65537) == -1
    assert memory.grow(65536) == 0
    assert len(memory.buffer) == 1 << 32
    memory.buffer[-1] = 5
    assert record(memory) == (memory.base_address, 1 << 32, 65536)


@MODES
def test_growing_that_the_system_refuses_changes_nothing(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise system.RefusedError(errno.ENOMEM, "Cannot allocate memory")

    memory = new(1, 10, guarded)
    with monkeypatch.context() as patch:
        patch.setattr(system, "commit", refuse)
        assert (memory.grow(2), memory.pages, len(memory.buffer)) == (-1, 1, PAGE_SIZE)
        assert record(memory)[1:] == (PAGE_SIZE, 1)
        with pytest.raises(MemoryError, match="cannot get 1 pages of memory: Cannot allocate memory"):
            new(1, 1, guarded)
        assert new(0, 1, guarded).pages == 0
    assert (memory.grow(2), len(memory.buffer)) == (1, 3 * PAGE_SIZE)
    memory.buffer[-1] = 1


@pytest.mark.parametrize("kind", [{"is_shared": True}, {"is_64": True}], ids=str)
def test_kinds_that_are_not_supported(kind: dict[str, bool]) -> None:
    with pytest.raises(UnsupportedError, match="shared nor 64-bit"):
        NativeMemory(MemoryType(Limits(1, 1), **kind), 1, guarded=True)


def test_threads_that_grow_one_memory_get_every_page_once() -> None:
    memory = new(0, 65536)
    starts: list[int] = []

    def work() -> None:
        for _ in range(400):
            starts.append(memory.grow(2))
            assert len(memory.buffer) >= (starts[-1] + 2) * PAGE_SIZE

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(starts) == list(range(0, 6400, 2))
    assert record(memory)[1:] == (6400 * PAGE_SIZE, 6400)


# --- Guard ---


@pytest.mark.parametrize("pages", [0, 1, 65536])
def test_every_address_that_code_can_compute_is_inside_or_faults(pages: int, mappings: Callable[[], list[Any]]) -> None:
    memory = new(pages, pages)
    base, furthest = memory.base_address, memory.base_address + 2 * 0xFFFFFFFF + 16
    assert furthest <= base + GUARDED_BYTES
    position = base + pages * PAGE_SIZE
    while position < furthest:
        found = next(found for found in mappings() if found.start <= position < found.end)
        assert found.access == "---p"
        position = found.end
    assert base >= ENVELOPE.low
    assert base + GUARDED_BYTES <= ENVELOPE.high


@pytest.mark.parametrize("offset", [PAGE_SIZE, 1 << 32, (8 << 30) + 13])
def test_an_access_past_the_end_faults(offset: int, in_child: InChild) -> None:
    memory = new(1, 1)

    def body() -> object:
        faulthandler.disable()
        return ctypes.string_at(memory.base_address + offset, 1)

    assert in_child(body) == f"signal {signal.SIGSEGV}"


def test_the_envelope_only_widens() -> None:
    memories = [new(guarded=guarded) for guarded in (True, False) * 4]
    low, high = ENVELOPE.low, ENVELOPE.high
    assert all(low <= memory.base_address < high for memory in memories)
    del memories
    assert (ENVELOPE.low, ENVELOPE.high) == (low, high)


# --- Less address space ---


def limited(spare_bytes: int, body: Callable[[], object]) -> Callable[[], object]:
    """`body`, with that much address space left."""

    def run() -> object:
        gc.collect()  # memories of other tests would make room when space gets short
        used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + spare_bytes, used + spare_bytes))
        return body()

    return run


def test_no_guard_where_address_space_is_limited(in_child: InChild) -> None:
    def body() -> object:
        with pytest.raises(MemoryError, match="cannot reserve address space"):
            new(1, 65536, guarded=True)
        memory = new(1, 65536, guarded=False)
        memory.buffer[0] = 1
        return memory.grow(0xFFF), memory.grow(1), len(memory.buffer)

    assert in_child(limited(300 << 20, body)) == str((1, -1, 256 << 20))


def test_a_minimum_that_does_not_fit(in_child: InChild) -> None:
    def body() -> object:
        with pytest.raises(MemoryError, match="cannot reserve address space"):
            new(0x1000, 0x2000, guarded=False)
        return new(0x0800, 0x2000, guarded=False).grow(0)

    assert in_child(limited(250 << 20, body)) == str(0x0800)


# --- Views ---


@MODES
def test_views_outlive_growth_close_and_the_memory(guarded: bool, access: Access) -> None:
    memory = new(1, 10, guarded)
    base = memory.base_address
    array = np.frombuffer(memory.buffer, dtype="<u4")
    part = memory.buffer[100:200]
    array[25] = 0x01020304
    memory.grow(5)
    memory.close()
    del memory
    gc.collect()
    assert bytes(part[:4]) == b"\4\3\2\1"
    array[26] = 7
    assert part[4] == 7
    del part
    assert array[25:27].tolist() == [0x01020304, 7]
    assert access(base) == "rw-p"
    tail = array[-1:]
    del array
    assert tail[0] == 0
    del tail
    assert access(base) != "rw-p"


def test_a_released_view_is_the_callers_alone() -> None:
    memory = new()
    with memory.buffer as view:
        view[0] = 3
    assert memory.buffer[0] == 3


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the buffer protocol from Python is new in 3.12")
def test_the_memory_is_a_buffer_itself() -> None:
    memory: Any = new()
    view = memoryview(memory)
    view[:4] = b"abcd"
    assert np.frombuffer(memory, dtype="<u4")[0] == 0x64636261
    assert bytes(memory)[:5] == b"abcd\0"
    array = np.frombuffer(memory, dtype="u1")
    memory.grow(1)
    assert len(memoryview(memory)) == 2 * PAGE_SIZE
    view.release()
    memory.close()
    assert (len(memoryview(memory)), array[0]) == (0, 97)
    count = live_reservations()
    del memory, view, array
    gc.collect()
    assert live_reservations() == count - 1


# --- Close ---


@MODES
def test_a_closed_memory_has_no_bytes_but_keeps_its_addresses(
    guarded: bool, access: Access, resident_bytes: Callable[[], int]
) -> None:
    memory = new(1000, 1001, guarded)
    memory.buffer[:] = b"\1" * len(memory.buffer)
    full, base = resident_bytes(), memory.base_address
    memory.close()
    assert full - resident_bytes() > 900 * PAGE_SIZE
    assert (memory.pages, len(memory.buffer), memory.buffer.readonly) == (0, 0, False)
    assert (memory.grow(1), memory.grow(0), memory.base_address) == (-1, 0, base)
    assert record(memory) == (base, 0, 0)
    assert access(base) == "---p"
    memory.close()
    count = live_reservations()
    del memory
    assert live_reservations() == count - 1


def test_pages_of_a_closed_memory_go_with_the_last_view(access: Access) -> None:
    memory = new()
    view = memory.buffer
    memory.close()
    view[0] = 1
    assert (view[0], access(memory.base_address)) == (1, "rw-p")
    del view
    assert access(memory.base_address) == "---p"


@MODES
def test_a_memory_that_is_dropped_leaves_nothing(guarded: bool, mappings: Callable[[], list[Any]]) -> None:
    new(guarded=guarded).close()
    count, before = live_reservations(), len(mappings())
    memories = [new(guarded=guarded) for _ in range(50)]
    assert live_reservations() == count + 50
    assert len(mappings()) >= before + 50
    del memories
    assert live_reservations() == count
    assert len(mappings()) < before + 5


@MODES
def test_ten_thousand_memories_leave_nothing(
    guarded: bool, mappings: Callable[[], list[Any]], resident_bytes: Callable[[], int]
) -> None:
    def cycle() -> None:
        memory = new(1, 100, guarded)
        memory.buffer[5] = 1
        memory.grow(2)
        memory.buffer[-1] = 1
        memory.close()

    for _ in range(200):
        cycle()
    gc.collect()
    before = len(mappings()), resident_bytes(), live_reservations()
    for _ in range(10_000):
        cycle()
    gc.collect()
    assert len(mappings()) < before[0] + 5
    assert resident_bytes() <= before[1] + (1 << 20)
    assert live_reservations() == before[2]


def test_growing_a_thousand_times_makes_no_mappings(mappings: Callable[[], list[Any]]) -> None:
    memory = new(1, 2000)
    memory.buffer[0] = 1
    before = len(mappings())
    for _ in range(1000):
        memory.grow(1)
        memory.buffer[-1] = 1
    assert len(mappings()) <= before + 1


def test_an_address_used_again_counts_again() -> None:
    """The system hands out the same addresses again and again, and finalisers of one must not take out another."""
    count = live_reservations()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            new()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    memories = [new() for _ in range(500)]
    stop.set()
    for thread in threads:
        thread.join()
    assert live_reservations() == len(linear._live) == count + 500
    del memories
    assert live_reservations() == count
