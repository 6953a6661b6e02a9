"""Moves, references, globals and tables."""

from __future__ import annotations

import ctypes
import itertools

import pytest

from wazero_api import TrapKind
from wazero_jit.isa.amd64.encoding import R8, R9, R12, R15, RAX, RBP, RBX, RCX, RSI
from wazero_jit.isa.amd64.registers import PLAN
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.link.records import TableRecord
from wazero_jit.registers.operands import FLOAT, SLOT, Operand

from .harness import (
    ARITHMETIC_FLAGS,
    FLAGS,
    assert_kept,
    constant,
    machine,
    needs_amd64,
    place_index,
    trap_kind,
)

pytestmark = needs_amd64

TEMPLATES = Templates()

PLACES: tuple[int, ...] = (RSI, RBP, R12, FLOAT + 1, FLOAT + 13, SLOT, SLOT + 18, RCX, FLOAT + 15)
CONSTANTS = {
    constant(type, bits): bits
    for type, values in {
        "i32": (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF),
        "i64": (0, 0x80000000, 0xFFFFFFFF, 1 << 32, 1 << 63, (1 << 64) - 1, (1 << 64) - (1 << 31), 0x123456789ABCDEF0),
        "f32": (0, 0x80000000, 0x3F800000, 0x7FC00001),
        "f64": (0, 1 << 63, 0x3FF0000000000000, 0x7FF0000000000001, 5),
    }.items()
    for bits in values
} | {b"\xd0\x70": 0, b"\xd0\x6f": 0, b"\x41\x80\x80\x80\x80\x78": 0x80000000, b"\x42\x85\x80\x00": 5}
"""The last ones: null, and numbers with more bytes than needed."""


@pytest.mark.parametrize("flags", [0, ARITHMETIC_FLAGS])
def test_moves_keep_the_flags(flags: int) -> None:
    memo = TEMPLATES.memo("move")
    values: dict[Operand, int] = {place: 0x1111111122222222 * (index + 1) for index, place in enumerate(PLACES)}
    sources: tuple[Operand, ...] = (*PLACES, *CONSTANTS)
    machine().set_register(FLAGS, 0x202 | flags)
    for source, dst in itertools.product(sources, PLACES):
        machine().load(memo[source, dst])
        before, after = machine().run(values)
        wanted = CONSTANTS[source] if isinstance(source, bytes) else values[source]
        assert after[place_index(dst)] == wanted, (source, dst)
        assert after[FLAGS] & ARITHMETIC_FLAGS == flags
        changed = {index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}
        allowed = {place_index(dst), FLAGS, 4}
        if dst >= FLOAT:
            allowed |= {RAX, place_index(dst) + 1}
        assert changed <= allowed, (source, dst)
    machine().set_register(FLAGS, 0x202)


def test_a_move_to_itself_is_nothing() -> None:
    for place in PLACES:
        assert TEMPLATES.memo("move")[place, place] == b""


class World:
    """A context with words for a global, a table, and records."""

    words = 8
    cell_word, table_word, import_word, own_record = 0, 8, 16, 24

    def __init__(self, length: int = 5) -> None:
        self.context = (ctypes.c_uint64 * self.words)()
        self.cell = ctypes.c_uint64(0xABCDEF0123456789)
        self.elements = (ctypes.c_uint64 * length)(*[100 + index for index in range(length)])
        self.table = TableRecord(ctypes.addressof(self.elements), length)
        self.context[0] = ctypes.addressof(self.cell)
        self.context[1] = ctypes.addressof(self.table)
        self.context[2] = 0x1234567812345678
        machine().set_register(R15, self.address)

    @property
    def address(self) -> int:
        return ctypes.addressof(self.context)


DESTINATIONS = (RBX, RBP, R12, SLOT + 2)


@pytest.mark.parametrize("dst", [*DESTINATIONS, FLOAT + 2])
def test_global_get(dst: int) -> None:
    world = World()
    machine().load(TEMPLATES.memo("global.get", world.cell_word)[dst,])
    before, after = machine().run({})
    assert after[place_index(dst)] == world.cell.value
    assert_kept(before, after, dst)


@pytest.mark.parametrize("value", [*PLACES[:7], *CONSTANTS])
def test_global_set(value: Operand) -> None:
    world = World()
    machine().load(TEMPLATES.memo("global.set", world.cell_word)[value,])
    before, after = machine().run({})
    assert world.cell.value == (CONSTANTS[value] if isinstance(value, bytes) else before[place_index(value)])
    assert_kept(before, after)


@pytest.mark.parametrize("dst", DESTINATIONS)
def test_references_to_functions(dst: int) -> None:
    world = World()
    for kind, offset, wanted in (
        ("own", world.own_record, world.address + world.own_record),
        ("import", world.import_word, world.context[2]),
    ):
        machine().load(TEMPLATES.memo("ref.func", kind, offset)[dst,])
        before, after = machine().run({})
        assert after[place_index(dst)] == wanted
        assert_kept(before, after, dst)


@pytest.mark.parametrize("dst", DESTINATIONS)
def test_table_size(dst: int) -> None:
    world = World()
    machine().load(TEMPLATES.memo("table.size", world.table_word)[dst,])
    before, after = machine().run({})
    assert after[place_index(dst)] == 5
    assert_kept(before, after, dst)


INDICES = (0, 1, 4, 5, 0x0FFFFFFF, 0x10000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@pytest.mark.parametrize("place", [RSI, R9, SLOT + 1, None])
@pytest.mark.parametrize("dst", [*DESTINATIONS, RSI])
def test_table_get(dst: int, place: Operand | None) -> None:
    world = World()
    for index in INDICES:
        operand = constant("i32", index) if place is None else place
        machine().load(TEMPLATES.memo("table.get", world.table_word)[operand, dst])
        before, after = machine().run({operand: index})
        if index < 5:
            assert after[place_index(dst)] == 100 + index
            assert_kept(before, after, dst)
        else:
            assert trap_kind(after) is TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS


@pytest.mark.parametrize("place", [RSI, R9, SLOT + 1, None])
@pytest.mark.parametrize("value", [R8, SLOT + 3, b"\xd0\x70"])
def test_table_set(value: Operand, place: Operand | None) -> None:
    for index in INDICES:
        world = World()
        operand = constant("i32", index) if place is None else place
        machine().load(TEMPLATES.memo("table.set", world.table_word)[operand, value])
        before, after = machine().run({operand: index})
        wanted = [100 + position for position in range(5)]
        if index < 5:
            wanted[index] = 0 if isinstance(value, bytes) else before[place_index(value)]
            assert_kept(before, after)
        else:
            assert trap_kind(after) is TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS
        assert list(world.elements) == wanted


def test_elements_far_up() -> None:
    """A constant index whose element needs a displacement of 32 bits."""
    world = World(100)
    machine().load(TEMPLATES.memo("table.get", world.table_word)[constant("i32", 99), RBX])
    assert machine().run({})[1][RBX] == 199


def test_roles_are_disjoint() -> None:
    """What lowering uses freely is nobody's home."""
    homes = {*PLAN.temporaries, *PLAN.float_temporaries, *PLAN.pins, *PLAN.float_pins}
    assert not homes & {*PLAN.scratch, *PLAN.float_scratch}
    assert set(PLAN.scratch) == {0, 1, 2}
    assert set(PLAN.float_scratch) == {FLOAT + 14, FLOAT + 15}
