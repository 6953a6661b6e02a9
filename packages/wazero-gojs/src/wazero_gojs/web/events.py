"""Event and EventTarget. Spec: https://dom.spec.whatwg.org, 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

from wazero_gojs.model.object import Args, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    JSError,
    describe,
    is_object,
    number_of,
    throw_type_error,
    to_boolean,
    to_string,
)

from .errors import throw_coded, throw_dom_exception, throw_wrong_argument

EVENT: Final = Table()
TARGET: Final = Table()
EVENT.constant(SYMBOL_TO_STRING_TAG, "Event", 4)
TARGET.constant(SYMBOL_TO_STRING_TAG, "EventTarget", 4)


class JSEvent(JSObject):
    """An event."""

    __slots__ = ("bubbles", "cancelable", "is_dispatched", "is_prevented", "is_stopped", "target", "time", "type")

    class_name = "Event"

    def __init__(self, prototype: JSObject, type: str) -> None:
        super().__init__(prototype)
        self.type = type
        self.bubbles = False
        self.cancelable = False
        self.is_prevented = False
        self.is_stopped = False
        """Whether further listeners are not called."""
        self.is_dispatched = False
        self.target: Any = None
        self.time: float = 0


class _Listener(NamedTuple):
    type: str
    callback: Any
    is_capturing: bool
    is_once: bool


class JSEventTarget(JSObject):
    """What events can be sent to."""

    __slots__ = ("handlers", "listeners")

    class_name = "EventTarget"

    def __init__(self, prototype: JSObject) -> None:
        super().__init__(prototype)
        self.listeners: list[_Listener] = []
        self.handlers: dict[str, Any] = {}
        """By type, those that were assigned to a property such as `onabort`."""

    def dispatch(self, realm: Realm, event: JSEvent) -> None:
        """Call the listeners for the event's type. What they throw is thrown in the event loop."""
        event.target = self
        event.is_dispatched = True
        for listener in list(self.listeners):
            if listener.type == event.type and listener in self.listeners:
                if listener.is_once:
                    self.listeners.remove(listener)
                try:
                    _call(listener.callback, self, event)
                except JSError as error:
                    realm.host.loop.post(_thrower(error))
                if event.is_stopped:
                    break
        event.is_dispatched = False


def _call(callback: Any, target: JSEventTarget, event: JSEvent) -> None:
    this: Any = target
    if not is_callable(callback):
        this, callback = callback, callback.get("handleEvent")
    if not is_callable(callback):
        throw_type_error(f"{describe(callback)} is not a function")
    callback.call(this, (event,))


def _thrower(error: JSError) -> Callable[[], NoReturn]:
    def throw() -> NoReturn:
        raise error

    return throw


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "Event":
        return realm.new_class(name, 1, _create_event, EVENT)
    return realm.new_class(name, 0, lambda realm, prototype, args: JSEventTarget(prototype), TARGET)


# --- Event -----------------------------------------------------------------------------------------------------------


def _create_event(realm: Realm, prototype: JSObject, args: Args) -> JSEvent:
    if not args:
        throw_coded(realm, "TypeError", "ERR_MISSING_ARGS", 'The "type" argument must be specified')
    made = new_event(realm, to_string(args[0]), prototype)
    options = argument(args, 1)
    if is_object(options):
        made.bubbles, made.cancelable = to_boolean(options.get("bubbles")), to_boolean(options.get("cancelable"))
    return made


def new_event(realm: Realm, type: str, prototype: JSObject | None = None) -> JSEvent:
    """An event of that type."""
    made = JSEvent(prototype or realm.prototype_of("Event"), type)
    if realm.host is not None:
        made.time = number_of(realm.host.system.nanotime() / 1_000_000)
    return made


def _event(this: Any) -> JSEvent:
    if not isinstance(this, JSEvent):
        throw_type_error('Value of "this" must be of type Event')
    return this


_PROPERTIES: Final[dict[str, Callable[[JSEvent], Any]]] = {
    "type": lambda event: event.type,
    "target": lambda event: event.target,
    "srcElement": lambda event: event.target,
    "currentTarget": lambda event: event.target if event.is_dispatched else None,
    "bubbles": lambda event: event.bubbles,
    "cancelable": lambda event: event.cancelable,
    "composed": lambda event: False,
    "defaultPrevented": lambda event: event.is_prevented,
    "returnValue": lambda event: not event.is_prevented,
    "eventPhase": lambda event: 2 if event.is_dispatched else 0,
    "timeStamp": lambda event: event.time,
    "isTrusted": lambda event: False,
}


