"""Boxing and unboxing in machine code: the usual values here, everything else by `Callbacks`.

Entries and host calls keep raw values in *slots*, words from the stack pointer up: value i in ``[rsp + 8*i]``. That is
where the calling convention has those that registers are missing for, see `registers.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from wazero_api import ValueType
from wazero_api.record import record
from wazero_jit.link.callbacks import Callbacks
from wazero_jit.link.conversions import Kind
from wazero_jit.link.python_api import API, FLOAT_VALUE, OBJECT_TYPE
from wazero_jit.registers.operands import FLOAT

from .assembler import Assembler, Label
from .c_calls import WORD, call_python, jump_address, release
from .encoding import (
    ADD_RM,
    CLC,
    CMP_MI8,
    CMP_RM,
    CVTSD2SS,
    CVTSS2SD,
    LEA,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVD_MR,
    MOVD_RM,
    MOVSD_MR,
    MOVSD_RM,
    MOVSXD,
    POP,
    PUSH,
    RAX,
    RCX,
    RDI,
    RDX,
    RET,
    RSI,
    RSP,
    STC,
    TEST_MR,
    UCOMISS,
    XOR_RM,
    Mem,
)
from .registers import PLAN

_REFERENCES: Final = (Kind.FUNCREF, Kind.EXTERNREF)


@final
@record
class ValueRoutines:
    """Addresses of routines by kind."""

    unbox: dict[Kind, int]
    """Called with an object in rdi and the stack pointer a multiple of 16: rax is the raw value, or carry is set and an
    exception raised."""
    box: dict[Kind, int]
    """C functions: from the raw value, an f64 in xmm0, a new reference or 0."""


# In entries and host calls


def unbox(a: Assembler, routines: ValueRoutines, kind: Kind, slot: int, failed: Label) -> None:
    """Put the raw value of the object in rdi into a slot."""
    a.call_address(routines.unbox[kind])
    a.jump(failed, "b")
    a(MOV_MR(64, Mem(RSP, slot * WORD), RAX))


def box(a: Assembler, routines: ValueRoutines, kind: Kind, place: Mem) -> None:
    """Let rax be a new reference to the object for the raw value at `place`; 0 if an exception is raised."""
    if kind is Kind.F64:
        a(MOVSD_RM(32, 0, place))
    elif kind is Kind.I32:
        a(MOVSXD(64, RDI, place))
    else:
        # The upper half of a place that holds a float may be anything; 32-bit moves clear it.
        a(MOV_RM(32 if kind in (Kind.F32, Kind.RAW32) else 64, RDI, place))
    a.call_address(routines.box[kind])


def load_registers(a: Assembler, types: Sequence[ValueType]) -> None:
    """From the slots to where the calling convention has parameters or results."""
    for position, type in enumerate(types):
        register, place = PLAN.temporary(position, type), Mem(RSP, position * WORD)
        if register is not None:
            a(MOVSD_RM(32, register - FLOAT, place) if register >= FLOAT else MOV_RM(64, register, place))


def store_registers(a: Assembler, types: Sequence[ValueType]) -> None:
    """The other way round."""
    for position, type in enumerate(types):
        register, place = PLAN.temporary(position, type), Mem(RSP, position * WORD)
        if register is not None:
            a(MOVSD_MR(32, place, register - FLOAT) if register >= FLOAT else MOV_MR(64, place, register))


# The routines, each written once


@final
class ValueWriter:
    """Writes `ValueRoutines` to an assembler whose code will be at `base`."""

    def __init__(self, a: Assembler, base: int, callbacks: Callbacks) -> None:
        self._a = a
        self._base = base
        self._to_native = self._here()
        self._write_to_native(callbacks)
        self._from_native = self._here()
        self._write_from_native(callbacks)

    def _here(self) -> int:
        return self._base + self._a.position

    def write(self) -> ValueRoutines:
        """All of them."""
        unboxes = {
            Kind.I32: self._unbox_i32,
            Kind.I64: self._unbox_i64,
            Kind.F32: self._unbox_f32,
            Kind.F64: self._unbox_f64,
            Kind.FUNCREF: self._unbox_reference,
            Kind.EXTERNREF: self._unbox_reference,
            Kind.EXTERNREF_ARGUMENT: self._unbox_reference,
            Kind.FUNCREF_ARGUMENT: self._unbox_reference,
            Kind.RAW32: self._unbox_raw,
            Kind.RAW64: self._unbox_raw,
        }
        unbox = {}
        for kind, write in unboxes.items():
            unbox[kind] = self._here()
            write(kind)
        box = {
            Kind.I32: API.PyLong_FromLongLong,
            Kind.I64: API.PyLong_FromLongLong,
            Kind.F64: API.PyFloat_FromDouble,
            Kind.RAW32: API.PyLong_FromUnsignedLongLong,
            Kind.RAW64: API.PyLong_FromUnsignedLongLong,
            Kind.F32: self._here(),
        }
        self._box_f32()
        for kind in _REFERENCES:
            box[kind] = self._here()
            self._box_reference(kind)
        return ValueRoutines(unbox, box)

    # By Python

    def _write_to_native(self, callbacks: Callbacks) -> None:
        """Object in rdi, kind (an int object) in rsi; else like an unboxing routine."""
        a, failed, maybe, done = self._a, Label(), Label(), Label()
        a(LEA(64, RSP, Mem(RSP, -3 * WORD)), MOV_MR(64, Mem(RSP, WORD), RDI), MOV_MR(64, Mem(RSP, 2 * WORD), RSI))
        call_python(a, 2, target=callbacks.to_native)
        a(TEST_MR(64, RAX, RAX))
        a.jump(failed, "e")
        a(MOV_MR(64, Mem(RSP), RAX), MOV_RM(64, RDI, RAX))
        a.call_address(API.PyLong_AsUnsignedLongLong)
        a(MOV_MR(64, Mem(RSP, WORD), RAX))
        release(a, Mem(RSP))
        a(MOV_RM(64, RAX, Mem(RSP, WORD)), CMP_MI8(64, RAX, -1))
        a.jump(maybe, "e")
        a.bind(done)
        a(CLC(32), LEA(64, RSP, Mem(RSP, 3 * WORD)), RET(32))
        a.bind(maybe)
        a.call_address(API.PyErr_Occurred)
        a(TEST_MR(64, RAX, RAX), MOV_RM(64, RAX, Mem(RSP, WORD)))
        a.jump(done, "e")
        a.bind(failed)
        a(STC(32), LEA(64, RSP, Mem(RSP, 3 * WORD)), RET(32))

    def _write_from_native(self, callbacks: Callbacks) -> None:
        """Raw value in rdi, kind (an int object) in rsi; else like a boxing routine."""
        a, failed = self._a, Label()
        a(LEA(64, RSP, Mem(RSP, -5 * WORD)), MOV_MR(64, Mem(RSP, 2 * WORD), RSI))
        a.call_address(API.PyLong_FromUnsignedLongLong)
        a(TEST_MR(64, RAX, RAX), MOV_MR(64, Mem(RSP, WORD), RAX))
        a.jump(failed, "e")
        call_python(a, 2, target=callbacks.from_native)
        a(MOV_MR(64, Mem(RSP, 3 * WORD), RAX))
        release(a, Mem(RSP, WORD))
        a(MOV_RM(64, RAX, Mem(RSP, 3 * WORD)))
        a.bind(failed)
        a(LEA(64, RSP, Mem(RSP, 5 * WORD)), RET(32))

    def _go_to(self, routine: int, kind: Kind) -> None:
        self._a(MOV_OI(64, RSI, id(int(kind))))
        jump_address(self._a, routine)

    # Unboxing. In all, carry is clear where a comparison found equality.

    def _unless_type(self, type: type, other: Label) -> None:
        self._a(MOV_OI(64, RCX, id(type)), CMP_RM(64, RCX, Mem(RDI, OBJECT_TYPE)))
        self._a.jump(other, "ne")

    def _call_keeping_object(self, address: int) -> None:
        """Call C with the object in rdi, and have it there again."""
        self._a(PUSH(64, RDI))
        self._a.call_address(address)
        self._a(POP(64, RDI))

    def _to_long_long(self, slow: Label) -> None:
        """The exact int or bool in rdi as a signed 64-bit number in rax; nothing is raised if it does not fit."""
        a, number, valid = self._a, Label(), Label()
        a(MOV_OI(64, RCX, id(int)), CMP_RM(64, RCX, Mem(RDI, OBJECT_TYPE)))
        a.jump(number, "e")
        self._unless_type(bool, slow)
        a.bind(number)
        self._call_keeping_object(API.PyLong_AsLongLong)
        a(CMP_MI8(64, RAX, -1))
        a.jump(valid, "ne")
        self._call_keeping_object(API.PyErr_Occurred)
        a(TEST_MR(64, RAX, RAX), MOV_OI(64, RAX, -1))
        a.jump(valid, "e")
        self._call_keeping_object(API.PyErr_Clear)
        a.jump(slow)
        a.bind(valid)

    def _unbox_i32(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        self._to_long_long(slow)
        a(MOV_OI(32, RCX, 1 << 31), ADD_RM(64, RCX, RAX))
        a(MOV_OI(64, RDX, (1 << 32) + (1 << 31) - 1), CMP_RM(64, RDX, RCX))
        a.jump(slow, "b")
        a(MOV_RM(32, RAX, RAX), RET(32))
        a.bind(slow)
        self._go_to(self._to_native, kind)

    def _unbox_i64(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        self._to_long_long(slow)
        a(CLC(32), RET(32))
        a.bind(slow)
        self._go_to(self._to_native, kind)

    def _unbox_raw(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        self._unless_type(int, slow)
        self._call_keeping_object(API.PyLong_AsUnsignedLongLongMask)
        if kind is Kind.RAW32:
            a(MOV_RM(32, RAX, RAX))
        a(CLC(32), RET(32))
        a.bind(slow)
        self._go_to(self._to_native, kind)

    def _unbox_f64(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        self._unless_type(float, slow)
        a(MOV_RM(64, RAX, Mem(RDI, FLOAT_VALUE)), RET(32))
        a.bind(slow)
        self._go_to(self._to_native, kind)

    def _unbox_f32(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        self._unless_type(float, slow)
        a(CVTSD2SS(32, 0, Mem(RDI, FLOAT_VALUE)), UCOMISS(32, 0, 0))
        a.jump(slow, "p")  # a NaN, whose bits the conversion may have changed
        a(MOVD_MR(32, RAX, 0), RET(32))
        a.bind(slow)
        self._go_to(self._to_native, kind)

    def _unbox_reference(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        a(MOV_OI(64, RCX, id(None)), CMP_RM(64, RCX, RDI))
        a.jump(slow, "ne")
        a(XOR_RM(32, RAX, RAX), RET(32))
        a.bind(slow)
        self._go_to(self._to_native, kind)

    # Boxing

    def _box_f32(self) -> None:
        a, slow = self._a, Label()
        a(MOVD_RM(32, 0, RDI), UCOMISS(32, 0, 0))
        a.jump(slow, "p")
        a(CVTSS2SD(32, 0, 0))
        jump_address(a, API.PyFloat_FromDouble)
        a.bind(slow)
        self._go_to(self._from_native, Kind.F32)

    def _box_reference(self, kind: Kind) -> None:
        a, slow = self._a, Label()
        a(TEST_MR(64, RDI, RDI))
        a.jump(slow, "ne")
        a(MOV_OI(64, RDI, id(None)))
        jump_address(a, API.Py_NewRef)
        a.bind(slow)
        self._go_to(self._from_native, kind)
