"""RegExp, on Python's `re`. Spec: ECMA-262, 22.2.

A pattern that needs exponential time, as ``(a+)+$`` may, cannot be interrupted by a deadline: `re` runs to its end, and
only a signal ends it. So whoever lets strangers write patterns must run them in a process of their own.
"""

from __future__ import annotations

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

from .regexp_syntax import Compiled, PatternError, compile_pattern

PROTOTYPE: Final = Table()

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


def unit_index(text: str, point: int) -> int:
    """UTF-16 units before a character of the text."""
    return point if text.isascii() else utf16.length(text[:point])


def point_index(text: str, unit: int) -> int:
    """Characters before a unit; the second half of a character counts as the next one."""
    if utf16.is_simple(text):
        return unit
    return len(utf16.cut(text, 0, unit)) if unit <= utf16.length(text) else len(text) + 1


@final
class JSRegExp(JSObject):
    """A regular expression."""

    __slots__ = ("compiled", "flags", "source")

    class_name = "RegExp"

    def __init__(self, prototype: JSObject, source: str, flags: str, compiled: Compiled) -> None:
        super().__init__(prototype)
        self.source = source
        self.flags = flags
        self.compiled = compiled
        self.properties["lastIndex"] = 0
        self.attributes["lastIndex"] = WRITABLE

    def describe(self) -> str:
        return f"/{_shown(self.source)}/{self.flags}"

    def exec_at(self, realm: Realm, text: str, index: int) -> JSObject | None:
        """The array of the first match from `index` (in UTF-16 units) on, or only there if sticky; None without one."""
        found = self.find(text, point_index(text, index))
        return None if found is None else self.result(realm, found)

    def find(self, text: str, point: int) -> Any:
        """The match of `re` from a position on, which counts characters."""
        if point > len(text):
            return None
        pattern = self.compiled.pattern
        return pattern.match(text, point) if "y" in self.flags else pattern.search(text, point)

    def result(self, realm: Realm, found: Any) -> JSObject:
        """The array that tells of a match. Spec: 22.2.7.2."""
        text = found.string
        made = realm.new_array(UNDEFINED if part is None else part for part in (found[0], *found.groups()))
        made.properties["index"] = unit_index(text, found.start())
        made.properties["input"] = text
        made.properties["groups"] = self.groups(realm, found)
        if "d" in self.flags:
            made.properties["indices"] = self._indices(realm, found)
        return made

    def groups(self, realm: Realm, found: Any) -> Any:
        """What named groups have captured; UNDEFINED if no group has a name."""
        return self._named(realm, [UNDEFINED if part is None else part for part in (found[0], *found.groups())])

    def _named(self, realm: Realm, parts: list[Any]) -> Any:
        if not self.compiled.names:
            return UNDEFINED
        made = JSObject(None)
        made.properties.update((name, parts[number]) for name, number in self.compiled.names.items())
        return made

    def _indices(self, realm: Realm, found: Any) -> JSObject:
        text = found.string
        parts: list[Any] = []
        for number in range(self.compiled.pattern.groups + 1):
            start, end = found.span(number)
            at = (unit_index(text, start), unit_index(text, end))
            parts.append(UNDEFINED if start < 0 else realm.new_array(at))
        made = realm.new_array(parts)
        made.properties["groups"] = self._named(realm, parts)
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
    try:
        compiled = compile_pattern(source, flags)
    except PatternError as error:
        message = f"Invalid regular expression: /{source}/{flags}: {error}"
        raise JSError(realm.new_error("SyntaxError", message)) from None
    return JSRegExp(prototype or realm.prototype_of("RegExp"), source, "".join(sorted(flags)), compiled)


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


def run(realm: Realm, regexp: JSRegExp, text: str) -> Any:
    """The next match of `re`, by and with lastIndex where that counts; None without one. Spec: 22.2.7.2."""
    moves = "g" in regexp.flags or "y" in regexp.flags
    index = to_length(regexp.get("lastIndex"))
    found = regexp.find(text, point_index(text, index) if moves else 0)
    if moves:
        _set_last_index(regexp, 0 if found is None else unit_index(text, found.end()))
    return found


def _set_last_index(regexp: JSRegExp, index: int) -> None:
    if not regexp.set("lastIndex", index):
        throw_type_error(f"Cannot assign to read only property 'lastIndex' of object '{regexp.describe()}'")


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
    regexp.source, regexp.flags, regexp.compiled = other.source, other.flags, other.compiled
    _set_last_index(regexp, 0)
    return regexp


def matches(regexp: JSRegExp, text: str) -> Any:
    """All matches of an expression with the flag g, one after the other; an empty one is followed by a step."""
    _set_last_index(regexp, 0)
    point = 0
    while (found := regexp.find(text, point)) is not None:
        yield found
        point = found.end() + (found.end() == found.start())


