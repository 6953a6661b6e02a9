"""Generators and async functions while they run: Python generators that stop at yield and await. Spec: ECMA-262, 27.5, 27.7."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final, final

from wazero_gojs.builtins.iteration import base_iterator_prototype
from wazero_gojs.model.object import CONFIGURABLE, Args, JSObject, argument
from wazero_gojs.model.promise import JSPromise
from wazero_gojs.model.table import BuiltinObject, Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    describe,
    is_object,
    throw_type_error,
)

from .depth import guarded
from .suspension import Returning

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

    from .functions import ScriptFunction

Running = Generator[Any, Any, Any]


def start(function: ScriptFunction, this: Any, args: Args) -> Any:
    """What a call of a generator or async function returns."""
    realm = function.realm
    if function.code.node.is_async:
        return _start_async(function, this, args)
    running = function.code.body(function.enter(this, args, UNDEFINED))
    prototype = function.get("prototype")
    return JSGenerator(realm, prototype if is_object(prototype) else generator_prototype(realm), running)


@final
class JSGenerator(JSObject):
    """What a generator function returns."""

    __slots__ = ("is_done", "is_running", "is_started", "realm", "running")

    class_name = "Generator"

    def __init__(self, realm: Realm, prototype: JSObject, running: Running) -> None:
        super().__init__(prototype)
        self.realm = realm
        self.running = running
        self.is_started = self.is_running = self.is_done = False

    def next(self, value: Any) -> JSObject:
        """Go on to the next yield, with the value of the one it waits at."""
        if self.is_done and not self.is_running:
            return self._result(UNDEFINED)
        sent = value if self.is_started else None
        return self._resume(lambda: self.running.send(sent))

    def throw(self, exception: JSError | Returning) -> JSObject:
        """Go on to the next yield by an exception at the one it waits at."""
        if self.is_running or (self.is_started and not self.is_done):
            return self._resume(lambda: self.running.throw(exception))
        self.is_done = True
        if isinstance(exception, Returning):
            return self._result(exception.value)
        raise exception

    def _resume(self, go_on: Callable[[], Any]) -> JSObject:
        if self.is_running:
            throw_type_error("Generator is already running")
        self.is_started = self.is_running = self.is_done = True  # done if it does not come to a yield
        try:
            value = guarded(self.realm, go_on)
        except StopIteration as end:
            return self._result(UNDEFINED if end.value is None else end.value[0])
        except Returning as end:
            return self._result(end.value)
        finally:
            self.is_running = False
        self.is_done = False
        return self._result(value)

    def _result(self, value: Any) -> JSObject:
        return self.realm.new_object({"value": value, "done": self.is_done})


_PROTOTYPE: Final = Table()
_PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "Generator", CONFIGURABLE)


def generator_prototype(realm: Realm) -> JSObject:
    """What all generators inherit from."""
    return realm.hidden("Generator", lambda: BuiltinObject(realm, _PROTOTYPE, base_iterator_prototype(realm)))


def _generator(this: Any, method: str) -> JSGenerator:
    if not isinstance(this, JSGenerator):
        throw_type_error(f"{method} method called on incompatible receiver {describe(this)}")
    return this


@_PROTOTYPE.method("next", 1)
def next_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.5.1.2."""
    return _generator(this, "next").next(argument(args, 0))


@_PROTOTYPE.method("return", 1)
def return_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.5.1.3."""
    return _generator(this, "return").throw(Returning(argument(args, 0)))


@_PROTOTYPE.method("throw", 1)
def throw(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.5.1.4."""
    return _generator(this, "throw").throw(JSError(argument(args, 0)))


# --- Async functions -------------------------------------------------------------------------------------------------


def _start_async(function: ScriptFunction, this: Any, args: Args) -> JSPromise:
    promise = function.realm.new_promise()
    try:
        running = function.code.body(function.enter(this, args, UNDEFINED))
    except JSError as error:
        promise.reject(function.realm.thrown(error))
    else:
        _advance(function.realm, promise, running, lambda: running.send(None))
    return promise


def _advance(realm: Realm, promise: JSPromise, running: Running, go_on: Callable[[], Any]) -> None:
    """Run up to the next await, and from there on once that has its value."""
    try:
        value = guarded(realm, go_on)
    except StopIteration as end:
        promise.resolve(UNDEFINED if end.value is None else end.value[0])
    except JSError as error:
        promise.reject(realm.thrown(error))
    else:
        awaited = value
        if not isinstance(value, JSPromise):
            awaited = realm.new_promise()
            awaited.resolve(value)
        awaited.when_settled(
            lambda result: _advance(realm, promise, running, lambda: running.send(result)),
            lambda reason: _advance(realm, promise, running, lambda: running.throw(JSError(reason))),
        )
