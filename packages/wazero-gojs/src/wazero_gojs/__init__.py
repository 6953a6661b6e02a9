"""GOOS=js: hosts Go programs that were built for JavaScript hosts.

This release holds only its version. It may import wazero_api and wazero_core, and nothing else of the project.
"""

from __future__ import annotations

from wazero_gojs._version import __version__

__all__ = ["__version__"]
