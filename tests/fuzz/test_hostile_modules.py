"""Hand-made hostile modules: each gives a documented error or works, in bounded time and memory.

Compiling is held to the bounds of the mutation tests. Running includes translating a function at its first call; the
bounds there are wider, since CPython's compiler takes kilobytes for every line.
"""

from __future__ import annotations

from typing import Final

import pytest

from fuzz import isolated, probe
from fuzz.exercise import exercise
from fuzz.hostile import ROWS, SMALL_ROWS, Hostile

COMPILE_LIMIT_S: Final = 5.0
"""Of CPU time on a busy machine. Ordinary rows take a tenth; what grows without bound takes minutes."""
COMPILE_LIMIT_BYTES: Final = 256 << 20
RUN_LIMIT_S: Final = 10.0
RUN_LIMIT_BYTES: Final = 1 << 30
_TIMEOUT_S: Final = 120.0


def _id(row: Hostile) -> str:
    return row.id.replace(" ", "-")


@pytest.mark.parametrize("row", SMALL_ROWS, ids=_id)
def test_refused_at_once(row: Hostile) -> None:
    report = exercise(row.build())
    assert report.compiled in row.outcome, row.aim
    assert report.compile_s < COMPILE_LIMIT_S


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_hostile_module(row: Hostile) -> None:
    ending = isolated.run(probe.hostile, row.id, timeout_s=_TIMEOUT_S).result
    assert ending.ended in row.outcome, row.aim
    assert ending.compile_s < COMPILE_LIMIT_S, row.aim
    assert ending.compile_bytes < COMPILE_LIMIT_BYTES, row.aim
    assert ending.run_s < RUN_LIMIT_S, row.aim
    assert ending.run_bytes < RUN_LIMIT_BYTES, row.aim


def test_a_chain_of_first_calls_fits_a_small_stack() -> None:
    """As threads have it on macOS (512 KiB) and the main thread on Windows (1 MiB)."""
    ended = isolated.run(probe.in_small_thread, "10,000 functions that call each other", 512 << 10).result
    assert ended == "ExhaustionError"


def test_rows_are_told_apart_by_their_ids() -> None:
    ids = [row.id for row in (*SMALL_ROWS, *ROWS)]
    assert len(ids) == len(set(ids))
