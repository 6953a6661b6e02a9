"""Fixtures of the benchmarks, and the table that ends their output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from benchmarks import inputs
from benchmarks.figures import Figure, table
from benchmarks.measuring import Measure

_FIGURES: Final = pytest.StashKey[list[Figure]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash[_FIGURES]
    if figures:
        terminalreporter.section("figures and targets")
        for line in table(figures):
            terminalreporter.write_line(line)


@pytest.fixture
def measure(benchmark: Any, pytestconfig: pytest.Config) -> Measure:
    """Times beside peers and reports; uses pytest-benchmark."""
    return Measure(benchmark, pytestconfig.stash[_FIGURES])


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
