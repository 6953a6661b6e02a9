"""The round tripper that uses httpx, where that is installed."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from gojs.http_server import SECONDS, Server
from wazero_gojs import httpx_round_tripper

NewWorld = Callable[[Any], Any]

needs_httpx = pytest.mark.skipif(importlib.util.find_spec("httpx") is None, reason="httpx is not installed")


@pytest.fixture
def world(new_world: NewWorld) -> Any:
    return new_world(httpx_round_tripper())


@needs_httpx
def test_a_request_and_its_response(world: Any, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/echo", {{method: "POST", body: "sent", headers: {{"X-A": "1"}}}}).then(async (r) =>
        [r.status, r.statusText, r.headers.get("x-sent"), await r.text()])"""
    )
    status, text, sent, body = found.items
    assert (status, text, body) == (200, "OK", "sent")
    headers = dict(json.loads(sent))
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["user-agent"].startswith("wazero-gojs/")
    assert (headers["x-a"], headers["content-length"]) == ("1", "4")


@needs_httpx
def test_bodies_are_decoded_once(world: Any, server: Server) -> None:
    assert world.run(f'fetch("{server.url}/packed/gzip").then((r) => r.text())') == "packed " * 50_000


@needs_httpx
def test_redirects_are_those_of_fetch(world: Any, server: Server) -> None:
    assert world.run(f'fetch("{server.url}/count/3").then((r) => r.url)') == f"{server.url}/count/0"


@needs_httpx
def test_chunks_come_as_they_are_sent(world: Any, server: Server) -> None:
    world.run(f'fetch("{server.url}/stepwise").then((r) => {{ globalThis.reader = r.body.getReader(); }})')
    for number in range(10):
        server.gate.release()
        assert world.run("reader.read().then((x) => new TextDecoder().decode(x.value))") == f"step {number}"


@needs_httpx
def test_a_stream_is_sent(world: Any, server: Server) -> None:
    init = '{method: "POST", duplex: "half", body: new Response("streamed").body}'
    assert world.run(f'fetch("{server.url}/echo", {init}).then((r) => r.text())') == "streamed"


@needs_httpx
@pytest.mark.parametrize("path", ["silent", "stalled"])
def test_aborting_closes_the_connection(world: Any, server: Server, path: str) -> None:
    promise = world.start(
        f"""var controller = new AbortController();
        fetch("{server.url}/{path}", {{signal: controller.signal}}).then((r) => r.text()).catch((e) => e.name)"""
    )
    world.turn_until(lambda: server.arrived.acquire(blocking=False))
    world.start("controller.abort()")
    world.turn_until(lambda: promise.state != "pending")
    assert promise.value == "AbortError"
    assert server.gone.wait(SECONDS), "the connection is still open"


@needs_httpx
def test_closing_ends_its_threads(world: Any, server: Server) -> None:
    world.start(f'fetch("{server.url}/silent"); fetch("{server.url}/stalled").then((r) => r.text())')
    world.turn_until(lambda: len(server.log) == 2)
    world.close()  # the fixture looks at the threads


@needs_httpx
def test_a_client_of_ones_own(new_world: NewWorld, server: Server) -> None:
    httpx = importlib.import_module("httpx")
    with httpx.Client(headers={"X-Mine": "yes"}) as client:
        world = new_world(httpx_round_tripper(client))
        sent = world.run(f'fetch("{server.url}/echo").then(async (r) => [r.headers.get("x-sent"), await r.text()][0])')
        assert dict(json.loads(sent))["x-mine"] == "yes"
        world.close()


def test_without_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError, match="httpx"):
        httpx_round_tripper()
