"""A module as this engine compiles it: Python code objects, made one by one when first called."""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Sequence
from itertools import count
from threading import Lock
from types import CodeType
from typing import Final, NamedTuple, final

from wazero_api import BodySource, ExternKind, FunctionType, Listing, ListingLine, Module, UnsupportedError

FILE_NAME: Final = "<wasm>"
"""What tracebacks show as the file of generated code."""


_MAX_SOURCE: Final = 6_000_000
"""Characters of one function's Python source: CPython's compiler takes many times that in memory."""


class CompiledFunction(NamedTuple):
    """A code object and, per line of its source, the byte offset in the binary."""

    code: CodeType
    line_offsets: array[int]


@final
class PortableCode:
    """See `wazero_api.Code`. Shared by all instances, from several threads."""

    def __init__(self, module: Module, bodies: BodySource, intern: Callable[[FunctionType], FunctionType]) -> None:
        self.module = module
        self.types = tuple([intern(type) for type in module.types])
        """Equal types of one engine are one object, so that ``call_indirect`` can compare with ``is``."""
        functions = [self.types[item.type_index] for item in module.imported(ExternKind.FUNCTION)]
        self.import_count = len(functions)
        functions += [self.types[index] for index in module.functions]
        self.function_types = tuple(functions)
        self._bodies = bodies
        self._lock = Lock()
        self._compiled: dict[int, CompiledFunction] = {}

    def function(self, defined_index: int) -> CompiledFunction:
        """Compiled now if it is not yet. Raises InvalidModuleError if validation was put off and fails."""
        compiled = self._compiled.get(defined_index)
        if compiled is None:
            with self._lock:
                compiled = self._compiled.get(defined_index) or self._compile(defined_index)
                self._compiled[defined_index] = compiled
        return compiled

    def _compile(self, defined_index: int) -> CompiledFunction:
        source, offsets = self.translation(defined_index)
        self._check_size(defined_index, source)
        unit = compile(source, FILE_NAME, "exec", dont_inherit=True, optimize=0)
        return CompiledFunction(next(c for c in unit.co_consts if isinstance(c, CodeType)), offsets)

    def _check_size(self, defined_index: int, source: str) -> None:
        if len(source) > _MAX_SOURCE:
            raise UnsupportedError(f"function {self.import_count + defined_index} is too large for the portable engine")

    def translation(self, defined_index: int) -> tuple[str, array[int]]:
        """The Python source of a function, for people; and the byte offset in the binary of each line."""
        from .translate import Signatures, translate  # not needed before something runs, or ever with cached code

        signatures = Signatures(self.function_types, self.types, bool(self.module.memory_types()))
        return translate(f"f{self.import_count + defined_index}", self._bodies.body(defined_index), signatures)

    def listing(self, defined_index: int) -> Listing:
        """See `wazero_api.Code`. The first line is the function's head; others that start it go to its first instruction."""
        source, offsets = self.translation(defined_index)
        lines = zip([None, *offsets[1:]], count(1), source.split("\n"), strict=False)
        return Listing("python", tuple([ListingLine(*line) for line in lines]))

    @property
    def compiled_count(self) -> int:
        """See `wazero_api.Code`."""
        return len(self._compiled)

    def compile_all(self, progress: Callable[[int, int], None] | None = None) -> None:
        """See `wazero_api.Code`."""
        self.compile_functions(range(len(self.module.bodies)), progress)

    def compile_functions(self, indices: Sequence[int], progress: Callable[[int, int], None] | None = None) -> None:
        """See `wazero_api.Code`."""
        for done, index in enumerate(indices, 1):
            self.function(index)
            if progress is not None:
                progress(done, len(indices))

    def dump(self) -> bytes:
        """See `wazero_api.Code`."""
        with self._lock:
            entries = {index: (f.code, f.line_offsets.tobytes()) for index, f in self._compiled.items()}
        return marshal.dumps(entries)

    def load(self, data: bytes) -> None:
        """See `wazero_api.Code`, above all whom the bytes must come from."""
        entries = marshal.loads(data)  # noqa: S302 - the bytes are trusted code
        loaded = {index: CompiledFunction(code, array("I", offsets)) for index, (code, offsets) in entries.items()}
        with self._lock:
            self._compiled = loaded | self._compiled
