"""Floating-point arithmetic.

SSE instructions give quiet NaNs with a payload of an operand, or the default NaN, which is canonical: what the
specification allows (4.3.3, "NaN propagation"). Upper halves of registers and slots with an f32 mean nothing.
xmm14, xmm15 and rax, rcx may change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, final

from wazero_jit.registers.constants import Const

from .encoding import (
    ADDSD,
    ADDSS,
    ANDNPS,
    ANDPS,
    BTC_MI8,
    BTR_MI8,
    DIVSD,
    DIVSS,
    MAXSD,
    MAXSS,
    MINSD,
    MINSS,
    MULSD,
    MULSS,
    OR_RM,
    ORPS,
    PCMPEQD,
    PSLLD_MI8,
    PSLLQ_MI8,
    PSRLD_MI8,
    PSRLQ_MI8,
    RAX,
    RCX,
    ROUNDSD,
    ROUNDSS,
    SHL_MI8,
    SHR_MI8,
    SQRTSD,
    SQRTSS,
    SUBSD,
    SUBSS,
    UCOMISD,
    UCOMISS,
    XORPS,
    Mem,
    Row,
    jmp_short,
)
from .places import (
    XMM14,
    XMM15,
    Place,
    Target,
    Xmm,
    finish,
    finish_float,
    float_bits,
    in_xmm,
    in_xmm_or_memory,
    load_float,
)
from .traps import skip_if


@final
class Scalar(NamedTuple):
    """One instruction for both widths."""

    single: Row
    double: Row

    def of(self, width: int) -> Row:
        """The row for 32 or 64 bits."""
        return self.single if width == 32 else self.double


# fmt: off
ADD:     Final = Scalar(ADDSS, ADDSD)
COMPARE: Final = Scalar(UCOMISS, UCOMISD)
ROUND:   Final = Scalar(ROUNDSS, ROUNDSD)
SQRT:    Final = Scalar(SQRTSS, SQRTSD)
SHIFT_LEFT:  Final = Scalar(PSLLD_MI8, PSLLQ_MI8)
SHIFT_RIGHT: Final = Scalar(PSRLD_MI8, PSRLQ_MI8)
# fmt: on


def _register(dst: Target, kept: Place) -> Xmm:
    """Where to compute: in the destination, unless it holds an operand that is needed later."""
    return dst if isinstance(dst, Xmm) and dst != kept else XMM14


# Arithmetic


def _binary(scalar: Scalar, commutes: bool, width: int, a: Place, b: Place, dst: Target) -> bytes:
    if commutes and a != dst and (b == dst or isinstance(b, Const)):
        a, b = b, a
    register = dst if isinstance(dst, Xmm) and a == dst else _register(dst, b)
    prepare, operand = in_xmm_or_memory(width, b, XMM15)
    code = load_float(width, register, a) + prepare + scalar.of(width)(32, register, operand)
    return code + finish_float(register, dst)


def into_register(row: Row, width: int, xmm: Xmm, operand: int | Mem, *immediate: int) -> bytes:
    """An instruction with one operand. Clearing the register first keeps it from waiting for what was there."""
    clear = b"" if operand == xmm and isinstance(operand, Xmm) else XORPS(32, xmm, xmm)
    return clear + row(width, xmm, operand, *immediate)


def _unary(scalar: Scalar, immediate: tuple[int, ...], width: int, a: Place, dst: Target) -> bytes:
    register = dst if isinstance(dst, Xmm) else XMM14
    code, operand = in_xmm_or_memory(width, a, register)
    code += into_register(scalar.of(width), 32, register, operand, *immediate)
    return code + finish_float(register, dst)


# Minimum and maximum


def _extremum(scalar: Scalar, of_zeros: Row, width: int, a: Place, b: Place, dst: Target) -> bytes:
    """Minsd alone gives the second operand if one is NaN or both are zeros, so that these cases go apart.

    Equal operands are the same but for the signs of zeros, which `of_zeros` combines; addsd makes a NaN quiet.
    """
    if b == dst and a != dst:
        a, b = b, a
    register = dst if isinstance(dst, Xmm) else XMM14
    prepare, other = in_xmm(width, b, XMM15)
    usual = scalar.of(width)(32, register, other)
    nan = ADD.of(width)(32, register, other) + jmp_short(len(usual))
    equal = of_zeros(32, register, other) + jmp_short(len(nan) + len(usual))
    special = skip_if("p", equal) + nan
    code = load_float(width, register, a) + prepare + COMPARE.of(width)(32, register, other)
    return code + skip_if("ne", special) + usual + finish_float(register, dst)


# Signs


def _sign_bits(width: int, xmm: Xmm) -> bytes:
    return PCMPEQD(32, xmm, xmm) + SHIFT_LEFT.of(width)(32, xmm, width - 1)


def _other_bits(width: int, xmm: Xmm) -> bytes:
    return PCMPEQD(32, xmm, xmm) + SHIFT_RIGHT.of(width)(32, xmm, 1)


def _change_sign(row: Row, mask: Callable[[int, Xmm], bytes], bit_row: Row, width: int, a: Place, dst: Target) -> bytes:
    """``abs`` and ``neg`` change one bit, of NaNs too."""
    if not isinstance(dst, Xmm):
        code = float_bits(width, RAX, a) + bit_row(width, RAX, width - 1)
        return code + finish(width, RAX, dst)
    return load_float(width, dst, a) + mask(width, XMM15) + row(32, dst, XMM15)


def _copysign(width: int, a: Place, b: Place, dst: Target) -> bytes:
    if not isinstance(dst, Xmm):
        return _copysign_of_bits(width, a, b, dst)
    register = dst if a == dst else _register(dst, b)
    if register == XMM14:
        # The destination is b, and in a register.
        code, sign = b"", dst
    elif b == dst:
        return load_float(width, dst, a)
    else:
        code, sign = in_xmm(width, b, XMM14)
    code += load_float(width, register, a) + _other_bits(width, XMM15)
    code += ANDPS(32, register, XMM15) + ANDNPS(32, XMM15, sign) + ORPS(32, register, XMM15)
    return code + finish_float(register, dst)


def _copysign_of_bits(width: int, a: Place, b: Place, dst: Target) -> bytes:
    code = float_bits(width, RAX, a) + BTR_MI8(width, RAX, width - 1)
    code += float_bits(width, RCX, b) + SHR_MI8(width, RCX, width - 1) + SHL_MI8(width, RCX, width - 1)
    return code + OR_RM(width, RAX, RCX) + finish(width, RAX, dst)


_ARITHMETIC: Final = {
    "add": (ADD, True),
    "sub": (Scalar(SUBSS, SUBSD), False),
    "mul": (Scalar(MULSS, MULSD), True),
    "div": (Scalar(DIVSS, DIVSD), False),
}
_EXTREMA: Final = {
    "min": (Scalar(MINSS, MINSD), ORPS),
    "max": (Scalar(MAXSS, MAXSD), ANDPS),
}
_ROUNDING: Final = {
    "nearest": 8,
    "floor": 9,
    "ceil": 10,
    "trunc": 11,
}
"""Immediates of roundsd (SDM, "ROUNDSD"): the rounding mode, without precision exceptions."""


def _lowerings() -> dict[str, Callable[..., bytes]]:
    table: dict[str, Callable[..., bytes]] = {}
    for width in (32, 64):
        table |= {f"f{width}.{name}": partial(_binary, *row, width) for name, row in _ARITHMETIC.items()}
        table |= {f"f{width}.{name}": partial(_extremum, *row, width) for name, row in _EXTREMA.items()}
        table |= {f"f{width}.{name}": partial(_unary, ROUND, (mode,), width) for name, mode in _ROUNDING.items()}
        table[f"f{width}.sqrt"] = partial(_unary, SQRT, (), width)
        table[f"f{width}.abs"] = partial(_change_sign, ANDPS, _other_bits, BTR_MI8, width)
        table[f"f{width}.neg"] = partial(_change_sign, XORPS, _sign_bits, BTC_MI8, width)
        table[f"f{width}.copysign"] = partial(_copysign, width)
    return table


LOWERINGS: Final = _lowerings()
"""By operation: ``(a, dst)`` or ``(a, b, dst)`` to bytes."""
