"""Comparisons, and what takes them: 0 or 1, branches, select.

A lowering function of a comparison gives `Flags`; branches and the like are written once, for all comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, final

from wazero_jit.registers.constants import Const

from .encoding import (
    AND_RM,
    CMP_MI,
    CMP_MI8,
    CMP_MR,
    CMP_RM,
    JMP,
    MOVZX8,
    OR_RM,
    RAX,
    RCX,
    RDX,
    TEST_MR,
    UCOMISD,
    UCOMISS,
    XOR_RM,
    Mem,
    cmov,
    fits,
    inverse,
    jcc,
    jcc_short,
    setcc,
)
from .moves import move
from .places import (
    XMM14,
    XMM15,
    Place,
    Target,
    Xmm,
    finish,
    in_register,
    in_rm,
    in_xmm,
    in_xmm_or_memory,
    load,
    work_register,
)
from .traps import skip_if


@final
class Flags(NamedTuple):
    """Code that sets flags, and how they tell that a comparison holds."""

    code: bytes
    condition: str
    unordered: bool | None = None
    """None: `condition` says it all. Else `condition` is to be asked where no operand is NaN (parity flag 0), and
    this is what holds where one is."""

    def negated(self) -> Flags:
        """The opposite."""
        unordered = None if self.unordered is None else not self.unordered
        return Flags(self.code, inverse(self.condition), unordered)


Compare = Callable[..., Flags]

# Comparisons


def _zero(width: int, a: Place) -> Flags:
    return _integers("e", width, a, Const(0))


def _integers(condition: str, width: int, a: Place, b: Place) -> Flags:
    if isinstance(a, Const) and not isinstance(b, Const):
        a, b, condition = b, a, _SWAPPED.get(condition, condition)
    if isinstance(b, Const):
        code, rm = in_rm(width, a, RAX)
        value = b.signed(width)
        if value == 0 and isinstance(rm, int):
            return Flags(code + TEST_MR(width, rm, rm), condition)
        if fits(value, 32):
            return Flags(code + (CMP_MI8 if fits(value, 8) else CMP_MI)(width, rm, value), condition)
        return Flags(code + load(width, RCX, b) + CMP_MR(width, rm, RCX), condition)
    if isinstance(a, int):
        return Flags(CMP_RM(width, a, b), condition)
    code, register = in_register(width, b, RAX)
    return Flags(code + CMP_MR(width, a, register), condition)


_SWAPPED: Final = {"l": "g", "g": "l", "le": "ge", "ge": "le", "b": "a", "a": "b", "be": "ae", "ae": "be"}


def _floats(condition: str, unordered: bool | None, is_swapped: bool, width: int, a: Place, b: Place) -> Flags:
    if is_swapped:
        a, b = b, a
    first, left = in_xmm(width, a, XMM14)
    second, right = in_xmm_or_memory(width, b, XMM15)
    return Flags(first + second + (UCOMISS if width == 32 else UCOMISD)(32, left, right), condition, unordered)


_INTEGER_CONDITIONS: Final = {
    "eq": "e",
    "ne": "ne",
    "lt_s": "l",
    "lt_u": "b",
    "gt_s": "g",
    "gt_u": "a",
    "le_s": "le",
    "le_u": "be",
    "ge_s": "ge",
    "ge_u": "ae",
}
_FLOAT_CONDITIONS: Final = {
    "eq": ("e", False, False),
    "ne": ("ne", True, False),
    "lt": ("a", None, True),
    "gt": ("a", None, False),
    "le": ("ae", None, True),
    "ge": ("ae", None, False),
}
"""(condition, unordered, whether the operands are swapped). ucomisd clears "a" and "ae" for NaN, but sets "b" and "be"."""


def _comparisons() -> dict[str, Compare]:
    table: dict[str, Compare] = {"ref.is_null": partial(_zero, 64)}
    for width in (32, 64):
        table[f"i{width}.eqz"] = partial(_zero, width)
        for name, condition in _INTEGER_CONDITIONS.items():
            table[f"i{width}.{name}"] = partial(_integers, condition, width)
        for name, how in _FLOAT_CONDITIONS.items():
            table[f"f{width}.{name}"] = partial(_floats, *how, width)
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
    if flags.unordered is not None:
        combine, parity = (OR_RM, "p") if flags.unordered else (AND_RM, "np")
        code = flags.code + setcc(parity, RAX) + setcc(flags.condition, RCX) + combine(32, RAX, RCX)
        return code + _widened_al(dst)
    register = dst if isinstance(dst, int) else RDX
    if _mentions(inputs, register):
        return flags.code + setcc(flags.condition, RAX) + _widened_al(dst)
    return XOR_RM(32, register, register) + flags.code + setcc(flags.condition, register) + finish(32, register, dst)


def _mentions(operands: list[Place], register: int) -> bool:
    return any(operand == register and not isinstance(operand, Xmm) for operand in operands)


def _widened_al(dst: Target) -> bytes:
    register = work_register(dst)
    return MOVZX8(32, register, RAX) + finish(32, register, dst)


def _branch(flags: Flags) -> bytes:
    """A jump by a rel32, which is last, to be filled in."""
    jump = jcc(flags.condition)
    if flags.unordered is None:
        return flags.code + jump
    if not flags.unordered:
        return flags.code + skip_if("p", jump)
    jump = JMP(32, 0)
    skip = jcc_short(inverse(flags.condition), len(jump))
    return flags.code + skip_if("p", skip) + jump


def branch_if(compare: Compare | None = None) -> Callable[..., bytes]:
    """A branch if the comparison holds, or the operand is not 0."""
    compare = compare or _truth
    return lambda *operands: _branch(compare(*operands))


def branch_unless(compare: Compare | None = None) -> Callable[..., bytes]:
    """The opposite."""
    compare = compare or _truth
    return lambda *operands: _branch(compare(*operands).negated())


def select(compare: Compare | None = None) -> Callable[..., bytes]:
    """``(a, b, i32 condition, dst)``, or with a comparison ``(its operands…, a, b, dst)``."""
    if compare is None:
        return lambda a, b, condition, dst: _select(_truth(condition), a, b, dst)
    return lambda *operands: _select(compare(*operands[:-3]), *operands[-3:])


def _select(flags: Flags, a: Place, b: Place, dst: Target) -> bytes:
    if flags.unordered:
        flags, a, b = flags.negated(), b, a
    if any(isinstance(place, Xmm) for place in (a, b, dst)):
        return flags.code + _select_by_jump(flags, a, b, dst)
    return flags.code + _select_by_cmov(flags, a, b, dst)


def _select_by_cmov(flags: Flags, a: Place, b: Place, dst: Target) -> bytes:
    """Any 64 bits, without floating-point registers."""
    if flags.unordered is None and (b == dst or isinstance(b, Const)) and a != dst:
        flags, a, b = flags.negated(), b, a
    register = RAX if isinstance(dst, Mem) or (b == dst and a != dst) else dst
    code = load(64, register, a)
    prepare, otherwise = in_rm(64, b, RCX)
    code += prepare + cmov(64, inverse(flags.condition), register, otherwise)
    if flags.unordered is not None:
        code += cmov(64, "p", register, otherwise)
    return code + finish(64, register, dst)


def _select_by_jump(flags: Flags, a: Place, b: Place, dst: Target) -> bytes:
    """Moves keep the flags."""
    if a == dst and type(a) is type(dst):
        replace = move(b, dst)
        skip = jcc_short(flags.condition, len(replace))
        return (b"" if flags.unordered is None else jcc_short("p", len(skip))) + skip + replace
    code = skip_if(inverse(flags.condition), move(a, dst))
    if flags.unordered is not None:
        code = skip_if("p", code)
    return move(b, dst) + code
