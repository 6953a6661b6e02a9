"""Values between Python and JavaScript.

| Python | JavaScript | and back |
| --- | --- | --- |
| None | null | None; undefined becomes None, too |
| bool, str | boolean, string | the same |
| int below 2^53, float | number | int if it has no fraction, else float |
| larger int | bigint | int |
| bytes | Uint8Array, a copy | bytes |
| bytearray, writable memoryview | Uint8Array over the same bytes | the same object |
| list, tuple | Array, a copy | list |
| dict with str as keys | object, a copy | dict |
| function, method, class | function | the same object |
| exception | Error | the same object |
| awaitable, with `run_async` | Promise | `JsPromise` |
| any other object | an object with its public attributes | the same object |

Of JavaScript's own, a function becomes a `JsFunction`, a promise a `JsPromise`, an Error a `JsException`, an object of a
class a `JsObject`; an ArrayBuffer and an array of bytes become bytes, other typed arrays lists. What was thrown is raised
as `JsException`; a Python exception that passed through Go comes out as itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

from wazero_api import WazeroError

from . import handles  # a module, as each of the two needs the other
from .model.array import JSArray
from .model.buffer import JSArrayBuffer, JSTypedArray
from .model.object import ENUMERABLE, MISSING, WRITABLE, Args, JSFunction, JSObject
from .model.promise import JSPromise
from .model.values import (
    MAX_SAFE,
    UNDEFINED,
    BigInt,
    JSError,
    Symbol,
    Undefined,
    describe,
    index_of,
    number_of,
    throw_type_error,
)

if TYPE_CHECKING:
    from .model.realm import Realm

_SAME: Final = frozenset({str, int, float, bool, type(None)})
"""Types of values that are the same in Python; back, numbers have their bounds."""
_SAME_BACK: Final = frozenset({str, bool, type(None), Undefined})
_MAX_DEPTH: Final = 200
"""Lists and dicts inside one another."""


class JsException(Exception):
    """A value that JavaScript code or Go threw, or an Error that was handed over. `value` is a `JsObject`, say."""

    def __init__(self, message: str, value: Any = None) -> None:
        super().__init__(message)
        self.value = value


# --- From Python ------------------------------------------------------------------------------------------------------


def to_js(realm: Realm, value: Any, depth: int = 0) -> Any:
    """A Python value for JavaScript. Throws a RangeError for data that is nested too deep, or contains itself."""
    kind = type(value)
    if kind is str or kind is bool or value is None or value is UNDEFINED:
        return value
    if kind is int:
        return value if -MAX_SAFE <= value <= MAX_SAFE else BigInt(value)
    if kind is float:
        return number_of(value)
    return _to_js_object(realm, value, depth)


def _to_js_object(realm: Realm, value: Any, depth: int) -> Any:
    if isinstance(value, (handles.JsObject, handles.JsPromise)):
        return value.js
    if isinstance(value, (JSObject, Symbol, BigInt)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes_to_js(realm, value)
    if isinstance(value, (list, tuple, dict)):
        return _copy_to_js(realm, value, depth)
    if isinstance(value, BaseException):
        return error_of(realm, value)
    if isinstance(value, (int, float, str)):  # of a subclass: an enumeration, say
        plain = next(base for base in (bool, int, float, str) if isinstance(value, base))
        return to_js(realm, plain(value), depth)
    if callable(value):
        return PythonFunction(realm, value)
    if isinstance(value, Awaitable):
        return promise_of(realm, value)
    return PythonObject(realm, value)


def _copy_to_js(realm: Realm, value: Any, depth: int) -> Any:
    if depth >= _MAX_DEPTH:
        from .model.values import throw_range_error

        throw_range_error(f"data is nested more than {_MAX_DEPTH} deep, or contains itself")
    if not isinstance(value, dict):
        return realm.new_array([to_js(realm, item, depth + 1) for item in value])
    if all(isinstance(key, str) for key in value):
        return realm.new_object({key: to_js(realm, item, depth + 1) for key, item in value.items()})
    return PythonObject(realm, value)


def _bytes_to_js(realm: Realm, value: bytes | bytearray | memoryview) -> Any:
    if isinstance(value, memoryview):
        value = value.cast("B") if value.c_contiguous and value.nbytes else bytes(value)
    made = realm.new_bytes(value)
    if not isinstance(value, bytes) and made.buffer.data is value:
        made.properties[_ORIGIN] = value
        made.attributes[_ORIGIN] = 0
    return made


def error_of(realm: Realm, error: BaseException) -> Any:
    """What is thrown for a Python exception: an Error that remembers it, or what JavaScript had thrown first."""
    if isinstance(error, JsException) and error.value is not None:
        return to_js(realm, error.value)
    made = realm.new_error("Error", str(error) or type(error).__name__)
    if type(error) is not JsException:
        name = type(error).__name__
        made.properties["name"] = name
        made.attributes["name"] = WRITABLE
        made.properties["stack"] = f"{name}{str(made.properties.get('stack', '')).removeprefix('Error')}"
    code = getattr(error, "errno", None)
    if code is not None:
        import errno

        made.properties["code"] = errno.errorcode.get(code, "EIO")
    made.properties[_ORIGIN] = error
    made.attributes[_ORIGIN] = 0
    return made


_ORIGIN: Final = Symbol("the Python object")
"""Names the property of an Error, or of bytes, by which they come back as what they were."""


def promise_of(realm: Realm, awaitable: Awaitable[Any]) -> JSPromise:
    """A promise of what an awaitable gives. Only a program that runs under asyncio can have that."""
    promise: JSPromise | None = realm.host.promise_of(awaitable)
    if promise is None:
        getattr(awaitable, "close", bool)()  # a coroutine complains otherwise that nobody has awaited it
        throw_type_error("an awaitable was returned to a Go program that does not run under asyncio: use run_async")
    return promise


@final
class PythonFunction(JSFunction):
    """A Python callable. What it raises is thrown as an Error."""

    __slots__ = ("target",)

    is_constructor = True

    def __init__(self, realm: Realm, target: Callable[..., Any]) -> None:
        super().__init__(realm, getattr(target, "__name__", ""), 0)
        self.target = target

    def call(self, this: Any, args: Args) -> Any:
        realm = self.realm
        try:
            result = self.target(*[value if type(value) in _SAME else to_python(realm, value) for value in args])
            return result if type(result) in _SAME_BACK else to_js(realm, result)
        except (JSError, WazeroError):
            raise  # thrown already; or the end of the program, or of its time
        except Exception as error:
            if isinstance(error, RecursionError) and realm.host.is_exited:
                raise  # it has ended the program
            raise JSError(error_of(realm, error)) from error

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        made = self.call(UNDEFINED, args)
        return made if isinstance(made, JSObject) else self.realm.new_object()

    def has_instance(self, value: Any) -> bool:
        target = self.target
        return isinstance(target, type) and isinstance(value, PythonObject) and isinstance(value.target, target)


@final
class PythonObject(JSObject):
    """A Python object: its public attributes are properties, and of a mapping its items with text as keys."""

    __slots__ = ("_realm", "target")

    class_name = "PythonObject"

    def __init__(self, realm: Realm, target: Any) -> None:
        super().__init__(realm.object_prototype)
        self._realm = realm
        self.target = target

    def describe(self) -> str:
        return f"[object {type(self.target).__name__}]"

    def own(self, key: str | Symbol) -> Any:
        if isinstance(key, Symbol):
            return self.properties.get(key, MISSING)
        return _throwing(self._realm, self._named, key)

    def _named(self, key: str) -> Any:
        if isinstance(self.target, Mapping):
            return to_js(self._realm, self.target[key]) if key in self.target else MISSING
        if _is_public(key) and hasattr(self.target, key):
            return to_js(self._realm, getattr(self.target, key))
        if index_of(key) >= 0:
            return self._item(int(key), MISSING)
        if key == "length" and hasattr(self.target, "__len__"):
            return len(self.target)
        if key == "toString":
            return self._realm.new_function(lambda realm, this, args: _throwing(realm, str, self.target), key)
        return MISSING

    def own_keys(self) -> list[str | Symbol]:
        return _throwing(self._realm, self._names)  # type: ignore[no-any-return]  # it is what that gives

    def _names(self) -> list[str | Symbol]:
        names = self.target if isinstance(self.target, Mapping) else filter(_is_public, dir(self.target))
        return [name for name in names if isinstance(name, str)]

    def attributes_of(self, key: str | Symbol) -> int:
        return WRITABLE | ENUMERABLE

    def set(self, key: str | Symbol, value: Any) -> bool:
        if isinstance(key, Symbol) or not _is_public(key):
            return False
        return bool(_throwing(self._realm, self._assign, key, value))

    def _assign(self, key: str, value: Any) -> bool:
        try:
            if isinstance(self.target, Mapping):
                self.target[key] = to_python(self._realm, value)  # type: ignore[index]  # it says itself if it cannot
            else:
                setattr(self.target, key, to_python(self._realm, value))
        except (AttributeError, TypeError):
            return False
        return True

    def delete(self, key: str | Symbol) -> bool:
        return False

    def get_index(self, index: int) -> Any:
        return _throwing(self._realm, self._item, index, UNDEFINED)

    def _item(self, index: int, otherwise: Any) -> Any:
        try:
            return to_js(self._realm, self.target[index])
        except (LookupError, TypeError):
            return otherwise


def _throwing(realm: Realm, function: Callable[..., Any], *args: Any) -> Any:
    """Call Python code. What it raises is thrown as an Error."""
    try:
        return function(*args)
    except (JSError, WazeroError):
        raise
    except Exception as error:
        raise JSError(error_of(realm, error)) from error


def _is_public(name: str) -> bool:
    return not name.startswith("_")


# --- To Python --------------------------------------------------------------------------------------------------------


def to_python(realm: Realm, value: Any, depth: int = 0) -> Any:
    """A JavaScript value for Python. Objects that contain themselves stay `JsObject` below `_MAX_DEPTH`."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or kind is float or value is None:
        return value
    if value is UNDEFINED:
        return None
    if kind is BigInt:
        return int(value)
    if isinstance(value, (PythonFunction, PythonObject)):
        return value.target
    if not isinstance(value, JSObject):
        return value  # a symbol
    return _object_to_python(realm, value, depth)


