"""Running things on arm64."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PACKAGES = HERE.parents[3]
TIMEOUT_SECONDS = 240

Call = tuple[Any, ...]
"""(module, export, arguments) or the same with an interrupt; see `driver`."""
Runner = Callable[[dict[str, str], Sequence[Call]], list[Any]]


@pytest.fixture(scope="session")
def arm64_python() -> list[str]:
    """How to start arm64's Python; skips if there is none."""
    done = subprocess.run([sys.executable, HERE / "emulation.py"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no arm64 here: {done.stderr.strip()}")
    command: list[str] = json.loads(done.stdout)
    return command


@pytest.fixture(scope="session")
def run_arm64(arm64_python: list[str]) -> Runner:
    """Run calls of modules, given as text by name, on arm64; gives what the driver answers."""
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime, which assembles the modules, is not installed")

    def run(modules: dict[str, str], calls: Sequence[Call]) -> list[Any]:
        job = {
            "modules": [[name, bytes(wasmtime.wat2wasm(text)).hex()] for name, text in modules.items()],
            "calls": [[*call, None][:4] for call in calls],
        }
        path = os.pathsep.join(str(PACKAGES / f"wazero-{name}" / "src") for name in ("api", "core", "jit"))
        done = subprocess.run(
            [*arm64_python, "-X", "faulthandler", HERE / "driver.py"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers

    return run
