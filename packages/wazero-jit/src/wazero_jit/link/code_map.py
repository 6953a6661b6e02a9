"""From an address in wasm code to the function it belongs to, for stack traces."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, final

from .weak import WeakRegistry

if TYPE_CHECKING:
    from wazero_jit.code import JitCode


class Place(NamedTuple):
    """An address inside of a function."""

    code: JitCode
    defined_index: int
    offset: int
    """Bytes from the function's start."""


@final
class CodeMap:
    """Blocks of code by address. Entries of code that is gone drop out by themselves."""

    def __init__(self) -> None:
        self._owners: WeakRegistry[JitCode] = WeakRegistry()

    def add(self, start: int, owner: JitCode) -> None:
        """A block of code at `start` now holds functions of `owner`."""
        self._owners[start] = owner

    def find(self, address: int) -> Place | None:
        """The function whose code `address` is in, or directly behind: return addresses may be there."""
        owners = dict(self._owners.items())
        starts = sorted(owners)
        index = bisect_right(starts, address) - 1
        return owners[starts[index]].place(address) if index >= 0 else None
