"""What tests run in a process of its own, by `isolated.run`."""

from __future__ import annotations

import sys
from typing import NamedTuple

from fuzz.exercise import exercise
from fuzz.hostile import ROWS


class Ending(NamedTuple):
    """Of one hostile module."""

    ended: str
    """How the first stage that did not go well ended, or the first call."""
    size: int
    compile_s: float
    run_s: float


def hostile(row_id: str) -> Ending:
    """Build one row's module, and drive it as far as it goes."""
    (row,) = [row for row in ROWS if row.id == row_id]
    wasm = row.build()
    limit = sys.getrecursionlimit()
    report = exercise(wasm, call_timeout_s=1.0, budget_s=60.0, max_calls=20_000)
    assert sys.getrecursionlimit() == limit, "the recursion limit was not restored"
    stages = (report.compiled, report.linked, *report.calls.values())
    ended = next((stage for stage in stages if stage not in ("ok", "")), "ok")
    return Ending(ended, len(wasm), report.compile_s, report.run_s)
