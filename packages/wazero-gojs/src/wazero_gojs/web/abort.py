"""AbortController, AbortSignal and DOMException. Spec: https://dom.spec.whatwg.org, 3; https://webidl.spec.whatwg.org, 2.8."""

from __future__ import annotations

from typing import Any, Final, final

from wazero_gojs.builtins.iteration import iterate
from wazero_gojs.model.object import HIDDEN, Args, JSObject, NativeConstructor, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    is_object,
    throw_type_error,
    to_number,
    to_string,
)

from . import events
from .errors import throw_coded, throw_wrong_argument
from .events import JSEventTarget, add_handler, new_event

CONTROLLER: Final = Table()
SIGNAL: Final = Table()
SIGNAL_STATICS: Final = Table()
EXCEPTION: Final = Table()
EXCEPTION_STATICS: Final = Table()
for _name, _table in {"AbortController": CONTROLLER, "AbortSignal": SIGNAL, "DOMException": EXCEPTION}.items():
    _table.constant(SYMBOL_TO_STRING_TAG, _name, 4)
add_handler(SIGNAL, "abort")

_CODES: Final = {
    "IndexSizeError": 1,
    "HierarchyRequestError": 3,
    "WrongDocumentError": 4,
    "InvalidCharacterError": 5,
    "NoModificationAllowedError": 7,
    "NotFoundError": 8,
    "NotSupportedError": 9,
    "InUseAttributeError": 10,
    "InvalidStateError": 11,
    "SyntaxError": 12,
    "InvalidModificationError": 13,
    "NamespaceError": 14,
    "InvalidAccessError": 15,
    "TypeMismatchError": 17,
    "SecurityError": 18,
    "NetworkError": 19,
    "AbortError": 20,
    "URLMismatchError": 21,
    "QuotaExceededError": 22,
    "TimeoutError": 23,
    "InvalidNodeTypeError": 24,
    "DataCloneError": 25,
}
"""What the property `code` says, by the name; 0 for other names."""
_MAX_DELAY: Final = (1 << 53) - 1


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name in ("Event", "EventTarget"):
        return events.make(realm, name)
    if name == "AbortController":
        return realm.new_class(
            name, 0, lambda realm, prototype, args: JSController(prototype, new_signal(realm)), CONTROLLER
        )
    if name == "AbortSignal":
        return realm.new_class(name, 0, _refuse, SIGNAL, statics=SIGNAL_STATICS, parent="EventTarget")
    return _make_exception(realm)


def _refuse(realm: Realm, prototype: JSObject, args: Args) -> Any:
    throw_coded(realm, "TypeError", "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor")


# --- DOMException ----------------------------------------------------------------------------------------------------


@final
class JSDOMException(JSObject):
    """An error of browsers' functions."""

    __slots__ = ("message", "name")

    class_name = "Error"

    def __init__(self, prototype: JSObject, message: str, name: str) -> None:
        super().__init__(prototype)
        self.message = message
        self.name = name
        self.define("stack", f"{name}: {message}\n    at <anonymous>", HIDDEN)

    def describe(self) -> str:
        return f"{self.name}: {self.message}"


def _make_exception(realm: Realm) -> NativeConstructor:
    made = realm.new_class("DOMException", 0, _create_exception, EXCEPTION, statics=EXCEPTION_STATICS)
    # An Error for instanceof, though the constructor has nothing of that one.
    made.properties["prototype"].prototype = realm.prototype_of("Error")
    return made


def _create_exception(realm: Realm, prototype: JSObject, args: Args) -> JSDOMException:
    message, name = argument(args, 0), argument(args, 1)
    options = name if is_object(name) else None
    if options is not None:
        name = options.get("name")
    made = JSDOMException(
        prototype,
        "" if message is UNDEFINED else to_string(message),
        "Error" if name is UNDEFINED else to_string(name),
    )
    if options is not None and options.has("cause"):
        made.define("cause", options.get("cause"), HIDDEN)
    return made


def _exception(this: Any) -> JSDOMException:
    if not isinstance(this, JSDOMException):
        throw_type_error('Value of "this" must be of type DOMException')
    return this


@EXCEPTION.getter("name")
def get_name(realm: Realm, this: Any, args: Args) -> Any:
    """Which error it is."""
    return _exception(this).name


@EXCEPTION.getter("message")
def get_message(realm: Realm, this: Any, args: Args) -> Any:
    """What it says."""
    return _exception(this).message


@EXCEPTION.getter("code")
def get_code(realm: Realm, this: Any, args: Args) -> Any:
    """The number that it had in earlier times; 0 for newer ones."""
    return _CODES.get(_exception(this).name, 0)


for _name, _code in _CODES.items():
    _words = "".join(f"_{letter}" if letter.isupper() else letter for letter in _name.removesuffix("Error"))
    _constant = _words.replace("U_R_L", "URL").lstrip("_").upper() + "_ERR"
    EXCEPTION.constant(_constant, _code, 2)
    EXCEPTION_STATICS.constant(_constant, _code, 2)


