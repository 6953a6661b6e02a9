"""fetch against a server of this process, by the round tripper of the standard library."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from gojs.http_server import Server

World = Any


def sent_headers(text: str) -> dict[str, str]:
    return dict(json.loads(text))


# --- Requests ---


def test_a_response_has_what_the_server_sent(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/hello?name=b&c#fragment").then(async (r) => JSON.stringify([
            r.status, r.statusText, r.ok, r.type, r.redirected, r.url, r.headers.get("X-Demo"), await r.text(), r.bodyUsed
        ]))"""
    )
    assert json.loads(found) == [
        200, "OK", True, "basic", False, f"{server.url}/hello?name=b&c", "yes", "hello b", True,
    ]  # fmt: skip
    assert server.log == ["GET /hello?name=b&c"]


def test_headers_are_sorted_and_joined(world: World, server: Server) -> None:
    found = world.run(f'fetch("{server.url}/cookies").then((r) => JSON.stringify([...r.headers]))')
    assert json.loads(found) == [
        ["content-length", "0"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-folded", "one    two"],
        ["x-latin", "\xe9"],
        ["x-twice", "1, 2"],
    ]


def test_headers_of_a_response_do_not_change(world: World, server: Server) -> None:
    found = world.run(f'fetch("{server.url}/hello").then((r) => r.headers.set("a", "b"))')
    assert found == "threw TypeError: immutable"


@pytest.mark.parametrize(
    ("body", "arrives", "media_type"),
    [
        ("'text \\u00e9'", "text é".encode(), "text/plain;charset=UTF-8"),
        ("new Uint8Array([0, 255, 10])", b"\x00\xff\n", None),
        ("new Uint8Array(300000).fill(7)", b"\x07" * 300_000, None),
        ("new URLSearchParams('a=b c')", b"a=b+c", "application/x-www-form-urlencoded;charset=UTF-8"),
        ("''", b"", "text/plain;charset=UTF-8"),
        ("undefined", b"", None),
    ],
)
def test_a_body_arrives(world: World, server: Server, body: str, arrives: bytes, media_type: str | None) -> None:
    found = world.run(
        f"""fetch("{server.url}/echo", {{method: "POST", body: {body}}}).then(async (r) => [
            r.headers.get("x-method"), r.headers.get("x-sent"), await r.arrayBuffer()
        ])"""
    )
    method, sent, buffer = found.items
    assert method == "POST"
    assert bytes(buffer.data) == arrives
    assert sent_headers(sent)["content-length"] == str(len(arrives))
    assert sent_headers(sent).get("content-type") == media_type


def test_headers_of_the_program_are_sent_but_for_those_of_the_connection(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/echo", {{method: "PUT", body: "four", headers: [
            ["X-Custom", "1"], ["x-custom", "2"], ["User-Agent", "mine"], ["Host", "elsewhere"], ["Content-Length", "999"],
            ["Transfer-Encoding", "chunked"], ["Connection", "keep-alive"], ["Accept-Encoding", "br"]
        ]}}).then((r) => r.headers.get("x-sent"))"""
    )
    assert [value for name, value in json.loads(found) if name == "x-custom"] == ["1", "2"]
    sent = sent_headers(found)
    del sent["x-custom"]
    assert sent == {
        "host": server.url.removeprefix("http://"),
        "accept": "*/*",
        "accept-encoding": "br",
        "user-agent": "mine",
        "content-type": "text/plain;charset=UTF-8",
        "content-length": "4",
        "connection": "close",
    }


def test_what_servers_are_told_to_expect(world: World, server: Server) -> None:
    sent = sent_headers(world.run(f'fetch("{server.url}/echo").then((r) => r.headers.get("x-sent"))'))
    assert sent["accept-encoding"] == "gzip, deflate"
    assert sent["user-agent"].startswith("wazero-gojs/")
    assert "content-length" not in sent


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "REPORT"])
def test_methods(world: World, server: Server, method: str) -> None:
    found = world.run(f'fetch("{server.url}/echo", {{method: "{method}"}}).then((r) => r.headers.get("x-method"))')
    assert found == method


def test_a_stream_is_sent_as_it_comes(world: World, server: Server) -> None:
    promise = world.start(
        f"""var controller;
        const body = new ReadableStream({{ start(c) {{ controller = c; }} }});
        var send = (text) => controller.enqueue(new TextEncoder().encode(text));
        fetch("{server.url}/echo", {{ method: "POST", body, duplex: "half" }}).then((r) => r.text())"""
    )
    for text in ("one ", "two ", "three"):
        world.start(f'send("{text}")')
        world.turn_until(lambda: server.arrived.acquire(blocking=False))
    world.start("controller.close()")
    world.turn_until(lambda: promise.state != "pending")
    assert promise.value == "one two three"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("pull(c) { c.error(new RangeError('mine')); }", "threw TypeError: fetch failed (RangeError: mine)"),
        ("pull(c) { c.enqueue('text'); }", "threw TypeError: fetch failed (TypeError: Received non-Uint8Array chunk)"),
    ],
)
def test_a_stream_that_fails(world: World, server: Server, source: str, message: str) -> None:
    init = f'{{ method: "POST", body: new ReadableStream({{ {source} }}), duplex: "half" }}'
    assert world.run(f'fetch("{server.url}/echo", {init})') == message


def test_an_answer_before_the_end_of_the_body(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/early", {{ method: "POST", body: new Uint8Array(1 << 24) }})
        .then((r) => r.status, (e) => String(e.cause))"""
    )
    # What the kernel makes of the rest may come before the answer.
    assert found == 413 or "ConnectionResetError" in found or "RemoteDisconnected" in found


