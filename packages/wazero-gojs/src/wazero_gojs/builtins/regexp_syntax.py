"""The parser of regular expressions, which makes programs of them. Spec: ECMA-262, 22.2.1 and B.1.2."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from operator import itemgetter
from typing import Final, NamedTuple, final

from wazero_gojs.model import utf16

from . import regexp_matcher as op
from . import regexp_pieces as pieces
from .regexp_case import canonicalize
from .regexp_classes import ALL, LINE_ENDS, CharacterSet, Ranges, complement, set_of
from .regexp_matcher import Program
from .regexp_pieces import INFINITY, Bounds, Piece
from .regexp_reader import PatternError, Reader
from .regexp_sets import Class, read_class
from .regexp_text import units_of

MAX_PATTERN: Final = 1 << 17
"""Characters."""
_MAX_DEPTH: Final = 1000
"""Of groups in groups: what is inside is copied as often."""
_MAX_RANGES: Final = 1 << 18
"""Of all different sets of characters together, as a few letters can stand for hundreds of ranges."""
_MAX_GROUPS: Final = (1 << 15) - 1
_REMEMBERED: Final = 1 << 10
"""Characters of patterns that are kept."""
_BETWEEN_POLLS: Final = 64
"""Terms."""

_QUANTIFIER: Final = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_INTEGER: Final = re.compile("[1-9][0-9]*")
_GROUP: Final = re.compile(r"\((?!\?)|\(\?<(?![=!])|\\.|\[(?:\\.|[^\]\\])*\]?", re.DOTALL)
_SIMPLE: Final = {"*": (0, INFINITY), "+": (1, INFINITY), "?": (0, 1)}
_NOT_LINE_END: Final = complement(LINE_ENDS)


def compile_pattern(source: str, flags: str, poll: Callable[[], object]) -> Program:
    """The program of a pattern. Raises PatternError. Calls `poll` now and then."""
    if len(source) <= _REMEMBERED:
        return _remembered(source, flags)
    return _compile(source, flags, poll)


@lru_cache(maxsize=128)
def _remembered(source: str, flags: str) -> Program:
    # What scripts spell out is made anew each time.
    return _compile(source, flags, bool)


def _compile(source: str, flags: str, poll: Callable[[], object]) -> Program:
    if len(source) > MAX_PATTERN:
        raise PatternError("Regular expression too large")
    try:
        return _Parser(source, flags, poll).parse()
    except RecursionError:
        raise PatternError("Regular expression too large") from None


class _Kind(NamedTuple):
    """What parentheses do."""

    captures: bool = False
    looks: bool = False
    is_negative: bool = False
    is_backward: bool = False


_PLAIN: Final = _Kind()
_CAPTURE: Final = _Kind(captures=True)
_KINDS: Final = {
    "(?:": _PLAIN,
    "(?=": _Kind(looks=True),
    "(?!": _Kind(looks=True, is_negative=True),
    "(?<=": _Kind(looks=True, is_backward=True),
    "(?<!": _Kind(looks=True, is_negative=True, is_backward=True),
}


@final
class _Level:
    """Parentheses that are open, or all of the pattern."""

    def __init__(self, kind: _Kind, is_backward: bool, group: int) -> None:
        self.kind = kind
        self.is_backward = is_backward
        """How what is inside goes."""
        self.group = group
        """The number of the group, or of the next one."""
        self.name = ""
        self.alternatives: list[Piece] = []
        self.terms: list[Piece] = []

    def end_alternative(self) -> None:
        self.alternatives.append(pieces.sequence(self.terms, self.is_backward))
        self.terms = []

    def end(self) -> Piece:
        self.end_alternative()
        return pieces.alternatives(self.alternatives)


@final
class _Parser:
    """Reads one pattern from left to right. Levels are a list, so that nesting takes nothing of Python's stack."""

    def __init__(self, source: str, flags: str, poll: Callable[[], object]) -> None:
        self._poll = poll
        reader = self._reader = Reader(source, flags)
        if not reader.is_unicode and not utf16.is_simple(source):
            reader.source = units_of(source)
        self._is_multiline = "m" in flags
        self._any = ALL if "s" in flags else _NOT_LINE_END
        self._canonical = partial(canonicalize, is_unicode=reader.is_unicode) if reader.is_caseless else None
        self._names: dict[str, int] = {}
        self._wanted: set[str] = set()
        self._name_starts: dict[int, int] = {}
        """Where the names of groups are, by their numbers."""
        self._all_names: dict[str, int] | None = None
        self._sets: dict[int, CharacterSet] = {}
        self._room = _MAX_RANGES
        self._groups = 1
        self._total = 1 + self._count_groups()
        self._registers = 2 * self._total
        self._levels = [_Level(_PLAIN, False, 1)]

    def _count_groups(self) -> int:
        count = 0
        for found in _GROUP.finditer(self._reader.source):
            if found[0][0] == "(":
                count += 1
                if found[0] != "(":
                    self._reader.has_names = True
                    self._name_starts[count] = found.end()
        return count

    def parse(self) -> Program:
        reader = self._reader
        size = len(reader.source)
        budget = _BETWEEN_POLLS
        while reader.at < size:
            self._take_term(reader.source[reader.at])
            budget -= 1
            if not budget:
                budget = _BETWEEN_POLLS
                self._poll()
        if len(self._levels) > 1:
            reader.fail("Unterminated group")
        if not self._wanted <= self._names.keys():
            reader.fail("Invalid named capture referenced")
        piece = self._levels[0].end()
        code = [*piece.code, (op.MATCH, None, None, None)]
        next_start = pieces.next_start(piece)
        names = dict(sorted(self._names.items(), key=itemgetter(1)))
        return Program(code, self._registers, self._groups, names, reader.is_unicode, next_start)

    def _take_term(self, letter: str) -> None:
        reader, level = self._reader, self._levels[-1]
        if letter == "(":
            self._open_group()
        elif letter == ")":
            self._close_group()
        elif letter == "\\":
            self._take_escape()
        elif letter in "*+?" or (letter == "{" and _QUANTIFIER.match(reader.source, reader.at)):
            reader.fail("Nothing to repeat")
        elif letter in "{}]" and reader.is_unicode:
            reader.fail("Lone quantifier brackets")
        else:
            reader.at += 1
            if letter == "|":
                level.end_alternative()
            elif letter == "^":
                level.terms.append(pieces.assertion(op.LINE_START if self._is_multiline else op.START))
            elif letter == "$":
                level.terms.append(pieces.assertion(op.LINE_END if self._is_multiline else op.END))
            elif letter == "[":
                self._add(self._class(read_class(reader)))
            elif letter == ".":
                self._add(self._set(self._any))
            else:
                self._add(self._character(ord(letter)))

    def _character(self, point: int) -> Piece:
        return self._set(self._reader.same(((point, point),)))

    def _set(self, ranges: Ranges) -> Piece:
        if len(ranges) > 1:
            made = set_of(ranges)
            if id(made) not in self._sets:
                self._sets[id(made)] = made
                self._room -= len(ranges)
                if self._room < 0:
                    self._reader.fail("Regular expression too large")
            ranges = made.ranges
        return pieces.character(ranges, self._levels[-1].is_backward)

    def _class(self, found: Class) -> Piece:
        is_backward = self._levels[-1].is_backward
        one = self._set(found.ranges)
        if not found.texts:
            return one
        texts = [
            pieces.sequence([self._character(ord(letter)) for letter in text], is_backward)
            for text in sorted(found.texts, key=lambda text: (-len(text), text))
        ]
        texts.insert(len(texts) - ("" in found.texts), one)
        return pieces.alternatives(texts)

    # Groups

    def _open_group(self) -> None:
        reader, levels = self._reader, self._levels
        if len(levels) > _MAX_DEPTH:
            reader.fail("Regular expression too large")
        start = next((start for start in _KINDS if reader.peek(start)), None)
        kind = _CAPTURE if start is None else _KINDS[start]
        is_backward = kind.is_backward if kind.looks else levels[-1].is_backward
        levels.append(_Level(kind, is_backward, self._groups))
        if start is not None:
            reader.at += len(start)
            return
        if reader.take("(?<"):
            levels[-1].name = reader.group_name()
        elif reader.peek("(?"):
            reader.fail("Invalid group")
        else:
            reader.at += 1
        if self._groups > _MAX_GROUPS or self._groups >= self._total:
            reader.fail("Too many captures")
        self._groups += 1

    def _close_group(self) -> None:
        reader = self._reader
        if len(self._levels) == 1:
            reader.fail("Unmatched ')'")
        reader.at += 1
        level = self._levels.pop()
        piece, kind = level.end(), level.kind
        if level.name:
            if level.name in self._names:
                reader.fail("Duplicate capture group name")
            self._names[level.name] = level.group
        if not kind.looks:
            self._add(pieces.group(level.group, piece, level.is_backward) if kind.captures else piece, level.group)
            return
        piece = pieces.look(piece, kind.is_negative, self._two_registers())
        if kind.is_backward or reader.is_unicode:
            if self._quantifier() is not None:
                reader.fail("Invalid quantifier")
            self._levels[-1].terms.append(piece)
        else:
            self._add(piece, level.group)

    def _two_registers(self) -> int:
        self._registers += 2
        return self._registers - 2

    # Quantifiers

    def _add(self, piece: Piece, first_group: int | None = None) -> None:
        """A term of the level that is open, with its quantifier. `first_group` is the first one inside of it."""
        bounds = self._quantifier()
        if bounds is not None:
            groups = (self._groups if first_group is None else first_group, self._groups)
            register = 0 if piece.characters is not None else self._two_registers()
            piece = pieces.repeat(piece, bounds, groups, register)
        self._levels[-1].terms.append(piece)

    def _quantifier(self) -> Bounds | None:
        reader = self._reader
        letter = reader.source[reader.at : reader.at + 1]
        if letter == "{":
            found = _QUANTIFIER.match(reader.source, reader.at)
            if found is None:
                if reader.is_unicode:
                    reader.fail("Incomplete quantifier")
                return None
            reader.at = found.end()
            least = _number(found[1])
            most = least if found[2] is None else _number(found[3]) if found[3] else INFINITY
            if most < least:
                reader.fail("numbers out of order in {} quantifier")
        elif letter and letter in _SIMPLE:
            reader.at += 1
            least, most = _SIMPLE[letter]
        else:
            return None
        return Bounds(least, most, not reader.take("?"))

    # Escapes

    def _take_escape(self) -> None:
        reader, level = self._reader, self._levels[-1]
        reader.at += 1
        letter = reader.source[reader.at : reader.at + 1]
        if not letter:
            reader.fail("\\ at end of pattern")
        if letter in "bB":
            reader.at += 1
            level.terms.append(pieces.assertion(op.WORD, set_of(reader.words()), letter == "b"))
        elif letter in "123456789" and self._take_reference():
            pass
        elif letter == "k" and (reader.has_names or reader.is_unicode):
            self._take_named_reference()
        else:
            found = reader.set_escape()
            if found is None:
                self._add(self._character(reader.character_escape()))
            else:
                self._add(self._set(reader.same(found)))

    def _take_reference(self) -> bool:
        reader = self._reader
        digits = _INTEGER.match(reader.source, reader.at)
        assert digits is not None
        number = int(digits[0][:9])
        if number >= self._total:
            if reader.is_unicode:
                reader.fail("Invalid escape")
            return False
        reader.at = digits.end()
        self._add(self._reference(number))
        return True

    def _reference(self, group: int) -> Piece:
        return pieces.reference(group, self._canonical, self._levels[-1].is_backward)

    def _take_named_reference(self) -> None:
        reader = self._reader
        reader.at += 1
        if not reader.take("<"):
            reader.fail("Invalid named reference")
        name = reader.group_name()
        self._wanted.add(name)
        self._add(self._reference(self._groups_by_name().get(name, 0)))

    def _groups_by_name(self) -> dict[str, int]:
        """All groups that have a name, also those that come later."""
        if self._all_names is None:
            reader, self._all_names = self._reader, {}
            at = reader.at
            for number, reader.at in self._name_starts.items():
                with suppress(PatternError):  # which is raised when this is read
                    self._all_names[reader.group_name()] = number
            reader.at = at
        return self._all_names


def _number(digits: str) -> int:
    # Long numbers are all the same; reading them would not be.
    return min(int(digits.lstrip("0")[:10] or "0"), INFINITY)
