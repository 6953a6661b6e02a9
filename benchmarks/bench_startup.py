"""What a user waits for before anything is compiled: imports. bench_cold_start.py has whole processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from benchmarks import processes
from benchmarks.figures import Target
from benchmarks.measuring import Measure

_ROUNDS: Final = 41

_IMPORTS: Final = [
    pytest.param("import wazero_core", "import wazero_core", (Target(0.040),), id="package"),
    # The import alone brings little: names load what they stand for when first used. This is all that has to be loaded.
    pytest.param("import and make a Runtime", "from wazero_core import Runtime; Runtime()", (), id="runtime"),
]


def _process(*arguments: str) -> Callable[[], str]:
    """A run of this interpreter that gives what it printed. Done once here, so that all bytecode is cached."""
    processes.run(*arguments)
    return lambda: processes.run(*arguments)


@pytest.mark.parametrize(("title", "code", "targets"), _IMPORTS)
def test_import(measure: Measure, title: str, code: str, targets: tuple[Target, ...]) -> None:
    """It prints nothing. What Python itself needs to start is subtracted."""
    output = measure.run(_process("-c", code), rounds=_ROUNDS, peers={"bare": _process("-c", "pass")})
    assert output == ""
    if measure.is_timed:
        cost = measure.median - measure.peer_median("bare")
        measure.report_value(f"{title}, over a bare interpreter", cost, "s", *targets)
