"""Cutting all bodies of real modules into instructions and validating them, and what that takes of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from benchmarks.figures import Target
from benchmarks.measuring import Measure

from wazero_api import Module
from wazero_core import RuntimeConfig
from wazero_core.binary import decode_module
from wazero_core.binary.instructions import tokenize
from wazero_core.validation import ModuleValidator

_CASES = [
    pytest.param("go_hello", "Go hello", 0.45, 11, id="go_hello"),
    pytest.param("esbuild", "esbuild", 2.5, 5, id="esbuild"),
]


def _validate(module: Module) -> None:
    """From nothing: a validator remembers what it learned of a module."""
    validator = ModuleValidator(module, RuntimeConfig().core_features)
    validator.check_module()
    validator.check_bodies()


@pytest.mark.parametrize(("program", "title", "bound", "rounds"), _CASES)
def test_validate(
    measure: Measure, request: pytest.FixtureRequest, program: str, title: str, bound: float, rounds: int
) -> None:
    """The modules are valid."""
    path: Path = request.getfixturevalue(program)
    module = decode_module(path.read_bytes(), keep_custom_sections=False)
    measure.run(lambda: _validate(module), rounds=rounds)
    instructions = sum(len(tokenize(body.code)) for body in module.bodies)
    measure.note(instructions=instructions)
    measure.report(f"validate {title}, {instructions:,} instructions", Target(bound))
    if measure.is_timed:
        measure.report_value(f"validate {title}, per instruction", measure.median / instructions, "s")


_PEAK_SCRIPT: Final = """
import sys
from pathlib import Path
from wazero_core import RuntimeConfig
from wazero_core.binary import decode_module
from wazero_core.validation import ModuleValidator
def peak():
    return next(int(l.split()[1]) << 10 for l in open("/proc/self/status") if l.startswith("VmHWM"))
before = peak()
module = decode_module(Path(sys.argv[1]).read_bytes(), keep_custom_sections=False)
validator = ModuleValidator(module, RuntimeConfig().core_features)
validator.check_module()
validator.check_bodies()
print(peak() - before)
"""
"""Not ``ru_maxrss``: Linux lets a child start with its parent's, which here has whole modules in memory."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read a process's peak memory")
def test_peak_memory(measure: Measure, esbuild: Path) -> None:
    """Decoding and validating, in a process of its own, needs more than the file: it is read into memory."""
    command = [sys.executable, "-c", _PEAK_SCRIPT, str(esbuild)]
    output = measure.run(lambda: subprocess.run(command, check=True, capture_output=True, text=True).stdout, rounds=1)
    peak, size = int(output), esbuild.stat().st_size
    assert peak > size
    measure.note(peak_bytes=peak, file_bytes=size)
    measure.report_value("decode + validate esbuild, peak memory", peak / size, "x the file", Target(10))
