"""Every row of the encoding table against an independent disassembler."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wazero_jit.isa.amd64 import encoding
from wazero_jit.isa.amd64.encoding import (
    CONDITIONS,
    RSP,
    Form,
    Mem,
    Row,
    cmov,
    inverse,
    jcc,
    jcc_short,
    jmp_short,
    setcc,
)

capstone = pytest.importorskip("capstone", reason="capstone, the disassembler, is not installed")
x86 = pytest.importorskip("capstone.x86")

ROWS: dict[str, Row] = {name: row for name, row in vars(encoding).items() if isinstance(row, Row)}

_NAMES_64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *[f"r{n}" for n in range(8, 16)]]
_NAMES_32 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", *[f"r{n}d" for n in range(8, 16)]]
_NAMES_16 = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", *[f"r{n}w" for n in range(8, 16)]]
_NAMES_8 = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", *[f"r{n}b" for n in range(8, 16)]]
GENERAL = {8: _NAMES_8, 16: _NAMES_16, 32: _NAMES_32, 64: _NAMES_64}
_NAMES_XMM = [f"xmm{n}" for n in range(16)]
XMM = 128
"""As a width: a floating-point register."""


class Widths(NamedTuple):
    """Bits of the operands, None for the width that the row is called with; and those that the row is called with."""

    reg: int | None = None
    rm: int | None = None
    memory: int | None = None
    """Of a memory operand; None: as `rm`, or not told."""
    calls: tuple[int, ...] = (16, 32, 64)


_BYTE = Widths(8, 8, calls=(32,))
_SINGLE = Widths(XMM, XMM, 32, (32,))
_DOUBLE = Widths(XMM, XMM, 64, (32,))
_PACKED = Widths(XMM, XMM, 128, (32,))
_WIDE = (32, 64)

WIDTHS: dict[str, Widths] = {
    "MOV8_MR": _BYTE,
    "MOV8_MI": _BYTE,
    "TEST8_MR": _BYTE,
    "MOV_OI": Widths(calls=_WIDE),
    "MOVZX8": Widths(None, 8),
    "MOVSX8": Widths(None, 8),
    "MOVZX16": Widths(None, 16, calls=_WIDE),
    "MOVSX16": Widths(None, 16, calls=_WIDE),
    "MOVSXD": Widths(None, 32, calls=(64,)),
    "LEA": Widths(calls=_WIDE),
    "PUSH": Widths(64, calls=(64,)),
    "POP": Widths(64, calls=(64,)),
    "IMUL_RMI": Widths(calls=_WIDE),
    "JMP_M": Widths(rm=64, calls=(32,)),
    "CALL_M": Widths(rm=64, calls=(32,)),
    "MOVD_RM": Widths(XMM, None, calls=_WIDE),
    "MOVD_MR": Widths(XMM, None, calls=_WIDE),
    "CVTSI2SS": Widths(XMM, None, calls=_WIDE),
    "CVTSI2SD": Widths(XMM, None, calls=_WIDE),
    "CVTTSS2SI": Widths(None, XMM, 32, _WIDE),
    "CVTTSD2SI": Widths(None, XMM, 64, _WIDE),
    "CVTSS2SD": _SINGLE,
    "CVTSD2SS": _DOUBLE,
}
"""Of the rows that are unlike most."""

MNEMONICS = {
    ("MOV_OI", 64): "movabs",
    ("MOVD_RM", 64): "movq",
    ("MOVD_MR", 64): "movq",
    ("CDQ", 64): "cqo",
}
_NEEDS_MEMORY = {"LEA", "CMPXCHG_MR"}
_COUNTED = (b"\xc1", b"\x0f\xba")
"""Opcodes with a bit number or count, which is not extended to the operand's width."""
_REGISTER_ONLY = {"PSRLD_MI8", "PSLLD_MI8", "PSRLQ_MI8", "PSLLQ_MI8"}


def widths_of(name: str) -> Widths:
    if name in WIDTHS:
        return WIDTHS[name]
    row = ROWS[name]
    mnemonic = row.mnemonic
    if row.opcode[0] == 0x0F and row.mnemonic[-2:] in ("ss", "sd", "ps"):
        return {"ss": _SINGLE, "sd": _DOUBLE, "ps": _PACKED}[mnemonic[-2:]]
    if mnemonic in ("pcmpeqd", "psrld", "pslld", "psrlq", "psllq"):
        return _PACKED
    return Widths(calls=_WIDE if row.form is Form.M or row.prefix else (16, 32, 64))


@functools.cache
def disassembler() -> Any:
    found = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    found.detail = True
    return found


def disassembled(code: bytes) -> Any:
    instructions = list(disassembler().disasm(code, 0))
    assert len(instructions) == 1, code.hex()
    assert instructions[0].size == len(code)
    return instructions[0]


def check_register(instruction: Any, operand: Any, number: int, width: int) -> None:
    names = _NAMES_XMM if width == XMM else GENERAL[width]
    assert operand.type == x86.X86_OP_REG
    assert instruction.reg_name(operand.reg) == names[number]


