"""Machine code that exists once per process: ways out of wasm code, lazy stubs, and what trampolines share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import sizeof
from struct import Struct
from typing import Any, Final, final

from wazero_api.record import record
from wazero_jit.link.callbacks import NESTING_LIMIT, Callbacks, SharedWords
from wazero_jit.link.python_api import API, OBJECT_TYPE
from wazero_jit.link.records import (
    TRAPS,
    ContextHeader,
    Execution,
    ExecutionCell,
    FunctionRecord,
    InstanceContext,
)

from .assembler import Assembler, Label
from .c_calls import WORD, acquire_gil, call_python, field, find_cell, jump_address, release
from .encoding import (
    ADD_RM,
    AND_MI8,
    CLC,
    CMP_MI,
    CMP_MI8,
    CMP_RM,
    DEC,
    IMUL_RMI8,
    JMP_M,
    LEA,
    MOV_MR,
    MOV_OI,
    MOV_RM,
    MOVUPS_MR,
    MOVUPS_RM,
    POP,
    PUSH,
    R8,
    R9,
    R10,
    R11,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RET,
    RSI,
    RSP,
    STC,
    SUB_MI,
    TEST_MR,
    XOR_RM,
    Mem,
)
from .registers import C_SAVED, CONTEXT, EXECUTION
from .values import ValueRoutines, ValueWriter

XMM_WORDS: Final = 2
"""Words that hold a whole xmm register."""


@final
@record
class Routines:
    """Addresses. Where nothing else is said, they are jumped to and never come back."""

    unwind: int
    """With the GIL held and an exception raised: leave the innermost entry."""
    traps: tuple[int, ...]
    """By position in `TRAPS`; called from wasm code, whose return address is where the trap is."""
    host_error: int
    """The same, but `Callbacks.annotate` is asked first. The stack pointer is at the return address into wasm code, the
    context register as there or as the function called from there had it."""
    lazy: int
    """What stands in for functions that are not compiled; called like them, with the function index in eax."""
    closed: int
    """What stands in for functions of closed instances."""
    wrong_count: int
    """C function (`EntryTarget`, number of arguments): returns 0 with TypeError raised."""
    unpack: int
    """C function (object, count): returns a tuple of `count` objects, or 0 with an exception raised."""
    prepare: int
    """Called when an entry cannot begin at once: afterwards it can, with the Execution in r13, or carry is set."""
    values: ValueRoutines
    callbacks: Callbacks
    """Referred to by the code, so that they must live as long."""


def write_routines(base: int, callbacks: Callbacks, words: SharedWords) -> tuple[bytes, Routines]:
    """The code to be put at `base`; its size does not depend on that."""
    a = Assembler()

    def place(write: Callable[[], None]) -> int:
        address = base + a.position
        write()
        return address

    values = ValueWriter(a, base, callbacks).write()
    unwind = place(lambda: _write_unwind(a))
    host_error = place(lambda: _write_host_error(a, unwind, callbacks))
    trap = place(lambda: _write_trap(a, unwind, callbacks))
    routines = Routines(
        unwind=unwind,
        traps=tuple([place(lambda kind=kind: _write_trap_kind(a, kind, trap)) for kind in range(len(TRAPS))]),  # type: ignore[misc]
        host_error=host_error,
        lazy=place(lambda: _write_lazy(a, host_error)),
        closed=place(lambda: _write_closed(a, host_error, callbacks)),
        wrong_count=place(lambda: _write_python_call(a, callbacks.wrong_count)),
        unpack=place(lambda: _write_python_call(a, callbacks.unpack)),
        prepare=place(lambda: _write_prepare(a, callbacks, words)),
        values=values,
        callbacks=callbacks,
    )
    return a.finish(), routines


# Out of entries. An entry's frame, from `Execution.entry_stack` up: the value that this had before, then C_SAVED.


def leave_entry(a: Assembler) -> None:
    """Return rax from the entry whose saved registers are at the stack pointer."""
    a(*[POP(64, register) for register in reversed(C_SAVED)], RET(32))


def unlink_entry(a: Assembler, previous: int) -> None:
    """The innermost entry is over; `previous` is the register with the one before."""
    a(MOV_MR(64, field(EXECUTION, Execution.entry_stack), previous), DEC(64, field(EXECUTION, Execution.depth)))


def _write_unwind(a: Assembler) -> None:
    a(MOV_RM(64, RSP, field(EXECUTION, Execution.entry_stack)), POP(64, RCX))
    unlink_entry(a, RCX)
    a(XOR_RM(32, RAX, RAX))
    leave_entry(a)


# Exceptions. Wasm registers need not be kept, since the entry restores what its caller had.


def _write_host_error(a: Assembler, unwind: int, callbacks: Callbacks) -> None:
    error, *where = (Mem(RSP, WORD * word) for word in range(1, 5))
    type, value, traceback, other = (Mem(RSP, WORD * word) for word in range(5, 9))
    _leave_wasm(a, 10, where)
    _fetch_exception(a, unwind, type, value, traceback)
    a(MOV_RM(64, RAX, value), MOV_MR(64, error, RAX))
    _box_numbers(a, unwind, where)
    call_python(a, 4, target=callbacks.annotate)
    a(MOV_MR(64, other, RAX))
    for reference in where:
        release(a, reference)
    replaced, dropped, restored = Label(), Label(), Label()
    a(MOV_RM(64, RDI, other), TEST_MR(64, RDI, RDI))
    a.jump(dropped, "e")
    a(MOV_OI(64, RCX, id(None)), CMP_RM(64, RCX, RDI))
    a.jump(replaced, "ne")
    a(MOV_RM(64, RDI, type), MOV_RM(64, RSI, value), MOV_RM(64, RDX, traceback))
    a.call_address(API.PyErr_Restore)
    a.jump(restored)
    a.bind(replaced)
    a(MOV_RM(64, RSI, RDI), MOV_RM(64, RDI, Mem(RSI, OBJECT_TYPE)))
    a.call_address(API.PyErr_SetObject)
    a.bind(dropped)
    for reference in (type, value, traceback):
        release(a, reference)
    a.bind(restored)
    release(a, other)
    jump_address(a, unwind)


def _leave_wasm(a: Assembler, words: int, where: Sequence[Mem]) -> None:
    """Make an aligned frame of so many words, an even number, and note there pc, sp and context.

    rbx is then the address of the return address, which all began with at the stack pointer.
    """
    pc, sp, context = where
    a(MOV_RM(64, RBX, RSP), AND_MI8(64, RSP, -16), SUB_MI(64, RSP, words * WORD))
    a(MOV_RM(64, RAX, Mem(RBX)), MOV_MR(64, pc, RAX), LEA(64, RAX, Mem(RBX, WORD)), MOV_MR(64, sp, RAX))
    a(MOV_MR(64, context, CONTEXT))


def _fetch_exception(a: Assembler, unwind: int, type: Mem, value: Mem, traceback: Mem) -> None:
    """Take the exception away from the thread, as an instance that knows its traceback."""
    raised, bare = Label(), Label()
    for function in (API.PyErr_Fetch, API.PyErr_NormalizeException):
        a(LEA(64, RDI, type), LEA(64, RSI, value), LEA(64, RDX, traceback))
        a.call_address(function)
    a(MOV_RM(64, RDI, value), TEST_MR(64, RDI, RDI))
    a.jump(raised, "ne")
    jump_address(a, unwind)  # there was none; CPython says so with a SystemError
    a.bind(raised)
    a(MOV_RM(64, RSI, traceback), TEST_MR(64, RSI, RSI))
    a.jump(bare, "e")
    a.call_address(API.PyException_SetTraceback)
    a.bind(bare)


def _box_numbers(a: Assembler, unwind: int, places: Sequence[Mem]) -> None:
    """Replace unsigned numbers by int objects; without memory for those, leave with the MemoryError."""
    for place in places:
        made = Label()
        a(MOV_RM(64, RDI, place))
        a.call_address(API.PyLong_FromUnsignedLongLong)
        a(MOV_MR(64, place, RAX), TEST_MR(64, RAX, RAX))
        a.jump(made, "ne")
        jump_address(a, unwind)
        a.bind(made)


def _write_trap_kind(a: Assembler, kind: int, trap: int) -> None:
    a(MOV_OI(32, RCX, kind))
    jump_address(a, trap)


def _write_trap(a: Assembler, unwind: int, callbacks: Callbacks) -> None:
    """The kind in ecx, the return address on the stack."""
    kind, *where = (Mem(RSP, WORD * word) for word in range(1, 5))
    result = Mem(RSP, 5 * WORD)
    _leave_wasm(a, 6, where)
    a(MOV_MR(64, kind, RCX))
    acquire_gil(a)
    _box_numbers(a, unwind, (kind, *where))
    call_python(a, 4, target=callbacks.raise_trap)
    a(MOV_MR(64, result, RAX))
    for reference in (kind, *where, result):
        release(a, reference)
    jump_address(a, unwind)


# What stands in for functions


def _write_closed(a: Assembler, host_error: int, callbacks: Callbacks) -> None:
    owner, result = Mem(RSP, WORD), Mem(RSP, 2 * WORD)
    a(MOV_RM(64, RBX, RSP), AND_MI8(64, RSP, -16), SUB_MI(64, RSP, 4 * WORD))
    acquire_gil(a)
    a(MOV_RM(64, RAX, field(CONTEXT, ContextHeader.owner)), MOV_MR(64, owner, RAX))
    call_python(a, 1, target=callbacks.raise_closed)
    a(MOV_MR(64, result, RAX))
    release(a, result)
    a(MOV_RM(64, RSP, RBX))
    jump_address(a, host_error)


_LAZY_GENERAL: Final = (RSI, RDI, R8, R9, R10, R11)
_LAZY_FLOATS: Final = range(14)
"""All that wasm code keeps values in and C code does not keep."""
_LAZY_INDEX_WORD: Final = 2
_LAZY_SAVE_WORD: Final = 4
_LAZY_WORDS: Final = _LAZY_SAVE_WORD + len(_LAZY_GENERAL) + XMM_WORDS * len(_LAZY_FLOATS)


def _lazy_saves() -> tuple[list[tuple[int, Mem]], list[tuple[int, Mem]]]:
    """Where the general and the xmm registers are saved."""
    floats = _LAZY_SAVE_WORD + len(_LAZY_GENERAL)
    return (
        [(register, Mem(RSP, WORD * (_LAZY_SAVE_WORD + i))) for i, register in enumerate(_LAZY_GENERAL)],
        [(register, Mem(RSP, WORD * (floats + XMM_WORDS * register))) for register in _LAZY_FLOATS],
    )


def _write_lazy(a: Assembler, host_error: int) -> None:
    """See `Routines.lazy`: have the function compiled, and go on in it as if nothing had been."""
    argument, index, result = (Mem(RSP, WORD * word) for word in (1, _LAZY_INDEX_WORD, 3))
    general, floats = _lazy_saves()
    failed = Label()
    a(PUSH(64, RBP), MOV_RM(64, RBP, RSP), SUB_MI(64, RSP, WORD * _LAZY_WORDS), AND_MI8(64, RSP, -16))
    a(MOV_RM(32, RAX, RAX), MOV_MR(64, index, RAX))
    a(*[MOV_MR(64, place, register) for register, place in general])
    a(*[MOVUPS_MR(32, place, register) for register, place in floats])
    acquire_gil(a)
    a(MOV_RM(64, RDI, index))
    a.call_address(API.PyLong_FromLongLong)
    a(MOV_MR(64, argument, RAX), TEST_MR(64, RAX, RAX))
    a.jump(failed, "e")
    a(MOV_RM(64, RDI, field(CONTEXT, InstanceContext.compile)))
    call_python(a, 1)
    a(MOV_MR(64, result, RAX))
    release(a, argument)
    a(MOV_RM(64, RDI, result), TEST_MR(64, RDI, RDI))
    a.jump(failed, "e")
    a.call_address(API.Py_DecRef)
    a(IMUL_RMI8(64, RAX, index, sizeof(FunctionRecord)), ADD_RM(64, RAX, field(CONTEXT, InstanceContext.records)))
    a(*[MOV_RM(64, register, place) for register, place in general])
    a(*[MOVUPS_RM(32, register, place) for register, place in floats])
    a(MOV_RM(64, RSP, RBP), POP(64, RBP), JMP_M(32, field(RAX, FunctionRecord.code)))
    a.bind(failed)
    a(MOV_RM(64, RSP, RBP), POP(64, RBP))
    jump_address(a, host_error)


_STUB: Final = Struct("<BIBi")
"""``mov eax, index; jmp`` to the start of the stubs."""


def write_lazy_stubs(first: int, count: int, routines: Routines) -> tuple[bytes, Sequence[int]]:
    """Code of the lazy stubs for `count` function indices from `first`, and where in it each begins."""
    a = Assembler()
    a(MOV_OI(64, RCX, routines.lazy), JMP_M(32, RCX))
    head = a.finish()
    offsets = range(len(head), len(head) + count * _STUB.size, _STUB.size)
    pack = _STUB.pack
    stubs = [pack(0xB8, first + i, 0xE9, -offset - _STUB.size) for i, offset in enumerate(offsets)]
    return head + b"".join(stubs), offsets


# For entries and host calls


def _write_python_call(a: Assembler, target: Callable[[Any, int], object]) -> None:
    """A C function (object, number) that gives what `target` does."""
    failed = Label()
    a(SUB_MI(64, RSP, 5 * WORD), MOV_MR(64, Mem(RSP, WORD), RDI), MOV_RM(64, RDI, RSI))
    a.call_address(API.PyLong_FromLongLong)
    a(MOV_MR(64, Mem(RSP, 2 * WORD), RAX), TEST_MR(64, RAX, RAX))
    a.jump(failed, "e")
    call_python(a, 2, target=target)
    a(MOV_MR(64, Mem(RSP, 3 * WORD), RAX))
    release(a, Mem(RSP, 2 * WORD))
    a(MOV_RM(64, RAX, Mem(RSP, 3 * WORD)))
    a.bind(failed)
    a(LEA(64, RSP, Mem(RSP, 5 * WORD)), RET(32))


def _write_prepare(a: Assembler, callbacks: Callbacks, words: SharedWords) -> None:
    """Each callback can let other threads run, which may undo what was found: so all is looked at again after each."""
    again, awake, known, failed = Label(), Label(), Label(), Label()

    def call_and_look_again(target: Callable[[], object]) -> None:
        call_python(a, 0, target=target)
        a(TEST_MR(64, RAX, RAX))
        a.jump(failed, "e")
        a(MOV_RM(64, RDI, RAX))
        a.call_address(API.Py_DecRef)
        a.jump(again)

    a(SUB_MI(64, RSP, WORD))
    a.bind(again)
    a(MOV_OI(64, RCX, words.ticker_asleep), CMP_MI8(32, Mem(RCX), 0))
    a.jump(awake, "e")
    call_and_look_again(callbacks.wake)
    a.bind(awake)
    find_cell(a, words.cells)
    a.jump(known, "e")
    call_and_look_again(callbacks.enter_thread)
    a.bind(known)
    a(MOV_RM(64, EXECUTION, field(RCX, ExecutionCell.execution)))
    deep, shallow = Label(), Label()
    a(CMP_MI(64, field(EXECUTION, Execution.depth), NESTING_LIMIT))
    a.jump(deep, "ae")
    a(CMP_RM(64, RSP, field(EXECUTION, Execution.stack_limit)))
    a.jump(shallow, "ae")
    a.bind(deep)
    call_and_look_again(callbacks.too_deep)
    a.bind(shallow)
    a(CLC(32), LEA(64, RSP, Mem(RSP, WORD)), RET(32))
    a.bind(failed)
    a(STC(32), LEA(64, RSP, Mem(RSP, WORD)), RET(32))
