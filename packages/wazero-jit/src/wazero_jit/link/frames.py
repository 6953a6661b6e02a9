"""Walking a stack of wasm frames, from the innermost out to the entry."""

from __future__ import annotations

import sys
from ctypes import c_uint64
from typing import TYPE_CHECKING, Any, final

from wazero_api import Frame

if TYPE_CHECKING:
    from .code_map import CodeMap, Place
    from .weak import WeakRegistry


def _word(address: int) -> int:
    return c_uint64.from_address(address).value


@final
class StackWalker:
    """Makes `Frame`s. `instances` gives the instance of a context by the context's address."""

    def __init__(self, code_map: CodeMap, instances: WeakRegistry[Any]) -> None:
        self._code_map = code_map
        self._instances = instances

    def places(self, pc: int, sp: int, context: int, limit: int = sys.maxsize) -> list[tuple[Place, Any]]:
        """(place, instance) of each wasm frame below the innermost entry, the innermost first, at most `limit`.

        `pc` is the address behind the call or fault in the innermost, `sp` its stack pointer, `context` the context
        that ran last.
        """
        found: list[tuple[Place, Any]] = []
        known: dict[int, Place | None] = {}
        while len(found) < limit:
            place = known.get(pc, self)
            if place is self:
                place = known[pc] = self._code_map.find(pc - 1)
            if place is None:
                return found
            assert isinstance(place, tuple)
            function = place.code.function_code(place.defined_index)
            if place.offset < function.bare:
                found.append((place, self._instances.get(context)))
            else:
                if function.context_offset >= 0 and (found or not self._is_of(context, place)):
                    context = _word(sp + function.context_offset)
                found.append((place, self._instances.get(context)))
                sp += function.frame_bytes
            pc = _word(sp)
            sp += 8
        return found

    def _is_of(self, context: int, place: Place) -> bool:
        """Whether the context is one that the function runs with; at the poll of its begin it is not in the frame yet."""
        return getattr(self._instances.get(context), "code", None) is place.code

    def frames(self, pc: int, sp: int, context: int) -> tuple[Frame, ...]:
        """The same for people."""
        made: dict[Any, Frame] = {}
        frames = []
        for place, instance in self.places(pc, sp, context):
            key = place, id(instance)
            frame = made.get(key)
            if frame is None:
                offset = place.code.binary_offset(place.defined_index, place.offset)
                frame = made[key] = _frame(place, instance, offset)
            frames.append(frame)
        return tuple(frames)

    def functions(self, pc: int, sp: int, context: int, limit: int) -> tuple[Frame, ...]:
        """At most `limit` frames without offsets, each of which could take as long to find as compiling the function."""
        return tuple([_frame(place, instance, None) for place, instance in self.places(pc, sp, context, limit)])


def _frame(place: Place, instance: Any, offset: int | None) -> Frame:
    code, defined_index, _ = place
    index = defined_index + code.layout.import_count
    name = code.module.names.functions.get(index) or f"${index}"
    return Frame("" if instance is None else instance.name, name, index, offset)
