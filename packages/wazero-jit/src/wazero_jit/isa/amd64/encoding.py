"""Instruction encodings: a row per form, in the manual's terms, and one packer per format.

A row is called with the operand width in bits and the operands, destination first, and gives the bytes:
``ADD_RM(32, EAX, Mem(RSP, 8))``. Registers are numbers 0 to 15, general and xmm ones alike; the row says which are
meant. Manual: Intel SDM volume 2, "Instruction Format" (2.1) and the instruction reference.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, NamedTuple, final

RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 = range(16)

SCALES: Final = {1: 0, 2: 1, 4: 2, 8: 3}


class Mem(NamedTuple):
    """A memory operand: ``[base + index * scale + disp]``; `base` None: relative to the next instruction."""

    base: int | None
    disp: int = 0
    index: int | None = None  # type: ignore[assignment]  # the manual's word; the tuple's method is of no use here
    scale: int = 1


Rm = int | Mem
"""A register, or memory."""


class Form(Enum):
    """Operands of a row, and how they are packed; the value is the manual's "Op/En"."""

    RM = "RM"
    """reg, r/m."""
    MR = "MR"
    """r/m, reg."""
    M = "M"
    """r/m; the ModRM reg field extends the opcode."""
    MI8 = "MI8"
    """r/m, imm8 (signed)."""
    MI = "MI"
    """r/m, immediate of the operand width, at most 32 bits (signed)."""
    RMI8 = "RMI8"
    """reg, r/m, imm8."""
    RMI = "RMI"
    """reg, r/m, imm32 (signed)."""
    O = "O"  # noqa: E741 - the manual's letter
    """Register in the opcode."""
    OI = "OI"
    """Register in the opcode, immediate of the operand width (any sign)."""
    D = "D"
    """rel32, counted from the instruction's end."""
    ZO = "ZO"
    """None."""

    __hash__ = object.__hash__
    """Members are looked up for every instruction made; `Enum` would hash the name, in Python."""


@final
class Row:
    """One form of one instruction. `digit`: the ModRM reg field, where it extends the opcode ("/digit").

    `prefix`: the mandatory one (66, F2, F3). `bytes_of`: operands that are 8-bit registers and so need a REX prefix from
    number 4 on, "reg", "rm" or both.
    """

    __slots__ = ("_known", "bytes_of", "digit", "form", "mnemonic", "opcode", "prefix")

    def __init__(
        self, mnemonic: str, form: Form, opcode: bytes, digit: int = 0, prefix: bytes = b"", bytes_of: str = ""
    ) -> None:
        self.mnemonic = mnemonic
        self.form = form
        self.opcode = opcode
        self.digit = digit
        self.prefix = prefix
        self.bytes_of = bytes_of
        self._known: dict[tuple[int, Any], bytes] = {}
        """By width and operands, immediates left out: templates ask for the same bytes again and again."""

    def __repr__(self) -> str:
        return f"<{self.mnemonic} {self.form.value}>"

    def __call__(self, width: int, *operands: Any) -> bytes:
        """Raises ValueError if an operand does not fit."""
        if self.form in _WITH_IMMEDIATE:
            return _PACKERS[self.form](self, width, *operands)
        known = self._known.get((width, operands))
        if known is None:
            known = self._known[width, operands] = _PACKERS[self.form](self, width, *operands)
        return known

    def indexed(self, width: int, reg: int, base: int, index: int, disp: int) -> bytes:
        """With the memory operand ``[base + index + disp]``, without an immediate: what loads and stores are made of.

        Raises OverflowError if `disp` is no signed number of 32 bits.
        """
        size = 0 if disp == 0 else 1 if -128 <= disp < 128 else 4
        known = self._known.get((width, (reg, base, index, size)))
        if known is None:
            code = _with_modrm(self, width, reg, Mem(base, _SAMPLES[size], index))
            known = self._known[width, (reg, base, index, size)] = code[: len(code) - size]
        return known + disp.to_bytes(size, "little", signed=True)

    def head(self, width: int, rm: Rm) -> bytes:
        """All but the immediate, which ends the instruction."""
        known = self._known.get((width, rm))
        if known is None:
            known = self._known[width, rm] = _with_modrm(self, width, self.digit, rm)
        return known


