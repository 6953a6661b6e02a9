"""From a function's instructions to machine code, in one pass.

Operands are not computed but named while that is possible: ``local.get`` and constants push an operand id and emit
nothing. What must be computed goes to the temporary register of its depth on the operand stack, or to the frame where
there is none, so that no allocator is needed and an instruction's bytes depend on the ids alone: each is made once per
process and remembered (`isa.interface.Memo`). Before::

    local.get 0  local.get 1  i32.add  local.set 0  br 0

and after, on amd64, with locals 0 and 1 pinned to rbx and rbp: ``add ebx, ebp; jmp``. `local.set` let the addition go
straight to the local: it took back the last piece and asked for one with another destination.

This file has the loop over instructions, whose kinds stand in order of frequency; all but the frequent ones are in
`control`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, final

from wazero_api import FunctionType, ValueType
from wazero_jit.isa.interface import Isa
from wazero_jit.registers.operands import SLOT_BYTES, slot_offset

from .control import HANDLERS, Control
from .frame import FramePlan
from .meanings import (
    BINARY,
    BINARY_FLOAT,
    COMPARE,
    CONST,
    CONTROL,
    GET,
    NULLARY,
    NULLARY_FLOAT,
    SET,
    SHIFT_LEFT,
    SINK,
    STORE,
    TEE,
    UNARY,
    UNARY_FLOAT,
    Meanings,
)

_FIRST_DEPTH: Final = 6
"""Operand stack slots that frames have at first; functions that need more are translated again."""

_FUSIBLE: Final = frozenset(b"\x04\x0d\x1b\x45")
"""First bytes of the instructions that can take a comparison as it is: if, br_if, select, i32.eqz."""
_EQZ: Final = 0x45


class FunctionCode(NamedTuple):
    """Machine code of one function, position-independent."""

    code: bytes
    frame_bytes: int
    """From the stack pointer to the return address."""
    bare: int
    """How many bytes at the start run before the frame is there."""
    context_offset: int
    """From the stack pointer to where the context register is kept over calls; -1 if only own functions are called."""


@final
class Marks:
    """Iterates over tokens and notes how many pieces had been emitted before each."""

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self._tokens = tokens
        self._next = 0
        self.out: list[bytes] = []
        self.pieces: list[int] = []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._next == len(self._tokens):
            raise StopIteration
        self.pieces.append(len(self.out))
        self._next += 1
        return self._tokens[self._next - 1]

    def __length_hint__(self) -> int:
        return len(self._tokens) - self._next


def translate(
    type: FunctionType, local_types: Sequence[ValueType], tokens: Sequence[bytes], meanings: Meanings, isa: Isa
) -> FunctionCode:
    """Machine code of a valid function."""
    return _Translation(type, local_types, tokens, meanings, isa).run()[0]


class Notes(NamedTuple):
    """Where machine code comes from; all are byte offsets in it."""

    tokens: list[int]
    """Where each token's code begins, and where the last one's ends: what follows is out of line."""
    polls: list[tuple[int, int]]
    """Where the code of each poll begins out of line, and where it comes back to."""


def take_notes(
    type: FunctionType, local_types: Sequence[ValueType], tokens: Sequence[bytes], meanings: Meanings, isa: Isa
) -> Notes:
    """What `translate` did is done again, with notes taken."""
    _, notes = _Translation(type, local_types, tokens, meanings, isa).run(marked=True)
    return notes


class _Translation:
    def __init__(
        self,
        type: FunctionType,
        local_types: Sequence[ValueType],
        tokens: Sequence[bytes],
        meanings: Meanings,
        isa: Isa,
    ) -> None:
        self._parts = type, local_types, tokens, meanings, isa

    def run(self, marked: bool = False) -> tuple[FunctionCode, Notes]:
        type, local_types, tokens, meanings, isa = self._parts
        counts = Counter(tokens)
        depth = _FIRST_DEPTH
        while True:
            plan = FramePlan(type, local_types, tokens, counts, meanings, isa.plan, depth)
            control = Control(type, plan, meanings, isa)
            marks = Marks(tokens)
            if marked:
                control.out = marks.out
            try:
                control.begin()
                _translate(control, tokens, marks if marked else None)
                marks.pieces.append(len(control.out))
            except IndexError:
                if depth > len(tokens):
                    raise
                depth *= 2
                continue
            code, starts = control.finish()
            frame = plan.frame
            context_offset = -1 if frame.context_slot is None else slot_offset(frame.context_slot)
            function = FunctionCode(code, frame.words * SLOT_BYTES, control.bare, context_offset)
            polls = [(starts[cold.pieces], starts[back.pieces]) for cold, back in control.polls] if marked else []
            return function, Notes([starts[index] for index in marks.pieces], polls)


def _translate(control: Control, tokens: Sequence[bytes], marks: Marks | None) -> None:  # noqa: C901, PLR0912, PLR0915
    """Emit the body's pieces. One function, since a call per instruction would double the time; see the module."""
    meanings = control.meanings
    move = control.move
    out, stack = control.out, control.stack
    emit, push, pop = out.append, stack.append, stack.pop
    homes = control.homes
    handlers = HANDLERS
    temporaries, float_temporaries = control.temporaries, control.float_temporaries
    iterator: Iterator[bytes] = iter(tokens) if marks is None else marks
    last = None  # the memo that made the last piece, if that piece may be made again with another destination
    key: Any = ()
    for token in iterator:
        kind, what, more = meanings[token]
        if kind == GET:
            push(homes[what])
        elif kind == CONST:
            push(token)
        elif kind == BINARY:
            right = pop()
            left = pop()
            target = temporaries[len(stack)]
            key = (left, right, target)
            emit(what[key])
            push(target)
            last = what
        elif kind == UNARY:
            operand = pop()
            target = temporaries[len(stack)]
            key = (operand, target)
            emit(what[key])
            push(target)
            last = what
        elif kind == CONTROL:
            last = None
            handlers[what](control, more)
            if control.is_dead:
                control.skip(iterator)
        elif kind == SET or kind == TEE:  # noqa: PLR1714, SIM109 - faster than looking into a tuple
            home = homes[what]
            value = pop()
            if last is not None and value == key[-1]:
                if home in stack:
                    piece = out.pop()
                    control.detach(home)
                    emit(piece)
                    if marks is not None:
                        marks.pieces[-1] = len(out)  # the piece moved back, and still is the earlier token's
                out[-1] = last[(*key[:-1], home)]
            elif value != home:
                if home in stack:
                    control.detach(home)
                emit(move[value, home])
            if kind == TEE:
                push(home)
            last = None
        elif kind == STORE:
            value = pop()
            emit(what[pop(), value])
            last = None
        elif kind == COMPARE:
            right = pop()
            key = (right,) if more == 1 else (pop(), right)
            remaining = iterator.__length_hint__()  # type: ignore[attr-defined]
            following = tokens[-remaining]
            if following[0] in _FUSIBLE:
                is_negated = False
                while following[0] == _EQZ:
                    next(iterator)
                    is_negated = not is_negated
                    remaining -= 1
                    following = tokens[-remaining]
                control.pending = what, key, is_negated
                if following[0] in _FUSIBLE:
                    push(0)
                    last = None
                    continue
                target = temporaries[len(stack)]
                control.materialise(target)
                push(target)
                last = None
                continue
            target = temporaries[len(stack)]
            key = (*key, target)
            emit(what.value[key])
            push(target)
            last = what.value
        elif kind == NULLARY:
            target = temporaries[len(stack)]
            key = (target,)
            emit(what[key])
            push(target)
            last = what
        elif kind == BINARY_FLOAT:
            right = pop()
            left = pop()
            target = float_temporaries[len(stack)]
            key = (left, right, target)
            emit(what[key])
            push(target)
            last = what
        elif kind == UNARY_FLOAT:
            operand = pop()
            target = float_temporaries[len(stack)]
            key = (operand, target)
            emit(what[key])
            push(target)
            last = what
        elif kind == SHIFT_LEFT:
            right = pop()
            left = pop()
            addition, scaled = more
            if right in scaled and tokens[-iterator.__length_hint__()] == addition:  # type: ignore[attr-defined]
                next(iterator)
                what = scaled[right]
                left, right = pop(), left
            target = temporaries[len(stack)]
            key = (left, right, target)
            emit(what[key])
            push(target)
            last = what
        elif kind == SINK:
            emit(what[(pop(),)])
            last = None
        else:
            assert kind == NULLARY_FLOAT
            target = float_temporaries[len(stack)]
            key = (target,)
            emit(what[key])
            push(target)
            last = what
