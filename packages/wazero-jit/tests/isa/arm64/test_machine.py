"""What translation asks of arm64, as far as bytes alone tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from wazero_api import BY_NAME, FunctionType, Module, Opcode, UnsupportedError, ValueType
from wazero_jit.isa.arm64 import encoding
from wazero_jit.isa.arm64.encoding import ADD_IMM, B_COND, BLR, CBNZ, CBZ, LDR, SP, SUB_IMM, X3, ZR, B, Row
from wazero_jit.isa.arm64.machine import Arm64
from wazero_jit.isa.arm64.registers import LINK, PLAN
from wazero_jit.isa.interface import Frame, Isa
from wazero_jit.link.layout import ContextLayout
from wazero_jit.registers.operands import FLOAT, SLOT
from wazero_jit.translate.function import FunctionCode, translate
from wazero_jit.translate.meanings import Meanings

I32, I64, F64 = ValueType.I32, ValueType.I64, ValueType.F64
MODULE = Module(types=(FunctionType((I32,), (I32,)),), functions=(0,))
ROWS = [row for row in vars(encoding).values() if isinstance(row, Row)]
GET_0, SET_0, CALL_0, DROP, END = b"\x20\x00", b"\x21\x00", b"\x10\x00", b"\x1a", b"\x0b"


@pytest.fixture
def isa() -> Isa:
    return Arm64(guarded=False)


def code_of(isa: Isa, type: FunctionType, local_types: Sequence[ValueType], *tokens: bytes) -> FunctionCode:
    meanings = Meanings(MODULE, ContextLayout(MODULE), isa, guarded=False)
    return translate(type, [*type.params, *local_types], tokens, meanings, isa)


def words_of(code: bytes) -> list[int]:
    return [int.from_bytes(code[start : start + 4], "little") for start in range(0, len(code), 4)]


# Frames


def stack_moves(code: bytes) -> Iterator[int]:
    """Bytes by which each addition of a constant below 4096 moves the stack pointer."""
    for word in words_of(code):
        for row, sign in ((ADD_IMM, 1), (SUB_IMM, -1)):
            if word & ~0x3FFC00 == row.bits | 1 << 31 | SP << 5 | SP:
                yield sign * (word >> 10 & 0xFFF)


@pytest.mark.parametrize("count", range(12))
@pytest.mark.parametrize("calls", [(), (GET_0, CALL_0, DROP)])
def test_the_stack_pointer_stays_aligned(isa: Isa, count: int, calls: tuple[bytes, ...]) -> None:
    function = code_of(isa, FunctionType((I32,), ()), [I64] * count, *calls, END)
    size = function.frame_bytes + 8
    assert size % 16 == 0
    assert list(stack_moves(function.code)) == [-size, size]
    assert function.bare == 0


@pytest.mark.parametrize("words", [1, 11, 127, 2047, 4095, 4097, 100_001])
def test_the_return_address_is_above_the_frame(isa: Isa, words: int) -> None:
    frame = Frame(words, (), None)
    prologue, epilogue = isa.prologue(frame, True), isa.epilogue(frame)
    assert prologue.polls
    if words < 4096:
        assert LDR(LINK, SP, words * 8) in epilogue
    assert prologue.code.endswith(B_COND("lo", 0))


def test_small_leaves_need_no_check(isa: Isa) -> None:
    assert not isa.prologue(Frame(15, (), None), False).polls
    assert isa.prologue(Frame(15, (), None), True).polls
    assert isa.prologue(Frame(1001, (), None), False).polls


# Branches

BRANCHES: list[tuple[Row, tuple[Any, ...], int]] = [
    (B, (), 1 << 27),
    (B_COND, ("lo",), 1 << 20),
    (CBZ, (32, X3), 1 << 20),
    (CBNZ, (64, X3), 1 << 20),
]
IDS = [row.mnemonic for row, _, _ in BRANCHES]


@pytest.mark.parametrize(("row", "operands", "reach"), BRANCHES, ids=IDS)
def test_branches_reach_as_far_as_the_hardware_allows(
    isa: Isa, row: Row, operands: tuple[Any, ...], reach: int
) -> None:
    for distance in (4, 0, -4, reach - 4, -reach):
        code = bytearray(8) + row(*operands, 400)
        isa.patch_branch(code, 12, 8 + distance)
        assert code == bytes(8) + row(*operands, distance)


@pytest.mark.parametrize(("row", "operands", "reach"), BRANCHES, ids=IDS)
def test_a_branch_that_is_too_far_is_refused(isa: Isa, row: Row, operands: tuple[Any, ...], reach: int) -> None:
    for distance in (reach, -reach - 4):
        code = bytearray(row(*operands, 0))
        with pytest.raises(UnsupportedError, match="the function is too large"):
            isa.patch_branch(code, 4, distance)
        assert code == row(*operands, 0)


def test_a_function_that_is_too_large_is_refused(isa: Isa) -> None:
    body = (GET_0, b"\x41\x07", b"\x6c", SET_0) * 140_000
    skip = (b"\x02\x40", GET_0, b"\x0d\x00", *body, END)
    with pytest.raises(UnsupportedError, match="the function is too large"):
        code_of(isa, FunctionType((I32,), ()), [], *skip, END)


def test_branch_pieces_end_in_a_branch(isa: Isa) -> None:
    pieces = [isa.jump(), isa.poll_check(), isa.table_branch(0, 3)[0]]
    pieces += [isa.memo(name)[(0,)] for name in ("branch_if", "branch_unless")]
    pieces += [isa.memo("branch_if", "i64.lt_u")[(SLOT, b"\x42\x05")], isa.memo("branch_unless", "i32.eqz")[(SLOT,)]]
    for piece in pieces:
        patched = bytearray(piece)
        isa.patch_branch(patched, len(piece), 0)
        assert patched[:-4] == piece[:-4]


def test_tables_hold_distances_from_their_start(isa: Isa) -> None:
    code = bytearray(20)
    isa.patch_table(code, 8, [0, 8, 20])
    assert words_of(bytes(code)) == [0, 0, (1 << 32) - 8, 0, 12]


# What is missing

_NEUTRAL = {"local.get", "local.set", "local.tee", "drop", "select", "ref.null", "nop", "return"}
"""Among those with a fixed type, what translation does without an operation of the ISA."""


def _operations() -> list[Opcode]:
    """What translation asks an ISA for by the instruction's name."""
    return [
        opcode
        for name, opcode in BY_NAME.items()
        if opcode.params is not None and "." in name and not name.endswith(".const") and name not in _NEUTRAL
    ]


