"""Bytes to `wazero_api.Module` (spec chapter 5). Imports nothing of this package but itself."""

from .decoder import decode_module

__all__ = ["decode_module"]
