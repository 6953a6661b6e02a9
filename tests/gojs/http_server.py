"""A server that answers in all the ways that tests of HTTP clients need: a path for each."""

from __future__ import annotations

import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gzip import compress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECONDS = 30.0
"""After which a test has hung."""


class Server(ThreadingHTTPServer):
    """`gate` lets the handlers of some paths go on, one step for each release; `log` has what came in."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.gate = threading.Semaphore(0)
        self.arrived = threading.Semaphore(0)
        self.gone = threading.Event()
        """Set by handlers that find that nobody listens any more."""
        self.log: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.gone.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.log.append(f"{self.command} {self.path}")
        name, _, self.rest = urlsplit(self.path).path.lstrip("/").partition("/")
        self.query = dict(parse_qsl(urlsplit(self.path).query))
        getattr(self, f"on_{name}", self.on_missing)()

    do_POST = do_PUT = do_HEAD = do_DELETE = do_REPORT = do_GET  # noqa: N815 - names of the base class

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        pass

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
            self.server.arrived.release()
        self.rfile.readline()
        return found

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    # Paths

    def on_missing(self) -> None:
        self.answer(b"nothing here", 404)

    def on_hello(self) -> None:
        self.answer(f"hello {self.query.get('name', 'you')}".encode(), X_Demo="yes")

    def on_echo(self) -> None:
        sent = json.dumps([[name.lower(), value] for name, value in self.headers.items()])
        self.answer(self.body(), X_Method=self.command, X_Sent=sent)

    def on_status(self) -> None:
        self.send_response_only(int(self.rest), self.query.get("reason"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def on_redirect(self) -> None:
        self.body()
        self.answer(b"moved", int(self.rest), Location=self.query["to"])

    def on_count(self) -> None:
        """As many redirects as the path says."""
        left = int(self.rest)
        self.answer(b"done") if not left else self.answer(b"", 302, Location=f"/count/{left - 1}")

    def on_cookies(self) -> None:
        self.send_response_only(200)
        lines = (
            "Set-Cookie: a=1",
            "X-Twice: 1",
            "Set-Cookie: b=2",
            "x-twice: 2",
            "X-Folded: one\r\n  two",
            "X-Latin: \xe9",
        )
        for line in lines:
            self.send_header(*line.split(": "))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def on_huge(self) -> None:
        self.answer(b"", X_Huge="x" * int(self.rest))

    def on_many(self) -> None:
        headers = {f"X-{number}": "x" * 60_000 for number in range(int(self.rest))}
        self.answer(b"", 200, **headers)

    def on_packed(self) -> None:
        text = b"packed " * 50_000
        raw = zlib.compressobj(wbits=-15)
        forms: dict[str, Callable[[], bytes]] = {
            "gzip": lambda: compress(text),
            "x-gzip": lambda: compress(text[:70_000]) + compress(text[70_000:]),
            "deflate": lambda: zlib.compress(text),
            "raw": lambda: raw.compress(text) + raw.flush(),
            "both": lambda: compress(zlib.compress(text)),
            "cut": lambda: compress(text)[:-9],
            "bad": lambda: b"\x1f\x8b but no gzip at all",
            "br": lambda: b"whatever",
        }
        names = {"raw": "deflate", "both": "deflate, gzip", "cut": "gzip", "bad": "gzip"}
        self.answer(forms[self.rest](), Content_Encoding=names.get(self.rest, self.rest))

    def on_big(self) -> None:
        self.answer(bytes(range(256)) * 4096)

    def on_cut(self) -> None:
        """Less than was promised, in either way to say how much there is."""
        self.send_response(200)
        self.send_header(*(("Content-Length", "100") if self.rest == "length" else ("Transfer-Encoding", "chunked")))
        self.end_headers()
        self.wfile.write(b"10\r\n0123456789")
        self.close_connection = True

    def on_stepwise(self) -> None:
        """A chunk for each time that the gate opens, ten of them."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(10):
            self.server.gate.acquire(timeout=SECONDS)
            self.chunk(f"step {number}".encode())
        self.chunk(b"")

    def on_open(self) -> None:
        self.server.gate.release()
        self.answer()

    def on_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"more and more " * 4096)

    def on_silent(self) -> None:
        """No answer, until the client goes away."""
        self.server.arrived.release()
        self.connection.settimeout(SECONDS)
        if not self.connection.recv(1):
            self.server.gone.set()
        self.close_connection = True

    def on_stalled(self) -> None:
        """Headers and some bytes, and then nothing until the client goes away."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"some")
        self.on_silent()

    def on_early(self) -> None:
        """An answer before the body has come, and an end."""
        self.answer(b"too much", 413, Connection="close")
        self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True

    def on_garbage(self) -> None:
        self.wfile.write(b"this is no HTTP\r\n\r\n")
        self.close_connection = True


@contextmanager
def serving(wrap: Callable[[socket.socket], socket.socket] = lambda listening: listening) -> Iterator[Server]:
    """A server that runs, and closes at the end; `wrap` may make its socket one of TLS."""
    made = Server()
    made.socket = wrap(made.socket)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
        thread.join()
