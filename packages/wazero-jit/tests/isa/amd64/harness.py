"""Runs code pieces on the processor, with every register and some frame slots under control.

A *state* is a list of 64-bit numbers: 16 general registers, 16 xmm registers of two words, the slots, and what a run
reports. `place_index` says where in it an operand id is.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import platform
import random
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, final

import pytest

from wazero_api import TrapKind
from wazero_jit.isa.amd64.encoding import (
    ADD_MI,
    JMP,
    MOV_MI,
    MOV_MR,
    MOV_RM,
    MOVUPS_MR,
    MOVUPS_RM,
    POP,
    PUSH,
    R13,
    RAX,
    RCX,
    RDI,
    RDX,
    RET,
    RSP,
    SUB_RM,
    XCHG_MR,
    Mem,
)
from wazero_jit.isa.amd64.registers import C_SAVED
from wazero_jit.link.records import TRAPS, Execution
from wazero_jit.registers.operands import FLOAT, SLOT, Operand

needs_amd64 = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"), reason="executes amd64 code on Linux"
)

SLOTS: Final = 20
"""The last ones need a displacement of 32 bits."""
_XMM: Final = 16
_SLOT: Final = 48
FLAGS: Final = _SLOT + SLOTS
NOT_TAKEN: Final = FLAGS + 1
TRAP: Final = FLAGS + 2
TRAP_PC: Final = FLAGS + 3
STACK_MOVED: Final = FLAGS + 4
_WORDS: Final = FLAGS + 5
_STATE: Final = struct.Struct(f"<{_WORDS}Q")

_MARK: Final = Mem(RSP, 8 * SLOTS)
_STATE_POINTER: Final = Mem(RSP, 8 * SLOTS + 8)
_FRAME_BYTES: Final = 8 * SLOTS + 8
_PUSHFQ: Final = b"\x9c"
_POPFQ: Final = b"\x9d"
ARITHMETIC_FLAGS: Final = 0x8D5
"""OF, SF, ZF, AF, PF, CF."""

_TRAPS_AT: Final = 0
_CODE_AT: Final = 4096

SCRATCH: Final = (RAX, RCX, RDX)
_SCRATCH_INDICES: Final = (*SCRATCH, *range(_XMM + 28, _XMM + 32))


def place_index(operand: Operand) -> int:
    """The position of an operand in a state."""
    assert isinstance(operand, int)
    if operand >= SLOT:
        return _SLOT + operand - SLOT
    return _XMM + 2 * (operand - FLOAT) if operand >= FLOAT else operand


def _word(index: int, register: int = RDI) -> Mem:
    return Mem(register, 8 * index)


def _enter() -> Iterator[bytes]:
    for register in C_SAVED:
        yield PUSH(64, register)
    yield PUSH(64, RDI)
    yield ADD_MI(64, RSP, -_FRAME_BYTES)
    yield MOV_MR(64, _word(RSP), RSP)
    for slot in range(SLOTS):
        yield MOV_RM(64, RAX, _word(_SLOT + slot)) + MOV_MR(64, Mem(RSP, 8 * slot), RAX)
    yield MOV_MI(64, _MARK, 0)
    yield MOV_RM(64, RAX, _word(FLAGS)) + PUSH(64, RAX) + _POPFQ
    for xmm in range(16):
        yield MOVUPS_RM(32, xmm, _word(_XMM + 2 * xmm))
    for register in range(16):
        if register not in (RSP, RDI):
            yield MOV_RM(64, register, _word(register))
    yield MOV_RM(64, RDI, _word(RDI))


def _leave() -> Iterator[bytes]:
    """Also after a trap, when rsp is what it was at the call."""
    yield XCHG_MR(64, _STATE_POINTER, RDI)
    for register in range(16):
        if register not in (RSP, RDI):
            yield MOV_MR(64, _word(register), register)
    yield _PUSHFQ + POP(64, RAX) + MOV_MR(64, _word(FLAGS), RAX)
    yield MOV_RM(64, RAX, _STATE_POINTER) + MOV_MR(64, _word(RDI), RAX)
    yield MOV_RM(64, RAX, _word(RSP)) + SUB_RM(64, RAX, RSP)
    yield MOV_MR(64, _word(STACK_MOVED), RAX)
    for xmm in range(16):
        yield MOVUPS_MR(32, _word(_XMM + 2 * xmm), xmm)
    for index, slot in ((_SLOT + slot, Mem(RSP, 8 * slot)) for slot in range(SLOTS)):
        yield MOV_RM(64, RAX, slot) + MOV_MR(64, _word(index), RAX)
    yield MOV_RM(64, RAX, _MARK) + MOV_MR(64, _word(NOT_TAKEN), RAX)
    yield ADD_MI(64, RSP, _FRAME_BYTES + 8)
    for register in reversed(C_SAVED):
        yield POP(64, register)
    yield RET(32)


_ENTER: Final = b"".join(_enter())
_LEAVE: Final = b"".join(_leave())


@final
class Machine:
    """One piece of code at a time."""

    def __init__(self) -> None:
        # Only tests may have pages that are writable and executable at once.
        self._code = mmap.mmap(
            -1,
            1 << 16,
            flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
            prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
        )
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._code))
        self._call = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(self._base + _CODE_AT)
        self.execution = Execution()
        self._write_traps()
        self._state = (ctypes.c_uint64 * _WORDS)()
        self._address = ctypes.addressof(self._state)
        generator = random.Random(1)
        self._initial = [generator.getrandbits(64) for _ in range(_WORDS)]
        self._initial[R13] = ctypes.addressof(self.execution)
        self._initial[FLAGS] = 0x202
        for index in (RSP, NOT_TAKEN, TRAP, TRAP_PC, STACK_MOVED):
            self._initial[index] = 0

    def _write_traps(self) -> None:
        """Routines that note which trap it is and the return address, and leave."""
        position = _TRAPS_AT
        for index in range(len(TRAPS)):
            self.execution.traps[index] = self._base + position
            code = POP(64, RCX) + MOV_RM(64, RAX, _STATE_POINTER) + MOV_MR(64, _word(TRAP_PC, RAX), RCX)
            code += MOV_MI(64, _word(TRAP, RAX), index + 1)
            code += JMP(32, _CODE_AT - len(_LEAVE) - (position + len(code) + 5))
            self._code[position : position + len(code)] = code
            position += len(code)
        assert position <= _CODE_AT - len(_LEAVE)
        self._code[_CODE_AT - len(_LEAVE) : _CODE_AT] = _LEAVE

    def set_register(self, register: int, value: int) -> None:
        """In all runs from now on."""
        self._initial[register] = value

    def load(self, code: bytes, is_branch: bool = False) -> None:
        """Take a piece of code. A branch is made to jump over an instruction that sets `NOT_TAKEN`."""
        if is_branch:
            assert code[-4:] == bytes(4)
            mark = MOV_MI(64, _MARK, 1)
            code = code[:-4] + len(mark).to_bytes(4, "little") + mark
        whole = _ENTER + code + _LEAVE
        self._code[_CODE_AT : _CODE_AT + len(whole)] = whole
        self._length = len(code)

    def run(self, values: Mapping[Operand, int]) -> tuple[list[int], list[int]]:
        """(state before, state after), with `values` in their places and anything elsewhere."""
        before = self._initial.copy()
        for operand, value in values.items():
            if not isinstance(operand, bytes):
                before[place_index(operand)] = value
        _STATE.pack_into(self._state, 0, *before)
        self._call(self._address)
        return before, list(_STATE.unpack_from(self._state))

    def trap_offset(self, after: Sequence[int]) -> int:
        """Where in the code the trap was: behind the call."""
        return after[TRAP_PC] - self._base - _CODE_AT - len(_ENTER)


def trap_kind(after: Sequence[int]) -> TrapKind | None:
    """Which trap there was, if any."""
    return TRAPS[after[TRAP] - 1] if after[TRAP] else None


def assert_kept(before: list[int], after: list[int], *changed: Operand) -> None:
    """Nothing but the scratch registers, the flags and `changed` may have changed."""
    before, after = before.copy(), after.copy()
    indices = [*_SCRATCH_INDICES, RSP, FLAGS, NOT_TAKEN]
    for operand in changed:
        indices.append(place_index(operand))
        if isinstance(operand, int) and FLOAT <= operand < SLOT:
            indices.append(indices[-1] + 1)
    for index in indices:
        before[index] = after[index] = 0
    assert before == after


def signed_leb(value: int) -> bytes:
    """A signed LEB128 number."""
    groups = bytearray()
    while not -64 <= value < 64:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value & 0x7F)
    return bytes(groups)


def constant(type: str, bits: int) -> bytes:
    """The token of a constant with these bits."""
    width = int(type[1:])
    if type[0] == "f":
        return bytes((0x43 if width == 32 else 0x44,)) + bits.to_bytes(width // 8, "little")
    return bytes((0x41 if width == 32 else 0x42,)) + signed_leb((bits ^ 1 << width - 1) - (1 << width - 1))


@functools.cache
def machine() -> Machine:
    """The one of this process."""
    return Machine()
