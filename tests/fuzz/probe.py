"""What tests run in a process of its own, by `isolated.run`."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from fuzz.exercise import exercise
from fuzz.hostile import ROWS, TIMEOUT
from fuzz.isolated import peak_bytes
from fuzz.mutation import mutants, truncations


class Ending(NamedTuple):
    """Of one hostile module."""

    ended: str
    """How the first stage that did not go well ended, or the first call."""
    size: int
    compile_s: float
    compile_bytes: int
    """Growth of the peak of memory; 0 where the system does not say."""
    run_s: float
    run_bytes: int


def hostile(row_id: str) -> Ending:
    """Build one row's module, and drive it as far as it goes."""
    (row,) = [row for row in ROWS if row.id == row_id]
    wasm = row.build()
    limit = sys.getrecursionlimit()
    before = peak_bytes()
    endless = TIMEOUT in row.outcome
    report = exercise(
        wasm, call_timeout_s=1.0 if endless else 60.0, budget_s=2.0 if endless else 60.0, max_calls=20_000
    )
    assert sys.getrecursionlimit() == limit, "the recursion limit was not restored"
    stages = (report.compiled, report.linked, *report.calls.values())
    ended = next((stage for stage in stages if stage not in ("ok", "")), "ok")
    after_compile = report.compile_peak_bytes - before
    return Ending(ended, len(wasm), report.compile_s, after_compile, report.run_s, peak_bytes() - before)


def in_small_thread(row_id: str, stack_bytes: int) -> str:
    """How a hostile module ends in a thread with a stack of that size."""
    endings: list[str] = []
    threading.stack_size(stack_bytes)
    thread = threading.Thread(target=lambda: endings.append(hostile(row_id).ended))
    thread.start()
    thread.join()
    return endings[0]


class Batch(NamedTuple):
    """Of many broken modules."""

    endings: dict[str, int]
    """How many ended how: compiling, linking, or calling."""
    slowest_s: float
    """CPU time of the slowest `compile_module`."""


def mutations(corpus: tuple[bytes, ...], seed: int, count: int) -> Batch:
    """Drive mutants through the runtime, all in this process."""
    return _drive(mutants(seed, corpus, count), f"seed {seed}")


def prefixes(module: bytes, seed: int, count: int) -> Batch:
    """Drive truncations of one module through the runtime."""
    return _drive(truncations(seed, module, count), f"seed {seed}")


def _drive(modules: Iterator[bytes], what: str) -> Batch:
    endings: Counter[str] = Counter()
    slowest = 0.0
    for number, wasm in enumerate(modules):
        try:
            report = exercise(wasm, call_timeout_s=0.05, budget_s=0.3)
        except BaseException as error:
            error.add_note(f"{what}, module {number}: bytes.fromhex({wasm.hex()[:4000]!r})")
            raise
        endings[f"compile {report.compiled}"] += 1
        if report.linked:
            endings[f"link {report.linked}"] += 1
        endings.update(f"call {ending}" for ending in report.calls.values())
        slowest = max(slowest, report.compile_s)
    return Batch(dict(endings), slowest)
