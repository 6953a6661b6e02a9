"""What console.table draws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from wazero_gojs.builtins.collections import JSMap, JSSet
from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import JSObject
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import is_object, throw_range_error, to_string

from .inspect import inspect

MAX_CELLS: Final = 1 << 20
_VALUES: Final = "Values"
_INDEX: Final = "(index)"
_ITERATION: Final = "(iteration index)"


def draw(realm: Realm, data: JSObject, columns: Any) -> str:
    """A row for each property or item of `data`, a column for each property of these; `columns` may select some."""
    if isinstance(data, JSMap):
        return _draw_map(realm, data)
    index = _ITERATION if isinstance(data, JSSet) else _INDEX
    names: dict[str, None] = {}
    if isinstance(columns, JSArray):
        names = dict.fromkeys(map(to_string, columns.values()))
    rows: list[tuple[str, dict[str, str], str]] = []
    has_values = False
    for key, item in _items(data):
        cells: dict[str, str] = {}
        own = ""
        if is_object(item) and not item.is_callable:
            for name in list(item.enumerable_keys()):
                if name in names or not isinstance(columns, JSArray):
                    names[name] = None
                    cells[name] = inspect(realm, item.get(name), depth=0)
        else:
            own = inspect(realm, item, depth=0)
            has_values = True
        rows.append((key, cells, own))
        if len(rows) * (len(names) + 2) > MAX_CELLS:
            throw_range_error("Invalid string length")
    heads = [index, *names, *([_VALUES] if has_values else [])]
    lines = [
        [key, *(cells.get(name, "") for name in names), *([own] if has_values else [])] for key, cells, own in rows
    ]
    return _render(heads, lines)


def _items(data: JSObject) -> Iterator[tuple[str, Any]]:
    if isinstance(data, JSSet):
        for count, entry in enumerate(data.map.entries()):
            yield str(count), entry.key
        return
    for key in list(data.enumerable_keys()):
        yield key, data.get(key)


def _draw_map(realm: Realm, data: JSMap) -> str:
    lines = [
        [str(count), inspect(realm, entry.key, depth=0), inspect(realm, entry.value, depth=0)]
        for count, entry in enumerate(data.map.entries())
    ]
    return _render([_ITERATION, "Key", _VALUES], lines)


def _render(heads: list[str], lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) + 2 for column in zip(heads, *lines, strict=True)]
    bars = ["─" * width for width in widths]
    return "\n".join(
        (
            f"┌{'┬'.join(bars)}┐",
            _line(heads, widths),
            f"├{'┼'.join(bars)}┤",
            *(_line(line, widths) for line in lines),
            f"└{'┴'.join(bars)}┘",
        )
    )


def _line(cells: list[str], widths: list[int]) -> str:
    shown = [f" {cell}".ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"│{'│'.join(shown)}│"
