"""Loads the program "library" of this folder, with code that stays compiled between tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import wazero_gojs
from gojs.conftest import binary, machine_config
from wazero_core import CompilationCache, ModuleConfig, RuntimeConfig

_CACHE = CompilationCache()


def load(
    globals_: Mapping[str, Any] | None = None,
    *,
    config: ModuleConfig | None = None,
    call_timeout: float | None = None,
    timeout: float | None = None,
    program: str = "library",
) -> wazero_gojs.Library:
    """The program, waiting, on the default engine."""
    wanted = wazero_gojs.Config(config or machine_config())
    for name, value in (globals_ or {}).items():
        wanted = wanted.with_global(name, value)
    runtime_config = RuntimeConfig().with_lazy_validation(True).with_compilation_cache(_CACHE)
    return wazero_gojs.load(
        binary(program), wanted, runtime_config=runtime_config.with_call_timeout(call_timeout), timeout=timeout
    )
