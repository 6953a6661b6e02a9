"""A function's frame and the homes of its locals, fixed before the first instruction is translated.

Slots from the stack pointer up: outgoing area | locals | spilled operands, general then float | saved pins | context.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, final

from wazero_api import FunctionType, ValueType
from wazero_jit.isa.interface import Frame
from wazero_jit.registers.operands import SLOT
from wazero_jit.registers.plan import FLOAT_CODES, RegisterPlan

from .immediates import leb
from .meanings import Meanings

_LOCAL_GET: Final = 0x20
_LOCAL_TEE: Final = 0x22
_CALLS: Final = frozenset(b"\x10\x11\x40\xfc")
"""First bytes of all that may become a call: call, call_indirect, memory.grow, and the bulk instructions."""
_LOOP: Final = 0x03

_STRUCTURE: Final = re.compile(rb"[\x02-\x04\x0b]")
"""First bytes of what opens and closes blocks."""
_LOOP_WEIGHT: Final = 8
_MAX_NESTING: Final = 3
"""Loops nested deeper weigh no more: bounds the work for hostile code."""
_WHOLE_FUNCTION: Final = 0.9
"""Loops around more than this part of a function say nothing about its parts: Go wraps all its functions in one."""
_WORTH_A_PIN: Final = 3
"""Accesses from which on a pin, which is saved and restored, is cheaper than a slot."""


@final
class FramePlan:
    """Operand ids of everything that has a fixed place. `depth`: operands for which there are slots."""

    def __init__(
        self,
        type: FunctionType,
        local_types: Sequence[ValueType],
        tokens: Sequence[bytes],
        counts: Counter[bytes],
        meanings: Meanings,
        plan: RegisterPlan,
        depth: int,
    ) -> None:
        self.type = type
        self.plan = plan
        self.locals = local_types
        calls = [token for token in counts if token[0] in _CALLS]
        self.has_calls = bool(calls)
        for token in calls:
            meanings[token]  # the look-up makes it, and with it the facts that follow
        self.area = max([meanings.area_words.get(token, 0) for token in calls], default=0)
        has_switch = not meanings.switches.isdisjoint(calls)
        pins = self._choose_pins(_weights(tokens, counts))
        self._place_locals(pins)
        self._place_operands(depth)
        saves = tuple([(pin, self._new_slot()) for pin in sorted(pins.values())])
        context_slot = self._new_slot() if has_switch else None
        words = self._next_slot - SLOT
        padding = -(words + 1) % plan.frame_unit
        self.frame = Frame(words + padding, saves, context_slot)
        self._place_memory_params()

    def _new_slot(self) -> int:
        self._next_slot += 1
        return self._next_slot - 1

    def _choose_pins(self, weights: Mapping[int, int]) -> dict[int, int]:
        """From local to register, the most used first."""
        free = list(reversed(self.plan.pins))
        free_floats = list(reversed(self.plan.float_pins))
        pins = {}
        for local in sorted(weights, key=weights.__getitem__, reverse=True):
            if weights[local] < _WORTH_A_PIN:
                break
            registers = free_floats if self.locals[local].code in FLOAT_CODES else free
            if registers:
                pins[local] = registers.pop()
        return pins

    def _place_locals(self, pins: dict[int, int]) -> None:
        self._next_slot = SLOT + self.area
        params = self.type.params
        results_in_memory = any(
            self.plan.temporary(index, result) is None for index, result in enumerate(self.type.results)
        )
        self.homes: list[int] = []
        self._memory_params: list[int] = []
        """Parameters that stay where the caller put them."""
        for index, type in enumerate(self.locals):
            if index in pins:
                home = pins[index]
            elif index < len(params) and self.plan.temporary(index, type) is None and not results_in_memory:
                home = SLOT
                self._memory_params.append(index)
            else:
                home = self._new_slot()
            self.homes.append(home)

    def _place_operands(self, depth: int) -> None:
        plan = self.plan
        first = self._next_slot
        self._next_slot += 2 * depth
        self.spills = list(range(first, first + depth))
        self.float_spills = list(range(first + depth, self._next_slot))
        self.temporaries = [*plan.temporaries, *self.spills[len(plan.temporaries) :]]
        self.float_temporaries = [*plan.float_temporaries, *self.float_spills[len(plan.float_temporaries) :]]

    def _place_memory_params(self) -> None:
        for index in self._memory_params:
            self.homes[index] = self.incoming(index)
        homes = zip(self.homes, self.locals, strict=True)
        slots = [home for home, type in homes if home >= SLOT and type.code in FLOAT_CODES]
        self.float_slots = frozenset([*self.float_spills, *slots])
        """Slots that hold floats; all others hold integers or references."""

    def incoming(self, index: int) -> int:
        """Slot in the caller's outgoing area."""
        return SLOT + self.frame.words + 1 + index

    def param_place(self, index: int) -> int:
        """Where a parameter is when the function begins."""
        register = self.plan.temporary(index, self.type.params[index])
        return self.incoming(index) if register is None else register

    def result_places(self) -> list[int]:
        """Where the results are when the function ends."""
        places = []
        for index, type in enumerate(self.type.results):
            register = self.plan.temporary(index, type)
            places.append(self.incoming(index) if register is None else register)
        return places


def _weights(tokens: Sequence[bytes], counts: Counter[bytes]) -> Mapping[int, int]:
    """How often each local is accessed, more inside of loops."""
    weights: Counter[int] = Counter()
    _add(weights, counts, 1)
    loops = [token for token in counts if token[0] == _LOOP]
    if loops and not _is_one_around_all(loops, tokens, counts):
        weight = 1
        for level in _loops(tokens):
            for start, stop in level:
                _add(weights, Counter(tokens[start:stop]), weight * (_LOOP_WEIGHT - 1))
            weight *= _LOOP_WEIGHT
    return weights


def _is_one_around_all(loops: list[bytes], tokens: Sequence[bytes], counts: Counter[bytes]) -> bool:
    """Whether there is just one loop, which starts so early that it is most likely around the whole function."""
    if len(loops) > 1 or counts[loops[0]] > 1:
        return False
    return tokens.index(loops[0]) < len(tokens) * (1 - _WHOLE_FUNCTION)


def _add(weights: Counter[int], counts: Counter[bytes], weight: int) -> None:
    for token, count in counts.items():
        if _LOCAL_GET <= token[0] <= _LOCAL_TEE:
            local = token[1] if len(token) == 2 else leb(token, 1)[0]
            weights[local] += count * weight


def _loops(tokens: Sequence[bytes]) -> list[list[tuple[int, int]]]:
    """Ranges of the loops, by how many loops they are nested in."""
    levels: list[list[tuple[int, int]]] = [[] for _ in range(_MAX_NESTING)]
    opened: list[int | None] = [None]
    nesting = 0
    whole = len(tokens) * _WHOLE_FUNCTION
    codes = bytes([token[0] for token in tokens])
    for match in _STRUCTURE.finditer(codes):
        position = match.start()
        byte = codes[position]
        if byte == _LOOP:
            opened.append(position)
            nesting += 1
        elif byte != 0x0B:
            opened.append(None)
        else:
            start = opened.pop()
            if start is not None:
                nesting -= 1
                if nesting < _MAX_NESTING and position - start < whole:
                    levels[nesting].append((start, position))
    return levels
