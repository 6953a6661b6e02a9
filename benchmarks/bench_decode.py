"""Decoding real modules: everything but the bodies, which are only cut out."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.figures import Target
from benchmarks.measuring import Measure

from wazero_core.binary import decode_module

_CASES = [
    pytest.param("go_hello", "Go hello", 0.030, 41, id="go_hello"),
    pytest.param("esbuild", "esbuild", 0.100, 15, id="esbuild"),
]


@pytest.mark.parametrize(("program", "title", "bound", "rounds"), _CASES)
def test_decode(
    measure: Measure, request: pytest.FixtureRequest, program: str, title: str, bound: float, rounds: int
) -> None:
    """Every body that the function section announces is there."""
    path: Path = request.getfixturevalue(program)
    data = path.read_bytes()
    module = measure.run(lambda: decode_module(data, keep_custom_sections=False), rounds=rounds)
    assert len(module.bodies) == len(module.functions) > 1_000
    measure.note(bytes=len(data), functions=len(module.bodies))
    measure.report(f"decode {title}", Target(bound))
