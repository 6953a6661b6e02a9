"""Promise and queueMicrotask. Spec: ECMA-262, 27.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from wazero_gojs.model.array import MAX_LENGTH
from wazero_gojs.model.object import Args, JSFunction, JSObject, argument, is_callable
from wazero_gojs.model.promise import JSPromise
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_SPECIES,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    describe,
    is_object,
    throw_range_error,
    throw_type_error,
)

from .iteration import iterate

PROTOTYPE: Final = Table()
STATICS: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "Promise", 4)


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "queueMicrotask":
        return realm.new_function(queue_microtask, name, 1)
    return realm.new_class("Promise", 1, _create, PROTOTYPE, statics=STATICS)


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSPromise:
    executor = argument(args, 0)
    if not is_callable(executor):
        throw_type_error(f"Promise resolver {describe(executor)} is not a function")
    made = JSPromise(prototype, realm.jobs, realm.thrown)
    resolve, reject = resolving_functions(realm, made)
    try:
        executor.call(UNDEFINED, (resolve, reject))
    except JSError as error:
        reject.call(UNDEFINED, (realm.thrown(error),))
    return made


def resolving_functions(realm: Realm, promise: JSPromise) -> tuple[JSFunction, JSFunction]:
    """The functions that an executor gets, of which only the first call counts. Spec: 27.2.1.3."""
    is_done = False

    def once(settle: Callable[[Any], None]) -> JSFunction:
        def call(realm: Realm, this: Any, args: Args) -> Any:
            nonlocal is_done
            if not is_done:
                is_done = True
                settle(argument(args, 0))
            return UNDEFINED

        return realm.new_function(call, "", 1)

    return once(promise.resolve), once(promise.reject)


def queue_microtask(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function as a job. TypeError if it is none."""
    function = argument(args, 0)
    if not is_callable(function):
        from wazero_gojs.web.errors import throw_wrong_argument

        throw_wrong_argument(realm, "callback", "of type function", function)
    realm.jobs.add(lambda: function.call(UNDEFINED, ()))
    return UNDEFINED


# --- Methods of promises ---------------------------------------------------------------------------------------------


