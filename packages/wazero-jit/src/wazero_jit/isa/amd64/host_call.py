"""Host-call thunks: machine code that wasm code calls like a wasm function, and that calls Python.

The frame, from the stack pointer up, which is a multiple of 16::

    slots           raw arguments, later raw results, as far as there are registers for them
    result          what the callable returned
    (overwritten)   the callee may use the word before the arguments
    objects         the arguments, the module first if it is wanted
    saved           registers that wasm functions keep and C functions do not
    caller's rbp    <- rbp
    return address
    caller's area   raw arguments and results beyond the registers
"""

from __future__ import annotations

from typing import Final, final

from wazero_api import Convention, FunctionType
from wazero_jit.link.conversions import kinds_of
from wazero_jit.link.python_api import API, OBJECT_SIZE, OBJECT_TYPE, TUPLE_ITEMS
from wazero_jit.link.records import HostContext
from wazero_jit.registers.operands import FLOAT

from .assembler import Assembler, Label
from .c_calls import WORD, acquire_gil, call_python, field, jump_address, release
from .encoding import (
    AND_MI8,
    CMP_MI,
    CMP_RM,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVUPS_MR,
    MOVUPS_RM,
    POP,
    PUSH,
    RAX,
    RBP,
    RCX,
    RDI,
    RET,
    RSI,
    RSP,
    SUB_MI,
    TEST_MR,
    Mem,
)
from .registers import C_SAVED, CONTEXT, PLAN
from .routines import XMM_WORDS, Routines
from .values import box, load_registers, store_registers, unbox

_SAVED: Final = tuple(register for register in PLAN.pins if register not in C_SAVED)
_SAVED_FLOATS: Final = tuple(register - FLOAT for register in PLAN.float_pins)
_SAVED_WORDS: Final = len(_SAVED) + XMM_WORDS * len(_SAVED_FLOATS)


def write_host_call(type: FunctionType, convention: Convention, wants_module: bool, routines: Routines) -> bytes:
    """Position-independent code of the thunk for a signature. Raises UnsupportedError for vectors."""
    return _Writer(type, convention, wants_module, routines).write()


