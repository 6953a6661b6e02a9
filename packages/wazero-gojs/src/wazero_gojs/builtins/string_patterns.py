"""Methods of strings that take a regular expression as well as text. Spec: ECMA-262, 22.1.3.

What they are given may do the work itself, by the symbol that is named after the method; regular expressions do.
"""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import MISSING, Args, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_MATCH,
    SYMBOL_MATCH_ALL,
    SYMBOL_REPLACE,
    SYMBOL_SEARCH,
    SYMBOL_SPLIT,
    UNDEFINED,
    Symbol,
    throw_range_error,
    throw_type_error,
    to_string,
    to_uint32,
)

from .operations import require_value
from .primitives import call_member, get_method
from .string_methods import is_regexp

PROTOTYPE: Final = Table()


def _delegated(realm: Realm, this: Any, args: Args, symbol: Symbol, name: str) -> Any:
    """What the first argument's own method makes of it; MISSING if it has none."""
    require_value(this, f"String.prototype.{name}")
    pattern = argument(args, 0)
    if pattern is UNDEFINED or pattern is None or isinstance(pattern, str):
        return MISSING
    if name.endswith("All") and is_regexp(pattern):
        flags = pattern.get("flags")
        require_value(flags, f"String.prototype.{name}")
        if "g" not in to_string(flags):
            throw_type_error(f"String.prototype.{name} called with a non-global RegExp argument")
    method = get_method(realm, pattern, symbol)
    return MISSING if method is UNDEFINED else method.call(pattern, (this, *args[1:2]))


def _with_new_regexp(realm: Realm, this: Any, args: Args, symbol: Symbol, *flags: str) -> Any:
    text = to_string(this)
    pattern = argument(args, 0)
    return call_member(realm, realm.intrinsic("RegExp").construct((pattern, *flags)), symbol, (text,))


@PROTOTYPE.method("match", 1)
def match(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.13."""
    found = _delegated(realm, this, args, SYMBOL_MATCH, "match")
    return _with_new_regexp(realm, this, args, SYMBOL_MATCH) if found is MISSING else found


@PROTOTYPE.method("matchAll", 1)
def match_all(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.14."""
    found = _delegated(realm, this, args, SYMBOL_MATCH_ALL, "matchAll")
    return _with_new_regexp(realm, this, args, SYMBOL_MATCH_ALL, "g") if found is MISSING else found


@PROTOTYPE.method("search", 1)
def search(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.21."""
    found = _delegated(realm, this, args, SYMBOL_SEARCH, "search")
    return _with_new_regexp(realm, this, args, SYMBOL_SEARCH) if found is MISSING else found


@PROTOTYPE.method("split", 2)
def split(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.23."""
    found = _delegated(realm, this, args, SYMBOL_SPLIT, "split")
    if found is not MISSING:
        return found
    text = to_string(this)
    limit = 0xFFFFFFFF if argument(args, 1) is UNDEFINED else to_uint32(args[1])
    separator = to_string(argument(args, 0))
    if not limit:
        return realm.new_array(())
    if argument(args, 0) is UNDEFINED:
        return realm.new_array((text,))
    return realm.new_array(_pieces(text, separator, min(limit, MAX_LENGTH + 1)))


def _pieces(text: str, separator: str, limit: int) -> list[str]:
    if not separator:
        if min(utf16.length(text), limit) > MAX_LENGTH:
            throw_range_error("Invalid array length")
        return list(text[:limit]) if utf16.is_simple(text) else _units(text, limit)
    if utf16.is_simple(text):
        pieces = text.split(separator, limit)[:limit]
    else:
        pieces = _split_units(text, separator, limit)
    if len(pieces) > MAX_LENGTH:
        throw_range_error("Invalid array length")
    return pieces


def _units(text: str, limit: int) -> list[str]:
    return [chr(unit) for unit in memoryview(utf16.encode(text)).cast("H")[:limit]]


def _split_units(text: str, separator: str, limit: int) -> list[str]:
    if utf16.is_well_formed(separator):
        return text.split(separator, limit)[:limit]
    pieces: list[str] = []
    start, width = 0, utf16.length(separator)
    while len(pieces) < limit and (end := utf16.find(text, separator, start)) >= 0:
        pieces.append(utf16.cut(text, start, end))
        start = end + width
    return [*pieces, utf16.cut(text, start, utf16.length(text))][:limit]


# --- Replacing text --------------------------------------------------------------------------------------------------


@PROTOTYPE.method("replace", 2)
def replace(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.19."""
    found = _delegated(realm, this, args, SYMBOL_REPLACE, "replace")
    return _replaced(this, args, 1) if found is MISSING else found


@PROTOTYPE.method("replaceAll", 2)
def replace_all(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.20."""
    found = _delegated(realm, this, args, SYMBOL_REPLACE, "replaceAll")
    return _replaced(this, args, 0) if found is MISSING else found


def _replaced(this: Any, args: Args, limit: int) -> str:
    """The text with `limit` occurrences of another replaced; 0 means all."""
    text, part = to_string(this), to_string(argument(args, 0))
    by: Any = argument(args, 1)
    by = by if is_callable(by) else to_string(by)
    pieces: list[str] = []
    size = done = 0
    at = utf16.find(text, part)
    width = utf16.length(part)
    length = utf16.length(text)
    while at >= 0:
        new = to_string(by.call(UNDEFINED, (part, at, text))) if is_callable(by) else _expanded(by, text, at, part)
        pieces += (utf16.cut(text, done, at), new)
        size += len(pieces[-2]) + len(new)
        if size > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
        done = at + width
        following = done if width else done + 1
        if len(pieces) == 2 * limit or following > length:
            break
        at = utf16.find(text, part, following)
    return utf16.concat_all([*pieces, utf16.cut(text, done, length)])


def _expanded(template: str, text: str, at: int, part: str) -> str:
    """What a template becomes for a part that is not a regular expression's. Spec: 22.1.3.19.1."""
    if "$" not in template:
        return template
    from .regexp import expand

    def around(sign: str) -> str:
        end = at + utf16.length(part)
        return utf16.cut(text, 0, at) if sign == "`" else utf16.cut(text, end, utf16.length(text))

    return expand(template, around, (part,), UNDEFINED)
