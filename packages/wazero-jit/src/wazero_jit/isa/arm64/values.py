"""Boxing and unboxing in machine code: ints here, what else an integer parameter takes by `Callbacks`.

Entries keep raw values in *slots*, words from the stack pointer up: value i in ``[sp + 8*i]``. That is where the calling
convention has those that registers are missing for, see `registers.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wazero_api import UnsupportedError, ValueType
from wazero_jit.link.callbacks import Callbacks
from wazero_jit.link.conversions import Kind
from wazero_jit.link.python_api import API, OBJECT_TYPE

from .assembler import Assembler, Label
from .c_calls import WORD, call_python, release
from .encoding import (
    ADD,
    ADD_IMM,
    ADDS_IMM,
    CBNZ,
    CBZ,
    MOVZ,
    ORR,
    RET,
    SBFM,
    SP,
    SUB_IMM,
    SUBS,
    X0,
    X1,
    X16,
    X17,
    ZR,
    load_bits,
)
from .places import Mem, load, store
from .registers import LINK, PLAN

KINDS: Final = (Kind.I32, Kind.I64)


def check(kind: Kind) -> None:
    """Raises UnsupportedError for kinds that are missing yet."""
    if kind not in KINDS:
        raise UnsupportedError(f"the arm64 engine cannot pass {kind.name.lower()} to or from Python yet")


# In entries


def unbox(a: Assembler, routines: dict[Kind, int], kind: Kind, slot: int, failed: Label) -> None:
    """Put the raw value of the object in x0 into a slot."""
    a.call_address(routines[kind])
    a.branch(CBNZ(64, X1, 0), failed)
    a(store(Mem(SP, slot * WORD), X0))


def box(a: Assembler, kind: Kind, place: Mem) -> None:
    """Let x0 be a new reference to the int for the raw value at `place`; 0 if an exception is raised."""
    a(load(X0, place))
    if kind is Kind.I32:
        a(SBFM(64, X0, X0, 0, 31))
    a.call_address(API.PyLong_FromLongLong)


def load_registers(a: Assembler, types: Sequence[ValueType]) -> None:
    """From the slots to where the calling convention has parameters or results."""
    for position, type in enumerate(types):
        register = PLAN.temporary(position, type)
        if register is not None:
            a(load(register, Mem(SP, position * WORD)))


def store_registers(a: Assembler, types: Sequence[ValueType]) -> None:
    """The other way round."""
    for position, type in enumerate(types):
        register = PLAN.temporary(position, type)
        if register is not None:
            a(store(Mem(SP, position * WORD), register))


# The routines

_FRAME_WORDS: Final = 6
_LINK: Final = Mem(SP)
_OBJECT: Final = Mem(SP, 2 * WORD)
_KIND: Final = Mem(SP, 3 * WORD)
_RESULT: Final = Mem(SP, 4 * WORD)


def write_unbox(a: Assembler, kind: Kind, callbacks: Callbacks) -> None:
    """A routine: from the object in x0 to its raw value; x1 is 0, or 1 if an exception is raised."""
    slow, done = Label(), Label()
    a(SUB_IMM(64, SP, SP, _FRAME_WORDS * WORD, 0), store(_LINK, LINK), store(_OBJECT, X0))
    a(load(X16, Mem(X0, OBJECT_TYPE)), load_bits(X17, id(int)), SUBS(64, ZR, X16, X17))
    a.jump(slow, "ne")
    a.call_address(API.PyLong_AsLongLong)
    a(ADDS_IMM(64, ZR, X0, 1, 0))
    a.jump(slow, "eq")
    if kind is Kind.I32:
        a(load_bits(X16, 1 << 31), ADD(64, X16, X16, X0), load_bits(X17, (1 << 32) + (1 << 31)), SUBS(64, ZR, X16, X17))
        a.jump(slow, "hs")
        a(ORR(32, X0, ZR, X0))
    a(MOVZ(64, X1, 0, 0))
    a.bind(done)
    a(load(LINK, _LINK), ADD_IMM(64, SP, SP, _FRAME_WORDS * WORD, 0), RET(LINK))
    a.bind(slow)
    _write_to_native(a, kind, callbacks, done)


def _write_to_native(a: Assembler, kind: Kind, callbacks: Callbacks, done: Label) -> None:
    """Let Python decide, also about -1, which may stand for an error: for a number that does not fit."""
    failed = Label()
    a.call_address(API.PyErr_Clear)
    a(load_bits(X0, id(int(kind))), store(_KIND, X0))
    call_python(a, 2, callbacks.to_native, _OBJECT.offset)
    a.branch(CBZ(64, X0, 0), failed)
    a(store(_RESULT, X0))
    a.call_address(API.PyLong_AsUnsignedLongLong)
    a(store(_OBJECT, X0))
    release(a, _RESULT)
    a(load(X0, _OBJECT), MOVZ(64, X1, 0, 0))
    a.jump(done)
    a.bind(failed)
    a(MOVZ(64, X1, 1, 0))
    a.jump(done)
