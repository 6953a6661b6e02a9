"""arm64 as translation sees it: frames, calls and branches; what operations become is in `templates`.

A frame as laid out by `translate.frame`, with the return address (x30 at entry) in the word above it, where amd64's call
instruction puts it. With that word, frames are multiples of 16 bytes, which the stack pointer must be wherever it is
used (D1.8.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any, Final, final

from wazero_api import TrapKind, UnsupportedError
from wazero_jit.isa.interface import Frame, Memo, Prologue
from wazero_jit.isa.memos import Memos
from wazero_jit.link.records import ContextHeader, Execution, FunctionRecord, TableRecord
from wazero_jit.registers.operands import SLOT_BYTES, Operand, slot_offset

from .branches import patch_branch
from .encoding import (
    ADD,
    ADD_EXT,
    ADD_IMM,
    ADR,
    B_COND,
    BLR,
    BR,
    CBNZ,
    LDR_REG8,
    LDRW_SX_REG4,
    RET,
    SP,
    STR_REG,
    SUB_EXT,
    SUB_IMM,
    SUBS,
    SUBS_EXT,
    X15,
    X16,
    X17,
    ZR,
    B,
    add_immediate,
    load_bits,
)
from .places import Mem, decode, load, store
from .registers import CONTEXT, EXECUTION, LINK, MEMORY, PLAN
from .templates import lowering
from .traps import load_trap, skip_if, trap, trap_unless

_LARGE_FRAME: Final = 16 << 10
"""Bytes from which on the stack is checked before it is used: far below the margin that stack limits keep."""
_SMALL_FRAME: Final = 1 << 10
"""Bytes up to which a function without calls needs no check."""

_REL32: Final = Struct("<i").pack_into


def _field(register: int, field: Any, offset: int = 0) -> Mem:
    return Mem(register, offset + int(field.offset))


def _from_stack_pointer(register: int, distance: int) -> bytes:
    """Let a register, which may be the stack pointer itself, be `distance` above it. May change x16."""
    immediate = add_immediate(abs(distance))
    if immediate is not None:
        return (ADD_IMM if distance >= 0 else SUB_IMM)(64, register, SP, *immediate)
    row = ADD_EXT if distance >= 0 else SUB_EXT
    return load_bits(X16, abs(distance)) + row(64, register, SP, X16, "uxtx")


def _size(frame: Frame) -> int:
    """Bytes of a frame and the return address."""
    return (frame.words + 1) * SLOT_BYTES


@final
class Arm64:
    """See `wazero_jit.isa.interface.Isa`."""

    name = "arm64"
    plan = PLAN

    def __init__(self, guarded: bool) -> None:
        if guarded:
            raise UnsupportedError("the arm64 engine cannot leave the bounds of memories to guard pages yet")
        self._memos = Memos(lowering, decode)
        limit = load(X16, _field(EXECUTION, Execution.limit))
        self._poll_check = limit + SUBS_EXT(64, ZR, SP, X16, "uxtx") + B_COND("lo", 0)
        self._poll_call = load(X16, _field(EXECUTION, Execution.poll)) + BLR(X16)

    def memo(self, name: str, *immediates: Any) -> Memo:
        """See `Isa`. Raises UnsupportedError for operations that are missing yet."""
        return self._memos.memo(name, *immediates)

    # Frames

    def prologue(self, frame: Frame, has_calls: bool) -> Prologue:
        """See `Isa`."""
        size = _size(frame)
        make = _from_stack_pointer(SP, -size) + store(Mem(SP, size - SLOT_BYTES), LINK)
        if size >= _LARGE_FRAME:
            return Prologue(_large_frame_check(size) + make + self._poll_check, True, 0)
        if size < _SMALL_FRAME and not has_calls:
            return Prologue(make, False, 0)
        return Prologue(make + self._poll_check, True, 0)

    def after_prologue(self, frame: Frame) -> bytes:
        """See `Isa`."""
        pieces = [store(_slot(slot), _register(pin)) for pin, slot in frame.saves]
        if frame.context_slot is not None:
            pieces.append(store(_slot(frame.context_slot), CONTEXT))
        return b"".join(pieces)

    def epilogue(self, frame: Frame) -> bytes:
        """See `Isa`."""
        size = _size(frame)
        loads = b"".join([load(_register(pin), _slot(slot)) for pin, slot in frame.saves])
        return loads + load(LINK, Mem(SP, size - SLOT_BYTES)) + _from_stack_pointer(SP, size) + RET(LINK)

    def zero_slots(self, slots: Sequence[int]) -> bytes:
        """See `Isa`. x17 counts up to 0, in bytes from the end of the slots."""
        end = _from_stack_pointer(X16, slot_offset(slots[-1]) + SLOT_BYTES)
        start = load_bits(X17, -len(slots) * SLOT_BYTES & (1 << 64) - 1)
        step = STR_REG(ZR, X16, X17) + ADD_IMM(64, X17, X17, SLOT_BYTES, 0)
        return end + start + step + CBNZ(64, X17, -len(step))

    # Branches

    def jump(self) -> bytes:
        """See `Isa`."""
        return B(0)

    def poll_check(self) -> bytes:
        """See `Isa`."""
        return self._poll_check

    def poll_call(self) -> bytes:
        """See `Isa`."""
        return self._poll_call

    def trap(self, kind: TrapKind) -> bytes:
        """See `Isa`."""
        return trap(kind)

    def table_branch(self, index: Operand, count: int) -> tuple[bytes, bytes]:
        """See `Isa`."""
        check = load(X16, decode(index)) + load_bits(X17, count) + SUBS(32, ZR, X16, X17) + B_COND("hs", 0)
        tail = LDRW_SX_REG4(X16, X17, X16) + ADD(64, X16, X16, X17) + BR(X16)
        adr_bytes = 4
        return check, ADR(X17, adr_bytes + len(tail)) + tail

    def patch_branch(self, code: bytearray, end: int, target: int) -> None:
        """See `Isa`. Raises UnsupportedError if the function is so large that the target is too far away."""
        patch_branch(code, end, target)

    def patch_table(self, code: bytearray, start: int, targets: Sequence[int]) -> None:
        """See `Isa`."""
        for index, target in enumerate(targets):
            _REL32(code, start + 4 * index, target - start)

    # Calls

    def call_own(self, record: int) -> bytes:
        """See `Isa`."""
        return load(X16, _field(CONTEXT, FunctionRecord.code, record)) + BLR(X16)

    def call_import(self, word: int, context_slot: int) -> bytes:
        """See `Isa`."""
        return load(X16, Mem(CONTEXT, word)) + _call_record(context_slot)

    def call_bulk(self, routine_word: int, memory_word: int) -> bytes:
        """See `Isa`. Raises UnsupportedError."""
        raise UnsupportedError("the arm64 engine cannot translate memory.copy, memory.fill and memory.init yet")

    def call_indirect(self, table_word: int, type_word: int, context_slot: int, index: Operand) -> bytes:
        """See `Isa`."""
        return (
            load(X16, decode(index))
            + load(X17, Mem(CONTEXT, table_word))
            + load(X15, _field(X17, TableRecord.length))
            + SUBS(64, ZR, X16, X15)
            + trap_unless("lo", TrapKind.UNDEFINED_ELEMENT)
            + load(X17, _field(X17, TableRecord.base))
            + LDR_REG8(X16, X17, X16)
            + SUBS(64, ZR, X16, ZR)
            + trap_unless("ne", TrapKind.UNINITIALIZED_ELEMENT)
            + load(X17, _field(X16, FunctionRecord.type_id))
            + load(X15, Mem(CONTEXT, type_word))
            + SUBS(64, ZR, X17, X15)
            + trap_unless("eq", TrapKind.INDIRECT_CALL_TYPE_MISMATCH)
            + _call_record(context_slot)
        )


def _register(operand: int) -> int:
    place = decode(operand)
    assert isinstance(place, int)
    return place


def _slot(operand: int) -> Mem:
    place = decode(operand)
    assert isinstance(place, Mem)
    return place


def _large_frame_check(size: int) -> bytes:
    """Before the stack pointer moves. Without a frame, the trap is the caller's: x30 is the address behind its call."""
    exhausted = load_trap(TrapKind.CALL_STACK_EXHAUSTED) + BR(X16)
    bottom = _from_stack_pointer(X17, -size) + load(X15, _field(EXECUTION, Execution.stack_limit))
    return bottom + SUBS(64, ZR, X17, X15) + skip_if("hs", exhausted)


def _call_record(context_slot: int) -> bytes:
    """Call the function whose record's address is in x16, in its own context, and come back to this one."""
    load_memory = load(MEMORY, _field(CONTEXT, ContextHeader.memory_base))
    return (
        load(CONTEXT, _field(X16, FunctionRecord.context))
        + load_memory
        + load(X16, _field(X16, FunctionRecord.code))
        + BLR(X16)
        + load(CONTEXT, _slot(context_slot))
        + load_memory
    )
