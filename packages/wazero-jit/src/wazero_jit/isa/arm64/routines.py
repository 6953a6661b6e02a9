"""Machine code that exists once per process: ways out of wasm code, and what entries share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from wazero_api.record import record
from wazero_jit.link.callbacks import NESTING_LIMIT, Callbacks, SharedWords
from wazero_jit.link.conversions import Kind
from wazero_jit.link.python_api import API
from wazero_jit.link.records import TRAPS, Execution, ExecutionCell

from .assembler import Assembler, Label
from .c_calls import WORD, acquire_gil, call_python, field, find_cell, release
from .encoding import (
    ADD_IMM,
    CBNZ,
    CBZ,
    LDP,
    LDP_D,
    LDURW,
    MOVZ,
    RET,
    SP,
    STP,
    STP_D,
    SUB_IMM,
    SUBS_IMM,
    X0,
    X1,
    X16,
    X17,
    X19,
    ZR,
    load_bits,
)
from .places import Mem, load, store
from .registers import C_SAVED, C_SAVED_FLOATS, CONTEXT, EXECUTION, LINK
from .values import KINDS, write_unbox


@final
@record
class Routines:
    """Addresses. Where nothing else is said, they are jumped to and never come back."""

    unwind: int
    """With the GIL held and an exception raised: leave the innermost entry."""
    traps: tuple[int, ...]
    """By position in `TRAPS`; called from wasm code, whose return address is where the trap is."""
    host_error: int
    """So far the same as `unwind`."""
    wrong_count: int
    """C function (`EntryTarget`, number of arguments): returns 0 with TypeError raised."""
    prepare: int
    """Called when an entry cannot begin at once: afterwards it can, with the Execution in its register; or x1 is 1."""
    unbox: dict[Kind, int]
    """See `values.write_unbox`."""
    callbacks: Callbacks
    """Referred to by the code, so that they must live as long."""


def write_routines(base: int, callbacks: Callbacks, words: SharedWords) -> tuple[bytes, Routines]:
    """The code to be put at `base`; its size does not depend on that."""
    a = Assembler()

    def place(write: Callable[[], None]) -> int:
        address = base + a.position
        write()
        return address

    unbox = {kind: place(lambda kind=kind: write_unbox(a, kind, callbacks)) for kind in KINDS}  # type: ignore[misc]
    out, trap = Label(), Label()
    unwind = place(lambda: _write_unwind(a, out))
    _write_trap(a, trap, out, callbacks)
    traps = [place(lambda kind=kind: _write_trap_kind(a, kind, trap)) for kind in range(len(TRAPS))]  # type: ignore[misc]
    routines = Routines(
        unwind=unwind,
        traps=tuple(traps),
        host_error=unwind,
        wrong_count=place(lambda: _write_wrong_count(a, callbacks)),
        prepare=place(lambda: _write_prepare(a, callbacks, words)),
        unbox=unbox,
        callbacks=callbacks,
    )
    return a.finish(), routines


# Entries. Their frame, from `Execution.entry_stack` up: the value that this had before, a word of padding, then what C
# code wants kept.

_SAVED_OFFSET: Final = 2 * WORD
_FLOATS_OFFSET: Final = _SAVED_OFFSET + len(C_SAVED) * WORD
ENTRY_BYTES: Final = _FLOATS_OFFSET + len(C_SAVED_FLOATS) * WORD


def begin_entry(a: Assembler) -> None:
    """Make this part of the frame."""
    a(SUB_IMM(64, SP, SP, ENTRY_BYTES, 0))
    for row, registers, offset in ((STP, C_SAVED, _SAVED_OFFSET), (STP_D, C_SAVED_FLOATS, _FLOATS_OFFSET)):
        for index in range(0, len(registers), 2):
            a(row(registers[index], registers[index + 1], SP, offset + index * WORD))


def leave_entry(a: Assembler) -> None:
    """Return x0 from the entry; the stack pointer is `Execution.entry_stack`."""
    for row, registers, offset in ((LDP, C_SAVED, _SAVED_OFFSET), (LDP_D, C_SAVED_FLOATS, _FLOATS_OFFSET)):
        for index in range(0, len(registers), 2):
            a(row(registers[index], registers[index + 1], SP, offset + index * WORD))
    a(ADD_IMM(64, SP, SP, ENTRY_BYTES, 0), RET(LINK))


def unlink_entry(a: Assembler) -> None:
    """The innermost entry, whose frame is at the stack pointer, is over."""
    depth = field(EXECUTION, Execution.depth)
    a(load(X17, Mem(SP)), store(field(EXECUTION, Execution.entry_stack), X17))
    a(load(X17, depth), SUB_IMM(64, X17, X17, 1, 0), store(depth, X17))


def _write_unwind(a: Assembler, unwind: Label) -> None:
    a.bind(unwind)
    a(load(X16, field(EXECUTION, Execution.entry_stack)), ADD_IMM(64, SP, X16, 0, 0))
    unlink_entry(a)
    a(MOVZ(64, X0, 0, 0))
    leave_entry(a)


# Traps. Wasm registers need not be kept, since the entry restores what its caller had.


def _write_trap_kind(a: Assembler, kind: int, trap: Label) -> None:
    a(MOVZ(64, X17, kind, 0))
    a.jump(trap)


def _write_trap(a: Assembler, trap: Label, unwind: Label, callbacks: Callbacks) -> None:
    """The kind in x17, the return address in x30."""
    arguments = [Mem(SP, WORD * word) for word in (1, 2, 3, 4)]
    result = Mem(SP, 5 * WORD)
    a.bind(trap)
    a(ADD_IMM(64, X19, SP, 0, 0), SUB_IMM(64, SP, SP, 6 * WORD, 0))
    for place, register in zip(arguments, (X17, LINK, X19, CONTEXT), strict=True):
        a(store(place, register))
    acquire_gil(a)
    for place in arguments:
        a(load(X0, place))
        a.call_address(API.PyLong_FromUnsignedLongLong)
        a(store(place, X0))
        a.branch(CBZ(64, X0, 0), unwind)
    call_python(a, len(arguments), callbacks.raise_trap)
    a(store(result, X0))
    for place in (*arguments, result):
        release(a, place)
    a.jump(unwind)


# For entries


def _write_wrong_count(a: Assembler, callbacks: Callbacks) -> None:
    failed = Label()
    link, target, number = (Mem(SP, WORD * word) for word in (0, 2, 3))
    a(SUB_IMM(64, SP, SP, 4 * WORD, 0), store(link, LINK), store(target, X0), load(X0, X1))
    a.call_address(API.PyLong_FromLongLong)
    a(store(number, X0))
    a.branch(CBZ(64, X0, 0), failed)
    call_python(a, 2, callbacks.wrong_count, target.offset)
    release(a, number)
    a(MOVZ(64, X0, 0, 0))
    a.bind(failed)
    a(load(LINK, link), ADD_IMM(64, SP, SP, 4 * WORD, 0), RET(LINK))


def find_execution(a: Assembler, words: SharedWords, on_thread: Label, on_ticker: Label, on_depth: Label) -> None:
    """Let the register be the thread's `Execution`, or go where the thread has none, the ticker sleeps, or calls are
    nested too deep.
    """
    find_cell(a, words.cells)
    a.jump(on_thread, "ne")
    a(load(EXECUTION, field(X16, ExecutionCell.execution)), load_bits(X16, words.ticker_asleep), LDURW(X16, X16, 0))
    a.branch(CBNZ(32, X16, 0), on_ticker)
    a(load(X16, field(EXECUTION, Execution.depth)), SUBS_IMM(64, ZR, X16, NESTING_LIMIT, 0))
    a.jump(on_depth, "hs")


def _write_prepare(a: Assembler, callbacks: Callbacks, words: SharedWords) -> None:
    """Each callback can let other threads run, which may undo what was found: so all is looked at again after each."""
    again, failed = Label(), Label()
    link, result = Mem(SP), Mem(SP, WORD)
    a(SUB_IMM(64, SP, SP, 2 * WORD, 0), store(link, LINK))
    a.bind(again)
    cases = [(Label(), target) for target in (callbacks.enter_thread, callbacks.wake, callbacks.too_deep)]
    find_execution(a, words, *[label for label, _ in cases])
    a(MOVZ(64, X1, 0, 0), load(LINK, link), ADD_IMM(64, SP, SP, 2 * WORD, 0), RET(LINK))
    for label, target in cases:
        a.bind(label)
        # With no arguments, the word before them is the one that `result` then takes.
        call_python(a, 0, target, 2 * WORD)
        a.branch(CBZ(64, X0, 0), failed)
        a(store(result, X0))
        release(a, result)
        a.jump(again)
    a.bind(failed)
    a(MOVZ(64, X1, 1, 0), load(LINK, link), ADD_IMM(64, SP, SP, 2 * WORD, 0), RET(LINK))
