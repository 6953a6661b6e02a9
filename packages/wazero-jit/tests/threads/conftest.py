"""Stand-ins for what surrounds the parts under test: an entry, trap and error routines, and wasm code by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent

if sys.platform != "linux" or os.uname().machine != "x86_64":
    collect_ignore_glob = ["test_*.py"]
else:
    sys.path.insert(0, str(FOLDER))  # for `machine_rig`, which subprocesses import, too


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a process of its own, which may import `machine_rig`."""

    def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(FOLDER), *sys.path))}
        command = [sys.executable, "-W", "error", *options, "-c", program]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)

    return run
