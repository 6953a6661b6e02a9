"""The poll routine: what a prologue or loop header calls when the stack pointer is below `Execution.limit`.

That is so when the stack is used up, and when the ticker fired or somebody wants attention. So far the GIL stays held.
"""

from __future__ import annotations

import ctypes
from typing import Final

from wazero_api import TrapKind
from wazero_jit.link.interrupts import Check
from wazero_jit.link.python_api import API
from wazero_jit.link.records import Execution
from wazero_jit.registers.operands import FLOAT

from .assembler import Assembler, Label
from .c_calls import WORD, call_python, field, release
from .encoding import (
    ADD_IMM,
    BR,
    CBNZ,
    CBZ,
    DMB_ISH,
    LDP,
    LDP_D,
    LDURW,
    RET,
    SP,
    STP,
    STP_D,
    SUB_IMM,
    SUBS_EXT,
    X0,
    X16,
    ZR,
    Row,
)
from .places import Mem, load, store
from .registers import CONTEXT, EXECUTION, LINK, PLAN
from .traps import load_trap

_ARGUMENTS: Final = tuple(Mem(SP, word * WORD) for word in (1, 2, 3))
_RESULT: Final = Mem(SP, 4 * WORD)
_LINK: Final = Mem(SP, 5 * WORD)
_GENERAL: Final = 6 * WORD
_FLOATS: Final = _GENERAL + len(PLAN.temporaries) * WORD
_FRAME_BYTES: Final = _FLOATS + len(PLAN.float_temporaries) * WORD


def _address(name: str) -> int:
    address = ctypes.cast(ctypes.pythonapi[name], ctypes.c_void_p).value
    assert address is not None, name
    return address


def poll_routine(attend: Check, host_error: int) -> bytes:
    """The routine's code; `attend` must live as long as it. An error jumps to `host_error` with the exception set."""
    a = Assembler()
    done, error = Label(), Label()
    _trap_on_overflow(a)
    a(SUB_IMM(64, SP, SP, _FRAME_BYTES, 0), store(_LINK, LINK))
    _copy_temporaries(a, STP, STP_D)
    a(load(X16, field(EXECUTION, Execution.stack_limit)), store(field(EXECUTION, Execution.limit), X16))
    # A fence: who sets `attention` sets the limit next, and one of the two must be seen.
    a(DMB_ISH())
    a.call_address(_address("PyErr_CheckSignals"))
    a.branch(CBNZ(32, X0, 0), error)
    a(LDURW(X0, *field(EXECUTION, Execution.attention)))
    a.branch(CBZ(32, X0, 0), done)
    _call_attend(a, attend, error)
    a.bind(done)
    _copy_temporaries(a, LDP, LDP_D)
    a(load(LINK, _LINK), ADD_IMM(64, SP, SP, _FRAME_BYTES, 0), RET(LINK))
    a.bind(error)
    a.jump_address(host_error)
    return a.finish()


def _trap_on_overflow(a: Assembler) -> None:
    """As if the poll's caller had called the trap routine."""
    enough = Label()
    a(load(X16, field(EXECUTION, Execution.stack_limit)), SUBS_EXT(64, ZR, SP, X16, "uxtx"))
    a.jump(enough, "hs")
    a(load_trap(TrapKind.CALL_STACK_EXHAUSTED), BR(X16))
    a.bind(enough)


def _copy_temporaries(a: Assembler, general: Row, floats: Row) -> None:
    """Save or restore what wasm code keeps values in and C code does not keep."""
    for row, registers, offset in (
        (general, PLAN.temporaries, _GENERAL),
        (floats, [register - FLOAT for register in PLAN.float_temporaries], _FLOATS),
    ):
        for index in range(0, len(registers), 2):
            a(row(registers[index], registers[index + 1], SP, offset + index * WORD))


def _call_attend(a: Assembler, attend: Check, error: Label) -> None:
    a(load(X0, _LINK), store(_ARGUMENTS[0], X0), ADD_IMM(64, X0, SP, _FRAME_BYTES, 0), store(_ARGUMENTS[1], X0))
    a(store(_ARGUMENTS[2], CONTEXT))
    for place in _ARGUMENTS:
        a(load(X0, place))
        a.call_address(API.PyLong_FromUnsignedLongLong)
        a(store(place, X0))
        a.branch(CBZ(64, X0, 0), error)
    call_python(a, len(_ARGUMENTS), attend)
    a(store(_RESULT, X0))
    for place in (*_ARGUMENTS, _RESULT):
        release(a, place)
    a(load(X0, _RESULT))
    a.branch(CBZ(64, X0, 0), error)
