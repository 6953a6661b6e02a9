"""amd64 as translation sees it: frames, calls and branches; what operations become is in `templates`."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any, Final, final

from wazero_api import TrapKind
from wazero_jit.isa.interface import Frame, Memo, Prologue
from wazero_jit.link.records import TRAPS, ContextHeader, Execution, FunctionRecord, TableRecord
from wazero_jit.registers.operands import FLOAT, SLOT_BYTES, Operand, slot_offset

from .encoding import (
    ADD_MI,
    ADD_MI8,
    ADD_RM,
    CALL_M,
    CMP_MI,
    CMP_RM,
    JMP,
    JMP_M,
    LEA,
    MOV_MI,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVSD_MR,
    MOVSD_RM,
    MOVSXD,
    RAX,
    RCX,
    RDX,
    RET,
    RSP,
    SUB_MI,
    SUB_MI8,
    TEST_MR,
    Mem,
    fits,
    jcc,
    jcc_short,
)
from .registers import CONTEXT, EXECUTION, MEMORY, PLAN
from .templates import Templates

_LARGE_FRAME: Final = 16 << 10
"""Bytes from which on the stack is checked before it is used: far below the margin that stack limits keep."""
_SMALL_FRAME: Final = 1 << 10
"""Bytes up to which a function without calls needs no check."""

_REL32: Final = Struct("<i").pack_into


def _memory(register: int, field: Any, offset: int = 0) -> Mem:
    return Mem(register, offset + int(field.offset))


@final
class Amd64:
    """See `wazero_jit.isa.interface.Isa`."""

    name = "amd64"
    plan = PLAN

    def __init__(self, guarded: bool) -> None:
        self._templates = Templates(guarded=guarded)
        self._poll_check = CMP_RM(64, RSP, _memory(EXECUTION, Execution.limit)) + jcc("b")
        self._poll_call = CALL_M(32, _memory(EXECUTION, Execution.poll))
        self._jump = JMP(32, 0)

    def memo(self, name: str, *immediates: Any) -> Memo:
        """See `Isa`."""
        return self._templates.memo(name, *immediates)

    # Frames

    def prologue(self, frame: Frame, has_calls: bool) -> Prologue:
        """See `Isa`."""
        size = frame.words * SLOT_BYTES
        make = (SUB_MI8 if fits(size, 8) else SUB_MI)(64, RSP, size)
        if size >= _LARGE_FRAME:
            check = self._large_frame_check(size)
            return Prologue(check + make, False, len(check))
        if size < _SMALL_FRAME and not has_calls:
            return Prologue(make, False, 0)
        return Prologue(make + self._poll_check, True, 0)

    def _large_frame_check(self, size: int) -> bytes:
        """Before the stack pointer moves, since a call below the stack would crash."""
        trap = self.trap(TrapKind.CALL_STACK_EXHAUSTED)
        slow = CMP_RM(64, RAX, _memory(EXECUTION, Execution.stack_limit)) + jcc_short("ae", len(trap)) + trap
        slow += self._poll_call
        fast = LEA(64, RAX, Mem(RSP, -size)) + CMP_RM(64, RAX, _memory(EXECUTION, Execution.limit))
        return fast + jcc_short("ae", len(slow)) + slow

    def after_prologue(self, frame: Frame) -> bytes:
        """See `Isa`."""
        pieces = [_store(register, slot) for register, slot in frame.saves]
        if frame.context_slot is not None:
            pieces.append(_store(CONTEXT, frame.context_slot))
        return b"".join(pieces)

    def epilogue(self, frame: Frame) -> bytes:
        """See `Isa`."""
        size = frame.words * SLOT_BYTES
        loads = b"".join([_load(register, slot) for register, slot in frame.saves])
        return loads + (ADD_MI8 if fits(size, 8) else ADD_MI)(64, RSP, size) + RET(32)

    def zero_slots(self, slots: Sequence[int]) -> bytes:
        """See `Isa`."""
        first = slot_offset(slots[0])
        store = MOV_MI(64, Mem(RSP, first, RAX, 8), 0)
        count = MOV_OI(32, RAX, len(slots) - 1)
        step = _DECREMENT + jcc_short("ae", -(len(store) + len(_DECREMENT) + 2))
        return count + store + step

    # Branches

    def jump(self) -> bytes:
        """See `Isa`."""
        return self._jump

    def poll_check(self) -> bytes:
        """See `Isa`."""
        return self._poll_check

    def poll_call(self) -> bytes:
        """See `Isa`."""
        return self._poll_call

    def trap(self, kind: TrapKind) -> bytes:
        """See `Isa`."""
        return CALL_M(32, _memory(EXECUTION, Execution.traps, 8 * TRAPS.index(kind)))

    def _trap_unless(self, condition: str, kind: TrapKind) -> bytes:
        trap = self.trap(kind)
        return jcc_short(condition, len(trap)) + trap

    def table_branch(self, index: Operand, count: int) -> tuple[bytes, bytes]:
        """See `Isa`."""
        check = self.memo("move")[index, RAX] + CMP_MI(32, RAX, count) + jcc("ae")
        tail = MOVSXD(64, RAX, Mem(RCX, 0, RAX, 4)) + ADD_RM(64, RAX, RCX) + JMP_M(32, RAX)
        return check, LEA(64, RCX, Mem(None, len(tail))) + tail

    def patch_branch(self, code: bytearray, end: int, target: int) -> None:
        """See `Isa`."""
        _REL32(code, end - 4, target - end)

    def patch_table(self, code: bytearray, start: int, targets: Sequence[int]) -> None:
        """See `Isa`."""
        for index, target in enumerate(targets):
            _REL32(code, start + 4 * index, target - start)

    # Calls

    def call_own(self, record: int) -> bytes:
        """See `Isa`."""
        return CALL_M(32, _memory(CONTEXT, FunctionRecord.code, record))

    def call_import(self, word: int, context_slot: int) -> bytes:
        """See `Isa`."""
        return MOV_RM(64, RAX, Mem(CONTEXT, word)) + self._call_record(context_slot)

    def _call_record(self, context_slot: int) -> bytes:
        """Call the function whose record's address is in rax, in its own context, and come back to this one."""
        load_memory = MOV_RM(64, MEMORY, _memory(CONTEXT, ContextHeader.memory_base))
        return (
            MOV_RM(64, CONTEXT, _memory(RAX, FunctionRecord.context))
            + load_memory
            + CALL_M(32, _memory(RAX, FunctionRecord.code))
            + _load(CONTEXT, context_slot)
            + load_memory
        )

    def call_bulk(self, routine_word: int, memory_word: int) -> bytes:
        """See `Isa`."""
        return MOV_RM(64, RCX, Mem(CONTEXT, memory_word)) + CALL_M(32, Mem(CONTEXT, routine_word))

    def call_indirect(self, table_word: int, type_word: int, context_slot: int, index: Operand) -> bytes:
        """See `Isa`."""
        return (
            self.memo("move")[index, RAX]
            + MOV_RM(64, RCX, Mem(CONTEXT, table_word))
            + CMP_RM(64, RAX, _memory(RCX, TableRecord.length))
            + self._trap_unless("b", TrapKind.UNDEFINED_ELEMENT)
            + MOV_RM(64, RCX, _memory(RCX, TableRecord.base))
            + MOV_RM(64, RAX, Mem(RCX, 0, RAX, 8))
            + TEST_MR(64, RAX, RAX)
            + self._trap_unless("ne", TrapKind.UNINITIALIZED_ELEMENT)
            + MOV_RM(64, RDX, _memory(RAX, FunctionRecord.type_id))
            + CMP_RM(64, RDX, Mem(CONTEXT, type_word))
            + self._trap_unless("e", TrapKind.INDIRECT_CALL_TYPE_MISMATCH)
            + self._call_record(context_slot)
        )


def _store(register: int, slot: int) -> bytes:
    target = Mem(RSP, slot_offset(slot))
    return MOVSD_MR(32, target, register - FLOAT) if register >= FLOAT else MOV_MR(64, target, register)


def _load(register: int, slot: int) -> bytes:
    source = Mem(RSP, slot_offset(slot))
    return MOVSD_RM(32, register - FLOAT, source) if register >= FLOAT else MOV_RM(64, register, source)


_DECREMENT: Final = SUB_MI8(64, RAX, 1)
