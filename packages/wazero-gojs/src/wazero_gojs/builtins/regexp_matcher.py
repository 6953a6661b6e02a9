"""Runs the program of a regular expression: backtracking, as ECMA-262, 22.2.2 has it, without Python's own stack.

A program is a list of instructions (operation, a, b, c). Registers hold what groups have captured, and what loops and
lookarounds count with. What is to be tried if all else fails lies on a stack of (pc, position, low): go on there, and if
`position` is above `low`, next time one character before; a negative pc is no choice but says that register ``~pc`` was
`position` before. So going back undoes everything on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wazero_gojs.model.utf16 import rfind
from wazero_gojs.model.values import throw_range_error

from .regexp_classes import LINE_END_LETTERS

if TYPE_CHECKING:
    import re

Instruction = tuple[int, Any, Any, Any]

(
    SET,  # a: CharacterSet
    LITERAL,  # a: text, b: its length
    RUN,  # as many as there are. a: match of `re`, b: at least, c: at most
    RUN_TO,  # the same, up to where a text follows. a: match of `re`, b: (at least, at most), c: text
    LAZY_TO,  # as few as there are up to a text. a: match of `re`, b: text; one before is what takes one more
    FORK,  # this way, else over there. a: offset, b: CharacterSet this way needs, c: the one that over there needs
    LEAP,  # over there, else this way. a: offset, b: CharacterSet that over there needs
    JUMP,  # a: offset
    SAVE,  # a: register that becomes the position
    RESET,  # registers of groups that become unset. a: the first, b: the first that does not
    CHECK,  # that something was matched. a: register of the position before, b: of rounds, or None, c: rounds that need not
    ZERO,  # a: register
    LOOP,  # one more round? a: register, b: (at least, at most, greedy), c: offset of the end
    COUNT,  # a: register
    START,  # of the text
    END,
    LINE_START,
    LINE_END,
    WORD,  # whether this is where a word starts or ends. a: CharacterSet of words, b: whether it should
    REFERENCE,  # a: register, b: what makes characters the same, or None, c: backwards
    BACK_SET,
    BACK_LITERAL,
    LOOK,  # a: two registers from here on
    LOOK_END,
    NOT,  # a: register, b: offset of what follows
    NOT_END,
    MATCH,
) = range(27)

_STEPS: Final = 4096
"""Between two polls: entries on the stack, going back, and rounds of loops. What is between these is as long as the
program at most."""
_MAX_STACK: Final = 1 << 20
"""Entries, which take some 100 bytes each."""
_SCAN_SHIFT: Final = 8
"""Characters that C code looks at count as steps, divided by 2 to the power of this."""


class Program(NamedTuple):
    """A regular expression, ready to run."""

    code: list[Instruction]
    registers: int
    groups: int
    """With the whole match."""
    names: dict[str, int]
    """Numbers of groups by their names."""
    is_unicode: bool
    next_start: Callable[[str, int], int]
    """The first position from one on where there may be a match; -1 if there is none."""


def find(  # noqa: C901, PLR0912, PLR0915 - one loop, as a call for each instruction would double the time
    program: Program, chars: str, start: int, is_sticky: bool, poll: Callable[[], object]
) -> list[int] | None:
    """Where the first match from `start` on is, or the one there if sticky: start and end of all groups, -1 if unset.

    Calls `poll` now and then, whose exceptions end this. Throws a RangeError if there is too much to go back to.
    """
    code, next_start = program.code, program.next_start
    size = len(chars)
    startswith = chars.startswith
    registers = [-1] * program.registers
    stack: list[tuple[int, int, int]] = []
    push, pop = stack.append, stack.pop
    budget = _STEPS
    position = start if is_sticky else next_start(chars, start)
    if not 0 <= position <= size:
        return None
    start = position
    pc = 0
    while True:
        operation, a, b, c = code[pc]
        if operation == SET:
            if position < size and a[chars[position]]:
                position += 1
                pc += 1
                continue
        elif operation == LITERAL:
            if startswith(a, position):
                position += b
                pc += 1
                continue
        elif operation == RUN:
            end = a(chars, position, position + c).end()
            budget -= 1 + (end - position >> _SCAN_SHIFT)
            low = position + b
            if end >= low:
                pc += 1
                if end > low:
                    push((pc, end - 1, low))
                position = end
                continue
        elif operation == FORK:
            budget -= 1
            if b is None:
                push((pc + a, position, position))
                pc += 1
            elif position < size and b[chars[position]]:
                if c is None or c[chars[position]]:
                    push((pc + a, position, position))
                pc += 1
            else:
                pc += a
            if budget > 0:
                continue
            budget = _rest(stack, poll)
            continue
        elif operation == LEAP:
            budget -= 1
            pc += 1
            if b is None or (position < size and b[chars[position]]):
                push((pc, position, position))
                pc += a - 1
            if budget > 0:
                continue
            budget = _rest(stack, poll)
            continue
        elif operation == JUMP:
            pc += a
            continue
        elif operation == SAVE:
            budget -= 1
            push((~a, registers[a], 0))
            registers[a] = position
            pc += 1
            continue
        elif operation == RUN_TO:
            least, most = b
            end = a(chars, position, position + most).end()
            budget -= 1 + (end - position >> _SCAN_SHIFT)
            low = position + least
            position = rfind(chars, c, low, end + len(c))
            if position >= 0:
                pc += 1
                if position > low:
                    push((pc, position - 1, low))
                continue
        elif operation == LAZY_TO:
            end = _next(a, chars, position, b)
            if end >= 0:
                budget -= 1 + (end - position >> _SCAN_SHIFT)
                position = end
                push((pc - 1, position, position))
                pc += 1
                continue
            budget += end >> _SCAN_SHIFT
        elif operation == MATCH:
            registers[0], registers[1] = start, position
            return registers[: 2 * program.groups]
        elif operation == RESET:
            budget -= b - a
            for register in range(a, b):
                if registers[register] >= 0:
                    push((~register, registers[register], 0))
                    registers[register] = -1
            pc += 1
            continue
        elif operation == CHECK:
            if position != registers[a] or (b is not None and registers[b] <= c):
                pc += 1
                continue
        elif operation == LOOP:
            rounds = registers[a]
            least, most, is_greedy = b
            budget -= 1
            if budget < 0:
                budget = _rest(stack, poll)
            if rounds >= most:
                pc += c
                continue
            pc += 1
            if rounds >= least:
                if is_greedy:
                    push((pc + c - 1, position, position))
                else:
                    push((pc, position, position))
                    pc += c - 1
            continue
        elif operation == COUNT:
            budget -= 1
            push((~a, registers[a], 0))
            registers[a] += 1
            pc += 1
            continue
        elif operation == ZERO:
            budget -= 1
            push((~a, registers[a], 0))
            registers[a] = 0
            pc += 1
            continue
        elif operation == START:
            if not position:
                pc += 1
                continue
        elif operation == END:
            if position == size:
                pc += 1
                continue
        elif operation == WORD:
            before = position > 0 and a[chars[position - 1]]
            if (before != (position < size and a[chars[position]])) is b:
                pc += 1
                continue
        elif operation == LINE_START:
            if not position or chars[position - 1] in LINE_END_LETTERS:
                pc += 1
                continue
        elif operation == LINE_END:
            if position == size or chars[position] in LINE_END_LETTERS:
                pc += 1
                continue
        elif operation == REFERENCE:
            first, end = registers[a], registers[a + 1]
            if first < 0 or end < 0:
                pc += 1
                continue
            width = end - first
            budget -= width >> _SCAN_SHIFT
            at = position - width if c else position
            if 0 <= at <= size - width and _same(chars, first, at, width, b, poll):
                position = at if c else at + width
                pc += 1
                continue
        elif operation == BACK_SET:
            if position and a[chars[position - 1]]:
                position -= 1
                pc += 1
                continue
        elif operation == BACK_LITERAL:
            if position >= b and startswith(a, position - b):
                position -= b
                pc += 1
                continue
        elif operation == LOOK:
            budget -= 2
            push((~a, registers[a], 0))
            push((~a - 1, registers[a + 1], 0))
            registers[a], registers[a + 1] = position, len(stack)
            pc += 1
            continue
        elif operation == LOOK_END:
            # What it has found stays; other ways to find it are gone.
            position, height = registers[a], registers[a + 1]
            budget -= len(stack) - height >> 2
            stack[height:] = [entry for entry in stack[height:] if entry[0] < 0]
            pc += 1
            continue
        elif operation == NOT:
            budget -= 2
            push((~a, registers[a], 0))
            registers[a] = len(stack)
            push((pc + b, position, position))
            pc += 1
            continue
        else:  # NOT_END: what follows is not to be tried, so all goes back to before
            height = registers[a]
            while len(stack) > height:
                pc, low, _ = pop()
                if pc < 0:
                    registers[~pc] = low

        # It does not match: go back to the last choice.
        budget -= 1
        if budget < 0:
            budget = _rest(stack, poll)
        while stack:
            pc, position, low = pop()
            if pc >= 0:
                if position > low:
                    push((pc, position - 1, low))
                break
            registers[~pc] = position
        else:
            position = -1 if is_sticky or start >= size else next_start(chars, start + 1)
            if position < 0:
                return None
            start = position
            pc = 0


def _rest(stack: list[tuple[int, int, int]], poll: Callable[[], object]) -> int:
    """Look whether this may go on; for how many steps."""
    if len(stack) > _MAX_STACK:
        throw_range_error("Maximum call stack size exceeded")
    poll()
    return _STEPS


def _next(match: Callable[..., re.Match[str]], chars: str, position: int, text: str) -> int:
    """Where a text is next with nothing but a run before it; if it is not, as a negative number how much was looked at."""
    # By pieces that grow: neither the run nor the text may be looked for far beyond where the other one ends.
    end, width = position, 64
    while True:
        limit = end + width
        start = end
        end = match(chars, start, limit).end()
        at = chars.find(text, start, end + len(text))
        if at >= 0:
            return at
        if end < limit:
            return position - end - 1
        width *= 4


def _same(
    chars: str, first: int, second: int, width: int, canonical: Callable[[str], str] | None, poll: Callable[[], object]
) -> bool:
    """Whether two parts of a text are the same."""
    for at in range(0, width, _STEPS):
        end = min(at + _STEPS, width)
        one, other = chars[first + at : first + end], chars[second + at : second + end]
        if one != other and (canonical is None or list(map(canonical, one)) != list(map(canonical, other))):
            return False
        if canonical is not None:
            poll()
    return True
