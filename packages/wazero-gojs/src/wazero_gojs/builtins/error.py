"""Error and its kinds. Spec: ECMA-262, 20.5."""

from __future__ import annotations

from typing import Any, Final, final

from wazero_gojs.model import utf16
from wazero_gojs.model.object import ALL, HIDDEN, MISSING, Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import UNDEFINED, describe, is_object, throw_type_error, to_string

from .iteration import collect

KINDS: Final = ("EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "AggregateError")

STATICS: Final = Table()
STATICS.constant("stackTraceLimit", 10, ALL)


def _prototype_table(name: str) -> Table:
    table = Table()
    table.constant("name", name)
    table.constant("message", "")
    return table


PROTOTYPES: Final = {name: _prototype_table(name) for name in ("Error", *KINDS)}


def make(realm: Realm, name: str) -> Any:
    """The global of an error's class."""
    creator = _create_aggregate if name == "AggregateError" else _create

    def call(realm: Realm, this: Any, args: Args) -> Any:
        return creator(realm, realm.prototype_of(name), args)

    is_base = name == "Error"
    return realm.new_class(
        name,
        2 if creator is _create_aggregate else 1,
        creator,
        PROTOTYPES[name],
        statics=STATICS if is_base else None,
        call=call,
        parent=None if is_base else "Error",
    )


@final
class JSErrorObject(JSObject):
    """An error."""

    __slots__ = ()

    class_name = "Error"

    def describe(self) -> str:
        """What its `toString` says if nobody has changed that."""
        name, message = self._text("name", "Error"), self._text("message", "")
        return f"{name}: {message}" if name and message else name or message

    def _text(self, key: str, otherwise: str) -> str:
        holder: JSObject | None = self
        while holder is not None and not holder.has_own_rules:
            found = holder.own(key)
            if found is not MISSING:
                return found if isinstance(found, str) else otherwise
            holder = holder.prototype
        return otherwise


def _create(realm: Realm, prototype: JSObject, args: Args) -> JSErrorObject:
    """Spec: 20.5.1.1."""
    return _initialized(JSErrorObject(prototype), argument(args, 0), argument(args, 1))


def _create_aggregate(realm: Realm, prototype: JSObject, args: Args) -> JSErrorObject:
    """Spec: 20.5.7.1.1."""
    made = _initialized(JSErrorObject(prototype), argument(args, 1), argument(args, 2))
    made.define("errors", realm.new_array(collect(realm, argument(args, 0))), HIDDEN)
    return made


def _initialized(error: JSErrorObject, message: Any, options: Any) -> JSErrorObject:
    error.define("stack", "", HIDDEN)
    if message is not UNDEFINED:
        error.define("message", to_string(message), HIDDEN)
    if is_object(options) and options.has("cause"):
        error.define("cause", options.get("cause"), HIDDEN)
    error.properties["stack"] = stack_of(error)
    return error


def stack_of(error: JSObject) -> str:
    """The text of the property `stack`. Where a guest's calls were made is not known."""
    return f"{error.describe()}\n    at <anonymous>"


@STATICS.method("captureStackTrace", 2)
def capture_stack_trace(realm: Realm, this: Any, args: Args) -> Any:
    """V8's own: gives any object a property `stack`."""
    target = argument(args, 0)
    if not is_object(target):
        throw_type_error("invalid_argument")
    if not target.define("stack", stack_of(target), HIDDEN):
        throw_type_error("Cannot define property stack, object is not extensible")
    return UNDEFINED


@PROTOTYPES["Error"].method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.5.3.4."""
    if not is_object(this):
        throw_type_error(f"Method Error.prototype.toString called on incompatible receiver {describe(this)}")
    name, message = this.get("name"), this.get("message")
    name = "Error" if name is UNDEFINED else to_string(name)
    message = "" if message is UNDEFINED else to_string(message)
    if not name or not message:
        return name or message
    return utf16.concat_all((name, message), ": ")
