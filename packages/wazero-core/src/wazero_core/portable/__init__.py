"""The portable engine: wasm functions as Python functions.

To see the Python source of a function: ``wazero dump -interpreter -function NAME file.wasm``, or
``compiled.code.translation(defined_index)[0]`` of a `CompiledModule` that this engine compiled.
"""

from .engine import PortableEngine

__all__ = ["PortableEngine"]
