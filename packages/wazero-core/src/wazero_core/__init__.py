"""The runtime: compile, instantiate and call WebAssembly modules from Python.

from wazero_core import Runtime

with Runtime() as runtime:
    module = runtime.instantiate(wasm)
    module.exports.add(1, 2)
"""

from ._version import __version__
from .runtime.compiled import CompiledModule
from .runtime.config import RuntimeConfig
from .runtime.definitions import FunctionDefinition, MemoryDefinition
from .runtime.function import Function
from .runtime.host import HostFunctionBuilder, HostModuleBuilder
from .runtime.memory import Memory
from .runtime.module import Exports, Module
from .runtime.module_config import ModuleConfig
from .runtime.runtime import Runtime
from .runtime.table import Global, Table
from .system.directory import DirFS
from .system.files import BaseFile
from .system.mounts import FSConfig
from .system.views import ReadOnlyFS

__all__ = [
    "BaseFile",
    "CompiledModule",
    "DirFS",
    "Exports",
    "FSConfig",
    "Function",
    "FunctionDefinition",
    "Global",
    "HostFunctionBuilder",
    "HostModuleBuilder",
    "Memory",
    "MemoryDefinition",
    "Module",
    "ModuleConfig",
    "ReadOnlyFS",
    "Runtime",
    "RuntimeConfig",
    "Table",
    "__version__",
]
