"""How `inspect` writes strings, and lays out what it found: in one line, in lines, or in columns, as Node does."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from wazero_gojs.model.values import number_to_string

WIDTH: Final = 80
"""Columns of a line at most, if there is a choice."""
COMPACT: Final = 3
"""Levels of objects inside of each other that may share a line."""
_SHORT: Final = 16
_MAX_COLUMNS: Final = 15
MAX_STRING: Final = 10_000
"""Characters that are shown of a string."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_TO_ESCAPE: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\\\\ud800-\udfff]")
_ESCAPES: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\"}


def quote(text: str) -> str:
    """A string in quotes of the kind that it does not have itself."""
    mark = "'"
    if "'" in text:
        if '"' not in text:
            mark = '"'
        elif "`" not in text and "${" not in text:
            mark = "`"
    text = _TO_ESCAPE.sub(_escaped, text)
    return f"{mark}{text.replace(mark, chr(92) + mark) if mark == chr(39) else text}{mark}"


def _escaped(match: re.Match[str]) -> str:
    point = ord(match[0])
    return _ESCAPES.get(match[0]) or (f"\\x{point:02X}" if point < 256 else f"\\u{point:x}")


def key_text(key: str) -> str:
    """A property's name."""
    if key == "__proto__":
        return "['__proto__']"
    return key if _IDENTIFIER.fullmatch(key) else quote(key)


def string_text(text: str, indent: int) -> str:
    """A string inside of an object; a long one is broken where its own lines end."""
    rest = len(text) - MAX_STRING
    trailer = ""
    if rest > 0:
        text = text[:MAX_STRING]
        trailer = f"... {rest} more character{'s' * (rest > 1)}"
    if len(text) > _SHORT and len(text) > WIDTH - indent - 4:
        lines = re.split(r"(?<=\n)", text)
        lines = lines if lines[-1] else lines[:-1]
        return f" +\n{' ' * (indent + 2)}".join(map(quote, lines)) + trailer
    return quote(text) + trailer


def number_text(number: float) -> str:
    """A number; -0 is told from 0."""
    return "-0" if not number and isinstance(number, float) else number_to_string(number)


def in_columns(rows: list[str], more: str | None, indent: int, are_numbers: bool) -> list[str]:
    """Items of an array, several in a line if they are short; `more` is the line that says what was left out."""
    widths = [len(row) for row in rows]
    widest = max(widths) + 2
    total = sum(widths) + 2 * len(rows)
    if widest * 3 + indent >= WIDTH or not (total / widest > 5 or widest <= 8):
        return rows if more is None else [*rows, more]
    count = len(rows) + (more is not None)
    usual = max(widest - 3 - math.sqrt(widest - total / count), 1)
    columns = min(
        math.floor(math.sqrt(2.5 * usual * len(rows)) / usual + 0.5),
        (WIDTH - indent) // widest,
        COMPACT * 4,
        _MAX_COLUMNS,
    )
    if columns > 1:
        rows = _aligned(rows, [max(widths[at::columns]) + 2 for at in range(columns)], are_numbers)
    return rows if more is None else [*rows, more]


def _aligned(rows: list[str], widths: list[int], to_right: bool) -> list[str]:
    columns = len(widths)
    lines: list[str] = []
    for at in range(0, len(rows), columns):
        group = rows[at : at + columns]
        cells = [f"{cell}, " for cell in group[:-1]]
        line = "".join(
            cell.rjust(width) if to_right else cell.ljust(width) for cell, width in zip(cells, widths, strict=False)
        )
        lines.append(line + (group[-1].rjust(widths[len(group) - 1] - 2) if to_right else group[-1]))
    return lines


def enclose(rows: list[str], base: str, braces: tuple[str, str], indent: int, may_join: bool) -> str:
    """The rows between braces, in one line if they may be and fit."""
    start, end = braces
    lead = f"{base} " if base else ""
    if may_join:
        length = sum(map(len, rows)) + 2 * len(rows) + indent + len(start) + len(base) + 10
        if length <= WIDTH and "\n" not in base:
            joined = ", ".join(rows)
            if "\n" not in joined:
                return f"{lead}{start} {joined} {end}"
    line = f"\n{' ' * indent}"
    return f"{lead}{start}{line}  {f',{line}  '.join(rows)}{line}{end}"


def plural(count: Any, noun: str) -> str:
    """``1 item``, ``2 items``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
