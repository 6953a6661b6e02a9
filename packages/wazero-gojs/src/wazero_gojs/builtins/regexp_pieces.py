"""Pieces of programs, from which the parser of regular expressions puts larger ones together. Spec: ECMA-262, 22.2.2.

Jumps are relative, so a piece can be put anywhere. One that matches backwards, as all in a lookbehind, is made so from
the start: its parts are in reverse order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from . import regexp_matcher as op
from .regexp_classes import ALL, CharacterSet, Ranges, merged, one_of, run_of, set_of
from .regexp_matcher import Instruction

INFINITY: Final = (1 << 31) - 1
"""Rounds of a quantifier; larger numbers are the same, as in V8."""
_MAX_RANGES: Final = 32
"""Of a set of first characters that is put together from others; with more there is none."""
_MAX_CHOICES: Final = 32
"""Alternatives, up to which each knows what the rest may begin with."""


class Piece(NamedTuple):
    """Something that matches, forwards or backwards."""

    code: list[Instruction]
    can_be_empty: bool
    firsts: Ranges | None
    """What it may begin with, unless it is empty; None if that is not known, as if it goes backwards."""
    characters: Ranges | None = None
    """If it is one character and goes forwards: which ones."""


EMPTY: Final = Piece([], True, ())


class Bounds(NamedTuple):
    """A quantifier."""

    least: int
    most: int
    is_greedy: bool


def assertion(operation: int, a: Any = None, b: Any = None) -> Piece:
    """Something that takes no characters."""
    return Piece([(operation, a, b, None)], True, ())


def reference(group: int, canonical: Callable[[str], str] | None, is_backward: bool) -> Piece:
    """What a group has captured, once more."""
    return Piece([(op.REFERENCE, 2 * group, canonical, is_backward)], True, None)


def character(ranges: Ranges, is_backward: bool = False) -> Piece:
    """One character of a set."""
    code: Instruction
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        code = (op.BACK_LITERAL if is_backward else op.LITERAL, chr(ranges[0][0]), 1, None)
    else:
        code = (op.BACK_SET if is_backward else op.SET, set_of(ranges), None, None)
    known = None if is_backward else ranges
    return Piece([code], False, known, known)


def sequence(pieces: list[Piece], is_backward: bool) -> Piece:
    """One after the other."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return EMPTY
    code: list[Instruction] = []
    parts = _with_longer_texts([piece.code for piece in pieces])
    for part in reversed(parts) if is_backward else parts:
        _append(code, part)
    firsts: Ranges | None = ()
    for piece in pieces:
        firsts = _union((firsts, piece.firsts))
        if not piece.can_be_empty:
            break
    return Piece(code, all(piece.can_be_empty for piece in pieces), firsts)


def _with_longer_texts(parts: list[list[Instruction]]) -> list[list[Instruction]]:
    """The same, with texts that follow each other as one."""
    found: list[list[Instruction]] = []
    texts: list[str] = []
    for part in [*parts, []]:
        is_text = len(part) == 1 and part[0][0] in (op.LITERAL, op.BACK_LITERAL)
        if is_text:
            operation = part[0][0]
            texts.append(part[0][1])
            continue
        if texts:
            text = "".join(texts)
            found.append([(operation, text, len(text), None)])
            texts = []
        found.append(part)
    return found


def _append(code: list[Instruction], part: list[Instruction]) -> None:
    """Put a part behind others. Runs that are followed by a text look for it."""
    if code and part and part[0][0] == op.LITERAL:
        operation, a, b, c = code[-1]
        text = part[0][1]
        if operation == op.RUN and b < c:
            code[-1] = (op.RUN_TO, a, (b, c), text)
        elif _ends_lazily(code):
            characters: CharacterSet = code[-2][1]
            code[-3:] = [
                (op.JUMP, 2, None, None),
                (op.SET, characters, None, None),
                (op.LAZY_TO, run_of(characters.ranges).match, text, None),
            ]
    code += part


def _ends_lazily(code: list[Instruction]) -> bool:
    if len(code) < 3 or code[-1][:2] != (op.FORK, -1) or code[-2][0] != op.SET:
        return False
    return code[-3][:2] == (op.LEAP, 3)


def alternatives(pieces: list[Piece]) -> Piece:
    """One of them, the first that will do."""
    if len(pieces) == 1:
        return pieces[0]
    if all(piece.characters is not None for piece in pieces):
        return character(merged(tuple(pair for piece in pieces for pair in piece.characters or ())))
    code: list[Instruction] = []
    left = sum(len(piece.code) + 2 for piece in pieces[:-1]) + len(pieces[-1].code)
    for number, piece in enumerate(pieces[:-1], 1):
        rest = pieces[number:] if len(pieces) <= _MAX_CHOICES else []
        code.append((op.FORK, len(piece.code) + 2, _guard(piece), _guard(*rest)))
        code += piece.code
        left -= len(piece.code) + 2
        code.append((op.JUMP, left + 1, None, None))
    code += pieces[-1].code
    firsts = _union([piece.firsts for piece in pieces])
    return Piece(code, any(piece.can_be_empty for piece in pieces), firsts)


