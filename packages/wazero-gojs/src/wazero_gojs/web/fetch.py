"""fetch, and the classes that go with it. Spec: https://fetch.spec.whatwg.org.

There only is `fetch` if the program was given a round tripper, which makes each single request; what is here follows
redirects, decodes bodies, and aborts. There are no cookies of its own, no cache, and no origin that others could be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, final

from wazero_gojs._version import __version__
from wazero_gojs.http import CHUNK, Cancellation, Request, Response
from wazero_gojs.model.object import Args, JSFunction
from wazero_gojs.model.promise import JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError

from .abort import JSSignal
from .body import Body
from .content_coding import ACCEPTED, CodingError, Decoder, Plain, decoder_of
from .exchange import Exchange, Exchanges, GuestBody
from .headers import JSHeaders, byte_string, is_token, is_value, make_headers_class
from .request import JSRequest, caused_error, make_request_class, new_request
from .response import BODILESS, REDIRECTS, JSResponse, make_response_class, new_response
from .stream_classes import make_stream_class, new_reader
from .streams import StreamController, called, new_stream
from .url_parser import Record, parse

MAX_REDIRECTS: Final = 20
MAX_HEADERS: Final = 1 << 18
"""Bytes of all headers of a request, and of a response."""

_CONTROLS: Final = frozenset(map(chr, range(0x20))) - {"\t"} | {"\x7f"}
"""Characters that Headers takes in values, all but three, and no server. Spec: RFC 9110, 5.5."""
_DEFAULTS: Final = (
    ("accept", "*/*"),
    ("accept-encoding", ACCEPTED),
    ("user-agent", f"wazero-gojs/{__version__}"),
)
"""Headers that are sent unless the program sets them."""
_OF_CONNECTION: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that no program sets: they say where a request ends, and where it goes. Spec: 2.2.2 (forbidden)."""
_OF_BODY: Final = ("content-encoding", "content-language", "content-location", "content-type", "content-length")
_SECRET: Final = ("authorization", "proxy-authorization", "cookie")
"""What another server must not see."""
_CLASSES: Final[dict[str, Callable[[Realm], Any]]] = {
    "Headers": make_headers_class,
    "Request": make_request_class,
    "Response": make_response_class,
    "ReadableStream": make_stream_class,
}


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    return _CLASSES[name](realm) if name in _CLASSES else _make_fetch(realm)


def _make_fetch(realm: Realm) -> JSFunction:
    exchanges: Exchanges | None = None

    def fetch(realm: Realm, this: Any, args: Args) -> Any:
        def start() -> JSPromise:
            nonlocal exchanges
            request = new_request(realm, args)
            if exchanges is None:
                exchanges = Exchanges(realm)
            return _Fetch(exchanges, request).start()

        return called(realm, start)

    return realm.new_function(fetch, "fetch", 1)


class _FetchError(Exception):
    """Why there is no response."""