def _immediates(name: str) -> tuple[int, ...]:
    """As `translate.meanings` gives them."""
    if "load" in name or "store" in name:
        return 800, 16
    return (800,) if name in ("memory.size", "global.get") else ()


SUPPORTED = {
    *[f"i{width}.{name}" for width, name in itertools.product((32, 64), ("add", "sub", "mul", "and", "or", "xor"))],
    *[f"i{width}.{name}" for width, name in itertools.product((32, 64), ("shl", "shr_s", "shr_u", "eqz", "eq", "ne"))],
    *[f"i{w}.{name}_{s}" for w, name, s in itertools.product((32, 64), ("lt", "gt", "le", "ge"), "su")],
    *[f"i{w}.load{size}_{s}" for w, size, s in itertools.product((32, 64), (8, 16), "su")],
    *[f"i{w}.store{size}" for w, size in itertools.product((32, 64), ("", 8, 16))],
    *["i32.load", "i64.load", "i64.load32_s", "i64.load32_u", "i64.store32"],
    *["i32.extend8_s", "i32.extend16_s", "i64.extend8_s", "i64.extend16_s", "i64.extend32_s"],
    *["i32.wrap_i64", "i64.extend_i32_s", "i64.extend_i32_u", "memory.size", "global.get", "global.set"],
}


@pytest.mark.parametrize("opcode", _operations(), ids=lambda opcode: opcode.name)
def test_what_is_missing_is_refused_by_name(isa: Isa, opcode: Opcode) -> None:
    immediates = _immediates(opcode.name)
    if opcode.name in SUPPORTED:
        assert isa.memo(opcode.name, *immediates) is isa.memo(opcode.name, *immediates)
        return
    for use in ((opcode.name, *immediates), ("branch_if", opcode.name), ("select", opcode.name)):
        with pytest.raises(UnsupportedError, match=f"^the arm64 engine cannot translate {opcode.name} yet$"):
            isa.memo(*use)


@pytest.mark.parametrize(
    ("type", "tokens"),
    [
        (FunctionType((F64,), (F64,)), (GET_0,)),
        (FunctionType((F64,), ()), (GET_0, SET_0, GET_0, SET_0)),
        (FunctionType((), (F64,)), (b"\x44" + bytes(8),)),
    ],
)
def test_floats_are_refused(isa: Isa, type: FunctionType, tokens: tuple[bytes, ...]) -> None:
    with pytest.raises(UnsupportedError, match="cannot move floating-point values yet"):
        code_of(isa, type, [], *tokens, END)


@pytest.mark.parametrize("token", [b"\xfc\x0a\x00\x00", b"\xfc\x0b\x00"])
def test_bulk_instructions_are_refused(isa: Isa, token: bytes) -> None:
    with pytest.raises(UnsupportedError, match=r"memory\.copy, memory\.fill"):
        code_of(isa, FunctionType((I32,), ()), [], GET_0, GET_0, GET_0, token, END)


def test_float_pins_are_refused(isa: Isa) -> None:
    with pytest.raises(UnsupportedError, match="floating-point"):
        isa.after_prologue(Frame(3, ((FLOAT + 8, SLOT),), None))


def test_guard_pages_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="guard pages"):
        Arm64(guarded=True)


# Operations in general


@pytest.mark.parametrize("name", sorted(SUPPORTED - {"global.get", "global.set"}))
def test_operations_change_scratch_registers_and_their_destination_only(isa: Isa, name: str) -> None:
    opcode = BY_NAME[name]
    assert opcode.params is not None
    places = (PLAN.temporaries[1], PLAN.pins[2], SLOT + 3, SLOT + 5000, b"\x41\x05")
    memo = isa.memo(name, *_immediates(name))
    for operands in itertools.product(places, repeat=len(opcode.params)):
        targets = [place for place in places if isinstance(place, int)] if opcode.results else [None]
        for target in targets:
            code = memo[operands if target is None else (*operands, target)]
            allowed = {*PLAN.scratch, target}
            assert set(_written_registers(code)) <= allowed


def _written_registers(code: bytes) -> Iterator[int]:
    for word in words_of(code):
        (row,) = [row for row in ROWS if word & ~row.format.mask == row.bits]
        register = word & 0x1F
        if row not in (B_COND, BLR) and not row.mnemonic.startswith("st") and register != ZR:
            yield register
