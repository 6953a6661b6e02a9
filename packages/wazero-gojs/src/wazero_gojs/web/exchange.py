"""Requests on their way: a round tripper at work in threads or under asyncio, and the program's event loop going on.

Exchange.start  --thread-->  round_tripper(request)  --event loop-->  answered(response)
next_chunk      --thread-->  next(body)              --event loop-->  done(chunk), None at the end
end             the connection is closed, and whatever a thread still brings is dropped
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, final

from wazero_gojs.conversion import exception_of, to_js
from wazero_gojs.http import Cancellation, Request, Response
from wazero_gojs.model.buffer import JSTypedArray

from .streams import JSReadableStream, ReadRequest
from .workers import Workers

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

MAX_PARALLEL: Final = 64
"""Requests of one program whose responses are not read to their end. Others wait."""
_SECONDS_TO_END: Final = 5.0
"""For threads once their connections are closed: one that looks a name up cannot be woken."""

Done = Callable[[Any], object]
Failed = Callable[[Any], object]
"""Gets the reason as a value of JavaScript."""


@final
class _Box:
    """A result that is not to be converted on its way through a promise."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value  # nothing that a guest could see

    @staticmethod
    def opened(wrapped: Any) -> Any:
        """What is in the box that came."""
        box: _Box = wrapped.target
        return box._value


@final
class Exchanges:
    """All of one program."""

    __slots__ = ("_is_closed", "_live", "_loop", "_results", "_waiting", "_workers", "realm", "round_tripper")

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.round_tripper: Callable[[Request], object] = realm.host.config.round_tripper
        self._loop = realm.host.loop
        self._workers = Workers(MAX_PARALLEL)
        self._live: set[Exchange] = set()
        self._waiting: deque[Exchange] = deque()
        self._results: deque[Callable[[], object]] = deque()
        """What threads have brought, as functions to call in the event loop."""
        self._is_closed = False
        self._loop.on_close(self.close)

    def start(self, exchange: Exchange) -> None:
        """Begin, now or when there is room."""
        if len(self._live) >= MAX_PARALLEL:
            self._waiting.append(exchange)
        else:
            self._live.add(exchange)
            exchange.begin()

    def ended(self, exchange: Exchange) -> None:
        """There is room for another."""
        if exchange in self._live:
            self._live.discard(exchange)
            if self._waiting and not self._is_closed:
                self.start(self._waiting.popleft())
        elif exchange in self._waiting:
            self._waiting.remove(exchange)

    def close(self) -> None:
        """Close all connections, and wait for the threads."""
        self._is_closed = True
        live = list(self._live)
        for exchange in live:
            exchange.end()
        self._workers.close(_SECONDS_TO_END)
        while self._results:
            self._deliver()
        for exchange in live:
            exchange.close_body()

    def in_thread(self, work: Callable[[], Any], done: Done, failed: Failed) -> None:
        """Call `work` in a thread, and then one of the others in the event loop."""
        hold = self._loop.hold()

        def run() -> None:
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the guest waits for an answer
                reason = error
                self._results.append(lambda: failed(to_js(self.realm, reason)))
            else:
                self._results.append(lambda: done(result))
            hold.release(self._deliver)

        self._workers.submit(run)

    def _deliver(self) -> None:
        self._results.popleft()()

    def wait_for(self, awaitable: Awaitable[Any], cancellation: Cancellation, done: Done, failed: Failed) -> None:
        """Like `in_thread` for what asyncio runs."""

        async def wait() -> _Box:
            from asyncio import current_task

            task = current_task()
            if task is not None:
                cancellation.add(task.cancel)
            return _Box(await awaitable)

        waiting = wait()
        promise = self.realm.host.promise_of(waiting)
        if promise is not None:
            promise.when_settled(lambda box: done(_Box.opened(box)), failed)
            return
        for unused in (waiting, awaitable):
            close = getattr(unused, "close", None)
            if close is not None:
                close()
        message = "the round tripper is a coroutine function: run the program with wazero_gojs.run_async"
        failed(to_js(self.realm, TypeError(message)))


