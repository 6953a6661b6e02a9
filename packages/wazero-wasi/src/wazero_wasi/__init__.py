"""WASI preview 1 as a host module, over the system layer of wazero_core."""

from ._version import __version__
from .exports import MODULE_NAME, export_functions, host_module, instantiate

__all__ = ["MODULE_NAME", "__version__", "export_functions", "host_module", "instantiate"]