def check_rm(instruction: Any, operand: Any, rm: int | Mem, width: int, memory_width: int) -> None:
    if isinstance(rm, int):
        check_register(instruction, operand, rm, width)
        return
    assert operand.type == x86.X86_OP_MEM
    base = "rip" if rm.base is None else _NAMES_64[rm.base]
    index = None if rm.index is None else _NAMES_64[rm.index]
    memory = operand.mem
    assert instruction.reg_name(memory.base) == base
    assert (instruction.reg_name(memory.index) or None) == index
    assert memory.scale == (1 if rm.index is None else rm.scale)
    assert memory.disp == rm.disp
    if instruction.mnemonic != "lea":
        assert operand.size * 8 == memory_width


def check_immediate(operand: Any, value: int, width: int) -> None:
    assert operand.type == x86.X86_OP_IMM
    mask = (1 << width) - 1
    assert operand.imm & mask == value & mask


def check(name: str, width: int, operands: tuple[Any, ...]) -> None:
    """Encode and disassemble."""
    row, widths = ROWS[name], widths_of(name)
    instruction = disassembled(row(width, *operands))
    assert instruction.mnemonic == MNEMONICS.get((name, width), row.mnemonic)
    found = instruction.operands
    reg_width, rm_width = widths.reg or width, widths.rm or width
    memory_width = widths.memory or rm_width
    form = row.form
    if form in (Form.RM, Form.RMI8, Form.RMI):
        check_register(instruction, found[0], operands[0], reg_width)
        check_rm(instruction, found[1], operands[1], rm_width, memory_width)
    elif form is Form.MR:
        check_rm(instruction, found[0], operands[0], rm_width, memory_width)
        check_register(instruction, found[1], operands[1], reg_width)
    elif form in (Form.M, Form.MI, Form.MI8):
        check_rm(instruction, found[0], operands[0], rm_width, memory_width)
    elif form in (Form.O, Form.OI):
        check_register(instruction, found[0], operands[0], reg_width)
    if form in (Form.RMI8, Form.RMI, Form.MI, Form.MI8, Form.OI):
        bits = 8 if rm_width in (8, XMM) or row.opcode in _COUNTED else width
        check_immediate(found[-1], operands[-1], bits)
    if form is Form.M and row.opcode == b"\xd3":
        assert instruction.reg_name(found[1].reg) == "cl"
    if form is Form.D:
        check_immediate(found[0], operands[0] + 5, 64)


REGISTERS = range(16)
DISPLACEMENTS = (0, 1, -1, 127, 128, -128, -129, 0x12345678, -0x80000000)


def memory_operands() -> Iterator[Mem]:
    for base, disp in itertools.product(REGISTERS, DISPLACEMENTS):
        yield Mem(base, disp)
    for disp in DISPLACEMENTS:
        yield Mem(None, disp)
    scaled = itertools.cycle(((1, 0), (2, 5), (4, 0x1234), (8, -8), (1, -0x1234)))
    for base, index in itertools.product(REGISTERS, REGISTERS):
        if index != RSP:
            scale, disp = next(scaled)
            yield Mem(base, disp, index, scale)


MEMORY = list(memory_operands())


def rms(name: str) -> list[int | Mem]:
    registers = [] if name in _NEEDS_MEMORY else list(REGISTERS)
    return [*registers, *([] if name in _REGISTER_ONLY else MEMORY)]


def immediates(form: Form, width: int) -> tuple[int, ...]:
    if form in (Form.MI8, Form.RMI8):
        return (0, 1, 127, -1, -128)
    bits = width if form is Form.OI else min(width, 32)
    return (0, 1, -1, 0x1234, (1 << bits - 1) - 1, -1 << bits - 1)


def combinations(name: str, width: int) -> Iterator[tuple[Any, ...]]:
    """Every register in every position, every kind of memory operand, edges of the immediates."""
    row = ROWS[name]
    form = row.form
    if form in (Form.RM, Form.MR):
        pairs = [*itertools.product(REGISTERS, REGISTERS), *zip(itertools.cycle(REGISTERS), MEMORY, strict=False)]
        for reg, rm in pairs:
            if isinstance(rm, Mem) or name not in _NEEDS_MEMORY:
                yield (reg, rm) if form is Form.RM else (rm, reg)
    elif form is Form.M:
        yield from ((rm,) for rm in rms(name))
    elif form in (Form.MI, Form.MI8):
        yield from zip(rms(name), itertools.cycle(immediates(form, width)), strict=False)
        yield from itertools.product((0, 12), immediates(form, width))
    elif form in (Form.RMI, Form.RMI8):
        yield from zip(
            itertools.cycle(range(15, -1, -1)), rms(name), itertools.cycle(immediates(form, width)), strict=False
        )
    elif form is Form.O:
        yield from ((register,) for register in REGISTERS)
    elif form is Form.OI:
        yield from itertools.product(REGISTERS, immediates(form, width))
    elif form is Form.D:
        yield from ((distance,) for distance in DISPLACEMENTS)
    else:
        yield ()


ZERO_OPERAND_WIDTHS = {"CDQ": (32, 64)}