@PROTOTYPE.method(SYMBOL_MATCH, 1)
def match(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.match]. Spec: 22.2.6.8."""
    regexp, text = _regexp(this, "@@match"), to_string(argument(args, 0))
    if "g" not in regexp.flags:
        return exec_(realm, regexp, (text,))
    found = [each[0] for each in islice(matches(regexp, text), MAX_LENGTH + 1)]
    if len(found) > MAX_LENGTH:
        throw_range_error("Invalid array length")
    return realm.new_array(found) if found else None


@PROTOTYPE.method(SYMBOL_MATCH_ALL, 1)
def match_all(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.matchAll]. Spec: 22.2.6.9."""
    from .iteration import new_iterator

    regexp, text = _regexp(this, "@@matchAll"), to_string(argument(args, 0))
    copy = new_regexp(realm, regexp.source, regexp.flags)
    copy.properties["lastIndex"] = to_length(regexp.get("lastIndex"))
    if "g" not in regexp.flags:
        found = run(realm, copy, text)
        return new_iterator(
            realm, "RegExp String Iterator", iter(() if found is None else (copy.result(realm, found),))
        )
    rest = matches(copy, text)
    return new_iterator(realm, "RegExp String Iterator", (copy.result(realm, found) for found in rest))


@PROTOTYPE.method(SYMBOL_SEARCH, 1)
def search(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.search]. Spec: 22.2.6.12."""
    found = _regexp(this, "@@search").find(to_string(argument(args, 0)), 0)
    return -1 if found is None else unit_index(found.string, found.start())


@PROTOTYPE.method(SYMBOL_REPLACE, 2)
def replace(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.replace]. Spec: 22.2.6.11."""
    regexp, text, by = _regexp(this, "@@replace"), to_string(argument(args, 0)), argument(args, 1)
    if not is_callable(by):
        by = to_string(by)
    one = None if "g" in regexp.flags else run(realm, regexp, text)
    out = StringIO()
    length = done = counted = units = 0
    for each in matches(regexp, text) if "g" in regexp.flags else (() if one is None else (one,)):
        units += unit_index(text[counted : each.start()], each.start() - counted)
        counted = each.start()
        new = _replacement(realm, regexp, each, by, units)
        out.write(text[done : each.start()])
        out.write(new)
        length += len(new)
        done = each.end()
        if length > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
    return utf16.concat(out.getvalue(), text[done:])


def _replacement(realm: Realm, regexp: JSRegExp, found: Any, by: Any, index: int) -> str:
    """What to put in the place of a match at a unit."""
    groups = regexp.groups(realm, found)
    if isinstance(by, str):
        return expand(by, found.string, found.start(), (found[0], *found.groups()), groups)
    captures = [UNDEFINED if part is None else part for part in (found[0], *found.groups())]
    args = [*captures, index, found.string]
    return to_string(by.call(UNDEFINED, args if groups is UNDEFINED else [*args, groups]))


def expand(template: str, text: str, start: int, captures: tuple[str | None, ...], groups: Any) -> str:
    """A replacement with its $1, $& and so on filled in; `captures` begin with the whole match. Spec: 22.1.3.19.1."""
    if "$" not in template:
        return template
    import re

    def fill(match: re.Match[str]) -> str:
        what = match[1]
        if what == "$":
            return "$"
        if what in ("&", "`", "'"):
            whole = captures[0] or ""
            return {"&": whole, "`": text[:start], "'": text[start + len(whole) :]}[what]
        if what[0] == "<":
            if groups is UNDEFINED:
                return match[0]
            value = groups.get(what[1:-1])
            return "" if value is UNDEFINED else to_string(value)
        for digits in (what, what[:1]):
            if 1 <= int(digits) < len(captures):
                return (captures[int(digits)] or "") + what[len(digits) :]
        return match[0]

    parts: list[str] = []
    done = length = 0
    for mark in re.finditer(r"\$([$&`']|[0-9]{1,2}|<[^>]*>)", template):
        parts += (template[done : mark.start()], fill(mark))
        length += len(parts[-1])
        done = mark.end()
        if length > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
    return utf16.concat_all([*parts, template[done:]])


@PROTOTYPE.method(SYMBOL_SPLIT, 2)
def split(realm: Realm, this: Any, args: Args) -> Any:
    """RegExp.prototype[Symbol.split]. Spec: 22.2.6.14."""
    regexp, text, limit = _regexp(this, "@@split"), to_string(argument(args, 0)), argument(args, 1)
    most = 0xFFFFFFFF if limit is UNDEFINED else to_uint32(limit)
    pattern = regexp.compiled.pattern
    if not text:
        return realm.new_array(() if pattern.match("") or not most else (text,))
    parts: list[Any] = []
    start = point = 0
    while most and (found := pattern.search(text, point)) is not None and found.start() < len(text):
        if found.end() == start or (found.end() == found.start() and found.start() == start):
            point = start + 1 if point <= start else point + 1
            continue
        parts.append(text[start : found.start()])
        parts += (UNDEFINED if part is None else part for part in found.groups())
        start = point = found.end()
        if len(parts) >= most:
            break
        if len(parts) > MAX_LENGTH:
            throw_range_error("Invalid array length")
    else:
        parts.append(text[start:])
    return realm.new_array(parts[:most])
