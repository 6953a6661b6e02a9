"""Fixtures of the benchmarks, and the table that ends their output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from benchmarks import inputs
from benchmarks.engine import CONFIG, ENGINE, ENGINE_VARIABLE
from benchmarks.figures import Figure, table
from benchmarks.measuring import Measure, StatedClock

from wazero_api import UnsupportedError
from wazero_core import Runtime, RuntimeConfig

_FIGURES: Final = pytest.StashKey[list[Figure]]()
_SECTIONS: Final = pytest.StashKey[dict[str, list[str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []
    config.stash[_SECTIONS] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    sections: dict[str, list[str]] = config.stash[_SECTIONS]
    figures = config.stash[_FIGURES]
    if figures:
        sections["figures and targets"] = table(figures)
    for title, lines in sections.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[Figure]:
    """The rows of the table that ends the output."""
    return pytestconfig.stash[_FIGURES]


@pytest.fixture(scope="session")
def sections(pytestconfig: pytest.Config) -> dict[str, list[str]]:
    """Further tables before that one: their lines by their titles."""
    return pytestconfig.stash[_SECTIONS]


@pytest.fixture
def measure(benchmark: Any, figures: list[Figure]) -> Measure:
    """Times beside peers and reports; uses pytest-benchmark."""
    return Measure(benchmark, figures)


@pytest.fixture
def stated_clock(request: pytest.FixtureRequest) -> StatedClock:
    """Has to come before `benchmark`, which it tells what clock to use."""
    clock = StatedClock()
    request.node.add_marker(pytest.mark.benchmark(timer=clock))
    return clock


@pytest.fixture
def stated(stated_clock: StatedClock, benchmark: Any, figures: list[Figure]) -> Measure:
    """Like `measure`, for functions that return the seconds to count: they take the time inside a process, or a call."""
    return Measure(benchmark, figures, stated_clock)


@pytest.fixture(scope="session")
def engine_config() -> RuntimeConfig:
    """For a runtime with the engine that is asked for."""
    try:
        Runtime(CONFIG).close()
    except UnsupportedError as error:
        pytest.skip(f"{error} ({ENGINE_VARIABLE} names another engine than {ENGINE!r})")
    return CONFIG


def _input(provide: Callable[[], Path]) -> Path:
    try:
        return provide()
    except inputs.MissingInputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def go_hello() -> Path:
    """Go's hello world for WASI, some 2.5 MB."""
    return _input(inputs.go_hello)


@pytest.fixture(scope="session")
def c_hello() -> Path:
    """The example of this repository, some 20 KB."""
    return _input(inputs.c_hello)


@pytest.fixture(scope="session")
def files_guest() -> Path:
    """A guest that times file access."""
    return _input(inputs.files_guest)


@pytest.fixture(scope="session")
def esbuild(pytestconfig: pytest.Config) -> Path:
    """A real program of 14 MB. Downloaded for timed runs only."""
    may_download = not pytestconfig.getoption("benchmark_disable")
    return _input(lambda: inputs.esbuild(may_download=may_download))


@pytest.fixture(scope="session")
def wasmtime() -> Any:
    """The peer from PyPI, as orientation."""
    return pytest.importorskip("wasmtime", reason="PyPI's wasmtime is not installed; it also assembles the kernels")


@pytest.fixture(scope="session")
def pywasm() -> Any:
    """The peer that is pure Python, too."""
    return pytest.importorskip("pywasm", reason="PyPI's pywasm is not installed")


@pytest.fixture(scope="session")
def assemble(wasmtime: Any) -> Callable[[str], bytes]:
    """From text modules to binary ones."""
    return lambda text: bytes(wasmtime.wat2wasm(text))