def calls(name: str) -> tuple[int, ...]:
    if ROWS[name].form in (Form.ZO, Form.D):
        return ZERO_OPERAND_WIDTHS.get(name, (32,))
    return widths_of(name).calls


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    for width in calls(name):
        for operands in combinations(name, width):
            check(name, width, operands)


registers = st.integers(0, 15)
displacements = st.one_of(st.just(0), st.integers(-128, 127), st.integers(-(1 << 31), (1 << 31) - 1))
memory = st.builds(
    Mem,
    registers,
    displacements,
    st.one_of(st.none(), registers.filter(lambda r: r != RSP)),
    st.sampled_from([1, 2, 4, 8]),
)


def signed_numbers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-1 << bits - 1, (1 << bits - 1) - 1)


@st.composite
def encodings(draw: st.DrawFn) -> tuple[str, int, tuple[Any, ...]]:
    name = draw(st.sampled_from(sorted(ROWS)))
    form = ROWS[name].form
    width = draw(st.sampled_from(calls(name)))
    rm: st.SearchStrategy[Any] = st.one_of(registers, memory)
    if name in _NEEDS_MEMORY:
        rm = memory
    elif name in _REGISTER_ONLY:
        rm = registers
    parts: dict[Form, tuple[st.SearchStrategy[Any], ...]] = {
        Form.RM: (registers, rm),
        Form.MR: (rm, registers),
        Form.M: (rm,),
        Form.MI8: (rm, signed_numbers(8)),
        Form.MI: (rm, signed_numbers(min(width, 32))),
        Form.RMI8: (registers, rm, signed_numbers(8)),
        Form.RMI: (registers, rm, signed_numbers(32)),
        Form.O: (registers,),
        Form.OI: (registers, signed_numbers(width)),
        Form.D: (signed_numbers(32),),
        Form.ZO: (),
    }
    return name, width, tuple([draw(part) for part in parts[form]])


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(encodings())
def test_any_operands(case: tuple[str, int, tuple[Any, ...]]) -> None:
    check(*case)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(condition: str) -> None:
    for register in REGISTERS:
        instruction = disassembled(setcc(condition, register))
        assert instruction.mnemonic == f"set{condition}"
        check_register(instruction, instruction.operands[0], register, 8)
        rms: tuple[int | Mem, ...] = (3, 11, Mem(RSP, 8), Mem(13, 0, 9, 8))
        for width, rm in itertools.product(_WIDE, rms):
            instruction = disassembled(cmov(width, condition, register, rm))
            assert instruction.mnemonic == f"cmov{condition}"
            check_register(instruction, instruction.operands[0], register, width)
            check_rm(instruction, instruction.operands[1], rm, width, width)
    for code, end in ((jcc(condition), 6), (jcc_short(condition, 5), 7)):
        instruction = disassembled(code)
        assert instruction.mnemonic == f"j{condition}"
        check_immediate(instruction.operands[0], end, 64)
    assert inverse(inverse(condition)) == condition


def test_short_jump() -> None:
    instruction = disassembled(jmp_short(-2))
    assert instruction.mnemonic == "jmp"
    check_immediate(instruction.operands[0], 0, 64)


# What needs no disassembler


def test_names_are_unique() -> None:
    """Where one name stands for several sizes, these tell them apart."""
    keys = [(row.mnemonic, row.form, widths_of(name), row.opcode == b"\xd1") for name, row in ROWS.items()]
    assert len(keys) == len(set(keys))


_DIGITS = (Form.M, Form.MI, Form.MI8)


def first_bytes(row: Row) -> set[tuple[bytes, bytes, int | None]]:
    """(prefix, opcode, digit) of all that a row encodes; digit None stands for all."""
    if row.form in (Form.O, Form.OI):
        return {(row.prefix, bytes((row.opcode[-1] + register,)), None) for register in range(8)}
    return {(row.prefix, row.opcode, row.digit if row.form in _DIGITS else None)}


def test_no_two_rows_are_the_same_bytes() -> None:
    for (name, row), (other_name, other) in itertools.combinations(ROWS.items(), 2):
        mine, theirs = first_bytes(row), first_bytes(other)
        assert not mine & theirs, (name, other_name)
        for prefix, opcode, digit in mine:
            if digit is not None:
                assert (prefix, opcode, None) not in theirs, (name, other_name)


@pytest.mark.parametrize(
    ("row", "operands"),
    [
        (encoding.ADD_MI8, (0, 128)),
        (encoding.ADD_MI8, (0, -129)),
        (encoding.ADD_MI, (0, 1 << 31)),
        (encoding.MOV_OI, (0, 1 << 64)),
        (encoding.MOV_OI, (0, -(1 << 64) - 1)),
        (encoding.MOV_RM, (0, Mem(0, 1 << 31))),
        (encoding.MOV_RM, (0, Mem(0, 0, RSP))),
        (encoding.JMP, (1 << 31,)),
    ],
)
def test_what_does_not_fit_is_refused(row: Row, operands: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"fit|index"):
        row(64, *operands)
