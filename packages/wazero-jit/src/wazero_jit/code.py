"""A module as this engine compiles it: machine code in executable memory, made function by function when first called."""

from __future__ import annotations

import marshal
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple, final

from wazero_api import BodySource, FunctionType, Listing, ListingLine, Module, ValueType

from .link.code_map import Place
from .link.layout import ContextLayout
from .memory import forks
from .translate.function import FunctionCode, Notes, take_notes, translate
from .translate.meanings import Meanings

if TYPE_CHECKING:
    from .memory.executable import CodeBlock
    from .process import Process

_ALIGNMENT: Final = 16
"""Bytes to which function starts are aligned: the unit in which processors fetch code."""
_FIRST_CHUNK: Final = 4 << 10
_LARGEST_CHUNK: Final = 1 << 20


class LoadedFunction(NamedTuple):
    """A function that can be called."""

    address: int
    code: FunctionCode


@final
class JitCode:
    """See `wazero_api.Code`. Shared by all instances, from several threads; holds no address of an instance."""

    def __init__(self, module: Module, bodies: BodySource, process: Process, guarded: bool) -> None:
        self.module = module
        self.layout = ContextLayout(module)
        self.function_types = module.function_types()
        self._bodies = bodies
        self._process = process
        self._isa = process.isa(guarded)
        self._meanings = Meanings(module, self.layout, self._isa, guarded)
        self._lock = forks.new_lock()
        self._functions: dict[int, LoadedFunction] = {}
        self._starts: list[int] = []
        self._by_start: dict[int, int] = {}
        self._chunks: list[CodeBlock] = []
        self._free = 0
        """Bytes left in the last chunk."""
        self._positions: dict[int, tuple[Notes, list[int]]] = {}

    # Compiling

    @property
    def compiled_count(self) -> int:
        """See `wazero_api.Code.compiled_count`."""
        return len(self._functions)

    def address(self, defined_index: int) -> int:
        """Of the function's machine code, made now if need be. Raises what `BodySource.instructions` raises."""
        function = self._functions.get(defined_index)
        if function is None:
            with self._lock:
                function = self._functions.get(defined_index)
                if function is None:
                    self._load(((defined_index, self._translate(defined_index)),))
                    function = self._functions[defined_index]
        return function.address

    def known_addresses(self) -> list[tuple[int, int]]:
        """(defined index, address) of what is compiled."""
        with self._lock:
            return [(index, function.address) for index, function in self._functions.items()]

    def compile_all(self, progress: Callable[[int, int], None] | None = None) -> None:
        """See `wazero_api.Code.compile_all`."""
        self.compile_functions(range(len(self.module.bodies)), progress)

    def compile_functions(self, indices: Sequence[int], progress: Callable[[int, int], None] | None = None) -> None:
        """See `wazero_api.Code.compile_functions`."""
        for done, index in enumerate(indices, 1):
            self.address(index)
            if progress is not None:
                progress(done, len(indices))

    def _translate(self, defined_index: int) -> FunctionCode:
        return translate(*self._source(defined_index), self._meanings, self._isa)

    def _source(self, defined_index: int) -> tuple[FunctionType, list[ValueType], Sequence[bytes]]:
        module = self.module
        type = module.types[module.functions[defined_index]]
        types: list[ValueType] = [*type.params]
        for count, local in module.bodies[defined_index].locals:
            types += [local] * count
        return type, types, self._bodies.instructions(defined_index)

    # Loading

    def _load(self, functions: Iterable[tuple[int, FunctionCode]]) -> None:
        """Put code into executable memory. The lock is held."""
        for index, function in functions:
            code = function.code
            size = -(-len(code) // _ALIGNMENT) * _ALIGNMENT
            if size > self._free:
                self._new_chunk(size)
            chunk = self._chunks[-1]
            offset = chunk.size - self._free
            chunk.write(offset, code)
            self._free -= size
            address = chunk.address + offset
            self._functions[index] = LoadedFunction(address, function)
            self._by_start[address] = index
            self._starts.append(address)

    def _new_chunk(self, size: int) -> None:
        usual = min(_LARGEST_CHUNK, _FIRST_CHUNK << len(self._chunks))
        chunk = self._process.functions_space.allocate(max(size, usual), _ALIGNMENT)
        self._chunks.append(chunk)
        self._free = chunk.size
        self._process.code_map.add(chunk.address, self)

    def dump(self) -> bytes:
        """See `wazero_api.Code.dump`."""
        with self._lock:
            return marshal.dumps([(index, *function.code) for index, function in self._functions.items()])

    def load(self, data: bytes) -> None:
        """See `wazero_api.Code.load`."""
        entries = [(index, FunctionCode(*parts)) for index, *parts in marshal.loads(data)]  # noqa: S302 - trusted
        with self._lock:
            self._load([entry for entry in entries if entry[0] not in self._functions])

    # Looking back

    def place(self, address: int) -> Place | None:
        """See `CodeMap.find`."""
        starts = sorted(self._starts)
        index = bisect_right(starts, address) - 1
        if index < 0:
            return None
        start = starts[index]
        defined_index = self._by_start[start]
        offset = address - start
        if offset > len(self._functions[defined_index].code.code):
            return None
        return Place(self, defined_index, offset)

    def function_code(self, defined_index: int) -> FunctionCode:
        """Of a function that is compiled."""
        return self._functions[defined_index].code

    def binary_offset(self, defined_index: int, code_offset: int) -> int:
        """Byte offset, in the module's binary, of the instruction whose machine code `code_offset` is in."""
        notes, offsets = self._notes(defined_index)
        poll = bisect_right(notes.polls, (code_offset + 1,)) - 1
        if poll >= 0:  # out of line: where it comes back to is just behind what it is about
            code_offset = notes.polls[poll][1] - 1
        token = bisect_right(notes.tokens, code_offset, 0, len(offsets)) - 1
        return offsets[max(0, token)]

    def listing(self, defined_index: int) -> Listing:
        """See `wazero_api.Code.listing`."""
        self.address(defined_index)
        code = self.function_code(defined_index).code
        notes, offsets = self._notes(defined_index)
        positions = notes.tokens
        starts = [0, *positions]  # the function's begin, each instruction's code, what is out of line
        stops = [*positions, len(code)]
        parts = zip([None, *offsets, None], starts, stops, strict=True)
        lines = [ListingLine(offset, start, code[start:stop]) for offset, start, stop in parts if start < stop]
        return Listing(self._isa.name, tuple(lines))

    def _notes(self, defined_index: int) -> tuple[Notes, list[int]]:
        """`take_notes` of a function, and the offset of each token in the binary. Few functions are ever asked for."""
        known = self._positions.get(defined_index)
        if known is None:
            source = self._source(defined_index)
            notes = take_notes(*source, self._meanings, self._isa)
            start = self.module.bodies[defined_index].offset
            offsets = list(accumulate(map(len, source[2][:-1]), initial=start))
            known = self._positions[defined_index] = notes, offsets
        return known
