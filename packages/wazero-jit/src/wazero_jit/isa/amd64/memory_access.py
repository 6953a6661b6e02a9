"""Loads and stores of linear memories.

Guarded: an access is one instruction, since what is out of bounds lies in pages that fault. Addresses and offsets
are below 2**32 and so their sum below 2**33, which the reservation covers. Checked: the end of the access is compared
with the memory's size first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, final

from wazero_api import TrapKind
from wazero_jit.memory.linear import MemoryRecord
from wazero_jit.registers.constants import Const

from .encoding import (
    ADD_RM,
    CMP_RM,
    LEA,
    MOV8_MI,
    MOV8_MR,
    MOV_MI,
    MOV_MR,
    MOV_RM,
    MOVSD_MR,
    MOVSD_RM,
    MOVSS_MR,
    MOVSS_RM,
    MOVSX8,
    MOVSX16,
    MOVSXD,
    MOVZX8,
    MOVZX16,
    RAX,
    RCX,
    RDX,
    Mem,
    Row,
    fits,
    signed,
)
from .moves import read_field
from .places import Place, Target, Xmm, finish, load, load_bits, work_register
from .registers import CONTEXT, MEMORY
from .traps import trap_unless

_RECORD: Final[Any] = MemoryRecord
"""On the class, the fields are descriptors."""
_DISPLACEMENT_LIMIT: Final = (1 << 31) - (1 << 16)
"""Displacements are signed numbers of 32 bits; the margin is for the size of an access and the like."""


@final
class Access(NamedTuple):
    """Where: `word` is None for the memory that the memory register points to, else the context word with the address
    of the `MemoryRecord`; `offset` is the instruction's.
    """

    word: int | None
    offset: int
    is_guarded: bool

    @property
    def is_plain(self) -> bool:
        """Whether an address in a register makes it one instruction."""
        return self.is_guarded and self.word is None and self.offset < _DISPLACEMENT_LIMIT

    def address(self, address: Place, size_bytes: int) -> tuple[bytes, Mem]:
        """(code, memory operand). May change rax and rcx."""
        if self.is_guarded:
            return self._guarded(address)
        return self._checked(address, size_bytes)

    def _guarded(self, address: Place) -> tuple[bytes, Mem]:
        code, base = b"", MEMORY
        if self.word is not None:
            code, base = MOV_RM(64, RCX, Mem(CONTEXT, self.word)) + _record_base(), RCX
        if isinstance(address, Const):
            total = address.bits + self.offset
            if total < _DISPLACEMENT_LIMIT:
                return code, Mem(base, total)
            return code + load_bits(RAX, total), Mem(base, 0, RAX)
        if self.offset >= _DISPLACEMENT_LIMIT:
            return code + load_bits(RAX, self.offset) + ADD_RM(64, RAX, address), Mem(base, 0, RAX)
        if isinstance(address, Mem):
            return code + load(32, RAX, address), Mem(base, self.offset, RAX)
        return code, Mem(base, self.offset, address)

    def _checked(self, address: Place, size_bytes: int) -> tuple[bytes, Mem]:
        assert self.word is not None
        code = MOV_RM(64, RCX, Mem(CONTEXT, self.word)) + self._end(address, size_bytes)
        code += CMP_RM(64, RAX, Mem(RCX, _RECORD.bytes.offset))
        code += trap_unless("be", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS) + _record_base()
        return code, Mem(RCX, -size_bytes, RAX)

    def _end(self, address: Place, size_bytes: int) -> bytes:
        """To rax: where the access ends."""
        distance = self.offset + size_bytes
        if isinstance(address, Const):
            return load_bits(RAX, address.bits + distance)
        if distance >= _DISPLACEMENT_LIMIT:
            return load_bits(RAX, distance) + ADD_RM(64, RAX, address)
        if isinstance(address, Mem):
            return load(32, RAX, address) + LEA(64, RAX, Mem(RAX, distance))
        return LEA(64, RAX, Mem(address, distance))


def _record_base() -> bytes:
    """From a record's address in rcx to the address of the memory's byte 0."""
    return MOV_RM(64, RCX, Mem(RCX, _RECORD.base.offset))


def memory_size(word: int) -> Callable[[Target], bytes]:
    """``memory.size``, in pages."""
    return lambda dst: read_field(word, _RECORD.pages.offset, dst)


@final
class Load(NamedTuple):
    """What a load does to a register."""

    row: Row
    width: int
    size_bytes: int

    def lower(self, access: Access, address: Place, dst: Target) -> bytes:
        """The bytes."""
        if access.is_plain and isinstance(address, int) and isinstance(dst, int):
            return self.row.indexed(32 if isinstance(dst, Xmm) else self.width, dst, MEMORY, address, access.offset)
        code, memory = access.address(address, self.size_bytes)
        if isinstance(dst, Xmm):
            return code + self.row(32, dst, memory)
        register = work_register(dst)
        row = MOV_RM if self.row in _FLOAT_ROWS else self.row
        return code + row(self.width, register, memory) + finish(64, register, dst)


@final
class Store(NamedTuple):
    """What a store does to memory."""

    width: int
    float_row: Row | None = None

    def lower(self, access: Access, address: Place, value: Place) -> bytes:
        """The bytes. A float that is in no register goes through a general one."""
        if access.is_plain and isinstance(address, int):
            if isinstance(value, int):
                row, width = self._row_and_width(value)
                return row.indexed(width, value, MEMORY, address, access.offset)
            if isinstance(value, Const) and fits(number := value.signed(self.width), 32):
                # Go fills its tables by thousands of these, no two alike.
                row, width = (MOV8_MI, 32) if self.width == 8 else (MOV_MI, self.width)
                head = row.indexed(width, row.digit, MEMORY, address, access.offset)
                return head + signed(number, min(self.width, 32))
        code, memory = access.address(address, self.width // 8)
        if isinstance(value, Xmm):
            row, width = self._row_and_width(value)
            return code + row(width, memory, value)
        if isinstance(value, Const):
            number = value.signed(self.width)
            if self.width == 8:
                return code + MOV8_MI(32, memory, number)
            if fits(number, 32):
                return code + MOV_MI(self.width, memory, number)
        register = value if isinstance(value, int) else RDX
        code += load(max(self.width, 32), register, value)
        row, width = self._row_and_width(register)
        return code + row(width, memory, register)

    def _row_and_width(self, register: int) -> tuple[Row, int]:
        """How to store a register."""
        if isinstance(register, Xmm):
            assert self.float_row is not None
            return self.float_row, 32
        return (MOV8_MR, 32) if self.width == 8 else (MOV_MR, self.width)


# fmt: off
LOADS: Final = {
    "i32.load":     Load(MOV_RM,   32, 4),
    "i64.load":     Load(MOV_RM,   64, 8),
    "f32.load":     Load(MOVSS_RM, 32, 4),
    "f64.load":     Load(MOVSD_RM, 64, 8),
    "i32.load8_s":  Load(MOVSX8,   32, 1),
    "i32.load8_u":  Load(MOVZX8,   32, 1),
    "i32.load16_s": Load(MOVSX16,  32, 2),
    "i32.load16_u": Load(MOVZX16,  32, 2),
    "i64.load8_s":  Load(MOVSX8,   64, 1),
    "i64.load8_u":  Load(MOVZX8,   32, 1),
    "i64.load16_s": Load(MOVSX16,  64, 2),
    "i64.load16_u": Load(MOVZX16,  32, 2),
    "i64.load32_s": Load(MOVSXD,   64, 4),
    "i64.load32_u": Load(MOV_RM,   32, 4),
}
STORES: Final = {
    "i32.store":   Store(32),
    "i64.store":   Store(64),
    "f32.store":   Store(32, MOVSS_MR),
    "f64.store":   Store(64, MOVSD_MR),
    "i32.store8":  Store(8),
    "i32.store16": Store(16),
    "i64.store8":  Store(8),
    "i64.store16": Store(16),
    "i64.store32": Store(32),
}
# fmt: on
_FLOAT_ROWS: Final = (MOVSS_RM, MOVSD_RM)


def memory_access(name: str, is_guarded: bool) -> Callable[[int | None, int], Callable[..., bytes]]:
    """From the immediates of a load or store to its lowering function."""
    shape = LOADS.get(name) or STORES[name]

    def with_immediates(word: int | None, offset: int) -> Callable[..., bytes]:
        access = Access(word, offset, is_guarded)
        return lambda address, value_or_dst: shape.lower(access, address, value_or_dst)

    return with_immediates
