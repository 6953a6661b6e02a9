"""Tokens as the parser reads them, with what is allowed where. Spec: ECMA-262, 12."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn, TypeVar

from wazero_gojs.model.values import throw_range_error

from . import nodes
from .lexer import STRICT_RESERVED, Lexer, Token, fail

MAX_NESTING: Final = 400
"""Expressions and statements inside of one another."""
WORDS: Final = frozenset(("punctuator", "keyword", "name"))
"""Types of tokens that are known by their text."""

_UNEXPECTED: Final = {
    "end": "Unexpected end of input",
    "number": "Unexpected number",
    "string": "Unexpected string",
    "template": "Unexpected template string",
    "escaped": "Keyword must not contain escaped characters",
}

_T = TypeVar("_T")


class Context(NamedTuple):
    """What the code around a place allows there."""

    is_strict: bool = False
    in_function: bool = False
    in_generator: bool = False
    in_async: bool = False
    super_: str = ""
    """"property" in methods, "call" in constructors of derived classes."""


class TokenReader:
    """Reads one token ahead. Where a method starts, `token` is the first one that it reads."""

    def __init__(self, text: str, context: Context, poll: Callable[[], None]) -> None:
        self.text = text
        self.context = context
        self.poll = poll
        self.allows_in = True
        """Whether `in` is an operator here."""
        self.functions = 0
        """How many were read so far."""
        self.grouped: dict[int, Any] = {}
        """Nodes that stood in parentheses, by id."""
        self.depth = 0
        self.end = 0
        """Of the last token that was read."""
        self.lexer = Lexer(text)
        self.token = self.lexer.next()

    # Tokens

    def advance(self) -> Token:
        """Read a token."""
        token = self.token
        if token.legacy and self.context.is_strict:
            fail(token.legacy)
        self.end = token.end
        self.token = self.lexer.next()
        return token

    def peek(self) -> Token:
        """The token after this."""
        position = self.lexer.position
        token = self.lexer.next()
        self.lexer.position = position
        return token

    def at(self, value: str) -> bool:
        """Whether a word or punctuator comes next."""
        return self.token.value == value and self.token.type in WORDS

    def accept(self, value: str) -> bool:
        """Read a word or punctuator if it comes next."""
        if self.at(value):
            self.advance()
            return True
        return False

    def expect(self, value: str, message: str = "") -> None:
        """Read a word or punctuator that must come next."""
        if not self.accept(value):
            if message:
                fail(message)
            self.unexpected()

    def unexpected(self, token: Token | None = None) -> NoReturn:
        """Complain of a token."""
        token = token or self.token
        if self.text.endswith("await", 0, self.end) and token.start > self.end and not self.context.in_async:
            fail("await is only valid in async functions and the top level bodies of modules")
        if token.value == "enum" and token.type == "keyword":
            fail("Unexpected reserved word")
        if token.type == "name":
            if self.context.is_strict and token.value in STRICT_RESERVED:
                fail("Unexpected strict mode reserved word")
            fail(f"Unexpected identifier '{token.value}'")
        fail(_UNEXPECTED.get(token.type) or f"Unexpected token '{self.text[token.start : token.end]}'")

    def identifier(self) -> nodes.Name:
        """The name of a variable."""
        token = self.token
        context = self.context
        if token.type != "name" or (context.is_strict and token.value in STRICT_RESERVED):
            self.unexpected()
        if (token.value == "await" and context.in_async) or (token.value == "yield" and context.in_generator):
            fail("Unexpected reserved word" if token.value == "await" else "Unexpected identifier 'yield'")
        self.advance()
        return nodes.Name(token.value)

    def with_in(self, parse: Callable[[], _T]) -> _T:
        """What `parse` reads, with the operator `in` whatever is around."""
        before, self.allows_in = self.allows_in, True
        found = parse()
        self.allows_in = before
        return found

    def descend(self) -> None:
        """Begin something that may nest; `depth` is taken back at its end. RangeError if that is too deep."""
        self.poll()
        self.depth += 1
        if self.depth > MAX_NESTING:
            throw_range_error("Maximum call stack size exceeded")
