"""A realm: one set of built-in objects, and the global object. Every running program has its own. Spec: ECMA-262, 9.3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, final

from .object import ALL, HIDDEN, MISSING, JSFunction, JSObject, Native, NativeConstructor, NativeFunction
from .promise import Jobs, JSPromise
from .table import BuiltinObject, Table, fill
from .values import JSError, Symbol, ThrownByName

if TYPE_CHECKING:
    from .array import JSArray
    from .buffer import JSArrayBuffer, JSTypedArray

_PACKAGE: Final = __package__.rpartition(".")[0]


@final
class Realm:
    """Built-in objects by name, each made when it is first used.

    `globals_` says where: by the name of a global the module of this package (`"builtins.array"`) that has a function
    ``make(realm, name)`` for it.
    """

    def __init__(self, globals_: Mapping[str, str]) -> None:
        self.jobs = Jobs()
        """Microtasks."""
        self.host: Any = None
        """What functions of the host find their program by; nothing to the language itself."""
        self.poll: Callable[[], None] = _do_nothing
        """Called now and then by code that may run for long; the host's raises what ends a program."""
        self.call_depth = 0
        """Calls of script functions inside one another."""
        self.symbols: dict[str, Symbol] = {}
        """Those of `Symbol.for`, by their keys."""
        self.joining: list[JSObject] = []
        """Arrays that are becoming strings, so are empty inside of themselves."""
        self._prototypes: dict[str, JSObject] = {}
        self._hidden: dict[str, JSObject] = {}
        from wazero_gojs.builtins import function, objects

        self.object_prototype: JSObject = BuiltinObject(self, objects.PROTOTYPE)
        self.function_prototype: JSObject = BuiltinObject(
            self, function.PROTOTYPE, self.object_prototype, class_name="Function"
        )
        self.global_object = GlobalObject(self, globals_)

    # Built-in objects

    def intrinsic(self, name: str) -> Any:
        """The built-in object that is the global `name`, also if a guest has replaced that."""
        return self.global_object.original(name)

    def prototype_of(self, name: str) -> JSObject:
        """The prototype of a built-in class's objects."""
        found = self._prototypes.get(name)
        if found is None:
            found = self._prototypes[name] = self.intrinsic(name).properties["prototype"]
        return found

    def hidden(self, name: str, make: Callable[[], JSObject]) -> JSObject:
        """A built-in object that is no global, such as the prototype of a kind of iterators: made when it is first used."""
        found = self._hidden.get(name)
        if found is None:
            found = self._hidden[name] = make()
        return found

    def new_class(
        self,
        name: str,
        length: int,
        creator: Callable[[Realm, JSObject, Any], Any],
        prototype: Table,
        *,
        statics: Table | None = None,
        call: Native | None = None,
        parent: str | None = None,
    ) -> NativeConstructor:
        """A built-in class. `creator` makes objects (realm, prototype, arguments); `call` is what calling it without `new`
        does, a TypeError if left out.
        """
        parent_prototype = self.object_prototype if parent is None else self.prototype_of(parent)
        made = BuiltinObject(self, prototype, parent_prototype)
        constructor = NativeConstructor(self, name, length, call or _new_is_missing(name), creator, made)
        if parent is not None:
            constructor.prototype = self.intrinsic(parent)
        if statics is not None:
            fill(self, constructor, statics)
        return constructor

    def new_namespace(self, table: Table, class_name: str = "Object") -> JSObject:
        """A built-in object that is no class, as Math."""
        return BuiltinObject(self, table, self.object_prototype, class_name)

    # Making values

    def new_object(self, properties: Mapping[str, Any] | None = None) -> JSObject:
        """A plain object with these properties."""
        made = JSObject(self.object_prototype)
        if properties:
            made.properties.update(properties)
        return made

    def new_array(self, items: Iterable[Any]) -> JSArray:
        """An array."""
        from .array import JSArray

        return JSArray(self.prototype_of("Array"), list(items))

    def new_buffer(self, data: bytearray | memoryview) -> JSArrayBuffer:
        """An ArrayBuffer over `data` itself, not a copy."""
        from .buffer import JSArrayBuffer

        return JSArrayBuffer(self.prototype_of("ArrayBuffer"), data)

    def new_bytes(self, data: bytes | bytearray | memoryview) -> JSTypedArray:
        """A Uint8Array: over `data` itself if that can be written to, else over a copy."""
        from .buffer import ELEMENT_TYPES, JSTypedArray

        is_writable = isinstance(data, bytearray) or (isinstance(data, memoryview) and not data.readonly)
        buffer = self.new_buffer(data if is_writable else bytearray(data))  # type: ignore[arg-type]  # just looked
        return JSTypedArray(self.prototype_of("Uint8Array"), ELEMENT_TYPES[1], buffer)

    def new_function(self, function: Native, name: str = "", length: int = 0) -> JSFunction:
        """A function of the host."""
        return NativeFunction(self, name, length, function)

    def new_promise(self) -> JSPromise:
        """A promise that nothing has settled."""
        return JSPromise(self.prototype_of("Promise"), self.jobs, self.thrown)

    def new_error(self, name: str, message: str, **properties: Any) -> JSObject:
        """An Error or one of its kinds, with further properties such as `code`."""
        made: JSObject = self.intrinsic(name).construct((message,))
        made.properties.update(properties)
        return made

    def thrown(self, error: JSError | RecursionError) -> Any:
        """The value that was thrown; of Python's own error for calls that nest too deep, what JavaScript throws for that."""
        if isinstance(error, RecursionError):
            return self.new_error("RangeError", "Maximum call stack size exceeded")
        return self.new_error(error.name, error.message) if isinstance(error, ThrownByName) else error.value


