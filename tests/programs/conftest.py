"""Real programs, built when they are first needed, and the engines that they run on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from integration.runtimes import NAMED_ENGINES
from programs.build import UnavailableError, build

Build = Callable[..., Path]


@pytest.fixture(params=NAMED_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine to run on."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def program() -> Build:
    """`build`; what is not to be had skips the test, saying why."""

    def built(source: str, *, is_reactor: bool = False) -> Path:
        try:
            return build(source, is_reactor=is_reactor)
        except UnavailableError as error:
            pytest.skip(str(error))

    return built