@final
class Exchange:
    """One request and its response. But for what threads do, all of it is in the event loop."""

    __slots__ = ("_answered", "_chunks", "_exchanges", "_failed", "_is_busy", "_is_ended", "request")

    def __init__(
        self, exchanges: Exchanges, request: Request, answered: Callable[[Response], object], failed: Failed
    ) -> None:
        self.request = request
        self._exchanges = exchanges
        self._answered = answered
        self._failed = failed
        self._chunks: Iterator[Any] | AsyncIterator[Any] = iter(())
        self._is_busy = False
        """Whether a thread, or asyncio, is at work."""
        self._is_ended = False

    def start(self) -> None:
        """Begin, now or when there is room; then one of the two functions is called, unless it ends before."""
        self._exchanges.start(self)

    def begin(self) -> None:
        """There is room."""
        round_tripper, request = self._exchanges.round_tripper, self.request
        self._is_busy = True
        self._exchanges.in_thread(
            lambda: round_tripper(request), self._unless_ended(self._returned), self._unless_ended(self._failed)
        )

    def next_chunk(self, done: Done, failed: Failed) -> None:
        """Call one of these with the next bytes of the body, which is None at its end, or with the reason."""
        self._is_busy = True
        chunks = self._chunks
        done, failed = self._unless_ended(done), self._unless_ended(failed)
        if isinstance(chunks, AsyncIterator):
            self._exchanges.wait_for(_next_of(chunks), self.request.cancellation, done, failed)
        else:
            self._exchanges.in_thread(lambda: _checked(next(chunks, None)), done, failed)

    def end(self) -> None:
        """Close the connection. Only the first call counts."""
        if self._is_ended:
            return
        self._is_ended = True
        self.request.cancellation.cancel()
        if not self._is_busy:
            self.close_body()
        self._exchanges.ended(self)

    def close_body(self) -> None:
        """Nobody is at work, and nobody will be."""
        self._close(self._chunks)

    def _unless_ended(self, handler: Callable[[Any], object]) -> Callable[[Any], object]:
        """Takes what comes back from where the work was done."""

        def handle(value: Any) -> None:
            self._is_busy = False
            if not self._is_ended:
                handler(value)
                return
            self.close_body()
            self._close(value.body if isinstance(value, Response) else value)

        return handle

    def _returned(self, result: object) -> None:
        if isinstance(result, Awaitable):
            self._is_busy = True
            got, failed = self._unless_ended(self._got), self._unless_ended(self._failed)
            self._exchanges.wait_for(result, self.request.cancellation, got, failed)
        else:
            self._got(result)

    def _got(self, result: object) -> None:
        try:
            response = _checked_response(result)
            self._chunks = _iterator(response.body)
        except Exception as error:  # noqa: BLE001 - the body is somebody else's code, too
            self._failed(to_js(self._exchanges.realm, error))
        else:
            self._answered(response)

    def _close(self, unused: Any) -> None:
        """Leave what nobody reads any more."""
        close_async = getattr(unused, "aclose", None)
        if close_async is not None:
            self._exchanges.wait_for(close_async(), Cancellation(), _ignore, _ignore)
            return
        close = getattr(unused, "close", None)
        try:
            if close is not None:
                close()
        except Exception:  # noqa: BLE001, S110 - nobody is left to hear of it
            pass


def _iterator(body: Any) -> Iterator[Any] | AsyncIterator[Any]:
    if isinstance(body, (bytes, bytearray, memoryview)):
        return iter((body,))
    return aiter(body) if isinstance(body, AsyncIterable) else iter(body)


def _checked_response(result: object) -> Response:
    """The response with headers in pairs. Raises TypeError and ValueError for what is none."""
    if not isinstance(result, Response):
        raise TypeError(f"the round tripper returned {type(result).__name__}, not a wazero_gojs.http.Response")
    status: object = result.status
    if not (isinstance(status, int) and 200 <= status <= 599):
        raise ValueError(f"the status of the response is {status!r}, not a number from 200 to 599")
    pairs = tuple((_text(name), _text(value)) for name, value in result.pairs)
    return Response(result.status, pairs, result.body, _text(result.reason))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"a header of the response is {type(value).__name__}, not str")


def _checked(chunk: object) -> bytes | None:
    if chunk is None or isinstance(chunk, (bytes, bytearray, memoryview)):
        return None if chunk is None else bytes(chunk)
    raise TypeError(f"the body of a response gave {type(chunk).__name__}, not bytes")


async def _next_of(chunks: AsyncIterator[Any]) -> bytes | None:
    try:
        return _checked(await anext(chunks))
    except StopAsyncIteration:
        return None


def _ignore(value: Any) -> None:
    pass


# --- Bodies of requests ----------------------------------------------------------------------------------------------


@final
class GuestBody:
    """A stream of the guest as Python's round trippers see it: an iterable for threads, and an async one."""

    __slots__ = ("_answers", "_is_done", "_loop", "_realm", "_stream")

    def __init__(self, realm: Realm, stream: JSReadableStream, cancellation: Cancellation) -> None:
        self._realm = realm
        self._loop = realm.host.loop
        self._stream = stream
        self._is_done = False
        self._answers: SimpleQueue[bytes | Exception | None] = SimpleQueue()
        cancellation.add(lambda: self._answers.put(ConnectionAbortedError("the request was aborted")))

    def __iter__(self) -> GuestBody:
        return self

    def __next__(self) -> bytes:
        if self._is_done:
            raise StopIteration
        self._loop.hold().release(lambda: self._ask(self._answers.put))
        chunk = self._taken(self._answers.get())
        if chunk is None:
            raise StopIteration
        return chunk

    def __aiter__(self) -> GuestBody:
        return self

    async def __anext__(self) -> bytes:
        from asyncio import Future, get_running_loop

        if self._is_done:
            raise StopAsyncIteration
        answer: Future[bytes | Exception | None] = get_running_loop().create_future()

        def answered(item: bytes | Exception | None) -> None:
            if not answer.done():
                answer.set_result(item)

        self._loop.hold().release(lambda: self._ask(answered))
        chunk = self._taken(await answer)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def _taken(self, answer: bytes | Exception | None) -> bytes | None:
        self._is_done = not isinstance(answer, bytes)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ask(self, answer: Callable[[bytes | Exception | None], object]) -> None:
        """In the event loop: read a chunk."""

        def failed(reason: Any) -> None:
            error = exception_of(self._realm, reason)
            answer(error if isinstance(error, Exception) else OSError(str(error)))

        def took(chunk: Any) -> None:
            is_right = isinstance(chunk, JSTypedArray) and chunk.type.name == "Uint8Array"
            answer(bytes(chunk.view) if is_right else TypeError("Received non-Uint8Array chunk"))

        self._stream.read(ReadRequest(took, lambda: answer(None), failed))
