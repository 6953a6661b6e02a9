"""The native engine: translates WebAssembly to machine code for amd64 and arm64, from Python.

This release holds only its version. It may import wazero_api and nothing else of the project.
"""

from __future__ import annotations

from wazero_jit._version import __version__

__all__ = ["__version__"]