def _object_to_python(realm: Realm, value: JSObject, depth: int) -> Any:
    origin = value.own(_ORIGIN)
    if origin is not MISSING:
        return origin
    if isinstance(value, JSTypedArray):
        if value.type.format == "B":
            return bytes(value.view)
        return [to_python(realm, value.get_index(index)) for index in range(value.length)]
    if isinstance(value, JSArrayBuffer):
        return bytes(value.data)
    if value.is_callable:
        return handles.JsFunction(realm, value)
    if isinstance(value, JSPromise):
        return handles.JsPromise(realm, value)
    if depth < _MAX_DEPTH:
        if isinstance(value, JSArray):
            return [to_python(realm, item, depth + 1) for item in value.values()]
        if type(value) is JSObject and (value.prototype is None or value.prototype.prototype is None):
            return {key: to_python(realm, value.get(key), depth + 1) for key in value.enumerable_keys()}
    if value.class_name == "Error":
        return exception_of(realm, value)
    return handles.JsObject(realm, value)


def exception_of(realm: Realm, value: Any) -> BaseException:
    """The exception to raise for what was thrown."""
    if isinstance(value, JSObject):
        origin = value.own(_ORIGIN)
        if isinstance(origin, BaseException):
            return origin
        try:
            message = value.get("message")
        except JSError:
            message = UNDEFINED
        return JsException(message if isinstance(message, str) else describe(value), handles.JsObject(realm, value))
    return JsException(describe(value), to_python(realm, value))
