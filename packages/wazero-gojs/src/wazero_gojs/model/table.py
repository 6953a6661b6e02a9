"""Tables of what is built in: from Python functions to the properties of an object, each made when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from .object import CONFIGURABLE, HIDDEN, MISSING, Accessor, JSObject, Native, NativeFunction
from .values import UNDEFINED, Symbol

if TYPE_CHECKING:
    from .realm import Realm


class _Method(NamedTuple):
    function: Native
    length: int
    attributes: int


class _Getter(NamedTuple):
    getter: Native
    setter: Native | None


class _Constant(NamedTuple):
    make: Callable[[Realm], Any]
    attributes: int


@final
class Table:
    """The properties of a built-in object. Filled by decorators when a module is imported; shared by all realms."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[str | Symbol, _Method | _Getter | _Constant] = {}

    def method(self, name: str | Symbol, length: int = 0, attributes: int = HIDDEN) -> Callable[[Native], Native]:
        """Decorator: a method. `length` is how many arguments it expects."""

        def add(function: Native) -> Native:
            self.rows[name] = _Method(function, length, attributes)
            return function

        return add

    def getter(self, name: str | Symbol, setter: Native | None = None) -> Callable[[Native], Native]:
        """Decorator: a property that is computed."""

        def add(function: Native) -> Native:
            self.rows[name] = _Getter(function, setter)
            return function

        return add

    def constant(self, name: str | Symbol, value: Any, attributes: int = HIDDEN) -> None:
        """A property with a value, which must be the same in every realm: no object."""
        self.rows[name] = _Constant(lambda realm: value, attributes)

    def include(self, other: Table) -> None:
        """Everything of another table as well."""
        self.rows.update(other.rows)

    def made(self, name: str | Symbol, make: Callable[[Realm], Any], attributes: int = HIDDEN) -> None:
        """A property with a value of each realm's own."""
        self.rows[name] = _Constant(make, attributes)


@final
class BuiltinObject(JSObject):
    """An object whose properties come from a table, besides those that were assigned to it."""

    __slots__ = ("_class_name", "_realm", "_rows")

    def __init__(
        self, realm: Realm, table: Table, prototype: JSObject | None = None, class_name: str = "Object"
    ) -> None:
        super().__init__(prototype)
        self._realm = realm
        self._rows = dict(table.rows)
        """Those that were not needed yet."""
        self._class_name = class_name

    @property
    def class_name(self) -> str:  # type: ignore[override]  # one class for all objects of that kind
        """What ``Object.prototype.toString`` says."""
        return self._class_name

    def own(self, key: str | Symbol) -> Any:
        value = self.properties.get(key, MISSING)
        if value is not MISSING or key not in self._rows:
            return value
        return make_property(self._realm, self, key, self._rows.pop(key))

    def own_keys(self) -> list[str | Symbol]:
        for key in list(self._rows):
            self.own(key)
        return super().own_keys()

    def attributes_of(self, key: str | Symbol) -> int:
        self.own(key)
        return super().attributes_of(key)

    def define(self, key: str | Symbol, value: Any, attributes: int = 7) -> bool:
        self.own(key)
        return super().define(key, value, attributes)

    def delete(self, key: str | Symbol) -> bool:
        self.own(key)
        return super().delete(key)

    def set_own(self, key: str | Symbol, value: Any) -> None:
        self._rows.pop(key, None)
        super().set_own(key, value)


def make_property(realm: Realm, owner: JSObject, key: str | Symbol, row: Any) -> Any:
    """Make the property that a row describes; its value or `Accessor`."""
    name = key if isinstance(key, str) else f"[{key.description}]"
    value: Any
    if isinstance(row, _Method):
        value = NativeFunction(realm, name, row.length, row.function)
        attributes = row.attributes
    elif isinstance(row, _Getter):
        setter = UNDEFINED if row.setter is None else NativeFunction(realm, f"set {name}", 1, row.setter)
        value = Accessor(NativeFunction(realm, f"get {name}", 0, row.getter), setter)
        attributes = CONFIGURABLE
    else:
        value = row.make(realm)
        attributes = row.attributes
    owner.properties[key] = value
    if attributes != _ALL:
        owner.attributes[key] = attributes
    return value


_ALL: Final = 7


def fill(realm: Realm, owner: JSObject, table: Table) -> None:
    """Give an object all properties of a table at once: for functions, which cannot be lazy."""
    for key, row in table.rows.items():
        make_property(realm, owner, key, row)
