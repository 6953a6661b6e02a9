"""Requests that are given up, by the program or by its end; and round trippers of other kinds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gojs.http_server import SECONDS, Server
from wazero_gojs import http_round_tripper
from wazero_gojs.conversion import to_js
from wazero_gojs.http import Request, Response
from wazero_gojs.model.realm import Realm
from wazero_gojs.web.exchange import MAX_PARALLEL

World = Any
NewWorld = Callable[[Any], Any]


# --- Aborting ---


def test_aborting_before_there_is_an_answer(world: World, server: Server) -> None:
    promise = world.start(
        f"""var controller = new AbortController();
        fetch("{server.url}/silent", {{signal: controller.signal}}).catch((e) => e)"""
    )
    world.turn_until(lambda: server.arrived.acquire(blocking=False))
    world.start("controller.abort()")
    world.turn_until(lambda: promise.state != "pending")
    assert world.shown(promise.value) == "threw AbortError: This operation was aborted"
    assert server.gone.wait(SECONDS), "the connection is still open"
    world.turn_until(lambda: world.loop._held == 0)  # the thread has found its connection closed


def test_aborting_in_the_middle_of_the_body(world: World, server: Server) -> None:
    promise = world.start(
        f"""var controller = new AbortController();
        fetch("{server.url}/stalled", {{signal: controller.signal}}).then(async (r) => {{
            const reader = r.body.getReader();
            const first = (await reader.read()).value.length;
            const second = reader.read().catch((e) => String(e));
            controller.abort(new Error("enough"));
            return [first, await second, await reader.closed.catch((e) => String(e))].join();
        }})"""
    )
    world.turn_until(lambda: promise.state != "pending")
    assert promise.value == "4,Error: enough,Error: enough"
    assert server.gone.wait(SECONDS), "the connection is still open"


def test_aborting_what_has_not_begun(world: World, server: Server) -> None:
    assert world.run(f'fetch("{server.url}/hello", {{signal: AbortSignal.abort("no")}})') == "threw no"
    assert not server.log


def test_aborting_after_the_end_does_nothing(world: World, server: Server) -> None:
    found = world.run(
        f"""var controller = new AbortController();
        fetch("{server.url}/hello", {{signal: controller.signal}}).then(async (r) => {{
            const text = await r.text();
            controller.abort();
            return text;
        }})"""
    )
    assert found == "hello you"
    assert world.start("controller.signal").listeners == []


def test_aborting_while_the_body_is_sent(world: World, server: Server) -> None:
    promise = world.start(
        f"""var controller = new AbortController(), cancelled;
        const body = new ReadableStream({{
            start(c) {{ c.enqueue(new Uint8Array(3)); }}, cancel(reason) {{ cancelled = reason; }}
        }});
        fetch("{server.url}/echo", {{method: "POST", body, duplex: "half", signal: controller.signal}}).catch((e) => e)"""
    )
    world.turn_until(lambda: server.arrived.acquire(blocking=False))
    world.start("controller.abort('mine')")
    world.turn_until(lambda: promise.state != "pending")
    assert (promise.value, world.start("cancelled")) == ("mine", "mine")
    world.turn_until(lambda: world.loop._held == 0)


def test_a_timeout_signal(world: World, server: Server) -> None:
    found = world.run(f'fetch("{server.url}/silent", {{signal: AbortSignal.timeout(1)}})')
    assert found == "threw TimeoutError: The operation was aborted due to timeout"


def test_cancelling_the_body_closes_the_connection(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/endless").then(async (r) => {{
            const reader = r.body.getReader();
            const first = (await reader.read()).value.length > 0;
            await reader.cancel();
            return first && (await reader.read()).done;
        }})"""
    )
    assert found is True
    assert server.gone.wait(SECONDS), "the server still sends"


def test_nothing_is_read_that_nobody_wants(new_world: NewWorld) -> None:
    taken: list[int] = []

    def body() -> Iterator[bytes]:
        for number in range(1000):
            taken.append(number)
            yield bytes([number % 256])

    world = new_world(lambda request: Response(200, body=body()))
    world.run('fetch("http://x/").then((r) => { globalThis.reader = r.body.getReader(); })')
    assert taken == []
    for count in range(1, 4):
        world.run("reader.read()")
        assert len(taken) == count


# --- The end of the program ---


@pytest.mark.parametrize("path", ["silent", "stalled", "stepwise", "endless"])
def test_closing_ends_threads_and_connections(world: World, server: Server, path: str) -> None:
    world.start(f'var all = Array.from({{length: 5}}, () => fetch("{server.url}/{path}").then((r) => r.text()))')
    world.turn_until(lambda: len(server.log) == 5)
    assert threading.active_count() > 5
    world.close()
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("wazero-gojs")]
    assert names == []
    for _ in range(100):
        server.gate.release()


