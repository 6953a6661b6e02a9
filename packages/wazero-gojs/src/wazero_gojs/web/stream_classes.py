"""ReadableStream, its reader and controller, as a guest sees them. Spec: https://streams.spec.whatwg.org, 4."""

from __future__ import annotations

from typing import Any, Final, NoReturn, final

from wazero_gojs.builtins.iteration import iterator_result
from wazero_gojs.model.object import MISSING, Args, JSObject, argument, is_callable
from wazero_gojs.model.promise import JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import BuiltinObject, Table
from wazero_gojs.model.values import (
    SYMBOL_ASYNC_ITERATOR,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    describe,
    number_of,
    throw_type_error,
    to_boolean,
    to_number,
    to_string,
)

from .errors import throw_coded
from .streams import (
    ERRORED,
    GuestSource,
    JSReadableStream,
    JSReader,
    ReadRequest,
    StreamController,
    called,
    member,
    new_stream,
    throw_invalid_state,
    throw_locked,
)

STREAM: Final = Table()
READER: Final = Table()
CONTROLLER: Final = Table()
ITERATOR: Final = Table()
STREAM.constant(SYMBOL_TO_STRING_TAG, "ReadableStream", 4)
READER.constant(SYMBOL_TO_STRING_TAG, "ReadableStreamDefaultReader", 4)
CONTROLLER.constant(SYMBOL_TO_STRING_TAG, "ReadableStreamDefaultController", 4)


def make_stream_class(realm: Realm) -> Any:
    """The class ReadableStream."""
    return realm.new_class("ReadableStream", 0, _create_stream, STREAM)


def _create_stream(realm: Realm, prototype: JSObject, args: Args) -> JSReadableStream:
    source, strategy = argument(args, 0), argument(args, 1)
    kind = member(source, "type")
    if kind is not UNDEFINED and to_string(kind) != "bytes":
        _throw_invalid_value(realm, "TypeError", "source.type", kind)
    size_of = member(strategy, "size")
    if size_of is not UNDEFINED and not is_callable(size_of):
        throw_type_error(f"{describe(size_of)} is not a function")
    mark = member(strategy, "highWaterMark")
    high_water_mark = (0 if kind == "bytes" else 1) if mark is UNDEFINED else to_number(mark)
    if not high_water_mark >= 0:
        _throw_invalid_value(realm, "RangeError", "strategy.highWaterMark", mark)
    functions = {name: member(source, name) for name in ("start", "pull", "cancel")}
    for function in functions.values():
        if function is not UNDEFINED and not is_callable(function):
            throw_type_error(f"{describe(function)} is not a function")
    stream = JSReadableStream(realm, prototype)
    controller = StreamController(
        stream,
        GuestSource(source, functions["pull"], functions["cancel"]),
        high_water_mark,
        realm.hidden(
            "ReadableStreamDefaultController", lambda: BuiltinObject(realm, CONTROLLER, realm.object_prototype)
        ),
        size_of,
    )
    start = functions["start"]
    begun = UNDEFINED if start is UNDEFINED else start.call(source, (controller,))

    def started(value: Any) -> None:
        controller.is_started = True
        controller.pull_if_needed()

    called(realm, lambda: begun).when_settled(started, controller.fail)
    return stream


def _throw_invalid_value(realm: Realm, kind: str, name: str, value: Any) -> NoReturn:
    shown = f"'{value}'" if isinstance(value, str) else describe(value)
    throw_coded(realm, kind, "ERR_INVALID_ARG_VALUE", f"The property '{name}' is invalid. Received {shown}")


def rejected(realm: Realm, error: JSError) -> JSPromise:
    """A promise that failed."""
    made = realm.new_promise()
    made.reject(realm.thrown(error))
    return made


# --- ReadableStream --------------------------------------------------------------------------------------------------


def _stream(realm: Realm, this: Any) -> JSReadableStream:
    if not isinstance(this, JSReadableStream):
        throw_coded(realm, "TypeError", "ERR_INVALID_THIS", 'Value of "this" must be of type ReadableStream')
    return this


@STREAM.getter("locked")
def locked(realm: Realm, this: Any, args: Args) -> Any:
    """Whether it has a reader."""
    return _stream(realm, this).reader is not None


