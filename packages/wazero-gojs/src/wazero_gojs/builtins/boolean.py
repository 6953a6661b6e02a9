"""Boolean. Spec: ECMA-262, 20.3."""

from __future__ import annotations

from typing import Any, Final

from wazero_gojs.model.object import Args, JSObject, argument
from wazero_gojs.model.realm import Realm
from wazero_gojs.model.table import Table
from wazero_gojs.model.values import throw_type_error, to_boolean

from .wrappers import JSWrapper

PROTOTYPE: Final = Table()


def make(realm: Realm, name: str) -> Any:
    """The global Boolean."""
    return realm.new_class(name, 1, _create, PROTOTYPE, call=_call)


def _create(realm: Realm, prototype: JSObject, args: Args) -> Any:
    return JSWrapper(prototype, to_boolean(argument(args, 0)))


def _call(realm: Realm, this: Any, args: Args) -> Any:
    return to_boolean(argument(args, 0))


def _this(this: Any, member: str) -> bool:
    value = this.value if isinstance(this, JSWrapper) else this
    if not isinstance(value, bool):
        throw_type_error(f"Boolean.prototype.{member} requires that 'this' be a Boolean")
    return value


@PROTOTYPE.method("toString", 0)
def to_text(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.3.3.2."""
    return "true" if _this(this, "toString") else "false"


@PROTOTYPE.method("valueOf", 0)
def value_of(realm: Realm, this: Any, args: Args) -> Any:
    """Spec: 20.3.3.3."""
    return _this(this, "valueOf")
