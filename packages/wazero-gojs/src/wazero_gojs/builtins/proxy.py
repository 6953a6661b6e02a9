"""Proxies: objects whose rules are functions of the guest, its traps. Spec: ECMA-262, 10.5."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast, final

from wazero_gojs.model.object import (
    ALL,
    CONFIGURABLE,
    ENUMERABLE,
    MISSING,
    WRITABLE,
    Accessor,
    Args,
    JSObject,
    inherits,
    is_callable,
)
from wazero_gojs.model.values import (
    UNDEFINED,
    Symbol,
    describe,
    is_object,
    same_value,
    throw_range_error,
    throw_type_error,
    to_boolean,
)

from . import descriptors
from .operations import list_from, name_of

if TYPE_CHECKING:
    from wazero_gojs.model.realm import Realm

_F = TypeVar("_F", bound=Callable[..., Any])


def _bounded(method: _F) -> _F:
    """Decorator: proxies of proxies may be nested deeper than calls can be."""

    @wraps(method)
    def call(*args: Any) -> Any:
        try:
            return method(*args)
        except RecursionError:
            throw_range_error("Maximum call stack size exceeded")

    return cast("_F", call)


@final
class JSProxy(JSObject):
    """A proxy. What the handler has no trap for, the target does."""

    __slots__ = ("_handler", "_seen", "_target", "realm")

    has_own_rules = True

    def __init__(self, realm: Realm, target: JSObject, handler: JSObject) -> None:
        self.properties = {}
        self.attributes = {}
        self.realm = realm
        self._target = target
        self._handler: JSObject | None = handler
        self._seen: tuple[str | Symbol, int] | None = None
        """Key and attributes of what `own` found last, for which the trap is not to be called again."""

    def revoke(self) -> None:
        """From now on, everything throws a TypeError."""
        self._handler = None

    def innermost(self) -> JSObject:
        """The target, or its target if that is a proxy, and so on. TypeError if one of them was revoked."""
        found: JSObject = self
        while isinstance(found, JSProxy):
            if found._handler is None:
                throw_type_error("Cannot perform 'IsArray' on a proxy that has been revoked")
            found = found._target
        return found

    def _last_target(self) -> JSObject:
        found: JSObject = self
        while isinstance(found, JSProxy):
            found = found._target
        return found

    def describe(self) -> str:
        return self._last_target().describe()

    @property
    def class_name(self) -> str:  # type: ignore[override]  # the target's
        """What ``Object.prototype.toString`` says."""
        name = self.innermost().class_name
        return name if name in ("Array", "Function") else "Object"

    @property
    def is_callable(self) -> bool:  # type: ignore[override]  # the target's
        """Whether the target can be called."""
        return self._last_target().is_callable

    @property
    def is_constructor(self) -> bool:
        """Whether the target can construct."""
        return bool(getattr(self._last_target(), "is_constructor", False))

    def _trap(self, name: str) -> Callable[..., Any] | None:
        """What calls the trap with these arguments after the target; None if there is none."""
        handler, target = self._handler, self._target
        if handler is None:
            throw_type_error(f"Cannot perform '{name}' on a proxy that has been revoked")
        trap = handler.get(name)
        if trap is UNDEFINED or trap is None:
            return None
        if not is_callable(trap):
            throw_type_error(
                f"'{describe(trap)}' returned for property '{name}' of object '{describe(handler)}' is not a function"
            )
        return lambda *args: trap.call(handler, (target, *args))

    # Prototype and extensibility

    @property
    def prototype(self) -> JSObject | None:  # type: ignore[override]  # a trap
        """Spec: 10.5.1."""
        return self._prototype()

    @_bounded
    def _prototype(self) -> JSObject | None:
        trap = self._trap("getPrototypeOf")
        if trap is None:
            return self._target.prototype
        found: JSObject | None = trap()
        if found is not None and not is_object(found):
            throw_type_error("'getPrototypeOf' on proxy: trap returned neither object nor null")
        if not self._target.is_extensible and found is not self._target.prototype:
            throw_type_error(
                "'getPrototypeOf' on proxy: proxy target is non-extensible but the trap did not return its actual prototype"
            )
        return found

    @_bounded
    def set_prototype(self, prototype: JSObject | None) -> bool:
        trap = self._trap("setPrototypeOf")
        if trap is None:
            return self._target.set_prototype(prototype)
        if not to_boolean(trap(prototype)):
            return False
        if not self._target.is_extensible and prototype is not self._target.prototype:
            throw_type_error(
                "'setPrototypeOf' on proxy: trap returned truish for setting a new prototype on the non-extensible proxy target"
            )
        return True

    @property
    def is_extensible(self) -> bool:  # type: ignore[override]  # a trap
        """Spec: 10.5.3."""
        return self._is_extensible()

    @_bounded
    def _is_extensible(self) -> bool:
        trap = self._trap("isExtensible")
        if trap is None:
            return self._target.is_extensible
        found = to_boolean(trap())
        if found is not self._target.is_extensible:
            throw_type_error(
                "'isExtensible' on proxy: trap result does not reflect extensibility of proxy target "
                f"(which is '{describe(self._target.is_extensible)}')"
            )
        return found

    @_bounded
    def prevent_extensions(self) -> bool:
        trap = self._trap("preventExtensions")
        if trap is None:
            return self._target.prevent_extensions()
        if not to_boolean(trap()):
            return False
        if self._target.is_extensible:
            throw_type_error("'preventExtensions' on proxy: trap returned truish but the proxy target is extensible")
        return True

    # Own properties

    @_bounded
    def own(self, key: str | Symbol) -> Any:
        trap = self._trap("getOwnPropertyDescriptor")
        if trap is None:
            value = self._target.own(key)
            self._seen = (key, 0 if value is MISSING else self._target.attributes_of(key))
            return value
        value, attributes = self._checked_own(key, trap(key))
        self._seen = (key, attributes)
        return value

    def _checked_own(self, key: str | Symbol, result: Any) -> tuple[Any, int]:
        about = f"'getOwnPropertyDescriptor' on proxy: trap returned {{}} for property '{name_of(key)}'"
        if result is not UNDEFINED and not is_object(result):
            throw_type_error(about.replace("{}", "neither object nor undefined", 1))
        target = self._target
        old = target.own(key)
        had = 0 if old is MISSING else target.attributes_of(key)
        if result is UNDEFINED:
            if old is not MISSING and not had & CONFIGURABLE:
                throw_type_error(about.replace("{}", "undefined", 1) + " which is non-configurable in the proxy target")
            if old is not MISSING and not target.is_extensible:
                throw_type_error(
                    about.replace("{}", "undefined", 1) + " which exists in the non-extensible proxy target"
                )
            return MISSING, 0
        found = descriptors.read(result)
        value = found.value
        if found.is_accessor:
            value = Accessor(*(UNDEFINED if part is MISSING else part for part in (found.getter, found.setter)))
        elif value is MISSING:
            value = UNDEFINED
        if not target.may_define(key, value, found.attributes):
            throw_type_error(
                about.replace("{}", "descriptor", 1)
                + " that is incompatible with the existing property in the proxy target"
            )
        if not found.attributes & CONFIGURABLE and (old is MISSING or had & CONFIGURABLE):
            throw_type_error(
                "'getOwnPropertyDescriptor' on proxy: trap reported non-configurability for property "
                f"'{name_of(key)}' which is either non-existent or configurable in the proxy target"
            )
        return value, found.attributes

    def attributes_of(self, key: str | Symbol) -> int:
        seen, self._seen = self._seen, None
        if seen is None or seen[0] != key:
            self.own(key)
            seen, self._seen = self._seen, None
        return seen[1] if seen is not None else ALL

    @_bounded
    def own_keys(self) -> list[str | Symbol]:
        trap = self._trap("ownKeys")
        if trap is None:
            return self._target.own_keys()
        keys = list_from(trap())
        for key in keys:
            if not isinstance(key, (str, Symbol)):
                throw_type_error(f"{describe(key)} is not a valid property name")
        found = set(keys)
        if len(found) < len(keys):
            throw_type_error("'ownKeys' on proxy: trap returned duplicate entries")
        target = self._target
        is_extensible = target.is_extensible
        expected = target.own_keys()
        for key in expected:
            if key not in found and (not is_extensible or not target.attributes_of(key) & CONFIGURABLE):
                throw_type_error(f"'ownKeys' on proxy: trap result did not include '{name_of(key)}'")
        if not is_extensible and len(found) > len(expected):
            throw_type_error("'ownKeys' on proxy: trap returned extra keys but proxy target is non-extensible")
        return keys

    def define(self, key: str | Symbol, value: Any, attributes: int = ALL) -> bool:
        if type(value) is Accessor:
            known = ENUMERABLE | CONFIGURABLE
            return self.define_as(
                key, descriptors.Descriptor(MISSING, value.getter, value.setter, attributes & known, known)
            )
        return self.define_as(key, descriptors.Descriptor(value, MISSING, MISSING, attributes, ALL))

    @_bounded
    def define_as(self, key: str | Symbol, descriptor: descriptors.Descriptor) -> bool:
        """Make or change a property as a descriptor says. Spec: 10.5.6."""
        trap = self._trap("defineProperty")
        target = self._target
        if trap is None:
            return descriptors.apply(target, key, descriptor)
        if not to_boolean(trap(key, descriptors.write_partial(self.realm, descriptor))):
            return False
        about = "'defineProperty' on proxy: trap returned truish for "
        is_fixed = bool(descriptor.known & ~descriptor.attributes & CONFIGURABLE)
        old = target.own(key)
        if old is MISSING:
            if not target.is_extensible:
                throw_type_error(f"{about}adding property '{name_of(key)}'  to the non-extensible proxy target")
            if is_fixed:
                throw_type_error(
                    f"{about}defining non-configurable property '{name_of(key)}' which is either non-existent or "
                    "configurable in the proxy target"
                )
        elif is_fixed and target.attributes_of(key) & CONFIGURABLE:
            throw_type_error(
                f"{about}defining non-configurable property '{name_of(key)}' which is either non-existent or "
                "configurable in the proxy target"
            )
        return True

    @_bounded
    def delete(self, key: str | Symbol) -> bool:
        trap = self._trap("deleteProperty")
        target = self._target
        if trap is None:
            return target.delete(key)
        if not to_boolean(trap(key)):
            return False
        about = f"'deleteProperty' on proxy: trap returned truish for property '{name_of(key)}'"
        if target.own(key) is not MISSING:
            if not target.attributes_of(key) & CONFIGURABLE:
                throw_type_error(f"{about} which is non-configurable in the proxy target")
            if not target.is_extensible:
                throw_type_error(f"{about} but the proxy target is non-extensible")
        return True

    # Properties, inherited ones included

    @_bounded
    def get(self, key: str | Symbol, receiver: Any = None) -> Any:
        trap = self._trap("get")
        target = self._target
        receiver = self if receiver is None else receiver
        if trap is None:
            return target.get(key, receiver)
        value = trap(key, receiver)
        old = target.own(key)
        if old is MISSING or (had := target.attributes_of(key)) & CONFIGURABLE:
            return value
        about = f"'get' on proxy: property '{name_of(key)}' is a"
        if type(old) is Accessor:
            if old.getter is UNDEFINED and value is not UNDEFINED:
                throw_type_error(
                    f"{about} non-configurable accessor property on the proxy target and does not have a getter "
                    f"function, but the trap did not return 'undefined' (got '{describe(value)}')"
                )
        elif not had & WRITABLE and not same_value(old, value):
            throw_type_error(
                f"{about} read-only and non-configurable data property on the proxy target but the proxy did not "
                f"return its actual value (expected '{describe(old)}' but got '{describe(value)}')"
            )
        return value

    def set(self, key: str | Symbol, value: Any) -> bool:
        return self.set_for(key, value, self)

    def set_own(self, key: str | Symbol, value: Any) -> None:
        self.set_for(key, value, self)

    @_bounded
    def set_for(self, key: str | Symbol, value: Any, receiver: Any) -> bool:
        trap = self._trap("set")
        target = self._target
        if trap is None:
            return target.set_for(key, value, receiver)
        if not to_boolean(trap(key, value, receiver)):
            return False
        old = target.own(key)
        if old is MISSING or (had := target.attributes_of(key)) & CONFIGURABLE:
            return True
        about = (
            f"'set' on proxy: trap returned truish for property '{name_of(key)}' which exists in the proxy target as a "
            "non-configurable and non-writable"
        )
        if type(old) is Accessor:
            if old.setter is UNDEFINED:
                throw_type_error(f"{about} accessor property without a setter")
        elif not had & WRITABLE and not same_value(old, value):
            throw_type_error(f"{about} data property with a different value")
        return True

    @_bounded
    def has(self, key: str | Symbol) -> bool:
        trap = self._trap("has")
        target = self._target
        if trap is None:
            return target.has(key)
        if to_boolean(trap(key)):
            return True
        about = f"'has' on proxy: trap returned falsish for property '{name_of(key)}'"
        if target.own(key) is not MISSING:
            if not target.attributes_of(key) & CONFIGURABLE:
                throw_type_error(f"{about} which exists in the proxy target as non-configurable")
            if not target.is_extensible:
                throw_type_error(f"{about} but the proxy target is not extensible")
        return False

    # As a function

    @_bounded
    def call(self, this: Any, args: Args) -> Any:
        """Spec: 10.5.12."""
        trap = self._trap("apply")
        target: Any = self._target
        return target.call(this, args) if trap is None else trap(this, self.realm.new_array(args))

    @_bounded
    def construct(self, args: Args, new_target: Any = None) -> Any:
        """Spec: 10.5.13."""
        trap = self._trap("construct")
        target: Any = self._target
        new_target = self if new_target is None else new_target
        if trap is None:
            return target.construct(args, target if new_target is self else new_target)
        made = trap(self.realm.new_array(args), new_target)
        if not is_object(made):
            throw_type_error(f"'construct' on proxy: trap returned non-object ('{describe(made)}')")
        return made

    @_bounded
    def has_instance(self, value: Any) -> bool:
        """Spec: 7.3.22."""
        prototype = self.get("prototype")
        if not is_object(prototype):
            throw_type_error(f"Function has non-object prototype '{describe(prototype)}' in instanceof check")
        return is_object(value) and inherits(value, prototype)
