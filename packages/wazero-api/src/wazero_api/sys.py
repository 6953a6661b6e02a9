"""wazero's `sys`: how modules end."""

from __future__ import annotations

from typing import Final

from .errors import ExitError

EXIT_CODE_CONTEXT_CANCELED: Final = 0xFFFFFFFF
"""A module was closed because what it worked for was cancelled."""
EXIT_CODE_DEADLINE_EXCEEDED: Final = 0xEFFFFFFF
"""A module was closed because a call ran past its timeout."""

__all__ = ["EXIT_CODE_CONTEXT_CANCELED", "EXIT_CODE_DEADLINE_EXCEEDED", "ExitError"]
