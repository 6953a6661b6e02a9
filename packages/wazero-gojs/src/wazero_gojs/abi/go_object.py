"""jsGo: the object by which JavaScript calls functions of Go's.

js.FuncOf    _makeFuncWrapper(number) => GoFunction
a call       _pendingEvent = {id: number, this, args}, resume => Go runs the function, and sets the event's `result`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from wazero_gojs.model.array import JSArray
from wazero_gojs.model.object import HIDDEN, Accessor, Args, JSFunction, JSObject, argument
from wazero_gojs.model.values import UNDEFINED, to_uint32

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm
    from wazero_gojs.program import Program


@final
class GoObject(JSObject):
    """What Go knows as the object ``jsGo``: the event that it is to handle, and wrappers of its functions."""

    __slots__ = ("_done", "_program", "pending_event")

    class_name = "Go"

    def __init__(self, program: Program) -> None:
        super().__init__(program.realm.object_prototype)
        self._program = program
        self._done: _Event | None = None
        """Of a call that is over, for the next one."""
        self.pending_event: Any = None
        realm = program.realm
        values = realm.new_function(lambda realm, this, args: self._values())
        self.properties["_values"] = Accessor(values)
        self.properties["_makeFuncWrapper"] = realm.new_function(self._wrap, "_makeFuncWrapper", 1)
        self.attributes = dict.fromkeys(("_values", "_makeFuncWrapper"), HIDDEN)

    def own(self, key: Any) -> Any:
        return self.pending_event if key == "_pendingEvent" else super().own(key)

    def set_own(self, key: Any, value: Any) -> None:
        if key == "_pendingEvent":
            self.pending_event = value
        else:
            super().set_own(key, value)

    def _wrap(self, realm: Realm, this: Any, args: Args) -> Any:
        return GoFunction(realm, self, to_uint32(argument(args, 0)))

    def _values(self) -> JSArray:
        """Go's own tests look how many there are. A copy: who changes it must not change what numbers stand for."""
        return JSArray(self._program.realm.prototype_of("Array"), [*self._program.references.values])

    def call_go(self, number: int, this: Any, args: Args) -> Any:
        """Call the function that Go registered under a number.

        Go holds each object that it has seen until its next garbage collection, so an event is used again once Go has done
        with it, which is when it has given a result. Calls that Go makes meanwhile have events of their own.
        """
        program = self._program
        event, self._done = self._done or _Event(program.realm), None
        event.fill(number, this, args)
        self.pending_event = event
        program.resume()
        if "result" not in event.properties:
            return UNDEFINED
        result = event.get("result")
        del event.properties["result"]
        event.fill(0, None, ())  # keep nothing alive
        self._done = event
        return result


@final
class _Event(JSObject):
    """A call of a function of Go's. Only Go's runtime sees it."""

    __slots__ = ("_args",)

    def __init__(self, realm: Realm) -> None:
        super().__init__(realm.object_prototype)
        self._args = realm.new_array(())

    def fill(self, number: int, this: Any, args: Args) -> None:
        """Tell of a call."""
        self._args.items = [*args]
        properties = self.properties
        properties["id"] = number
        properties["this"] = this
        properties["args"] = self._args


@final
class GoFunction(JSFunction):
    """A function of Go's `js.FuncOf`."""

    __slots__ = ("_go", "_number")

    is_constructor = True

    def __init__(self, realm: Realm, go: GoObject, number: int) -> None:
        super().__init__(realm, "", 0)
        self._go = go
        self._number = number

    def call(self, this: Any, args: Args) -> Any:
        return self._go.call_go(self._number, this, args)

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        prototype = (new_target or self).get("prototype")
        made = self.realm.new_object()
        if isinstance(prototype, JSObject):
            made.prototype = prototype
        result = self._go.call_go(self._number, made, args)
        return result if isinstance(result, JSObject) else made
