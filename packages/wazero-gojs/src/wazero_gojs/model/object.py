"""Objects: properties, prototypes, functions. Spec: ECMA-262, 10."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, final

from .values import (
    SYMBOL_HAS_INSTANCE,
    SYMBOL_TO_PRIMITIVE,
    UNDEFINED,
    Symbol,
    ThrownByName,
    describe,
    describe_unnamed,
    index_of,
    is_object,
    same_value,
    throw_range_error,
    throw_type_error,
    to_boolean,
)

if TYPE_CHECKING:
    from .realm import Realm

Args = Sequence[Any]
Native = Callable[["Realm", Any, Args], Any]
"""What a built-in function does: gets the realm, `this` and the arguments, of which there may be any number."""


@final
class _Missing:
    __slots__ = ()


MISSING: Final = _Missing()
"""There is no such property, which is not the same as one with the value undefined."""

WRITABLE: Final = 1
ENUMERABLE: Final = 2
CONFIGURABLE: Final = 4
ALL: Final = WRITABLE | ENUMERABLE | CONFIGURABLE
"""Attributes of a property; all of them unless `JSObject.attributes` says otherwise."""
HIDDEN: Final = WRITABLE | CONFIGURABLE
"""Attributes of what the language itself defines."""


@final
class Accessor:
    """A property that is computed: a getter and a setter, either of which may be UNDEFINED."""

    __slots__ = ("getter", "setter")

    def __init__(self, getter: Any = UNDEFINED, setter: Any = UNDEFINED) -> None:
        self.getter = getter
        self.setter = setter


class JSObject:
    """An ordinary object. Kinds with other rules for their own properties override the methods on those.

    Keys are str or Symbol. Methods throw what the specification throws, as `JSError`.
    """

    __slots__ = ("__weakref__", "attributes", "is_extensible", "properties", "prototype")

    class_name = "Object"
    """What ``Object.prototype.toString`` says."""
    is_callable = False
    has_own_rules = False
    """Whether `get`, `has` and `set` themselves must be asked when this is a prototype, as those of a proxy."""

    def __init__(self, prototype: JSObject | None) -> None:
        self.prototype = prototype
        self.properties: dict[str | Symbol, Any] = {}
        """Own properties: values, or `Accessor`."""
        self.attributes: dict[str | Symbol, int] = {}
        """Of those properties that have not all of them."""
        self.is_extensible = True

    def __repr__(self) -> str:
        return f"<JavaScript {self.describe()}>"

    def describe(self) -> str:
        """The object in a message, as V8 shows it: "#<Map>", or "[object Array]" if its class writes itself otherwise."""
        holder: JSObject | None = self
        while holder is not None and not holder.has_own_rules:
            constructor = holder.own("constructor")
            if isinstance(constructor, JSFunction) and constructor.properties.get("name"):
                return f"#<{constructor.properties['name']}>"
            holder = holder.prototype
        return f"[object {self.class_name}]"

    # Own properties

    def own(self, key: str | Symbol) -> Any:
        """The own property `key`: its value, an `Accessor`, or `MISSING`."""
        return self.properties.get(key, MISSING)

    def own_keys(self) -> list[str | Symbol]:
        """Array indices in order, then names as they came, then symbols."""
        indices = sorted((key for key in self.properties if index_of(key) >= 0), key=index_of)
        names = [key for key in self.properties if isinstance(key, str) and index_of(key) < 0]
        return [*indices, *names, *(key for key in self.properties if isinstance(key, Symbol))]

    def attributes_of(self, key: str | Symbol) -> int:
        """The attributes of an own property."""
        return self.attributes.get(key, ALL)

    def define(self, key: str | Symbol, value: Any, attributes: int = ALL) -> bool:
        """Make or replace an own property by a value or an `Accessor`; whether that was allowed."""
        if type(value) is Accessor:
            attributes &= ~WRITABLE
        if not self.may_define(key, value, attributes):
            return False
        self.properties[key] = value
        if attributes == ALL:
            self.attributes.pop(key, None)
        else:
            self.attributes[key] = attributes
        return True

    def may_define(self, key: str | Symbol, value: Any, attributes: int) -> bool:
        """Whether an own property may become this. Spec: 10.1.6.3."""
        old = self.own(key)
        if old is MISSING:
            return self.is_extensible
        had = self.attributes_of(key)
        if had & CONFIGURABLE:
            return True
        if attributes & CONFIGURABLE or (attributes ^ had) & ENUMERABLE:
            return False
        if type(old) is Accessor:
            return type(value) is Accessor and old.getter is value.getter and old.setter is value.setter
        if type(value) is Accessor:
            return False
        return bool(had & WRITABLE) or (not attributes & WRITABLE and same_value(old, value))

    def restrict(self, lost: int) -> bool:
        """Make no properties any more, and take attributes from all that are there; whether that was allowed."""
        if not self.prevent_extensions():
            return False
        for key in self.own_keys():
            value = self.own(key)
            if value is not MISSING and not self.define(key, value, self.attributes_of(key) & ~lost):
                return False
        return True

    def prevent_extensions(self) -> bool:
        """Allow no new own properties; whether that was allowed."""
        self.is_extensible = False
        return True

    def set_prototype(self, prototype: JSObject | None) -> bool:
        """Inherit from another object; whether that was allowed. Spec: 10.1.2."""
        if prototype is self.prototype:
            return True
        holder = prototype
        while holder is not None and not holder.has_own_rules:
            if holder is self:
                return False
            holder = holder.prototype
        if not self.is_extensible:
            return False
        self.prototype = prototype
        return True

    def delete(self, key: str | Symbol) -> bool:
        """Remove an own property; False if it may not be removed."""
        if key in self.properties:
            if not self.attributes_of(key) & CONFIGURABLE:
                return False
            del self.properties[key]
            self.attributes.pop(key, None)
        return True

    # Properties, inherited ones included

    def get(self, key: str | Symbol, receiver: Any = None) -> Any:
        """The value of a property, UNDEFINED if there is none. `receiver` is what a getter sees as this."""
        holder: JSObject | None = self
        while holder is not None:
            value = holder.own(key)
            if value is not MISSING:
                if type(value) is not Accessor:
                    return value
                if value.getter is UNDEFINED:
                    return UNDEFINED
                return value.getter.call(self if receiver is None else receiver, ())
            holder = holder.prototype
            if holder is not None and holder.has_own_rules:
                return holder.get(key, self if receiver is None else receiver)
        return UNDEFINED

    def set(self, key: str | Symbol, value: Any) -> bool:
        """Assign; False if that is not allowed, which sloppy code ignores and strict code throws for."""
        own = self.own(key)
        if own is MISSING:
            return self._set_inherited(key, value)
        if type(own) is Accessor:
            return _call_setter(own, self, value)
        if not self.attributes_of(key) & WRITABLE:
            return False
        self.set_own(key, value)
        return True

    def _set_inherited(self, key: str | Symbol, value: Any) -> bool:
        holder = self.prototype
        while holder is not None:
            found = MISSING if holder.has_own_rules else holder.own(key)
            if found is not MISSING:
                if type(found) is Accessor:
                    return _call_setter(found, self, value)
                if not holder.attributes_of(key) & WRITABLE:
                    return False
                break
            if holder.has_own_rules:
                return holder.set_for(key, value, self)
            holder = holder.prototype
        if not self.is_extensible:
            return False
        self.set_own(key, value)
        return True

    def set_for(self, key: str | Symbol, value: Any, receiver: Any) -> bool:
        """Assign to a property of `receiver`, which inherits from this object or does as if. Spec: 10.1.9.2."""
        holder: JSObject | None = self
        while holder is not None and (found := holder.own(key)) is MISSING:
            holder = holder.prototype
            if holder is not None and holder.has_own_rules:
                return holder.set_for(key, value, receiver)
        if holder is not None:
            if type(found) is Accessor:
                return _call_setter(found, receiver, value)
            if not holder.attributes_of(key) & WRITABLE:
                return False
        if not isinstance(receiver, JSObject):
            return False
        own = receiver.own(key)
        if own is MISSING:
            return receiver.define(key, value)
        attributes = receiver.attributes_of(key)
        return type(own) is not Accessor and bool(attributes & WRITABLE) and receiver.define(key, value, attributes)

    def set_own(self, key: str | Symbol, value: Any) -> None:
        """Give an own property, which may be new, another value. The caller has made sure that this is allowed."""
        self.properties[key] = value

    def has(self, key: str | Symbol) -> bool:
        """The operator in."""
        holder: JSObject | None = self
        while holder is not None:
            if holder.own(key) is not MISSING:
                return True
            holder = holder.prototype
            if holder is not None and holder.has_own_rules:
                return holder.has(key)
        return False

    def get_index(self, index: int) -> Any:
        """The property that is named by an integer."""
        return self.get(str(index))

    def set_index(self, index: int, value: Any) -> bool:
        """Assign to the property that is named by an integer."""
        return self.set(str(index), value)

    def enumerable_keys(self) -> Iterator[str]:
        """Own keys that loops and `Object.keys` see."""
        return (key for key in self.own_keys() if isinstance(key, str) and self.attributes_of(key) & ENUMERABLE)

    # As a value

    def call_method(self, name: str | Symbol, *args: Any) -> Any:
        """Call the function that a property is. TypeError if it is none."""
        function = self.get(name)
        if not is_callable(function):
            throw_type_error(f"{self.describe()}.{name!s} is not a function")
        return function.call(self, args)

    def to_primitive(self, hint: str) -> Any:
        """Spec: 7.1.1."""
        exotic = self.get(SYMBOL_TO_PRIMITIVE)
        if exotic is not UNDEFINED and exotic is not None:
            if not is_callable(exotic):
                throw_type_error(f"{describe_unnamed(exotic)} is not a function")
            value = exotic.call(self, (hint,))
            if not is_object(value):
                return value
            throw_type_error("Cannot convert object to primitive value")
        for name in ("toString", "valueOf") if hint == "string" else ("valueOf", "toString"):
            function = self.get(name)
            if is_callable(function):
                value = function.call(self, ())
                if not is_object(value):
                    return value
        raise ThrownByName("TypeError", "Cannot convert object to primitive value")


def _call_setter(accessor: Accessor, this: Any, value: Any) -> bool:
    if accessor.setter is UNDEFINED:
        return False
    accessor.setter.call(this, (value,))
    return True


class JSFunction(JSObject):
    """An object that can be called."""

    __slots__ = ("realm",)

    class_name = "Function"
    is_callable = True
    is_constructor = False

    def __init__(self, realm: Realm, name: str, length: int, prototype: JSObject | None = None) -> None:
        super().__init__(realm.function_prototype if prototype is None else prototype)
        self.realm = realm
        self.properties = {"length": length, "name": name}
        self.attributes = dict.fromkeys(("length", "name"), CONFIGURABLE)

    def describe(self) -> str:
        name = self.properties.get("name")
        return f"function {name}" if isinstance(name, str) and name else "function"

    def source_text(self) -> str:
        """The function's definition. Spec: 20.2.3.5."""
        name = self.properties.get("name")
        return f"function {name if isinstance(name, str) else ''}() {{ [native code] }}"

    def call(self, this: Any, args: Args) -> Any:
        """Call it. Raises JSError for what it throws; any other exception is no business of JavaScript code."""
        raise NotImplementedError

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        """The operator new; `new_target` is the constructor of a derived class that asks. TypeError for most functions."""
        throw_type_error(f"{self.describe()} is not a constructor")

    def has_instance(self, value: Any) -> bool:
        """The operator instanceof, without Symbol.hasInstance. Spec: 7.3.22."""
        if not is_object(value):
            return False
        prototype = self.get("prototype")
        if not is_object(prototype):
            throw_type_error(f"Function has non-object prototype '{describe(prototype)}' in instanceof check")
        return inherits(value, prototype)


