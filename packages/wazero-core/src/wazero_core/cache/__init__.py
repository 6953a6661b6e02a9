"""The compilation cache: what engines compiled, kept for the next run.

`CompilationCache` is what users make and runtimes ask; `Record` follows one compiled module and writes what is new of it;
`entry` is the form of an entry, `stores` are where entries lie. Imports `wazero_core.validation` and nothing else of
this package.
"""

from .cache import CompilationCache
from .records import Record

__all__ = ["CompilationCache", "Record"]
