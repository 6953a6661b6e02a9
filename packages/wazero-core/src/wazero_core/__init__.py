"""The runtime: compile, instantiate and call WebAssembly modules from Python.

from wazero_core import Runtime

with Runtime() as runtime:
    module = runtime.instantiate(wasm)
    module.exports.add(1, 2)
"""

from ._version import __version__

TYPE_CHECKING = False  # type checkers take a variable of this name for true; importing typing would cost the most here
if TYPE_CHECKING:
    from .cache.cache import CompilationCache
    from .runtime.compiled import CompiledModule
    from .runtime.config import RuntimeConfig
    from .runtime.definitions import FunctionDefinition, MemoryDefinition
    from .runtime.function import Function
    from .runtime.host import HostFunctionBuilder, HostModuleBuilder
    from .runtime.memory import Memory
    from .runtime.module import Exports, Module
    from .runtime.module_config import ModuleConfig
    from .runtime.running import RunResult, run
    from .runtime.runtime import Runtime
    from .runtime.table import Global, Table
    from .system.directory import DirFS
    from .system.files import BaseFile
    from .system.memory_fs import MemFS
    from .system.mounts import FSConfig
    from .system.overlay import OverlayFS
    from .system.quota import QuotaFS
    from .system.tree_fs import ResourceFS
    from .system.views import ReadOnlyFS
    from .system.zip_fs import ZipFS

_MODULES = {
    "BaseFile": "system.files",
    "CompilationCache": "cache.cache",
    "CompiledModule": "runtime.compiled",
    "DirFS": "system.directory",
    "Exports": "runtime.module",
    "FSConfig": "system.mounts",
    "Function": "runtime.function",
    "FunctionDefinition": "runtime.definitions",
    "Global": "runtime.table",
    "HostFunctionBuilder": "runtime.host",
    "HostModuleBuilder": "runtime.host",
    "MemFS": "system.memory_fs",
    "Memory": "runtime.memory",
    "MemoryDefinition": "runtime.definitions",
    "Module": "runtime.module",
    "ModuleConfig": "runtime.module_config",
    "OverlayFS": "system.overlay",
    "QuotaFS": "system.quota",
    "ReadOnlyFS": "system.views",
    "ResourceFS": "system.tree_fs",
    "RunResult": "runtime.running",
    "Runtime": "runtime.runtime",
    "RuntimeConfig": "runtime.config",
    "Table": "runtime.table",
    "ZipFS": "system.zip_fs",
    "run": "runtime.running",
}
"""Where each name lives. Importing happens when a name is first used: a program that only may need a runtime should not
pay for one at its start (RATIONALE.md, "Why does importing wazero_core import next to nothing?")."""


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "BaseFile",
    "CompilationCache",
    "CompiledModule",
    "DirFS",
    "Exports",
    "FSConfig",
    "Function",
    "FunctionDefinition",
    "Global",
    "HostFunctionBuilder",
    "HostModuleBuilder",
    "MemFS",
    "Memory",
    "MemoryDefinition",
    "Module",
    "ModuleConfig",
    "OverlayFS",
    "QuotaFS",
    "ReadOnlyFS",
    "ResourceFS",
    "RunResult",
    "Runtime",
    "RuntimeConfig",
    "Table",
    "ZipFS",
    "__version__",
    "run",
]
