"""What Python holds of a Go program's objects: `JsObject`, `JsFunction`, `JsPromise`. They convert what goes through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex, final

from . import conversion  # a module, as each of the two needs the other
from .model.object import JSObject
from .model.promise import FULFILLED, PENDING, JSPromise
from .model.values import UNDEFINED, JSError

if TYPE_CHECKING:
    from .model.realm import Realm


class JsObject:
    """A JavaScript object in Python: properties as items or attributes, methods as functions.

    Belongs to the thread of its program: RuntimeError is raised in others. Of a program that has ended it can still be
    looked at, in any thread; calls raise ExitError.
    """

    __slots__ = ("_realm", "js")

    def __init__(self, realm: Realm, js: JSObject) -> None:
        object.__setattr__(self, "_realm", realm)
        object.__setattr__(self, "js", js)

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self._realm.host.is_at_hand:
            return f"<{name} of another thread>"
        return f"<{name} {self.js.describe()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsObject) and other.js is self.js

    def __hash__(self) -> int:
        return hash(self.js)

    def __reduce_ex__(self: object, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("objects of a Go program can neither be copied nor pickled")

    def __getitem__(self, key: str | int) -> Any:
        return visit(self._realm, self._get, str(key))

    def __setitem__(self, key: str | int, value: Any) -> None:
        visit(self._realm, self._set, str(key), value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not visit(self._realm, self.js.has, name):
            raise AttributeError(f"{self.js.describe()} has no property {name!r}")
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(list(visit(self._realm, self.js.enumerable_keys)))

    def __dir__(self) -> list[str]:
        return list(self)

    def _get(self, name: str) -> Any:
        value = self.js.get(name)
        if isinstance(value, JSObject) and value.is_callable and not isinstance(value, conversion.PythonFunction):
            return JsFunction(self._realm, value, self.js)
        return conversion.to_python(self._realm, value)

    def _set(self, name: str, value: Any) -> None:
        self.js.set(name, conversion.to_js(self._realm, value))


@final
class JsFunction(JsObject):
    """A JavaScript or Go function, called as a Python one. Raises JsException, or the Python exception that Go passed on."""

    __slots__ = ("this",)

    def __init__(self, realm: Realm, js: JSObject, this: Any = UNDEFINED) -> None:
        super().__init__(realm, js)
        object.__setattr__(self, "this", this)

    def __call__(self, *args: Any) -> Any:
        realm = self._realm
        return realm.host.enter(_call, realm, self.js, self.this, args)


def _call(realm: Realm, function: Any, this: Any, args: tuple[Any, ...]) -> Any:
    try:
        return conversion.to_python(realm, function.call(this, [conversion.to_js(realm, value) for value in args]))
    except JSError as error:
        raise conversion.exception_of(realm, realm.thrown(error)) from None


@final
class JsPromise:
    """A promise: awaitable under asyncio; otherwise `result` runs the program's event loop until it is settled.

    Belongs to the thread of its program, as `JsObject` does.
    """

    __slots__ = ("_realm", "js")

    def __init__(self, realm: Realm, js: JSPromise) -> None:
        self._realm = realm
        self.js = js
        js.is_handled = True

    def __repr__(self) -> str:
        return f"<JsPromise {self.js.state}>"

    __reduce_ex__ = JsObject.__reduce_ex__

    @property
    def is_settled(self) -> bool:
        """Whether there is a result, or an exception. In any thread."""
        return self.js.state is not PENDING

    def result(self, timeout: float | None = None) -> Any:
        """What it was fulfilled with. Raises what it was rejected with; DeadlineExceededError after `timeout` seconds;
        RuntimeError if nothing is left that could settle it.
        """
        if not self.is_settled:
            self._realm.host.run_until(lambda: self.is_settled, timeout)
        if self.js.state is FULFILLED:
            return visit(self._realm, conversion.to_python, self._realm, self.js.value)
        raise visit(self._realm, conversion.exception_of, self._realm, self.js.value)

    def __await__(self) -> Iterator[Any]:
        host = self._realm.host
        if host.driver is None:
            raise RuntimeError("this Go program does not run under asyncio: use `result`, or `run_async`")
        host.check_thread()
        waited: Iterator[Any] = host.driver.wait_for(self).__await__()
        return waited


def visit(realm: Realm, function: Callable[..., Any], *args: Any) -> Any:
    """Look at objects of a program for Python, which may run code of the program: what is thrown is raised.

    Raises RuntimeError in another thread than the program's. What is left of a program that has ended may be looked at in
    any thread, as an exception that came out of it may be.
    """
    host = realm.host
    if host.is_exited:
        return raising(realm, function, *args)
    return host.enter(raising, realm, function, *args)


def raising(realm: Realm, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function for Python: what is thrown is raised."""
    try:
        return function(*args)
    except JSError as error:
        raise conversion.exception_of(realm, realm.thrown(error)) from None
