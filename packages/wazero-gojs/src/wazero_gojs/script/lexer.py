"""Tokens, one at a time, since what a slash or a brace means only the parser knows. Spec: ECMA-262, 12."""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple, NoReturn, final

from wazero_gojs.model import utf16
from wazero_gojs.model.values import BigInt, ThrownByName, number_of, throw_range_error

RESERVED: Final = frozenset(
    [
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "new",
        "null",
        "return",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "var",
        "void",
        "while",
        "with",
    ]
)
STRICT_RESERVED: Final = frozenset(
    ["implements", "interface", "let", "package", "private", "protected", "public", "static", "yield"]
)

_NEWLINES: Final = "\n\r\u2028\u2029"
_SKIP: Final = re.compile(
    rf"(?:[ \t\v\f\xa0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000{_NEWLINES}]+|(?://|<!--)[^{_NEWLINES}]*|/\*[\s\S]*?\*/)*"
)
_NEWLINE: Final = re.compile(f"[{_NEWLINES}]")
_NAME: Final = re.compile(r"(?:[$\w\u200c\u200d]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})+")
_NAME_ESCAPE: Final = re.compile(r"\\u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))")
_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_NUMBER: Final = re.compile(
    r"0[xX](?P<hex>[0-9a-fA-F](?:_?[0-9a-fA-F])*)(?P<n16>n?)|0[oO](?P<octal>[0-7](?:_?[0-7])*)(?P<n8>n?)"
    r"|0[bB](?P<binary>[01](?:_?[01])*)(?P<n2>n?)|(?P<legacy>0[0-7]+)(?![89.])"
    rf"|(?P<bigint>0|[1-9](?:_?[0-9])*)n|(?P<decimal>(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)"
)
_PUNCTUATOR: Final = re.compile(
    r">>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?![0-9])|\+\+|--|\+=|-=|\*=|/=|%="
    r"|&=|\|=|\^=|<<|>>|\*\*|[{}()\[\];,<>+\-*/%&|^!~?:=.]"
)
_REGEXP: Final = re.compile(
    rf"/((?:[^{_NEWLINES}\[\\/]|\\[^{_NEWLINES}]|\[(?:[^{_NEWLINES}\]\\]|\\[^{_NEWLINES}])*\])+)/([$\w]*)"
)
_PLAIN: Final = {quote: re.compile(rf"[^{stop}\\\n\r]*") for quote, stop in (('"', '"'), ("'", "'"))}
_PLAIN_TEMPLATE: Final = re.compile(r"[^`\\$\r]*")
_ESCAPE: Final = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|u\{(?P<point>[0-9a-fA-F]+)\}|(?P<newline>\r\n|[\n\r\u2028\u2029])"
    r"|(?P<nul>0(?![0-9]))|(?P<octal>[0-3]?[0-7]{1,2}|[89])|(?P<char>[^xu0-9]))"
)
_SIMPLE: Final = dict(zip("bfnrtv", "\b\f\n\r\t\v", strict=True))


class Token(NamedTuple):
    """`type` is "name", "keyword", "escaped", "punctuator", "number", "string", "template", "regexp", "private" or "end"."""

    type: str
    value: Any
    start: int
    end: int
    after_newline: bool = False
    legacy: str = ""
    """Why strict code may not have it."""


def fail(message: str) -> NoReturn:
    """Throw a SyntaxError."""
    raise ThrownByName("SyntaxError", message)


