"""Expressions give what they give in Node: those of inspected/*.txt, here and beside the tests of built-in objects.

Below each is, as JSON, what Node's util.inspect made of the result, in UTC; after a "!" what was thrown. Where Node is
installed, it is asked again; `python test_inspected.py` writes the files anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wazero_core import ModuleConfig
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError, is_object, to_string
from wazero_gojs.script.evaluate import evaluate
from wazero_gojs.web.inspect import inspect

HERE = Path(__file__).parent
FILES = sorted([*HERE.glob("inspected/*.txt"), *(HERE.parent / "builtins").glob("inspected/*.txt")])
NODE = shutil.which("node")
ASK = """
const { inspect } = require("util");
const results = JSON.parse(require("fs").readFileSync(0, "utf8")).map((source) => {
  try { return inspect((0, eval)(source)); } catch (error) { return "!" + error?.name + ": " + error?.message; }
});
process.stdout.write(JSON.stringify(results), () => process.exit());
"""


class Host:
    """As much of a program as globals need."""

    def __init__(self, realm: Realm) -> None:
        self.system = ModuleConfig().new_system_context()
        self.loop = EventLoop(self.system, realm.jobs)
        self.config = None


def read(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").splitlines()
    return [(lines[at], json.loads(lines[at + 1])) for at in range(0, len(lines), 2)]


def node_results(expressions: list[str]) -> list[str]:
    assert NODE is not None
    asked = subprocess.run(
        [NODE, "-e", ASK], input=json.dumps(expressions), env={**os.environ, "TZ": "UTC"},
        capture_output=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    found: list[str] = json.loads(asked.stdout)
    return found


def our_result(expression: str) -> str:
    realm = Realm(GLOBALS)
    realm.host = Host(realm)
    try:
        return inspect(realm, evaluate(realm, expression))
    except JSError as error:
        value: Any = realm.thrown(error)
        return (
            f"!{to_string(value.get('name'))}: {to_string(value.get('message'))}" if is_object(value) else f"!{value}"
        )


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
    """Ask Node, and write what it says."""
    lines = path.read_text("utf-8").splitlines()
    expressions = [line for line in lines if not line.startswith("    ")]
    results = node_results(expressions)
    rows = zip(expressions, results, strict=True)
    path.write_text("".join(f"{expression}\n    {json.dumps(result)}\n" for expression, result in rows), "utf-8")


if __name__ == "__main__":
    for found in map(Path, sys.argv[1:]) if sys.argv[1:] else FILES:
        record(found)