# --- Responses ---


@pytest.mark.parametrize("status", [404, 500, 599])
def test_statuses_are_no_errors(world: World, server: Server, status: int) -> None:
    found = world.run(
        f'fetch("{server.url}/status/{status}?reason=So").then((r) => `${{r.status}} ${{r.ok}} ${{r.statusText}}`)'
    )
    assert found == f"{status} false So"


@pytest.mark.parametrize("path", ["status/204", "status/205", "status/304"])
def test_some_responses_have_no_body(world: World, server: Server, path: str) -> None:
    assert world.run(f'fetch("{server.url}/{path}").then((r) => r.body)') is None


def test_a_response_to_head_has_no_body(world: World, server: Server) -> None:
    found = world.run(
        f'fetch("{server.url}/big", {{method: "head"}}).then((r) => `${{r.body}} ${{r.headers.get("content-length")}}`)'
    )
    assert found == "null 1048576"


def test_a_large_body_comes_in_chunks_of_64_kib_at_most(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/big").then(async (r) => {{
            const reader = r.body.getReader(), sizes = [];
            let sum = 0;
            for (let x; !(x = await reader.read()).done; ) {{ sizes.push(x.value.length); sum += x.value[1]; }}
            await reader.closed;
            return [sizes.reduce((a, b) => a + b), Math.max(...sizes), sizes.includes(0)];
        }})"""
    )
    total, largest, has_empty = found.items
    assert (total, largest <= 65_536, has_empty) == (1 << 20, True, False)


def test_chunks_come_as_they_are_sent(world: World, server: Server) -> None:
    world.run(f'fetch("{server.url}/stepwise").then((r) => {{ globalThis.reader = r.body.getReader(); }})')
    read = 'reader.read().then((x) => x.done ? "done" : new TextDecoder().decode(x.value))'
    for number in range(10):
        server.gate.release()
        assert world.run(read) == f"step {number}"
    assert world.run(read) == "done"


@pytest.mark.parametrize("form", ["gzip", "x-gzip", "deflate", "raw", "both"])
def test_content_codings(world: World, server: Server, form: str) -> None:
    found = world.run(f'fetch("{server.url}/packed/{form}").then((r) => r.text())')
    assert found == "packed " * 50_000


def test_a_coding_that_is_not_known_is_left_alone(world: World, server: Server) -> None:
    assert world.run(f'fetch("{server.url}/packed/br").then((r) => r.text())') == "whatever"


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("packed/cut", "Error: unexpected end of file"),
        ("packed/bad", "Error: Error -3 while decompressing data"),
        ("cut/length", "IncompleteRead"),
        ("cut/chunks", "IncompleteRead"),
    ],
)
def test_bodies_that_break_off(world: World, server: Server, path: str, cause: str) -> None:
    found = world.run(f'fetch("{server.url}/{path}").then((r) => r.text())')
    assert found.startswith(f"threw TypeError: terminated ({cause}")


def test_a_clone_has_the_same_body(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/big").then(async (r) => {{
            const [a, b] = await Promise.all([r.clone().arrayBuffer(), r.arrayBuffer()]);
            return [a.byteLength, b.byteLength, r.bodyUsed];
        }})"""
    )
    assert found.items == [1 << 20, 1 << 20, True]


