"""Whole processes that run a program: ``wazero run`` beside a Python script that does the same with wasmtime-py.

Cold is without any cache of compiled code; warm with ``-cachedir``, filled by an earlier run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import pytest
from benchmarks import processes
from benchmarks.engine import ENGINE
from benchmarks.figures import Target
from benchmarks.measuring import Measure

from wazero_core import RuntimeConfig
from wazero_core.runtime.engines import ENGINE_VARIABLE

_ROUNDS: Final = 11
_OURS: Final = {ENGINE_VARIABLE: ENGINE}


@final
@dataclass(frozen=True, slots=True)
class Hello:
    """A program, how it is run, and what it then prints."""

    fixture: str
    """Gives its path."""
    title: str
    expected: str
    flags: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    cold: tuple[Target, ...] = ()
    warm: tuple[Target, ...] = ()


_HELLOS: Final = (
    Hello(
        "go_hello",
        "Go hello",
        "hello from Go wasip1 wasm\n",
        cold=(Target(2, "wasmtime"),),
        warm=(Target(5, "wasmtime"),),
    ),
    Hello("c_hello", "C hello", "Hello, world!\n", ("-env", "GREETING=Hello"), ("world",), cold=(Target(0.120),)),
)


@pytest.fixture(params=_HELLOS, ids=lambda hello: hello.fixture)
def hello(request: pytest.FixtureRequest) -> Hello:
    found: Hello = request.param
    return found


@pytest.fixture
def wasm(request: pytest.FixtureRequest, hello: Hello) -> str:
    return str(request.getfixturevalue(hello.fixture))


def _process(*arguments: str, extra: Mapping[str, str] | None = None) -> Callable[[], str]:
    """Done once here, so that bytecode and caches are filled, and files in memory."""

    def run() -> str:
        return processes.run(*arguments, extra=extra)

    run()
    return run


@pytest.fixture
def peers(wasmtime: Any, hello: Hello, wasm: str, tmp_path: Path) -> dict[str, Callable[[], str]]:
    """A script with wasmtime-py in three ways, and what Python itself takes to start."""
    script = str(processes.WORKERS / "wasmtime_command.py")
    serialised, settings = str(tmp_path / "module"), tmp_path / "cache.toml"
    settings.write_text(f'[cache]\ndirectory = "{tmp_path / "cache"}"\n')
    processes.run(script, "save", serialised, wasm)
    return {
        "wasmtime": _process(script, "compile", "-", wasm, *hello.arguments),
        "its cache": _process(script, "cache", str(settings), wasm, *hello.arguments),
        "serialised": _process(script, "load", serialised, wasm, *hello.arguments),
        "bare Python": _process("-c", "pass"),
    }


def _check(measure: Measure, expected: str, output: str) -> None:
    printed = {name: text for name, text in measure.peer_results.items() if name != "bare Python"}
    assert {output, *printed.values()} == {expected}


def test_cold(
    measure: Measure,
    engine_config: RuntimeConfig,
    hello: Hello,
    wasm: str,
    peers: dict[str, Callable[[], str]],
) -> None:
    """The program says hello."""
    run = _process("-m", "wazero_core", "run", *hello.flags, wasm, *hello.arguments, extra=_OURS)
    _check(measure, hello.expected, measure.run(run, rounds=_ROUNDS, peers=peers))
    measure.report(f"wazero run {hello.title}, cold, whole process", *hello.cold)


@pytest.fixture(scope="module")
def has_cache() -> None:
    """Skips where the command cannot be told to keep compiled code."""
    if "-cachedir" not in processes.run("-m", "wazero_core", "run", "-h"):
        pytest.skip("`wazero run` has no flag -cachedir yet")


def test_warm(
    measure: Measure,
    engine_config: RuntimeConfig,
    has_cache: None,
    hello: Hello,
    wasm: str,
    peers: dict[str, Callable[[], str]],
    tmp_path: Path,
) -> None:
    """The program says hello, and the earlier run has left something in the cache."""
    cache = tmp_path / "code"
    flags = (f"-cachedir={cache}", *hello.flags)
    run = _process("-m", "wazero_core", "run", *flags, wasm, *hello.arguments, extra=_OURS)
    assert any(path.is_file() for path in cache.rglob("*"))
    _check(measure, hello.expected, measure.run(run, rounds=_ROUNDS, peers=peers))
    measure.report(f"wazero run {hello.title}, warm cache, whole process", *hello.warm)