def test_closing_while_a_body_is_sent(world: World, server: Server) -> None:
    world.start(
        f"""fetch("{server.url}/echo", {{method: "POST", duplex: "half", body: new ReadableStream({{
            start(c) {{ c.enqueue(new Uint8Array(3)); }}
        }})}})"""
    )
    world.turn_until(lambda: server.arrived.acquire(blocking=False))
    world.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wazero-gojs")]


def test_closing_while_it_connects(new_world: NewWorld) -> None:
    import socket

    # A server whose queue is full answers no more: others wait for a connection.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            waiting.append(client)
        world = new_world(http_round_tripper())
        world.start(f'fetch("http://127.0.0.1:{address[1]}/")')
        world.turn_until(lambda: any(t.name.startswith("wazero-gojs") for t in threading.enumerate()))
        world.close()
        for client in waiting:
            client.close()


def test_a_response_that_nobody_reads_leaves_no_connection(world: World, server: Server) -> None:
    world.run(f'fetch("{server.url}/endless").then((r) => r.status)')
    world.close()
    assert server.gone.wait(SECONDS)


def test_a_program_that_only_waits_for_itself_is_stuck(world: World, server: Server) -> None:
    world.run(f'fetch("{server.url}/hello")')
    world.turn_until(lambda: world.loop._held == 0)
    timers = len(world.loop._timers)
    assert timers == 1  # that of this test
    world.loop._timers.clear()
    assert world.loop.is_stuck


# --- Round trippers ---


def test_what_a_round_tripper_gets(new_world: NewWorld) -> None:
    seen: list[Request] = []

    def round_trip(request: Request) -> Response:
        seen.append(request)
        return Response(200, {"X-A": "1"}, [b"a", bytearray(b"b"), memoryview(b"c"), b""], "Fine")

    world = new_world(round_trip)
    found = world.run(
        """fetch("http://X/y#z", {method: "post", body: "b", headers: {Host: "z", "X-A": "é"}}).then(async (r) =>
        `${r.statusText} ${r.headers.get("x-a")} ${await r.text()}`)"""
    )
    assert found == "Fine 1 abc"
    (request,) = seen
    assert (request.method, request.url, request.body) == ("POST", "http://x/y", b"b")
    assert request.headers[0] == ("X-A", "é")
    assert not {"host", "content-length"} & {name.lower() for name, _ in request.headers}
    assert request.cancellation.is_cancelled  # as the body was read


@pytest.mark.parametrize("code", [1, 0x1F, 0x7F])
def test_control_characters_are_not_sent(new_world: NewWorld, code: int) -> None:
    seen: list[Request] = []
    found = new_world(seen.append).run(
        f'fetch("http://x/", {{headers: {{"X-A": "a" + String.fromCharCode({code}) + "b"}}}})'
    )
    assert found == "threw TypeError: fetch failed (Error: invalid X-A header)"
    assert not seen


def raising(request: Request) -> Response:
    raise PermissionError(13, "not this one")


@pytest.mark.parametrize(
    ("round_tripper", "cause"),
    [
        (raising, "PermissionError: [Errno 13] not this one"),
        (lambda request: None, "TypeError: the round tripper returned NoneType, not a wazero_gojs.http.Response"),
        (lambda request: Response(99), "ValueError: the status of the response is 99, not a number from 200 to 599"),
        (lambda request: Response(200, [("a b", "c")]), "Error: invalid header name 'a b'"),
        (lambda request: Response(200, [("a", 1)]), "TypeError: a header of the response is int, not str"),  # type: ignore[list-item]
        (lambda request: Response(200, 7), "TypeError: 'int' object is not iterable"),  # type: ignore[arg-type]
        (lambda request: Response(200, body=7), "TypeError: 'int' object is not iterable"),  # type: ignore[arg-type]
        (lambda request: Response(200, [("a", "☃")]), "TypeError: Cannot convert argument to a ByteString"),
    ],
)
def test_round_trippers_that_fail(new_world: NewWorld, round_tripper: Any, cause: str) -> None:
    found = new_world(round_tripper).run('fetch("http://x/")')
    assert found.startswith(f"threw TypeError: fetch failed ({cause}")


def breaking() -> Iterator[bytes]:
    yield b"some"
    raise OSError(5, "gone")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (breaking, "OSError: [Errno 5] gone"),
        (lambda: ["text"], "TypeError: the body of a response gave str, not bytes"),
    ],
)
def test_bodies_that_fail(new_world: NewWorld, body: Any, cause: str) -> None:
    world = new_world(lambda request: Response(200, body=body()))
    assert world.run('fetch("http://x/").then((r) => r.text())') == f"threw TypeError: terminated ({cause})"


def test_a_coroutine_function_needs_asyncio(new_world: NewWorld) -> None:
    async def round_trip(request: Request) -> Response:
        return Response(200)

    message = "TypeError: the round tripper is a coroutine function: run the program with wazero_gojs.run_async"
    assert new_world(round_trip).run('fetch("http://x/")') == f"threw TypeError: fetch failed ({message})"