def new_exception(realm: Realm, name: str, message: str) -> JSObject:
    """A DOMException."""
    made: JSObject = realm.intrinsic("DOMException").construct((message, name))
    return made


# --- AbortSignal -----------------------------------------------------------------------------------------------------


@final
class JSSignal(JSEventTarget):
    """Tells that something is to be given up; `reason` is UNDEFINED until then."""

    __slots__ = ("dependents", "is_aborted", "reason")

    class_name = "AbortSignal"

    def __init__(self, prototype: JSObject) -> None:
        super().__init__(prototype)
        self.is_aborted = False
        self.reason: Any = UNDEFINED
        self.dependents: list[JSSignal] = []

    def abort(self, realm: Realm, reason: Any = UNDEFINED) -> None:
        """Tell all who listen; without a reason, that is an AbortError. Only the first call counts."""
        signals = [self]
        while signals:
            signal = signals.pop()
            if signal.is_aborted:
                continue
            signal.is_aborted = True
            if reason is UNDEFINED:
                reason = new_exception(realm, "AbortError", "This operation was aborted")
            signal.reason = reason
            signal.dispatch(realm, new_event(realm, "abort"))
            signals += reversed(signal.dependents)


def new_signal(realm: Realm) -> JSSignal:
    """A signal that nothing has happened to."""
    return JSSignal(realm.prototype_of("AbortSignal"))


def _signal(this: Any) -> JSSignal:
    if not isinstance(this, JSSignal):
        throw_type_error('Value of "this" must be of type AbortSignal')
    return this


@SIGNAL.getter("aborted")
def get_aborted(realm: Realm, this: Any, args: Args) -> Any:
    """Whether it has happened."""
    return _signal(this).is_aborted


@SIGNAL.getter("reason")
def get_reason(realm: Realm, this: Any, args: Args) -> Any:
    """Why."""
    return _signal(this).reason


@SIGNAL.method("throwIfAborted")
def throw_if_aborted(realm: Realm, this: Any, args: Args) -> Any:
    """Throw the reason, if it has happened."""
    signal = _signal(this)
    if signal.is_aborted:
        raise JSError(signal.reason)
    return UNDEFINED


@SIGNAL_STATICS.method("abort")
def abort_signal(realm: Realm, this: Any, args: Args) -> Any:
    """A signal to which it has happened already."""
    made = new_signal(realm)
    made.abort(realm, argument(args, 0))
    return made


@SIGNAL_STATICS.method("timeout", 1)
def timeout(realm: Realm, this: Any, args: Args) -> Any:
    """A signal to which it happens after some milliseconds: a TimeoutError."""
    delay = to_number(argument(args, 0))
    if not isinstance(args[0] if args else None, (int, float)) or isinstance(args[0], bool):
        throw_wrong_argument(realm, "delay", "of type number", argument(args, 0))
    if not 0 <= delay <= _MAX_DELAY or not float(delay).is_integer():
        message = f'The value of "delay" is out of range. It must be an integer. Received {to_string(delay)}'
        throw_coded(realm, "RangeError", "ERR_OUT_OF_RANGE", message)
    made = new_signal(realm)
    message = "The operation was aborted due to timeout"
    timer = realm.host.loop.call_later(delay, lambda: made.abort(realm, new_exception(realm, "TimeoutError", message)))
    timer.is_referenced = False
    return made


@SIGNAL_STATICS.method("any", 1)
def any_(realm: Realm, this: Any, args: Args) -> Any:
    """A signal to which it happens as soon as it does to one of these."""
    made = new_signal(realm)
    sources = [_signal(item) for item in iterate(realm, argument(args, 0))]
    for source in sources:
        if source.is_aborted:
            made.is_aborted = True
            made.reason = source.reason
            return made
    for source in sources:
        source.dependents.append(made)
    return made


# --- AbortController -------------------------------------------------------------------------------------------------


@final
class JSController(JSObject):
    """Makes it happen to its signal."""

    __slots__ = ("signal",)

    class_name = "AbortController"

    def __init__(self, prototype: JSObject, signal: JSSignal) -> None:
        super().__init__(prototype)
        self.signal = signal


def _controller(this: Any) -> JSController:
    if not isinstance(this, JSController):
        throw_type_error('Value of "this" must be of type AbortController')
    return this


@CONTROLLER.getter("signal")
def get_signal(realm: Realm, this: Any, args: Args) -> Any:
    """The signal."""
    return _controller(this).signal


@CONTROLLER.method("abort")
def abort(realm: Realm, this: Any, args: Args) -> Any:
    """Do it."""
    _controller(this).signal.abort(realm, argument(args, 0))
    return UNDEFINED