@final
class _Fetch:
    """One call of fetch: a request, perhaps others after redirects, and the body of the last response."""

    def __init__(self, exchanges: Exchanges, request: JSRequest) -> None:
        self._exchanges = exchanges
        self._realm = exchanges.realm
        self._promise = self._realm.new_promise()
        self._signal = request.signal
        self._listener: JSFunction | None = None
        self._exchange: Exchange | None = None
        self._controller: StreamController | None = None
        """Of the response's body."""
        self._mode = request.options["redirect"]
        self._integrity = request.integrity
        self._url = request.url
        self._redirects = 0
        self._method = request.method
        self._headers = JSHeaders(self._realm.object_prototype, request.headers.pairs())
        self._body = request.body

    def start(self) -> JSPromise:
        """The promise of the response."""
        signal = self._signal
        if signal is not None and signal.is_aborted:
            self._promise.reject(signal.reason)
            return self._promise
        if signal is not None:
            self._listener = self._realm.new_function(lambda realm, this, args: self._aborted(signal))
            signal.call_method("addEventListener", "abort", self._listener)
        self._guard(self._send)
        return self._promise

    # There

    def _send(self) -> None:
        """Make the request to the server that is next."""
        if self._url.scheme not in ("http", "https"):
            raise _FetchError("unknown scheme")
        if self._integrity:
            raise _FetchError("the option integrity is not supported")
        target, _, _ = self._url.text().partition("#")
        cancellation = Cancellation()
        request = Request(target, self._method, self._sent_headers(), self._sent_body(cancellation), cancellation)
        self._exchange = Exchange(
            self._exchanges, request, lambda response: self._guard(lambda: self._answered(response)), self._fail
        )
        self._exchange.start()

    def _sent_headers(self) -> tuple[tuple[str, str], ...]:
        sent = [(name, value) for name, value in self._headers.pairs() if name.lower() not in _OF_CONNECTION]
        sent += [(name, value) for name, value in _DEFAULTS if not self._headers.values_of(name)]
        for name, value in sent:
            if not _CONTROLS.isdisjoint(value):
                raise _FetchError(f"invalid {name} header")
        _check_size(sent)
        return tuple(sent)

    def _sent_body(self, cancellation: Cancellation) -> bytes | GuestBody | None:
        if self._body is None:
            return None
        if self._body.data is not None:
            self._body.take()
            return self._body.data
        stream = self._body.stream(self._realm)
        new_reader(self._realm, stream)
        return GuestBody(self._realm, stream, cancellation)

    # And back

    def _answered(self, response: Response) -> None:
        headers = _received(self._realm, response.pairs)
        location = headers.first("location")
        if response.status in REDIRECTS and location and self._mode != "manual":
            self._redirect(response.status, location)
        else:
            self._finish(response, headers)

    def _redirect(self, status: int, location: str) -> None:
        """Spec: 4.4 (HTTP-redirect fetch)."""
        if self._mode == "error":
            raise _FetchError("unexpected redirect")
        url = self._redirected_url(location)
        if self._redirects == MAX_REDIRECTS:
            raise _FetchError("redirect count exceeded")
        self._redirects += 1
        if (status == 303 and self._method != "HEAD") or (status in (301, 302) and self._method == "POST"):
            self._drop_body()
        elif self._body is not None and self._body.data is None:
            raise _FetchError("a body that is a stream cannot be sent again")
        if url.origin != self._url.origin:
            for name in _SECRET:
                self._headers.remove(name)
        self._url = url
        self._end_exchange()
        self._send()

    def _redirected_url(self, location: str) -> Record:
        try:
            url = parse(location, self._url)
        except ValueError:
            raise _FetchError("Invalid URL") from None
        if url.scheme not in ("http", "https"):
            raise _FetchError("URL scheme must be a HTTP(S) scheme")
        if url.username or url.password:
            raise _FetchError("URL of a redirect cannot contain credentials")
        if url.fragment is None:
            url.fragment = self._url.fragment
        return url

    def _drop_body(self) -> None:
        self._method = "GET"
        self._body = None
        for name in _OF_BODY:
            self._headers.remove(name)

    def _finish(self, response: Response, headers: JSHeaders) -> None:
        realm = self._realm
        made: JSResponse = new_response(realm)
        made.headers = headers
        made.status = response.status
        made.status_text = response.reason if is_value(response.reason) else ""
        made.type = "basic"
        made.url, _, _ = self._url.text().partition("#")
        made.is_redirected = self._redirects > 0
        exchange = self._exchange
        assert exchange is not None
        if response.status in BODILESS or self._method == "HEAD":
            self._end()
        else:
            source = _ResponseSource(self, exchange, decoder_of(headers.first("content-encoding")))
            stream = new_stream(realm, source)
            self._controller = stream.controller
            made.body = Body(None, stream)
        self._promise.resolve(made)

    # The end

    def _guard(self, step: Callable[[], object]) -> None:
        """What goes wrong here is a network error."""
        try:
            step()
        except (_FetchError, CodingError) as error:
            self._fail(self._realm.new_error("Error", str(error)))
        except JSError as error:
            self._fail(self._realm.thrown(error))

    def _fail(self, cause: Any) -> None:
        """There will be no response."""
        self._end()
        self._promise.reject(caused_error(self._realm, "fetch failed", cause))

    def break_off(self, cause: Any) -> None:
        """There will be no more of the body."""
        self._end()
        if self._controller is not None:
            self._controller.fail(caused_error(self._realm, "terminated", cause))

    def end_body(self) -> None:
        """The body has been read, or nobody wants it."""
        self._end()

    def _aborted(self, signal: JSSignal) -> Any:
        self._end()
        if self._controller is not None:
            self._controller.fail(signal.reason)
        self._promise.reject(signal.reason)
        if self._body is not None and self._body.data is None:
            self._body.stream(self._realm).cancel(signal.reason)
        return UNDEFINED

    def _end(self) -> None:
        self._end_exchange()
        if self._signal is not None and self._listener is not None:
            listener, self._listener = self._listener, None
            called(self._realm, lambda: self._remove(listener))

    def _remove(self, listener: JSFunction) -> None:
        if self._signal is not None:
            self._signal.call_method("removeEventListener", "abort", listener)

    def _end_exchange(self) -> None:
        if self._exchange is not None:
            self._exchange.end()


