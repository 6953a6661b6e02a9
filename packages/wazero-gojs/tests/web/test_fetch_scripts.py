"""Programs of fetch_scripts/*.js write what they write in Node: fetch_scripts/*.out, which Node wrote.

Where Node is installed, it is asked again; `python test_fetch_scripts.py` writes them anew. None of them uses the network.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wazero_core import ModuleConfig
from wazero_gojs import Config
from wazero_gojs.global_names import FETCH, GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.script.evaluate import evaluate

SCRIPTS = sorted(Path(__file__).parent.glob("fetch_scripts/*.js"))
NODE = shutil.which("node")


class Host:
    def __init__(self, realm: Realm, stdout: bytearray) -> None:
        self.system = ModuleConfig().with_stdout(stdout).new_system_context()
        self.loop = EventLoop(self.system, realm.jobs)
        self.config = Config().with_round_tripper(refuse)


def refuse(request: Any) -> Any:
    raise AssertionError(f"nothing here makes requests: {request}")


def our_output(path: Path) -> str:
    realm = Realm({**GLOBALS, **FETCH})
    stdout = bytearray()
    realm.host = Host(realm, stdout)
    evaluate(realm, path.read_text("utf-8"))
    while not realm.host.loop.is_stuck:
        realm.host.loop.run_ready()
        realm.host.loop.wait()
    realm.host.loop.close()
    return stdout.decode()


def node_output(path: Path) -> str:
    assert NODE is not None
    command = [NODE, "--no-warnings", str(path)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout


def recorded(path: Path) -> str:
    return path.with_suffix(".out").read_text("utf-8")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_output_is_that_of_node(path: Path) -> None:
    assert our_output(path) == recorded(path)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_node_still_writes_that(path: Path) -> None:
    assert node_output(path) == recorded(path)


if __name__ == "__main__":
    for script in SCRIPTS:
        script.with_suffix(".out").write_text(node_output(script), "utf-8")
