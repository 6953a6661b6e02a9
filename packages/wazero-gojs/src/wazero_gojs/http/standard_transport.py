"""The round tripper of Python's standard library: `http.client`, one connection for each request."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from . import CHUNK, Cancellation, Request, Response
from .chunks import Chunks

if TYPE_CHECKING:
    from ssl import SSLContext

TIMEOUT: Final = 300.0
_HTTPS_PORT: Final = 443


def http_round_tripper(
    timeout: float | None = TIMEOUT, ssl_context: SSLContext | None = None
) -> Callable[[Request], Response]:
    """A round tripper for HTTP/1.1 with or without TLS, by default with the certificates of the system.

    `timeout` is how many seconds to wait for the server at any one time, None for ever. No proxy and no kept connection.
    """

    def round_trip(request: Request) -> Response:
        connection = _connection(request, timeout, ssl_context)
        try:
            _connect(connection, request.cancellation)
            _send(connection, request)
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        headers = tuple(response.headers.items())
        return Response(response.status, headers, _chunks(connection, response), response.reason)

    return round_trip


def _connection(request: Request, timeout: float | None, ssl_context: SSLContext | None) -> HTTPConnection:
    url = urlsplit(request.url)
    host = url.hostname or ""
    if url.scheme != "https":
        return HTTPConnection(host, url.port or 80, timeout=timeout)
    if ssl_context is None:
        from ssl import create_default_context

        ssl_context = create_default_context()
        ssl_context.set_alpn_protocols(["http/1.1"])
    return HTTPSConnection(host, url.port or _HTTPS_PORT, timeout=timeout, context=ssl_context)


def _connect(connection: HTTPConnection, cancellation: Cancellation) -> None:
    """Like its own `connect`, but one that can be cancelled while the server does not answer."""

    def create(address: tuple[str, int], timeout: float | None, source: object) -> socket.socket:
        return _connected_socket(address, timeout, cancellation)

    connection._create_connection = create  # type: ignore[attr-defined]  # noqa: SLF001 - the only place for it
    connection.connect()


def _connected_socket(address: tuple[str, int], timeout: float | None, cancellation: Cancellation) -> socket.socket:
    """A connection to the first address of a host that takes one."""
    failure: OSError | None = None
    for family, kind, protocol, _, place in socket.getaddrinfo(*address, 0, socket.SOCK_STREAM):
        made = socket.socket(family, kind, protocol)
        cancellation.add(closer_of(made))
        made.settimeout(timeout)
        try:
            made.connect(place)
        except OSError as error:
            failure = error
            made.close()
        else:
            return made
        if cancellation.is_cancelled:
            break
    raise failure or OSError(f"no address of {address[0]}")


def closer_of(connected: socket.socket) -> Callable[[], None]:
    """A function that ends a connection, so that who waits for it in another thread finds it at its end."""

    def close() -> None:
        try:
            # Not that of a subclass: TLS would take its state away from under the thread that reads.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)
        except OSError:
            pass  # it was closed before, or never open

    return close


def _send(connection: HTTPConnection, request: Request) -> None:
    """The request with its body: as one piece if its length is known, else in chunks."""
    body = request.body
    connection.putrequest(request.method, _target(request.url), skip_accept_encoding=True)
    for name, value in request.headers:
        connection.putheader(name, value)
    connection.putheader("Connection", "close")
    is_stream = not (body is None or isinstance(body, bytes))
    if is_stream:
        connection.putheader("Transfer-Encoding", "chunked")
    elif body is not None or request.method in {"POST", "PUT", "PATCH"}:
        connection.putheader("Content-Length", str(len(body or b"")))
    try:
        connection.endheaders(_filled(body) if is_stream else body, encode_chunked=is_stream)
    except (BrokenPipeError, ConnectionResetError):
        pass  # a server may answer, and stop listening, before it has heard everything


def _filled(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Those that are not empty: an empty one would be the end."""
    return (chunk for chunk in chunks if chunk)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if "?" in url else parts.path or "/"


def _chunks(connection: HTTPConnection, response: HTTPResponse) -> Chunks:
    """The body as it comes. Raises IncompleteRead if the connection ends too early."""

    def read() -> bytes:
        chunk = response.read1(CHUNK)
        if not chunk and response.length:
            raise IncompleteRead(b"", response.length)
        return chunk

    def close() -> None:
        response.close()
        connection.close()

    return Chunks(read, close)
