"""setTimeout and its kind, as in Node: timers are objects that can be used as numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final, final

from wazero_gojs.loop import Timer
from wazero_gojs.model.object import Args, JSFunction, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import BuiltinObject, Table
from wazero_gojs.model.values import SYMBOL_TO_PRIMITIVE, UNDEFINED, describe, throw_type_error, to_number

from .errors import throw_wrong_argument

TIMEOUT: Final = Table()
IMMEDIATE: Final = Table()

MAX_DELAY: Final = (1 << 31) - 1
"""Milliseconds; more is as good as none, as in Node."""

_ids = count(1)


@final
class JSTimeout(JSObject):
    """What setTimeout and setInterval return."""

    __slots__ = ("args", "delay", "function", "id", "is_referenced", "realm", "repeats", "timer")

    class_name = "Timeout"

    def __init__(self, realm: Realm, function: JSFunction, delay: float, args: Args, repeats: bool) -> None:
        super().__init__(realm.hidden("Timeout.prototype", lambda: _prototype(realm, "Timeout", TIMEOUT)))
        self.realm = realm
        self.function = function
        self.delay = delay
        self.args = tuple(args)
        self.repeats = repeats
        self.is_referenced = True
        self.id = next(_ids)
        self.timer: Timer | None = None
        self.start()

    def start(self) -> None:
        """Count from now on."""
        self.stop()
        self.timer = self.realm.host.loop.call_later(self.delay, self.run)
        self.timer.is_referenced = self.is_referenced

    def refer(self, is_referenced: bool) -> None:
        """Whether the program waits for it, now and when it starts again."""
        self.is_referenced = is_referenced
        if self.timer is not None:
            self.timer.is_referenced = is_referenced

    def stop(self) -> None:
        """Do not run. May be called again."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def run(self) -> None:
        """The time has come."""
        self.timer = None
        try:
            self.function.call(self, self.args)
        finally:
            # Unless the function has stopped, or started again, its own timer.
            if self.repeats and self.timer is None:
                self.start()
            elif self.timer is None:
                _numbered(self.realm).properties.pop(str(self.id), None)

    def clear(self) -> None:
        """Never run again."""
        self.repeats = False
        self.stop()
        _numbered(self.realm).properties.pop(str(self.id), None)


@final
class JSImmediate(JSObject):
    """What setImmediate returns."""

    __slots__ = ("is_cleared", "is_referenced")

    class_name = "Immediate"

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm.hidden("Immediate.prototype", lambda: _prototype(realm, "Immediate", IMMEDIATE)))
        self.is_cleared = False
        self.is_referenced = True

    def refer(self, is_referenced: bool) -> None:
        """Only remembered: there is always time for what comes next."""
        self.is_referenced = is_referenced


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    function, length = _FUNCTIONS[name]
    return realm.new_function(function, name, length)


def _prototype(realm: Realm, name: str, table: Table) -> JSObject:
    """The prototype of a class that no global names."""

    def refuse(realm: Realm, prototype: JSObject, args: Args) -> Any:
        throw_type_error("Illegal constructor")

    made: JSObject = realm.new_class(name, 0, refuse, table).properties["prototype"]
    return made


def _numbered(realm: Realm) -> JSObject:
    """Timers that were used as numbers, by those."""
    return realm.hidden("timers by number", lambda: BuiltinObject(realm, Table()))


def _function(realm: Realm, args: Args) -> JSFunction:
    function: JSFunction = argument(args, 0)
    if not is_callable(function):
        throw_wrong_argument(realm, "callback", "of type function", function)
    return function


def _delay(value: Any) -> float:
    delay = to_number(value)
    return delay if 1 <= delay <= MAX_DELAY else 1


# --- Globals ---------------------------------------------------------------------------------------------------------


def set_timeout(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function once, after that many milliseconds, with the other arguments."""
    return JSTimeout(realm, _function(realm, args), _delay(argument(args, 1)), args[2:], repeats=False)


def set_interval(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function again and again."""
    return JSTimeout(realm, _function(realm, args), _delay(argument(args, 1)), args[2:], repeats=True)


def clear_timeout(realm: Realm, this: Any, args: Args) -> Any:
    """Stop a timer, given as such or by its number; anything else is ignored."""
    timer = argument(args, 0)
    if isinstance(timer, (str, int, float)) and not isinstance(timer, bool):
        timer = _numbered(realm).properties.get(str(timer))
    if isinstance(timer, JSTimeout):
        timer.clear()
    return UNDEFINED


def set_immediate(realm: Realm, this: Any, args: Args) -> Any:
    """Call a function when what runs now has ended."""
    function, rest = _function(realm, args), tuple(args[1:])
    made = JSImmediate(realm)

    def run() -> None:
        if not made.is_cleared:
            made.is_cleared = True
            function.call(made, rest)

    realm.host.loop.post(run)
    return made


def clear_immediate(realm: Realm, this: Any, args: Args) -> Any:
    """Do not call it."""
    found = argument(args, 0)
    if isinstance(found, JSImmediate):
        found.is_cleared = True
    return UNDEFINED


_FUNCTIONS: Final[dict[str, tuple[Callable[[Realm, Any, Args], Any], int]]] = {
    "setTimeout": (set_timeout, 2),
    "clearTimeout": (clear_timeout, 1),
    "setInterval": (set_interval, 2),
    "clearInterval": (clear_timeout, 1),
    "setImmediate": (set_immediate, 1),
    "clearImmediate": (clear_immediate, 1),
}


# --- Methods of timers -----------------------------------------------------------------------------------------------


def _timeout(this: Any) -> JSTimeout:
    if not isinstance(this, JSTimeout):
        throw_type_error(f"Method of Timeout called on incompatible receiver {describe(this)}")
    return this


def _add_references(table: Table) -> None:
    @table.method("ref")
    def ref(realm: Realm, this: Any, args: Args) -> Any:
        return _refer(this, is_referenced=True)

    @table.method("unref")
    def unref(realm: Realm, this: Any, args: Args) -> Any:
        return _refer(this, is_referenced=False)

    @table.method("hasRef")
    def has_ref(realm: Realm, this: Any, args: Args) -> Any:
        if isinstance(this, JSImmediate):
            return this.is_referenced and not this.is_cleared
        return isinstance(this, JSTimeout) and this.is_referenced


def _refer(this: Any, is_referenced: bool) -> Any:
    if not isinstance(this, (JSTimeout, JSImmediate)):
        throw_type_error(f"Method of Timeout called on incompatible receiver {describe(this)}")
    this.refer(is_referenced)
    return this


_add_references(TIMEOUT)
_add_references(IMMEDIATE)


@TIMEOUT.method("refresh")
def refresh(realm: Realm, this: Any, args: Args) -> Any:
    """Start it anew."""
    timer = _timeout(this)
    timer.start()
    return timer


@TIMEOUT.method("close")
def close(realm: Realm, this: Any, args: Args) -> Any:
    """Stop it."""
    _timeout(this).clear()
    return this


@TIMEOUT.method(SYMBOL_TO_PRIMITIVE)
def timeout_to_primitive(realm: Realm, this: Any, args: Args) -> Any:
    """A number that clearTimeout takes, too."""
    timer = _timeout(this)
    if timer.timer is not None:
        _numbered(realm).properties[str(timer.id)] = timer
    return timer.id
