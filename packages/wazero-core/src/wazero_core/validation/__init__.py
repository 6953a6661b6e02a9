"""The typing rules (spec chapter 3), module by module and, when wanted, function by function.

Imports `wazero_core.binary` and nothing else of this package.
"""

from .context import SUPPORTED_FEATURES
from .module import ModuleValidator

__all__ = ["SUPPORTED_FEATURES", "ModuleValidator"]
