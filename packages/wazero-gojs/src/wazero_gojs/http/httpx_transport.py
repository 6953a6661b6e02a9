"""A round tripper that uses `httpx`, if that is installed: for HTTP/2, proxies, and connections that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from . import Request, Response
from .chunks import Chunks
from .standard_transport import TIMEOUT, closer_of

if TYPE_CHECKING:
    from socket import socket

_MADE_CONNECTION: Final = ("connect_tcp.complete", "start_tls.complete")
_CONNECT_SECONDS: Final = 10.0
_HTTP_1: Final = "HTTP/1"


def httpx_round_tripper(client: Any = None) -> Callable[[Request], Response]:
    """A round tripper that sends requests by an ``httpx.Client``, whose timeouts, proxies and certificates hold.

    Without one it makes its own, which keeps no connections. One that keeps them may hear of a cancelled request only
    after the server's answer or its own timeout. Raises ImportError if httpx is not installed.
    """
    used = _new_client() if client is None else client

    def round_trip(request: Request) -> Response:
        made = used.build_request(request.method, request.url, headers=list(request.headers), content=request.body)
        made.extensions = {**made.extensions, "trace": _closer(request)}
        response = used.send(made, stream=True, follow_redirects=False)
        _close_when_cancelled(request, response)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        return Response(response.status_code, headers, _chunks(response), response.reason_phrase)

    return round_trip


def _new_client() -> Any:
    from importlib import import_module

    httpx = import_module("httpx")
    # While it connects, nothing ends it but time.
    timeout = httpx.Timeout(TIMEOUT, connect=_CONNECT_SECONDS)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.Client(timeout=timeout, limits=limits, trust_env=False)


def _closer(request: Request) -> Callable[[str, dict[str, Any]], None]:
    """A listener to what the client does: it learns of connections, to close them while the server does not answer."""

    def trace(event: str, details: dict[str, Any]) -> None:
        if event.endswith(_MADE_CONNECTION):
            connected: socket | None = details["return_value"].get_extra_info("socket")
            if connected is not None:
                request.cancellation.add(closer_of(connected))

    return trace


def _close_when_cancelled(request: Request, response: Any) -> None:
    stream = response.extensions.get("network_stream")
    connected: socket | None = None if stream is None else stream.get_extra_info("socket")
    # A connection of HTTP/2 is not this request's alone.
    if connected is not None and response.http_version.startswith(_HTTP_1):
        request.cancellation.add(closer_of(connected))


def _chunks(response: Any) -> Chunks:
    # No size: httpx would wait until it has so much.
    chunks: Iterator[bytes] = filter(None, response.iter_raw())
    return Chunks(lambda: next(chunks, b""), response.close)
