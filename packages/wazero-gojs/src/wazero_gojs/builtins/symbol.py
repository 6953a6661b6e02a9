"""Symbol. Spec: ECMA-262, 20.4."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import CONFIGURABLE, Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import (
    SYMBOL_TO_PRIMITIVE,
    SYMBOL_TO_STRING_TAG,
    UNDEFINED,
    WELL_KNOWN,
    Symbol,
    describe,
    throw_type_error,
    to_string,
)

from .wrappers import JSWrapper

PROTOTYPE: Final = Table()
PROTOTYPE.constant(SYMBOL_TO_STRING_TAG, "Symbol", CONFIGURABLE)
STATICS: Final = Table()


def make(realm: Realm, name: str) -> Any:
    """The global Symbol."""
    return realm.new_class(name, 0, _create, PROTOTYPE, statics=STATICS, call=_call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    throw_type_error("Symbol is not a constructor")


def _call(realm: Realm, this: Any, args: Args) -> Any:
    description = argument(args, 0)
    return Symbol(None if description is UNDEFINED else to_string(description))


@STATICS.method("for", 1)
def for_key(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.4.2.2."""
    key = to_string(argument(args, 0))
    return realm.symbols.setdefault(key, Symbol(key))


@STATICS.method("keyFor", 1)
def key_for(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.4.2.6."""
    symbol = argument(args, 0)
    if not isinstance(symbol, Symbol):
        throw_type_error(f"{describe(symbol)} is not a symbol")
    key = symbol.description
    return key if key is not None and realm.symbols.get(key) is symbol else UNDEFINED


for _name, _symbol in WELL_KNOWN.items():
    STATICS.constant(_name, _symbol, 0)


def _this(this: Any, member: str) -> Symbol:
    value = this.value if isinstance(this, JSWrapper) else this
    if not isinstance(value, Symbol):
        throw_type_error(f"Symbol.prototype{member} requires that 'this' be a Symbol")
    return value


@PROTOTYPE.method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.4.3.3."""
    return repr(_this(this, ".toString"))


@PROTOTYPE.method("valueOf", 0)
def value_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.4.3.4."""
    return _this(this, ".valueOf")


@PROTOTYPE.getter("description")
def description(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.4.3.2."""
    found = _this(this, ".description").description
    return UNDEFINED if found is None else found


@PROTOTYPE.method(SYMBOL_TO_PRIMITIVE, 1, CONFIGURABLE)
def to_primitive(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.4.3.5."""
    return _this(this, " [ @@toPrimitive ]")
