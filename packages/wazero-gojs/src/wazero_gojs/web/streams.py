"""Streams that can be read, and what makes their chunks. Spec: https://streams.spec.whatwg.org, 4.

    source --pull--> controller --enqueue--> its queue, or a reader that waits --read--> the guest

`stream_classes` has what a guest sees of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn, Protocol, final

from wazero_gojs.http import CHUNK
from wazero_gojs.model.object import JSObject, is_callable
from wazero_gojs.model.promise import JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.values import UNDEFINED, JSError, is_object, to_number

from .errors import throw_coded

READABLE: Final = "readable"
CLOSED: Final = "closed"
ERRORED: Final = "errored"


class ReadRequest(NamedTuple):
    """Who waits for a chunk: exactly one of these is called."""

    chunk: Callable[[Any], object]
    close: Callable[[], object]
    error: Callable[[Any], object]


class Source(Protocol):
    """What makes the chunks of a stream. What these return may be a promise, which then is waited for."""

    def pull(self, controller: StreamController) -> Any:
        """Enqueue a chunk, now or before the promise that is returned is fulfilled; or close the stream."""
        ...

    def cancel(self, reason: Any) -> Any:
        """Nobody wants more."""
        ...


@final
class JSReadableStream(JSObject):
    """A stream that can be read."""

    __slots__ = ("controller", "error", "is_disturbed", "reader", "realm", "state")

    class_name = "ReadableStream"

    def __init__(self, realm: Realm, prototype: JSObject | None = None) -> None:
        super().__init__(prototype or realm.prototype_of("ReadableStream"))
        self.realm = realm
        self.state = READABLE
        self.error: Any = UNDEFINED
        """Why it failed, if it did."""
        self.reader: JSReader | None = None
        self.is_disturbed = False
        """Whether anybody has read from it, or cancelled it."""
        self.controller: StreamController

    def read(self, request: ReadRequest) -> None:
        """Give somebody the next chunk as soon as there is one. Spec: 4.9.4 (ReadableStreamDefaultReaderRead)."""
        self.is_disturbed = True
        if self.state is CLOSED:
            request.close()
        elif self.state is ERRORED:
            request.error(self.error)
        else:
            self.controller.read(request)

    def cancel(self, reason: Any) -> JSPromise:
        """Want no more of it. Spec: 4.9.2."""
        self.is_disturbed = True
        done = self.realm.new_promise()
        done.is_handled = True  # Go closes bodies that have failed, and looks no further
        if self.state is CLOSED:
            done.resolve(UNDEFINED)
        elif self.state is ERRORED:
            done.reject(self.error)
        else:
            self.close()
            settled = self.controller.cancel(reason)
            settled.when_settled(lambda value: done.resolve(UNDEFINED), done.reject)
        return done

    def close(self) -> None:
        """No chunk will come any more. Spec: 4.9.2."""
        self.state = CLOSED
        if self.reader is not None:
            self.reader.closed.resolve(UNDEFINED)
            for request in self.reader.take_requests():
                request.close()

    def fail(self, reason: Any) -> None:
        """It ends with an error. Spec: 4.9.2."""
        if self.state is not READABLE:
            return
        self.state = ERRORED
        self.error = reason
        if self.reader is not None:
            self.reader.closed.reject(reason)
            for request in self.reader.take_requests():
                request.error(reason)


@final
class JSReader(JSObject):
    """The one who may read from a stream. TypeError if there is one."""

    __slots__ = ("closed", "requests", "stream")

    class_name = "ReadableStreamDefaultReader"

    def __init__(self, realm: Realm, prototype: JSObject, stream: JSReadableStream) -> None:
        super().__init__(prototype)
        if stream.reader is not None:
            throw_locked(realm)
        self.stream: JSReadableStream | None = stream
        self.requests: deque[ReadRequest] = deque()
        self.closed = realm.new_promise()
        self.closed.is_handled = True
        stream.reader = self
        if stream.state is CLOSED:
            self.closed.resolve(UNDEFINED)
        elif stream.state is ERRORED:
            self.closed.reject(stream.error)

    def take_requests(self) -> deque[ReadRequest]:
        """Those who wait, none of whom does so any more."""
        taken, self.requests = self.requests, deque()
        return taken

    def release(self) -> None:
        """Let others read the stream. Spec: 4.9.4."""
        stream = self.stream
        if stream is None:
            return
        realm = stream.realm
        reason = realm.new_error("TypeError", "Invalid state: Releasing reader", code="ERR_INVALID_STATE")
        if stream.state is READABLE:
            self.closed.reject(reason)
        else:
            self.closed = realm.new_promise()
            self.closed.is_handled = True
            self.closed.reject(reason)
        self.stream = stream.reader = None
        for request in self.take_requests():
            request.error(reason)


def throw_locked(realm: Realm) -> NoReturn:
    """Throw that a stream has a reader already."""
    throw_invalid_state(realm, "ReadableStream is locked")


def throw_invalid_state(realm: Realm, what: str) -> NoReturn:
    """Throw what Node does."""
    throw_coded(realm, "TypeError", "ERR_INVALID_STATE", f"Invalid state: {what}")


def new_stream(realm: Realm, source: Source, high_water_mark: float = 0) -> JSReadableStream:
    """A stream of the host, which asks its source for a chunk when somebody reads, not before."""
    stream = JSReadableStream(realm)
    controller = StreamController(stream, source, high_water_mark)
    controller.is_started = True
    controller.pull_if_needed()
    return stream


@final
class StreamController(JSObject):
    """The queue of a stream, and the way to put something into it. Spec: 4.6."""

    __slots__ = (
        "_is_pulling",
        "_must_pull_again",
        "_queue",
        "_size",
        "_source",
        "high_water_mark",
        "is_closing",
        "is_started",
        "size_of",
        "stream",
    )

    class_name = "ReadableStreamDefaultController"

    def __init__(
        self,
        stream: JSReadableStream,
        source: Source,
        high_water_mark: float,
        prototype: JSObject | None = None,
        size_of: Any = UNDEFINED,
    ) -> None:
        super().__init__(prototype or stream.realm.object_prototype)
        self.stream = stream
        stream.controller = self
        self.high_water_mark = high_water_mark
        self.size_of = size_of
        self.is_started = False
        self.is_closing = False
        """Whether nothing will come after what is in the queue."""
        self._source: Source | None = source
        self._queue: deque[tuple[Any, float]] = deque()
        self._size: float = 0
        self._is_pulling = False
        self._must_pull_again = False

    @property
    def is_open(self) -> bool:
        """Whether there may be more chunks."""
        return self.stream.state is READABLE and not self.is_closing

    @property
    def desired_size(self) -> float:
        """How much is missing in the queue."""
        return self.high_water_mark - self._size

    # For sources

    def enqueue(self, chunk: Any) -> None:
        """Put a chunk into the stream, which must be open. Spec: 4.6.4."""
        reader = self.stream.reader
        if reader is not None and reader.requests:
            reader.requests.popleft().chunk(chunk)
        else:
            size = self._measured(chunk)
            self._queue.append((chunk, size))
            self._size += size
        self.pull_if_needed()

    def close(self) -> None:
        """End the stream after what is in its queue. Spec: 4.6.4."""
        self.is_closing = True
        if not self._queue:
            self._source = None
            self.stream.close()

    def fail(self, reason: Any) -> None:
        """End the stream with an error, now. Spec: 4.6.4."""
        if self.stream.state is READABLE:
            self._source = None
            self._queue.clear()
            self.stream.fail(reason)

    def _measured(self, chunk: Any) -> float:
        if self.size_of is UNDEFINED:
            return 1
        realm = self.stream.realm
        try:
            size = to_number(self.size_of.call(UNDEFINED, (chunk,)))
            if not 0 <= size < float("inf"):
                throw_coded(
                    realm, "RangeError", "ERR_INVALID_ARG_VALUE", f"The argument 'size' is invalid. Received {size}"
                )
        except JSError as error:
            reason = realm.thrown(error)
            self.fail(reason)
            raise JSError(reason) from error
        return size

    # For streams

    def read(self, request: ReadRequest) -> None:
        """Spec: 4.6.3 (PullSteps)."""
        if not self._queue:
            if self.stream.reader is not None:
                self.stream.reader.requests.append(request)
            self.pull_if_needed()
            return
        chunk, size = self._queue.popleft()
        self._size = self._size - size if self._queue else 0
        if self.is_closing and not self._queue:
            self._source = None
            self.stream.close()
        else:
            self.pull_if_needed()
        request.chunk(chunk)

    def cancel(self, reason: Any) -> JSPromise:
        """Spec: 4.6.3 (CancelSteps)."""
        self._queue.clear()
        source, self._source = self._source, None
        return called(self.stream.realm, (lambda: source.cancel(reason)) if source is not None else lambda: UNDEFINED)

    def pull_if_needed(self) -> None:
        """Spec: 4.6.4."""
        source = self._source
        if source is None or not self._is_pull_needed():
            return
        if self._is_pulling:
            self._must_pull_again = True
            return
        self._is_pulling = True
        called(self.stream.realm, lambda: source.pull(self)).when_settled(lambda value: self._pulled(), self.fail)

    def _is_pull_needed(self) -> bool:
        if not (self.is_open and self.is_started):
            return False
        reader = self.stream.reader
        return (reader is not None and bool(reader.requests)) or self.desired_size > 0

    def _pulled(self) -> None:
        self._is_pulling = False
        if self._must_pull_again:
            self._must_pull_again = False
            self.pull_if_needed()


def called(realm: Realm, function: Callable[[], Any]) -> JSPromise:
    """A promise of what a function returns or throws."""
    try:
        value = function()
    except JSError as error:
        failed = realm.new_promise()
        failed.reject(realm.thrown(error))
        return failed
    if isinstance(value, JSPromise):
        return value
    made = realm.new_promise()
    made.resolve(value)
    return made


@final
class GuestSource:
    """The underlying source that a guest gives, an object with functions."""

    __slots__ = ("_cancel", "_pull", "_this")

    def __init__(self, this: Any, pull: Any, cancel: Any) -> None:
        self._this = this
        self._pull = pull
        self._cancel = cancel

    def pull(self, controller: StreamController) -> Any:
        """Call its function, if it has one."""
        return self._pull.call(self._this, (controller,)) if is_callable(self._pull) else UNDEFINED

    def cancel(self, reason: Any) -> Any:
        """Call its function, if it has one."""
        return self._cancel.call(self._this, (reason,)) if is_callable(self._cancel) else UNDEFINED


@final
class BytesSource:
    """The source of a stream over bytes that are there."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data: memoryview = memoryview(data)

    def pull(self, controller: StreamController) -> Any:
        """The next 64 KiB."""
        chunk, self._data = self._data[:CHUNK], self._data[CHUNK:]
        if chunk:
            controller.enqueue(controller.stream.realm.new_bytes(chunk))
        else:
            controller.close()
        return UNDEFINED

    def cancel(self, reason: Any) -> Any:
        """Keep nothing."""
        self._data = memoryview(b"")
        return UNDEFINED


def member(owner: Any, name: str) -> Any:
    """A property of something that may be no object."""
    return owner.get(name) if is_object(owner) else UNDEFINED
