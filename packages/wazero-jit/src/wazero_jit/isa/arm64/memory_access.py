"""Loads and stores of linear memories, whose end is compared with the memory's size first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from wazero_api import TrapKind
from wazero_jit.memory.linear import MemoryRecord
from wazero_jit.registers.constants import Const

from .encoding import (
    ADD,
    ADD_IMM,
    LDURB,
    LDURB_SW,
    LDURB_SX,
    LDURH,
    LDURH_SW,
    LDURH_SX,
    LDURW,
    LDURW_SX,
    LDURX,
    STURB,
    STURH,
    STURW,
    STURX,
    SUBS,
    X15,
    X16,
    X17,
    ZR,
    Row,
    add_immediate,
    load_bits,
)
from .places import Mem, Place, Target, finish, in_register, load, work_register
from .registers import CONTEXT
from .traps import trap_unless

_RECORD: Final[Any] = MemoryRecord
"""On the class, the fields are descriptors."""


def _end(address: Place, offset: int) -> bytes:
    """Let x17 be the address plus the offset, which no 64-bit sum of these can overflow."""
    if isinstance(address, Const):
        return load_bits(X17, address.bits + offset)
    code, register = in_register(address, X17)
    immediate = add_immediate(offset)
    if immediate is not None:
        return code + ADD_IMM(64, X17, register, *immediate)
    return code + load_bits(X15, offset) + ADD(64, X17, register, X15)


def _access(word: int, offset: int, size_bytes: int, address: Place) -> bytes:
    """Check the bounds, and let x16 be the address behind the last byte.

    `word` is the context's with the address of the `MemoryRecord`, `offset` the instruction's.
    """
    return (
        _end(address, offset + size_bytes)
        + load(X16, Mem(CONTEXT, word))
        + load(X15, Mem(X16, _RECORD.bytes.offset))
        + SUBS(64, ZR, X17, X15)
        + trap_unless("ls", TrapKind.OUT_OF_BOUNDS_MEMORY_ACCESS)
        + load(X16, Mem(X16, _RECORD.base.offset))
        + ADD(64, X16, X16, X17)
    )


def _load(row: Row, size_bytes: int, word: int, offset: int) -> Callable[[Place, Target], bytes]:
    def lower(address: Place, dst: Target) -> bytes:
        register = work_register(dst)
        code = _access(word, offset, size_bytes, address)
        return code + row(register, X16, -size_bytes) + finish(register, dst)

    return lower


def _store(row: Row, size_bytes: int, word: int, offset: int) -> Callable[[Place, Place], bytes]:
    def lower(address: Place, value: Place) -> bytes:
        code = _access(word, offset, size_bytes, address)
        prepare, register = in_register(value, X17)
        return code + prepare + row(register, X16, -size_bytes)

    return lower


# fmt: off
_LOADS: Final = {
    "i32.load":     (LDURW,    4),
    "i64.load":     (LDURX,    8),
    "i32.load8_s":  (LDURB_SW, 1),
    "i32.load8_u":  (LDURB,    1),
    "i32.load16_s": (LDURH_SW, 2),
    "i32.load16_u": (LDURH,    2),
    "i64.load8_s":  (LDURB_SX, 1),
    "i64.load8_u":  (LDURB,    1),
    "i64.load16_s": (LDURH_SX, 2),
    "i64.load16_u": (LDURH,    2),
    "i64.load32_s": (LDURW_SX, 4),
    "i64.load32_u": (LDURW,    4),
}
_STORES: Final = {
    "i32.store":    (STURW, 4),
    "i64.store":    (STURX, 8),
    "i32.store8":   (STURB, 1),
    "i32.store16":  (STURH, 2),
    "i64.store8":   (STURB, 1),
    "i64.store16":  (STURH, 2),
    "i64.store32":  (STURW, 4),
}
# fmt: on

LOWERINGS: Final[dict[str, Callable[..., Callable[..., bytes]]]] = {
    **{name: partial(_load, *row) for name, row in _LOADS.items()},
    **{name: partial(_store, *row) for name, row in _STORES.items()},
}
"""By operation: ``(word, offset)`` to what lowers it."""
