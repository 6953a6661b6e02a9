"""Go's own tests of its standard library, compiled for JavaScript hosts, come out under `wazero run` as under Node with Go's own
wasm_exec_node.js, but for what `differences` lists.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from go_stdlib.comparing import Runs, parameters
from go_stdlib.differences import known_differences
from go_stdlib.packages import JS
from go_stdlib.results import Outcome
from go_stdlib.runs import run_here, run_on_node
from programs.build import UnavailableError

SECONDS = {"jit": 300, "portable": 1800, "node": 300}
"""For a package's tests, by engine. The slowest, of os, take a minute on both, most of it for what they print."""


ATTEMPTS = 3
"""Of Node, whose own code sometimes ends a program in the middle: seen once in fifty runs of encoding/json with Node 20."""


@functools.cache
def on_node(package: str) -> Outcome:
    """What Node makes of it, once for all engines."""
    outcome = run_on_node(package, SECONDS["node"])
    for _ in range(ATTEMPTS - 1):
        if not outcome.exit_code:
            break
        outcome = run_on_node(package, SECONDS["node"])
    return outcome


@pytest.mark.parametrize(("package", "engine"), parameters(JS))
def test_package(package: str, engine: str, record_property: Callable[[str, object], None]) -> None:
    try:
        there = on_node(package)
    except UnavailableError as error:
        pytest.skip(str(error))
    runs = Runs(f"{package} (js)", engine, run_here(package, "js", engine, SECONDS[engine]), "node", there)
    runs.record(record_property)
    runs.check(known_differences(package))
