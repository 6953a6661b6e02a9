"""Every value operation, executed with its operands and result in all kinds of places, against plain Python."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator

import pytest

from wazero_api import TrapKind
from wazero_jit.isa.amd64.encoding import R8, R12, RBP, RBX, RDI, RSI
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.registers.operands import FLOAT, SLOT, Operand

from .harness import assert_kept, constant, machine, needs_amd64, place_index, trap_kind
from .reference import INTERESTING, VALUE_OPERATIONS, expected, matches, signature, width_of

pytestmark = needs_amd64

TEMPLATES = Templates()

A = {"i": (RSI, RBP, R12, SLOT + 1), "f": (FLOAT + 1, FLOAT + 8, SLOT + 1)}
B = {"i": (RDI, RBP, R12, SLOT + 17), "f": (FLOAT + 2, FLOAT + 9, SLOT + 17)}
RESULT = {"i": (RBX, R8, RBP, SLOT + 3), "f": (FLOAT + 3, FLOAT + 10, SLOT + 3)}
CONSTANT = None


def places(params: tuple[str, ...], type: str) -> Iterator[tuple[Operand | None, ...]]:
    """Operands and destination; equal ones, too, where types allow it."""
    choices: list[tuple[int | None, ...]] = [(*A[params[0][0]], CONSTANT)]
    if len(params) == 2:
        choices.append((*B[params[1][0]], CONSTANT))
    for operands in itertools.product(*choices):
        variants = {operands}
        if len(operands) == 2:
            variants.add((operands[0], operands[0]))
        for variant in variants:
            same = [place for place in variant if place is not None and params[0][0] == type[0]]
            for dst in dict.fromkeys((*RESULT[type[0]], *same)):
                yield (*variant, dst)


def operand_values(
    params: tuple[str, ...], where: tuple[Operand | None, ...], count: int, generator: random.Random
) -> list[tuple[int, ...]]:
    """Up to `count` combinations."""
    choices = [INTERESTING[param] for param in params]
    if len(params) == 2 and where[0] == where[1] and where[0] is not CONSTANT:
        combinations = [(value, value) for value in choices[0]]
    else:
        combinations = list(itertools.product(*choices))
    return generator.sample(combinations, min(count, len(combinations)))


def check(name: str, key: tuple[Operand, ...], operands: tuple[int, ...], noise: int) -> None:
    """Run what was loaded once. Upper halves of f32 operands hold anything."""
    params, type = signature(name)
    values = {}
    for operand, value, param in zip(key, operands, params, strict=False):
        values[operand] = value | noise << 32 if param == "f32" else value
    before, after = machine().run(values)
    wanted = expected(name, *operands)
    trapped = trap_kind(after)
    if isinstance(wanted, TrapKind) or trapped:
        assert trapped == wanted, (name, key, operands)
        return
    result = after[place_index(key[-1])]
    if type == "f32":
        result &= 0xFFFFFFFF
    assert matches(wanted, result, width_of(type)), (name, key, operands, wanted, hex(result))
    assert_kept(before, after, key[-1])


def check_all(name: str, placements: Iterable[tuple[Operand | None, ...]], count: int) -> None:
    """Run an operation in each placement with `count` combinations of operands."""
    params, _ = signature(name)
    memo = TEMPLATES.memo(name)
    generator = random.Random(name)
    loaded = None
    for where in placements:
        for operands in operand_values(params, where, count, generator):
            tokens = [constant(*pair) for pair in zip(params, operands, strict=True)]
            key = tuple(
                [token if place is CONSTANT else place for place, token in itertools.zip_longest(where, tokens)]
            )
            if key != loaded:
                machine().load(memo[key])
                loaded = key
            check(name, key, operands, generator.getrandbits(32))


@pytest.mark.parametrize("name", VALUE_OPERATIONS)
def test_placements(name: str) -> None:
    """Some values in every combination of places."""
    check_all(name, places(*signature(name)), 16)


@pytest.mark.parametrize("name", VALUE_OPERATIONS)
def test_values(name: str) -> None:
    """Many values in registers."""
    params, type = signature(name)
    where = [A[params[0][0]][0], RESULT[type[0]][0]]
    if len(params) == 2:
        where.insert(1, B[params[1][0]][0])
    check_all(name, [tuple(where)], 2000)


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUE_OPERATIONS)
def test_values_everywhere(name: str) -> None:
    check_all(name, places(*signature(name)), 200)
