"""The round tripper of Python's standard library: `http.client`, one connection for each request."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from functools import cache
from http.client import (
    BadStatusLine,
    HTTPConnection,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
    RemoteDisconnected,
)
from selectors import EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from . import CHUNK, Cancellation, Request, Response
from .chunks import Chunks

if TYPE_CHECKING:
    from ssl import SSLContext

TIMEOUT: Final = 300.0
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK})
_LOOK_SECONDS: Final = 0.05
_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443
_WITH_BODY: Final = frozenset({"PATCH", "POST", "PUT"})
"""Methods for which an empty body is one, too."""


def http_round_tripper(
    timeout: float | None = TIMEOUT, ssl_context: SSLContext | None = None
) -> Callable[[Request], Response]:
    """A round tripper for HTTP/1.1 with or without TLS, by default with the certificates of the system.

    `timeout` is how many seconds to wait for the server at any one time, None for ever. No proxy and no kept connection.
    """

    def round_trip(request: Request) -> Response:
        connection = _connected(request, timeout, ssl_context)
        try:
            _send(connection, request)
            response = _answer(connection)
        except BaseException:
            connection.close()
            raise
        headers = tuple(response.headers.items())
        return Response(response.status, headers, _chunks(connection, response), response.reason)

    return round_trip


def _connected(request: Request, timeout: float | None, ssl_context: SSLContext | None) -> HTTPConnection:
    """A connection to the server. It makes none by itself: that could not be cancelled while the server is silent."""
    url = urlsplit(request.url)
    host = url.hostname or ""
    if url.scheme != "https":
        plain = HTTPConnection(host, url.port or _HTTP_PORT)
        plain.sock = _connected_socket((host, plain.port), timeout, request.cancellation)
        return plain
    context = _default_context() if ssl_context is None else ssl_context
    secure = HTTPSConnection(host, url.port or _HTTPS_PORT, context=context)
    raw = _connected_socket((host, secure.port), timeout, request.cancellation)
    secure.sock = _secured(raw, host, context, request.cancellation)
    return secure


@cache
def _default_context() -> SSLContext:
    from ssl import create_default_context

    made = create_default_context()
    made.set_alpn_protocols(["http/1.1"])
    return made


def _secured(raw: socket.socket, host: str, context: SSLContext, cancellation: Cancellation) -> socket.socket:
    """TLS over a connection, which from then on is the TLS socket's."""
    made = context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    cancellation.add(closer_of(made))
    try:
        made.do_handshake()
    except BaseException:
        made.close()
        raise
    return made


def _connected_socket(address: tuple[str, int], timeout: float | None, cancellation: Cancellation) -> socket.socket:
    """A connection to the first address of a host that takes one. Raises OSError."""
    failure: OSError | None = None
    for family, kind, protocol, _, place in socket.getaddrinfo(*address, 0, socket.SOCK_STREAM):
        made = socket.socket(family, kind, protocol)
        cancellation.add(closer_of(made))
        try:
            _connect(made, place, timeout, cancellation)
        except OSError as error:
            failure = error
            made.close()
        else:
            made.settimeout(timeout)
            return made
        if cancellation.is_cancelled:
            break
    raise failure or OSError(f"no address of {address[0]}")


def _connect(made: socket.socket, place: Any, timeout: float | None, cancellation: Cancellation) -> None:
    """Connect, and look now and then whether that is still wanted: closing it does not wake who waits for a connection."""
    end = None if timeout is None else time.monotonic() + timeout
    made.setblocking(False)
    code = made.connect_ex(place)
    if code in _UNDER_WAY:
        with DefaultSelector() as selector:
            selector.register(made, EVENT_WRITE)
            while not selector.select(_LOOK_SECONDS):
                if cancellation.is_cancelled:
                    break
                if end is not None and time.monotonic() >= end:
                    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if cancellation.is_cancelled:
        code = errno.ECONNABORTED
    if code:
        raise OSError(code, os.strerror(code))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


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
    try:
        if body is None or isinstance(body, bytes):
            if body is not None or request.method in _WITH_BODY:
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
        else:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(filter(None, body), encode_chunked=True)  # an empty chunk would be the end
    except (BrokenPipeError, ConnectionResetError):
        pass  # a server may answer, and stop listening, before it has heard everything


def _answer(connection: HTTPConnection) -> HTTPResponse:
    """The response without its body. Raises OSError and HTTPException."""
    try:
        return connection.getresponse()
    except RemoteDisconnected:
        raise
    except BadStatusLine as error:
        raise ConnectionError(f"the answer is no HTTP: {str(error.args[0]).strip()[:60]!r}") from None


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
