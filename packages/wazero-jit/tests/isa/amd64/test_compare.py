"""Branches and selects on every comparison: the right way for all values, in every combination of places."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

from wazero_jit.isa.amd64.compare import COMPARISONS
from wazero_jit.isa.amd64.encoding import R8, R9, R12, RBP, RBX, RDI, RSI
from wazero_jit.isa.amd64.templates import Templates
from wazero_jit.registers.operands import FLOAT, SLOT, Operand

from .harness import NOT_TAKEN, assert_kept, constant, machine, needs_amd64, place_index
from .reference import INTERESTING, expected, signature

pytestmark = needs_amd64

TEMPLATES = Templates()
NAMES = sorted(set(COMPARISONS) - {"ref.is_null"})
LEFT: dict[str, tuple[Operand | None, ...]] = {"i": (RSI, RBP, SLOT + 1, None), "f": (FLOAT + 1, SLOT + 1, None)}
RIGHT: dict[str, tuple[Operand | None, ...]] = {"i": (RDI, R12, SLOT + 17, None), "f": (FLOAT + 9, SLOT + 17, None)}


def conditions(name: str, count: int, generator: random.Random) -> list[tuple[tuple[Operand, ...], tuple[int, ...]]]:
    """(operands, their values) of a comparison; about half of the values compare as equal or nearly so."""
    params, _ = signature(name)
    sides = [LEFT[params[0][0]], RIGHT[params[0][0]]][: len(params)]
    cases = []
    for where in itertools.product(*sides):
        for _ in range(count):
            values = [generator.choice(INTERESTING[param]) for param in params]
            if len(values) == 2 and generator.random() < 0.3:
                values[1] = values[0]
            if len(values) == 1 and generator.random() < 0.3:
                values[0] = 0
            operands = [
                constant(param, value) if place is None else place
                for param, place, value in zip(params, where, values, strict=True)
            ]
            cases.append((tuple(operands), tuple(values)))
    return cases


def zip_values(operands: Sequence[Operand], values: Sequence[int]) -> dict[Operand, int]:
    return dict(zip(operands, values, strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("use", ["branch_if", "branch_unless"])
def test_branches(use: str, name: str) -> None:
    memo = TEMPLATES.memo(use, name)
    for operands, values in conditions(name, 30, random.Random(name)):
        machine().load(memo[operands], is_branch=True)
        before, after = machine().run(zip_values(operands, values))
        holds = bool(expected(name, *values))
        assert after[NOT_TAKEN] == (holds != (use == "branch_if")), (operands, values)
        assert_kept(before, after)


@pytest.mark.parametrize("name", NAMES)
def test_branches_on_all_pairs(name: str) -> None:
    """In registers; the same one twice as well."""
    params, _ = signature(name)
    bank = FLOAT if params[0][0] == "f" else 0
    generator = random.Random(name)
    for key in ((bank + RSI, bank + RDI)[: len(params)], (bank + RSI, bank + RSI)[: len(params)]):
        values = [INTERESTING[param] for param in params]
        pairs = list(itertools.product(*values)) if len(set(key)) == len(params) else [(v,) * 2 for v in values[0]]
        for use in ("branch_if", "branch_unless"):
            machine().load(TEMPLATES.memo(use, name)[key], is_branch=True)
            for pair in generator.sample(pairs, min(1000, len(pairs))):
                _, after = machine().run(zip_values(key, pair))
                assert after[NOT_TAKEN] == (bool(expected(name, *pair)) != (use == "branch_if")), (key, pair)


@pytest.mark.parametrize("operand", [RSI, R8, RBP, SLOT + 1, None])
def test_branch_on_a_number(operand: Operand | None) -> None:
    for value in (0, 1, 2, 0x80000000, 0xFFFFFFFF):
        key = (constant("i32", value) if operand is None else operand,)
        for use in ("branch_if", "branch_unless"):
            machine().load(TEMPLATES.memo(use)[key], is_branch=True)
            before, after = machine().run({key[0]: value})
            assert after[NOT_TAKEN] == ((value != 0) != (use == "branch_if"))
            assert_kept(before, after)


GENERAL: tuple[Operand, ...] = (R8, RBX, SLOT + 4, constant("i64", 7), constant("i64", 1 << 40))
FLOATING: tuple[Operand, ...] = (FLOAT + 3, FLOAT + 12, SLOT + 4, constant("f64", 7 << 52), constant("f32", 0))
CONSTANT_BITS = {
    constant("i64", 7): 7,
    constant("i64", 1 << 40): 1 << 40,
    constant("f64", 7 << 52): 7 << 52,
    constant("f32", 0): 0,
}


def select_places(kinds: Sequence[Operand], others: Sequence[int]) -> list[tuple[Operand, Operand, int]]:
    """(a, b, dst)"""
    found = []
    for a, b in itertools.product(kinds, kinds):
        same = [place for place in (a, b) if isinstance(place, int)]
        found += [(a, b, dst) for dst in dict.fromkeys((*others, *same))]
    return found


def check_select(
    memo: Any, condition: tuple[Operand, ...], values: dict[Operand, int], holds: bool, where: Any
) -> None:
    a, b, dst = where
    key = (*condition, a, b, dst)
    machine().load(memo[key])
    before, after = machine().run(values)
    chosen = a if holds else b
    wanted = CONSTANT_BITS[chosen] if isinstance(chosen, bytes) else before[place_index(chosen)]
    assert after[place_index(dst)] == wanted, (key, values)
    assert_kept(before, after, dst)


def general_and_float_places(name: str) -> list[tuple[Operand, Operand, int]]:
    """The destination may be where an operand of an integer comparison is."""
    shared = [RSI] if name[0] == "i" else [FLOAT + 1]
    general = select_places(GENERAL, [R9, SLOT + 5, *(shared if name[0] == "i" else [])])
    floating = select_places(FLOATING, [FLOAT + 5, SLOT + 5, *(shared if name[0] == "f" else [])])
    return general + [place for place in floating if place not in general]


@pytest.mark.parametrize("name", NAMES)
def test_select_on_comparisons(name: str) -> None:
    generator = random.Random(name)
    memo = TEMPLATES.memo("select", name)
    cases = conditions(name, 12, generator)
    for where in general_and_float_places(name):
        for operands, values in generator.sample(cases, 12):
            check_select(memo, operands, zip_values(operands, values), bool(expected(name, *values)), where)


def test_select_on_a_number() -> None:
    memo = TEMPLATES.memo("select")
    for a, b, dst in general_and_float_places("i"):
        for condition, value in itertools.product((RSI, SLOT + 1, None), (0, 1, 0x80000000)):
            token = constant("i32", value) if condition is None else condition
            key = (a, b, token, dst)
            machine().load(memo[key])
            before, after = machine().run({token: value})
            chosen = a if value else b
            wanted = CONSTANT_BITS[chosen] if isinstance(chosen, bytes) else before[place_index(chosen)]
            assert after[place_index(dst)] == wanted, key
            assert_kept(before, after, dst)


def test_references_are_compared_with_null() -> None:
    for use in ("branch_if", "branch_unless"):
        machine().load(TEMPLATES.memo(use, "ref.is_null")[RSI,], is_branch=True)
        for value in (0, 1 << 40):
            _, after = machine().run({RSI: value})
            assert after[NOT_TAKEN] == ((value == 0) != (use == "branch_if"))
    machine().load(TEMPLATES.memo("ref.is_null")[b"\xd0\x70", RBX])
    assert machine().run({})[1][RBX] == 1
