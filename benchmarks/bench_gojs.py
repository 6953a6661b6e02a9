"""Calls between Go and Python beside Go and JavaScript in Node, and whole runs of esbuild beside Node's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from benchmarks import inputs, processes
from benchmarks.engine import ENGINE
from benchmarks.figures import Target
from benchmarks.measuring import Measure

import wazero_gojs
from wazero_core import RuntimeConfig
from wazero_core.runtime.engines import ENGINE_VARIABLE

_ROUNDS: Final = 9
_CALLS: Final = 20_000
_ECHOES: Final = 2_000
_SECONDS: Final = 120


@pytest.fixture(scope="module")
def calls_guest() -> Path:
    try:
        return inputs.calls_guest()
    except inputs.MissingInputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def node_command() -> list[str]:
    """Node and the folder of Go's own hosts."""
    node = shutil.which("node")
    go = inputs.go_command()
    if node is None or go is None:
        pytest.skip("no `node`, or no Go with its lib/wasm")
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    return [node, str(Path(root, "lib", "wasm"))]


@pytest.fixture
def node(node_command: list[str], calls_guest: Path) -> Iterator[Callable[[str, int], float]]:
    """Seconds that so many calls of a kind take under Node."""
    command = [node_command[0], str(processes.WORKERS / "go_calls.js"), node_command[1], str(calls_guest)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def ask(kind: str, count: int) -> float:
            print(kind, count, file=asked, flush=True)
            return float(answers.readline()) * count

        yield ask
        asked.close()


@pytest.fixture
def library(calls_guest: Path, engine_config: RuntimeConfig) -> Iterator[wazero_gojs.Library]:
    """The same program under Python."""
    config = wazero_gojs.Config().with_global("host", lambda number: number + 1)
    with wazero_gojs.load(calls_guest, config, runtime_config=engine_config) as loaded:
        yield loaded


@pytest.mark.parametrize(("kind", "what"), [("call", "Value.Invoke"), ("callMethod", "Value.Call")])
def test_go_calls_python(
    stated: Measure, library: wazero_gojs.Library, node: Callable[[str, int], float], kind: str, what: str
) -> None:
    """A function of one number."""
    function = library[kind]
    assert function(100) == 100 * 101 // 2

    def run() -> float:
        start = time.perf_counter()
        function(_CALLS)
        return time.perf_counter() - start

    stated.run(run, rounds=_ROUNDS, peers={"Node": lambda: node(kind, _CALLS)})
    targets = (Target(2e-6),) if kind == "call" else ()
    stated.report(f"Go calls a Python function, {what}", *targets, per=_CALLS)


def test_python_calls_go(stated: Measure, library: wazero_gojs.Library, node: Callable[[str, int], float]) -> None:
    """A js.FuncOf that returns its argument."""
    echo = library["echo"]
    assert echo(7) == 7

    def run() -> float:
        start = time.perf_counter()
        for number in range(_ECHOES):
            echo(number)
        return time.perf_counter() - start

    stated.run(run, rounds=_ROUNDS, peers={"Node": lambda: node("echo", _ECHOES)})
    stated.report("Python calls a Go function", Target(20e-6), per=_ECHOES)


@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
def test_esbuild(
    measure: Measure,
    engine_config: RuntimeConfig,
    esbuild: Path,
    node_command: list[str],
    tmp_path: Path,
    is_warm: bool,
) -> None:
    """Minifies standard input; whole processes."""
    arguments = [str(esbuild), "--minify", "--loader=ts"]
    cache = [f"-cachedir={tmp_path / 'code'}"] if is_warm else []
    ours = [sys.executable, "-m", "wazero_core", "run", *cache]
    theirs = [node_command[0], "--stack-size=8192", f"{node_command[1]}/wasm_exec_node.js"]

    def process(command: list[str]) -> Callable[[], str]:
        def run() -> str:
            return subprocess.run(
                [*command, *arguments],
                input="let  x : number = 1 + 2\n",
                capture_output=True,
                text=True,
                check=True,
                timeout=_SECONDS,
                env={**processes.environment(), ENGINE_VARIABLE: ENGINE, "PYTHONPATH": os.pathsep.join(sys.path)},
            ).stdout

        run()
        return run

    found = measure.run(process(ours), rounds=5 if is_warm else 3, peers={"Node": process(theirs)})
    assert {found, *measure.peer_results.values()} == {"let x=3;\n"}
    target = Target(1 / 0.7, "Node") if is_warm else Target(1 / 1.5, "Node")
    measure.report(f"esbuild --minify, {'warm cache' if is_warm else 'cold'}, whole process", target)
