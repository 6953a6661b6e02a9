"""Whole programs on arm64, through the same translation as on amd64."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Runner
from .programs import MODULES
from .reference import Reference

CALLS: list[tuple[str, str, list[int]]] = [
    ("recursion", "fac", [20]),
    ("recursion", "fac", [0]),
    ("recursion", "fib", [18]),
    ("recursion", "wide", [3]),
    ("sieve", "sieve", [50_000]),
    ("sieve", "pages", []),
    ("sieve", "text", []),
    ("sieve", "load", [65528]),
    ("sieve", "store", [65520, -2]),
    ("control", "switch", [20]),
    ("control", "value_switch", [0]),
    ("control", "value_switch", [1]),
    ("control", "value_switch", [-1]),
    ("control", "indirect", [0, 21]),
    ("control", "indirect", [1, -5]),
    ("control", "globals", [-10, 0]),
    ("control", "globals", [1, -1]),
    ("control", "select", [1, 5, 7]),
    ("control", "select", [0, 8, 7]),
    ("control", "trap", [0]),
    ("control", "nothing", []),
    ("control", "keep", [1, 2, 3, 4, 5, 6, 7, 8]),
    ("control", "early", [1]),
    ("control", "multiple", [3, 4]),
    ("control", "many", [0, 1, 0, 0, 0, 0, 0, 0, -2, 10, 0, 100]),
    ("control", "pass_many", [50]),
    ("control", "many_results", []),
    ("control", "deep", [11, 7]),
    ("control", "zeros", []),
    ("program", "both", []),
]

MEMORY = "OUT_OF_BOUNDS_MEMORY_ACCESS"
TRAPS: list[tuple[str, str, list[int], str, list[str]]] = [
    ("sieve", "load", [65529], MEMORY, ["load"]),
    ("sieve", "load", [-1], MEMORY, ["load"]),
    ("sieve", "far", [0], MEMORY, ["far"]),
    ("sieve", "far", [-1], MEMORY, ["far"]),
    ("sieve", "store", [65521, 0], MEMORY, ["store"]),
    ("sieve", "constant", [], MEMORY, ["constant"]),
    ("control", "trap", [1], "UNREACHABLE", ["trap"]),
    ("control", "indirect", [2, 1], "INDIRECT_CALL_TYPE_MISMATCH", ["indirect"]),
    ("control", "indirect", [3, 1], "UNINITIALIZED_ELEMENT", ["indirect"]),
    ("control", "indirect", [5, 1], "UNDEFINED_ELEMENT", ["indirect"]),
    ("control", "indirect", [-1, 1], "UNDEFINED_ELEMENT", ["indirect"]),
    ("recursion", "fac", [-1], "CALL_STACK_EXHAUSTED", ["fac"] * 10),
    ("recursion", "wide", [100_000], "CALL_STACK_EXHAUSTED", ["large"] * 10),
    ("program", "outer", [1], MEMORY, ["fail", "inner", "outer"]),
]
ERRORS: list[tuple[str, str, list[Any], str, str]] = [
    ("recursion", "fib", ["x"], "TypeError", "i32 needs an int, not str"),
    ("recursion", "fib", [1 << 32], "OverflowError", "4294967296 does not fit in an i32"),
    ("recursion", "fib", [-(1 << 31) - 1], "OverflowError", "-2147483649 does not fit in an i32"),
    ("recursion", "fac", [1 << 64], "OverflowError", "18446744073709551616 does not fit in an i64"),
    ("recursion", "fac", [], "TypeError", "fac() takes 1 positional argument but 0 were given"),
]
INTERRUPTED = [
    ("control", "early", [1], "note"),
    ("recursion", "fac", [5], "note"),
    ("control", "keep", [1, 2, 3, 4, 5, 6, 7, 8], "note"),
    ("sieve", "sieve", [100], "raise"),
    ("recursion", "fac", [5], None),
]


@pytest.fixture(scope="module")
def answers(run_arm64: Runner) -> list[Any]:
    calls = [*CALLS, *[trap[:3] for trap in TRAPS], *[error[:3] for error in ERRORS], *INTERRUPTED]
    return run_arm64(MODULES, calls)


def test_values_are_the_same_as_elsewhere(answers: list[Any]) -> None:
    reference = Reference(MODULES)
    expected = [[*call, ["value", reference.call(*call)]] for call in CALLS]
    assert [[*call, answer] for call, answer in zip(CALLS, answers, strict=False)] == expected


@pytest.mark.parametrize("index", range(len(TRAPS)), ids=[f"{trap[1]}-{trap[3]}" for trap in TRAPS])
def test_traps_tell_where(answers: list[Any], index: int) -> None:
    *_, kind, functions = TRAPS[index]
    answer = answers[len(CALLS) + index]
    assert answer[:2] == ["trap", kind]
    assert answer[2][:10] == functions


@pytest.mark.parametrize("index", range(len(ERRORS)), ids=[f"{error[1]}{error[2]}" for error in ERRORS])
def test_wrong_arguments_are_refused(answers: list[Any], index: int) -> None:
    *_, kind, text = ERRORS[index]
    assert answers[len(CALLS) + len(TRAPS) + index] == ["error", kind, text]


def test_polls_see_requests_for_attention_and_keep_values(answers: list[Any]) -> None:
    assert answers[-len(INTERRUPTED) :] == [
        ["value", 121, ["early"]],
        ["value", 120, ["fac"]],
        ["value", (1 + 20) * ((3 ^ 4) - (5 + 42) * (7 - 40)), ["keep"]],
        ["error", "KeyError", "'stopped'", ["sieve"]],
        ["value", 120],
    ]