@STREAM.method("cancel")
def cancel(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of its end. Spec: 4.2.4."""

    def cancel_it() -> Any:
        stream = _stream(realm, this)
        if stream.reader is not None:
            throw_locked(realm)
        return stream.cancel(argument(args, 0))

    return called(realm, cancel_it)


@STREAM.method("getReader")
def get_reader(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.2.4. There are no readers with buffers of their own ("byob")."""
    stream = _stream(realm, this)
    mode = member(argument(args, 0), "mode")
    if mode is not UNDEFINED:
        _throw_invalid_value(realm, "TypeError", "options.mode", mode)
    return new_reader(realm, stream)


def new_reader(realm: Realm, stream: JSReadableStream) -> JSReader:
    """A reader, which locks the stream."""
    prototype = realm.hidden(
        "ReadableStreamDefaultReader", lambda: BuiltinObject(realm, READER, realm.object_prototype)
    )
    return JSReader(realm, prototype, stream)


@STREAM.method("tee")
def tee(realm: Realm, this: Any, args: Args) -> Any:
    """Two streams with the same chunks. Spec: 4.9.1 (ReadableStreamDefaultTee)."""
    return realm.new_array(tee_stream(realm, _stream(realm, this)))


@final
class _Tee:
    """The source of two streams: a chunk that one asks for, both get."""

    def __init__(self, realm: Realm, stream: JSReadableStream) -> None:
        self._realm = realm
        self._reader = new_reader(realm, stream)
        self._stream = stream
        self.branches: list[JSReadableStream] = []
        self._cancelled: dict[int, Any] = {}
        self._waiting: JSPromise | None = None
        self._is_cancelled = realm.new_promise()

    def pull(self, controller: StreamController) -> Any:
        waiting = self._waiting
        if waiting is None:
            waiting = self._waiting = self._realm.new_promise()
            self._stream.read(ReadRequest(self._give, self._close, self._fail))
        return waiting

    def _open(self) -> list[StreamController]:
        return [branch.controller for branch in self.branches if branch.controller.is_open]

    def _arrived(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.resolve(UNDEFINED)

    def _give(self, chunk: Any) -> None:
        self._arrived()
        for controller in self._open():
            controller.enqueue(chunk)

    def _close(self) -> None:
        self._arrived()
        for controller in self._open():
            controller.close()

    def _fail(self, reason: Any) -> None:
        self._arrived()
        for controller in self._open():
            controller.fail(reason)

    def cancel_branch(self, index: int, reason: Any) -> Any:
        self._cancelled[index] = reason
        if len(self._cancelled) == len(self.branches):
            reasons = self._realm.new_array([self._cancelled[i] for i in sorted(self._cancelled)])
            self._is_cancelled.resolve(self._stream.cancel(reasons))
        return self._is_cancelled


@final
class _Branch:
    """One of the two as a source of its own."""

    def __init__(self, both: _Tee, index: int) -> None:
        self._both = both
        self._index = index

    def pull(self, controller: StreamController) -> Any:
        return self._both.pull(controller)

    def cancel(self, reason: Any) -> Any:
        return self._both.cancel_branch(self._index, reason)


def tee_stream(realm: Realm, stream: JSReadableStream) -> list[JSReadableStream]:
    """Two streams in the place of one, which stays locked."""
    both = _Tee(realm, stream)
    both.branches += [new_stream(realm, _Branch(both, index)) for index in range(2)]
    if stream.state is ERRORED:
        for branch in both.branches:
            branch.controller.fail(stream.error)
    return both.branches


# --- The reader ------------------------------------------------------------------------------------------------------


def _reader(realm: Realm, this: Any) -> JSReader:
    if not isinstance(this, JSReader):
        throw_coded(
            realm, "TypeError", "ERR_INVALID_THIS", 'Value of "this" must be of type ReadableStreamDefaultReader'
        )
    return this


def _attached(realm: Realm, this: Any) -> JSReadableStream:
    stream = _reader(realm, this).stream
    if stream is None:
        throw_invalid_state(realm, "The reader is not attached to a stream")
    return stream


@READER.getter("closed")
def closed(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of the stream's end."""
    return _reader(realm, this).closed


@READER.method("read")
def read(realm: Realm, this: Any, args: Args) -> Any:
    """A promise of the next chunk. Spec: 4.4.3."""
    try:
        return read_chunk(realm, _attached(realm, this))
    except JSError as error:
        return rejected(realm, error)


def read_chunk(realm: Realm, stream: JSReadableStream) -> JSPromise:
    """A promise of the next chunk, as an object like those of iterators."""
    promise = realm.new_promise()
    stream.read(
        ReadRequest(
            lambda chunk: promise.resolve(iterator_result(realm, chunk)),
            lambda: promise.resolve(iterator_result(realm, MISSING)),
            promise.reject,
        )
    )
    return promise


@READER.method("cancel")
def cancel_reader(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.3.3."""
    return called(realm, lambda: _attached(realm, this).cancel(argument(args, 0)))


@READER.method("releaseLock")
def release_lock(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.4.3."""
    _reader(realm, this).release()
    return UNDEFINED


# --- The controller --------------------------------------------------------------------------------------------------


def _controller(realm: Realm, this: Any) -> StreamController:
    if not isinstance(this, StreamController):
        throw_coded(
            realm, "TypeError", "ERR_INVALID_THIS", 'Value of "this" must be of type ReadableStreamDefaultController'
        )
    return this


def _open_controller(realm: Realm, this: Any) -> StreamController:
    controller = _controller(realm, this)
    if not controller.is_open:
        throw_invalid_state(realm, "Controller is already closed")
    return controller


@CONTROLLER.getter("desiredSize")
def desired_size(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.6.2."""
    controller = _controller(realm, this)
    if controller.stream.state is ERRORED:
        return None
    return number_of(controller.desired_size) if controller.is_open else 0


@CONTROLLER.method("enqueue")
def enqueue(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.6.2."""
    _open_controller(realm, this).enqueue(argument(args, 0))
    return UNDEFINED


@CONTROLLER.method("close")
def close(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.6.2."""
    _open_controller(realm, this).close()
    return UNDEFINED


@CONTROLLER.method("error")
def error(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.6.2."""
    _controller(realm, this).fail(argument(args, 0))
    return UNDEFINED


# --- Iteration -------------------------------------------------------------------------------------------------------


@final
class JSStreamIterator(JSObject):
    """Reads a stream for the statement ``for await``. Its steps are made one after the other."""

    __slots__ = ("is_done", "keeps_stream", "reader")

    def __init__(self, realm: Realm, stream: JSReadableStream, keeps_stream: bool) -> None:
        super().__init__(
            realm.hidden("ReadableStreamAsyncIterator", lambda: BuiltinObject(realm, ITERATOR, _async(realm)))
        )
        self.reader = new_reader(realm, stream)
        self.keeps_stream = keeps_stream
        self.is_done = False


def _async(realm: Realm) -> JSObject:
    """What all asynchronous iterators inherit from. Spec: ECMA-262, 27.1.3."""
    table = Table()
    table.method(SYMBOL_ASYNC_ITERATOR)(lambda realm, this, args: this)
    return realm.hidden("AsyncIterator", lambda: BuiltinObject(realm, table, realm.object_prototype))


@STREAM.method("values")
def values(realm: Realm, this: Any, args: Args) -> Any:
    """An asynchronous iterator, which cancels the stream unless asked not to. Spec: 4.2.5."""
    return JSStreamIterator(realm, _stream(realm, this), to_boolean(member(argument(args, 0), "preventCancel")))


STREAM.made(SYMBOL_ASYNC_ITERATOR, lambda realm: realm.prototype_of("ReadableStream").get("values"))


def _iterator(this: Any) -> JSStreamIterator:
    if not isinstance(this, JSStreamIterator):
        throw_type_error(f"next called on incompatible receiver {describe(this)}")
    return this


@ITERATOR.method("next")
def iterate(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.2.5."""

    def step() -> Any:
        iterator = _iterator(this)
        stream = iterator.reader.stream
        if iterator.is_done or stream is None:
            return iterator_result(realm, MISSING)
        promise = realm.new_promise()

        def finish() -> None:
            iterator.is_done = True
            iterator.reader.release()

        def ended() -> None:
            finish()
            promise.resolve(iterator_result(realm, MISSING))

        def failed(reason: Any) -> None:
            finish()
            promise.reject(reason)

        stream.read(ReadRequest(lambda chunk: promise.resolve(iterator_result(realm, chunk)), ended, failed))
        return promise

    return called(realm, step)


@ITERATOR.method("return", 1)
def stop(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 4.2.5."""

    def end() -> Any:
        iterator = _iterator(this)
        value = argument(args, 0)
        result = realm.new_object({"done": True, "value": value})
        stream = iterator.reader.stream
        if iterator.is_done or stream is None:
            return result
        iterator.is_done = True
        cancelled = None if iterator.keeps_stream else stream.cancel(value)
        iterator.reader.release()
        return result if cancelled is None else cancelled.then(realm.new_function(lambda *ignored: result), UNDEFINED)

    return called(realm, end)
