"""The native engine: translates WebAssembly to machine code, from Python.

Installed beside wazero-core it is found and used by itself. `JitModule` is for programs that make their own code and want
nothing but the engine, as compilers of expressions, queries and small languages do. This package may import wazero_api
and nothing else of the project.
"""

from __future__ import annotations

from wazero_jit._version import __version__

TYPE_CHECKING = False  # importing typing takes time, and type checkers take a variable of this name for true
if TYPE_CHECKING:
    from wazero_jit.alone import JitModule
    from wazero_jit.bodies import UncheckedBodies, constant_expression, encode_instruction, function_body
    from wazero_jit.engine import JitEngine

_MODULES = {
    "JitEngine": "engine",
    "JitModule": "alone",
    "UncheckedBodies": "bodies",
    "constant_expression": "bodies",
    "encode_instruction": "bodies",
    "function_body": "bodies",
}
"""Where each name lives. Imported when first used: wazero-core only needs the engine, and that fast."""


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
    "JitEngine",
    "JitModule",
    "UncheckedBodies",
    "__version__",
    "constant_expression",
    "encode_instruction",
    "function_body",
]
