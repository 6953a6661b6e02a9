"""Validated bodies to Python source. Knows nothing of instances: what the source names is listed in `..instance`."""

from .function import Signatures, TranslatedFunction, translate

__all__ = ["Signatures", "TranslatedFunction", "translate"]
