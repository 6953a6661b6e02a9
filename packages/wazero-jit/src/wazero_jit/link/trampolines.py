"""The trampolines of one process: made when first asked for, kept for ever, shared by all modules."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar, final

from wazero_api import Convention, FunctionType
from wazero_api.record import record
from wazero_jit.memory import forks

from .callbacks import Callbacks, SharedWords

_STUBS_CHUNK: Final = 1024

_K = TypeVar("_K")


class CodeBlock(Protocol):
    """Executable memory. It is freed with the object."""

    @property
    def address(self) -> int: ...

    def write(self, offset: int, data: bytes, /) -> None: ...


class CodeSpace(Protocol):
    """Where blocks come from."""

    def allocate(self, size: int, /) -> CodeBlock: ...


class Routines(Protocol):
    """Addresses of the machine code that exists once per process; described where an ISA implements them."""

    @property
    def unwind(self) -> int: ...
    @property
    def traps(self) -> tuple[int, ...]: ...
    @property
    def host_error(self) -> int: ...
    @property
    def lazy(self) -> int: ...
    @property
    def closed(self) -> int: ...


@final
@record
class TrampolineWriters:
    """Makers of machine code, one set per ISA. All code but the routines can be put anywhere."""

    routines: Callable[[int, Callbacks, SharedWords], tuple[bytes, Any]]
    """(address, ...): the code, and the `Routines` that it has there."""
    entry: Callable[[FunctionType, Any, SharedWords], bytes]
    host_call: Callable[[FunctionType, Convention, bool, Any], bytes]
    lazy_stubs: Callable[[int, int, Any], tuple[bytes, Sequence[int]]]
    """(first index, count, routines): code, and where in it each stub begins."""


@final
class Trampolines:
    """Safe to use from several threads."""

    def __init__(self, space: CodeSpace, writers: TrampolineWriters, callbacks: Callbacks, words: SharedWords) -> None:
        self._space = space
        self._writers = writers
        self._words = words
        self._blocks: list[CodeBlock] = []
        self._entries: dict[FunctionType, int] = {}
        self._host_calls: dict[tuple[FunctionType, Convention, bool], int] = {}
        self._stubs = array("Q")
        size = len(writers.routines(0, callbacks, words)[0])
        block = space.allocate(size)
        code, routines = writers.routines(block.address, callbacks, words)
        block.write(0, code)
        self._blocks.append(block)
        self.routines: Routines = routines

    def entry(self, type: FunctionType) -> int:
        """Address of the entry for functions of that type, a C function for `builtin.new_entry`.

        Raises UnsupportedError for vectors.
        """
        return self._entries.get(type) or self._add(
            self._entries, type, lambda: self._writers.entry(type, self.routines, self._words)
        )

    def host_call(self, type: FunctionType, convention: Convention, wants_module: bool) -> int:
        """Address of the code for records of host functions: it calls what is in the record's `HostContext`.

        Raises UnsupportedError for vectors.
        """
        key = (type, convention, wants_module)
        return self._host_calls.get(key) or self._add(
            self._host_calls, key, lambda: self._writers.host_call(*key, self.routines)
        )

    def lazy_stub(self, index: int) -> int:
        """Address of the code that has function `index` of the instance in the context compiled, and goes on there."""
        return self._stubs_until(index + 1)[index]

    def lazy_stubs(self, count: int) -> array[int]:
        """Addresses of the stubs for functions 0 to ``count - 1``, as unsigned 64-bit ints."""
        return self._stubs_until(count)[:count]

    def _add(self, table: dict[_K, int], key: _K, write: Callable[[], bytes]) -> int:
        # The lock of the memory that is written, as a fork must not find this half done either.
        with forks.lock:
            if key not in table:
                table[key] = self._place(write())
            return table[key]

    def _place(self, code: bytes) -> int:
        block = self._space.allocate(len(code))
        block.write(0, code)
        self._blocks.append(block)
        return block.address

    def _stubs_until(self, count: int) -> array[int]:
        if len(self._stubs) < count:
            with forks.lock:
                while (first := len(self._stubs)) < count:
                    code, offsets = self._writers.lazy_stubs(first, _STUBS_CHUNK, self.routines)
                    address = self._place(code)
                    # Not `extend`: a signal handler may have done the same meanwhile.
                    self._stubs[first : first + _STUBS_CHUNK] = array("Q", [address + offset for offset in offsets])
        return self._stubs
