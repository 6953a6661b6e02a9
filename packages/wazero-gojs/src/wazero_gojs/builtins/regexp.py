"""RegExp. Spec: ECMA-262, 22.2.

`regexp_syntax` makes programs of patterns, which `regexp_matcher` runs: not Python's `re`, which nothing could interrupt
when a pattern such as ``(a+)+$`` takes exponential time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import StringIO
from itertools import islice
from typing import Any, Final, final

from wazero_gojs.model import utf16
from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import WRITABLE, Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_MATCH,
    SYMBOL_MATCH_ALL,
    SYMBOL_REPLACE,
    SYMBOL_SEARCH,
    SYMBOL_SPLIT,
    UNDEFINED,
    JSError,
    describe,
    is_object,
    throw_range_error,
    throw_type_error,
    to_length,
    to_string,
    to_uint32,
)

from .regexp_matcher import Program, find
from .regexp_reader import PatternError
from .regexp_syntax import compile_pattern
from .regexp_text import Match, Subject

PROTOTYPE: Final = Table()

_BETWEEN_POLLS: Final = 256
"""Matches, none of which takes long enough to poll by itself."""

FLAGS: Final = {
    "d": "hasIndices",
    "g": "global",
    "i": "ignoreCase",
    "m": "multiline",
    "s": "dotAll",
    "u": "unicode",
    "v": "unicodeSets",
    "y": "sticky",
}
"""The property that tells of each."""


@final
class JSRegExp(JSObject):
    """A regular expression."""

    __slots__ = ("_unpolled", "flags", "program", "source")

    class_name = "RegExp"

    def __init__(self, prototype: JSObject, source: str, flags: str, program: Program) -> None:
        super().__init__(prototype)
        self.source = source
        self.flags = flags
        self.program = program
        self._unpolled = 0
        self.properties["lastIndex"] = 0
        self.attributes["lastIndex"] = WRITABLE

    def describe(self) -> str:
        return f"/{_shown(self.source)}/{self.flags}"

    def subject(self, text: str) -> Subject:
        """A text as the expression sees it."""
        return Subject(text, self.program.is_unicode)

    def find(self, realm: Realm, subject: Subject, position: int, *, is_sticky: bool | None = None) -> Match | None:
        """The first match from a position on, or only there if sticky, which the flag y says; None without one."""
        if position < 0:
            return None
        if is_sticky is None:
            is_sticky = "y" in self.flags
        self._unpolled += 1
        if self._unpolled == _BETWEEN_POLLS:
            self._unpolled = 0
            realm.poll()
        spans = find(self.program, subject.chars, position, is_sticky, realm.poll)
        return None if spans is None else Match(subject, spans)

    def result(self, realm: Realm, found: Match) -> JSObject:
        """The array that tells of a match. Spec: 22.2.7.2."""
        parts = found.parts()
        made = realm.new_array(parts)
        made.properties["index"] = found.subject.index_of(found.start)
        made.properties["input"] = found.subject.text
        made.properties["groups"] = self.groups(parts)
        if "d" in self.flags:
            made.properties["indices"] = self._indices(realm, found)
        return made

    def groups(self, parts: list[Any]) -> Any:
        """Of what all groups have captured, what those with names have; UNDEFINED if no group has a name."""
        names = self.program.names
        if not names:
            return UNDEFINED
        made = JSObject(None)
        made.properties.update((name, parts[number]) for name, number in names.items())
        return made

    def _indices(self, realm: Realm, found: Match) -> JSObject:
        spans, index_of = found.spans, found.subject.index_of
        parts: list[Any] = [
            UNDEFINED if end < 0 else realm.new_array((index_of(start), index_of(end)))
            for start, end in zip(spans[::2], spans[1::2], strict=True)
        ]
        made = realm.new_array(parts)
        made.properties["groups"] = self.groups(parts)
        return made


def make(realm: Realm, name: str) -> Any:
    """The global RegExp."""

    def call(realm: Realm, this: Any, args: Args) -> Any:
        if isinstance(argument(args, 0), JSRegExp) and argument(args, 1) is UNDEFINED:
            return args[0]
        return _create(realm, realm.prototype_of("RegExp"), args)

    return realm.new_class("RegExp", 2, _create, PROTOTYPE, call=call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSRegExp:
    pattern, flags = argument(args, 0), argument(args, 1)
    if isinstance(pattern, JSRegExp):
        source = pattern.source
        flags = pattern.flags if flags is UNDEFINED else to_string(flags)
    else:
        source = "" if pattern is UNDEFINED else to_string(pattern)
        flags = "" if flags is UNDEFINED else to_string(flags)
    return new_regexp(realm, source, flags, prototype)


def new_regexp(realm: Realm, source: str, flags: str, prototype: JSObject | None = None) -> JSRegExp:
    """A regular expression. Throws a SyntaxError."""
    if len(set(flags)) < len(flags) or not set(flags) <= set(FLAGS) or {"u", "v"} <= set(flags):
        message = f"Invalid flags supplied to RegExp constructor '{flags}'"
        raise JSError(realm.new_error("SyntaxError", message))
    flags = "".join(sorted(flags))
    try:
        program = compile_pattern(source, flags, realm.poll)
    except PatternError as error:
        message = f"Invalid regular expression: /{source}/{flags}: {error}"
        raise JSError(realm.new_error("SyntaxError", message)) from None
    return JSRegExp(prototype or realm.prototype_of("RegExp"), source, flags, program)


def _regexp(this: Any, method: str) -> JSRegExp:
    if not isinstance(this, JSRegExp):
        throw_type_error(f"Method RegExp.prototype.{method} called on incompatible receiver {describe(this)}")
    return this


def _shown(source: str) -> str:
    """The source as it could stand in a program. Spec: 22.2.6.13.1."""
    found: list[str] = []
    is_class = is_escaped = False
    for letter in source:
        if letter == "/" and not is_class and not is_escaped:
            found.append("\\")
        is_class = not is_escaped and (letter == "[" or (is_class and letter != "]"))
        if letter == "\n":
            found.append("n" if is_escaped else "\\n")
        else:
            found.append(letter)
        is_escaped = letter == "\\" and not is_escaped
    return "".join(found) or "(?:)"


# --- Properties ------------------------------------------------------------------------------------------------------


def _add_flag(letter: str, name: str) -> None:
    @PROTOTYPE.getter(name)
    def get(realm: Realm, this: Any, args: Args) -> Any:
        if isinstance(this, JSRegExp):
            return letter in this.flags
        return UNDEFINED if this is realm.prototype_of("RegExp") else letter in _regexp(this, name).flags


for _letter, _name in FLAGS.items():
    _add_flag(_letter, _name)


@PROTOTYPE.getter("flags")
def get_flags(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.2.6.4."""
    return this.flags if isinstance(this, JSRegExp) else ""


