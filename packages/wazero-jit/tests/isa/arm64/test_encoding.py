"""The encoding table: its shape, bytes from an independent assembler, and an independent disassembler."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from wazero_jit.isa.arm64 import encoding
from wazero_jit.isa.arm64.encoding import (
    CONDITIONS,
    SP,
    X0,
    X1,
    X2,
    X3,
    X4,
    X5,
    X6,
    X7,
    X8,
    X9,
    X10,
    X11,
    X12,
    X13,
    X14,
    X15,
    X16,
    X17,
    X18,
    X19,
    X20,
    X21,
    X22,
    X23,
    X28,
    X29,
    X30,
    ZR,
    Format,
    Number,
    Row,
    add_immediate,
    inverse,
    load_bits,
    logical_immediate,
)

ROWS = {name: row for name, row in vars(encoding).items() if isinstance(row, Row)}
FORMATS = {name: item for name, item in vars(encoding).items() if isinstance(item, Format)}


def bitmask(value: int, width: int) -> int:
    field = logical_immediate(value, width)
    assert field is not None
    return field


# fmt: off
EXAMPLES: list[tuple[str, tuple[Any, ...], str, str]] = [
    ("ADD_IMM", (64, X0, SP, 4095, 12), "add x0, sp, #4095, lsl #12", "e0ff7f91"),
    ("ADD_IMM", (32, X30, X1, 1, 0), "add w30, w1, #1", "3e040011"),
    ("SUB_IMM", (64, SP, SP, 112, 0), "sub sp, sp, #112", "ffc301d1"),
    ("SUB_IMM", (32, X2, X3, 0, 12), "sub w2, w3, #0, lsl #12", "62004051"),
    ("ADDS_IMM", (64, ZR, X5, 1, 0), "cmn x5, #1", "bf0400b1"),
    ("ADDS_IMM", (32, X6, X7, 4095, 0), "adds w6, w7, #4095", "e6fc3f31"),
    ("SUBS_IMM", (64, ZR, X8, 17, 0), "cmp x8, #17", "1f4500f1"),
    ("SUBS_IMM", (32, X9, X10, 1, 12), "subs w9, w10, #1, lsl #12", "49054071"),
    ("AND_IMM", (64, X0, X1, bitmask(0xFF, 64)), "and x0, x1, #0xff", "201c4092"),
    ("AND_IMM", (32, X0, X1, bitmask(0xFFFF0000, 32)), "and w0, w1, #0xffff0000", "203c1012"),
    ("ORR_IMM", (64, X2, ZR, bitmask(0x5555555555555555, 64)), "mov x2, #0x5555555555555555", "e2f300b2"),
    ("ORR_IMM", (32, X2, X3, bitmask(0x80000001, 32)), "orr w2, w3, #0x80000001", "62040132"),
    ("EOR_IMM", (64, X4, X5, bitmask(0x7FFFFFFFFFFFFFFF, 64)), "eor x4, x5, #0x7fffffffffffffff", "a4f840d2"),
    ("EOR_IMM", (32, X4, X5, bitmask(0x0F0F0F0F, 32)), "eor w4, w5, #0xf0f0f0f", "a4cc0052"),
    ("MOVN", (64, X0, 0x1234, 48), "mov x0, #0xedcbffffffffffff", "8046e292"),
    ("MOVN", (32, X1, 0, 0), "mov w1, #-1", "01008012"),
    ("MOVZ", (64, X2, 0xABCD, 32), "mov x2, #0xabcd00000000", "a279d5d2"),
    ("MOVZ", (32, X3, 1, 16), "mov w3, #0x10000", "2300a052"),
    ("MOVK", (64, X4, 0xFFFF, 48), "movk x4, #65535, lsl #48", "e4fffff2"),
    ("MOVK", (32, X5, 0, 0), "movk w5, #0", "05008072"),
    ("SBFM", (64, X0, X1, 0, 31), "sxtw x0, w1", "207c4093"),
    ("SBFM", (32, X0, X1, 0, 7), "sxtb w0, w1", "201c0013"),
    ("SBFM", (64, X2, X3, 63, 63), "asr x2, x3, #63", "62fc7f93"),
    ("UBFM", (64, X4, X5, 60, 59), "lsl x4, x5, #4", "a4ec7cd3"),
    ("UBFM", (32, X6, X7, 31, 31), "lsr w6, w7, #31", "e67c1f53"),
    ("UBFM", (64, X8, X9, 8, 13), "ubfx x8, x9, #8, #6", "283548d3"),
    ("ADR", (X17, 16), "adr x17, #16", "91000010"),
    ("ADR", (X0, -1048576), "adr x0, #-1048576", "00008010"),
    ("ADD", (64, X0, X1, X30), "add x0, x1, x30", "20001e8b"),
    ("ADD", (32, X2, X3, X4), "add w2, w3, w4", "6200040b"),
    ("SUB", (64, X5, ZR, X6), "neg x5, x6", "e50306cb"),
    ("SUB", (32, X7, X8, X9), "sub w7, w8, w9", "0701094b"),
    ("SUBS", (64, ZR, X10, X11), "cmp x10, x11", "5f010beb"),
    ("SUBS", (32, X12, X13, X14), "subs w12, w13, w14", "ac010e6b"),
    ("ADD_EXT", (64, SP, SP, X16, "uxtx"), "add sp, sp, x16", "ff63308b"),
    ("ADD_EXT", (64, X0, X1, X2, "uxtw"), "add x0, x1, w2, uxtw", "2040228b"),
    ("SUB_EXT", (64, X17, SP, X16, "uxtx"), "sub x17, sp, x16", "f16330cb"),
    ("SUBS_EXT", (64, ZR, SP, X16, "uxtx"), "cmp sp, x16", "ff6330eb"),
    ("AND", (64, X0, X1, X2), "and x0, x1, x2", "2000028a"),
    ("AND", (32, X3, X4, X5), "and w3, w4, w5", "8300050a"),
    ("ORR", (64, X6, ZR, X7), "mov x6, x7", "e60307aa"),
    ("ORR", (32, X8, X9, X10), "orr w8, w9, w10", "28010a2a"),
    ("EOR", (64, X11, X12, X13), "eor x11, x12, x13", "8b010dca"),
    ("EOR", (32, X14, X15, X16), "eor w14, w15, w16", "ee01104a"),
    ("LSLV", (64, X0, X1, X2), "lsl x0, x1, x2", "2020c29a"),
    ("LSLV", (32, X3, X4, X5), "lsl w3, w4, w5", "8320c51a"),
    ("LSRV", (64, X6, X7, X8), "lsr x6, x7, x8", "e624c89a"),
    ("LSRV", (32, X9, X10, X11), "lsr w9, w10, w11", "4925cb1a"),
    ("ASRV", (64, X12, X13, X14), "asr x12, x13, x14", "ac29ce9a"),
    ("ASRV", (32, X15, X16, X17), "asr w15, w16, w17", "0f2ad11a"),
    ("MADD", (64, X0, X1, X2, ZR), "mul x0, x1, x2", "207c029b"),
    ("MADD", (32, X3, X4, X5, X6), "madd w3, w4, w5, w6", "8318051b"),
    ("CSEL", (64, X0, X1, X2, "hi"), "csel x0, x1, x2, hi", "2080829a"),
    ("CSEL", (32, X3, X4, X5, "eq"), "csel w3, w4, w5, eq", "8300851a"),
    ("CSINC", (32, X6, ZR, ZR, "le"), "cset w6, gt", "e6d79f1a"),
    ("CSINC", (64, X7, X8, X9, "lt"), "csinc x7, x8, x9, lt", "07b5899a"),
    ("STURB", (X0, X1, -256), "sturb w0, [x1, #-256]", "20001038"),
    ("LDURB", (X2, X3, 255), "ldurb w2, [x3, #255]", "62f04f38"),
    ("LDURB_SX", (X4, X5, -1), "ldursb x4, [x5, #-1]", "a4f09f38"),
    ("LDURB_SW", (X6, X7, -1), "ldursb w6, [x7, #-1]", "e6f0df38"),
    ("STURH", (X8, X9, -2), "sturh w8, [x9, #-2]", "28e11f78"),
    ("LDURH", (X10, X11, -2), "ldurh w10, [x11, #-2]", "6ae15f78"),
    ("LDURH_SX", (X12, X13, -2), "ldursh x12, [x13, #-2]", "ace19f78"),
    ("LDURH_SW", (X14, X15, -2), "ldursh w14, [x15, #-2]", "eee1df78"),
    ("STURW", (ZR, X16, -4), "stur wzr, [x16, #-4]", "1fc21fb8"),
    ("LDURW", (X17, SP, 0), "ldur w17, [sp]", "f10340b8"),
    ("LDURW_SX", (X18, X19, -4), "ldursw x18, [x19, #-4]", "72c29fb8"),
    ("STURX", (X20, X21, -8), "stur x20, [x21, #-8]", "b4821ff8"),
    ("LDURX", (X22, X23, -8), "ldur x22, [x23, #-8]", "f6825ff8"),
    ("STR", (X30, SP, 32760), "str x30, [sp, #32760]", "feff3ff9"),
    ("STR", (ZR, X1, 0), "str xzr, [x1]", "3f0000f9"),
    ("LDR", (X16, X28, 144), "ldr x16, [x28, #144]", "904b40f9"),
    ("STR_REG", (ZR, X16, X17), "str xzr, [x16, x17]", "1f6a31f8"),
    ("LDR_REG", (X0, SP, X15), "ldr x0, [sp, x15]", "e06b6ff8"),
    ("LDR_REG8", (X16, X17, X16), "ldr x16, [x17, x16, lsl #3]", "307a70f8"),
    ("LDRW_SX_REG4", (X16, X17, X16), "ldrsw x16, [x17, x16, lsl #2]", "307ab0b8"),
    ("STP", (X29, X30, SP, -512), "stp x29, x30, [sp, #-512]", "fd7b20a9"),
    ("LDP", (X19, X20, SP, 504), "ldp x19, x20, [sp, #504]", "f3d35fa9"),
    ("STP_D", (8, 9, SP, 112), "stp d8, d9, [sp, #112]", "e827076d"),
    ("LDP_D", (14, 15, SP, 16), "ldp d14, d15, [sp, #16]", "ee3f416d"),
    ("B", (-134217728,), "b #-134217728", "00000016"),
    ("B", (134217724,), "b #134217724", "ffffff15"),
    ("B_COND", ("lo", 1048572), "b.lo #1048572", "e3ff7f54"),
    ("B_COND", ("le", -1048576), "b.le #-1048576", "0d008054"),
    ("CBZ", (64, X0, 8), "cbz x0, #8", "400000b4"),
    ("CBZ", (32, X1, -8), "cbz w1, #-8", "c1ffff34"),
    ("CBNZ", (64, X30, 1048572), "cbnz x30, #1048572", "feff7fb5"),
    ("CBNZ", (32, X2, 0), "cbnz w2, #0", "02000035"),
    ("BR", (X16,), "br x16", "00021fd6"),
    ("BLR", (X17,), "blr x17", "20023fd6"),
    ("RET", (X30,), "ret", "c0035fd6"),
    ("DMB_ISH", (), "dmb ish", "bf3b03d5"),
]
# fmt: on
"""(row, operands, text, bytes by `llvm-mc -triple=aarch64 -show-encoding`)"""


# The table


def test_rows_are_examined() -> None:
    assert {name for name, *_ in EXAMPLES} == ROWS.keys()


@pytest.mark.parametrize("name", FORMATS)
def test_fields_of_a_format_do_not_overlap(name: str) -> None:
    fields = FORMATS[name].fields
    assert sum(field.mask for field in fields) == FORMATS[name].mask < 1 << 32


@pytest.mark.parametrize("name", ROWS)
def test_rows_leave_their_fields_zero(name: str) -> None:
    row = ROWS[name]
    assert not row.bits & row.format.mask
    assert row.bits < 1 << 32


def test_no_two_rows_are_the_same_instruction() -> None:
    for (name, a), (other, b) in itertools.combinations(ROWS.items(), 2):
        assert (a.bits ^ b.bits) & ~a.format.mask & ~b.format.mask, f"{name} and {other}"


def test_conditions_have_opposites() -> None:
    for condition in CONDITIONS:
        assert inverse(inverse(condition)) == condition != inverse(condition)


# Rows


@pytest.mark.parametrize(("name", "operands", "text", "code"), EXAMPLES, ids=[text for _, _, text, _ in EXAMPLES])
def test_bytes_are_the_assemblers(name: str, operands: tuple[Any, ...], text: str, code: str) -> None:
    assert ROWS[name](*operands).hex() == code


def normal(text: str) -> str:
    """With all numbers as unsigned decimal ones."""
    return re.sub(r"#(-?\w+)", lambda match: f"#{int(match[1], 0) % (1 << 64)}", text.replace("\t", " ").strip())


@pytest.mark.parametrize(("name", "operands", "text", "code"), EXAMPLES, ids=[text for _, _, text, _ in EXAMPLES])
def test_a_disassembler_reads_the_same(name: str, operands: tuple[Any, ...], text: str, code: str) -> None:
    capstone = pytest.importorskip("capstone", reason="capstone, the disassembler, is not installed")
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    (read,) = disassembler.disasm(ROWS[name](*operands), 0)
    assert normal(f"{read.mnemonic} {read.op_str}") == normal(text)


def _wrong_operands() -> list[Any]:
    """Each example with each operand in turn replaced by one that does not fit."""
    wrong = []
    for name, operands, _, _ in EXAMPLES:
        for index, field in enumerate(ROWS[name].format.fields):
            bad: list[Any] = ["no such thing"]
            if isinstance(field, Number):
                least = -(field.unit << field.bits - 1) if field.is_signed else 0
                bad = [least - field.unit, least + (field.unit << field.bits)]
                bad += [least + 1] if field.unit > 1 else []
            wrong += [
                pytest.param(name, (*operands[:index], b, *operands[index + 1 :]), id=f"{name}-{index}-{b}")
                for b in bad
            ]
    return wrong


@pytest.mark.parametrize(("name", "operands"), _wrong_operands())
def test_operands_that_do_not_fit_are_refused(name: str, operands: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"does not fit|is none of"):
        ROWS[name](*operands)


def test_the_number_of_operands_counts() -> None:
    with pytest.raises(ValueError, match="zip"):
        encoding.ADD(64, X0, X1)


# Immediates


def decoded_bitmask(field: int, width: int) -> int | None:
    """The manual's `DecodeBitMasks`; None for reserved values."""
    n, immr, imms = field >> 12, field >> 6 & 0x3F, field & 0x3F
    length = (n << 6 | imms ^ 0x3F).bit_length() - 1
    if length < 1 or 1 << length > width:
        return None
    size = 1 << length
    ones, rotation = (imms & size - 1) + 1, immr & size - 1
    if ones == size or immr >> length:
        return None
    element = (1 << ones) - 1
    element = (element >> rotation | element << size - rotation) & (1 << size) - 1
    return sum(element << shift for shift in range(0, width, size))


