"""Moves, and what is reached through the context: globals and sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wazero_jit.memory.linear import MemoryRecord

from .encoding import X16, X17
from .places import Mem, Place, Target, finish, in_register, load, store, work_register
from .registers import CONTEXT

_RECORD: Final[Any] = MemoryRecord
"""On the class, the fields are descriptors."""


def move(source: Place, dst: Target) -> bytes:
    """A copy of all 64 bits between any two places. May change x15 and x16."""
    if isinstance(dst, int):
        return load(dst, source)
    if source == dst:
        return b""
    code, register = in_register(source, X16)
    return code + store(dst, register)


def _read_field(word: int, field: int, dst: Target) -> bytes:
    """Of the record whose address is in a context word."""
    register = work_register(dst)
    return load(X16, Mem(CONTEXT, word)) + load(register, Mem(X16, field)) + finish(register, dst)


def global_get(word: int) -> Callable[[Target], bytes]:
    """``global.get``, from the cell of 8 bytes whose address is in a context word."""
    return lambda dst: _read_field(word, 0, dst)


def global_set(word: int) -> Callable[[Place], bytes]:
    """``global.set``, to such a cell."""

    def lower(value: Place) -> bytes:
        code, register = in_register(value, X17)
        return code + load(X16, Mem(CONTEXT, word)) + store(Mem(X16), register)

    return lower


def memory_size(word: int) -> Callable[[Target], bytes]:
    """``memory.size``, in pages."""
    return lambda dst: _read_field(word, _RECORD.pages.offset, dst)
