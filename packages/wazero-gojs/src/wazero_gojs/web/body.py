"""Bodies of requests and responses. Spec: https://fetch.spec.whatwg.org, 5.2 and 5.3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, final

from wazero_gojs.builtins.buffers import bytes_of
from wazero_gojs.model.buffer import MAX_BYTES, JSTypedArray
from wazero_gojs.model.object import Args, JSObject
from wazero_gojs.model.promise import JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.utf16 import MAX_LENGTH
from wazero_gojs.model.values import UNDEFINED, JSError, throw_type_error, to_string

from .headers import JSHeaders
from .search_params import JSSearchParams
from .streams import BytesSource, JSReadableStream, ReadRequest, called, new_stream
from .text import to_utf8

METHODS: Final = Table()
"""What Request and Response have in common."""

_TYPE: Final = "content-type"


@final
class Body:
    """Bytes that are there, or a stream of them."""

    __slots__ = ("_is_taken", "_stream", "data")

    def __init__(self, data: bytes | None, stream: JSReadableStream | None = None) -> None:
        self.data = data
        """None for a stream that somebody else made."""
        self._stream = stream
        self._is_taken = False

    def stream(self, realm: Realm) -> JSReadableStream:
        """The stream, made when somebody wants to see it."""
        if self._stream is None:
            self._stream = new_stream(realm, BytesSource(self.data or b""))
            if self._is_taken:
                self._stream.is_disturbed = True
                self._stream.close()
        return self._stream

    @property
    def is_used(self) -> bool:
        """Whether somebody has begun to read it."""
        return self._is_taken if self._stream is None else self._stream.is_disturbed

    @property
    def is_locked(self) -> bool:
        """Whether somebody has a reader of it."""
        return self._stream is not None and self._stream.reader is not None

    def take(self) -> bytes | None:
        """All bytes, if nobody has seen the stream; the body is used then. None if the stream must be read."""
        if self._stream is None:
            self._is_taken = True
        return self.data if self._stream is None else None

    def clone(self, realm: Realm) -> Body:
        """Another body with the same bytes."""
        if self._stream is None:
            return Body(self.data)
        from .stream_classes import tee_stream

        self._stream, other = tee_stream(realm, self._stream)
        self.data = None
        return Body(None, other)


class BodyHolder(JSObject):
    """A request or response."""

    __slots__ = ("body", "headers")

    body: Body | None
    headers: JSHeaders


def extract(realm: Realm, value: Any) -> tuple[Body, str | None]:
    """The body that a guest gives, and its media type if that is known. Spec: 5.2 (extract)."""
    if isinstance(value, JSReadableStream):
        if value.is_disturbed or value.reader is not None:
            throw_type_error("Response body object should not be disturbed or locked")
        return Body(None, value), None
    found = bytes_of(value)
    if found is not None:
        return Body(bytes(found)), None
    if isinstance(value, JSSearchParams):
        return Body(to_utf8(to_string(value))), "application/x-www-form-urlencoded;charset=UTF-8"
    return Body(to_utf8(to_string(value))), "text/plain;charset=UTF-8"


def set_type(headers: JSHeaders, media_type: str | None) -> None:
    """Say what the body is, unless the guest has."""
    if media_type is not None and not headers.values_of(_TYPE):
        headers.put(_TYPE, media_type)


# --- Reading all of it -----------------------------------------------------------------------------------------------


def read_all(realm: Realm, body: Body, done: Callable[[bytes], object], failed: Callable[[Any], object]) -> None:
    """Call one of these when all has been read."""
    whole = body.take()
    if whole is not None:
        done(whole)
        return
    from .stream_classes import new_reader

    stream = body.stream(realm)
    new_reader(realm, stream)
    _Collector(realm, stream, done, failed).read()


@final
class _Collector:
    """Reads a stream to its end."""

    def __init__(
        self, realm: Realm, stream: JSReadableStream, done: Callable[[bytes], object], failed: Callable[[Any], object]
    ) -> None:
        self._realm = realm
        self._stream = stream
        self._data = bytearray()
        self._done = done
        self._failed = failed
        self._is_reading = False

    def read(self) -> None:
        """Read as long as there is something at once: calls must not nest as deeply as a guest has enqueued."""
        has_more = True
        while has_more:
            has_more = False
            self._is_reading = True

            def took(chunk: Any) -> None:
                nonlocal has_more
                if self._took(chunk):
                    if self._is_reading:
                        has_more = True
                    else:
                        self.read()

            self._stream.read(ReadRequest(took, lambda: self._done(bytes(self._data)), self._failed))
            self._is_reading = False

    def _took(self, chunk: Any) -> bool:
        if not (isinstance(chunk, JSTypedArray) and chunk.type.name == "Uint8Array"):
            return self._stop("TypeError", "Received non-Uint8Array chunk")
        if len(self._data) + len(chunk.view) > MAX_BYTES:
            return self._stop("RangeError", "Array buffer allocation failed")
        self._data += chunk.view
        return True

    def _stop(self, kind: str, message: str) -> bool:
        reason = self._realm.new_error(kind, message)
        self._stream.cancel(reason)
        self._failed(reason)
        return False


def _consume(realm: Realm, this: Any, convert: Callable[[bytes], Any]) -> JSPromise:
    """A promise of what `convert` makes of the body. Spec: 5.3 (consume body)."""

    def consume() -> Any:
        holder = _holder(this)
        body = holder.body
        if body is None:
            return convert(b"")
        if body.is_used or body.is_locked:
            _throw_unusable()
        promise = realm.new_promise()
        read_all(realm, body, lambda data: promise.resolve(called(realm, lambda: convert(data))), promise.reject)
        return promise

    return called(realm, consume)


def _throw_unusable() -> NoReturn:
    throw_type_error("Body is unusable: Body has already been read")


def _holder(this: Any) -> BodyHolder:
    if not isinstance(this, BodyHolder):
        throw_type_error("Illegal invocation")
    return this


# --- Methods ---------------------------------------------------------------------------------------------------------


@METHODS.getter("body")
def body(realm: Realm, this: Any, args: Args) -> Any:
    """A stream; null without body."""
    held = _holder(this).body
    return None if held is None else held.stream(realm)


@METHODS.getter("bodyUsed")
def body_used(realm: Realm, this: Any, args: Args) -> Any:
    """Whether somebody has begun to read."""
    held = _holder(this).body
    return held is not None and held.is_used


@METHODS.method("arrayBuffer")
def array_buffer(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of all bytes, as an ArrayBuffer."""
    return _consume(realm, this, lambda data: realm.new_buffer(bytearray(data)))


@METHODS.method("bytes")
def bytes_(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of all bytes, as a Uint8Array."""
    return _consume(realm, this, lambda data: realm.new_bytes(bytearray(data)))


@METHODS.method("text")
def text(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of all bytes, as text."""
    return _consume(realm, this, lambda data: _decoded(realm, data))


@METHODS.method("json")
def json(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of what the text is as JSON."""
    return _consume(
        realm, this, lambda data: realm.intrinsic("JSON").get("parse").call(UNDEFINED, (_decoded(realm, data),))
    )


def _decoded(realm: Realm, data: bytes) -> str:
    if len(data) > MAX_LENGTH:
        raise JSError(realm.new_error("Error", "Cannot create a string longer than 0x1fffffe8 characters"))
    return data.decode("utf-8-sig", "replace")
