"""From JSON text to values. Python's scanner does what it can; what it refuses is read again, for V8's messages."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn, final

from wazero_gojs.model import utf16
from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import JSObject
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError, number_of

_NEAR: Final = 10
"""Characters of the text that a message shows on each side."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_DIGITS: Final = re.compile("[0-9a-fA-F]{0,4}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final = {"true": True, "false": False, "null": None}
_USUAL_MISTAKES: Final = ("undefined", "NaN", "Infinity", "[object Object]")
"""What becomes of values that somebody takes for JSON."""
_CLOSERS: Final = "]}"


def read(realm: Realm, text: str) -> Any:
    """The value that `text` is. Throws a SyntaxError."""
    prototype, object_prototype = realm.prototype_of("Array"), realm.object_prototype

    def new_object(pairs: list[tuple[str, Any]]) -> JSObject:
        made = JSObject(object_prototype)
        made.properties = properties = dict(pairs)  # type: ignore[assignment]  # str is a kind of key
        for name, value in properties.items():
            if type(value) is list:
                properties[name] = _to_array(prototype, value)
        return made

    decoder = json.JSONDecoder(
        object_pairs_hook=new_object, parse_float=_number, parse_int=_number, parse_constant=_refuse
    )
    if _SURROGATE.search(text):  # with an escaped one behind it, one character
        return Reader(realm, text).read()
    try:
        value = decoder.decode(text)
    except (ValueError, RecursionError):
        return Reader(realm, text).read()
    return _to_array(prototype, value) if type(value) is list else value


def _number(text: str) -> int | float:
    # Longer ones lose digits, and zero may be negative.
    return int(text) if len(text) < 16 and text.isdecimal() else number_of(float(text))


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _to_array(prototype: JSObject, items: list[Any]) -> JSArray:
    """An array over `items`, in which lists become arrays, too, to any depth."""
    whole = JSArray(prototype, items)
    lists = [items]
    while lists:
        inner = lists.pop()
        for index, item in enumerate(inner):
            if type(item) is list:
                inner[index] = JSArray(prototype, item)
                lists.append(item)
    return whole


@final
class Reader:
    """Reads one text, to any depth, and knows what to say of mistakes."""

    __slots__ = ("_at", "_open", "_realm", "_text")

    def __init__(self, realm: Realm, text: str) -> None:
        self._realm = realm
        self._text = text
        self._at = 0
        self._open: list[tuple[JSObject, str]] = []
        """Arrays and objects that are not complete, and the name that the next value gets."""

    def read(self) -> Any:
        """The value. Throws a SyntaxError."""
        while True:
            value = self._value()
            while self._open and self._has_ended(value):
                value = self._open.pop()[0]
            if not self._open:
                break
        if self._skip_space():
            self._fail_at("Unexpected non-whitespace character after JSON")
        return value

    def _value(self) -> Any:
        """The next value that is complete; on the way to it, arrays and objects may open."""
        while True:
            found = self._skip_space()
            if found == "{":
                self._at += 1
                made = self._realm.new_object()
                if self._skip_space() == "}":
                    self._at += 1
                    return made
                self._open.append((made, self._name("Expected property name or '}'")))
            elif found == "[":
                self._at += 1
                array = self._realm.new_array(())
                if self._skip_space() == "]":
                    self._at += 1
                    return array
                self._open.append((array, ""))
            elif found == '"':
                return self._string()
            elif found == "-" or "0" <= found <= "9":
                return self._number()
            else:
                return self._word()

    def _has_ended(self, value: Any) -> bool:
        """Put a value where it belongs; whether the array or object is complete by that."""
        holder, name = self._open[-1]
        is_array = isinstance(holder, JSArray)
        if isinstance(holder, JSArray):
            holder.items.append(value)
        else:
            holder.properties[name] = value
        found = self._skip_space()
        if found == ",":
            self._at += 1
            if not is_array:
                self._open[-1] = holder, self._name("Expected double-quoted property name")
            return False
        if not found or found != _CLOSERS[not is_array]:
            self._fail_at(
                "Expected ',' or ']' after array element" if is_array else "Expected ',' or '}' after property value"
            )
        self._at += 1
        return True

    def _name(self, complaint: str) -> str:
        if self._skip_space() != '"':
            self._fail_at(complaint)
        name = self._string()
        if self._skip_space() != ":":
            self._fail_at("Expected ':' after property name")
        self._at += 1
        return name

    def _string(self) -> str:
        self._at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN.match(self._text, self._at)
            assert plain is not None
            parts.append(plain[0])
            self._at = plain.end()
            found = self._text[self._at : self._at + 1]
            if found == '"':
                self._at += 1
                break
            if not found:
                self._fail_at("Unterminated string")
            if found != "\\":
                self._fail_at("Bad control character in string literal")
            self._at += 1
            parts.append(self._escape())
        # Halves of a pair that were escaped each for itself are one character.
        return utf16.joined("".join(parts))

    def _escape(self) -> str:
        found = self._text[self._at : self._at + 1]
        if not found:
            self._fail_unexpected()
        if found != "u":
            if found not in _ESCAPES:
                self._fail_at("Bad escaped character")
            self._at += 1
            return _ESCAPES[found]
        digits = _DIGITS.match(self._text, self._at + 1)
        assert digits is not None
        self._at = digits.end()
        if len(digits[0]) < 4:
            self._fail_at("Bad Unicode escape")
        return chr(int(digits[0], 16))

    def _number(self) -> int | float:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            self._at += 1
            self._fail_at("No number after minus sign")
        self._at = found.end()
        following = self._text[self._at : self._at + 1]
        if found[0].lstrip("-") == "0" and following.isdecimal():
            self._fail_at("Unexpected number")
        if following == "." and found[0].lstrip("-").isdecimal():
            self._at += 1
            self._fail_at("Unterminated fractional number")
        if following and following in "eE" and not set("eE") & set(found[0]):
            self._at += 1 + (self._text[self._at + 1 : self._at + 2] in ("+", "-"))
            self._fail_at("Exponent part is missing a number")
        return _number(found[0])

    def _word(self) -> Any:
        first = self._text[self._at : self._at + 1]
        word = next((word for word in _WORDS if word[0] == first), "")
        for letter in word:
            if self._text[self._at : self._at + 1] != letter:
                self._fail_unexpected()
            self._at += 1
        if not word:
            self._fail_unexpected()
        return _WORDS[word]

    def _skip_space(self) -> str:
        """The next character that is no space, "" at the end."""
        space = _SPACE.match(self._text, self._at)
        assert space is not None
        self._at = space.end()
        return self._text[self._at : self._at + 1]

    def _fail_at(self, complaint: str) -> NoReturn:
        self._fail(f"{complaint} in JSON at position {self._at}")

    def _fail_unexpected(self) -> NoReturn:
        if self._at >= len(self._text):
            self._fail("Unexpected end of JSON input")
        if self._text in _USUAL_MISTAKES:
            self._fail(f'"{self._text}" is not valid JSON')
        start, end = self._at - _NEAR, self._at + _NEAR
        if len(self._text) <= 4 * _NEAR:
            start, end = 0, len(self._text)
        shown = (
            f'{"..." if start > 0 else ""}"{self._text[max(start, 0) : end]}"{"..." if end < len(self._text) else ""}'
        )
        self._fail(f"Unexpected token '{self._text[self._at]}', {shown} is not valid JSON")

    def _fail(self, message: str) -> NoReturn:
        # "after JSON in JSON" is not what V8 says.
        raise JSError(self._realm.new_error("SyntaxError", message.replace("after JSON in JSON", "after JSON")))