def _guard(*pieces: Piece) -> CharacterSet | None:
    """What the next character must be for one of these to match; None if it may be anything, or nothing."""
    if not pieces or any(piece.can_be_empty for piece in pieces):
        return None
    firsts = _union([piece.firsts for piece in pieces])
    return None if firsts is None else set_of(firsts)


def _union(sets: Sequence[Ranges | None]) -> Ranges | None:
    if None in sets:
        return None
    known = [ranges for ranges in sets if ranges]
    if len(known) <= 1:
        return known[0] if known else ()
    made = merged(tuple(pair for ranges in known for pair in ranges))
    return made if len(made) <= _MAX_RANGES else None


def group(number: int, piece: Piece, is_backward: bool) -> Piece:
    """A group that captures."""
    first, last = 2 * number, 2 * number + 1
    if is_backward:
        first, last = last, first
    code: list[Instruction] = [(op.SAVE, first, None, None), *piece.code, (op.SAVE, last, None, None)]
    return Piece(code, piece.can_be_empty, piece.firsts)


def look(piece: Piece, is_negative: bool, register: int) -> Piece:
    """A lookahead or lookbehind, which uses two registers."""
    code: list[Instruction]
    if is_negative:
        start = (op.NOT, register, len(piece.code) + 2, None)
        code = [start, *piece.code, (op.NOT_END, register, None, None)]
    else:
        code = [(op.LOOK, register, None, None), *piece.code, (op.LOOK_END, register, None, None)]
    return Piece(code, True, ())


def repeat(piece: Piece, bounds: Bounds, groups: tuple[int, int], register: int) -> Piece:
    """A quantifier, which uses two registers. `groups` are the first that is inside and the first that is not."""
    least, most, is_greedy = bounds
    if not most or not piece.code:
        return EMPTY
    if least == most == 1:
        return piece
    can_be_empty = piece.can_be_empty or not least
    if piece.characters is not None and (is_greedy or most in (least, INFINITY)):
        return Piece(_run(piece.characters, bounds), can_be_empty, piece.firsts)
    body = list(piece.code)
    if groups[0] < groups[1]:
        body.insert(0, (op.RESET, 2 * groups[0], 2 * groups[1], None))
    is_counted = bounds[:2] not in (
        ((0, 1), (0, INFINITY)) if piece.can_be_empty else ((0, 1), (0, INFINITY), (1, INFINITY))
    )
    if piece.can_be_empty:
        body.insert(0, (op.SAVE, register, None, None))
        body.append((op.CHECK, register, register + 1 if is_counted else None, least))
    if is_counted:
        return Piece(_counted(body, bounds, register + 1), can_be_empty, piece.firsts)
    guard = _guard(piece) if is_greedy else None
    return Piece(_uncounted(body, bounds, guard), can_be_empty, piece.firsts)


def _run(characters: Ranges, bounds: Bounds) -> list[Instruction]:
    """For one character of a set, over and over."""
    least, most, is_greedy = bounds
    match = run_of(characters).match
    if is_greedy or least == most:
        return [(op.RUN, match, least, most)]
    code: list[Instruction] = [(op.RUN, match, least, least)] if least else []
    return [*code, *_uncounted([(op.SET, set_of(characters), None, None)], Bounds(0, INFINITY, False), None)]


def _counted(body: list[Instruction], bounds: Bounds, register: int) -> list[Instruction]:
    length = len(body) + 3
    return [
        (op.ZERO, register, None, None),
        (op.LOOP, register, tuple(bounds), length),
        (op.COUNT, register, None, None),
        *body,
        (op.JUMP, 1 - length, None, None),
    ]


def _uncounted(body: list[Instruction], bounds: Bounds, guard: CharacterSet | None) -> list[Instruction]:
    """For the quantifiers that are one letter."""
    least, most, is_greedy = bounds
    length = len(body)
    again, enter = (op.LEAP, op.FORK) if is_greedy else (op.FORK, op.LEAP)
    code: list[Instruction] = list(body)
    if most == INFINITY:
        code.append((again, -length, guard, None))
    if not least:
        code.insert(0, (enter, len(code) + 1, guard, None))
    return code


def next_start(piece: Piece) -> Callable[[str, int], int]:
    """What finds the first position from one on where a piece may match; it gives -1 if there is none."""
    first: Instruction = next((each for each in piece.code if each[0] != op.SAVE), (op.MATCH, None, None, None))
    if first[0] == op.START:
        return lambda chars, position: -1 if position else 0
    if first[0] == op.LITERAL:
        text: str = first[1]
        return lambda chars, position: chars.find(text, position)
    if piece.can_be_empty or piece.firsts is None or piece.firsts == ALL:
        return lambda chars, position: position
    if not piece.firsts:
        return lambda chars, position: -1
    search = one_of(piece.firsts).search

    def find(chars: str, position: int) -> int:
        found = search(chars, position)
        return -1 if found is None else found.start()

    return find
