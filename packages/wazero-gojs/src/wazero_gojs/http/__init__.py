"""HTTP requests of Go programs, as Python sees them: what a round tripper gets and returns.

A round tripper is a function of a `Request` that returns a `Response`. It follows no redirects and decodes no content
codings: `fetch` does. What it raises, the program gets as a failed fetch. It is called in a thread of its own, up to 64 of
them at a time; or it is a coroutine function, if the program runs under asyncio (`wazero_gojs.run_async`).

    send = wazero_gojs.http_round_tripper()

    def only_example(request):
        return send(request) if request.url.startswith("https://example.com/") else Response(403)
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import ExitStack
from threading import Lock
from typing import Final, final

from wazero_api.record import record

Headers = tuple[tuple[str, str], ...]
Buffer = bytes | bytearray | memoryview

CHUNK: Final = 1 << 16
"""Bytes of a body to read at once."""


@final
class Cancellation:
    """Whether nobody wants a response any more: it was aborted, or read enough of, or the program has ended.

    Safe to use from several threads.
    """

    __slots__ = ("_callbacks", "_lock", "is_cancelled")

    def __init__(self) -> None:
        self._lock = Lock()
        self._callbacks: list[Callable[[], object]] = []
        self.is_cancelled = False

    def add(self, callback: Callable[[], object]) -> None:
        """Have it called once this is cancelled, which may be now, in whatever thread does that: close a connection, say."""
        with self._lock:
            if not self.is_cancelled:
                self._callbacks.append(callback)
                return
        callback()

    def cancel(self) -> None:
        """Call what was added, the last one first. Only the first call counts."""
        with self._lock:
            self.is_cancelled = True
            callbacks, self._callbacks = self._callbacks, []
        with ExitStack() as stack:  # all of them, whatever one raises
            for callback in callbacks:
                stack.callback(callback)


@final
class Request:
    """One request, to one server."""

    __slots__ = ("body", "cancellation", "headers", "method", "url")

    def __init__(
        self,
        url: str,
        method: str = "GET",
        headers: Headers = (),
        body: bytes | Iterable[bytes] | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self.url = url
        """With the scheme "http" or "https", and without fragment."""
        self.method = method
        self.headers = headers
        """All but those that are the business of a connection: no Host, Content-Length or Transfer-Encoding."""
        self.body = body
        """None if there is none. A stream is an iterable, and an async iterable as well, to be gone through once."""
        self.cancellation = Cancellation() if cancellation is None else cancellation
        """When to stop, in the middle of whatever it is."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url}>"


@final
@record
class Response:
    """The answer. Its body is read as the program reads it, and no further once the request is cancelled."""

    status: int
    """200…599: no informational responses."""
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    """Names may repeat."""
    body: Buffer | Iterable[Buffer] | AsyncIterable[Buffer] = b""
    """As it was sent, without chunking but with its content coding."""
    reason: str = ""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The headers, in whatever form they were given."""
        headers = self.headers
        return tuple(headers.items() if isinstance(headers, Mapping) else headers)


RoundTripper = Callable[[Request], object]
"""Returns a `Response`, or an awaitable of one."""