def _add_property(name: str, read: Callable[[JSEvent], Any]) -> None:
    @EVENT.getter(name)
    def get(realm: Realm, this: Any, args: Args) -> Any:
        return read(_event(this))


for _name, _read in _PROPERTIES.items():
    _add_property(_name, _read)


@EVENT.method("preventDefault")
def prevent_default(realm: Realm, this: Any, args: Args) -> Any:
    """Have dispatchEvent return false, if the event can be cancelled."""
    event = _event(this)
    event.is_prevented = event.is_prevented or event.cancelable
    return UNDEFINED


@EVENT.method("stopImmediatePropagation")
def stop_immediate_propagation(realm: Realm, this: Any, args: Args) -> Any:
    """Call no more listeners."""
    _event(this).is_stopped = True
    return UNDEFINED


@EVENT.method("stopPropagation")
def stop_propagation(realm: Realm, this: Any, args: Args) -> Any:
    """Nothing: there is no tree of targets."""
    _event(this)
    return UNDEFINED


@EVENT.method("composedPath")
def composed_path(realm: Realm, this: Any, args: Args) -> Any:
    """The target, while the event is dispatched."""
    event = _event(this)
    return realm.new_array((event.target,) if event.is_dispatched else ())


# --- EventTarget -----------------------------------------------------------------------------------------------------


def _target(this: Any) -> JSEventTarget:
    if not isinstance(this, JSEventTarget):
        throw_type_error('Value of "this" must be of type EventTarget')
    return this


def _is_capturing(options: Any) -> bool:
    return to_boolean(options.get("capture") if is_object(options) else options)


@TARGET.method("addEventListener", 2)
def add_event_listener(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function, or the method handleEvent of an object, for each event of a type."""
    target, callback, options = _target(this), argument(args, 1), argument(args, 2)
    if callback is None or callback is UNDEFINED:
        return UNDEFINED
    if not is_object(callback):
        throw_wrong_argument(realm, "listener", "an instance of EventListener", callback)
    is_once = is_object(options) and to_boolean(options.get("once"))
    listener = _Listener(to_string(argument(args, 0)), callback, _is_capturing(options), is_once)
    signal = options.get("signal") if is_object(options) else UNDEFINED
    if any(known[:3] == listener[:3] for known in target.listeners):
        return UNDEFINED
    if isinstance(signal, JSEventTarget):
        if to_boolean(signal.get("aborted")):
            return UNDEFINED
        forget = realm.new_function(lambda *ignored: remove_event_listener(realm, target, args))
        signal.listeners.append(_Listener("abort", forget, is_capturing=False, is_once=True))
    target.listeners.append(listener)
    return UNDEFINED


@TARGET.method("removeEventListener", 2)
def remove_event_listener(realm: Realm, this: Any, args: Args) -> Any:
    """Do not call it any more."""
    target = _target(this)
    wanted = (to_string(argument(args, 0)), argument(args, 1), _is_capturing(argument(args, 2)))
    target.listeners = [listener for listener in target.listeners if listener[:3] != wanted]
    return UNDEFINED


@TARGET.method("dispatchEvent", 1)
def dispatch_event(realm: Realm, this: Any, args: Args) -> Any:
    """Whether no listener prevented the default."""
    target, event = _target(this), argument(args, 0)
    if not isinstance(event, JSEvent):
        throw_wrong_argument(realm, "event", "an instance of Event", event)
    if event.is_dispatched:
        throw_dom_exception(realm, "InvalidStateError", "The event is already being dispatched")
    target.dispatch(realm, event)
    return not event.is_prevented


def add_handler(table: Table, type: str) -> None:
    """The property `on…` of a kind of targets: one more listener, which assigning replaces."""

    def set_handler(realm: Realm, this: Any, args: Args) -> Any:
        target, new = _target(this), argument(args, 0)
        old = target.handlers.pop(type, None)
        if is_callable(new):
            target.handlers[type] = new
            if old is not None:
                target.listeners = [
                    _Listener(type, new, False, False) if row.callback is old else row for row in target.listeners
                ]
            else:
                target.listeners.append(_Listener(type, new, is_capturing=False, is_once=False))
        elif old is not None:
            target.listeners = [row for row in target.listeners if row.callback is not old or row.type != type]
        return UNDEFINED

    @table.getter(f"on{type}", set_handler)
    def get_handler(realm: Realm, this: Any, args: Args) -> Any:
        return _target(this).handlers.get(type)