@final
class Lexer:
    """Of one text; `position` may be set back to what it was."""

    __slots__ = ("position", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def next(self) -> Token:
        """The next token, a slash being a division."""
        text, before = self.text, self.position
        start = _SKIP.match(text, before).end()  # type: ignore[union-attr]  # matches nothing, too
        after_newline = _NEWLINE.search(text, before, start) is not None
        if start == len(text):
            self.position = start
            return Token("end", None, start, start, after_newline)
        char = text[start]
        value: Any
        if char in "\"'":
            type, value, end, legacy = self._string(start, char)
        elif char == "`":
            type, value, end, legacy = "template", *self._template(start + 1), ""
        elif char.isdecimal() or (char == "." and text[start + 1 : start + 2].isdecimal()):
            type, value, end, legacy = self._number(start)
        elif name := _NAME.match(text, start + (char == "#")):
            type, value, end, legacy = self._name(name, char == "#")
        else:
            punctuator = _PUNCTUATOR.match(text, start)
            if punctuator is None or text.startswith("/*", start):
                fail("Invalid or unexpected token")
            type, value, end, legacy = "punctuator", punctuator[0], punctuator.end(), ""
        self.position = end
        return Token(type, value, start, end, after_newline, legacy)

    def regexp(self, slash: Token) -> Token:
        """The regular expression (pattern, flags) that begins with a token that looked like a division."""
        found = _REGEXP.match(self.text, slash.start)
        if found is None:
            fail("Invalid regular expression: missing /")
        self.position = found.end()
        return Token("regexp", found.groups(), slash.start, found.end(), slash.after_newline)

    def template_after(self, brace: Token) -> Token:
        """How a template goes on after the closing brace of a value."""
        value, end = self._template(brace.end)
        self.position = end
        return Token("template", value, brace.start, end)

    def _name(self, found: re.Match[str], is_private: bool) -> tuple[str, str, int, str]:
        name = found[0]
        has_escape = "\\" in name
        if has_escape:
            name = _NAME_ESCAPE.sub(lambda match: _character(int(match[1] or match[2], 16)), name)
        plain = name.replace("$", "_").replace("\u200c", "_").replace("\u200d", "_")
        if not plain.isidentifier():
            fail("Invalid or unexpected token")
        if is_private:
            return "private", f"#{name}", found.end(), ""
        type = "name" if name not in RESERVED else "escaped" if has_escape else "keyword"
        return type, name, found.end(), ""

    def _number(self, start: int) -> tuple[str, Any, int, str]:
        found = _NUMBER.match(self.text, start)
        if found is None or _NAME.match(self.text, found.end()):
            fail(_bad_number(self.text, start if found is None else found.end()))
        legacy = ""
        value: Any
        if decimal := found["decimal"]:
            if len(decimal) > 1 and decimal[0] == "0" and decimal[1] in "0123456789_":
                legacy = "Decimals with leading zeros are not allowed in strict mode."
            value = number_of(float(decimal))
        elif found["legacy"]:
            legacy = "Octal literals are not allowed in strict mode."
            value = _to_number(int(found["legacy"], 8))
        elif found["bigint"]:
            value = _to_bigint(found["bigint"])
        else:
            base, name = (16, "hex") if found["hex"] else (8, "octal") if found["octal"] else (2, "binary")
            integer = int(found[name], base)
            value = BigInt(integer) if found[f"n{base}"] else _to_number(integer)
        return "number", value, found.end(), legacy

    def _string(self, start: int, quote: str) -> tuple[str, str, int, str]:
        text, position = self.text, start + 1
        parts: list[str] = []
        legacy = ""
        while True:
            end = _PLAIN[quote].match(text, position).end()  # type: ignore[union-attr]  # matches nothing, too
            parts.append(text[position:end])
            char = text[end : end + 1]
            if char == quote:
                return "string", utf16.concat_all(parts), end + 1, legacy
            if char != "\\":
                fail("Invalid or unexpected token")
            escape = _ESCAPE.match(text, end)
            if escape is None:
                fail(_bad_escape(text[end + 1 : end + 2]))
            if escape["octal"]:
                legacy = "Octal escape sequences are not allowed in strict mode."
            parts.append(_unescape(escape))
            position = escape.end()

    def _template(self, position: int) -> tuple[tuple[str | None, str, bool], int]:
        """A piece of a template: its text (None with a bad escape), its raw text, whether it is the last; its end."""
        text, start = self.text, position
        parts: list[str] = []
        is_bad = False
        while True:
            end = _PLAIN_TEMPLATE.match(text, position).end()  # type: ignore[union-attr]  # matches nothing, too
            parts.append(text[position:end])
            char = text[end : end + 1]
            if char == "`" or text.startswith("${", end):
                raw = text[start:end].replace("\r\n", "\n").replace("\r", "\n")
                return (None if is_bad else utf16.concat_all(parts), raw, char == "`"), end + 1 + (char == "$")
            if not char:
                fail("Unexpected end of input")
            position = end + 1
            if char == "\\":
                escape = _ESCAPE.match(text, end)
                is_bad = is_bad or escape is None or escape["octal"] is not None
                parts.append(_unescape(escape) if escape else "")
                position = escape.end() if escape else end + 2
            elif char == "\r":
                parts.append("\n")
                position += text.startswith("\n", position)
            else:
                parts.append(char)


def _character(point: int) -> str:
    if point > 0x10FFFF:
        fail("Undefined Unicode code-point")
    return chr(point)


def _unescape(escape: re.Match[str]) -> str:
    if code := escape["x"] or escape["u"] or escape["point"]:
        return _character(int(code, 16))
    if octal := escape["octal"]:
        return octal if octal in "89" else chr(int(octal, 8))
    if escape["nul"]:
        return "\0"
    char = escape["char"] or ""  # nothing for a newline: the line goes on
    return _SIMPLE.get(char, char)


def _bad_escape(char: str) -> str:
    if char == "x":
        return "Invalid hexadecimal escape sequence"
    return "Invalid Unicode escape sequence" if char == "u" else "Invalid or unexpected token"


def _bad_number(text: str, end: int) -> str:
    if text.startswith("__", end):
        return "Only one underscore is allowed as numeric separator"
    if text.startswith("_", end):
        return "Numeric separators are not allowed at the end of numeric literals"
    return "Invalid or unexpected token"


def _to_number(integer: int) -> int | float:
    try:
        return number_of(integer)
    except OverflowError:
        return math.inf


def _to_bigint(digits: str) -> BigInt:
    try:
        return BigInt(digits)
    except ValueError:  # CPython reads no more digits than that
        throw_range_error("Maximum BigInt size exceeded")
