"""The operand stack as an automaton that is made while it runs.

A `State` is a stack of operand types within one control frame, and a dict from what may come next to the state after
it: an instruction's token, or a `shape` ("i32 i32 -> f32": pop these, push those) where the effect depends on the
function. What is not in the dict yet is worked out by the typing rules, once, and remembered by the dict: a body is
then checked by following ``state = state[token]``, and an ill-typed instruction can never be followed. Instructions
that open, close or leave control frames lead to None: the caller deals with them.

States form a trie (a push leads to a child, a pop to the parent), so equal stacks are one object, and a module needs
few: types matter, values do not. Where code cannot be reached, the bottom of the trie gives any operand asked for, as
the specification's stack-polymorphic typing wants (spec appendix 7.6, "Validation Algorithm").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, final

from wazero_api import InvalidModuleError, ValueType

MAX_HEIGHT: Final = 100_000
"""Operands in one control frame; a bound for hostile modules, far above what compilers emit."""

OperandType = ValueType | None
"""None: of any type, which only unreachable code can have."""

Key = bytes | str | ValueType | None
"""A token, a shape, or (within this module) the type that leads to a child state."""


class StateMaker(Protocol):
    """What states know of their `Automaton`."""

    size: int

    def step(self, state: State, key: bytes | str) -> State | None: ...


@final
class State(dict[Key, "State | None"]):
    """One stack of operand types; see the module. `is_dead`: it grows from unreachable code."""

    __slots__ = ("automaton", "below", "height", "is_dead", "top")

    def __init__(self, automaton: StateMaker, below: State | None, top: OperandType, is_dead: bool) -> None:
        self.automaton = automaton
        self.below = below
        self.top = top
        self.is_dead = is_dead
        self.height: int = 0 if below is None else below.height + 1

    def __missing__(self, key: bytes | str) -> State | None:
        following = self.automaton.step(self, key)
        self[key] = following
        return following

    def __hash__(self) -> int:  # type: ignore[override]  # dict sets it to None; a state is itself and no other
        return id(self)

    def push(self, type: OperandType) -> State:
        """The state with `type` on top."""
        child = self.get(type)
        if child is None:
            if self.height >= MAX_HEIGHT:
                raise InvalidModuleError(f"operand stack is higher than {MAX_HEIGHT}, the limit of this implementation")
            self.automaton.size += 1
            child = self[type] = State(self.automaton, self, type, self.is_dead)
        return child

    def take(self, expected: OperandType) -> State:
        """The state below, if what is on top is `expected` (None: whatever it is)."""
        if self.below is None:
            if self.is_dead:
                return self
            raise InvalidModuleError(f"type mismatch: expected {_name(expected)}, but the stack is empty")
        if expected is not None and self.top is not None and self.top != expected:
            raise InvalidModuleError(f"type mismatch: expected {_name(expected)}, but found {_name(self.top)}")
        return self.below

    def apply(self, params: Sequence[OperandType], results: Sequence[OperandType]) -> State:
        """Pop `params`, whose last is on top, then push `results`."""
        state = self
        for type in reversed(params):
            state = state.take(type)
        for type in results:
            state = state.push(type)
        return state


def _name(type: OperandType) -> str:
    return "any" if type is None else type.name