@pytest.mark.parametrize(("width", "count"), [(32, 1302), (64, 5334)])
def test_all_logical_immediates_are_found(width: int, count: int) -> None:
    values = {value: field for field in range(1 << 13) if (value := decoded_bitmask(field, width)) is not None}
    assert len(values) == count
    for value, field in values.items():
        assert logical_immediate(value, width) == field


@pytest.mark.parametrize("width", [32, 64])
def test_other_constants_are_no_logical_immediates(width: int) -> None:
    ones = (1 << width) - 1
    for value in (0, ones, 5, 0xFF00FF01, 1 << width - 1 | 2, ones ^ 0b101):
        assert logical_immediate(value, width) is None


@pytest.mark.parametrize(
    ("value", "operands"),
    [
        (0, (0, 0)),
        (4095, (4095, 0)),
        (4096, (1, 12)),
        (0xFFF000, (4095, 12)),
        (4097, None),
        (1 << 24, None),
        (-1, None),
    ],
)
def test_add_immediate(value: int, operands: tuple[int, int] | None) -> None:
    assert add_immediate(value) == operands


def run_moves(code: bytes) -> int:
    """What a sequence of movz, movn, movk and orr with zero leaves in its register."""
    value = 0
    for start in range(0, len(code), 4):
        word = int.from_bytes(code[start : start + 4], "little")
        shift, part = (word >> 21 & 3) * 16, word >> 5 & 0xFFFF
        if word & ~encoding.MOVE_WIDE.mask == encoding.MOVZ.bits:
            value = part << shift
        elif word & ~encoding.MOVE_WIDE.mask == encoding.MOVN.bits:
            value = ~(part << shift) & (1 << 64) - 1
        elif word & ~encoding.MOVE_WIDE.mask == encoding.MOVK.bits:
            value = value & ~(0xFFFF << shift) | part << shift
        else:
            assert word & ~encoding.LOGICAL_IMMEDIATE.mask == encoding.ORR_IMM.bits
            decoded = decoded_bitmask(word >> 10 & 0x1FFF, 64)
            assert decoded is not None
            value = decoded
    return value


@pytest.mark.parametrize(
    ("bits", "instructions"),
    [
        (0, 1),
        (1, 1),
        (0xFFFF_FFFF, 1),
        ((1 << 64) - 1, 1),
        ((1 << 64) - 0x1235, 1),
        (0xFFFF_1234_FFFF_5678, 2),
        (0x1234_0000_5678_0000, 2),
        (0x1234_5678_9ABC_DEF0, 4),
        (0x5555_5555_5555_5555, 1),
    ],
)
def test_constants_take_few_instructions(bits: int, instructions: int) -> None:
    code = load_bits(X7, bits)
    assert run_moves(code) == bits
    assert len(code) == 4 * instructions