def _check_size(headers: Iterable[tuple[str, str]]) -> None:
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
        raise _FetchError(f"the headers have more than {MAX_HEADERS:,} bytes")


def _received(realm: Realm, headers: Iterable[tuple[str, str]]) -> JSHeaders:
    """The headers of a response, which nobody may change."""
    found: list[tuple[str, str]] = []
    for name, value in headers:
        value = byte_string(value).translate(_LINE_ENDS).strip(" \t")
        if not is_token(name):
            raise _FetchError(f"invalid header name {name!r}")
        found.append((name, value))
    _check_size(found)
    return JSHeaders(realm.prototype_of("Headers"), found, is_immutable=True)


_LINE_ENDS: Final = dict.fromkeys(map(ord, "\r\n\0"), " ")


@final
class _ResponseSource:
    """The body of a response: asks the server for more when the guest wants more, not before."""

    def __init__(self, fetch: _Fetch, exchange: Exchange, decoder: Decoder) -> None:
        self._fetch = fetch
        self._exchange = exchange
        self._decoder = decoder
        self._is_read = False
        """Whether the server has sent all of it."""

    def pull(self, controller: StreamController) -> Any:
        """Enqueue at most 64 KiB, or close the stream."""
        promise = controller.stream.realm.new_promise()
        self._fill(controller, promise)
        return promise

    def cancel(self, reason: Any) -> Any:
        """Close the connection."""
        self._decoder = Plain()
        self._fetch.end_body()
        return UNDEFINED

    def _fill(self, controller: StreamController, promise: JSPromise) -> None:
        realm = controller.stream.realm
        try:
            piece = self._decoder.take(CHUNK)
            if not piece and self._is_read:
                self._decoder.end()
        except CodingError as error:
            self._fetch.break_off(realm.new_error("Error", str(error)))
            return
        if piece:
            controller.enqueue(realm.new_bytes(bytearray(piece)))
        elif self._is_read:
            self._fetch.end_body()
            controller.close()
        else:
            self._exchange.next_chunk(lambda chunk: self._got(chunk, controller, promise), self._fetch.break_off)
            return
        promise.resolve(UNDEFINED)

    def _got(self, chunk: bytes | None, controller: StreamController, promise: JSPromise) -> None:
        if chunk is None:
            self._is_read = True
        else:
            self._decoder.feed(chunk)
        self._fill(controller, promise)
