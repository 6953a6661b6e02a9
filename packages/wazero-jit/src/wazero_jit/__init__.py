"""The native engine: translates WebAssembly to machine code, from Python.

Installed beside wazero-core it is found and used by itself; `JitEngine` is for programs that drive it alone. It may
import wazero_api and nothing else of the project.
"""

from __future__ import annotations

from wazero_jit._version import __version__
from wazero_jit.engine import JitEngine

__all__ = ["JitEngine", "__version__"]
