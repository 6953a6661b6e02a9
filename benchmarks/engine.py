"""Which engine the benchmarks of the native engine run: ``WAZERO_BENCH_ENGINE``, or "jit"."""

from __future__ import annotations

import os
from typing import Final

from wazero_core import RuntimeConfig

ENGINE_VARIABLE: Final = "WAZERO_BENCH_ENGINE"

ENGINE: Final = os.environ.get(ENGINE_VARIABLE) or "jit"

IS_NATIVE: Final = ENGINE != "portable"
"""The portable engine is some hundred times slower: what takes long is left out, as only the harness is to be tried."""

CONFIG: Final = RuntimeConfig(engine=ENGINE).with_lazy_validation(True)
"""Bodies are checked as they are compiled, as under the command."""