class NativeFunction(JSFunction):
    """A built-in function."""

    __slots__ = ("function",)

    def __init__(self, realm: Realm, name: str, length: int, function: Native) -> None:
        super().__init__(realm, name, length)
        self.function = function

    def call(self, this: Any, args: Args) -> Any:
        return self.function(self.realm, this, args)


@final
class NativeConstructor(NativeFunction):
    """A built-in class: what `new` does is `creator`; a mere call does `function`.

    `creator` gets the realm, the prototype of the new object, and the arguments.
    """

    __slots__ = ("creator",)

    is_constructor = True

    def __init__(
        self,
        realm: Realm,
        name: str,
        length: int,
        function: Native,
        creator: Callable[[Realm, JSObject, Args], Any],
        prototype: JSObject,
    ) -> None:
        super().__init__(realm, name, length, function)
        self.creator = creator
        self.properties["prototype"] = prototype
        self.attributes["prototype"] = 0
        prototype.properties["constructor"] = self
        prototype.attributes["constructor"] = HIDDEN

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        prototype: Any = (new_target or self).get("prototype")
        if not is_object(prototype):
            prototype = self.properties.get("prototype")
        return self.creator(self.realm, prototype, args)


@final
class BoundFunction(JSFunction):
    """What `Function.prototype.bind` makes."""

    __slots__ = ("args", "is_constructor", "target", "this")

    def __init__(self, target: JSFunction, this: Any, args: Args) -> None:
        name = target.get("name")
        super().__init__(target.realm, f"bound {name if isinstance(name, str) else ''}", 0)
        self.is_constructor = target.is_constructor
        # Calls must not nest as deeply as somebody binds.
        inner = target if isinstance(target, BoundFunction) else None
        self.target: JSFunction = target if inner is None else inner.target
        self.this: Any = this if inner is None else inner.this
        self.args: tuple[Any, ...] = tuple(args) if inner is None else (*inner.args, *args)

    def call(self, this: Any, args: Args) -> Any:
        return self.target.call(self.this, (*self.args, *args))

    def construct(self, args: Args, new_target: JSFunction | None = None) -> Any:
        return self.target.construct((*self.args, *args), None if new_target is self else new_target)

    def has_instance(self, value: Any) -> bool:
        return self.target.has_instance(value)


