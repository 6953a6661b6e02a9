"""Control instructions, calls, and all else that is not frequent.

Where control flow meets, values stand in fixed places: the value at depth d of the operand stack in temporary d of its
class, or in the frame. On the way into a block, operands below it go to the frame, so that every path through the block
leaves them alike. Constants are the same on all paths and stay names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, final

from wazero_api import FunctionType, TrapKind, ValueType
from wazero_jit.isa.interface import Isa, Memo
from wazero_jit.registers.operands import FLOAT, SLOT, Operand
from wazero_jit.registers.plan import FLOAT_CODES

from .frame import FramePlan
from .meanings import Call, Comparison, Meanings

Types = tuple[ValueType, ...]

_OPENING: Final = frozenset(b"\x02\x03\x04")
_ELSE: Final = 0x05
_END: Final = 0x0B
_FLOAT_CONSTS: Final = frozenset(b"\x43\x44")

_MANY_SLOTS: Final = 8
"""Locals from which on they are set to 0 by a loop."""


Pending = tuple[Comparison, tuple[Operand, ...], bool]
"""A comparison that the next instruction takes as it is: with its operands, and whether the opposite is meant."""


class Label:
    """A place in the code: how many pieces come before it. Forward ones are bound later."""

    pieces = -1


class ControlFrame(Label):
    """A block, loop, if, or the function; and the label that branches to it name.

    Most have nothing out of the ordinary, so that the defaults are the class's: translation makes thousands.
    """

    is_loop = False
    is_branched = False
    """Whether its end is jumped to."""
    alternative: Label | None = None
    """Of the ``else``, while it may still come."""
    snapshot: Sequence[Operand] = ()
    """Parameters of an ``if``, for its ``else``."""
    places: list[int] = []  # noqa: RUF012 - replaced, never changed
    """Where its label takes values."""

    def __init__(self, height: int, type: FunctionType) -> None:
        self.height = height
        self.type = type


@final
class Control:
    """The state of one translation besides the loop's own variables."""

    def __init__(self, type: FunctionType, plan: FramePlan, meanings: Meanings, isa: Isa) -> None:
        self.plan = plan
        self.meanings = meanings
        self.isa = isa
        self.move: Memo = isa.memo("move")
        self.out: list[bytes] = []
        self.stack: list[Operand] = []
        self.homes = plan.homes
        self.temporaries = plan.temporaries
        self.float_temporaries = plan.float_temporaries
        self.pending: Pending | None = None
        self.is_dead = False
        self.bare = 0
        self._epilogue = isa.epilogue(plan.frame)
        self._volatile = meanings.volatile
        self._spilled = range(plan.spills[0], plan.float_spills[-1] + 1)
        self._branches: list[tuple[int, Label]] = []
        """(pieces up to and with the branch piece, label)"""
        self._tables: list[tuple[int, list[Label]]] = []
        """(pieces before the table, labels)"""
        self.polls: list[tuple[Label, Label]] = []
        """(label of the out-of-line call, label to come back to)"""
        function = ControlFrame(0, FunctionType((), type.results))
        function.places = plan.result_places()
        self._frames = [function]

    # Labels

    def _bind(self, label: Label) -> None:
        label.pieces = len(self.out)

    def _emit_branch(self, piece: bytes, label: Label) -> None:
        self.out.append(piece)
        self._branches.append((len(self.out), label))

    def finish(self) -> tuple[bytes, list[int]]:
        """The code, and where each piece starts."""
        isa, out = self.isa, self.out
        for label, back in self.polls:
            self._bind(label)
            out.append(isa.poll_call())
            self._emit_branch(isa.jump(), back)
        starts = [0, *accumulate(map(len, out))]
        code = bytearray(b"".join(out))
        patch_branch = isa.patch_branch
        for pieces, label in self._branches:
            patch_branch(code, starts[pieces], starts[label.pieces])
        for pieces, targets in self._tables:
            isa.patch_table(code, starts[pieces], [starts[target.pieces] for target in targets])
        return bytes(code), starts

    # The function's begin

    def begin(self) -> None:
        """Make the frame, and bring parameters and locals home."""
        plan, isa = self.plan, self.isa
        prologue = isa.prologue(plan.frame, plan.has_calls)
        self.bare = prologue.bare
        if prologue.polls:
            self._emit_poll(prologue.code)
        else:
            self.out.append(prologue.code)
        self.out.append(isa.after_prologue(plan.frame))
        params = plan.type.params
        for index in range(len(params)):
            self._move(plan.param_place(index), self.homes[index])
        self._zero_locals(range(len(params), len(plan.locals)))

    def _emit_poll(self, branch_piece: bytes) -> None:
        cold, back = Label(), Label()
        self._emit_branch(branch_piece, cold)
        self._bind(back)
        self.polls.append((cold, back))

    def _zero_locals(self, indices: Sequence[int]) -> None:
        slots = [self.homes[index] for index in indices if self.homes[index] >= SLOT]
        if len(slots) >= _MANY_SLOTS:
            self.out.append(self.isa.zero_slots(slots))
            indices = [index for index in indices if self.homes[index] < SLOT]
        for index in indices:
            self._move(_ZEROS[FLOAT <= self.homes[index] < SLOT], self.homes[index])

    # Operands

    def _move(self, source: Operand, target: int) -> None:
        if source != target:
            self.out.append(self.move[source, target])

    def _is_float(self, operand: Operand) -> bool:
        if isinstance(operand, bytes):
            return operand[0] in _FLOAT_CONSTS
        return FLOAT <= operand < SLOT or operand in self.plan.float_slots

    def detach(self, home: int) -> None:
        """Give operands that are names of a local values of their own, since the local is about to change."""
        registers = self.float_temporaries if self._is_float(home) else self.temporaries
        for depth, operand in enumerate(self.stack):
            if operand == home:
                self._move(home, registers[depth])
                self.stack[depth] = registers[depth]

    def _spill(self, depth: int, operand: Operand) -> None:
        slot = (self.plan.float_spills if self._is_float(operand) else self.plan.spills)[depth]
        self._move(operand, slot)
        self.stack[depth] = slot

    def _flush(self, count: int) -> None:
        """Bring the lowest `count` operands to where all paths expect them."""
        for depth in range(count):
            operand = self.stack[depth]
            if not isinstance(operand, bytes) and operand not in self._spilled:
                self._spill(depth, operand)

    def _place(self, depth: int, type: ValueType) -> int:
        return (self.float_temporaries if type.code in FLOAT_CODES else self.temporaries)[depth]

    def _places(self, height: int, types: Types) -> list[int]:
        return [self._place(height + index, type) for index, type in enumerate(types)]

    def _settle(self, places: list[int]) -> None:
        """Move the topmost operands to `places`; the operands stay as they are.

        In ascending order no move destroys what a later one needs: each place belongs to an operand at the same depth
        or deeper.
        """
        if places:
            for operand, place in zip(self.stack[-len(places) :], places, strict=True):
                self._move(operand, place)

    # Conditions

    def materialise(self, target: int) -> None:
        """Make the pending comparison a number."""
        assert self.pending is not None
        comparison, key, is_negated = self.pending
        self.pending = None
        self.out.append(comparison.value[(*key, target)])
        if is_negated:
            self.out.append(self.isa.memo("i32.eqz")[target, target])

    def _condition(self) -> Pending:
        """Take the condition off the stack."""
        operand = self.stack.pop()
        pending, self.pending = self.pending, None
        return (self.meanings.truth, (operand,), False) if pending is None else pending

    def _branch(self, condition: Pending, label: Label, when: bool) -> None:
        comparison, key, is_negated = condition
        memo = comparison.branch_if if when != is_negated else comparison.branch_unless
        out = self.out
        out.append(memo[key])
        self._branches.append((len(out), label))

    def do_select(self, _: Any) -> None:
        comparison, key, is_negated = self._condition()
        otherwise = self.stack.pop()
        chosen = self.stack.pop()
        if is_negated:
            chosen, otherwise = otherwise, chosen
        registers = self.float_temporaries if self._is_float(chosen) else self.temporaries
        target = registers[len(self.stack)]
        if comparison is self.meanings.truth:
            self.out.append(comparison.select[chosen, otherwise, key[0], target])
        else:
            self.out.append(comparison.select[(*key, chosen, otherwise, target)])
        self.stack.append(target)

    # Blocks

    def _open(self, type: FunctionType) -> ControlFrame:
        height = len(self.stack) - len(type.params)
        if height:
            self._flush(height)
        frame = ControlFrame(height, type)
        if type.results:
            frame.places = self._places(height, type.results)
        self._frames.append(frame)
        return frame

    def do_block(self, type: FunctionType) -> None:
        self._open(type)

    def do_loop(self, type: FunctionType) -> None:
        frame = self._open(type)
        frame.is_loop = True
        frame.places = self._places(frame.height, type.params)
        self._settle(frame.places)
        self.stack[frame.height :] = frame.places
        self._bind(frame)
        self._emit_poll(self.isa.poll_check())

    def do_if(self, type: FunctionType) -> None:
        condition = self._condition()
        frame = self._open(type)
        frame.alternative = Label()
        frame.snapshot = self.stack[frame.height :]
        self._branch(condition, frame.alternative, when=False)

    def do_else(self, _: Any) -> None:
        self._begin_alternative(self._frames[-1])

    def _begin_alternative(self, frame: ControlFrame) -> None:
        assert frame.alternative is not None
        if not self.is_dead:
            self._settle(frame.places)
            self._emit_branch(self.isa.jump(), frame)
            frame.is_branched = True
        self._bind(frame.alternative)
        frame.alternative = None
        self.stack[frame.height :] = frame.snapshot
        self.is_dead = False

    def do_end(self, _: Any) -> None:
        if len(self._frames) == 1:
            self._end_function()
            return
        frame = self._frames.pop()
        if frame.is_loop:
            return
        if frame.alternative is not None:
            self._end_if(frame)
        elif frame.is_branched:
            if not self.is_dead:
                self._settle(frame.places)
            self._bind(frame)
            self.stack[frame.height :] = frame.places
            self.is_dead = False

    def _end_if(self, frame: ControlFrame) -> None:
        """The end of an ``if`` without ``else``: its parameters are the results if the condition does not hold."""
        assert frame.alternative is not None
        if frame.type.results:
            self._begin_alternative(frame)
            self._settle(frame.places)
            self._bind(frame)
            self.stack[frame.height :] = frame.places
            return
        self._bind(frame.alternative)
        self._bind(frame)
        del self.stack[frame.height :]
        self.is_dead = False

    def _end_function(self) -> None:
        frame = self._frames[0]
        if not self.is_dead:
            self._settle(frame.places)
        if frame.is_branched or not self.is_dead:
            self._bind(frame)
            self.out.append(self._epilogue)
        self.is_dead = False

    def skip(self, iterator: Iterator[bytes]) -> None:
        """Pass over instructions that cannot be reached."""
        nesting = 0
        for token in iterator:
            byte = token[0]
            if byte in _OPENING:
                nesting += 1
            elif byte == _END:
                if nesting:
                    nesting -= 1
                    continue
                self.do_end(None)
            elif byte == _ELSE and not nesting:
                self.do_else(None)
            if not self.is_dead:
                return

    # Branches

    def _jump(self, frame: ControlFrame) -> None:
        """Go to the label with the values on the stack, which stay there."""
        self._settle(frame.places)
        if frame is self._frames[0]:
            self.out.append(self._epilogue)
            return
        frame.is_branched = True
        self._emit_branch(self.isa.jump(), frame)

    def do_br(self, depth: int) -> None:
        self._jump(self._frames[~depth])
        self.is_dead = True

    def do_return(self, _: Any) -> None:
        self._jump(self._frames[0])
        self.is_dead = True

    def do_br_if(self, depth: int) -> None:
        frame = self._frames[~depth]
        condition = self._condition()
        count = len(frame.places)
        if count and self.stack[-count:] != frame.places:
            if frame is self._frames[0] or frame.height + count != len(self.stack):
                passed = Label()
                self._branch(condition, passed, when=False)
                self._jump(frame)
                self._bind(passed)
                return
            self._settle(frame.places)
            self.stack[-count:] = frame.places
        frame.is_branched = True
        self._branch(condition, frame, when=True)

    def do_br_table(self, depths: tuple[int, ...]) -> None:
        index = self.stack.pop()
        stubs: dict[int, Label] = {}
        """Labels by depth: of code that settles the values first, or the targets themselves."""
        for depth in dict.fromkeys(depths):
            frame = self._frames[~depth]
            frame.is_branched = True
            stubs[depth] = Label() if frame.places else frame
        check, dispatch = self.isa.table_branch(index, len(depths) - 1)
        self._emit_branch(check, stubs[depths[-1]])
        self.out.append(dispatch)
        self._tables.append((len(self.out), [stubs[depth] for depth in depths[:-1]]))
        self.out.append(bytes(4 * (len(depths) - 1)))
        for depth, label in stubs.items():
            if self._frames[~depth].places:
                self._bind(label)
                self._jump(self._frames[~depth])
        self.is_dead = True

    # Calls

    def do_call(self, call: Call) -> None:
        stack, out, move = self.stack, self.out, self.move
        index = stack.pop() if call.is_indirect else 0
        stack.extend(call.constants)
        base = len(stack) - len(call.arguments)
        for depth in range(base):
            if stack[depth] in self._volatile:
                self._spill(depth, stack[depth])
        for operand, place in zip(stack[base:], call.arguments, strict=True):
            if operand != place:
                out.append(move[operand, place])
        del stack[base:]
        code = call.code
        out.append(code if isinstance(code, bytes) else code(self._context_slot, index))
        if call.results:
            targets = self._places(base, call.type.results)
            for place, target in zip(reversed(call.results), reversed(targets), strict=True):
                self._move(place, target)
            stack.extend(targets)

    @property
    def _context_slot(self) -> int:
        slot = self.plan.frame.context_slot
        assert slot is not None, "the plan knows of all calls"
        return slot

    # The rest

    def do_unreachable(self, _: Any) -> None:
        self.out.append(self.isa.trap(TrapKind.UNREACHABLE))
        self.is_dead = True

    def do_nop(self, _: Any) -> None:
        pass

    def do_drop(self, _: Any) -> None:
        self.stack.pop()


HANDLERS: Final[dict[str, Callable[[Control, Any], None]]] = {
    "unreachable": Control.do_unreachable,
    "nop": Control.do_nop,
    "block": Control.do_block,
    "loop": Control.do_loop,
    "if": Control.do_if,
    "else": Control.do_else,
    "end": Control.do_end,
    "br": Control.do_br,
    "br_if": Control.do_br_if,
    "br_table": Control.do_br_table,
    "return": Control.do_return,
    "call": Control.do_call,
    "drop": Control.do_drop,
    "select": Control.do_select,
    "select t*": Control.do_select,
}
"""By the name in a meaning of kind CONTROL."""

_ZEROS: Final = (b"\x42\x00", b"\x44" + bytes(8))
"""Constants of 0 for general and float registers."""
