"""Reads character classes. Spec: ECMA-262, 22.2.1, CharacterClass; with the flag v, ClassSetExpression."""

from __future__ import annotations

from typing import Final, NamedTuple

from .regexp_case import canonicalize
from .regexp_classes import Ranges, complement, intersection, merged
from .regexp_reader import Reader

_SYNTAX: Final = frozenset("()[]{}/-\\|")
_DOUBLE: Final = frozenset("&!#$%*+,.:;<=>?@^`~")
"""Characters with the flag v that cannot be there twice, one behind the other."""
_MAX_DEPTH: Final = 100
"""Of classes in classes."""


class Class(NamedTuple):
    """What a class matches: a character of a set, or one of some texts, which are not one character long."""

    ranges: Ranges
    texts: frozenset[str] = frozenset()


def read_class(reader: Reader) -> Class:
    """A class, behind its opening bracket. Without the flag v, what is the same if case does not count is left out."""
    if reader.is_sets:
        return _read_set(reader, 1)
    is_negated = reader.take("^")
    ranges: list[tuple[int, int]] = []
    while not reader.peek("]"):
        first = _item(reader)
        if reader.peek("-") and not reader.peek("-]"):
            reader.at += 1
            ranges += _joined(reader, first, _item(reader))
        else:
            ranges += _ranges(first)
    reader.at += 1
    found = reader.same(merged(tuple(ranges)))
    return Class(complement(found) if is_negated else found)


def _ranges(item: int | Ranges) -> Ranges:
    return ((item, item),) if isinstance(item, int) else item


def _joined(reader: Reader, first: int | Ranges, last: int | Ranges) -> Ranges:
    """What two items with a hyphen between them are."""
    if isinstance(first, int) and isinstance(last, int):
        if first > last:
            reader.fail("Range out of order in character class")
        return ((first, last),)
    if reader.is_unicode:
        reader.fail("Invalid character class")
    return (*_ranges(first), (0x2D, 0x2D), *_ranges(last))


def _item(reader: Reader) -> int | Ranges:
    """A character or a set."""
    if reader.at >= len(reader.source):
        reader.fail("Unterminated character class")
    letter = reader.source[reader.at]
    reader.at += 1
    if letter != "\\":
        return ord(letter)
    found = reader.set_escape(is_class=True) if reader.at < len(reader.source) else None
    return _escaped(reader) if found is None else found


def _escaped(reader: Reader) -> int:
    """The character behind a backslash."""
    if reader.at >= len(reader.source):
        reader.fail("\\ at end of pattern")
    return 8 if reader.take("b") else reader.character_escape(is_class=True)


# --- With the flag v -------------------------------------------------------------------------------------------------


def _read_set(reader: Reader, depth: int) -> Class:
    if depth > _MAX_DEPTH:
        reader.fail("Regular expression too large")
    is_negated = reader.take("^")
    if reader.take("]"):
        found = Class(())
    else:
        first = _operand(reader, depth)
        if reader.peek("--") or reader.peek("&&"):
            found = _operation(reader, depth, _as_class(reader, first))
        else:
            found = _set_union(reader, depth, first)
        if not reader.take("]"):
            reader.fail("Unterminated character class")
    if not is_negated:
        return found
    if found.texts:
        reader.fail("Negated character class may contain strings")
    return Class(complement(found.ranges))


def _as_class(reader: Reader, operand: int | Class) -> Class:
    return Class(reader.same(((operand, operand),))) if isinstance(operand, int) else operand


def _operation(reader: Reader, depth: int, found: Class) -> Class:
    sign = "--" if reader.peek("--") else "&&"
    while reader.at < len(reader.source) and not reader.peek("]"):
        if not reader.take(sign):
            reader.fail("Invalid set operation in character class")
        if sign == "&&" and reader.peek("&"):
            reader.fail("Invalid character in character class")
        other = _as_class(reader, _operand(reader, depth))
        if sign == "--":
            found = Class(intersection(found.ranges, complement(other.ranges)), found.texts - other.texts)
        else:
            found = Class(intersection(found.ranges, other.ranges), found.texts & other.texts)
    return found


def _set_union(reader: Reader, depth: int, first: int | Class) -> Class:
    ranges: list[tuple[int, int]] = []
    texts: set[str] = set()
    last: int | Class = first
    while True:
        if reader.peek("-"):
            if reader.peek("--"):
                reader.fail("Invalid set operation in character class")
            reader.at += 1
            end = _operand(reader, depth) if isinstance(last, int) else last
            if not isinstance(last, int) or not isinstance(end, int):
                reader.fail("Invalid character class")
            last = Class(reader.same(_joined(reader, last, end)))
        made = _as_class(reader, last)
        ranges += made.ranges
        texts |= made.texts
        if reader.at >= len(reader.source) or reader.peek("]"):
            return Class(merged(tuple(ranges)), frozenset(texts))
        if not reader.peek("-"):
            last = _operand(reader, depth)
        elif isinstance(last, Class):
            reader.fail("Invalid set operation in character class" if reader.peek("--") else "Invalid character class")


def _operand(reader: Reader, depth: int) -> int | Class:
    if reader.take("["):
        return _read_set(reader, depth + 1)
    if reader.take("\\q"):
        return _strings(reader)
    if reader.peek("\\") and reader.at + 1 < len(reader.source):
        reader.at += 1
        found = reader.set_escape(is_class=True)
        if found is not None:
            return Class(found)
        reader.at -= 1
    return _set_character(reader)


def _set_character(reader: Reader) -> int:
    if reader.at >= len(reader.source):
        reader.fail("Unterminated character class")
    letter = reader.source[reader.at]
    if letter == "\\":
        reader.at += 1
        return _escaped(reader)
    if letter in _SYNTAX:
        reader.fail("Invalid character in character class")
    if letter in _DOUBLE and reader.peek(letter * 2):
        reader.fail("Invalid set operation in character class")
    reader.at += 1
    return ord(letter)


def _strings(reader: Reader) -> Class:
    r"""Behind ``\q``."""
    if not reader.take("{"):
        reader.fail("Invalid escape")
    ranges: list[tuple[int, int]] = []
    texts: set[str] = set()
    letters: list[str] = []
    while True:
        if reader.peek("}") or reader.peek("|"):
            if len(letters) == 1:
                ranges += reader.same(((ord(letters[0]), ord(letters[0])),))
            else:
                texts.add("".join(letters))
            letters = []
            reader.at += 1
            if reader.source[reader.at - 1] == "}":
                return Class(merged(tuple(ranges)), frozenset(texts))
        else:
            letter = chr(_set_character(reader))
            letters.append(canonicalize(letter, True) if reader.is_caseless else letter)
