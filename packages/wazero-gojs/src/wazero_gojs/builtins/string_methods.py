"""Methods of strings that have nothing to do with regular expressions. Spec: ECMA-262, 22.1.3 and B.2.2."""

from __future__ import annotations

import math
from typing import Any, Final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import Args, Native, NativeFunction, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SPACES,
    SYMBOL_ITERATOR,
    SYMBOL_MATCH,
    UNDEFINED,
    is_object,
    throw_range_error,
    throw_type_error,
    to_boolean,
    to_index,
    to_integer,
    to_length,
    to_number,
    to_string,
)

from .iteration import characters_method
from .operations import this_text
from .wrappers import JSWrapper

PROTOTYPE: Final = Table()
PROTOTYPE.method(SYMBOL_ITERATOR, 0)(characters_method)


def text_of(this: Any, name: str) -> str:
    """`this` of a method as text. TypeError for undefined and null."""
    return this_text(this, f"String.prototype.{name}")


def _plain_text(this: Any, name: str) -> str:
    value = this.value if isinstance(this, JSWrapper) else this
    if not isinstance(value, str):
        throw_type_error(f"String.prototype.{name} requires that 'this' be a String")
    return value


@PROTOTYPE.method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.29."""
    return _plain_text(this, "toString")


@PROTOTYPE.method("valueOf", 0)
def value_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.35."""
    return _plain_text(this, "valueOf")


# --- One unit --------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("at", 1)
def at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.1."""
    text = text_of(this, "at")
    index = to_integer(argument(args, 0))
    index = index + utf16.length(text) if index < 0 else index
    return (utf16.character_at(text, index) if isinstance(index, int) else "") or UNDEFINED


@PROTOTYPE.method("charAt", 1)
def char_at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.2."""
    text = text_of(this, "charAt")
    index = to_integer(argument(args, 0))
    return utf16.character_at(text, index) if isinstance(index, int) else ""


@PROTOTYPE.method("charCodeAt", 1)
def char_code_at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.3."""
    text = text_of(this, "charCodeAt")
    index = to_integer(argument(args, 0))
    unit = utf16.unit_at(text, index) if isinstance(index, int) else -1
    return math.nan if unit < 0 else unit


@PROTOTYPE.method("codePointAt", 1)
def code_point_at(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.4."""
    text = text_of(this, "codePointAt")
    index = to_integer(argument(args, 0))
    point = utf16.code_point_at(text, index) if isinstance(index, int) else -1
    return UNDEFINED if point < 0 else point


# --- Parts -----------------------------------------------------------------------------------------------------------