def signed(value: int, bits: int) -> bytes:
    """`value` as `bits` bits. Raises ValueError unless it fits as a signed number."""
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise ValueError(f"{value} does not fit in {bits} bits")
    return (value & (1 << bits) - 1).to_bytes(bits // 8, "little")


def fits(value: int, bits: int) -> bool:
    """Whether `value` is a signed number of `bits` bits."""
    return -(1 << bits - 1) <= value < 1 << bits - 1


def _rex(row: Row, width: int, reg: int, index: int, base: int, rm_is_register: bool) -> bytes:
    rex = (width == 64) << 3 | reg >> 3 << 2 | index >> 3 << 1 | base >> 3
    is_high_byte = ("reg" in row.bytes_of and reg >= 4) or ("rm" in row.bytes_of and rm_is_register and base >= 4)
    return bytes((0x40 | rex,)) if rex or is_high_byte else b""


def _with_modrm(row: Row, width: int, reg: int, rm: Rm, immediate: bytes = b"") -> bytes:
    legacy = (b"\x66" if width == 16 else b"") + row.prefix
    if isinstance(rm, int):
        rex = _rex(row, width, reg, 0, rm, True)
        return legacy + rex + row.opcode + bytes((0xC0 | (reg & 7) << 3 | rm & 7,)) + immediate
    base = 0 if rm.base is None else rm.base
    rex = _rex(row, width, reg, rm.index or 0, base, False)
    return legacy + rex + row.opcode + _memory(reg & 7, rm) + immediate


def _memory(reg: int, rm: Mem) -> bytes:
    """ModRM, SIB and displacement (SDM 2.1.5)."""
    if rm.base is None:
        return bytes((reg << 3 | 5,)) + signed(rm.disp, 32)
    base = rm.base & 7
    if rm.disp == 0 and base != RBP:
        mod, displacement = 0, b""
    elif fits(rm.disp, 8):
        mod, displacement = 0x40, signed(rm.disp, 8)
    else:
        mod, displacement = 0x80, signed(rm.disp, 32)
    if rm.index is None:
        if base != RSP:
            return bytes((mod | reg << 3 | base,)) + displacement
        return bytes((mod | reg << 3 | 4, 0x24)) + displacement
    if rm.index == RSP:
        raise ValueError("rsp cannot be an index")
    return bytes((mod | reg << 3 | 4, SCALES[rm.scale] << 6 | (rm.index & 7) << 3 | base)) + displacement


def _rm(row: Row, width: int, reg: int, rm: Rm) -> bytes:
    return _with_modrm(row, width, reg, rm)


def _mr(row: Row, width: int, rm: Rm, reg: int) -> bytes:
    return _with_modrm(row, width, reg, rm)


def _m(row: Row, width: int, rm: Rm) -> bytes:
    return _with_modrm(row, width, row.digit, rm)


def _mi8(row: Row, width: int, rm: Rm, immediate: int) -> bytes:
    return row.head(width, rm) + signed(immediate, 8)


def _mi(row: Row, width: int, rm: Rm, immediate: int) -> bytes:
    return row.head(width, rm) + signed(immediate, min(width, 32))


def _rmi8(row: Row, width: int, reg: int, rm: Rm, immediate: int) -> bytes:
    return _with_modrm(row, width, reg, rm, signed(immediate, 8))


def _rmi(row: Row, width: int, reg: int, rm: Rm, immediate: int) -> bytes:
    return _with_modrm(row, width, reg, rm, signed(immediate, 32))


def _o(row: Row, width: int, reg: int) -> bytes:
    rex = b"\x41" if reg >> 3 else b""
    return rex + row.opcode[:-1] + bytes((row.opcode[-1] | reg & 7,))


def _oi(row: Row, width: int, reg: int, immediate: int) -> bytes:
    rex = (width == 64) << 3 | reg >> 3
    prefix = bytes((0x40 | rex,)) if rex else b""
    value = immediate & (1 << width) - 1
    if value not in (immediate, immediate + (1 << width)):
        raise ValueError(f"{immediate} does not fit in {width} bits")
    return prefix + bytes((row.opcode[-1] | reg & 7,)) + value.to_bytes(width // 8, "little")


def _d(row: Row, width: int, displacement: int) -> bytes:
    return row.opcode + signed(displacement, 32)


def _zo(row: Row, width: int) -> bytes:
    return row.prefix + (b"\x48" if width == 64 else b"") + row.opcode


_PACKERS: Final[dict[Form, Callable[..., bytes]]] = {
    Form.RM: _rm,
    Form.MR: _mr,
    Form.M: _m,
    Form.MI8: _mi8,
    Form.MI: _mi,
    Form.RMI8: _rmi8,
    Form.RMI: _rmi,
    Form.O: _o,
    Form.OI: _oi,
    Form.D: _d,
    Form.ZO: _zo,
}

_WITH_IMMEDIATE: Final = frozenset({Form.MI8, Form.MI, Form.RMI8, Form.RMI, Form.OI, Form.D})

_SAMPLES: Final = {0: 0, 1: 1, 4: 1 << 10}
"""A displacement for each size in bytes that one can take; none takes 0."""

CONDITIONS: Final = {
    "o": 0x0, "no": 0x1, "b": 0x2, "ae": 0x3, "e": 0x4, "ne": 0x5, "be": 0x6, "a": 0x7,
    "s": 0x8, "ns": 0x9, "p": 0xA, "np": 0xB, "l": 0xC, "ge": 0xD, "le": 0xE, "g": 0xF,
}  # fmt: skip
"""Condition codes (SDM volume 1, appendix B)."""


def inverse(condition: str) -> str:
    """The condition that holds when `condition` does not."""
    return _CONDITION_NAMES[CONDITIONS[condition] ^ 1]


_CONDITION_NAMES: Final = {code: name for name, code in CONDITIONS.items()}

# fmt: off
# Moves
MOV_RM      = Row("mov",      Form.RM,   b"\x8b")
MOV_MR      = Row("mov",      Form.MR,   b"\x89")
MOV8_MR     = Row("mov",      Form.MR,   b"\x88", bytes_of="reg rm")
MOV_MI      = Row("mov",      Form.MI,   b"\xc7")
MOV8_MI     = Row("mov",      Form.MI8,  b"\xc6", bytes_of="rm")
MOV_OI      = Row("mov",      Form.OI,   b"\xb8")
MOVZX8      = Row("movzx",    Form.RM,   b"\x0f\xb6", bytes_of="rm")
MOVZX16     = Row("movzx",    Form.RM,   b"\x0f\xb7")
MOVSX8      = Row("movsx",    Form.RM,   b"\x0f\xbe", bytes_of="rm")
MOVSX16     = Row("movsx",    Form.RM,   b"\x0f\xbf")
MOVSXD      = Row("movsxd",   Form.RM,   b"\x63")
LEA         = Row("lea",      Form.RM,   b"\x8d")
PUSH        = Row("push",     Form.O,    b"\x50")
POP         = Row("pop",      Form.O,    b"\x58")
XCHG_MR     = Row("xchg",     Form.MR,   b"\x87")
CMPXCHG_MR  = Row("lock cmpxchg", Form.MR, b"\x0f\xb1", prefix=b"\xf0")

# Integer arithmetic: in the order of the ModRM digit
ADD_RM      = Row("add",      Form.RM,   b"\x03")
OR_RM       = Row("or",       Form.RM,   b"\x0b")
SBB_RM      = Row("sbb",      Form.RM,   b"\x1b")
AND_RM      = Row("and",      Form.RM,   b"\x23")
SUB_RM      = Row("sub",      Form.RM,   b"\x2b")
XOR_RM      = Row("xor",      Form.RM,   b"\x33")
CMP_RM      = Row("cmp",      Form.RM,   b"\x3b")
ADD_MR      = Row("add",      Form.MR,   b"\x01")
OR_MR       = Row("or",       Form.MR,   b"\x09")
AND_MR      = Row("and",      Form.MR,   b"\x21")
SUB_MR      = Row("sub",      Form.MR,   b"\x29")
XOR_MR      = Row("xor",      Form.MR,   b"\x31")
CMP_MR      = Row("cmp",      Form.MR,   b"\x39")
ADD_MI8     = Row("add",      Form.MI8,  b"\x83", 0)
OR_MI8      = Row("or",       Form.MI8,  b"\x83", 1)
ADC_MI8     = Row("adc",      Form.MI8,  b"\x83", 2)
AND_MI8     = Row("and",      Form.MI8,  b"\x83", 4)
SUB_MI8     = Row("sub",      Form.MI8,  b"\x83", 5)
XOR_MI8     = Row("xor",      Form.MI8,  b"\x83", 6)
CMP_MI8     = Row("cmp",      Form.MI8,  b"\x83", 7)
ADD_MI      = Row("add",      Form.MI,   b"\x81", 0)
OR_MI       = Row("or",       Form.MI,   b"\x81", 1)
AND_MI      = Row("and",      Form.MI,   b"\x81", 4)
SUB_MI      = Row("sub",      Form.MI,   b"\x81", 5)
XOR_MI      = Row("xor",      Form.MI,   b"\x81", 6)
CMP_MI      = Row("cmp",      Form.MI,   b"\x81", 7)
TEST_MR     = Row("test",     Form.MR,   b"\x85")
TEST8_MR    = Row("test",     Form.MR,   b"\x84", bytes_of="reg rm")
NOT         = Row("not",      Form.M,    b"\xf7", 2)
NEG         = Row("neg",      Form.M,    b"\xf7", 3)
MUL         = Row("mul",      Form.M,    b"\xf7", 4)
IMUL        = Row("imul",     Form.M,    b"\xf7", 5)
DIV         = Row("div",      Form.M,    b"\xf7", 6)
IDIV        = Row("idiv",     Form.M,    b"\xf7", 7)
INC         = Row("inc",      Form.M,    b"\xff", 0)
DEC         = Row("dec",      Form.M,    b"\xff", 1)
IMUL_RM     = Row("imul",     Form.RM,   b"\x0f\xaf")
IMUL_RMI8   = Row("imul",     Form.RMI8, b"\x6b")
IMUL_RMI    = Row("imul",     Form.RMI,  b"\x69")
CDQ         = Row("cdq",      Form.ZO,   b"\x99")
ROL_MI8     = Row("rol",      Form.MI8,  b"\xc1", 0)
ROR_MI8     = Row("ror",      Form.MI8,  b"\xc1", 1)
SHL_MI8     = Row("shl",      Form.MI8,  b"\xc1", 4)
SHR_MI8     = Row("shr",      Form.MI8,  b"\xc1", 5)
SAR_MI8     = Row("sar",      Form.MI8,  b"\xc1", 7)
SHR_1       = Row("shr",      Form.M,    b"\xd1", 5)
SAR_1       = Row("sar",      Form.M,    b"\xd1", 7)
ROL_CL      = Row("rol",      Form.M,    b"\xd3", 0)
ROR_CL      = Row("ror",      Form.M,    b"\xd3", 1)
SHL_CL      = Row("shl",      Form.M,    b"\xd3", 4)
SHR_CL      = Row("shr",      Form.M,    b"\xd3", 5)
SAR_CL      = Row("sar",      Form.M,    b"\xd3", 7)
BSF         = Row("bsf",      Form.RM,   b"\x0f\xbc")
BSR         = Row("bsr",      Form.RM,   b"\x0f\xbd")
TZCNT       = Row("tzcnt",    Form.RM,   b"\x0f\xbc", prefix=b"\xf3")
POPCNT      = Row("popcnt",   Form.RM,   b"\x0f\xb8", prefix=b"\xf3")
BTR_MI8     = Row("btr",      Form.MI8,  b"\x0f\xba", 6)
BTC_MI8     = Row("btc",      Form.MI8,  b"\x0f\xba", 7)
BTS_MI8     = Row("bts",      Form.MI8,  b"\x0f\xba", 5)

# Control
JMP         = Row("jmp",      Form.D,    b"\xe9")
CALL        = Row("call",     Form.D,    b"\xe8")
JMP_M       = Row("jmp",      Form.M,    b"\xff", 4)
CALL_M      = Row("call",     Form.M,    b"\xff", 2)
RET         = Row("ret",      Form.ZO,   b"\xc3")
CLC         = Row("clc",      Form.ZO,   b"\xf8")
STC         = Row("stc",      Form.ZO,   b"\xf9")
UD2         = Row("ud2",      Form.ZO,   b"\x0f\x0b")
SYSCALL     = Row("syscall",  Form.ZO,   b"\x0f\x05")
CPUID       = Row("cpuid",    Form.ZO,   b"\x0f\xa2")
REP_MOVSB   = Row("rep movsb", Form.ZO,  b"\xa4", prefix=b"\xf3")
REP_STOSB   = Row("rep stosb", Form.ZO,  b"\xaa", prefix=b"\xf3")

# Floating point: S single, D double
MOVSS_RM    = Row("movss",    Form.RM,   b"\x0f\x10", prefix=b"\xf3")
MOVSS_MR    = Row("movss",    Form.MR,   b"\x0f\x11", prefix=b"\xf3")
MOVSD_RM    = Row("movsd",    Form.RM,   b"\x0f\x10", prefix=b"\xf2")
MOVSD_MR    = Row("movsd",    Form.MR,   b"\x0f\x11", prefix=b"\xf2")
MOVAPS      = Row("movaps",   Form.RM,   b"\x0f\x28")
MOVUPS_RM   = Row("movups",   Form.RM,   b"\x0f\x10")
MOVUPS_MR   = Row("movups",   Form.MR,   b"\x0f\x11")
MOVD_RM     = Row("movd",     Form.RM,   b"\x0f\x6e", prefix=b"\x66")
MOVD_MR     = Row("movd",     Form.MR,   b"\x0f\x7e", prefix=b"\x66")
XORPS       = Row("xorps",    Form.RM,   b"\x0f\x57")
ANDPS       = Row("andps",    Form.RM,   b"\x0f\x54")
ANDNPS      = Row("andnps",   Form.RM,   b"\x0f\x55")
ORPS        = Row("orps",     Form.RM,   b"\x0f\x56")
PCMPEQD     = Row("pcmpeqd",  Form.RM,   b"\x0f\x76", prefix=b"\x66")
PSRLD_MI8   = Row("psrld",    Form.MI8,  b"\x0f\x72", 2, prefix=b"\x66")
PSLLD_MI8   = Row("pslld",    Form.MI8,  b"\x0f\x72", 6, prefix=b"\x66")
PSRLQ_MI8   = Row("psrlq",    Form.MI8,  b"\x0f\x73", 2, prefix=b"\x66")
PSLLQ_MI8   = Row("psllq",    Form.MI8,  b"\x0f\x73", 6, prefix=b"\x66")
ADDSS       = Row("addss",    Form.RM,   b"\x0f\x58", prefix=b"\xf3")
ADDSD       = Row("addsd",    Form.RM,   b"\x0f\x58", prefix=b"\xf2")
MULSS       = Row("mulss",    Form.RM,   b"\x0f\x59", prefix=b"\xf3")
MULSD       = Row("mulsd",    Form.RM,   b"\x0f\x59", prefix=b"\xf2")
SUBSS       = Row("subss",    Form.RM,   b"\x0f\x5c", prefix=b"\xf3")
SUBSD       = Row("subsd",    Form.RM,   b"\x0f\x5c", prefix=b"\xf2")
MINSS       = Row("minss",    Form.RM,   b"\x0f\x5d", prefix=b"\xf3")
MINSD       = Row("minsd",    Form.RM,   b"\x0f\x5d", prefix=b"\xf2")
DIVSS       = Row("divss",    Form.RM,   b"\x0f\x5e", prefix=b"\xf3")
DIVSD       = Row("divsd",    Form.RM,   b"\x0f\x5e", prefix=b"\xf2")
MAXSS       = Row("maxss",    Form.RM,   b"\x0f\x5f", prefix=b"\xf3")
MAXSD       = Row("maxsd",    Form.RM,   b"\x0f\x5f", prefix=b"\xf2")
SQRTSS      = Row("sqrtss",   Form.RM,   b"\x0f\x51", prefix=b"\xf3")
SQRTSD      = Row("sqrtsd",   Form.RM,   b"\x0f\x51", prefix=b"\xf2")
UCOMISS     = Row("ucomiss",  Form.RM,   b"\x0f\x2e")
UCOMISD     = Row("ucomisd",  Form.RM,   b"\x0f\x2e", prefix=b"\x66")
CVTSI2SS    = Row("cvtsi2ss", Form.RM,   b"\x0f\x2a", prefix=b"\xf3")
CVTSI2SD    = Row("cvtsi2sd", Form.RM,   b"\x0f\x2a", prefix=b"\xf2")
CVTTSS2SI   = Row("cvttss2si", Form.RM,  b"\x0f\x2c", prefix=b"\xf3")
CVTTSD2SI   = Row("cvttsd2si", Form.RM,  b"\x0f\x2c", prefix=b"\xf2")
CVTSS2SD    = Row("cvtss2sd", Form.RM,   b"\x0f\x5a", prefix=b"\xf3")
CVTSD2SS    = Row("cvtsd2ss", Form.RM,   b"\x0f\x5a", prefix=b"\xf2")
ROUNDSS     = Row("roundss",  Form.RMI8, b"\x0f\x3a\x0a", prefix=b"\x66")
ROUNDSD     = Row("roundsd",  Form.RMI8, b"\x0f\x3a\x0b", prefix=b"\x66")
# fmt: on


def jcc(condition: str) -> bytes:
    """A conditional jump by a rel32 that is yet to be filled in."""
    return bytes((0x0F, 0x80 | CONDITIONS[condition], 0, 0, 0, 0))


def jcc_short(condition: str, distance: int) -> bytes:
    """A conditional jump over the next `distance` bytes, at most 127."""
    return bytes((0x70 | CONDITIONS[condition],)) + signed(distance, 8)


def setcc(condition: str, reg: int) -> bytes:
    """Set the low byte of `reg`."""
    return Row(f"set{condition}", Form.M, bytes((0x0F, 0x90 | CONDITIONS[condition])), bytes_of="rm")(32, reg)


def cmov(width: int, condition: str, reg: int, rm: Rm) -> bytes:
    """Conditional move."""
    return Row(f"cmov{condition}", Form.RM, bytes((0x0F, 0x40 | CONDITIONS[condition])))(width, reg, rm)


def jmp_short(distance: int) -> bytes:
    """A jump over the next `distance` bytes, at most 127."""
    return b"\xeb" + signed(distance, 8)
