"""What translation asks of an ISA. Each ISA has one object that obeys this, made by its package's ``new_isa``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, final

from wazero_api import TrapKind
from wazero_api.record import record
from wazero_jit.registers.operands import Operand
from wazero_jit.registers.plan import RegisterPlan

Memo = Mapping[Any, bytes]
"""Bytes by operand ids; what is not there yet is made by the look-up."""


@final
@record
class Frame:
    """A function's frame: what lies between the stack pointer and the return address."""

    words: int
    """Slots of 8 bytes; the return address is in the word above them. See `RegisterPlan.frame_unit`."""
    saves: tuple[tuple[int, int], ...]
    """(register, slot) of each pin that the function uses, both as operand ids."""
    context_slot: int | None
    """Slot that keeps the context register over calls into other contexts, if there are such calls."""


@final
class Prologue(NamedTuple):
    """The begin of a function, up to and with the stack check."""

    code: bytes
    polls: bool
    """Whether it is a branch piece, to be taken to a `poll_call`."""
    bare: int
    """How many bytes at its start run, and may trap, before the stack pointer has moved."""


class Isa(Protocol):
    """Machine code as bytes. A *branch piece* ends in a jump whose target `patch_branch` fills in."""

    name: str
    """As in cache keys: "amd64"."""
    plan: RegisterPlan

    def memo(self, name: str, *immediates: Any) -> Memo:
        """Of an operation; see the keys in `translate.meanings`."""
        ...

    def prologue(self, frame: Frame, has_calls: bool) -> Prologue:
        """Make the frame; a small one of a function without calls needs no stack check."""
        ...

    def after_prologue(self, frame: Frame) -> bytes:
        """Save the pins and the context register."""
        ...

    def epilogue(self, frame: Frame) -> bytes:
        """Restore the pins, drop the frame, return."""
        ...

    def zero_slots(self, slots: Sequence[int]) -> bytes:
        """Set consecutive slots to 0."""
        ...

    def jump(self) -> bytes:
        """Branch piece: always."""
        ...

    def poll_check(self) -> bytes:
        """Branch piece: taken when the stack pointer is below `Execution.limit`."""
        ...

    def poll_call(self) -> bytes:
        """Call `Execution.poll`."""
        ...

    def trap(self, kind: TrapKind) -> bytes:
        """Call the trap routine."""
        ...

    def call_own(self, record: int) -> bytes:
        """Call the function whose record is at that offset in the context."""
        ...

    def call_import(self, word: int, context_slot: int) -> bytes:
        """Call the function whose record's address is in that word of the context, in its own context."""
        ...

    def call_indirect(self, table_word: int, type_word: int, context_slot: int, index: Operand) -> bytes:
        """Call what a table holds at `index`; traps if that is no function of the type."""
        ...

    def call_bulk(self, routine_word: int, memory_word: int) -> bytes:
        """Call a routine of the context on the memory whose record's address is in the other word."""
        ...

    def table_branch(self, index: Operand, count: int) -> tuple[bytes, bytes]:
        """A branch piece taken when ``index >= count``; and the dispatch, directly before the table of `count` words."""
        ...

    def patch_branch(self, code: bytearray, end: int, target: int) -> None:
        """Let the jump that ends at `end` go to `target`. Raises UnsupportedError if that is further than it reaches."""
        ...

    def patch_table(self, code: bytearray, start: int, targets: Sequence[int]) -> None:
        """Fill the table at `start`, of 4 bytes a target."""
        ...
