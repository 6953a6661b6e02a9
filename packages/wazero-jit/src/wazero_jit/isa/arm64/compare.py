"""Comparisons, and what takes them: 0 or 1, branches, select.

A lowering function of a comparison gives `Flags`; branches and the like are written once, for all comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, final

from wazero_jit.registers.constants import Const

from .encoding import (
    ADDS_IMM,
    B_COND,
    CBNZ,
    CBZ,
    CSEL,
    CSINC,
    SUBS,
    SUBS_IMM,
    X16,
    X17,
    ZR,
    add_immediate,
    inverse,
)
from .places import Place, Target, finish, in_register, work_register


@final
class Flags(NamedTuple):
    """Code that sets flags, and the condition under which a comparison holds."""

    prepare: bytes
    """Loads the operands."""
    compare: bytes
    condition: str
    tested: tuple[int, int] | None = None
    """(width, register), if the comparison is "eq" or "ne" of that with 0."""

    @property
    def code(self) -> bytes:
        """All of it."""
        return self.prepare + self.compare

    def negated(self) -> Flags:
        """The opposite."""
        return self._replace(condition=inverse(self.condition))


Compare = Callable[..., Flags]

# Comparisons


def _zero(width: int, a: Place) -> Flags:
    return _integers("eq", width, a, Const(0))


def _integers(condition: str, width: int, a: Place, b: Place) -> Flags:
    prepare, left = in_register(a, X16)
    if isinstance(b, Const):
        value = b.signed(width)
        immediate = add_immediate(abs(value))
        if immediate is not None:
            compare = (SUBS_IMM if value >= 0 else ADDS_IMM)(width, ZR, left, *immediate)
            tested = (width, left) if value == 0 and condition in ("eq", "ne") else None
            return Flags(prepare, compare, condition, tested)
    prepare_b, right = in_register(b, X17)
    return Flags(prepare + prepare_b, SUBS(width, ZR, left, right), condition)


_CONDITIONS: Final = {
    "eq": "eq",
    "ne": "ne",
    "lt_s": "lt",
    "lt_u": "lo",
    "gt_s": "gt",
    "gt_u": "hi",
    "le_s": "le",
    "le_u": "ls",
    "ge_s": "ge",
    "ge_u": "hs",
}


def _comparisons() -> dict[str, Compare]:
    table: dict[str, Compare] = {}
    for width in (32, 64):
        table[f"i{width}.eqz"] = partial(_zero, width)
        for name, condition in _CONDITIONS.items():
            table[f"i{width}.{name}"] = partial(_integers, condition, width)
    return table


COMPARISONS: Final = _comparisons()
"""By operation: ``(a, b)`` or ``(a,)`` to flags."""


def _truth(a: Place) -> Flags:
    """An i32 as a condition."""
    return _integers("ne", 32, a, Const(0))


# What takes flags


def value(compare: Compare, *operands: Place) -> bytes:
    """0 or 1 in the last operand."""
    *inputs, dst = operands
    assert not isinstance(dst, Const)
    flags = compare(*inputs)
    register = work_register(dst)
    return flags.code + CSINC(32, register, ZR, ZR, inverse(flags.condition)) + finish(register, dst)


def _branch(flags: Flags) -> bytes:
    """A branch, which is last, whose distance is to be filled in."""
    if flags.tested is None:
        return flags.code + B_COND(flags.condition, 0)
    width, register = flags.tested
    return flags.prepare + (CBZ if flags.condition == "eq" else CBNZ)(width, register, 0)


def branch_if(compare: Compare = _truth) -> Callable[..., bytes]:
    """A branch if the comparison holds, or the operand is not 0."""
    return lambda *operands: _branch(compare(*operands))


def branch_unless(compare: Compare = _truth) -> Callable[..., bytes]:
    """The opposite."""
    return lambda *operands: _branch(compare(*operands).negated())


def select(compare: Compare | None = None) -> Callable[..., bytes]:
    """``(a, b, i32 condition, dst)``, or with a comparison ``(its operands…, a, b, dst)``."""
    if compare is None:
        return lambda a, b, condition, dst: _select(_truth(condition), a, b, dst)
    return lambda *operands: _select(compare(*operands[:-3]), *operands[-3:])


def _select(flags: Flags, a: Place, b: Place, dst: Target) -> bytes:
    """Loads do not change the flags."""
    prepare_a, chosen = in_register(a, X16)
    prepare_b, otherwise = in_register(b, X17)
    register = work_register(dst)
    code = flags.code + prepare_a + prepare_b + CSEL(64, register, chosen, otherwise, flags.condition)
    return code + finish(register, dst)
