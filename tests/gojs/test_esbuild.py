"""esbuild, a Go program of 14 MB, does under `wazero run` what it does under Node: byte for byte, and with the same exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from benchmarks import inputs

PROJECT = Path(__file__).parent / "esbuild_project"
_SECONDS = 240


class Case(NamedTuple):
    """A run of esbuild in a copy of the project."""

    name: str
    arguments: tuple[str, ...]
    stdin: str = ""
    exit_code: int = 0


CASES = (
    Case("version", ("--version",)),
    Case("help", ("--help",)),
    Case("minify", ("--minify", "--loader=ts"), "let  x : number = 1 + 2; console . log ( x as any )\n"),
    Case(
        "jsx from stdin",
        ("--loader=tsx", "--jsx=automatic", "--target=es2019"),
        "export default () => <a b={1}>é</a>\n",
    ),
    Case("bundle to stdout", ("src/index.tsx", "--bundle", "--format=esm", "--log-level=warning")),
    Case(
        "bundle with source maps",
        ("src/index.tsx", "--bundle", "--minify", "--sourcemap", "--outdir=out", "--metafile=meta.json"),
    ),
    Case(
        "split into several files",
        (
            "src/index.tsx",
            "src/greet.ts",
            "--bundle",
            "--splitting",
            "--format=esm",
            "--outdir=out",
            "--log-level=error",
        ),
    ),
    Case("broken input", ("src/broken.ts", "--bundle", "--outfile=out.js"), exit_code=1),
    Case("broken stdin", ("--loader=ts",), "let x: = 1;\n", exit_code=1),
    Case("no such file", ("src/nowhere.ts", "--bundle"), exit_code=1),
    Case("no such flag", ("--nonsense",), exit_code=1),
)


@pytest.fixture(scope="session")
def esbuild() -> Path:
    try:
        return inputs.esbuild(may_download=True)
    except inputs.MissingInputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled code, for all cases but the first."""
    return tmp_path_factory.mktemp("code")


@pytest.fixture(scope="session")
def node() -> list[str]:
    """Node with Go's own host."""
    node, go = (
        shutil.which("node"),
        shutil.which("go", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"),
    )
    if node is None or go is None:
        pytest.skip("this compares with Node and Go's wasm_exec_node.js: no `node` or no `go` on the PATH")
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    return [node, "--stack-size=8192", str(Path(root, "lib", "wasm", "wasm_exec_node.js"))]


class Outcome(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str
    files: dict[str, str]


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def _run(command: list[str], case: Case, folder: Path, arguments: tuple[str, ...]) -> Outcome:
    shutil.copytree(PROJECT, folder)
    done = subprocess.run(
        [*command, *arguments],
        input=case.stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1", "PWD": str(folder)},
        timeout=_SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr, _files(folder))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_esbuild_does_what_it_does_under_node(
    case: Case, esbuild: Path, node: list[str], cache: Path, tmp_path: Path
) -> None:
    # Both work in a folder of the same name: esbuild prints and writes absolute paths.
    folder = tmp_path / "project"
    expected = _run([*node, str(esbuild)], case, folder, case.arguments)
    folder.rename(tmp_path / "by_node")
    ours = [sys.executable, "-m", "wazero_core", "run", f"-cachedir={cache}", "-mount=/:/"]
    # What Go's host for Node passes on: the whole environment, and a folder for temporary files.
    environment = [f"-env=PWD={folder}", "-env=NO_COLOR=1"]
    found = _run([*ours, *environment, str(esbuild)], case, folder, case.arguments)
    assert expected.exit_code == case.exit_code
    assert found.files.keys() == expected.files.keys()
    assert found == _without_durations(found, expected)


def _without_durations(found: Outcome, expected: Outcome) -> Outcome:
    """What Node printed, with our time in it: esbuild says how long it took, which is no part of the comparison."""
    last = found.stderr.splitlines()[-1:]
    theirs = expected.stderr.splitlines()[-1:]
    if last and theirs and last[0].endswith("ms") and theirs[0].endswith("ms"):
        return expected._replace(stderr=expected.stderr.replace(theirs[0], last[0]))
    return expected
