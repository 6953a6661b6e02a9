"""What machine code and Python share: one `ctypes.Structure` per record. Offsets are read from the fields.

Three registers point into these for as long as wasm code runs: one to the `Execution` of the thread, one to the context
of the running instance, one to byte 0 of the instance's first memory (``isa.<name>.registers``).

A *function record* is what a reference to a function is at run time, and what calls go through: ``call [record.code]``
with the context register set to ``record.context``. An instance's context holds the records of the functions that it
defines; a host function has a `HostContext` with one record. 0 stands for null.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int64, c_uint32, c_uint64
from typing import Final, final

from wazero_api import TrapKind

TRAPS: Final = (
    TrapKind.UNREACHABLE,
    TrapKind.INTEGER_DIVIDE_BY_ZERO,
    TrapKind.INTEGER_OVERFLOW,
    TrapKind.INVALID_CONVERSION_TO_INTEGER,
    TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS,
    TrapKind.OUT_OF_BOUNDS_TABLE_ACCESS,
    TrapKind.UNDEFINED_ELEMENT,
    TrapKind.UNINITIALIZED_ELEMENT,
    TrapKind.INDIRECT_CALL_TYPE_MISMATCH,
    TrapKind.CALL_STACK_EXHAUSTED,
    TrapKind.NULL_REFERENCE,
)
"""What machine code can raise; the position is the index in `Execution.traps`."""


@final
class Execution(ctypes.Structure):
    """State of one thread that runs wasm. Never moves, and is not given to another thread while its own lives."""

    _fields_ = (
        ("limit", c_uint64),
        # Function prologues and loop headers compare the stack pointer with this: below it they call `poll`. Usually
        # the same as `stack_limit`; all ones asks running code to call `poll` soon.
        ("poll", c_uint64),
        # Routine: called with the stack pointer as it is in wasm code; all registers are kept. Comes back if there is
        # nothing to do, traps if the stack is used up, unwinds if an exception is to be raised.
        ("traps", c_uint64 * len(TRAPS)),
        # Routines, called (the return address tells where the trap is) and never coming back.
        ("stack_limit", c_uint64),
        # The lowest address that wasm frames may use.
        ("entry_stack", c_uint64),
        # Stack pointer inside the innermost entry's frame: unwinding goes there. 0 if none is active.
        ("depth", c_uint64),
        # How many entries are active, one inside the other.
        ("thread_state", c_uint64),
        # PyThreadState* while the GIL is released by late release; 0 while this thread holds it.
        ("deadline", c_int64),
        # CLOCK_MONOTONIC nanoseconds at which the running calls must end, 0 for never.
        ("attention", c_uint32),
        # Not 0: the next poll must call `attend` in Python (a module was closed).
        ("ticks", c_uint32),
        # Polls that the ticker caused since the GIL was released.
        ("is_main", c_uint32),
        # Whether the thread is Python's main thread, which signals are delivered to.
        ("is_used", c_uint32),
        # Whether the slot belongs to a living thread.
        ("signals_at", c_int64),
        # CLOCK_MONOTONIC nanoseconds from which on a poll of the main thread takes the GIL to look for signals.
    )


@final
class ExecutionCell(ctypes.Structure):
    """Entry of the cache by which entries find their thread's `Execution`."""

    _fields_ = (("thread_state", c_uint64), ("execution", c_uint64))


CELLS: Final = 64
CELL_SHIFT: Final = 8
"""The cell of a PyThreadState at address a is number ``a >> CELL_SHIFT & CELLS - 1``."""


@final
class FunctionRecord(ctypes.Structure):
    """A function at run time; its address is the value of a function reference."""

    _fields_ = (
        ("code", c_uint64),
        # What to call: the function's code, or a stub.
        ("context", c_uint64),
        # What the context register must hold.
        ("type_id", c_uint64),
        # Equal types have equal ids in one process.
        ("index", c_uint64),
        # In the defining instance's function index space; 0 for host functions.
    )


@final
class TableRecord(ctypes.Structure):
    """What machine code reads of a table."""

    _fields_ = (
        ("base", c_uint64),
        # Of elements of 8 bytes each: a reference, or 0 for null.
        ("length", c_uint64),
        # How many elements there are now.
    )


@final
class ContextHeader(ctypes.Structure):
    """Start of every context, an instance's and a host function's alike."""

    _fields_ = (
        ("memory_base", c_uint64),
        # What the memory register must hold; 0 if there is no memory.
        ("owner", c_uint64),
        # PyObject*, borrowed: the `Instance`, or the host function's `HostTarget`.
    )


@final
class InstanceContext(ctypes.Structure):
    """Start of an instance's context. Behind it come arrays of 8-byte words: see `layout.ContextLayout`."""

    _fields_ = (
        ("header", ContextHeader),
        ("compile", c_uint64),
        # PyObject*, borrowed: called with a function index by lazy stubs; puts the code into the function's record.
        ("records", c_uint64),
        # Address of the record that function index 0 would have: records follow one another, those of imports missing.
        ("memory_copy", c_uint64),
        ("memory_fill", c_uint64),
        # Routines for the first memory.
    )


@final
class HostContext(ctypes.Structure):
    """The context of a host function."""

    _fields_ = (
        ("header", ContextHeader),
        ("record", FunctionRecord),
        ("callable", c_uint64),
        # PyObject*, borrowed: what is called.
        ("module", c_uint64),
        # PyObject*, borrowed: the calling module instance, passed first if the signature's thunk wants it.
    )
