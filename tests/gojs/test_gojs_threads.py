"""A Go program used from another thread than its own: refused, but for what harms nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gojs.libraries import load
from wazero_api import ExitError
from wazero_gojs import JsException, Library


@pytest.fixture(scope="module")
def go() -> Iterator[Library]:
    with load() as library:
        yield library


USES: dict[str, Callable[[Library, dict[str, Any]], object]] = {
    "a function": lambda go, held: held["echo"](1),
    "an export": lambda go, held: held["count"](1),
    "a global": lambda go, held: go.version,
    "a global as an item": lambda go, held: go["Math"],
    "a global that is missing": lambda go, held: go["missing"],
    "pending work": lambda go, held: go.run_pending(),
    "a promise": lambda go, held: held["promise"].result(),
    "a promise that is settled": lambda go, held: held["settled"].result(),
    "a promise that is rejected": lambda go, held: held["rejected"].result(),
    "an attribute": lambda go, held: held["point"].x,
    "an attribute that is missing": lambda go, held: held["point"].missing,
    "an item": lambda go, held: held["point"]["x"],
    "a method": lambda go, held: held["point"].norm,
    "setting an attribute": lambda go, held: setattr(held["point"], "x", 9),
    "setting an item": lambda go, held: held["point"].__setitem__("x", 9),
    "iterating": lambda go, held: list(held["point"]),
    "looking for a name": lambda go, held: "x" in held["point"],
    "listing": lambda go, held: dir(held["point"]),
    "a getter": lambda go, held: held["point"].norms,
}


def values_of(go: Library) -> dict[str, Any]:
    """Objects of all kinds."""
    script = "new (class Point { constructor() { this.x = 1 } norm() { return 2 } get norms() { return 3 } })()"
    held = {"echo": go.echo, "count": go.count, "promise": go.never(), "point": go.evaluate(script)}
    held["settled"] = go.evaluate("Promise.resolve([1])")
    held["rejected"] = go.rejectedWith("why")
    return held


def in_thread(use: Callable[[], object]) -> object:
    """What it returned, or raised."""
    results: list[object] = []

    def target() -> None:
        try:
            results.append(use())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_another_thread_is_refused(go: Library, use: Callable[[Library, dict[str, Any]], object]) -> None:
    held = values_of(go)
    error = in_thread(lambda: use(go, held))
    assert type(error) is RuntimeError
    assert "belongs to another thread" in str(error)
    assert (go.echo(2), held["point"].x) == (2, 1)


def test_what_another_thread_may_do(go: Library) -> None:
    """Debuggers and logs show objects of others, which tell nothing then; who they are is known."""
    held = values_of(go)
    point, settled = held["point"], held["settled"]
    assert in_thread(lambda: (repr(point), repr(held["echo"]))) == (
        "<JsObject of another thread>",
        "<JsFunction of another thread>",
    )
    assert in_thread(lambda: (settled.is_settled, repr(settled))) == (True, "<JsPromise fulfilled>")
    assert in_thread(lambda: (point == held["point"], hash(point))) == (True, hash(point))


def test_what_a_program_has_left_can_be_looked_at_anywhere() -> None:
    with load() as go:
        point = values_of(go)["point"]
        with pytest.raises(JsException) as raised:
            go.evaluate("() => { throw new RangeError('far') }")()
    for seen in (in_thread(lambda: (point.x, list(point), repr(point))), (point.x, list(point), repr(point))):
        assert seen == (1, ["x"], "<JsObject #<Point>>")
    assert in_thread(lambda: raised.value.value.name) == "RangeError"


def test_another_thread_can_end_it() -> None:
    with load() as go:
        timer = threading.Timer(0.1, go.close)
        timer.start()
        with pytest.raises(ExitError):
            go.spins()
        timer.join()
        with pytest.raises(ExitError):
            go.echo(1)
