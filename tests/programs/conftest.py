"""Real programs, built when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from programs.build import UnavailableError, build

Build = Callable[..., Path]


@pytest.fixture(scope="session")
def program() -> Build:
    """`build`; what is not to be had skips the test, saying why."""

    def built(source: str, *, is_reactor: bool = False) -> Path:
        try:
            return build(source, is_reactor=is_reactor)
        except UnavailableError as error:
            pytest.skip(str(error))

    return built
