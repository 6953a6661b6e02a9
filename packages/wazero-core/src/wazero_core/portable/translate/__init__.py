"""Validated bodies to Python source. Knows nothing of instances: what the source names is listed in `..instance`."""

from .function import TranslatedFunction, translate
from .translator import Signatures

__all__ = ["Signatures", "TranslatedFunction", "translate"]
