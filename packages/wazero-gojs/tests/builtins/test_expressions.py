"""Expressions give what they give in Node: those of expressions/*.txt, each with its result indented below.

The results there came from Node. Where it is installed it is asked again; `python test_expressions.py` writes them anew.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model import utf16
from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import ENUMERABLE, MISSING, Accessor
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import BigInt, JSError, Symbol, is_object, to_string, type_of
from wazero_gojs.script.evaluate import evaluate

HERE = Path(__file__).parent
FILES = sorted((HERE / "expressions").glob("*.txt"))
NODE = shutil.which("node")


def read(path: Path) -> list[tuple[str, str]]:
    """Expressions and results."""
    rows: list[tuple[str, str]] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("    "):
            rows[-1] = (rows[-1][0], line[4:])
        elif line and not line.startswith("#"):
            rows.append((line, ""))
    return rows


def node_results(expressions: list[str]) -> list[str]:
    assert NODE is not None
    asked = subprocess.run(
        [NODE, str(HERE / "record_expressions.js")],
        input="\n".join(expressions), capture_output=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in asked.stdout.splitlines()]


def our_result(expression: str) -> str:
    realm = Realm(GLOBALS)
    try:
        return show(evaluate(realm, expression))
    except JSError as error:
        value = realm.thrown(error)
        if is_object(value) and value.class_name == "Error":
            return f"throws {to_string(value.get('name'))}: {to_string(value.get('message'))}"
        return f"throws {show(value)}"


def quote(text: str) -> str:
    units = memoryview(utf16.encode(text)).cast("H")
    shown = [chr(unit) if 32 <= unit < 127 and chr(unit) not in '"\\' else f"\\u{unit:04x}" for unit in units]
    return f'"{"".join(shown)}"'


def show(value: Any, depth: int = 0) -> str:
    """As record_expressions.js shows values."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, BigInt):
        return f"{to_string(value)}n"
    if type_of(value) == "function":
        return f"<function {to_string(value.get('name'))}>"
    if isinstance(value, Symbol):
        return repr(value)
    if not is_object(value):
        is_negative_zero = isinstance(value, float) and not value and math.copysign(1, value) < 0
        return "-0" if is_negative_zero else to_string(value)
    return "..." if depth > 4 else show_object(value, depth)


def show_object(value: Any, depth: int) -> str:
    realm = Realm(GLOBALS)
    tag = realm.object_prototype.get("toString").call(value, ())[8:-1]
    if tag == "Error":
        return f"<{to_string(value.get('name'))}: {to_string(value.get('message'))}>"
    keys = [key for key in value.own_keys() if value.attributes_of(key) & ENUMERABLE]

    def field(key: str | Symbol) -> str:
        found = value.own(key)
        return "<accessor>" if isinstance(found, Accessor) else show(found, depth + 1)

    def named(key: str | Symbol) -> str:
        return f"{f'[{key!r}]' if isinstance(key, Symbol) else key}: {field(key)}"

    if isinstance(value, JSArray):
        items = [field(str(i)) if item is not MISSING else "<hole>" for i, item in enumerate(value.items)]
        others = [named(key) for key in keys if isinstance(key, Symbol) or not re.fullmatch("[0-9]+", key)]
        return f"[{', '.join([*items, *others])}]"
    return f"{'' if tag == 'Object' else tag + ' '}{{{', '.join(map(named, keys))}}}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_results_are_those_of_node(path: Path) -> None:
    wrong = [
        f"{expression}\n  node: {expected}\n  ours: {ours}"
        for expression, expected in read(path)
        if (ours := our_result(expression)) != expected
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_node_still_says_so(path: Path) -> None:
    rows = read(path)
    assert node_results([expression for expression, _ in rows]) == [expected for _, expected in rows]


def record(path: Path) -> None:
    """Ask Node, and write its results."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("    ")]
    results = iter(node_results([line for line in lines if not line.startswith("#")]))
    text = "".join(f"{line}\n" if line.startswith("#") else f"{line}\n    {next(results)}\n" for line in lines)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    for found in map(Path, sys.argv[1:]) if sys.argv[1:] else FILES:
        record(found)