@final
class GlobalObject(JSObject):
    """The global object: what is built in is made when it is first used."""

    __slots__ = ("_modules", "_originals", "_realm", "builtin")

    class_name = "global"

    def __init__(self, realm: Realm, modules: Mapping[str, str]) -> None:
        super().__init__(realm.object_prototype)
        self._realm = realm
        self.builtin = frozenset(modules)
        """Names of what is built in."""
        self._modules = dict(modules)
        """Of those that were not made yet."""
        self._originals: dict[str, Any] = {}
        self.properties["globalThis"] = self
        self.attributes["globalThis"] = HIDDEN

    def original(self, name: str) -> Any:
        """The built-in value, whatever has become of the property. KeyError if there is none of that name."""
        found = self._originals.get(name, MISSING)
        if found is MISSING:
            module = import_module(f"{_PACKAGE}.{self._modules[name]}")
            # Making it may need others that need it, which then find it: so a module puts classes here early.
            found = self._originals[name] = module.make(self._realm, name)
        return found

    def own(self, key: str | Symbol) -> Any:
        value = self.properties.get(key, MISSING)
        if value is MISSING and isinstance(key, str) and key in self._modules:
            return self._make(key)
        return value

    def _make(self, name: str) -> Any:
        value = self.original(name)
        del self._modules[name]
        self.properties[name] = value
        self.attributes[name] = HIDDEN if isinstance(value, JSObject) else 0
        return value

    def own_keys(self) -> list[str | Symbol]:
        for name in list(self._modules):
            self.own(name)
        return super().own_keys()

    def attributes_of(self, key: str | Symbol) -> int:
        self.own(key)
        return super().attributes_of(key)

    def define(self, key: str | Symbol, value: Any, attributes: int = ALL) -> bool:
        self.own(key)
        return super().define(key, value, attributes)

    def delete(self, key: str | Symbol) -> bool:
        self.own(key)
        return super().delete(key)

    def set_own(self, key: str | Symbol, value: Any) -> None:
        if isinstance(key, str) and key in self._modules:
            self._make(key)
        super().set_own(key, value)


def _do_nothing() -> None:
    pass


def _new_is_missing(name: str) -> Native:
    def call(realm: Realm, this: Any, args: Any) -> Any:
        raise ThrownByName("TypeError", f"Constructor {name} requires 'new'")

    return call
