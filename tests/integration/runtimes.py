"""Runtimes on every engine, by the names that test ids show, and modules from text.

"jit-checked" is the native engine as it is where memory cannot be guarded: its code compares addresses first.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import wasmtime

from wazero_api.record import replace
from wazero_core import ModuleConfig, Runtime, RuntimeConfig
from wazero_jit import JitEngine

_CHECKED: Final = "jit-checked"
WHY_NOT_NATIVE: Final = JitEngine().probe() or ""
"""Why the native engine does not work here; "" if it does."""
NATIVE: Final = () if WHY_NOT_NATIVE else ("jit", _CHECKED)
ENGINES: Final = ("portable", *NATIVE)
NAMED_ENGINES: Final = ("portable", *NATIVE[:1])
"""Those that a config or the environment can name."""
needs_jit: Final = pytest.mark.skipif(bool(WHY_NOT_NATIVE), reason=WHY_NOT_NATIVE)
ANONYMOUS: Final = ModuleConfig().with_name("")


def new_runtime(engine: str, config: RuntimeConfig | None = None) -> Runtime:
    """A runtime on one of `ENGINES`, otherwise as `config` says."""
    is_checked = engine == _CHECKED
    runtime = Runtime(replace(config or RuntimeConfig(), engine="jit" if is_checked else engine))
    if is_checked:
        checked: Any = JitEngine(guarded=False)
        runtime.engine = checked
    return runtime


@functools.cache
def wasm(text: str) -> bytes:
    """The binary of a module in the text format."""
    return bytes(wasmtime.wat2wasm(text))


def start_python(program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Run a program in an interpreter of its own, which finds what this one finds, with its output in pipes."""
    path = [str(Path(__file__).parents[1]), *sys.path]
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{program}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
