"""Instruction encodings: a row per instruction, in the manual's terms; formats and their fields are data, too.

A row is called with its format's operands, in the order of the format's fields, and gives 4 bytes:
``ADD(64, X0, X1, X2)`` is ``add x0, x1, x2``. Where it comes first, 32 or 64 is the width of the operands: w or x
registers. Registers are numbers; number 31 is the stack pointer or the zero register, as the manual says for each.
Manual: Arm Architecture Reference Manual for A-profile (DDI 0487), "A64 instruction set encoding" (C4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, final

from wazero_api.record import record

(
    X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15,
    X16, X17, X18, X19, X20, X21, X22, X23, X24, X25, X26, X27, X28, X29, X30,
) = range(31)  # fmt: skip
SP: Final = 31
ZR: Final = 31


# Fields


class Field(Protocol):
    """Some bits of an instruction word, for one operand."""

    @property
    def mask(self) -> int:
        """The bits."""
        ...

    def pack(self, value: Any) -> int:
        """The bits for an operand. Raises ValueError if it does not fit."""
        ...


@final
@record
class Number:
    """A register's number, or a multiple of `unit`, stored divided by it."""

    low: int
    bits: int
    unit: int = 1
    is_signed: bool = False

    @property
    def mask(self) -> int:
        """See `Field`."""
        return ((1 << self.bits) - 1) << self.low

    def fits(self, value: int) -> bool:
        """Whether the field can hold it."""
        stored, rest = divmod(value, self.unit)
        least = -(1 << self.bits - 1) if self.is_signed else 0
        return not rest and least <= stored < least + (1 << self.bits)

    def pack(self, value: int) -> int:
        """See `Field`."""
        if not self.fits(value):
            kind = "signed" if self.is_signed else "unsigned"
            raise ValueError(f"{value} does not fit in {self.bits} {kind} bits in units of {self.unit}")
        return value // self.unit << self.low & self.mask


@final
@record
class Choice:
    """One of a few things."""

    mask: int
    words: Mapping[Any, int]
    """The bits, where they are in the word, by operand."""

    def pack(self, value: Any) -> int:
        """See `Field`."""
        if value not in self.words:
            raise ValueError(f"{value!r} is none of {', '.join(map(str, self.words))}")
        return self.words[value]


CONDITIONS: Final = {
    "eq": 0x0, "ne": 0x1, "hs": 0x2, "lo": 0x3, "mi": 0x4, "pl": 0x5, "vs": 0x6, "vc": 0x7,
    "hi": 0x8, "ls": 0x9, "ge": 0xA, "lt": 0xB, "gt": 0xC, "le": 0xD,
}  # fmt: skip
"""Condition codes (C1.2.4)."""
_CONDITION_NAMES: Final = {code: name for name, code in CONDITIONS.items()}


def inverse(condition: str) -> str:
    """The condition that holds when `condition` does not."""
    return _CONDITION_NAMES[CONDITIONS[condition] ^ 1]


def _condition(low: int) -> Choice:
    return Choice(0xF << low, {name: code << low for name, code in CONDITIONS.items()})


