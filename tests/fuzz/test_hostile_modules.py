"""Hand-made hostile modules: each gives a documented error or works, in bounded time and memory.

Compiling is held to the bounds of the mutation tests. Running includes translating a function at its first call; the
bounds there are wider, since CPython's compiler takes kilobytes for every line.
"""

from __future__ import annotations

import sys
from typing import Final

import pytest

from fuzz import isolated, probe
from fuzz.exercise import exercise
from fuzz.hostile import ROWS, SMALL_ROWS, Hostile

COMPILE_LIMIT_S: Final = 1.0
COMPILE_LIMIT_BYTES: Final = 256 << 20
RUN_LIMIT_S: Final = 10.0
RUN_LIMIT_BYTES: Final = 1 << 30
_TIMEOUT_S: Final = 20.0

_TRUNCATED = "the automaton takes the lone opcode byte of an over-long constant for a constant"
_WIDE = "BodyChecker works through every parameter and result of a function's type, for each function"
_STATES = "a type with many results makes that many states at once, and steps are counted per token and body"
_CODE = "generated code is as long as calls and branches times their arity; CPython's compiler then needs gigabytes"

KNOWN: Final[dict[str, str]] = {}
"""Rows that fail, and why."""
_FIRST_CALLS = "the stub that compiles at the first call makes CPython nest C calls, which are few and cost stack"
if sys.version_info[:2] == (3, 12):
    KNOWN["1,000 functions that call each other"] = _FIRST_CALLS


def _parameter(row: Hostile) -> object:
    marks = (
        [pytest.mark.xfail(reason=KNOWN[row.id], raises=(AssertionError, isolated.CrashError))]
        if row.id in KNOWN
        else []
    )
    return pytest.param(row, id=row.id.replace(" ", "-"), marks=marks)


@pytest.mark.parametrize("row", [*map(_parameter, SMALL_ROWS)])
def test_refused_at_once(row: Hostile) -> None:
    report = exercise(row.build())
    assert report.compiled in row.outcome, row.aim
    assert report.compile_s < COMPILE_LIMIT_S


@pytest.mark.parametrize("row", [*map(_parameter, ROWS)])
def test_hostile_module(row: Hostile) -> None:
    ending = isolated.run(probe.hostile, row.id, timeout_s=_TIMEOUT_S).result
    assert ending.ended in row.outcome, row.aim
    assert ending.compile_s < COMPILE_LIMIT_S, row.aim
    assert ending.compile_bytes < COMPILE_LIMIT_BYTES, row.aim
    assert ending.run_s < RUN_LIMIT_S, row.aim
    assert ending.run_bytes < RUN_LIMIT_BYTES, row.aim


@pytest.mark.xfail(reason=_FIRST_CALLS, raises=isolated.CrashError)
def test_a_chain_of_first_calls_fits_a_small_stack() -> None:
    """As threads have it on macOS (512 KiB) and the main thread on Windows (1 MiB)."""
    ended = isolated.run(probe.in_small_thread, "10,000 functions that call each other", 512 << 10).result
    assert ended == "ExhaustionError"


def test_rows_are_told_apart_by_their_ids() -> None:
    ids = [row.id for row in (*SMALL_ROWS, *ROWS)]
    assert len(ids) == len(set(ids))
    assert set(KNOWN) <= set(ids)