@PROTOTYPE.getter("source")
def get_source(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.2.6.13."""
    return _shown(this.source if isinstance(this, JSRegExp) else "")


@PROTOTYPE.method("toString")
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.2.6.17."""
    if not is_object(this):
        throw_type_error(f"Method RegExp.prototype.toString called on incompatible receiver {describe(this)}")
    return f"/{to_string(this.get('source'))}/{to_string(this.get('flags'))}"


# --- Matching --------------------------------------------------------------------------------------------------------


def run(realm: Realm, regexp: JSRegExp, text: str) -> Match | None:
    """The next match, by and with lastIndex where that counts; None without one. Spec: 22.2.7.2."""
    moves = "g" in regexp.flags or "y" in regexp.flags
    index = to_length(regexp.get("lastIndex"))
    subject = regexp.subject(text)
    found = regexp.find(realm, subject, subject.position_of(index) if moves else 0)
    if moves:
        _set_last_index(regexp, 0 if found is None else subject.index_of(found.end))
    return found


def _set_last_index(regexp: JSRegExp, index: int) -> None:
    if not regexp.set("lastIndex", index):
        throw_type_error("Cannot assign to read only property 'lastIndex' of object '[object RegExp]'")


@PROTOTYPE.method("exec", 1)
def exec_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.2.6.2."""
    regexp = _regexp(this, "exec")
    found = run(realm, regexp, to_string(argument(args, 0)))
    return None if found is None else regexp.result(realm, found)


@PROTOTYPE.method("test", 1)
def test(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.2.6.16."""
    return run(realm, _regexp(this, "test"), to_string(argument(args, 0))) is not None


@PROTOTYPE.method("compile", 2)
def compile_(realm: Realm, this: Any, args: Args) -> Any:
    """Become another expression. Spec: B.2.4.1."""
    regexp = _regexp(this, "compile")
    other = _create(realm, realm.prototype_of("RegExp"), args)
    regexp.source, regexp.flags, regexp.program = other.source, other.flags, other.program
    _set_last_index(regexp, 0)
    return regexp


def matches(realm: Realm, regexp: JSRegExp, text: str, index: int = 0) -> Iterator[Match]:
    """All matches of an expression with the flag g, one after the other; an empty one is followed by a step."""
    subject = regexp.subject(text)
    position = subject.position_of(index)
    while (found := regexp.find(realm, subject, position)) is not None:
        yield found
        position = found.end + (found.end == found.start)


@PROTOTYPE.method(SYMBOL_MATCH, 1)
def match(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.match]. Spec: 22.2.6.8."""
    regexp, text = _regexp(this, "@@match"), to_string(argument(args, 0))
    if "g" not in regexp.flags:
        return exec_(realm, regexp, (text,))
    _set_last_index(regexp, 0)
    found = [each.whole() for each in islice(matches(realm, regexp, text), MAX_LENGTH + 1)]
    if len(found) > MAX_LENGTH:
        throw_range_error("Invalid array length")
    return realm.new_array(found) if found else None


@PROTOTYPE.method(SYMBOL_MATCH_ALL, 1)
def match_all(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.matchAll]. Spec: 22.2.6.9."""
    from .iteration import new_iterator

    regexp, text = _regexp(this, "@@matchAll"), to_string(argument(args, 0))
    copy = new_regexp(realm, regexp.source, regexp.flags)
    index = to_length(regexp.get("lastIndex"))
    copy.properties["lastIndex"] = index
    found: Iterable[Match]
    if "g" in regexp.flags:
        found = matches(realm, copy, text, index)
    else:
        one = run(realm, copy, text)
        found = () if one is None else (one,)
    return new_iterator(realm, "RegExp String Iterator", (copy.result(realm, each) for each in found))


@PROTOTYPE.method(SYMBOL_SEARCH, 1)
def search(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.search]. Spec: 22.2.6.12."""
    regexp = _regexp(this, "@@search")
    subject = regexp.subject(to_string(argument(args, 0)))
    found = regexp.find(realm, subject, 0)
    return -1 if found is None else subject.index_of(found.start)


@PROTOTYPE.method(SYMBOL_REPLACE, 2)
def replace(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.replace]. Spec: 22.2.6.11."""
    regexp, text, by = _regexp(this, "@@replace"), to_string(argument(args, 0)), argument(args, 1)
    if not is_callable(by):
        by = to_string(by)
    all_ = _all_to_replace(realm, regexp, text)
    out = StringIO()
    length = done = 0
    subject = None
    for each in all_:
        subject = each.subject
        new = _replacement(regexp, each, by)
        out.write(subject.cut(done, each.start))
        out.write(new)
        length += len(new)
        done = each.end
        if length > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
    if subject is None:
        return text
    out.write(subject.cut(done))
    return utf16.concat_all((out.getvalue(),))


def _all_to_replace(realm: Realm, regexp: JSRegExp, text: str) -> Iterable[Match]:
    if "g" in regexp.flags:
        _set_last_index(regexp, 0)
        return matches(realm, regexp, text)
    found = run(realm, regexp, text)
    return () if found is None else (found,)


def _replacement(regexp: JSRegExp, found: Match, by: Any) -> str:
    """What to put in the place of a match."""
    if isinstance(by, str) and "$" not in by:
        return by
    subject, parts = found.subject, found.parts()
    groups = regexp.groups(parts)
    if isinstance(by, str):
        return expand(by, found.around, parts, groups)
    args = [*parts, subject.index_of(found.start), subject.text]
    return to_string(by.call(UNDEFINED, args if groups is UNDEFINED else [*args, groups]))


def expand(template: str, around: Callable[[str], str], captures: Sequence[Any], groups: Any) -> str:
    """A replacement with its $1, $& and so on filled in. Spec: 22.1.3.19.1.

    `around` gives what is before the match and behind it, by their signs; `captures` begin with the match itself.
    """
    parts: list[str] = []
    done = length = 0
    while (at := template.find("$", done)) >= 0:
        sign = template[at + 1 : at + 2]
        end = at + 2
        if sign == "$":
            new = "$"
        elif sign == "&":
            new = captures[0]
        elif sign and sign in "`'":
            new = around(sign)
        elif sign == "<" and groups is not UNDEFINED and (close := template.find(">", end)) >= 0:
            new, end = _text(groups.get(template[end:close])), close + 1
        else:
            new, end = _numbered(template, at, captures)
        parts += (template[done:at], new)
        length += len(new)
        done = end
        if length > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
        if sign == "<" and end == at + 1:
            groups = UNDEFINED  # there is no bracket behind, so there is none behind the next one
    return utf16.concat_all([*parts, template[done:]])


def _numbered(template: str, at: int, captures: Sequence[Any]) -> tuple[str, int]:
    """What a number behind a dollar sign stands for, and where it ends; without one it is the sign itself."""
    for end in (at + 3, at + 2):
        digits = template[at + 1 : end]
        if len(digits) == end - at - 1 and digits.isascii() and digits.isdigit() and 1 <= int(digits) < len(captures):
            return _text(captures[int(digits)]), end
    return "$", at + 1


def _text(value: Any) -> str:
    return "" if value is UNDEFINED else to_string(value)


@PROTOTYPE.method(SYMBOL_SPLIT, 2)
def split(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.split]. Spec: 22.2.6.14."""
    regexp, text, limit = _regexp(this, "@@split"), to_string(argument(args, 0)), argument(args, 1)
    most = 0xFFFFFFFF if limit is UNDEFINED else to_uint32(limit)
    subject = regexp.subject(text)
    find_from = partial(regexp.find, realm, subject, is_sticky=False)
    if not text:
        is_found = regexp.find(realm, subject, 0, is_sticky=True) is not None
        return realm.new_array(() if is_found or not most else (text,))
    parts: list[Any] = []
    start = position = 0
    while most and (found := find_from(position)) is not None and found.start < len(subject.chars):
        if found.end == start:
            position = found.start + 1
            continue
        parts += (subject.cut(start, found.start), *found.parts()[1:])
        start = position = found.end
        if len(parts) >= most:
            break
        if len(parts) > MAX_LENGTH:
            throw_range_error("Invalid array length")
    else:
        parts.append(subject.cut(start))
    return realm.new_array(parts[:most])
