"""Runs sources in our interpreter, as oracle.js does in Node. Run this file to record what Node says about all cases."""

from __future__ import annotations

import subprocess
from pathlib import Path

from wazero_gojs.global_names import GLOBALS
from wazero_gojs.model.realm import Realm
from wazero_gojs.script.evaluate import evaluate

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.js"))
PRELUDE = HERE / "prelude.js"


def sources(path: Path) -> list[str]:
    """One a line; ⏎ stands for a newline in it."""
    return path.read_text().rstrip("\n").split("\n")


def recorded(path: Path) -> list[str]:
    return path.with_suffix(".expected").read_text().rstrip("\n").split("\n")


def node_results(path: Path) -> list[str]:
    command = ["node", str(HERE / "oracle.js"), str(PRELUDE), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip("\n").split("\n")


def our_result(source: str) -> str:
    realm = Realm(GLOBALS)
    evaluate(realm, PRELUDE.read_text())
    shown = realm.global_object.get("run").call(realm.global_object, (source.replace("⏎", "\n"),))
    realm.jobs.run()
    if realm.global_object.has("RESULT"):
        shown = realm.global_object.get("show").call(None, (realm.global_object.get("RESULT"),))
    return str(shown)


if __name__ == "__main__":
    for path in CASES:
        path.with_suffix(".expected").write_text("\n".join(node_results(path)) + "\n")
