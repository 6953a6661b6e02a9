"""What ``wazero inspect`` prints for people: the description that `inspection` makes, in aligned columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

_MAX_WIDTH: Final = 40
"""Of a column; what is longer pushes the rest of its line to the right."""

_PAGE_KIB: Final = 64


def inspection_lines(description: dict[str, Any]) -> Iterator[str]:
    """The text. Names in it are as the module has them, so lines may hold anything."""
    yield from _columns(_facts(description))
    for title, rows in (
        ("sections", _sections(description)),
        ("imports", [(i["kind"], f"{i['module']}.{i['name']}", i["type"]) for i in description["imports"]]),
        ("exports", [(e["kind"], e["name"], e["type"]) for e in description["exports"]]),
        ("memories", [(str(m["index"]), _memory(m), _origin(m)) for m in description["memories"]]),
        ("tables", [(str(t["index"]), _table(t), _origin(t)) for t in description["tables"]]),
        ("globals", [(str(g["index"]), _global(g), _origin(g)) for g in description["globals"]]),
    ):
        if rows:
            yield ""
            yield f"{title}:"
            yield from (f"  {line}" for line in _columns(rows))


def _facts(description: dict[str, Any]) -> list[tuple[str, ...]]:
    features, start, counts = description["features"], description["start"], description["counts"]
    facts = [
        ("file:", description["file"]),
        ("size:", f"{description['bytes']} bytes, {counts['code_bytes']} of them instructions"),
        ("name:", description["name"] or "-"),
        ("kind:", _KINDS[description["kind"]]),
        ("imports from:", ", ".join(description["abi"]) or "nothing"),
        ("features needed:", ", ".join(features["needed"]) or "none beyond WebAssembly 1.0"),
    ]
    if features["missing"]:
        facts.append(("not enabled:", ", ".join(features["missing"])))
    if start is not None:
        facts.append(("start function:", f"{start['index']} {start['name'] or ''}".rstrip()))
    counted = [f"{count} {_plural(name, count)}" for name, count in counts.items() if count and name != "code_bytes"]
    return [*facts, ("counts:", ", ".join(counted) or "nothing")]


_KINDS: Final = {
    "command": "command (exports _start)",
    "reactor": "reactor (exports _initialize)",
    "library": "library (exports neither _start nor _initialize)",
}


def _plural(name: str, count: int) -> str:
    words = name.replace("_", " ")
    return words if count != 1 else "memory" if words == "memories" else words.removesuffix("s")


def _sections(description: dict[str, Any]) -> list[tuple[str, ...]]:
    """With a heading, since numbers alone say nothing. Offsets as `wazero dump` has them."""
    if not description["sections"]:
        return []
    rows: list[tuple[str, ...]] = [("id", "name", "offset", "bytes")]
    for section in description["sections"]:
        name = section["name"] if section["id"] else f'custom "{section["name"]}"'
        rows.append((str(section["id"]), name, f"{section['offset']:x}", str(section["size"])))
    return rows


def _origin(item: dict[str, Any]) -> str:
    return "imported" if item["is_imported"] else ""


def _memory(item: dict[str, Any]) -> str:
    text = f"{_range(item)} pages, {item['minimum'] * _PAGE_KIB} KiB at the start"
    return "".join([text, ", shared" if item["is_shared"] else "", ", 64-bit" if item["is_64"] else ""])


def _table(item: dict[str, Any]) -> str:
    return f"{_range(item)} elements of {item['element']}{', 64-bit' if item['is_64'] else ''}"


def _global(item: dict[str, Any]) -> str:
    return f"{item['type']}, {'mutable' if item['is_mutable'] else 'constant'}"


def _range(item: dict[str, Any]) -> str:
    minimum, maximum = item["minimum"], item["maximum"]
    if maximum is None:
        return f"{minimum} or more"
    return str(minimum) if minimum == maximum else f"{minimum} to {maximum}"


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [min(_MAX_WIDTH, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join([f"{text:{width}}" for text, width in zip(row, widths, strict=True)]).rstrip()
