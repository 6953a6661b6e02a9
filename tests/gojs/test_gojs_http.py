"""Go's net/http in programs for GOOS=js: fetch, round trippers and a server of this process."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import wazero_gojs
from gojs.conftest import Host, machine_config
from gojs.http_server import SECONDS, Server, serving
from programs.build import UnavailableError, build
from wazero_api import DeadlineExceededError
from wazero_gojs.http import Request, Response


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made
    assert not fetch_threads(), "a thread has outlived its program"


def fetch_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("wazero-gojs")]


def with_http(config: wazero_gojs.Config) -> wazero_gojs.Config:
    return config.with_round_tripper(wazero_gojs.http_round_tripper())


def run(host: Host, *args: str) -> str:
    ended = host.run("requests", *args, change=with_http)
    assert (ended.exit_code, ended.stderr) == (0, "")
    return ended.stdout


EXPECTED = {
    "headers": "200 0 0 false <nil> REPORT\nfalse true\na 1\nb 2\n200 1048576 0 false <nil>\n",
    "redirects": (
        "200 4 4 false <nil> /count/0\n"
        "302 0 0 false <nil> /count/0\n"
        'failed: Get "BASE/count/21": net/http: fetch() failed: TypeError: fetch failed: Error: redirect count exceeded\n'
        "200 5 5 false <nil>\n"
    ),
    "packed": "200 -1 350000 true <nil>\n<nil> true\n200 1048576 1048576 false <nil>\n",
    "stream": "".join(f"step {number}\n" for number in range(10)) + "EOF\n",
    "timeout": "true true\n",
    "cancel": "s\nnet/http: reader is closed\n",
    "parallel": "hello 0 hello 99 100\n",
    "failures": (
        "200 100 14 false terminated\n"
        'failed: Get "BASE/garbage": net/http: fetch() failed: TypeError: fetch failed: '
        "ConnectionError: the answer is no HTTP: 'this is no HTTP'\n"
        "404 -1 0 false <nil>\n"
        'failed: Get "ftp://x/": net/http: fetch() failed: TypeError: fetch failed: Error: unknown scheme\n'
        'failed: Get "http://127.0.0.1:1/": net/http: fetch() failed: TypeError: fetch failed: '
        f"ConnectionRefusedError: [Errno {errno.ECONNREFUSED}] Connection refused\n"
    ),
    "upload": "200 2621440 2621440 false <nil>\n",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_requests(host: Host, server: Server, name: str) -> None:
    server.gate.release()
    found = run(host, server.url, name).replace(server.url, "BASE")
    assert found == EXPECTED[name]


def test_the_shared_program(host: Host) -> None:
    """Its server's answers are those that its source looks for."""
    try:
        wasm = build("httpfetch-go/main.go", target="js")
    except UnavailableError as error:
        pytest.skip(str(error))

    def answer(request: Request) -> Response:
        _, _, path = request.url.removeprefix("http://").partition("/")
        if request.method == "POST":
            headers = dict(request.headers)
            body = request.body
            assert isinstance(body, bytes)
            return Response(200, {"x-echo-custom": headers["X-Custom"], "x-method": "POST"}, body)
        if path == "missing":
            return Response(404)
        return Response(200, {"X-Demo": "1"}, f"hello /{path}".encode())

    ended = host.run(Path(wasm), "http://example.com", change=lambda config: config.with_round_tripper(answer))
    assert ended.stdout.splitlines() == [
        "200 1 hello /hello?name=wasm <nil>",
        "200 8000 1000 <nil>",
        "[X-Echo-Custom=yes X-Method=POST]",
        "404 404 Not Found",
    ]


def test_without_a_round_tripper_there_is_no_network(host: Host, server: Server) -> None:
    """Go then talks to its own fake network, in which nobody listens."""
    ended = host.run("requests", server.url, "upload")
    assert "failed: Post" in ended.stdout
    assert not server.log


def test_a_deadline_ends_requests(host: Host, server: Server) -> None:
    with pytest.raises(DeadlineExceededError):
        host.run("requests", server.url, "forever", change=with_http, timeout=2)
    assert not fetch_threads()
    assert server.gone.wait(SECONDS), "the connection is still open"


def test_under_asyncio_with_a_coroutine_function(host: Host) -> None:
    async def answer(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return Response(200, {"x-sent": str(len(request.body or b""))}, body())  # type: ignore[arg-type]

    async def body() -> object:
        yield b"12345"
        await asyncio.sleep(0.001)
        yield b"678"

    output = bytearray()
    config = machine_config().with_args("program", "http://x", "upload").with_stdout(output)
    settings = wazero_gojs.Config(config).with_round_tripper(answer)
    asyncio.run(wazero_gojs.run_async(host.runtime, host.compiled("requests"), settings, timeout=SECONDS))
    assert output.decode() == "200 -1 8 false <nil>\n"


def test_under_asyncio_others_go_on(host: Host, server: Server) -> None:
    async def main() -> int:
        config = machine_config().with_args("program", server.url, "stream")
        settings = with_http(wazero_gojs.Config(config))
        server.gate.release()
        program = asyncio.ensure_future(
            wazero_gojs.run_async(host.runtime, host.compiled("requests"), settings, timeout=SECONDS)
        )
        turns = 0
        while not program.done():
            await asyncio.sleep(0.001)
            turns += 1
        await program
        return turns

    assert asyncio.run(main()) > 5


def test_cancelling_ends_requests(host: Host, server: Server) -> None:
    async def main() -> None:
        config = machine_config().with_args("program", server.url, "forever")
        settings = with_http(wazero_gojs.Config(config))
        program = asyncio.ensure_future(wazero_gojs.run_async(host.runtime, host.compiled("requests"), settings))
        assert await asyncio.to_thread(server.arrived.acquire, timeout=SECONDS)
        program.cancel()
        with pytest.raises(asyncio.CancelledError):
            await program

    asyncio.run(main())
    assert not fetch_threads()
    assert server.gone.wait(SECONDS), "the connection is still open"