@PROTOTYPE.method("then", 2)
def then(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.5.4."""
    if not isinstance(this, JSPromise):
        throw_type_error(f"Method Promise.prototype.then called on incompatible receiver {describe(this)}")
    return this.then(argument(args, 0), argument(args, 1))


@PROTOTYPE.method("catch", 1)
def catch(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.5.1."""
    return _call_then(this, UNDEFINED, argument(args, 0))


@PROTOTYPE.method("finally", 1)
def finally_(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function whatever happens, and go on with what happened. Spec: 27.2.5.3."""
    function = argument(args, 0)
    if not is_callable(function):
        return _call_then(this, function, function)

    def after(go_on: Callable[[Any], Any]) -> JSFunction:
        def call(realm: Realm, this: Any, args: Args) -> Any:
            result = _resolved(realm, function.call(UNDEFINED, ()))
            return result.then(realm.new_function(lambda *ignored: go_on(argument(args, 0))), UNDEFINED)

        return realm.new_function(call, "", 1)

    return _call_then(this, after(lambda value: value), after(_throw))


def _throw(reason: Any) -> Any:
    raise JSError(reason)


def _call_then(promise: Any, on_fulfilled: Any, on_rejected: Any) -> Any:
    if not is_object(promise):
        throw_type_error(f"Promise.prototype.then called on {describe(promise)}")
    return promise.call_method("then", on_fulfilled, on_rejected)


def _resolved(realm: Realm, value: Any) -> JSPromise:
    """The value if it is a promise, else a promise of it."""
    if isinstance(value, JSPromise):
        return value
    made = realm.new_promise()
    made.resolve(value)
    return made


# --- The constructor -------------------------------------------------------------------------------------------------


@STATICS.getter(SYMBOL_SPECIES)
def get_species(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.8."""
    return this


def _new(realm: Realm, constructor: Any) -> JSPromise:
    """An open promise of the class that a static method was called on."""
    made = realm.new_promise()
    prototype: Any = constructor.get("prototype") if is_callable(constructor) else UNDEFINED
    if not is_object(prototype):
        throw_type_error("PromiseResolve called on non-object")
    made.prototype = prototype
    return made


@STATICS.method("resolve", 1)
def resolve(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.7."""
    value = argument(args, 0)
    if isinstance(value, JSPromise) and value.get("constructor") is this:
        return value
    made = _new(realm, this)
    made.resolve(value)
    return made


@STATICS.method("reject", 1)
def reject(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.6."""
    made = _new(realm, this)
    made.reject(argument(args, 0))
    return made


@STATICS.method("withResolvers")
def with_resolvers(realm: Realm, this: Any, args: Args) -> Any:
    """A promise and its two functions. Spec: ECMA-262, 16th edition, 27.2.4.9."""
    made = _new(realm, this)
    resolve, reject = resolving_functions(realm, made)
    return realm.new_object({"promise": made, "resolve": resolve, "reject": reject})


_Wrap = Callable[[Any], Any]


@final
class _Gathering:
    """What the methods that wait for many promises have in common. `complete` gets the values once all are there."""

    __slots__ = ("_complete", "_missing", "reject", "resolve", "values")

    def __init__(
        self, resolve: JSFunction, reject: JSFunction, complete: Callable[[_Gathering], object] | None = None
    ) -> None:
        self.resolve = resolve
        self.reject = reject
        """Of the promise that waits."""
        self.values: list[Any] = []
        self._complete = complete
        self._missing = 1
        """One more than those that are to come, until all have been asked."""

    def slot(self, *wraps: _Wrap) -> list[_Wrap]:
        """A place for one value, and for each wrap a function that puts there what it makes of its argument.

        Only the first call of them counts.
        """
        index = len(self.values)
        self.values.append(UNDEFINED)
        self._missing += 1
        is_filled = False

        def filler(wrap: _Wrap) -> _Wrap:
            def fill(value: Any) -> None:
                nonlocal is_filled
                if not is_filled:
                    is_filled = True
                    self.values[index] = wrap(value)
                    self.arrived()

            return fill

        return [filler(wrap) for wrap in wraps]

    def arrived(self) -> None:
        """One less is missing."""
        self._missing -= 1
        if not self._missing and self._complete is not None:
            self._complete(self)


def _gather(
    realm: Realm,
    this: Any,
    args: Args,
    listen: Callable[[_Gathering, Any], None],
    complete: Callable[[_Gathering], object] | None = None,
) -> JSPromise:
    """Call `listen` for the promise of each item; then wait."""
    promise = _new(realm, this)
    gathering = _Gathering(*resolving_functions(realm, promise), complete)
    try:
        to_promise = this.get("resolve")
        if not is_callable(to_promise):
            throw_type_error("Promise resolve or reject function is not callable")
        for count, item in enumerate(iterate(realm, argument(args, 0))):
            if count > MAX_LENGTH:
                throw_range_error("Invalid array length")
            listen(gathering, to_promise.call(this, (item,)))
        gathering.arrived()
    except JSError as error:
        gathering.reject.call(UNDEFINED, (realm.thrown(error),))
    return promise


def _function(realm: Realm, fill: _Wrap) -> JSFunction:
    def call(realm: Realm, this: Any, args: Args) -> Any:
        fill(argument(args, 0))
        return UNDEFINED

    return realm.new_function(call, "", 1)


def _same(value: Any) -> Any:
    return value


@STATICS.method("all", 1)
def all_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.1."""

    def listen(gathering: _Gathering, item: Any) -> None:
        (fill,) = gathering.slot(_same)
        _call_then(item, _function(realm, fill), gathering.reject)

    def complete(gathering: _Gathering) -> None:
        gathering.resolve.call(UNDEFINED, (realm.new_array(gathering.values),))

    return _gather(realm, this, args, listen, complete)


@STATICS.method("allSettled", 1)
def all_settled(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.2."""

    def listen(gathering: _Gathering, item: Any) -> None:
        fulfilled, rejected = gathering.slot(
            lambda value: realm.new_object({"status": "fulfilled", "value": value}),
            lambda reason: realm.new_object({"status": "rejected", "reason": reason}),
        )
        _call_then(item, _function(realm, fulfilled), _function(realm, rejected))

    def complete(gathering: _Gathering) -> None:
        gathering.resolve.call(UNDEFINED, (realm.new_array(gathering.values),))

    return _gather(realm, this, args, listen, complete)


@STATICS.method("any", 1)
def any_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.3."""

    def listen(gathering: _Gathering, item: Any) -> None:
        (fill,) = gathering.slot(_same)
        _call_then(item, gathering.resolve, _function(realm, fill))

    def complete(gathering: _Gathering) -> None:
        errors = realm.new_array(gathering.values)
        error = realm.intrinsic("AggregateError").construct((errors, "All promises were rejected"))
        gathering.reject.call(UNDEFINED, (error,))

    return _gather(realm, this, args, listen, complete)


@STATICS.method("race", 1)
def race(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 27.2.4.5."""

    def listen(gathering: _Gathering, item: Any) -> None:
        _call_then(item, gathering.resolve, gathering.reject)

    return _gather(realm, this, args, listen)
