"""Division by constants: every kind of divisor, with dividends around the multiples where rounding would go wrong."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wazero_jit.isa.amd64.division import _multiplier
from wazero_jit.isa.amd64.encoding import RBX, RSI
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.registers.operands import SLOT, Operand

from .harness import constant, machine, needs_amd64
from .reference import INTERESTING
from .test_value_operations import check

TEMPLATES = Templates()
OPERATIONS = ("div_s", "div_u", "rem_s", "rem_u")


def divisors(width: int) -> list[int]:
    powers = {1 << shift for shift in range(width)}
    near = {power + difference for power in powers for difference in (-1, 1)}
    small = {*range(1, 50), 60, 100, 125, 127, 255, 365, 625, 641, 1000, 3600, 7919, 10**6, 10**9}
    positive = (powers | near | small | set(INTERESTING[f"i{width}"])) - {0}
    return sorted({value % (1 << width) for sign in (1, -1) for value in (sign * d for d in positive)} - {0})


def dividends(divisor: int, width: int, generator: random.Random) -> list[int]:
    """Edges, and the neighbours of multiples, small and large; for both readings of the divisor."""
    values = {0, 1, (1 << width) - 1, 1 << width - 1, (1 << width - 1) - 1, (1 << width - 1) + 1}
    for d in (divisor, (1 << width) - divisor):
        quotients = (1, 2, (1 << width - 1) // d, ((1 << width) - 1) // d, generator.randrange(1 << width) // d)
        values |= {(quotient * d + difference) for quotient in quotients for difference in (-1, 0, 1)}
    values |= {-value for value in values}
    return [value % (1 << width) for value in values]


@needs_amd64
@pytest.mark.parametrize("word", OPERATIONS)
@pytest.mark.parametrize("width", [32, 64])
def test_constant_divisors(width: int, word: str) -> None:
    name = f"i{width}.{word}"
    generator = random.Random(name)
    places: tuple[tuple[Operand, Operand], ...] = ((RSI, RBX), (RSI, RSI), (SLOT, RBX), (SLOT, SLOT), (RSI, SLOT + 1))
    for index, divisor in enumerate(divisors(width)):
        a, dst = places[index % len(places)]
        key = (a, constant(f"i{width}", divisor), dst)
        machine().load(TEMPLATES.memo(name)[key])
        for dividend in dividends(divisor, width, generator):
            check(name, key, (dividend, divisor), 0)


@needs_amd64
@pytest.mark.parametrize("word", OPERATIONS)
@pytest.mark.parametrize("width", [32, 64])
def test_any_constants(width: int, word: str) -> None:
    name = f"i{width}.{word}"
    numbers = st.integers(0, (1 << width) - 1)
    shifted = st.builds(lambda number, shift: number >> shift, numbers, st.integers(0, width - 1))

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(divisor=shifted, dividend=shifted)
    def holds(divisor: int, dividend: int) -> None:
        key = (RSI, constant(f"i{width}", divisor), RBX)
        machine().load(TEMPLATES.memo(name)[key])
        for value in (dividend, dividend // max(divisor, 1) * divisor, -dividend % (1 << width)):
            check(name, key, (value, divisor), 0)

    holds()


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(divisor=st.integers(3, (1 << 64) - 1), limit_bits=st.sampled_from([31, 32, 63, 64]))
def test_multipliers(divisor: int, limit_bits: int) -> None:
    """What the module promises, where multiplication can go wrong first: at the greatest dividends."""
    if divisor.bit_count() == 1 or divisor >> limit_bits:
        return
    limit = (1 << limit_bits) - (limit_bits % 2 == 0)
    m, k = _multiplier(divisor, limit, 64)
    greatest = limit // divisor * divisor
    for n in (limit, greatest, greatest - 1, divisor, divisor - 1):
        assert n * m >> k == n // divisor
    assert m.bit_length() <= limit_bits + 1 or k == 64


@needs_amd64
@pytest.mark.slow
@pytest.mark.parametrize("word", OPERATIONS)
def test_all_small_divisors(word: str) -> None:
    generator = random.Random(word)
    for width in (32, 64):
        name = f"i{width}.{word}"
        for divisor in range(1, 4000):
            for value in (divisor, -divisor % (1 << width)):
                key = (RSI, constant(f"i{width}", value), RBX)
                machine().load(TEMPLATES.memo(name)[key])
                for dividend in dividends(value, width, generator):
                    check(name, key, (dividend, value), 0)
