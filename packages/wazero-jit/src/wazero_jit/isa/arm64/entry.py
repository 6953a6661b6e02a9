"""Entries: machine code that is a CPython builtin (METH_FASTCALL: self, arguments, their number) and calls wasm code.

The frame, from the stack pointer up: slots with raw arguments, later raw results, the callee's outgoing area at the same
time; then, from `Execution.entry_stack`, what `routines.begin_entry` saves.
"""

from __future__ import annotations

from typing import Final, final

from wazero_api import FunctionType, UnsupportedError
from wazero_jit.link.builtin import EntryTarget
from wazero_jit.link.callbacks import SharedWords
from wazero_jit.link.conversions import kinds_of
from wazero_jit.link.python_api import API, BYTES_PAYLOAD, TUPLE_ITEMS
from wazero_jit.link.records import ContextHeader, Execution, FunctionRecord

from .assembler import Assembler, Label
from .c_calls import WORD, acquire_gil, field
from .encoding import ADD_IMM, BLR, CBNZ, MOVZ, SP, SUB_IMM, SUBS, X0, X1, X2, X16, X17, X19, X20, ZR, load_bits
from .places import Mem, load, store
from .registers import CONTEXT, EXECUTION, MEMORY
from .routines import Routines, begin_entry, find_execution, leave_entry, unlink_entry
from .values import box, check, load_registers, store_registers, unbox

_RECORD: Final = X19
"""The function's record; wasm code keeps the register."""
_OBJECTS: Final = X20
"""The vector of arguments."""
_MAX_SLOTS: Final = 500
"""So that all offsets in the frame fit in instructions."""


def write_entry(type: FunctionType, routines: Routines, words: SharedWords) -> bytes:
    """Position-independent code of the entry for a signature. Raises UnsupportedError for what is missing yet."""
    return _Writer(type, routines, words).write()


@final
class _Writer:
    def __init__(self, type: FunctionType, routines: Routines, words: SharedWords) -> None:
        self._type = type
        self._params = kinds_of(type.params)
        self._results = kinds_of(type.results)
        for kind in (*self._params, *self._results):
            check(kind)
        if len(type.results) > 1 or len(type.params) > _MAX_SLOTS:
            raise UnsupportedError(f"the arm64 engine cannot return several values or take {_MAX_SLOTS} parameters yet")
        self._routines = routines
        self._words = words
        count = max(len(type.params), len(type.results))
        self._slots_bytes = (count + count % 2) * WORD
        self._a = Assembler()
        self._wrong_count, self._failed, self._not_ready, self._ready = Label(), Label(), Label(), Label()

    def write(self) -> bytes:
        self._begin()
        for position, kind in enumerate(self._params):
            self._a(load(X0, Mem(_OBJECTS, position * WORD)))
            unbox(self._a, self._routines.unbox, kind, position, self._failed)
        find_execution(self._a, self._words, self._not_ready, self._not_ready, self._not_ready)
        self._a.bind(self._ready)
        self._call()
        self._box_result()
        self._end()
        self._rare_cases()
        return self._a.finish()

    def _begin(self) -> None:
        a = self._a
        a(load_bits(X16, len(self._params)), SUBS(64, ZR, X2, X16))
        a.jump(self._wrong_count, "ne")
        begin_entry(a)
        a(SUB_IMM(64, SP, SP, self._slots_bytes, 0), load(_OBJECTS, X1))
        a(load(X16, Mem(X0, TUPLE_ITEMS + WORD * EntryTarget.RECORD_ITEM)), load(_RECORD, Mem(X16, BYTES_PAYLOAD)))

    def _call(self) -> None:
        a = self._a
        entry_stack, depth = field(EXECUTION, Execution.entry_stack), field(EXECUTION, Execution.depth)
        a(ADD_IMM(64, X16, SP, self._slots_bytes, 0), load(X17, entry_stack), store(Mem(X16), X17))
        a(store(entry_stack, X16), load(X17, depth), ADD_IMM(64, X17, X17, 1, 0), store(depth, X17))
        load_registers(a, self._type.params)
        a(load(CONTEXT, field(_RECORD, FunctionRecord.context)))
        a(load(MEMORY, field(CONTEXT, ContextHeader.memory_base)))
        a(load(X16, field(_RECORD, FunctionRecord.code)), BLR(X16))
        store_registers(a, self._type.results)
        acquire_gil(a)

    def _box_result(self) -> None:
        """Let x0 be what Python gets, or 0. The entry is unlinked first, since Python code may run from here on."""
        a = self._a
        if self._results:
            a(load(_OBJECTS, Mem(SP)))
        a(ADD_IMM(64, SP, SP, self._slots_bytes, 0))
        unlink_entry(a)
        if self._results:
            a(store(Mem(SP), _OBJECTS))
            box(a, self._results[0], Mem(SP))
        else:
            a(load_bits(X0, id(None)))
            a.call_address(API.Py_NewRef)

    def _end(self) -> None:
        leave_entry(self._a)

    def _rare_cases(self) -> None:
        a = self._a
        a.bind(self._wrong_count)
        a(load(X1, X2))
        a.jump_address(self._routines.wrong_count)
        a.bind(self._not_ready)
        a.call_address(self._routines.prepare)
        a.branch(CBNZ(64, X1, 0), self._failed)
        a.jump(self._ready)
        a.bind(self._failed)
        a(ADD_IMM(64, SP, SP, self._slots_bytes, 0), MOVZ(64, X0, 0, 0))
        self._end()
