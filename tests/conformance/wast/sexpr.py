"""Reads the text of a .wast script as S-expressions, remembering where each list stands in the source.

An atom is a `str`, a string literal is the `bytes` it denotes, and a list is an `SList`. Comments and annotations
`(@id ...)` are dropped; whoever needs them cuts the exact text out of the source by the span of a list.

Spec: text format, lexical format.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias, final

Node: TypeAlias = "str | bytes | SList"

_TOKEN: Final = re.compile(
    r"""
      (?: [ \t\r\n]+ | ;;[^\r\n]* )+          # nothing of interest: no group
    | ( \(; )                                 # 1: a block comment opens
    | ( \(@? )                                # 2: a list or an annotation opens
    | ( \) )                                  # 3
    | " ( (?: [^"\\\n] | \\[^\n] )* ) "       # 4: a string, without its quotes
    | ( [^\s();"]+ | ; )                      # 5: an atom; `;` alone is a token inside annotations only
    """,
    re.VERBOSE,
)
_COMMENT_EDGE: Final = re.compile(r"\(;|;\)")
_ESCAPE: Final = re.compile(r"\\(?:([tnr\"'\\])|u\{([0-9a-fA-F](?:_?[0-9a-fA-F])*)\}|([0-9a-fA-F]{2})|(.?))")
_NAMED_ESCAPES: Final = {"t": b"\t", "n": b"\n", "r": b"\r", '"': b'"', "'": b"'", "\\": b"\\"}
_ANNOTATION: Final = "(@"


class SexprError(ValueError):
    """The text is not a sequence of S-expressions; `offset` counts characters."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} at offset {offset}")
        self.offset = offset


@final
class SList:
    """A parenthesised list; `source[start:end]` is its exact text."""

    __slots__ = ("end", "items", "start")

    def __init__(self, items: list[Node], start: int, end: int) -> None:
        self.items = items
        self.start = start
        self.end = end

    @property
    def head(self) -> str | None:
        """The first item where it is an atom."""
        return self.items[0] if self.items and isinstance(self.items[0], str) else None

    def __repr__(self) -> str:
        return f"SList({self.items!r})"


def parse(source: str) -> list[Node]:
    """All forms of the text, in order.

    Raises:
        SexprError: unbalanced parentheses or comments, a bad string, a character that starts no token.
    """
    items: list[Node] = []
    open_lists: list[tuple[list[Node], int, bool]] = []
    position, end = 0, len(source)
    while position < end:
        token = _TOKEN.match(source, position)
        if token is None:
            raise SexprError("no token", position)
        position = token.end()
        group = token.lastindex
        if group == 5:
            items.append(token[5])
        elif group == 2:
            open_lists.append((items, token.start(), token[2] == _ANNOTATION))
            items = []
        elif group == 3:
            items = _close(items, open_lists, position)
        elif group == 4:
            items.append(unescape(token[4], token.start()))
        elif group == 1:
            position = _comment_end(source, token.start())
    if open_lists:
        raise SexprError("a list is never closed", open_lists[-1][1])
    return items


def _close(items: list[Node], open_lists: list[tuple[list[Node], int, bool]], end: int) -> list[Node]:
    """Append the list that ends to the one around it, which is returned; an annotation leaves nothing behind."""
    if not open_lists:
        raise SexprError("a closing parenthesis too many", end - 1)
    outer, start, annotation = open_lists.pop()
    if not annotation:
        outer.append(SList(items, start, end))
    return outer


def _comment_end(source: str, start: int) -> int:
    """Where the block comment that opens at `start` ends; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(source, start):
        depth += 1 if edge[0] == "(;" else -1
        if depth == 0:
            return edge.end()
    raise SexprError("a comment is never closed", start)


def unescape(text: str, offset: int = 0) -> bytes:
    """The bytes that a string literal denotes, given without its quotes; `offset` is for the error only."""
    if "\\" not in text:
        return text.encode()
    parts: list[bytes] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        parts.append(text[position : escape.start()].encode())
        parts.append(_escaped_bytes(escape, offset))
        position = escape.end()
    parts.append(text[position:].encode())
    return b"".join(parts)


def _escaped_bytes(escape: re.Match[str], offset: int) -> bytes:
    named, code_point, byte, wrong = escape.groups()
    if named:
        return _NAMED_ESCAPES[named]
    if byte:
        return bytes.fromhex(byte)
    if code_point:
        value = int(code_point, 16)
        if value < 0xD800 or 0xE000 <= value < 0x110000:
            return chr(value).encode()
    raise SexprError(f"bad escape \\{wrong or escape[0][1:]}", offset)