def test_line_ends_in_headers_become_spaces(new_world: NewWorld) -> None:
    world = new_world(lambda request: Response(200, [("a", " b\r\nset-cookie: c\0 ")], reason="a\nb"))
    assert world.run('fetch("http://x/").then((r) => r.headers.get("a") + r.statusText)') == "b  set-cookie: c"


def test_at_most_so_many_at_a_time(new_world: NewWorld) -> None:
    gate = threading.Semaphore(0)
    lock = threading.Lock()
    now = most = 0

    def round_trip(request: Request) -> Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        request.cancellation.add(lambda: gate.release(1000))
        gate.acquire(timeout=SECONDS)
        with lock:
            now -= 1
        return Response(204)

    world = new_world(round_trip)
    promise = world.start('Promise.all(Array.from({length: 100}, () => fetch("http://x/"))).then((all) => all.length)')
    world.turn_until(lambda: now == MAX_PARALLEL)
    gate.release(200)
    world.turn_until(lambda: promise.state != "pending")
    assert (promise.value, most) == (100, MAX_PARALLEL)


def test_a_waiting_request_can_be_aborted(new_world: NewWorld) -> None:
    gate = threading.Event()

    def round_trip(request: Request) -> Response:
        request.cancellation.add(gate.set)
        gate.wait(SECONDS)
        return Response(204)

    world = new_world(round_trip)
    world.start(f'for (let i = 0; i < {MAX_PARALLEL}; i++) fetch("http://x/").catch(() => 0)')
    promise = world.start(
        'var controller = new AbortController(); fetch("http://x/", {signal: controller.signal}).catch((e) => e.name)'
    )
    world.start("controller.abort()")
    world.turn_until(lambda: promise.state != "pending")
    assert promise.value == "AbortError"
    assert not gate.is_set()


def test_what_is_packed_is_unpacked_as_it_is_read(new_world: NewWorld) -> None:
    import tracemalloc
    from gzip import compress

    bomb = compress(bytes(100_000_000))
    world = new_world(lambda request: Response(200, {"content-encoding": "gzip"}, bomb))
    tracemalloc.start()
    try:
        found = world.run(
            """fetch("http://x/").then(async (r) => {
                const reader = r.body.getReader(), sizes = [];
                for (let i = 0; i < 20; i++) sizes.push((await reader.read()).value.length);
                await reader.cancel();
                return Math.max(...sizes);
            })"""
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == 65_536
    assert peak < 20_000_000


# --- asyncio ---


class AsyncWorld:
    """What `asynchronous.Driver` does, without a program."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.promise_of = self.promise_of

    def promise_of(self, awaitable: Any) -> Any:
        realm: Realm = self.world.realm
        promise = realm.new_promise()
        hold = self.world.loop.hold()

        def done(task: asyncio.Future[Any]) -> None:
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is None:
                hold.release(lambda: promise.resolve(to_js(realm, task.result())))
            else:
                hold.release(lambda: promise.reject(to_js(realm, error)))

        asyncio.ensure_future(awaitable).add_done_callback(done)
        return promise

    async def run(self, source: str) -> Any:
        promise = self.world.start(source)
        for _ in range(int(SECONDS * 1000)):
            if promise.state != "pending":
                break
            if not self.world.loop.run_ready():
                await asyncio.sleep(0.001)
        return promise.value if promise.state == "fulfilled" else self.world.shown(promise.value)


def test_coroutine_functions_and_async_bodies(new_world: NewWorld) -> None:
    closed: list[str] = []

    async def body() -> Any:
        try:
            for text in (b"one ", b"two ", b"three"):
                await asyncio.sleep(0)
                yield text
        finally:
            closed.append("body")

    async def round_trip(request: Request) -> Response:
        sent = b"".join([chunk async for chunk in request.body]) if request.method == "POST" else b""  # type: ignore[union-attr]
        return Response(200, {"X-Sent": sent.decode()}, body())

    async def main() -> None:
        world = new_world(round_trip)
        driver = AsyncWorld(world)
        assert await driver.run('fetch("http://x/").then((r) => r.text())') == "one two three"
        found = await driver.run(
            """fetch("http://x/", {method: "POST", duplex: "half", body: new Response("stream").body})
            .then((r) => r.headers.get("x-sent"))"""
        )
        assert found == "stream"
        await driver.run(
            'fetch("http://x/").then((r) => r.body.getReader()).then((r) => r.read().then(() => r.cancel()))'
        )
        for _ in range(10):
            world.loop.run_ready()
            await asyncio.sleep(0)
        assert closed == ["body", "body"]
        world.close()

    asyncio.run(main())


def test_aborting_cancels_the_task(new_world: NewWorld) -> None:
    cancelled: list[bool] = []

    async def round_trip(request: Request) -> Response:
        try:
            await asyncio.sleep(SECONDS)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return Response(200)

    async def main() -> None:
        driver = AsyncWorld(new_world(round_trip))
        found = await driver.run('fetch("http://x/", {signal: AbortSignal.timeout(20)}).catch((e) => e.name)')
        assert found == "TimeoutError"
        await asyncio.sleep(0.01)
        assert cancelled == [True]

    asyncio.run(main())
