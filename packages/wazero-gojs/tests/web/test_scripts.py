"""Programs of scripts/*.js write what they write in Node: scripts/*.out and *.err, which Node wrote.

Where Node is installed, it is asked again; `python test_scripts.py` writes them anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wazero_core import ModuleConfig
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.script.evaluate import evaluate

HERE = Path(__file__).parent
SCRIPTS = sorted(HERE.glob("scripts/*.js"))
NODE = shutil.which("node")


class Host:
    """As much of a program as globals need. Its time passes only while it sleeps, so order does not depend on speed."""

    def __init__(self, realm: Realm, stdout: bytearray, stderr: bytearray) -> None:
        self.now = 0
        config = ModuleConfig().with_stdout(stdout).with_stderr(stderr)
        config = config.with_nanotime(lambda: self.now).with_nanosleep(self.sleep)
        self.system = config.new_system_context()
        self.loop = EventLoop(self.system, realm.jobs)
        self.config = None

    def sleep(self, nanoseconds: int) -> None:
        self.now += nanoseconds


def our_output(source: str) -> tuple[str, str]:
    realm = Realm(GLOBALS)
    stdout, stderr = bytearray(), bytearray()
    realm.host = Host(realm, stdout, stderr)
    evaluate(realm, source)
    while not realm.host.loop.is_stuck:
        realm.host.loop.run_ready()
        realm.host.loop.wait()
    return stdout.decode(), stderr.decode()


def node_output(path: Path) -> tuple[str, str]:
    assert NODE is not None
    found = subprocess.run(
        [NODE, str(path)],
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return found.stdout, found.stderr


def recorded(path: Path) -> tuple[str, str]:
    return path.with_suffix(".out").read_text("utf-8"), path.with_suffix(".err").read_text("utf-8")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_output_is_that_of_node(path: Path) -> None:
    assert our_output(path.read_text("utf-8")) == recorded(path)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_node_still_writes_that(path: Path) -> None:
    assert node_output(path) == recorded(path)


if __name__ == "__main__":
    for script in SCRIPTS:
        for suffix, text in zip((".out", ".err"), node_output(script), strict=True):
            script.with_suffix(suffix).write_text(text, "utf-8")