_WIDTH: Final = Choice(1 << 31, {32: 0, 64: 1 << 31})
_WIDTH_AND_N: Final = Choice(1 << 31 | 1 << 22, {32: 0, 64: 1 << 31 | 1 << 22})
_SHIFT_12: Final = Choice(1 << 22, {0: 0, 12: 1 << 22})
_SHIFT_16: Final = Choice(3 << 21, {shift: shift // 16 << 21 for shift in (0, 16, 32, 48)})
_EXTENSION: Final = Choice(7 << 13, {"uxtw": 2 << 13, "uxtx": 3 << 13})
_RD: Final = Number(0, 5)
_RN: Final = Number(5, 5)
_RA: Final = Number(10, 5)
_RM: Final = Number(16, 5)
_IMMS: Final = Number(10, 6)
_IMMR: Final = Number(16, 6)
_IMM12: Final = Number(10, 12)
_IMM16: Final = Number(5, 16)
_BITMASK: Final = Number(10, 13)
_IMM19: Final = Number(5, 19, 4, True)
_IMM26: Final = Number(0, 26, 4, True)
OFFSET_64: Final = Number(10, 12, 8)
"""Bytes from a base register to a word of 64 bits."""


# Formats


@final
class Format:
    """The fields of an instruction's operands; all other bits of the word are the row's."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.fields = fields
        self.mask = 0
        """The bits of all fields."""
        for field in fields:
            self.mask |= field.mask


# fmt: off
ADD_SUB_IMMEDIATE   = Format("add/subtract (immediate)",         _WIDTH, _RD, _RN, _IMM12, _SHIFT_12)
ADD_SUB_SHIFTED     = Format("add/subtract (shifted register)",  _WIDTH, _RD, _RN, _RM)
ADD_SUB_EXTENDED    = Format("add/subtract (extended register)", _WIDTH, _RD, _RN, _RM, _EXTENSION)
LOGICAL_IMMEDIATE   = Format("logical (immediate)",              _WIDTH, _RD, _RN, _BITMASK)
LOGICAL_SHIFTED     = Format("logical (shifted register)",       _WIDTH, _RD, _RN, _RM)
MOVE_WIDE           = Format("move wide (immediate)",            _WIDTH, _RD, _IMM16, _SHIFT_16)
BITFIELD            = Format("bitfield",                         _WIDTH_AND_N, _RD, _RN, _IMMR, _IMMS)
TWO_SOURCES         = Format("data-processing (2 source)",       _WIDTH, _RD, _RN, _RM)
THREE_SOURCES       = Format("data-processing (3 source)",       _WIDTH, _RD, _RN, _RM, _RA)
CONDITIONAL_SELECT  = Format("conditional select",               _WIDTH, _RD, _RN, _RM, _condition(12))
PC_RELATIVE         = Format("PC-rel. addressing",               _RD, _IMM19)
UNSCALED            = Format("load/store (unscaled immediate)",  _RD, _RN, Number(12, 9, 1, True))
UNSIGNED_64         = Format("load/store (unsigned immediate)",  _RD, _RN, OFFSET_64)
REGISTER_OFFSET     = Format("load/store (register offset)",     _RD, _RN, _RM)
PAIR_64             = Format("load/store register pair",         _RD, _RA, _RN, Number(15, 7, 8, True))
BRANCH              = Format("unconditional branch (immediate)", _IMM26)
BRANCH_CONDITIONAL  = Format("conditional branch (immediate)",   _condition(0), _IMM19)
COMPARE_AND_BRANCH  = Format("compare and branch (immediate)",   _WIDTH, _RD, _IMM19)
BRANCH_REGISTER     = Format("unconditional branch (register)",  _RN)
BARRIER             = Format("barriers")
# fmt: on
"""Names are those of C4.1. Shifts of registers, and the extension of register offsets, belong to the rows. `PC_RELATIVE`
is for multiples of 4."""


# Rows


@final
@record
class Row:
    """One instruction."""

    mnemonic: str
    format: Format
    bits: int
    """The word with zeros in the fields."""

    def __call__(self, *operands: Any) -> bytes:
        """Raises ValueError if an operand does not fit."""
        word = self.bits
        for field, operand in zip(self.format.fields, operands, strict=True):
            word |= field.pack(operand)
        return word.to_bytes(4, "little")


# fmt: off
# Data processing: immediate
ADD_IMM  = Row("add",   ADD_SUB_IMMEDIATE,  0x11000000)
SUB_IMM  = Row("sub",   ADD_SUB_IMMEDIATE,  0x51000000)
ADDS_IMM = Row("adds",  ADD_SUB_IMMEDIATE,  0x31000000)
SUBS_IMM = Row("subs",  ADD_SUB_IMMEDIATE,  0x71000000)
AND_IMM  = Row("and",   LOGICAL_IMMEDIATE,  0x12000000)
ORR_IMM  = Row("orr",   LOGICAL_IMMEDIATE,  0x32000000)
EOR_IMM  = Row("eor",   LOGICAL_IMMEDIATE,  0x52000000)
MOVN     = Row("movn",  MOVE_WIDE,          0x12800000)
MOVZ     = Row("movz",  MOVE_WIDE,          0x52800000)
MOVK     = Row("movk",  MOVE_WIDE,          0x72800000)
SBFM     = Row("sbfm",  BITFIELD,           0x13000000)
UBFM     = Row("ubfm",  BITFIELD,           0x53000000)
ADR      = Row("adr",   PC_RELATIVE,        0x10000000)

# Data processing: register
ADD      = Row("add",   ADD_SUB_SHIFTED,    0x0B000000)
SUB      = Row("sub",   ADD_SUB_SHIFTED,    0x4B000000)
SUBS     = Row("subs",  ADD_SUB_SHIFTED,    0x6B000000)
ADD_EXT  = Row("add",   ADD_SUB_EXTENDED,   0x0B200000)
SUB_EXT  = Row("sub",   ADD_SUB_EXTENDED,   0x4B200000)
SUBS_EXT = Row("subs",  ADD_SUB_EXTENDED,   0x6B200000)
AND      = Row("and",   LOGICAL_SHIFTED,    0x0A000000)
ORR      = Row("orr",   LOGICAL_SHIFTED,    0x2A000000)
EOR      = Row("eor",   LOGICAL_SHIFTED,    0x4A000000)
LSLV     = Row("lslv",  TWO_SOURCES,        0x1AC02000)
LSRV     = Row("lsrv",  TWO_SOURCES,        0x1AC02400)
ASRV     = Row("asrv",  TWO_SOURCES,        0x1AC02800)
MADD     = Row("madd",  THREE_SOURCES,      0x1B000000)
CSEL     = Row("csel",  CONDITIONAL_SELECT, 0x1A800000)
CSINC    = Row("csinc", CONDITIONAL_SELECT, 0x1A800400)

# Loads and stores: B 8, H 16, W 32, X 64 bits; _SW and _SX extend the sign to 32 and 64 bits
STURB    = Row("sturb",  UNSCALED,          0x38000000)
LDURB    = Row("ldurb",  UNSCALED,          0x38400000)
LDURB_SX = Row("ldursb", UNSCALED,          0x38800000)
LDURB_SW = Row("ldursb", UNSCALED,          0x38C00000)
STURH    = Row("sturh",  UNSCALED,          0x78000000)
LDURH    = Row("ldurh",  UNSCALED,          0x78400000)
LDURH_SX = Row("ldursh", UNSCALED,          0x78800000)
LDURH_SW = Row("ldursh", UNSCALED,          0x78C00000)
STURW    = Row("stur",   UNSCALED,          0xB8000000)
LDURW    = Row("ldur",   UNSCALED,          0xB8400000)
LDURW_SX = Row("ldursw", UNSCALED,          0xB8800000)
STURX    = Row("stur",   UNSCALED,          0xF8000000)
LDURX    = Row("ldur",   UNSCALED,          0xF8400000)
STR      = Row("str",    UNSIGNED_64,       0xF9000000)
LDR      = Row("ldr",    UNSIGNED_64,       0xF9400000)
STR_REG  = Row("str",    REGISTER_OFFSET,   0xF8206800)  # no shift
LDR_REG  = Row("ldr",    REGISTER_OFFSET,   0xF8606800)
LDR_REG8 = Row("ldr",    REGISTER_OFFSET,   0xF8607800)  # lsl #3
LDRW_SX_REG4 = Row("ldrsw", REGISTER_OFFSET, 0xB8A07800)  # lsl #2
STP      = Row("stp",    PAIR_64,           0xA9000000)
LDP      = Row("ldp",    PAIR_64,           0xA9400000)
STP_D    = Row("stp",    PAIR_64,           0x6D000000)  # floating-point registers
LDP_D    = Row("ldp",    PAIR_64,           0x6D400000)

# Branches
B        = Row("b",     BRANCH,             0x14000000)
B_COND   = Row("b.",    BRANCH_CONDITIONAL, 0x54000000)
CBZ      = Row("cbz",   COMPARE_AND_BRANCH, 0x34000000)
CBNZ     = Row("cbnz",  COMPARE_AND_BRANCH, 0x35000000)
BR       = Row("br",    BRANCH_REGISTER,    0xD61F0000)
BLR      = Row("blr",   BRANCH_REGISTER,    0xD63F0000)
RET      = Row("ret",   BRANCH_REGISTER,    0xD65F0000)

# System
DMB_ISH  = Row("dmb",   BARRIER,            0xD5033BBF)
# fmt: on


# What fits where


def logical_immediate(value: int, width: int) -> int | None:
    """The field of `LOGICAL_IMMEDIATE` formats for a constant, N:immr:imms; None for constants that have none.

    There is one for a run of ones, rotated, in an element of 2, 4, 8, 16, 32 or 64 bits that fills the register
    (`DecodeBitMasks`).
    """
    size = width
    while size > 2 and value & (1 << size // 2) - 1 == value >> size // 2 & (1 << size // 2) - 1:
        size //= 2
    element = value & (1 << size) - 1
    ones = element.bit_count()
    if ones in (0, size):
        return None
    run = (1 << ones) - 1
    for rotation in range(size):
        if element == (run >> rotation | run << size - rotation) & (1 << size) - 1:
            return (size == 64) << 12 | rotation << 6 | -2 * size & 0x3F | ones - 1
    return None


def add_immediate(value: int) -> tuple[int, int] | None:
    """The last two operands of `ADD_SUB_IMMEDIATE` formats for a constant; None if they cannot hold it."""
    if 0 <= value < 1 << 12:
        return value, 0
    return (value >> 12, 12) if 0 <= value < 1 << 24 and not value & 0xFFF else None


def load_bits(register: int, bits: int) -> bytes:
    """Let a register hold 64 bits, with at most four instructions."""
    field = logical_immediate(bits, 64)
    if field is not None:
        return ORR_IMM(64, register, ZR, field)
    parts = [(bits >> shift & 0xFFFF, shift) for shift in (0, 16, 32, 48)]
    zeros, ones = ([part for part in parts if part[0] != value] for value in (0, 0xFFFF))
    if len(ones) < len(zeros):
        (part, shift), *rest = ones or parts[:1]
        code = MOVN(64, register, part ^ 0xFFFF, shift)
    else:
        (part, shift), *rest = zeros or parts[:1]
        code = MOVZ(64, register, part, shift)
    return code + b"".join([MOVK(64, register, part, shift) for part, shift in rest])