def inherits(value: JSObject, prototype: JSObject) -> bool:
    """Whether a prototype is among those of an object."""
    return any(holder is prototype for holder in prototypes_of(value))


def prototypes_of(value: JSObject) -> Iterator[JSObject]:
    """What an object inherits from, the nearest first. RangeError if that has no end: proxies can make circles."""
    proxies = 0
    holder = value.prototype
    while holder is not None:
        yield holder
        proxies += holder.has_own_rules
        if proxies > _MAX_PROXIES:
            throw_range_error("Maximum call stack size exceeded")
        holder = holder.prototype


_MAX_PROXIES: Final = 1000
"""Among the prototypes of one object."""


def is_callable(value: Any) -> bool:
    """Whether this is a function."""
    return isinstance(value, JSObject) and value.is_callable


def instance_of(value: Any, constructor: Any) -> bool:
    """The operator instanceof. TypeError if the right side is no constructor. Spec: 13.10.2."""
    if not is_object(constructor):
        throw_type_error("Right-hand side of 'instanceof' is not an object")
    custom = constructor.get(SYMBOL_HAS_INSTANCE)
    if custom is not UNDEFINED and custom is not None:
        if not is_callable(custom):
            throw_type_error(f"{describe_unnamed(custom)} is not a function")
        return to_boolean(custom.call(constructor, (value,)))
    if not is_callable(constructor):
        throw_type_error("Right-hand side of 'instanceof' is not callable")
    return bool(constructor.has_instance(value))


def argument(args: Args, index: int) -> Any:
    """An argument, UNDEFINED if there are not so many."""
    return args[index] if index < len(args) else UNDEFINED
