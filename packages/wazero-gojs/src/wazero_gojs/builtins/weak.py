"""What holds objects without keeping them alive. Spec: ECMA-262, 24.3, 24.4, 26.1 and 26.2.

A value of a WeakMap that leads back to its key does keep it alive here, for as long as the map lives.
"""

from __future__ import annotations

from typing import Any, Final, final
from weakref import WeakKeyDictionary, ref

from wazero_gojs.model.object import Args, JSFunction, JSObject, argument, is_callable
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import SYMBOL_TO_STRING_TAG, UNDEFINED, describe, is_object, same_value, throw_type_error

WEAK_MAP: Final = Table()
WEAK_SET: Final = Table()
WEAK_REF: Final = Table()
REGISTRY: Final = Table()
for _name, _table in {
    "WeakMap": WEAK_MAP,
    "WeakSet": WEAK_SET,
    "WeakRef": WEAK_REF,
    "FinalizationRegistry": REGISTRY,
}.items():
    _table.constant(SYMBOL_TO_STRING_TAG, _name, 4)


@final
class JSWeakMap(JSObject):
    """A WeakMap, or a WeakSet, whose values are all True."""

    __slots__ = ("kind", "map")

    def __init__(self, prototype: JSObject, kind: str) -> None:
        super().__init__(prototype)
        self.kind = kind
        self.map: WeakKeyDictionary[JSObject, Any] = WeakKeyDictionary()

    @property
    def class_name(self) -> str:  # type: ignore[override]  # one class for both
        """WeakMap or WeakSet."""
        return self.kind


@final
class JSWeakRef(JSObject):
    """A WeakRef."""

    __slots__ = ("target",)

    class_name = "WeakRef"

    def __init__(self, prototype: JSObject, target: JSObject) -> None:
        super().__init__(prototype)
        self.target = ref(target)


@final
class JSRegistry(JSObject):
    """A FinalizationRegistry."""

    __slots__ = ("cleanup", "records")

    class_name = "FinalizationRegistry"

    def __init__(self, prototype: JSObject, cleanup: JSFunction) -> None:
        super().__init__(prototype)
        self.cleanup = cleanup
        self.records: dict[object, tuple[Any, Any, Any]] = {}
        """Of each registration: weak references to the target and to the token to unregister by; what the cleanup gets."""


def make(realm: Realm, name: str) -> Any:
    """The global of that name."""
    if name == "WeakRef":
        return realm.new_class(name, 1, _create_ref, WEAK_REF)
    if name == "FinalizationRegistry":
        return realm.new_class(name, 1, _create_registry, REGISTRY)

    def create(realm: Realm, prototype: JSObject, args: Args) -> JSWeakMap:
        from .collections import fill

        made = JSWeakMap(prototype, name)
        is_map = name == "WeakMap"
        fill(realm, made, argument(args, 0), "set" if is_map else "add", is_keyed=is_map)
        return made

    return realm.new_class(name, 0, create, WEAK_MAP if name == "WeakMap" else WEAK_SET)


def _weak(this: Any, kind: str, method: str) -> WeakKeyDictionary[JSObject, Any]:
    if not isinstance(this, JSWeakMap) or this.kind != kind:
        throw_type_error(f"Method {kind}.prototype.{method} called on incompatible receiver {describe(this)}")
    return this.map


def _add_common(table: Table, kind: str) -> None:
    @table.method("has", 1)
    def has(realm: Realm, this: Any, args: Args) -> Any:
        entries, key = _weak(this, kind, "has"), argument(args, 0)
        return is_object(key) and key in entries

    @table.method("delete", 1)
    def delete(realm: Realm, this: Any, args: Args) -> Any:
        entries, key = _weak(this, kind, "delete"), argument(args, 0)
        return is_object(key) and entries.pop(key, None) is not None


_add_common(WEAK_MAP, "WeakMap")
_add_common(WEAK_SET, "WeakSet")


@WEAK_MAP.method("get", 1)
def get(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.3.3.3."""
    entries, key = _weak(this, "WeakMap", "get"), argument(args, 0)
    return entries[key][0] if is_object(key) and key in entries else UNDEFINED


@WEAK_MAP.method("set", 2)
def set_(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.3.3.5."""
    entries, key = _weak(this, "WeakMap", "set"), argument(args, 0)
    if not is_object(key):
        throw_type_error("Invalid value used as weak map key")
    entries[key] = (argument(args, 1),)
    return this


@WEAK_SET.method("add", 1)
def add(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 24.4.3.1."""
    entries, key = _weak(this, "WeakSet", "add"), argument(args, 0)
    if not is_object(key):
        throw_type_error("Invalid value used in weak set")
    entries[key] = True
    return this


# --- WeakRef and FinalizationRegistry --------------------------------------------------------------------------------


def _create_ref(realm: Realm, prototype: JSObject, args: Args) -> JSWeakRef:
    target = argument(args, 0)
    if not is_object(target):
        throw_type_error("WeakRef: invalid target")
    return JSWeakRef(prototype, target)


@WEAK_REF.method("deref")
def deref(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 26.1.3.2."""
    if not isinstance(this, JSWeakRef):
        throw_type_error(f"Method WeakRef.prototype.deref called on incompatible receiver {describe(this)}")
    found = this.target()
    return UNDEFINED if found is None else found


def _create_registry(realm: Realm, prototype: JSObject, args: Args) -> JSRegistry:
    cleanup = argument(args, 0)
    if not is_callable(cleanup):
        throw_type_error("FinalizationRegistry: cleanup must be callable")
    return JSRegistry(prototype, cleanup)


def _registry(this: Any, method: str) -> JSRegistry:
    if not isinstance(this, JSRegistry):
        throw_type_error(
            f"Method FinalizationRegistry.prototype.{method} called on incompatible receiver {describe(this)}"
        )
    return this


@REGISTRY.method("register", 2)
def register(realm: Realm, this: Any, args: Args) -> Any:
    """Call the cleanup, as a task of the program, when the target is gone. Spec: 26.2.3.2."""
    registry = _registry(this, "register")
    target, held, token = (argument(args, index) for index in range(3))
    if not is_object(target):
        throw_type_error("FinalizationRegistry.prototype.register: invalid target")
    if same_value(target, held):
        throw_type_error("FinalizationRegistry.prototype.register: target and holdings must not be same")
    loop = getattr(realm.host, "loop", None)
    to_registry = ref(registry)

    key = object()

    def when_gone(target: Any) -> None:
        found = to_registry()
        record = found.records.pop(key, None) if found is not None else None
        if found is not None and record is not None and loop is not None:
            cleanup = found.cleanup
            loop.post(lambda: cleanup.call(UNDEFINED, (record[2],)))

    registry.records[key] = (ref(target, when_gone), ref(token) if is_object(token) else None, held)
    return UNDEFINED


@REGISTRY.method("unregister", 1)
def unregister(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 26.2.3.3."""
    registry, token = _registry(this, "unregister"), argument(args, 0)
    if not is_object(token):
        throw_type_error(f"Invalid unregisterToken ('{describe(token)}')")
    found = [key for key, (_, known, _) in registry.records.items() if known is not None and known() is token]
    for key in found:
        del registry.records[key]
    return bool(found)