@final
class _Writer:
    def __init__(self, type: FunctionType, convention: Convention, wants_module: bool, routines: Routines) -> None:
        self._type = type
        self._params = kinds_of(type.params, convention)
        self._results = kinds_of(type.results, convention)
        self._wants_module = wants_module
        self._routines = routines
        self._slots = max(len(type.params), len(type.results))
        self._result = Mem(RSP, self._slots * WORD)
        self._objects = (self._slots + 2) * WORD
        """Offset from the stack pointer."""
        self._words = self._slots + 2 + wants_module + len(type.params) + _SAVED_WORDS
        self._a = Assembler()
        self._failed = Label()
        """The exception is raised, and nothing is left to be released."""

    def write(self) -> bytes:
        a, bad_result = self._a, Label()
        self._begin()
        self._call()
        a(TEST_MR(64, RAX, RAX))
        a.jump(self._failed, "e")
        self._unbox_results(bad_result)
        release(a, self._result)
        self._end()
        a.bind(bad_result)
        release(a, self._result)
        a.bind(self._failed)
        a(MOV_RM(64, RSP, RBP), POP(64, RBP))
        jump_address(a, self._routines.host_error)
        return a.finish()

    def _saves(self) -> tuple[list[tuple[int, Mem]], list[tuple[int, Mem]]]:
        """Where the general and the xmm registers are saved."""
        floats = len(_SAVED)
        return (
            [(register, Mem(RBP, -WORD * (i + 1))) for i, register in enumerate(_SAVED)],
            [(r, Mem(RBP, -WORD * (floats + XMM_WORDS * (i + 1)))) for i, r in enumerate(_SAVED_FLOATS)],
        )

    def _caller_place(self, position: int) -> Mem:
        """Where the caller has a parameter, or wants a result, that there is no register for."""
        return Mem(RBP, (2 + position) * WORD)

    def _begin(self) -> None:
        a = self._a
        general, floats = self._saves()
        a(PUSH(64, RBP), MOV_RM(64, RBP, RSP), SUB_MI(64, RSP, self._words * WORD), AND_MI8(64, RSP, -16))
        a(*[MOV_MR(64, place, register) for register, place in general])
        a(*[MOVUPS_MR(32, place, register) for register, place in floats])
        store_registers(a, self._type.params)
        acquire_gil(a)

    def _end(self) -> None:
        a = self._a
        general, floats = self._saves()
        load_registers(a, self._type.results)
        for position, type in enumerate(self._type.results):
            if PLAN.temporary(position, type) is None:
                a(MOV_RM(64, RAX, Mem(RSP, position * WORD)), MOV_MR(64, self._caller_place(position), RAX))
        a(*[MOV_RM(64, register, place) for register, place in general])
        a(*[MOVUPS_RM(32, register, place) for register, place in floats])
        a(MOV_RM(64, RSP, RBP), POP(64, RBP), RET(32))

    def _call(self) -> None:
        """Put the result, or 0, in rax and in its place, and release the arguments: all, or those made before one failed."""
        a = self._a
        if self._wants_module:
            a(MOV_RM(64, RAX, field(CONTEXT, HostContext.module)), MOV_MR(64, Mem(RSP, self._objects), RAX))
        first = self._objects + self._wants_module * WORD
        made = [Label() for _ in self._params]
        for position, (kind, type) in enumerate(zip(self._params, self._type.params, strict=True)):
            in_register = PLAN.temporary(position, type) is not None
            place = Mem(RSP, position * WORD) if in_register else self._caller_place(position)
            box(a, self._routines.values, kind, place)
            a(MOV_MR(64, Mem(RSP, first + position * WORD), RAX), TEST_MR(64, RAX, RAX))
            a.jump(made[position], "e")
        a(MOV_RM(64, RDI, field(CONTEXT, HostContext.callable)))
        call_python(a, len(self._params) + self._wants_module, self._objects)
        for position in reversed(range(len(self._params))):
            a(MOV_MR(64, self._result, RAX))
            release(a, Mem(RSP, first + position * WORD))
            a(MOV_RM(64, RAX, self._result))
            a.bind(made[position])
        a(MOV_MR(64, self._result, RAX))

    def _unbox_results(self, failed: Label) -> None:
        """From the object to the slots."""
        a, values = self._a, self._routines.values
        if len(self._results) == 1:
            a(MOV_RM(64, RDI, self._result))
            unbox(a, values, self._results[0], 0, failed)
        elif self._results:
            self._unpack(failed)
            for position, kind in enumerate(self._results):
                a(MOV_RM(64, RAX, self._result), MOV_RM(64, RDI, Mem(RAX, TUPLE_ITEMS + position * WORD)))
                unbox(a, values, kind, position, failed)

    def _unpack(self, failed: Label) -> None:
        """Make the result a tuple of the right length, if it is none."""
        a, not_tuple, is_tuple = self._a, Label(), Label()
        count = len(self._results)
        a(MOV_RM(64, RAX, self._result), MOV_OI(64, RCX, id(tuple)), CMP_RM(64, RCX, Mem(RAX, OBJECT_TYPE)))
        a.jump(not_tuple, "ne")
        a(CMP_MI(64, Mem(RAX, OBJECT_SIZE), count))
        a.jump(is_tuple, "e")
        a.bind(not_tuple)
        a(MOV_RM(64, RDI, RAX), MOV_OI(32, RSI, count))
        a.call_address(self._routines.unpack)
        a(TEST_MR(64, RAX, RAX))
        a.jump(failed, "e")
        a(MOV_RM(64, RDI, self._result), MOV_MR(64, self._result, RAX))
        a.call_address(API.Py_DecRef)
        a.bind(is_tuple)
