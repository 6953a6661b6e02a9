"""Loads and stores: every width, place and kind of address, with guard pages and with checks."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import random
from collections.abc import Iterator

import pytest

from wazero_api import TrapKind
from wazero_jit.isa.amd64.encoding import R12, R14, R15, RBP, RBX, RDI, RSI
from wazero_jit.isa.amd64.memory_access import LOADS, STORES
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.memory.linear import MemoryRecord
from wazero_jit.registers.operands import FLOAT, SLOT, Operand

from .harness import assert_kept, constant, machine, needs_amd64, place_index, trap_kind
from .reference import signed

pytestmark = needs_amd64

SPACE = (1 << 33) + (1 << 16)
"""Addresses and offsets are below 2**32 each."""
WORD = 8
MAP_NORESERVE = 0x4000
"""Of Linux on x86; `mmap` has it from 3.12 on only."""

ADDRESSES = (0, 1, 0xFFF9, 0x7FFFFFFF, 0x80000000, 0xFFFF0000, 0xFFFFFFFF)
OFFSETS = (0, 1, 127, 128, 0xFFFF, 0x7FFEFFFF, 0x7FFF0000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
ADDRESS_PLACES = (RSI, R12, RBP, SLOT + 1, None)


@pytest.fixture(scope="module")
def space() -> Iterator[memoryview]:
    """Zeros that take no memory until they are written."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    mapping = mmap.mmap(-1, SPACE, flags=flags)
    view = memoryview(mapping)
    yield view
    view.release()
    mapping.close()


def address_of(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


class World:
    """Memory 0 is in the memory register and, like the other, in a record of the context."""

    def __init__(self, space: memoryview, is_other: bool = False, size: int = SPACE) -> None:
        base = address_of(space)
        self.record = MemoryRecord(base, size, size >> 16)
        self.context = (ctypes.c_uint64 * 2)(0, ctypes.addressof(self.record))
        machine().set_register(R15, ctypes.addressof(self.context))
        machine().set_register(R14, 0xDEAD if is_other else base)


def token_or_place(place: Operand | None, address: int) -> Operand:
    return constant("i32", address) if place is None else place


def load_type(name: str) -> str:
    return name.partition(".")[0]


def size_bytes(name: str) -> int:
    word = name.partition(".")[2].removeprefix("load").removeprefix("store")
    return int(word.partition("_")[0] or load_type(name)[1:]) // 8


def loaded(name: str, data: bytes) -> int:
    value = int.from_bytes(data, "little")
    if name.endswith("_s"):
        value = signed(value, 8 * len(data)) % (1 << int(load_type(name)[1:]))
    return value


DESTINATIONS: dict[str, tuple[int, ...]] = {"i": (RBX, RBP, SLOT + 2), "f": (FLOAT + 2, FLOAT + 9, SLOT + 2)}
STORED: dict[str, tuple[Operand | None, ...]] = {
    "i": (RDI, RBP, SLOT + 2, None),
    "f": (FLOAT + 2, FLOAT + 9, SLOT + 2, None),
}
MODES = {"memory 0": (None, True), "another": (WORD, True), "checked": (WORD, False)}


def accesses(count: int, seed: str) -> list[tuple[int, int, Operand | None]]:
    """(address, offset, where the address is): all offsets and addresses with each place, and some of the rest."""
    every = list(itertools.product(ADDRESSES, OFFSETS, ADDRESS_PLACES))
    return random.Random(seed).sample(every, count)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LOADS)
def test_loads(space: memoryview, name: str, mode: str) -> None:
    word, is_guarded = MODES[mode]
    templates = Templates(is_guarded)
    _world = World(space, mode != "memory 0")
    size = size_bytes(name)
    type = load_type(name)
    generator = random.Random(name)
    for (address, offset, place), dst in itertools.product(accesses(120, name), DESTINATIONS[type[0]]):
        data = generator.choice((generator.randbytes(size), bytes((0x80,)) * size, b"\x7f" * size))
        start = address + offset
        space[start : start + size] = data
        operand = token_or_place(place, address)
        machine().load(templates.memo(name, word, offset)[operand, dst])
        before, after = machine().run({operand: address})
        result = after[place_index(dst)]
        assert (result & 0xFFFFFFFF if type == "f32" else result) == loaded(name, data), (address, offset, place)
        assert_kept(before, after, dst)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STORES)
def test_stores(space: memoryview, name: str, mode: str) -> None:
    word, is_guarded = MODES[mode]
    templates = Templates(is_guarded)
    _world = World(space, mode != "memory 0")
    size = size_bytes(name)
    type = load_type(name)
    generator = random.Random(name)
    for (address, offset, place), source in itertools.product(accesses(90, name), STORED[type[0]]):
        if source == place:
            continue
        width = int(type[1:])
        value = generator.choice((0, 1, generator.getrandbits(width), 1 << width - 1, (1 << width) - 1, 0x80, 0x8000))
        operand = token_or_place(place, address)
        stored = constant(type, value) if source is None else source
        margin = min(address + offset, 3)
        start = address + offset - margin
        space[start : start + 16] = b"\xa5" * 16
        machine().load(templates.memo(name, word, offset)[operand, stored])
        before, after = machine().run({operand: address, stored: value})
        data = value.to_bytes(8, "little")[:size]
        assert bytes(space[start : start + 16]) == (b"\xa5" * margin + data).ljust(16, b"\xa5"), (address, offset)
        assert_kept(before, after)


@pytest.mark.parametrize("place", ADDRESS_PLACES)
@pytest.mark.parametrize("name", [*LOADS, *STORES])
def test_checks(space: memoryview, name: str, place: Operand | None) -> None:
    """The last byte decides."""
    templates = Templates(guarded=False)
    size = size_bytes(name)
    operand: Operand = SLOT + 2 if name in LOADS else constant(load_type(name), 1)
    cases = [(0, 0), (0, size), (0, size - 1), (0xFFFF, 0x10000), (0, 0x10000), (5, 0x10000), (5, 0xFFFF)]
    cases += [(5, 0x7FFF0000), (0xFFFFFFFF, 0x10000), (0xFFFFFFFF, 0xFFFFFFFF)]
    for offset, bytes_now in cases:
        _world = World(space, True, bytes_now)
        for address in {
            0,
            1,
            0xFFFF,
            0xFFFFFFFF,
            max(bytes_now - offset - size, 0),
            max(bytes_now - offset - size, 0) + 1,
        }:
            if address >= 1 << 32:
                continue
            where = token_or_place(place, address)
            machine().load(templates.memo(name, WORD, offset)[where, operand])
            _, after = machine().run({where: address})
            is_outside = address + offset + size > bytes_now
            assert (trap_kind(after) is TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS) == is_outside, (
                offset,
                bytes_now,
                address,
            )


@pytest.mark.parametrize("dst", [RBX, R12, SLOT + 2])
def test_memory_size(space: memoryview, dst: int) -> None:
    world = World(space, True, 3 << 16)
    assert world.record.pages == 3
    machine().load(Templates().memo("memory.size", WORD)[dst,])
    before, after = machine().run({})
    assert after[place_index(dst)] == 3
    assert_kept(before, after, dst)
