"""Scripts give what they give in Node: each line of cases/*.js has its result on the same line of *.expected.

The results came from Node. Where it is installed it is asked again; `python test_script_cases.py` writes them anew.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED
from wazero_gojs.script.evaluate import evaluate

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.js"))
PRELUDE = HERE / "prelude.js"
NODE = shutil.which("node")


def sources(path: Path) -> list[str]:
    """⏎ stands for a newline in a source."""
    return path.read_text("utf-8").rstrip("\n").replace("⏎", "\r").split("\n")


def recorded(path: Path) -> list[str]:
    return path.with_suffix(".expected").read_text("utf-8").rstrip("\n").split("\n")


def node_results(path: Path) -> list[str]:
    command = ["node", str(HERE / "oracle.js"), str(PRELUDE), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=120)
    return done.stdout.rstrip("\n").split("\n")


def our_result(source: str) -> str:
    realm = Realm(GLOBALS)
    evaluate(realm, PRELUDE.read_text("utf-8"))
    shown = realm.global_object.get("run").call(UNDEFINED, (source.replace("\r", "\n"),))
    realm.jobs.run()
    if realm.global_object.has("RESULT"):
        shown = realm.global_object.get("show").call(UNDEFINED, (realm.global_object.get("RESULT"),))
    return str(shown)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_results(path: Path):
    wrong = [
        f"{source}\n  is   {ours}\n  in V8 {expected}"
        for source, expected in zip(sources(path), recorded(path), strict=True)
        if (ours := our_result(source)) != expected
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(NODE is None, reason="Node is not installed, so what it says stays as recorded")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_records_are_what_node_says(path: Path):
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("v20."):
        pytest.skip(f"messages differ by version: these are of Node 20, not {version.strip()}")
    assert node_results(path) == recorded(path)


if __name__ == "__main__":
    for case in CASES:
        case.with_suffix(".expected").write_text("\n".join(node_results(case)) + "\n", "utf-8")
