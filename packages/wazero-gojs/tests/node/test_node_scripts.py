"""Programs of scripts/*.js do with files what they do in Node: scripts/*.out, which Node wrote.

Where Node is installed, it is asked again; `python test_node_scripts.py` writes them anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from wazero_core import FSConfig, ModuleConfig
from wazero_gojs.global_names import GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.realm import Realm
from wazero_gojs.node.places import Workdir
from wazero_gojs.script.evaluate import evaluate

HERE = Path(__file__).parent
SCRIPTS = sorted(HERE.glob("scripts/*.js"))
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and errors of POSIX")


class Host:
    """As much of a program as files need."""

    def __init__(self, realm: Realm, folder: Path, stdout: bytearray) -> None:
        files = FSConfig().with_dir_mount(folder, "/work")
        config = ModuleConfig().with_stdout(stdout).with_fs_config(files).with_sys_walltime()
        self.system = config.new_system_context()
        self.loop = EventLoop(self.system, realm.jobs)
        self.workdir = Workdir(self.system, "/work")
        self.umask = 0o022
        self.config = None
        self.stats_prototype = None

    def close(self) -> None:
        self.workdir.close()
        self.loop.close()
        self.system.close()


def our_output(script: Path, folder: Path) -> str:
    realm = Realm(GLOBALS)
    stdout = bytearray()
    host = realm.host = Host(realm, folder, stdout)
    try:
        evaluate(realm, script.read_text())
        while not host.loop.is_stuck:
            host.loop.run_ready()
            host.loop.wait()
    finally:
        host.close()
    return stdout.decode()


def node_output(script: Path, folder: Path) -> str:
    assert NODE is not None
    source = f'globalThis.fs = require("fs"); process.umask(0o022); {script.read_text()}'
    done = subprocess.run([NODE, "-e", source], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_output_is_that_of_node(script: Path, tmp_path: Path) -> None:
    assert our_output(script, tmp_path).splitlines() == script.with_suffix(".out").read_text().splitlines()


@pytest.mark.skipif(NODE is None, reason="no node on the PATH")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_recorded_output_is_that_of_node(script: Path, tmp_path: Path) -> None:
    assert node_output(script, tmp_path) == script.with_suffix(".out").read_text()


if __name__ == "__main__":
    for path in SCRIPTS:
        with tempfile.TemporaryDirectory() as scratch:
            path.with_suffix(".out").write_text(node_output(path, Path(scratch)))
