"""A program's world without a program, and a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gojs.http_server import SECONDS, Server, serving
from wazero_core import ModuleConfig
from wazero_gojs import Config, http_round_tripper
from wazero_gojs.config import RoundTripper
from wazero_gojs.global_names import FETCH, GLOBALS
from wazero_gojs.loop import EventLoop
from wazero_gojs.model.promise import FULFILLED, PENDING, JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import JSError, describe
from wazero_gojs.script.evaluate import evaluate


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


class World:
    """The part of a program that fetch needs: a realm, an event loop, and the config."""

    def __init__(self, round_tripper: RoundTripper) -> None:
        self.realm = Realm({**GLOBALS, **FETCH})
        self.realm.host = self
        self.system = ModuleConfig().new_system_context()
        self.loop = EventLoop(self.system, self.realm.jobs)
        self.config = Config().with_round_tripper(round_tripper)
        self.loop.call_later(SECONDS * 1000, hang)

    def promise_of(self, awaitable: Any) -> None:
        return None

    def start(self, source: str) -> Any:
        return evaluate(self.realm, source)

    def run(self, source: str) -> Any:
        """What a promise is fulfilled with, or "Name: message" of what it is rejected with, and of its cause."""
        found = self.start(source)
        assert isinstance(found, JSPromise)
        found.is_handled = True
        self.turn_until(lambda: found.state is not PENDING)
        return found.value if found.state is FULFILLED else self.shown(found.value)

    def turn_until(self, is_done: Callable[[], bool]) -> None:
        """Run the event loop until something is so, which may be outside of it."""
        while not is_done():
            if not self.loop.run_ready():
                timer = self.loop.call_later(10, bool)
                self.loop.wait()
                timer.cancel()

    def shown(self, reason: Any) -> str:
        if not hasattr(reason, "get"):
            return f"threw {describe(reason)}"
        cause = reason.get("cause")
        inner = f" ({describe(cause)})" if hasattr(cause, "get") else ""
        try:
            return f"threw {reason.call_method('toString')}{inner}"
        except JSError as error:
            return f"threw {error}"

    def close(self) -> None:
        self.loop.close()


def hang() -> None:
    raise TimeoutError("the test has hung")


def fetch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("wazero-gojs")]


@pytest.fixture
def new_world() -> Iterator[Callable[[RoundTripper], World]]:
    made: list[World] = []

    def make(round_tripper: RoundTripper) -> World:
        made.append(World(round_tripper))
        return made[-1]

    yield make
    for world in made:
        world.close()
    assert not fetch_threads(), "a thread has outlived its program"


@pytest.fixture
def world(new_world: Callable[[RoundTripper], World]) -> World:
    return new_world(http_round_tripper())
