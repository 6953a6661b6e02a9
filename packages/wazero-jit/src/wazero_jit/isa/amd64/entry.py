"""Entries: machine code that is a CPython builtin (METH_FASTCALL: self, arguments, their number) and calls wasm code.

The frame, from the stack pointer up::

    slots                 raw arguments, later raw results; the callee's outgoing area at the same time
    previous entry stack  <- Execution.entry_stack
    C_SAVED               what C code wants kept

An entry counts as active from before arguments are unboxed until after results are boxed, so that references on their
way are never taken for unused. No Python code runs between the look at the function's record and the call.
"""

from __future__ import annotations

from typing import final

from wazero_api import FunctionType
from wazero_jit.link.builtin import EntryTarget
from wazero_jit.link.callbacks import NESTING_LIMIT, SharedWords
from wazero_jit.link.conversions import argument_kinds, kinds_of
from wazero_jit.link.python_api import API, BYTES_PAYLOAD, TUPLE_ITEMS
from wazero_jit.link.records import ContextHeader, Execution, ExecutionCell, FunctionRecord

from .assembler import Assembler, Label
from .c_calls import WORD, acquire_gil, field, find_cell, jump_address
from .encoding import (
    ADD_MI,
    CALL_M,
    CMP_MI,
    CMP_MI8,
    CMP_RM,
    INC,
    LEA,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    PUSH,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RSI,
    RSP,
    SUB_MI,
    TEST_MR,
    XOR_RM,
    Mem,
)
from .registers import C_SAVED, CONTEXT, EXECUTION, MEMORY
from .routines import Routines, leave_entry, unlink_entry
from .values import box, load_registers, store_registers, unbox

_RECORD = RBP
"""The function's record; wasm code keeps the register."""
_OBJECTS = RBX
"""The vector of arguments; later the tuple of results."""


def write_entry(type: FunctionType, routines: Routines, words: SharedWords) -> bytes:
    """Position-independent code of the entry for a signature. Raises UnsupportedError for vectors."""
    return _Writer(type, routines, words).write()


@final
class _Writer:
    def __init__(self, type: FunctionType, routines: Routines, words: SharedWords) -> None:
        self._type = type
        self._params = argument_kinds(type.params)
        self._results = kinds_of(type.results)
        self._routines = routines
        self._words = words
        count = max(len(type.params), len(type.results))
        self._slots_bytes = (count + count % 2) * WORD
        """A multiple of 16, as is then the stack pointer: return address, C_SAVED and previous entry stack are 8 words."""
        self._a = Assembler()
        self._wrong_count, self._failed, self._asleep, self._not_ready, self._ready = (Label() for _ in range(5))

    def write(self) -> bytes:
        self._begin()
        self._find_execution()
        self._link()
        for position, kind in enumerate(self._params):
            self._a(MOV_RM(64, RDI, Mem(_OBJECTS, position * WORD)))
            unbox(self._a, self._routines.values, kind, position, self._failed)
        self._call()
        self._box_results()
        self._unlink()
        self._end()
        self._rare_cases()
        return self._a.finish()

    def _begin(self) -> None:
        a = self._a
        a(CMP_MI(64, RDX, len(self._params)))
        a.jump(self._wrong_count, "ne")
        a(*[PUSH(64, register) for register in C_SAVED], SUB_MI(64, RSP, self._slots_bytes + WORD))
        a(MOV_RM(64, _OBJECTS, RSI), MOV_RM(64, RAX, Mem(RDI, TUPLE_ITEMS + WORD * EntryTarget.RECORD_ITEM)))
        a(MOV_RM(64, _RECORD, Mem(RAX, BYTES_PAYLOAD)))

    def _find_execution(self) -> None:
        """Let r13 be the thread's `Execution`, if it is known and calls are not nested too deep.

        The stack is looked at here as well because a host function that Python calls has no prologue that does.
        """
        a = self._a
        find_cell(a, self._words.cells)
        a.jump(self._not_ready, "ne")
        a(MOV_RM(64, EXECUTION, field(RCX, ExecutionCell.execution)))
        a(CMP_MI(64, field(EXECUTION, Execution.depth), NESTING_LIMIT))
        a.jump(self._not_ready, "ae")
        a(CMP_RM(64, RSP, field(EXECUTION, Execution.stack_limit)))
        a.jump(self._not_ready, "b")
        a.bind(self._ready)

    def _link(self) -> None:
        a, previous = self._a, Mem(RSP, self._slots_bytes)
        a(MOV_RM(64, RAX, field(EXECUTION, Execution.entry_stack)), MOV_MR(64, previous, RAX), LEA(64, RAX, previous))
        a(MOV_MR(64, field(EXECUTION, Execution.entry_stack), RAX), INC(64, field(EXECUTION, Execution.depth)))
        # After `depth` has grown: the ticker says that it goes to sleep before it looks whether it may.
        a(MOV_OI(64, RCX, self._words.ticker_asleep), CMP_MI8(32, Mem(RCX), 0))
        a.jump(self._asleep, "ne")

    def _unlink(self) -> None:
        self._a(MOV_RM(64, RCX, Mem(RSP, self._slots_bytes)))
        unlink_entry(self._a, RCX)

    def _call(self) -> None:
        a = self._a
        load_registers(a, self._type.params)
        a(MOV_RM(64, CONTEXT, field(_RECORD, FunctionRecord.context)))
        a(MOV_RM(64, MEMORY, field(CONTEXT, ContextHeader.memory_base)))
        a(CALL_M(32, field(_RECORD, FunctionRecord.code)))
        store_registers(a, self._type.results)
        acquire_gil(a)

    def _box_results(self) -> None:
        """Let rax be what Python gets, or 0."""
        a = self._a
        if not self._results:
            a(MOV_OI(64, RDI, id(None)))
            a.call_address(API.Py_NewRef)
        elif len(self._results) == 1:
            box(a, self._routines.values, self._results[0], Mem(RSP))
        else:
            self._box_tuple()

    def _box_tuple(self) -> None:
        a, boxed, incomplete = self._a, Label(), Label()
        a(MOV_OI(32, RDI, len(self._results)))
        a.call_address(API.PyTuple_New)
        a(TEST_MR(64, RAX, RAX), MOV_RM(64, _OBJECTS, RAX))
        a.jump(boxed, "e")
        for position, kind in enumerate(self._results):
            box(a, self._routines.values, kind, Mem(RSP, position * WORD))
            a(TEST_MR(64, RAX, RAX))
            a.jump(incomplete, "e")
            a(MOV_MR(64, Mem(_OBJECTS, TUPLE_ITEMS + position * WORD), RAX))
        a(MOV_RM(64, RAX, _OBJECTS))
        a.jump(boxed)
        a.bind(incomplete)
        a(MOV_RM(64, RDI, _OBJECTS))
        a.call_address(API.Py_DecRef)
        a(XOR_RM(32, RAX, RAX))
        a.bind(boxed)

    def _end(self) -> None:
        self._a(ADD_MI(64, RSP, self._slots_bytes + WORD))
        leave_entry(self._a)

    def _rare_cases(self) -> None:
        a = self._a
        a.bind(self._wrong_count)
        a(MOV_RM(64, RSI, RDX))
        jump_address(a, self._routines.wrong_count)
        a.bind(self._asleep)
        self._unlink()
        a.bind(self._not_ready)
        a.call_address(self._routines.prepare)
        a.jump(self._ready, "ae")
        a(XOR_RM(32, RAX, RAX))
        self._end()
        a.bind(self._failed)
        jump_address(a, self._routines.unwind)
