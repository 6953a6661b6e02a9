"""String: its constructor and functions. What strings inherit is in `string_methods` and `string_patterns`.

Spec: ECMA-262, 22.1.
"""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    Symbol,
    number_to_string,
    throw_range_error,
    to_number,
    to_string,
    to_uint32,
)

from . import string_methods, string_patterns
from .operations import scan_length
from .wrappers import JSString, to_object

PROTOTYPE: Final = Table()
PROTOTYPE.constant("length", 0, 0)
PROTOTYPE.include(string_methods.PROTOTYPE)
PROTOTYPE.include(string_patterns.PROTOTYPE)
STATICS: Final = Table()


def make(realm: Realm, name: str) -> Any:
    """The global String."""
    return realm.new_class(name, 1, _create, PROTOTYPE, statics=STATICS, call=_call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    return JSString(prototype, to_string(args[0]) if args else "")


def _call(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.1.1."""
    value = argument(args, 0)
    if isinstance(value, Symbol):
        return repr(value)
    return to_string(value) if args else ""


@STATICS.method("fromCharCode", 1)
def from_char_code(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.2.1."""
    return utf16.from_units(to_uint32(arg) & 0xFFFF for arg in args)


@STATICS.method("fromCodePoint", 1)
def from_code_point(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.2.2."""
    characters = []
    for arg in args:
        number = to_number(arg)
        if not 0 <= number <= 0x10FFFF or number != int(number):
            throw_range_error(f"Invalid code point {number_to_string(number)}")
        characters.append(chr(int(number)))
    return utf16.concat_all(characters)


@STATICS.method("raw", 1)
def raw(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.2.4."""
    literals = to_object(realm, to_object(realm, argument(args, 0)).get("raw"))
    parts: list[str] = []
    length = scan_length(literals)
    size = 0
    for index in range(length):
        parts.append(to_string(literals.get_index(index)))
        if index + 1 < min(length, len(args)):
            parts.append(to_string(args[index + 1]))
        size += len(parts[-1])
        if size > utf16.MAX_LENGTH:
            throw_range_error("Invalid string length")
    return utf16.concat_all(parts)