@PROTOTYPE.method("slice", 2)
def cut(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.22."""
    text = text_of(this, "slice")
    length = utf16.length(text)
    return utf16.cut(text, to_index(argument(args, 0), length), to_index(argument(args, 1), length, length))


@PROTOTYPE.method("substring", 2)
def substring(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.25."""
    text = text_of(this, "substring")
    length = utf16.length(text)
    start = to_integer(argument(args, 0))
    end = length if argument(args, 1) is UNDEFINED else to_integer(args[1])
    low, high = sorted(int(min(max(edge, 0), length)) for edge in (start, end))
    return utf16.cut(text, low, high)


@PROTOTYPE.method("substr", 2)
def substr(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: B.2.2.1."""
    text = text_of(this, "substr")
    length = utf16.length(text)
    start = to_index(argument(args, 0), length)
    count = length if argument(args, 1) is UNDEFINED else to_integer(args[1])
    return utf16.cut(text, start, start + int(min(max(count, 0), length - start)))


@PROTOTYPE.method("trim", 0)
def trim(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.32."""
    return text_of(this, "trim").strip(SPACES)


def trim_start(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.34."""
    return text_of(this, "trimLeft").lstrip(SPACES)


def trim_end(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.33."""
    return text_of(this, "trimRight").rstrip(SPACES)


def _add_with_alias(name: str, alias: str, function: Native) -> None:
    """One function object under two names, as the specification wants."""
    for key in (name, alias):
        PROTOTYPE.made(
            key,
            lambda realm: realm.hidden(f"String.prototype.{name}", lambda: NativeFunction(realm, name, 0, function)),
        )


_add_with_alias("trimStart", "trimLeft", trim_start)
_add_with_alias("trimEnd", "trimRight", trim_end)


# --- Longer text -----------------------------------------------------------------------------------------------------


@PROTOTYPE.method("concat", 1)
def concat(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.5."""
    return utf16.concat_all([text_of(this, "concat"), *map(to_string, args)])


@PROTOTYPE.method("repeat", 1)
def repeat(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.18."""
    text = text_of(this, "repeat")
    count = to_integer(argument(args, 0))
    if count < 0 or isinstance(count, float):
        throw_range_error(f"Invalid count value: {to_string(argument(args, 0))}")
    if utf16.length(text) * count > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    return utf16.joined(text * count) if text else ""


@PROTOTYPE.method("padStart", 1)
def pad_start(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.17."""
    text = text_of(this, "padStart")
    return utf16.concat(_padding(text, args), text)


@PROTOTYPE.method("padEnd", 1)
def pad_end(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.16."""
    text = text_of(this, "padEnd")
    return utf16.concat(text, _padding(text, args))


def _padding(text: str, args: Args) -> str:
    length = to_length(argument(args, 0))
    missing = length - utf16.length(text)
    filler = " " if argument(args, 1) is UNDEFINED else to_string(args[1])
    if missing <= 0 or not filler:
        return ""
    if length > utf16.MAX_LENGTH:
        throw_range_error("Invalid string length")
    times = missing // utf16.length(filler) + 1
    return utf16.cut(utf16.joined(filler * times), 0, missing)


# --- Looking for parts -----------------------------------------------------------------------------------------------


@PROTOTYPE.method("indexOf", 1)
def index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.9."""
    text, part = text_of(this, "indexOf"), to_string(argument(args, 0))
    return utf16.find(text, part, _position(text, args))


@PROTOTYPE.method("lastIndexOf", 1)
def last_index_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.11."""
    text, part = text_of(this, "lastIndexOf"), to_string(argument(args, 0))
    number = to_number(argument(args, 1))
    length = utf16.length(text)
    start = length if number != number else int(min(max(to_integer(number), 0), length))
    return utf16.find_last(text, part, start)


@PROTOTYPE.method("includes", 1)
def includes(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.8."""
    text = text_of(this, "includes")
    part = _not_a_pattern(args, "includes")
    return utf16.find(text, part, _position(text, args)) >= 0


@PROTOTYPE.method("startsWith", 1)
def starts_with(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.24."""
    text = text_of(this, "startsWith")
    part = _not_a_pattern(args, "startsWith")
    start = _position(text, args)
    return utf16.cut(text, start, start + utf16.length(part)) == part


@PROTOTYPE.method("endsWith", 1)
def ends_with(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.7."""
    text = text_of(this, "endsWith")
    part = _not_a_pattern(args, "endsWith")
    end = utf16.length(text) if argument(args, 1) is UNDEFINED else _position(text, args)
    start = end - utf16.length(part)
    return start >= 0 and utf16.cut(text, start, end) == part


def _position(text: str, args: Args) -> int:
    return int(min(max(to_integer(argument(args, 1)), 0), utf16.length(text)))


def _not_a_pattern(args: Args, name: str) -> str:
    if is_regexp(argument(args, 0)):
        throw_type_error(f"First argument to String.prototype.{name} must not be a regular expression")
    return to_string(argument(args, 0))


def is_regexp(value: Any) -> bool:
    """Whether a value wants to be treated as a regular expression. Spec: 7.2.8."""
    if not is_object(value):
        return False
    says = value.get(SYMBOL_MATCH)
    return value.class_name == "RegExp" if says is UNDEFINED else to_boolean(says)


# --- Other forms -----------------------------------------------------------------------------------------------------


def _lower(realm: Realm, this: Any, args: Args) -> Any:
    return text_of(this, "toLowerCase").lower()


def _upper(realm: Realm, this: Any, args: Args) -> Any:
    return text_of(this, "toUpperCase").upper()


for _name, _function in (("LowerCase", _lower), ("UpperCase", _upper)):
    PROTOTYPE.method(f"to{_name}", 0)(_function)
    PROTOTYPE.method(f"toLocale{_name}", 0)(_function)


@PROTOTYPE.method("normalize", 0)
def normalize(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 22.1.3.15."""
    from unicodedata import normalize as normalized

    text = text_of(this, "normalize")
    form = "NFC" if argument(args, 0) is UNDEFINED else to_string(args[0])
    if form not in {"NFC", "NFD", "NFKC", "NFKD"}:
        throw_range_error("The normalization form should be one of NFC, NFD, NFKC, NFKD.")
    return normalized(form, text)  # type: ignore[arg-type]  # it is one of those


@PROTOTYPE.method("localeCompare", 1)
def locale_compare(realm: Realm, this: Any, args: Args) -> Any:
    """As most languages order text. Spec: 22.1.3.12."""
    from .collation import compare

    text = text_of(this, "localeCompare")
    options = argument(args, 2)
    sensitivity, is_numeric = "variant", False
    if is_object(options):
        says = options.get("sensitivity")
        sensitivity = sensitivity if says is UNDEFINED else to_string(says)
        is_numeric = to_boolean(options.get("numeric"))
    return compare(text, to_string(argument(args, 0)), sensitivity, is_numeric)


@PROTOTYPE.method("isWellFormed", 0)
def is_well_formed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: ES2024, 22.1.3.10."""
    return utf16.is_well_formed(text_of(this, "isWellFormed"))


@PROTOTYPE.method("toWellFormed", 0)
def to_well_formed(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: ES2024, 22.1.3.33."""
    return utf16.well_formed(text_of(this, "toWellFormed"))


# --- Markup ----------------------------------------------------------------------------------------------------------

_MARKUP: Final = {
    "anchor": ("a", "name"), "big": ("big", ""), "blink": ("blink", ""), "bold": ("b", ""),
    "fixed": ("tt", ""), "fontcolor": ("font", "color"), "fontsize": ("font", "size"), "italics": ("i", ""),
    "link": ("a", "href"), "small": ("small", ""), "strike": ("strike", ""), "sub": ("sub", ""), "sup": ("sup", ""),
}  # fmt: skip
"""Tag and attribute of the methods that nobody uses. Spec: B.2.2.2."""


def _add_markup(name: str, tag: str, attribute: str) -> None:
    def wrap(realm: Realm, this: Any, args: Args) -> Any:
        text = text_of(this, name)
        quoted = ""
        if attribute:
            quoted = f' {attribute}="{to_string(argument(args, 0)).replace(chr(34), "&quot;")}"'
        return utf16.concat_all((f"<{tag}{quoted}>", text, f"</{tag}>"))

    PROTOTYPE.method(name, 1 if attribute else 0)(wrap)


for _name, (_tag, _attribute) in _MARKUP.items():
    _add_markup(_name, _tag, _attribute)