def test_requests_in_parallel(world: World, server: Server) -> None:
    count = 200  # more than there may be at a time
    found = world.run(
        f"""Promise.all(Array.from({{length: {count}}}, (_, i) =>
            fetch("{server.url}/hello?name=" + i).then((r) => r.text()))).then((all) => all.join())"""
    )
    assert found == ",".join(f"hello {number}" for number in range(count))
    assert len(server.log) == count


# --- Redirects ---


def test_redirects_are_followed(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/count/20").then(async (r) => `${{r.redirected}} ${{r.url}} ${{await r.text()}}`)"""
    )
    assert found == f"true {server.url}/count/0 done"


@pytest.mark.parametrize(
    ("path", "init", "cause"),
    [
        ("count/21", "", "Error: redirect count exceeded"),
        ("count/1", "redirect: 'error'", "Error: unexpected redirect"),
        ("redirect/301?to=ftp://x/", "", "Error: URL scheme must be a HTTP(S) scheme"),
        ("redirect/301?to=http://[/", "", "Error: Invalid URL"),
        ("redirect/301?to=http://a:b@x/", "", "Error: URL of a redirect cannot contain credentials"),
        (
            "redirect/307?to=/echo",
            "method: 'PUT', duplex: 'half', body: new ReadableStream({start(c) {c.close();}})",
            "Error: a body that is a stream cannot be sent again",
        ),
    ],
)
def test_redirects_that_are_not(world: World, server: Server, path: str, init: str, cause: str) -> None:
    assert world.run(f'fetch("{server.url}/{path}", {{{init}}})') == f"threw TypeError: fetch failed ({cause})"


def test_a_redirect_may_be_left_to_the_program(world: World, server: Server) -> None:
    found = world.run(
        f"""fetch("{server.url}/count/1", {{redirect: "manual"}})
        .then((r) => `${{r.status}} ${{r.redirected}} ${{r.headers.get("location")}}`)"""
    )
    assert found == "302 false /count/0"


@pytest.mark.parametrize(
    ("status", "method", "then", "body"),
    [
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (303, "POST", "GET", b""),
        (303, "PUT", "GET", b""),
        (301, "PUT", "PUT", b"body"),
        (307, "POST", "POST", b"body"),
        (308, "POST", "POST", b"body"),
    ],
)
def test_methods_after_redirects(
    world: World, server: Server, status: int, method: str, then: str, body: bytes
) -> None:
    found = world.run(
        f"""fetch("{server.url}/redirect/{status}?to=/echo", {{method: "{method}", body: "body"}})
        .then(async (r) => [r.headers.get("x-method"), r.headers.get("x-sent"), await r.text()])"""
    )
    seen_method, sent, seen_body = found.items
    assert (seen_method, seen_body.encode()) == (then, body)
    assert ("content-type" in sent_headers(sent)) == bool(body)


def test_secrets_are_not_sent_to_another_server(world: World, server: Server) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    for target, is_told in ((f"{server.url}/echo", True), (f"{elsewhere}/echo", False)):
        found = world.run(
            f"""fetch("{server.url}/redirect/302?to={target}", {{headers: {{authorization: "a", cookie: "c", "x-b": "b"}}}})
            .then((r) => r.headers.get("x-sent"))"""
        )
        sent = sent_headers(found)
        assert ("authorization" in sent, "cookie" in sent, "x-b" in sent) == (is_told, is_told, True)


# --- Failures ---


def test_nobody_listens(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = world.run(f'fetch("http://127.0.0.1:{port}/").catch((e) => `${{e}} ${{e.cause.code}}`)')
    assert found == "TypeError: fetch failed ECONNREFUSED"


def test_a_server_that_speaks_something_else(world: World, server: Server) -> None:
    found = world.run(f'fetch("{server.url}/garbage")')
    assert found.startswith("threw TypeError: fetch failed (ConnectionError: the answer is no HTTP: 'this is no HTTP')")


@pytest.mark.parametrize("path", ["huge/70000", "many/5"])
def test_headers_that_are_too_large(world: World, server: Server, path: str) -> None:
    assert world.run(f'fetch("{server.url}/{path}")').startswith("threw TypeError: fetch failed (")


def test_headers_to_send_that_are_too_large(world: World, server: Server) -> None:
    found = world.run(f'fetch("{server.url}/hello", {{headers: {{a: "x".repeat(300000)}}}})')
    assert found == "threw TypeError: fetch failed (Error: the headers have more than 262,144 bytes)"
    assert not server.log


def test_integrity_is_not_ignored(world: World, server: Server) -> None:
    found = world.run(f'fetch("{server.url}/hello", {{integrity: "sha256-x"}})')
    assert found == "threw TypeError: fetch failed (Error: the option integrity is not supported)"
