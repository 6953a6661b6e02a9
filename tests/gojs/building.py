"""The Go programs of this folder, compiled for GOOS=js, and Go's own way to run them: Node with wasm_exec_node.js."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from programs.build import UnavailableError, build, go

FOLDER: Final = Path(__file__).parent / "programs"
SECONDS: Final = 240
"""Within which every program ends."""

NODE: Final = shutil.which("node")
WHY_NO_NODE: Final = "" if NODE else "no node on the PATH: nothing to compare with but what was recorded of it"


class Ended(NamedTuple):
    """How a program ended, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str


@functools.cache
def go_program(name: str) -> Path:
    """The binary of a program of this folder. Raises UnavailableError."""
    return build(FOLDER / name / "main.go", target="js")


def under_node(
    wasm: Path,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
) -> Ended:
    """Run a program as Go's documentation says. Raises UnavailableError."""
    done = subprocess.run(
        node_command(wasm, args),
        env={"PATH": os.environ.get("PATH", ""), **(env or {})},
        input=stdin,
        cwd=cwd,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def node_command(wasm: Path, args: Sequence[str] = ()) -> list[str]:
    """How Node runs a program, with the options of Go's own script. Raises UnavailableError."""
    if NODE is None:
        raise UnavailableError(WHY_NO_NODE)
    return [NODE, "--stack-size=8192", str(go().root / "lib/wasm/wasm_exec_node.js"), str(wasm), *args]
